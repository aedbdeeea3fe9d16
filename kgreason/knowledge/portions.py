"""Where the files of a graph may be cut, so that several workers can read them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, final, runtime_checkable

from kgreason.errors import DataError
from kgreason.knowledge.blocks import Stream
from kgreason.knowledge.crews import Crew
from kgreason.knowledge.feeds import Place
from kgreason.knowledge.files import STDIN

_PIECE = 2**22


@runtime_checkable
class Lined(Protocol):
    """A source some of whose files may be cut between any two lines."""

    def lined(self, path: Path) -> bool:
        """Say whether each line of this file can be read alone."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Portion:
    """What one worker reads.

    Args:
        number: Its place among all portions, in the order of the files.
        start: Where reading begins.
        until: Where it stops.
    """

    number: int
    start: Place
    until: Place

    @property
    def cut(self) -> bool:
        """Whether it is but a part of a file."""
        return bool(self.until.offset)


def portions_of(stream: Stream, size: int, crew: Crew) -> list[Portion]:
    """Cut the files of a source into portions of about `size` bytes; a file that cannot be cut is one portion.

    Raises:
        DataError: If the source is standard input.
    """
    found: list[tuple[Place, Place]] = []
    for number, path in enumerate(stream.files()):
        if str(path) == STDIN:
            raise DataError("Standard input cannot be read by several workers. Write it to a file first.")
        whole = path.stat().st_size
        if whole > size and isinstance(stream, Lined) and stream.lined(path):
            ends = sorted({_line_end(path, at) for at in range(size, whole, size)} | {whole})
            begins = [0, *ends[:-1]]
            counts = crew.each(partial(_newlines, path), list(zip(begins, ends, strict=True)))
            line = 0
            for begin, end, count in zip(begins, ends, counts, strict=True):
                found.append((Place(number, 0, begin, line), Place(number, 0, end)))
                line += count
        else:
            found.append((Place(number), Place(number + 1)))
    return [Portion(k, *each) for k, each in enumerate(found)]


def _line_end(path: Path, at: int) -> int:
    """Return where the line ends in which byte `at - 1` stands."""
    with path.open("rb") as file:
        at = file.seek(at - 1)
        while piece := file.read(2**16):
            cut = piece.find(b"\n") + 1
            if cut:
                return at + cut
            at += len(piece)
    return at


def _newlines(path: Path, span: Sequence[int]) -> int:
    begin, end = span
    count = 0
    with path.open("rb") as file:
        file.seek(begin)
        while begin < end and (piece := file.read(min(_PIECE, end - begin))):
            count += piece.count(b"\n")
            begin += len(piece)
    return count

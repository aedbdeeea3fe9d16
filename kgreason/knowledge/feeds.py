"""One pass over the files of a graph: where it begins, how far it is, and what becomes of what is broken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kgreason.knowledge.archives import Feed, Raw, feeds_of
from kgreason.knowledge.files import STDIN
from kgreason.knowledge.limits import Faults, Limits

__all__ = ["Feed", "Place", "Raw", "Reading"]


@final
@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a build has read: everything before this is done.

    Args:
        path: Which of the paths is being read.
        member: Which file in it, if it is an archive.
        offset: Which byte of that file, unpacked.
        line: How many lines there were before.
        sure: Whether reading can go on from here. In the middle of a document (Turtle, XML) it cannot, since what
            was read before gives the rest its meaning.
    """

    path: int = 0
    member: int = 0
    offset: int = 0
    line: int = 0
    sure: bool = True


@final
class Reading:
    """One pass over the files of a graph.

    Args:
        limits: What the files may ask for.
        faults: What becomes of broken lines.
        start: Where to begin; what is before it was read by an earlier pass.
        seen: The checksum and the size of each path that the earlier pass has read to its end.
        until: Where to stop: before this path, or within it, at the end of a line.
    """

    def __init__(
        self,
        limits: Limits,
        faults: Faults,
        start: Place | None = None,
        seen: Sequence[tuple[str, int]] = (),
        until: Place | None = None,
    ) -> None:
        self.limits, self.faults, self.start, self.until = limits, faults, start or Place(), until
        self.names: list[str] = []
        self.size = 0
        self._seen, self._raw = list(seen), list[Raw]()

    def feeds(self, paths: Sequence[Path]) -> Iterator[tuple[Place, Feed]]:
        """Yield each file that is left to read, and the place where reading goes on in it."""
        self.names = ["stdin" if str(path) == STDIN else path.name for path in paths]
        self.size = sum(path.stat().st_size for path in paths if str(path) != STDIN)
        until = self.until or Place(len(paths))
        for number, path in list(enumerate(paths))[self.start.path : until.path + (until.offset > 0)]:
            raw = Raw(path)
            self._raw = [raw]
            try:
                for member, feed in enumerate(feeds_of(raw, self.limits)):
                    here = Place(number, member)
                    if number == until.path:
                        feed.until = until.offset
                    if number > self.start.path or member >= self.start.member:
                        yield (self.start if here == Place(self.start.path, self.start.member) else here), feed
                if number < until.path:
                    raw.drain()
                    self._seen.append((raw.sha256, raw.hashed))
            finally:
                raw.close()
                self._raw = []

    @property
    def seen(self) -> list[tuple[str, int]]:
        """The checksum and the size of what was read of each path so far."""
        return self._seen + [(raw.sha256, raw.hashed) for raw in self._raw]

    @property
    def done(self) -> int:
        """How many bytes of the paths are read."""
        return sum(size for _, size in self._seen) + sum(min(raw.done, raw.size) for raw in self._raw)

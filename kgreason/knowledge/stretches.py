"""Cuts a file into stretches of whole lines and keeps count of them."""

import codecs
from dataclasses import replace
from typing import final

from kgreason.errors import DataError
from kgreason.knowledge.feeds import Feed, Place, Reading

_PIECE = 2**21
_BOM = codecs.BOM_UTF8


@final
class Stretches:
    """A file cut into stretches of whole lines.

    Args:
        feed: The file.
        reading: What becomes of broken lines, and how long a line may be.
        start: Where an earlier pass has stopped.

    Attributes:
        over: Whether the file is read to its end.
        place: How far the lines are left behind.
        head: The first bytes of the file, without the mark of UTF-8.
    """

    def __init__(self, feed: Feed, reading: Reading, start: Place) -> None:
        self.feed, self.reading, self.place = feed, reading, start
        self._data, self._at, self.over = b"", 0, False
        self.fill()
        self.head = self._data.removeprefix(_BOM)
        if start.offset:
            feed.skip(start.offset)
            self._data = self._data[start.offset :]
        elif self._data.startswith(_BOM):
            self.step(len(_BOM), 0)

    @property
    def rest(self) -> bytes:
        """What was read of the file and not left behind yet."""
        return self._data[self._at :] if self._at else self._data

    def whole(self) -> bytes:
        """Return the whole lines among what was read; at the end of the file all that is left."""
        rest = self.rest
        return rest if self.over else rest[: _lines_end(rest)]

    def more(self) -> bytes:
        """Read on, and return the whole lines among what was not left behind."""
        if len(self._data) - self._at > self.reading.limits.line:
            self._drop_line()
        self.fill()
        return self.whole()

    def fill(self) -> None:
        """Read a stretch more."""
        size, pieces = _PIECE, [self.rest]
        while size and (piece := self.feed.read(size)):
            pieces.append(piece)
            size -= len(piece)
        self._data, self._at, self.over = b"".join(pieces), 0, size > 0

    def step(self, size: int, lines: int) -> None:
        """Leave so many bytes and lines behind."""
        self._at += size
        self.place = replace(self.place, offset=self.place.offset + size, line=self.place.line + lines)

    def broken(self, error: DataError, raw: bytes) -> None:
        """Deal with a broken line."""
        self.reading.faults.met(self.feed.name, self.place.line + 1, error, raw)

    @property
    def where(self) -> str:
        """The file, and the number of the line that comes next."""
        return f"{self.feed.name}, line {self.place.line + 1}"

    def _drop_line(self) -> None:
        limit = self.reading.limits.line
        self.broken(
            DataError(f"{self.where} has more than {limit:,} bytes (the limit 'line'), or is never closed."), self.rest
        )
        while not (cut := self.rest.find(b"\n") + 1) and not self.over:
            self.step(len(self.rest), 0)
            self.fill()
        self.step(cut or len(self.rest), 1)


def _lines_end(data: bytes) -> int:
    """Return where the last whole line ends; old files have a carriage return alone for a newline."""
    return data.rfind(b"\n") + 1 or (data.rfind(b"\r", 0, -1) + 1 if len(data) > 2**16 else 0)

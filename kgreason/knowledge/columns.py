"""Where a build writes the columns of a graph: into memory, or to files with their checksums."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numpy import ndarray

from kgreason.knowledge.manifest import Column
from kgreason.knowledge.rowsort import Stored
from kgreason.knowledge.tables import Part


@runtime_checkable
class Columns(Protocol):
    """Takes columns piece by piece."""

    def write(self, name: str, piece: ndarray) -> None:
        """Add a piece to the end of a column."""
        ...

    def share(self, name: str, other: str) -> None:
        """Say that a column is the same as another one, which is whole."""
        ...

    def part(self, name: str) -> Part:
        """Return a column that is whole."""
        ...


@final
class MemoryColumns:
    """Keeps columns in memory."""

    def __init__(self) -> None:
        self._pieces: dict[str, list[ndarray]] = {}

    def write(self, name: str, piece: ndarray) -> None:
        self._pieces.setdefault(name, []).append(piece)

    def share(self, name: str, other: str) -> None:
        self._pieces[name] = [self.part(other)]

    def part(self, name: str) -> ndarray:
        pieces = self._pieces[name]
        if len(pieces) > 1:
            pieces[:] = [np.concatenate(pieces)]
        return pieces[0]

    def arrays(self) -> dict[str, ndarray]:
        """Return all columns."""
        return {name: self.part(name) for name in self._pieces}


@final
class FileColumns:
    """Writes each column to a file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, tuple[BinaryIO, hashlib._Hash, list[int], np.dtype]] = {}
        self._shared: dict[str, str] = {}

    def write(self, name: str, piece: ndarray) -> None:
        if name not in self._open:
            self._open[name] = ((self.folder / name).open("wb"), hashlib.sha256(), [0], piece.dtype)
        file, digest, length, dtype = self._open[name]
        data = np.ascontiguousarray(piece, dtype)
        length[0] += len(data)
        if len(data):
            content = data.data.cast("B")
            file.write(content)
            digest.update(content)

    def share(self, name: str, other: str) -> None:
        self._shared[name] = other

    def part(self, name: str) -> Part:
        file, _, length, dtype = self._open[name]
        file.flush()
        return Stored(self.folder / name, dtype.name, length[0])

    def finish(self, order: tuple[str, ...], keep: bool = False) -> dict[str, Column]:
        """Flush all to disk, and return the table of columns in the order given; one file of equal ones is kept.

        Args:
            order: The columns.
            keep: Whether each column keeps a file of its own.
        """
        found: dict[str, Column] = {}
        for name, (file, digest, length, dtype) in self._open.items():
            file.flush()
            os.fsync(file.fileno())
            file.close()
            found[name] = Column(name, dtype.name, length[0], digest.hexdigest())
        self._open = {}
        found |= {name: found[other] for name, other in self._shared.items()}
        table: dict[str, Column] = {}
        files: dict[str, str] = {}
        for name in order:
            column = found[name]
            first = column.file if keep else files.setdefault(column.sha256, column.file)
            if first != column.file:
                (self.folder / column.file).unlink(missing_ok=True)
            table[name] = Column(first, column.dtype, column.length, column.sha256)
        return table

    def close(self) -> None:
        """Close the files of a build that failed."""
        for file, *_ in self._open.values():
            file.close()


@final
class StringsOut:
    """Writes a table of strings as three columns."""

    def __init__(self, columns: Columns, part: str) -> None:
        self._columns, self._part, self._end, self.count = columns, part, 0, 0
        columns.write(f"{part}.blob", np.zeros(0, np.uint8))
        columns.write(f"{part}.offsets", np.zeros(1, np.int64))
        columns.write(f"{part}.order", np.zeros(0, np.int32))

    def add(self, blob: UInt8[ndarray, " bytes"], starts: Int64[ndarray, " offsets"]) -> None:
        """Write the next strings."""
        self._columns.write(f"{self._part}.blob", blob)
        self._columns.write(f"{self._part}.offsets", starts[1:] - starts[0] + self._end)
        self._end += int(starts[-1] - starts[0])
        self.count += len(starts) - 1


@final
class PointersOut:
    """Writes where the rows of each number begin, as the rows come in order."""

    def __init__(self, columns: Columns, name: str, first: int = 0) -> None:
        self._columns, self._name, self._next, self._rows = columns, name, first, 0

    def add(self, numbers: Int32[ndarray, " rows"]) -> None:
        """Take the numbers of the next rows, which ascend."""
        if len(numbers):
            upto = np.arange(self._next, int(numbers[-1]) + 1)
            self._columns.write(self._name, np.searchsorted(numbers, upto, "left").astype(np.int64) + self._rows)
            self._next, self._rows = int(numbers[-1]) + 1, self._rows + len(numbers)

    def finish(self, size: int) -> None:
        """Say that there are so many numbers."""
        self._columns.write(self._name, np.full(size + 1 - self._next, self._rows, np.int64))

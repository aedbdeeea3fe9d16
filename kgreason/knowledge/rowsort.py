"""Sorts rows of three numbers, as many as there are, in bounded memory: sorted runs on disk, then one merge."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, final

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

_BLOCK = 2**20


@final
class Stored:
    """A column in a file of which parts are read: `stored[a:b]`. Unlike a mapped one it takes no memory meanwhile."""

    def __init__(self, path: Path, dtype: str, length: int, begin: int = 0) -> None:
        self.path, self.dtype, self.length, self.begin = path, np.dtype(dtype), length, begin

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, part: slice) -> ndarray:
        begin, end, _ = part.indices(self.length)
        at = (self.begin + begin) * self.dtype.itemsize
        return np.fromfile(self.path, self.dtype, max(end - begin, 0), offset=at)

    def between(self, begin: int, end: int) -> "Stored":
        """Return a part as a column of its own; nothing is read yet."""
        return Stored(self.path, self.dtype.name, end - begin, self.begin + begin)


def write_column(file: BinaryIO, column: ndarray) -> None:
    """Write the numbers of a column. Unlike `numpy.tofile`, it says why if it cannot."""
    if column.size:
        file.write(np.ascontiguousarray(column).reshape(-1).data.cast("B"))


@final
class RowSorter:
    """Takes rows in any order, gives them back in order, each once.

    A row is packed into one number of 64 bits, or two where one does not do, so that sorting is sorting numbers.

    Args:
        sizes: Above every number in each column.
        memory: How many rows to hold at most.
        folder: Where runs that do not fit are written.
    """

    def __init__(self, sizes: tuple[int, int, int], memory: int, folder: Path | None = None) -> None:
        self._bits = [max(size - 1, 1).bit_length() for size in sizes]
        self._width = 1 if sum(self._bits) <= 63 else 2
        self._keys = np.empty((max(memory // self._width, 1), self._width), np.int64)  # pages that are not used
        self._count, self._runs, self._folder = 0, list[Stored](), folder  # are never touched

    def add(self, rows: Int32[ndarray, "rows 3"]) -> None:
        """Take rows."""
        at = 0
        while at < len(rows):
            step = min(len(rows) - at, len(self._keys) - self._count)
            self._pack(rows[at : at + step], self._keys[self._count : self._count + step])
            self._count += step
            at += step
            if at < len(rows):
                self._spill()

    def blocks(self) -> Iterator[Int32[ndarray, "rows 3"]]:
        """Yield all rows in order, each once. Nothing can be added afterwards."""
        if not self._runs:
            keys = self._ordered(self._keys[: self._count])
            pieces = iter(np.split(keys, range(_BLOCK, len(keys), _BLOCK)))
        else:
            self._spill()
            self._keys = self._keys[:0]
            pieces = self._merged()
        last = np.full(self._width, -1, np.int64)
        for piece in pieces:
            kept = piece[self._new(piece, last)]
            if len(kept):
                last = kept[-1].copy()
                yield self._unpack(kept)
        self.close()

    def _pack(self, rows: ndarray, out: ndarray) -> None:
        _, b, c = self._bits
        low = out[:, -1]
        np.left_shift(rows[:, 1], c, out=low, dtype=np.int64)
        low |= rows[:, 2]
        if self._width == 2:
            out[:, 0] = rows[:, 0]
        else:
            low |= np.left_shift(rows[:, 0], b + c, dtype=np.int64)

    def _unpack(self, keys: Int64[ndarray, "rows width"]) -> Int32[ndarray, "rows 3"]:
        _, b, c = self._bits
        rows = np.empty((len(keys), 3), np.int32)
        low = keys[:, -1]
        rows[:, 0] = keys[:, 0] if self._width == 2 else low >> (b + c)
        rows[:, 1] = (low >> c) & ((1 << b) - 1)
        rows[:, 2] = low & ((1 << c) - 1)
        return rows

    def _ordered(self, keys: ndarray) -> ndarray:
        if self._width == 1:
            keys[:, 0].sort()
            return keys
        return np.asarray(keys[np.lexsort((keys[:, 1], keys[:, 0]))])

    def _new(self, keys: ndarray, last: ndarray) -> ndarray:
        """Say of each key whether it is another one than the one before."""
        new = np.empty(len(keys), bool)
        if len(keys):
            new[0] = bool((keys[0] != last).any())
            new[1:] = (keys[1:] != keys[:-1]).any(axis=1) if self._width == 2 else keys[1:, 0] != keys[:-1, 0]
        return new

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="kgreason-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        keys = self._ordered(self._keys[: self._count])
        keys = keys[self._new(keys, np.full(self._width, -1, np.int64))]
        handle, name = tempfile.mkstemp(prefix="rows-", dir=self._folder)
        with open(handle, "wb") as file:  # noqa: PTH123 - a handle, not a path
            write_column(file, keys)
        self._runs.append(Stored(Path(name), "int64", keys.size))
        self._count = 0

    def _merged(self) -> Iterator[ndarray]:
        """Yield the keys of all runs in order, as many at once as half the memory holds; some may be there twice."""
        at, w = [0] * len(self._runs), self._width
        share = max(_BLOCK // len(self._runs), 1024)
        while True:
            windows = [run[w * a : w * (a + share)].reshape(-1, w) for run, a in zip(self._runs, at, strict=True)]
            cut = [
                tuple(window[-1].tolist())
                for run, window, a in zip(self._runs, windows, at, strict=True)
                if w * a + window.size < len(run)
            ]
            bound = min(cut) if cut else None
            taken = [window if bound is None else window[: _up_to(window, bound)] for window in windows]
            at = [a + len(part) for a, part in zip(at, taken, strict=True)]
            found = np.concatenate(taken)
            if len(found):
                yield self._ordered(found)
            if bound is None:
                return

    def close(self) -> None:
        """Give up the memory, and remove what was written."""
        self._keys = self._keys[:0].copy()
        for run in self._runs:
            run.path.unlink(missing_ok=True)


def _up_to(window: ndarray, bound: tuple[int, ...]) -> int:
    """Return how many keys of a sorted window are not above `bound`."""
    first = window[:, 0]
    if len(bound) == 1:
        return int(np.searchsorted(first, bound[0], "right"))
    low, high = np.searchsorted(first, bound[0], "left"), np.searchsorted(first, bound[0], "right")
    return int(low + np.searchsorted(window[low:high, 1], bound[1], "right"))

"""Tables of sorted strings, in memory or on disk, and the one table that many of them make together."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, final

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numpy import ndarray

from kgreason.knowledge.interning import Interner
from kgreason.knowledge.ordering import order_of, places_of, taken
from kgreason.knowledge.rowsort import Stored, write_column
from kgreason.knowledge.strings import offsets_of

#: A column of which parts are read: an array, or a file.
Part: TypeAlias = ndarray | Stored
_WINDOW = 2**24  # bytes of strings that are merged at once
_STRINGS = 2**18


@final
@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Distinct strings in the order of their bytes.

    Args:
        blob: The bytes of all strings, end to end.
        starts: Where each string begins, and where the last one ends.
        place: Where the string stands that was met first, second, …; empty if that is the order of the table.
    """

    blob: Part
    starts: Part
    place: Part

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, interner: Interner) -> "Table":
        """Sort what was numbered."""
        order = order_of(interner.arena, interner.starts)
        blob, starts = taken(interner.arena, interner.starts, order)
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        return cls(blob, starts, place)

    def window(self, begin: int, size: int) -> tuple[UInt8[ndarray, " bytes"], Int64[ndarray, " offsets"]]:
        """Return strings from `begin` on, at least one and no more than about `size` bytes of them."""
        starts = np.asarray(self.starts[begin : begin + _STRINGS + 1])
        count = max(int(np.searchsorted(starts, starts[0] + size, "right")) - 1, 1)
        starts = starts[: count + 1]
        return np.asarray(self.blob[int(starts[0]) : int(starts[-1])]), starts - starts[0]

    def save(self, folder: Path, name: str) -> None:
        """Write the table to three files."""
        for part in ("blob", "starts", "place"):
            with (folder / f"{name}.{part}").open("wb") as file:
                write_column(file, np.asarray(getattr(self, part)))

    @classmethod
    def load(cls, folder: Path, name: str) -> "Table":
        """Return a table that was saved; nothing is read yet."""
        blob, starts = stored(folder / f"{name}.blob", "uint8"), stored(folder / f"{name}.starts", "int64")
        return cls(blob, starts, stored(folder / f"{name}.place", "int32"))


def stored(path: Path, dtype: str) -> Stored:
    """Return a file as a column."""
    return Stored(path, dtype, path.stat().st_size // np.dtype(dtype).itemsize)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """The next distinct strings of several tables, in order.

    Args:
        blob: Their bytes, end to end.
        starts: Where each begins, and where the last one ends.
        parts: For each table: which strings of it are among them (from, to), and the place of each here.
    """

    blob: UInt8[ndarray, " bytes"]
    starts: Int64[ndarray, " offsets"]
    parts: Sequence[tuple[int, int, ndarray]]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def at(self, i: int) -> bytes:
        """Return one string."""
        return self.blob[self.starts[i] : self.starts[i + 1]].tobytes()

    def below(self, name: bytes) -> int:
        """Return how many of the strings come before `name`."""
        return _bisect(self.blob, self.starts, name, before=True)


def merged(tables: Sequence[Table]) -> Iterator[Merged]:
    """Yield the distinct strings of sorted tables in order, some thousands at once, in bounded memory."""
    at, share = [0] * len(tables), max(_WINDOW // max(len(tables), 1), 2**12)
    while any(a < len(table) for a, table in zip(at, tables, strict=True)):
        windows = [table.window(a, share) if a < len(table) else _NOTHING for a, table in zip(at, tables, strict=True)]
        cut = [
            blob[starts[-2] :].tobytes()
            for (blob, starts), table, a in zip(windows, tables, at, strict=True)
            if a + len(starts) - 1 < len(table)
        ]
        bound = min(cut) if cut else None
        counts = [
            len(starts) - 1 if bound is None else _bisect(blob, starts, bound, before=False) for blob, starts in windows
        ]
        spans = [(a, a + count) for a, count in zip(at, counts, strict=True)]
        yield _together(windows, counts, spans)
        at = [end for _, end in spans]


_NOTHING = (np.zeros(0, np.uint8), np.zeros(1, np.int64))


def _together(
    windows: Sequence[tuple[ndarray, ndarray]], counts: Sequence[int], spans: Sequence[tuple[int, int]]
) -> Merged:
    blobs = [blob[: starts[n]] for (blob, starts), n in zip(windows, counts, strict=True)]
    if len(windows) == 1:
        starts = windows[0][1][: counts[0] + 1]
        return Merged(blobs[0], starts, [(*spans[0], np.arange(counts[0], dtype=np.int32))])
    arena = np.concatenate(blobs)
    starts = offsets_of(
        np.concatenate([np.diff(starts[: n + 1]) for (_, starts), n in zip(windows, counts, strict=True)])
    )
    order = order_of(arena, starts)
    place, first = places_of(arena, starts, order)
    blob, distinct = taken(arena, starts, order[first])
    pieces = np.split(place, np.cumsum(counts)[:-1])
    return Merged(blob, distinct, [(*span, piece) for span, piece in zip(spans, pieces, strict=True)])


def _bisect(blob: ndarray, starts: ndarray, name: bytes, before: bool) -> int:
    """Return how many strings come before `name`, or are not behind it."""

    def key(i: int) -> bytes:
        return blob[starts[i] : starts[i + 1]].tobytes()

    place = bisect_right(range(len(starts) - 1), name, key=key)
    return place - 1 if before and place and key(place - 1) == name else place


@final
class Maps:
    """For each run, what each of its strings became; on disk if there is a folder, since together they are large."""

    def __init__(self, name: str, runs: int, folder: Path | None) -> None:
        self._folder, self._name = folder if runs > 1 else None, name
        self._pieces: list[list[ndarray]] = [[] for _ in range(runs)]
        for k in range(runs):
            if self._folder is not None:
                (self._folder / f"{name}-{k}").write_bytes(b"")

    def add(self, run: int, numbers: Int32[ndarray, " strings"]) -> None:
        """Say what the next strings of a run became."""
        if self._folder is None:
            self._pieces[run].append(numbers.astype(np.int32))
        elif len(numbers):
            with (self._folder / f"{self._name}-{run}").open("ab") as file:
                write_column(file, numbers.astype(np.int32))

    def of(self, run: int) -> Int32[ndarray, " strings"]:
        """Return what the strings of a run became, in the order of its table."""
        if self._folder is not None:
            return np.asarray(stored(self._folder / f"{self._name}-{run}", "int32")[:])
        return np.concatenate([np.zeros(0, np.int32), *self._pieces[run]])

    def remove(self) -> None:
        """Forget all of it."""
        for k in range(len(self._pieces)):
            if self._folder is not None:
                (self._folder / f"{self._name}-{k}").unlink(missing_ok=True)
        self._pieces = [[] for _ in self._pieces]

"""Names on disk: one block of UTF-8 bytes, where each name ends, and a binary search instead of a dictionary."""

import sys
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import final

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numpy import ndarray

from kgreason.data.vocab import Names
from kgreason.errors import DataError


@final
class StringTable:
    """Distinct names that may be memory-mapped; what `Vocab` can do, without an object for every name.

    Name `i` is `blob[offsets[i] : offsets[i + 1]]`, in UTF-8. A look-up is a binary search over the bytes (about 20
    comparisons for a million names), so opening costs nothing and processes share the pages.

    Args:
        blob: The bytes of all names, end to end.
        offsets: Where each name begins, and where the last one ends.
        order: The ids in the order of their names' bytes; empty if the names themselves stand in that order.
    """

    __slots__ = ("_bytes", "_order", "_starts", "blob", "offsets", "order")

    def __init__(
        self,
        blob: UInt8[ndarray, " bytes"],
        offsets: Int64[ndarray, " offsets"],
        order: Int32[ndarray, " ordered"],
    ) -> None:
        self.blob, self.offsets, self.order = blob, offsets, order
        # memoryviews: indexing one costs 40 ns, a numpy array 100 ns, an np.memmap 2 µs.
        self._bytes, self._starts, self._order = blob.data, offsets.data, order.data

    def id(self, name: str) -> int:
        """Return the id of `name`; raise `KeyError` if it is not in the table."""
        try:
            wanted = name.encode()
        except UnicodeEncodeError:  # a lone surrogate: not text, so not a name
            raise KeyError(name) from None
        place = bisect_left(range(len(self)), wanted, key=self._ordered)
        if place == len(self) or self._ordered(place) != wanted:
            raise KeyError(name)
        return self._order[place] if len(self.order) else place

    def _ordered(self, place: int) -> bytes:
        i = self._order[place] if len(self.order) else place
        return bytes(self._bytes[self._starts[i] : self._starts[i + 1]])

    def __getitem__(self, i: int) -> str:
        size = len(self)
        if not -size <= i < size:
            raise IndexError(f"There is no name {i} among {size}.")
        i = int(i) % size
        return str(self._bytes[self._starts[i] : self._starts[i + 1]], "utf-8")

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __iter__(self) -> Iterator[str]:
        view, starts = self._bytes, self._starts
        return (str(view[starts[i] : starts[i + 1]], "utf-8") for i in range(len(self)))

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            self.id(name)
        except KeyError:
            return False
        return True

    def __reduce__(self) -> tuple[object, ...]:  # memoryviews cannot be pickled; worker processes need the table
        return StringTable, (np.array(self.blob), np.array(self.offsets), np.array(self.order))

    def __repr__(self) -> str:
        shown = ", ".join(self[i] for i in range(min(3, len(self))))
        return f"StringTable({len(self)} names: {shown}{', …' if len(self) > 3 else ''})"

    @classmethod
    def of(cls, names: Names | Iterable[str]) -> "StringTable":
        """Write names into a table; their ids stay as they are.

        Raises:
            DataError: If a name is not text (a lone surrogate) or appears twice.

        >>> table = StringTable.of(["b", "a"])
        >>> table.id("a"), table[0], "c" in table
        (1, 'b', False)
        """
        if isinstance(names, StringTable):
            return names
        encoded = [_encode(name) for name in names]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        twice = next((i for i, j in pairwise(order) if encoded[i] == encoded[j]), None)
        if twice is not None:
            raise DataError(f"The name '{encoded[twice].decode()}' appears more than once in the table.")
        in_order = all(i == place for place, i in enumerate(order))
        return cls(
            np.frombuffer(b"".join(encoded), np.uint8),
            offsets_of(lengths),
            np.array([] if in_order else order, np.int32),
        )


def _encode(name: str) -> bytes:
    try:
        return name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"The name {name!r} holds a lone surrogate (character {error.start + 1}), which is not text and cannot be "
            "written as UTF-8. Mend the file or the graph it comes from."
        ) from None


def offsets_of(lengths: Int64[ndarray, " names"]) -> Int64[ndarray, " offsets"]:
    """Return where each piece begins, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


if sys.byteorder != "little":  # pragma: no cover - the columns are mapped as they lie on disk
    raise ImportError("The store of kgreason is little-endian; this machine is not.")

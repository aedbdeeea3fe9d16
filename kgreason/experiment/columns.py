"""Many prepared examples, as they stand in the cache: a column for all of them, cut when an example is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import final, overload

import numpy as np
from numpy import ndarray

from kgreason.collate import Prepared

#: What an example is made of, besides its uid.
COLUMNS = tuple(field.name for field in fields(Prepared) if field.name != "uid")


@final
class Columns(Sequence[Prepared]):
    """The prepared examples of a split, in a fifth of the memory that as many `Prepared` of their own need.

    An example is made of views when it is asked for, which takes some microseconds.

    Args:
        uid: Of each example.
        column: The rows of all examples end to end along the last axis, by name; all of `COLUMNS`.
        count: How many of them each example has.

    Raises:
        KeyError: If a column is missing.
        ValueError: If the counts do not add up to what a column holds, or are not one for each example.
    """

    def __init__(self, uid: Sequence[str], column: Mapping[str, ndarray], count: Mapping[str, ndarray]) -> None:
        self._uid = list(uid)
        self._column = {name: column[name] for name in COLUMNS}
        self._start: dict[str, ndarray] = {}
        known: dict[bytes, ndarray] = {}  # tokens, nodes and edges have several columns each, counted alike
        for name in COLUMNS:
            ends = np.concatenate([[0], np.cumsum(count[name], dtype=np.int64)])
            if len(ends) != len(self._uid) + 1 or ends[-1] != self._column[name].shape[-1]:
                raise ValueError(f"column '{name}' and its counts do not agree")
            self._start[name] = known.setdefault(ends.tobytes(), ends)

    @classmethod
    def of(cls, prepared: Sequence[Prepared]) -> "Columns":
        """Lay examples end to end; at least one."""
        values = {name: [getattr(p, name) for p in prepared] for name in COLUMNS}
        column = {name: np.concatenate(of, axis=-1) for name, of in values.items()}
        count = {name: np.array([v.shape[-1] for v in of], np.int64) for name, of in values.items()}
        return cls([p.uid for p in prepared], column, count)

    @classmethod
    def joined(cls, parts: "Sequence[Columns]") -> "Columns":
        """Lay several of them end to end; at least one."""
        column = {name: np.concatenate([part._column[name] for part in parts], axis=-1) for name in COLUMNS}
        count = {name: np.concatenate([np.diff(part._start[name]) for part in parts]) for name in COLUMNS}
        return cls([uid for part in parts for uid in part._uid], column, count)

    def arrays(self) -> dict[str, ndarray]:
        """Return what stands in a file: `uid`, every column, and `<column>.count`."""
        counts = {f"{name}.count": np.diff(start) for name, start in self._start.items()}
        return {"uid": np.array(self._uid), **self._column, **counts}

    def __len__(self) -> int:
        return len(self._uid)

    @overload
    def __getitem__(self, index: int) -> Prepared: ...

    @overload
    def __getitem__(self, index: slice) -> list[Prepared]: ...

    def __getitem__(self, index: int | slice) -> Prepared | list[Prepared]:
        if isinstance(index, slice):
            return [self._cut(i) for i in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        return self._cut(at)

    def _cut(self, at: int) -> Prepared:
        start = self._start
        return Prepared(
            uid=self._uid[at],
            **{name: column[..., start[name][at] : start[name][at + 1]] for name, column in self._column.items()},
        )

"""A fixed, two-way table of names and ids."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from kgreason.errors import DataError


@runtime_checkable
class Names(Protocol):
    """What a table of names can do; `Vocab` in memory, or one that is mapped from disk."""

    def id(self, name: str) -> int:
        """Return the id of `name`; raise `KeyError` if it is not there."""
        ...

    def __getitem__(self, i: int) -> str: ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[str]: ...

    def __contains__(self, name: object) -> bool: ...


class Vocab(Sequence[str]):
    """A fixed list of distinct names; the position of a name is its id.

    >>> relations = Vocab(["is_a", "part_of"])
    >>> relations.id("part_of"), relations[0], "has_a" in relations
    (1, 'is_a', False)
    """

    __slots__ = ("_ids", "_names")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._ids = {name: i for i, name in enumerate(self._names)}
        if len(self._ids) != len(self._names):
            twice = next(name for i, name in enumerate(self._names) if self._ids[name] != i)
            raise DataError(f"The name '{twice}' appears more than once in the vocabulary.")

    def id(self, name: str) -> int:
        """Return the id of `name`; raise `KeyError` if it is not in the vocabulary."""
        return self._ids[name]

    def __getitem__(self, i: int) -> str:  # type: ignore[override]  # ids only, no slices
        return self._names[i]

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._ids

    def __repr__(self) -> str:
        shown = ", ".join(self._names[:3])
        return f"Vocab({len(self)} names: {shown}{', …' if len(self) > 3 else ''})"

"""What the variants answered, and what each answer is worth."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from jaxtyping import Float, Int
from numpy import ndarray

from kgreason.errors import DataError

#: `mean`: of values that each item has, such as reciprocal ranks.
Metric = Literal["accuracy", "macro_f1", "hits@1", "mean"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a variant answered to the same items, once per seed.

    Args:
        gold: The right answer of each item; 1 throughout where answers are sets.
        found: The answer given, one row per seed; where answers are sets, 1 if its first one is right, else 0.
        group: Which items belong together (hypotheses of one premise), as numbers; None if each is on its own.

    Raises:
        DataError: If the shapes do not agree, or there is no item or no seed.
    """

    gold: Int[ndarray, " items"]
    found: Int[ndarray, "seeds items"]
    group: Int[ndarray, " items"] | None = None

    def __post_init__(self) -> None:
        if self.found.shape[1:] != self.gold.shape:
            raise DataError(f"{self.found.shape[1]} answers were given to {len(self.gold)} items.")
        _check(self.found, self.group)

    @property
    def right(self) -> ndarray:
        """True where the answer is right: `(seeds, items)`."""
        right: ndarray = self.found == self.gold
        return right

    @property
    def value(self) -> ndarray:
        """1 where the answer is right, else 0: `(seeds, items)`."""
        return self.right.astype(float)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """What each item is worth to a variant, once per seed: a reciprocal rank, an F1 of sets, a loss with a minus.

    Args:
        value: One row per seed; more is better.
        group: As in `Answers`.

    Raises:
        DataError: If there is no item or no seed, or a value is not finite.
    """

    value: Float[ndarray, "seeds items"]
    group: Int[ndarray, " items"] | None = None

    def __post_init__(self) -> None:
        _check(self.value, self.group)
        if not (abs(self.value) < float("inf")).all():
            raise DataError("A value is not a finite number.")


Outcome: TypeAlias = Answers | Values


def check_pair(other: Outcome, against: Outcome) -> None:
    """Check that two variants can be compared.

    Raises:
        DataError: If they did not answer the same items, or not once for each seed.
    """
    if other.value.shape[1] != against.value.shape[1] or not _same_gold(other, against):
        raise DataError("The two variants were tested on different items; run both anew with the same [task].")
    if len(other.value) != len(against.value):
        raise DataError(f"One variant has {len(other.value)} seeds, the other {len(against.value)}.")


def _same_gold(other: Outcome, against: Outcome) -> bool:
    if isinstance(other, Answers) and isinstance(against, Answers):
        return bool((other.gold == against.gold).all())
    return type(other) is type(against)


def _check(rows: ndarray, group: ndarray | None) -> None:
    if rows.ndim != 2 or 0 in rows.shape:
        raise DataError(f"The answers have the shape {rows.shape}, expected (seeds, items) with at least one of each.")
    if group is not None and group.shape != rows.shape[1:]:
        raise DataError(f"{len(group)} groups were given for {rows.shape[1]} items.")

"""What the variants answered."""

from dataclasses import dataclass
from typing import Literal, final

from jaxtyping import Int
from numpy import ndarray

from kgreason.errors import DataError

Metric = Literal["accuracy", "macro_f1", "hits@1"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a variant answered to the same items, once per seed.

    Args:
        gold: The right answer of each item; 1 throughout where answers are sets.
        found: The answer given, one row per seed; where answers are sets, 1 if its first one is right, else 0.
    """

    gold: Int[ndarray, " items"]
    found: Int[ndarray, "seeds items"]

    def __post_init__(self) -> None:
        if self.found.shape[1:] != self.gold.shape:
            raise DataError(f"{self.found.shape[1]} answers were given to {len(self.gold)} items.")

    @property
    def right(self) -> ndarray:
        """True where the answer is right: `(seeds, items)`."""
        right: ndarray = self.found == self.gold
        return right

"""The atomic edits that lead from a premise to a hypothesis."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from jaxtyping import Float32, Int8, Int32
from numpy import ndarray

from kgreason.errors import DataError


class EditKind(IntEnum):
    """What an edit does. `OPERATOR` exchanges, adds or removes what projects others: a quantifier, a negation."""

    SUBSTITUTE = 0
    INSERT = 1
    DELETE = 2
    OPERATOR = 3
    REORDER = 4


@dataclass(frozen=True, slots=True, eq=False)
class Edits:
    """A sequence of edits; row `i` of every column is edit `i`. Their order is the order in which they are made.

    Args:
        kind: An `EditKind` per edit.
        nodes: The node of the premise and the node of the hypothesis, or -1: an insertion has none in the premise, a
            deletion none in the hypothesis. Of a phrase, its head word.
        relation: How sure each relation of `Entailment` is to hold between what stood there before and what stands
            there after, before projection; a column sums to 1.
        polarity: The signature (a position in `SIGNATURES`) of the place, in the premise's sentence and in the
            hypothesis'.
        reason: Why `relation` is what it is, in words: `guitar → instrument: hypernym, 2 steps`.
    """

    kind: Int8[ndarray, " edits"]
    nodes: Int32[ndarray, "2 edits"]
    relation: Float32[ndarray, "7 edits"]
    polarity: Int8[ndarray, "2 edits"]
    reason: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in ("nodes", "relation", "polarity"):
            if getattr(self, name).shape[1] != len(self.kind):
                raise DataError(f"Edits: {name} has {getattr(self, name).shape[1]} columns, kind has {len(self.kind)}.")
        if len(self.reason) != len(self.kind):
            raise DataError(f"Edits: there are {len(self.reason)} reasons for {len(self.kind)} edits.")
        off = np.flatnonzero(np.abs(self.relation.sum(0) - 1) > 1e-3)
        if len(off):
            raise DataError(
                f"Edits: the relations of edit {off[0]} ('{self.reason[off[0]]}') sum to "
                f"{self.relation[:, off[0]].sum():.3f}, expected 1."
            )

    def __len__(self) -> int:
        return len(self.kind)


def no_edits() -> Edits:
    """Return the empty sequence."""
    return Edits(
        np.zeros(0, np.int8), np.zeros((2, 0), np.int32), np.zeros((7, 0), np.float32), np.zeros((2, 0), np.int8)
    )

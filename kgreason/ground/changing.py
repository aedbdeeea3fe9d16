"""An edit in the making."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment

Distribution: TypeAlias = Float32[ndarray, " 7"]


@dataclass(slots=True)
class Change:
    """An edit in the making; `premise` and `hypothesis` are units, or -1.

    `place` is the unit of the other text where something is left out or added, or -1; `outer` tells that the place is
    that of an operator, around its reach; `denies` that a negation came or went. Of a quantifier, `clause` are the
    predicates it is the subject of, and `denied` is what the relation would be if the second one were denied. `whole`
    tells that the relation is that of the two sentences, whatever stands around the words.
    """

    kind: EditKind
    premise: int
    hypothesis: int
    relation: Distribution
    reason: str
    place: int = -1
    outer: bool = False
    denies: bool = False
    clause: tuple[int, int] = (-1, -1)
    denied: Distribution | None = None
    whole: bool = False


def spread(*parts: tuple[Entailment, float]) -> Distribution:
    """Return a distribution; what is not given away goes to independence."""
    out = np.zeros(7, np.float32)
    for relation, much in parts:
        out[relation] += much
    out[Entailment.INDEPENDENCE] += max(0.0, 1 - float(out.sum()))
    return np.asarray(out / out.sum(), np.float32)

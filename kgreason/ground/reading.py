"""What a mention may mean: entities and how sure each is."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64
from numpy import ndarray

from kgreason.data.knowledge import Labels


class Meaning(NamedTuple):
    """The entities that a name may mean, the likeliest first, and their scores, which sum to 1."""

    entity: Int32[ndarray, " senses"]
    score: Float32[ndarray, " senses"]


class Seed(NamedTuple):
    """One seed of a text.

    `span` is `(text, start, end)` of what names it, `(-1, -1, -1)` if that is not known; `score`, in (0, 1], is how
    sure it is that these characters name an entity at all.
    """

    span: tuple[int, int, int]
    meaning: Meaning
    score: float = 1.0


#: The span of a seed of which nobody knows where it stands.
NOWHERE = (-1, -1, -1)


def senses_of(
    label: Int32[ndarray, " rows"], labels: Labels
) -> tuple[Int64[ndarray, " senses"], Int32[ndarray, " senses"], Float64[ndarray, " senses"]]:
    """Return all senses of all labels: the position in `label` each belongs to, the entity, and its score."""
    sizes = labels.ptr[label + 1] - labels.ptr[label]
    of_row = np.repeat(np.arange(len(label)), sizes)
    sense = np.arange(len(of_row)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + labels.ptr[label[of_row]]
    return of_row, np.asarray(labels.entity[sense]), np.asarray(labels.score[sense], np.float64)


def best_senses(entity: Int32[ndarray, " rows"], score: Float64[ndarray, " rows"], max_senses: int) -> Meaning:
    """Return each entity once, the likeliest first, at most `max_senses`, with scores that sum to 1.

    >>> best_senses(np.array([4, 2, 4], np.int32), np.array([0.5, 1.0, 0.25]), 8)
    Meaning(entity=array([2, 4], dtype=int32), score=array([0.6666667 , 0.33333334], dtype=float32))
    """
    if len(entity) == 1:
        return Meaning(entity.astype(np.int32), np.ones(1, np.float32))
    distinct, which = np.unique(entity, return_inverse=True)
    best = np.zeros(len(distinct))
    np.maximum.at(best, which, score)
    order = np.lexsort((distinct, -best))[:max_senses]
    kept = best[order]
    total = kept.sum()
    share = kept / total if total > 0 else np.full(len(kept), 1 / max(len(kept), 1))
    return Meaning(distinct[order].astype(np.int32), share.astype(np.float32))

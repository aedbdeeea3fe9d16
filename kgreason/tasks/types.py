"""Which relations a knowledge graph tells of the same things: as near to types as a graph without types comes."""

from typing import NamedTuple

import numpy as np

from kgreason.data import KnowledgeGraph

#: So many of the heads of a relation must be at an end of another, for that one to be told of the same kind of things.
_SHARE = 0.25


class Kin(NamedTuple):
    """What else is told of the heads of a relation.

    Args:
        heads: The relations that they have, the relation itself included.
        tails: The relations that lead to them, the nearest match first.
    """

    heads: list[int]
    tails: list[int]


def kin_of_relations(knowledge: KnowledgeGraph) -> list[Kin]:
    """Return, for each relation, the relations that its heads have and those that lead to them.

    One counts if at least a quarter of the heads of the first are heads, or tails, of it.
    """
    heads = np.repeat(np.arange(len(knowledge.entities)), np.diff(knowledge.head_ptr))
    relations = range(len(knowledge.relations))
    has = [np.unique(heads[knowledge.relation == r]) for r in relations]
    ends = [np.unique(knowledge.tail[knowledge.relation == r]) for r in relations]
    found = []
    for r in relations:
        least = _SHARE * max(len(has[r]), 1)
        to = {k: len(np.intersect1d(has[r], ends[k])) for k in relations}
        found.append(
            Kin(
                [k for k in relations if k == r or len(np.intersect1d(has[r], has[k])) >= least],
                sorted((k for k in relations if to[k] >= least), key=lambda k: -to[k] / len(ends[k])),
            )
        )
    return found

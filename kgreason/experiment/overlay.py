"""A knowledge graph with a few facts taken out or put in, without sorting it anew."""

from dataclasses import replace
from typing import NamedTuple, final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.tasks.evidence import Triples, key


class _Side(NamedTuple):
    """The facts by one of their ends: where those of an entity begin, a number for each, relation and other end."""

    ptr: ndarray
    key: ndarray
    relation: ndarray
    other: ndarray


@final
class Overlay:
    """Makes variants of one graph: the same entities, relations and labels, and nearly the same facts.

    Args:
        graph: The graph. Its columns by head and by tail may differ in length (`data.walked`).
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph = graph
        self._out = self._side(graph.head_ptr, graph.relation, graph.tail)
        self._into = self._side(graph.tail_ptr, graph.inverse, graph.head)

    def __contains__(self, fact: tuple[int, int, int]) -> bool:
        return bool(len(_places(self._out.key, key(self.graph, np.array([fact], np.int64)))))

    def edited(self, removed: Triples, added: Triples) -> KnowledgeGraph:
        """Return the graph without some facts and with others.

        Facts to remove that are not there are passed over; those to add must be distinct and new to it. Costs one copy
        of the columns.
        """
        return self._of(self._edit(self._out, removed, added), self._edit(self._into, removed[:, ::-1], added[:, ::-1]))

    def only(self, facts: Triples) -> KnowledgeGraph:
        """Return a graph of these distinct facts alone."""
        return self._of(*(self._alone(rows) for rows in (facts, facts[:, ::-1])))

    def _side(self, ptr: ndarray, relation: ndarray, other: ndarray) -> _Side:
        first = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
        rows = np.stack([first, relation, other], axis=1).astype(np.int64)
        return _Side(ptr, key(self.graph, rows), relation, other)

    def _alone(self, rows: Triples) -> tuple[ndarray, ndarray, ndarray]:
        rows = rows[key(self.graph, rows).argsort()]
        ptr = np.concatenate([[0], np.cumsum(np.bincount(rows[:, 0], minlength=len(self.graph.entities)))])
        kinds = self._out.relation.dtype, self._out.other.dtype
        return ptr.astype(np.int64), rows[:, 1].astype(kinds[0]), rows[:, 2].astype(kinds[1])

    def _edit(self, side: _Side, removed: Triples, added: Triples) -> tuple[ndarray, ndarray, ndarray]:
        gone = _places(side.key, key(self.graph, removed))
        added = added[key(self.graph, added).argsort()]
        at = np.searchsorted(np.delete(side.key, gone), key(self.graph, added))
        entities = len(side.ptr) - 1
        lost = np.searchsorted(side.ptr, gone, side="right") - 1
        change = np.bincount(added[:, 0], minlength=entities) - np.bincount(lost, minlength=entities)
        ptr = side.ptr + np.concatenate([[0], np.cumsum(change)])
        relation = np.insert(np.delete(side.relation, gone), at, added[:, 1])
        return ptr, relation, np.insert(np.delete(side.other, gone), at, added[:, 2])

    def _of(self, out: tuple[ndarray, ...], into: tuple[ndarray, ...]) -> KnowledgeGraph:
        (ptr, relation, tail), (tail_ptr, inverse, head) = out, into
        there = replace(self.graph, head_ptr=ptr, relation=relation, tail=tail)
        return replace(there, tail_ptr=tail_ptr, inverse=inverse, head=head)


def _places(keys: Int64[ndarray, " facts"], wanted: Int64[ndarray, " wanted"]) -> Int64[ndarray, " found"]:
    """Return where some keys stand; those that are not there are passed over."""
    wanted = np.unique(wanted)
    at = np.searchsorted(keys, wanted)
    there = at < len(keys)
    there[there] = keys[at[there]] == wanted[there]
    return at[there]

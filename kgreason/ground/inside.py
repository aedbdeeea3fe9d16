"""The triples among chosen entities, compiled. What is known of a hub is asked of its neighbours.

To find the triples from an entity to others of a text, its row in the CSR by head is read; if that row is long, the
rows of the others in the CSR by tail are read instead, which mostly are short; and where both are long, the triple is
looked up, since rows are sorted by relation and then by tail.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Int8, Int32, Int64
from numba import njit
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.ground.kernels import MET_EDGES, csr, frozen

#: A row of more triples than this is long.
WIDE = 256
#: No row is long: for graphs that do not say the same in both directions.
NEVER = 2**62


def wide_of(knowledge: KnowledgeGraph) -> int:
    """Return what makes a row long in this graph, before `walked` has left out anything of it."""
    whole = not knowledge.rules.hub_limit and not int(knowledge.about.get("facts_left_out", 0))
    return WIDE if whole else NEVER


def induce(
    knowledge: KnowledgeGraph,
    ptr: Int64[ndarray, " offsets"],
    node: Int32[ndarray, " rows"],
    max_edges: int,
    place: Int32[ndarray, " entities"],
    wide: int = WIDE,
) -> tuple[Int64[ndarray, " offsets"], Int64[ndarray, "edges 3"], Int8[ndarray, " texts"]]:
    """Find all triples among the nodes of each text.

    Over the budget, triples among the first nodes go first: they are sorted by the later of their two nodes.

    Args:
        knowledge: The graph.
        ptr: Text `g` has the nodes `ptr[g] : ptr[g + 1]`, distinct.
        node: Entity ids.
        max_edges: How many triples to keep of a text.
        place: Zeros, and zeros again afterwards; see `kernels.scratch`.
        wide: Rows of more triples are not read through. Both directions must say the same then; see `wide_of`.

    Returns:
        `(edge_ptr, edges, met)`: rows (source, target, triple), nodes counted within their text, and triples as rows of
        the CSR by head; whether the budget was met.
    """
    graph = (*csr(knowledge), frozen(knowledge.relation), frozen(knowledge.inverse))
    edge_ptr, edges, met = _induce(graph, ptr, node, (max_edges, wide), place)
    return edge_ptr, edges, met


@njit(cache=True)
@no_type_check
def _induce(graph, ptr, node, limits, place):
    max_edges, wide = limits
    edge_ptr, met = np.zeros(len(ptr), np.int64), np.zeros(len(ptr) - 1, np.int8)
    out, edges = np.empty((1024, 3), np.int64), np.empty((1024, 3), np.int64)
    for g in range(len(ptr) - 1):
        own = node[ptr[g] : ptr[g + 1]]
        for i in range(len(own)):
            place[own[i]] = i + 1
        edges, count = _among(graph, own, wide, place, edges)
        place[own] = 0
        kept = edges[:count]
        if count > max_edges:
            later = np.maximum(kept[:, 0], kept[:, 1])
            kept = kept[np.sort(np.argsort(later, kind="mergesort")[:max_edges])]
            met[g] = MET_EDGES
        start = edge_ptr[g]
        while start + len(kept) > len(out):
            out = np.concatenate((out, np.empty_like(out)))
        out[start : start + len(kept)] = kept
        edge_ptr[g + 1] = start + len(kept)
    return edge_ptr, out[: edge_ptr[-1]], met


@njit(cache=True)
@no_type_check
def _among(graph, nodes, wide, place, edges):
    """Collect the triples among `nodes` as rows (source, target, triple), in order; returns them and their number."""
    head_ptr, tail, tail_ptr = graph[0], graph[1], graph[2]
    count, long = 0, 0
    for i in range(len(nodes)):
        begin, end = head_ptr[nodes[i]], head_ptr[nodes[i] + 1]
        if end - begin > wide:
            long += 1
            continue
        while count + end - begin > len(edges):  # room for the whole row, so that its loop stays tight
            edges = np.concatenate((edges, np.empty_like(edges)))
        count = _row_among(tail, begin, end, i, place, edges, count)
    if long == 0:
        return edges, count
    for j in range(len(nodes)):
        begin, end = tail_ptr[nodes[j]], tail_ptr[nodes[j] + 1]
        if end - begin <= wide:
            edges, count = _from_long(graph, nodes, (j, begin, end), wide, place, edges, count)
        else:
            edges, count = _looked_up(graph, nodes, j, wide, edges, count)
    order = np.argsort(edges[:count, 0] * np.int64(2**40) + edges[:count, 2])
    edges[:count] = edges[:count][order]
    return edges, count


@njit(cache=True)
@no_type_check
def _row_among(tail, begin, end, source, place, edges, count):
    """Collect the triples of one head whose tails have a place. Returns how many there are now."""
    for row in range(begin, end):
        j = place[tail[row]]
        if j:
            edges[count, 0], edges[count, 1], edges[count, 2] = source, j - 1, row
            count += 1
    return count


@njit(cache=True)
@no_type_check
def _from_long(graph, nodes, row, wide, place, edges, count):
    """Collect the triples of one tail whose heads have a place and a long row."""
    head_ptr, tail, _, head, relation, inverse = graph
    j, begin, end = row
    for k in range(begin, end):
        i = place[head[k]] - 1
        if i < 0:
            continue
        low, high = head_ptr[head[k]], head_ptr[head[k] + 1]
        if high - low <= wide:
            continue
        while low < high:  # where it stands among the triples of its head
            middle = (low + high) // 2
            if relation[middle] < inverse[k] or (relation[middle] == inverse[k] and tail[middle] < nodes[j]):
                low = middle + 1
            else:
                high = middle
        if count == len(edges):
            edges = np.concatenate((edges, np.empty_like(edges)))
        edges[count, 0], edges[count, 1], edges[count, 2] = i, j, low
        count += 1
    return edges, count


@njit(cache=True)
@no_type_check
def _looked_up(graph, nodes, j, wide, edges, count):
    """Collect the triples from all entities with a long row to one that has a long row too."""
    head_ptr = graph[0]
    for i in range(len(nodes)):
        if head_ptr[nodes[i] + 1] - head_ptr[nodes[i]] > wide:
            edges, count = _triples_between(graph, (nodes[i], nodes[j]), (i, j), edges, count)
    return edges, count


@njit(cache=True)
@no_type_check
def _triples_between(graph, ends, places, edges, count):
    """Look up all triples from one entity to another, relation by relation."""
    head_ptr, tail, relation = graph[0], graph[1], graph[4]
    source, target = ends
    begin, end = head_ptr[source], head_ptr[source + 1]
    while begin < end:
        low, high = begin + 1, end  # where the relation of `begin` ends
        while low < high:
            middle = (low + high) // 2
            if relation[middle] == relation[begin]:
                low = middle + 1
            else:
                high = middle
        stop = low
        at, high = begin, stop
        while at < high:
            middle = (at + high) // 2
            if tail[middle] < target:
                at = middle + 1
            else:
                high = middle
        if at < stop and tail[at] == target:
            if count == len(edges):
                edges = np.concatenate((edges, np.empty_like(edges)))
            edges[count, 0], edges[count, 1], edges[count, 2] = places[0], places[1], at
            count += 1
        begin = stop
    return edges, count

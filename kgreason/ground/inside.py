"""The triples among chosen entities, compiled.

The row of each chosen entity in the CSR by head is read through. Whether a tail is among the chosen is asked of one bit
an entity, which for most graphs are few enough to lie in the processor's cache; its place, of the few that are. The
loop that asks has no branch, which a processor would guess wrong at every triple that is found.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Int8, Int32, Int64
from numba import njit
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.ground.kernels import MET_EDGES, csr


def induce(
    knowledge: KnowledgeGraph,
    ptr: Int64[ndarray, " offsets"],
    node: Int32[ndarray, " rows"],
    max_edges: int,
    place: Int32[ndarray, " entities"],
) -> tuple[Int64[ndarray, " offsets"], Int64[ndarray, "edges 3"], Int8[ndarray, " texts"]]:
    """Find all triples among the nodes of each text.

    Over the budget, triples among the first nodes go first: they are sorted by the later of their two nodes.

    Args:
        knowledge: The graph.
        ptr: Text `g` has the nodes `ptr[g] : ptr[g + 1]`, distinct.
        node: Entity ids.
        max_edges: How many triples to keep of a text.
        place: See `kernels.scratch`; what stands in it does not matter.

    Returns:
        `(edge_ptr, edges, met)`: rows (source, target, triple), nodes counted within their text, and triples as rows of
        the CSR by head; whether the budget was met.
    """
    head_ptr, tail, _, _ = csr(knowledge)
    chosen = np.zeros(len(place) // 8 + 1, np.uint8)
    edge_ptr, edges, met = _induce((head_ptr, tail), ptr, node, max_edges, (place, chosen))
    return edge_ptr, edges, met


@njit(cache=True)
@no_type_check
def _induce(graph, ptr, node, max_edges, marks):
    place, chosen = marks
    edge_ptr, met = np.zeros(len(ptr), np.int64), np.zeros(len(ptr) - 1, np.int8)
    out, edges, hits = np.empty((1024, 3), np.int64), np.empty((1024, 3), np.int64), np.empty(1024, np.int64)
    for g in range(len(ptr) - 1):
        own = node[ptr[g] : ptr[g + 1]]
        for i in range(len(own)):
            place[own[i]] = i
            chosen[own[i] >> 3] |= np.uint8(1 << (own[i] & 7))
        edges, hits, count = _among(graph, own, marks, (edges, hits))
        for i in range(len(own)):
            chosen[own[i] >> 3] = 0
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
def _among(graph, nodes, marks, room):
    """Collect the triples among `nodes` as rows (source, target, triple); returns the room it has, and their number."""
    head_ptr, tail = graph
    place, chosen = marks
    edges, hits = room
    count = 0
    for i in range(len(nodes)):
        begin, end = head_ptr[nodes[i]], head_ptr[nodes[i] + 1]
        if end - begin >= len(hits):
            hits = np.empty(2 * (end - begin), np.int64)
        size = _row_among(tail, begin, end, chosen, hits)
        while count + size > len(edges):
            edges = np.concatenate((edges, np.empty_like(edges)))
        for row in hits[:size]:
            edges[count, 0], edges[count, 1], edges[count, 2] = i, place[tail[row]], row
            count += 1
    return edges, hits, count


@njit(cache=True)
@no_type_check
def _row_among(tail, begin, end, chosen, hits):
    """Collect the triples of one head whose tails are chosen; every one is written, and the next over it if it is not.

    `hits` has room for one more than there are triples. Returns how many were found.
    """
    three, seven, count = np.uint32(3), np.uint32(7), 0
    for row in range(begin, end):
        to = np.uint32(tail[row])  # without a sign, the compiler asks for no negative places
        hits[count] = row
        count += (chosen[to >> three] >> (to & seven)) & 1
    return count

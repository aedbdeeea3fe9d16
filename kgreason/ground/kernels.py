"""Walks over a knowledge graph, compiled: neighbourhoods, nodes in between, and the triples among chosen nodes.

The graph comes as two CSRs, by head and by tail, which may be mapped from disk. `csr` hands them over read-only, so
that each kernel is compiled once, whatever the arrays are. All kernels take a batch of texts, laid end to end, and
their scratch space from `scratch`. `kgreason.ground.reference` says the same in plain numpy.
"""

from typing import no_type_check

import numpy as np
from numba import njit
from numpy import ndarray

from kgreason.data import KnowledgeGraph

DECAY = 0.5
"""What a node passes on of its score to its neighbours."""

MET_NODES, MET_FAN, MET_EDGES = 1, 2, 4
"""The budgets that may cut a choice short; `walk`, `between` and `inside.induce` return the sum of those met."""


def csr(knowledge: KnowledgeGraph) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """Return `(head_ptr, tail, tail_ptr, head)` for the kernels."""
    return (
        frozen(knowledge.head_ptr),
        frozen(knowledge.tail),
        frozen(knowledge.tail_ptr),
        frozen(knowledge.head),
    )


def frozen(array: ndarray) -> ndarray:
    """Return a read-only plain view: one type for numba, whether mapped or in memory."""
    view = np.asarray(array).view(np.ndarray)[:]
    view.flags.writeable = False
    return view


def scratch(entities: int) -> tuple[ndarray, ndarray, ndarray]:
    """Return `(place, found, left)`, a row per entity. Pages that no walk comes by are never touched."""
    return np.zeros(entities, np.int32), np.empty(entities, np.int32), np.empty(entities, np.float64)


@njit(cache=True)
@no_type_check
def _reach(row, hop, space):
    """Follow one row of a CSR, at most `fan` of it, evenly spaced.

    `left` holds for each node of this hop the product of (1 - share) over the triples by which it was reached.
    Returns how many nodes there are now, and whether the row was cut.
    """
    other, begin, degree = row
    share, fan, first, count = hop
    place, found, left = space
    steps = min(degree, fan)
    for i in range(steps):
        to = other[begin + i * degree // steps]
        at = place[to] - 1
        if at < 0:
            at = count
            found[at], left[at], place[to] = to, 1.0, at + 1
            count += 1
        if at >= first:
            left[at] *= 1.0 - share
    return count, degree > steps


@njit(cache=True)
@no_type_check
def _keep_best(begin, count, budget, space):
    """Sort the nodes of one hop by score, then id; drop those over the budget. Returns the new count."""
    place, found, left = space
    for i in range(begin, count):
        place[found[i]] = 0
    room = max(budget - begin, 0)
    if 0 < room < count - begin:  # most need not be sorted
        bound, end = np.partition(left[begin:count], room - 1)[room - 1], begin
        for i in range(begin, count):
            if left[i] <= bound:
                found[end], left[end] = found[i], left[i]
                end += 1
        count = end
    by_id = np.argsort(found[begin:count])
    order = by_id[np.argsort(left[begin:count][by_id], kind="mergesort")]
    nodes, lefts = found[begin:count][order], left[begin:count][order]
    count = max(begin, min(count, budget))
    for i in range(begin, count):
        found[i], left[i] = nodes[i - begin], lefts[i - begin]
        place[found[i]] = i + 1
    return count


@njit(cache=True)
@no_type_check
def _walk(graph, count, limits, space, ends):
    """Widen the first `count` nodes of `space` hop by hop; `ends` gets the count after each. Returns budgets met."""
    head_ptr, tail, tail_ptr, head = graph
    hops, max_nodes, fan = limits
    found, left = space[1], space[2]
    begin, met, ends[0] = 0, 0, count
    for h in range(hops):
        if begin < count and max_nodes <= count < len(head_ptr) - 1:  # nothing that is found could stay
            ends[h + 1 :] = count
            return met | MET_NODES
        first = count
        for i in range(begin, first):
            e, share = found[i], DECAY * (1.0 - left[i])
            row = (tail, head_ptr[e], head_ptr[e + 1] - head_ptr[e])
            count, wide = _reach(row, (share, fan, first, count), space)
            row = (head, tail_ptr[e], tail_ptr[e + 1] - tail_ptr[e])
            count, broad = _reach(row, (share, fan, first, count), space)
            if wide or broad:
                met |= MET_FAN
        kept = _keep_best(first, count, max_nodes, space)
        if kept < count:
            met |= MET_NODES
        begin, count, ends[h + 1] = first, kept, kept
    return met


@njit(cache=True)
@no_type_check
def walk(graph, seeds, limits, space):
    """All nodes within some hops of the seeds of each text, in both directions, under budgets.

    Args:
        graph: See `csr`.
        seeds: `(ptr, entity, score)`: text `g` has the seeds `ptr[g] : ptr[g + 1]`, distinct, the best first.
        limits: `(hops, max_nodes, fan)`. At most `fan` triples of a node are followed in each direction. Seeds count
            among `max_nodes`, and are always kept.
        space: See `scratch`.

    Returns:
        `(ptr, node, score, hop, met)`: the nodes of each text, its seeds first, then hop by hop the best first, ties
        by id. The score of a node that is reached by triples from the nodes `u` of the hop before is
        `1 - prod_u (1 - DECAY * score_u)`. `met` says which budgets were met in each text.
    """
    seed_ptr, seed_entity, seed_score = seeds
    place, found, left = space
    ptr, met = np.zeros(len(seed_ptr), np.int64), np.zeros(len(seed_ptr) - 1, np.int8)
    node, score, hop = np.empty(1024, np.int32), np.empty(1024, np.float64), np.empty(1024, np.int32)
    ends = np.zeros(limits[0] + 1, np.int64)
    for g in range(len(seed_ptr) - 1):
        size = seed_ptr[g + 1] - seed_ptr[g]
        for i in range(size):
            found[i], left[i] = seed_entity[seed_ptr[g] + i], 1.0 - seed_score[seed_ptr[g] + i]
            place[found[i]] = i + 1
        met[g] = _walk(graph, size, limits, space, ends)
        start, size = ptr[g], ends[-1]
        while start + size > len(node):
            node, score = np.concatenate((node, np.empty_like(node))), np.concatenate((score, np.empty_like(score)))
            hop = np.concatenate((hop, np.empty_like(hop)))
        for i in range(size):
            node[start + i], score[start + i] = found[i], 1.0 - left[i]
            hop[start + i] = np.searchsorted(ends, i, side="right")
            place[found[i]] = 0
        ptr[g + 1] = start + size
    return ptr, node[: ptr[-1]], score[: ptr[-1]], hop[: ptr[-1]], met


@njit(cache=True)
@no_type_check
def _touch(row, seed, first, score, marks, count):
    """Mark the neighbours in one row with the seed; those that a second seed comes to are found. Returns how many are.

    The mark is `2 * seed`, and one more once a node is found, so that most of the work is one look into one array. What
    is less than `2 * first` is from an earlier text.
    """
    other, begin, end = row
    seen, left, found, is_seed = marks
    for k in range(begin, end):
        to = other[k]
        mark = seen[to]
        if mark >> 1 == seed:
            continue
        if mark < 2 * first:
            seen[to] = 2 * seed
            continue
        if mark & 1 == 0:
            left[to] = 1.0 - DECAY * score[(mark >> 1) - 1]
            if not is_seed[to]:
                found[count] = to
                count += 1
        seen[to] = 2 * seed + 1
        left[to] *= 1.0 - DECAY * score[seed - 1]
    return count


@njit(cache=True)
@no_type_check
def between(graph, seeds, max_nodes, marks):
    """The nodes that are neighbours of at least two seeds of a text, whatever the direction of the triples.

    Args:
        graph: See `csr`.
        seeds: As for `walk`.
        max_nodes: How many nodes to keep; seeds count, and are always kept.
        marks: `(seen, left, found, is_seed)`, a row per entity; `seen` and `is_seed` zeros.

    Returns:
        `(ptr, node, score, met)` as from `walk`: the seeds, then the rest by score, then the fewest triples, then id.
        The score is `1 - prod_u (1 - DECAY * score_u)` over the seeds `u` that it is a neighbour of.
    """
    head_ptr, tail, tail_ptr, head = graph
    seed_ptr, seed_entity, seed_score = seeds
    _, left, found, is_seed = marks
    ptr, met = np.zeros(len(seed_ptr), np.int64), np.zeros(len(seed_ptr) - 1, np.int8)
    node, score = np.empty(1024, np.int32), np.empty(1024, np.float64)
    for g in range(len(seed_ptr) - 1):
        own = seed_entity[seed_ptr[g] : seed_ptr[g + 1]]
        is_seed[own] = True
        count, first = 0, seed_ptr[g] + 1  # seeds are counted on through the batch, so that nothing needs wiping
        for i in range(len(own)):
            row = (tail, head_ptr[own[i]], head_ptr[own[i] + 1])
            count = _touch(row, first + i, first, seed_score, marks, count)
            row = (head, tail_ptr[own[i]], tail_ptr[own[i] + 1])
            count = _touch(row, first + i, first, seed_score, marks, count)
        is_seed[own] = False
        extra = _ranked(graph, found[:count], left)
        keep = min(count, max(0, max_nodes - len(own)))
        met[g] = MET_NODES if keep < count else 0
        start, size = ptr[g], len(own) + keep
        while start + size > len(node):
            node, score = np.concatenate((node, np.empty_like(node))), np.concatenate((score, np.empty_like(score)))
        node[start : start + len(own)], node[start + len(own) : start + size] = own, extra[:keep]
        score[start : start + len(own)] = seed_score[seed_ptr[g] : seed_ptr[g + 1]]
        score[start + len(own) : start + size] = 1.0 - left[extra[:keep]]
        ptr[g + 1] = start + size
    return ptr, node[: ptr[-1]], score[: ptr[-1]], met


@njit(cache=True)
@no_type_check
def _ranked(graph, found, left):
    """Nodes by score, then by the fewest triples, then by id."""
    head_ptr, _, tail_ptr, _ = graph
    nodes = np.sort(found)
    degree = head_ptr[nodes + 1] - head_ptr[nodes] + tail_ptr[nodes + 1] - tail_ptr[nodes]
    nodes = nodes[np.argsort(degree, kind="mergesort")]
    return nodes[np.argsort(left[nodes], kind="mergesort")]

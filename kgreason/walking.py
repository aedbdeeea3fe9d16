"""The compiled loops of a walk over a knowledge graph; `kgreason.frontier` says what they compute.

Facts come as six columns (`Facts.columns`): offsets, relation and other end, by head and then by tail. The facts of an
entity are sorted by relation, so those of one relation are a run, and a run is entered or jumped over as a whole.
"""

from typing import Any, no_type_check

import numpy as np
from numba import njit
from numpy import ndarray

Columns = tuple[ndarray, ...]


@no_type_check
@njit(cache=True)
def run_end(relation, i, end):
    """Return where the run that begins at `i` ends: a few steps, then doubling ones, then by halves."""
    r, step = relation[i], 1
    low = i + 1
    while low + step < end and relation[low + step] == r:
        low += step
        step *= 2
    high = min(low + step, end)
    while low < high:
        middle = (low + high) // 2
        if relation[middle] == r:
            low = middle + 1
        else:
            high = middle
    return low


@no_type_check
@njit(cache=True)
def quotas(
    columns: Columns, ptr: ndarray, entity: ndarray, score: ndarray, weight: ndarray, theta: float, budget: int
) -> tuple[ndarray, ndarray]:
    """Return how many facts each entry of a frontier may touch, and how many each row touches."""
    head_ptr, relation, _, tail_ptr, inverse, _ = columns
    half = weight.shape[1] // 2
    quota = np.zeros(len(entity), np.int64)
    touched = np.zeros(len(ptr) - 1, np.int64)
    for b in range(len(ptr) - 1):
        for i in range(ptr[b], ptr[b + 1]):
            u = entity[i]
            k, end = head_ptr[u], head_ptr[u + 1]
            while k < end:
                stop = run_end(relation, k, end)
                if weight[b, relation[k]] >= theta:
                    quota[i] += stop - k
                k = stop
            k, end = tail_ptr[u], tail_ptr[u + 1]
            while k < end:
                stop = run_end(inverse, k, end)
                if weight[b, half + inverse[k]] >= theta:
                    quota[i] += stop - k
                k = stop
            touched[b] += quota[i]
        if budget and touched[b] > budget:
            left = budget
            for j in np.argsort(-score[ptr[b] : ptr[b + 1]], kind="mergesort"):
                quota[ptr[b] + j] = min(quota[ptr[b] + j], left)
                left -= quota[ptr[b] + j]
            touched[b] = budget
    return quota, touched


@no_type_check
@njit(cache=True)
def leaving(columns: Columns, ptr: ndarray, entity: ndarray, num_relations: int) -> ndarray:
    """Return which directed relations leave the entities of each row, as a mask of (rows, directed relations)."""
    head_ptr, relation, _, tail_ptr, inverse, _ = columns
    there = np.zeros((len(ptr) - 1, 2 * num_relations), np.bool_)
    for b in range(len(ptr) - 1):
        for i in range(ptr[b], ptr[b + 1]):
            u = entity[i]
            k, end = head_ptr[u], head_ptr[u + 1]
            while k < end:
                there[b, relation[k]] = True
                k = run_end(relation, k, end)
            k, end = tail_ptr[u], tail_ptr[u + 1]
            while k < end:
                there[b, num_relations + inverse[k]] = True
                k = run_end(inverse, k, end)
    return there


@no_type_check
@njit(cache=True)
def _visit(side, source, w, theta, out, place):
    """Add the score of one entity along its facts in one direction; return the entities found and the quota left."""
    (ptr, relation, other), (u, s, quota), (found, value, slot), (base, n) = side, source, out, place
    k, end = ptr[u], ptr[u + 1]
    while k < end and quota:
        stop = run_end(relation, k, end)
        if w[relation[k]] >= theta:
            stop_here = min(stop, k + quota)
            quota -= stop_here - k
            moved = s * w[relation[k]]
            for m in range(k, stop_here):
                v = other[m]
                if slot[v] == 0:
                    found[n], value[n] = v, moved
                    n += 1
                    slot[v] = n - base
                else:
                    value[base + slot[v] - 1] += moved
        k = stop
    return n, quota


@no_type_check
@njit(cache=True)
def spread(
    columns: Columns,
    ptr: ndarray,
    entity: ndarray,
    score: ndarray,
    weight: ndarray,
    theta: float,
    quota: ndarray,
    slot: ndarray,
) -> tuple[ndarray, ndarray, ndarray]:
    """Return the frontier after one hop: offsets, entities, scores. `slot` is all 0 before and after."""
    ahead, behind = columns[:3], columns[3:]
    half = weight.shape[1] // 2
    room = 0
    for b in range(len(ptr) - 1):
        room += min(quota[ptr[b] : ptr[b + 1]].sum(), len(slot))
    found, value = np.empty(room, np.int32), np.empty(room, np.float32)
    out_ptr, out = np.zeros(len(ptr), np.int64), (found, value, slot)
    n = 0
    for b in range(len(ptr) - 1):
        base = n
        for i in range(ptr[b], ptr[b + 1]):
            u, s, q = entity[i], score[i], quota[i]
            if q:
                w = weight[b]
                n, q = _visit(ahead, (u, s, q), w[:half], theta, out, (base, n))
                n, q = _visit(behind, (u, s, q), w[half:], theta, out, (base, n))
        out_ptr[b + 1] = n
        for j in range(base, n):
            slot[found[j]] = 0
    return out_ptr, found[:n].copy(), value[:n].copy()


@no_type_check
@njit(cache=True)
def _collect(side, source, w, theta, result, to_w):
    """Sum what comes back along the facts of one entity in one direction; return it and the quota left."""
    (ptr, relation, other), (u, s, quota), (grad, slot, base) = side, source, result
    back = np.float32(0)
    k, end = ptr[u], ptr[u + 1]
    while k < end and quota:
        stop = run_end(relation, k, end)
        r = relation[k]
        if w[r] >= theta:
            stop_here = min(stop, k + quota)
            quota -= stop_here - k
            total = np.float32(0)
            for m in range(k, stop_here):
                total += grad[base + slot[other[m]] - 1]
            to_w[r] += s * total
            back += w[r] * total
        k = stop
    return back, quota


@no_type_check
@njit(cache=True)
def gather(
    columns: Columns,
    frontier: tuple[ndarray, ndarray, ndarray],
    weight: ndarray,
    theta: float,
    quota: ndarray,
    result: tuple[ndarray, ndarray, ndarray],
    slot: ndarray,
) -> tuple[ndarray, ndarray]:
    """Return the gradients of `spread` by the scores and by the weights; `result` has the gradient of its scores."""
    ahead, behind = columns[:3], columns[3:]
    ptr, entity, score = frontier
    out_ptr, found, grad = result
    half = weight.shape[1] // 2
    to_score, to_weight = np.zeros_like(score), np.zeros_like(weight)
    for b in range(len(ptr) - 1):
        base = out_ptr[b]
        for j in range(base, out_ptr[b + 1]):
            slot[found[j]] = j - base + 1
        w, g = weight[b], to_weight[b]
        for i in range(ptr[b], ptr[b + 1]):
            u, s, q = entity[i], score[i], quota[i]
            if q:
                one, q = _collect(ahead, (u, s, q), w[:half], theta, (grad, slot, base), g[:half])
                two, q = _collect(behind, (u, s, q), w[half:], theta, (grad, slot, base), g[half:])
                to_score[i] = one + two
        for j in range(base, out_ptr[b + 1]):
            slot[found[j]] = 0
    return to_score, to_weight


@no_type_check
@njit(cache=True)
def find(ptr: ndarray, wanted: ndarray, among_ptr: ndarray, among: ndarray, slot: ndarray, place: ndarray) -> Any:
    """Write into `place` where each wanted entity stands among others of its row; -1 if nowhere."""
    for b in range(len(ptr) - 1):
        base = among_ptr[b]
        for j in range(base, among_ptr[b + 1]):
            slot[among[j]] = j - base + 1
        for i in range(ptr[b], ptr[b + 1]):
            place[i] = base + slot[wanted[i]] - 1 if slot[wanted[i]] else -1
        for j in range(base, among_ptr[b + 1]):
            slot[among[j]] = 0


@no_type_check
@njit(cache=True)
def unite(each: ndarray, entity: ndarray, first: ndarray, slot: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """Lay frontiers over one another: offsets and entities of the union, and where each entry stands in it."""
    rows = each.shape[1] - 1
    found, place = np.empty(len(entity), np.int32), np.empty(len(entity), np.int64)
    ptr = np.zeros(rows + 1, np.int64)
    n = 0
    for b in range(rows):
        base = n
        for f in range(each.shape[0]):
            for i in range(first[f] + each[f, b], first[f] + each[f, b + 1]):
                v = entity[i]
                if slot[v] == 0:
                    found[n] = v
                    n += 1
                    slot[v] = n - base
                place[i] = base + slot[v] - 1
        ptr[b + 1] = n
        for j in range(base, n):
            slot[found[j]] = 0
    return ptr, found[:n].copy(), place


@no_type_check
@njit(cache=True)
def _there_and_back(side, u, w, between, to_w, grad):
    """Sum the weight of the facts of `u` in one direction times the factor of their other end, if it is in sight.

    With a gradient of the sum, that of the weights is added to `to_w`.
    """
    (ptr, relation, other), (factor, slot, base) = side, between
    total = np.float32(0)
    k, end = ptr[u], ptr[u + 1]
    while k < end:
        stop = run_end(relation, k, end)
        r = relation[k]
        if w[r] > 0:
            ends = np.float32(0)
            for m in range(k, stop):
                if slot[other[m]]:
                    ends += factor[base + slot[other[m]] - 1]
            total += w[r] * ends
            to_w[r] += grad * ends
        k = stop
    return total


@no_type_check
@njit(cache=True)
def returns(
    columns: Columns,
    frontier: tuple[ndarray, ndarray],
    weight: ndarray,
    middle: tuple[ndarray, ndarray, ndarray],
    grad: ndarray,
    slot: ndarray,
) -> tuple[ndarray, ndarray]:
    """Return what comes back to each entry by the fact it left by, and the gradient of `weight` for that of the former.

    `middle` has offsets, entities and factors of the frontier in between.
    """
    ahead, behind = columns[:3], columns[3:]
    ptr, entity = frontier
    mid_ptr, mid_entity, factor = middle
    half = weight.shape[1] // 2
    back, to_weight = np.zeros(len(entity), np.float32), np.zeros_like(weight)
    for b in range(len(ptr) - 1):
        base = mid_ptr[b]
        for j in range(base, mid_ptr[b + 1]):
            slot[mid_entity[j]] = j - base + 1
        w, g = weight[b], to_weight[b]
        for i in range(ptr[b], ptr[b + 1]):
            u = entity[i]
            back[i] = _there_and_back(ahead, u, w[:half], (factor, slot, base), g[:half], grad[i])
            back[i] += _there_and_back(behind, u, w[half:], (factor, slot, base), g[half:], grad[i])
        for j in range(base, mid_ptr[b + 1]):
            slot[mid_entity[j]] = 0
    return back, to_weight

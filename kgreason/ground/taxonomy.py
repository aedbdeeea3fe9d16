"""Compiled walks over a taxonomy and the links beside it; `LexicalRelations` says what they compute."""

from typing import no_type_check

import numpy as np
from numba import njit

from kgreason.ground.csr import joined, share

_FURTHEST = 12  # how far up a taxonomy is followed; WordNet is 19 deep, and what is further says little


@njit(cache=True)
@no_type_check
def walk_up(ptr, parent, up_ptr, up, steps):
    """Breadth first from every entity; counts where `up` is empty, fills it otherwise."""
    size = len(ptr) - 1
    counts = np.zeros(size, np.int64)
    seen = np.full(size, -1, np.int32)
    queue, depth = np.empty(size, np.int32), np.empty(size, np.int32)
    for e in range(size):
        queue[0], depth[0], seen[e] = e, 0, e
        first, last = 0, 1
        while first < last:
            if depth[first] < _FURTHEST:
                for row in range(ptr[queue[first]], ptr[queue[first] + 1]):
                    if seen[parent[row]] != e:
                        seen[parent[row]] = e
                        queue[last], depth[last] = parent[row], depth[first] + 1
                        last += 1
            first += 1
        counts[e] = last
        if len(up):
            order = np.argsort(queue[:last])
            for k in range(last):
                up[up_ptr[e] + k], steps[up_ptr[e] + k] = queue[order[k]], depth[order[k]]
    return counts


@njit(cache=True)
@no_type_check
def _opposed(opposite, near, a, b):
    """The distance of an antonym: 1 directly, 2 with a `near` step on one side, 3 with one on both; 0 if none."""
    if joined(opposite, a, b):
        return 1
    near_ptr, near_tail = near
    best = 0
    for i in range(near_ptr[a], near_ptr[a + 1]):
        if joined(opposite, near_tail[i], b):
            return 2
        for j in range(near_ptr[b], near_ptr[b + 1]):
            if joined(opposite, near_tail[i], near_tail[j]):
                best = 3
    for j in range(near_ptr[b], near_ptr[b + 1]):
        if joined(opposite, a, near_tail[j]):
            return 2
    return best


@njit(cache=True)
@no_type_check
def _meet(taxonomy, limits, a, b):
    """The steps from `a` and from `b` to their nearest common concept, and Lin's similarity; (-1, -1, 0) if none."""
    up_ptr, up, steps, content = taxonomy
    max_meet, min_content = limits
    i, j, best_a, best_b, where = up_ptr[a], up_ptr[b], -1, -1, -1
    while i < up_ptr[a + 1] and j < up_ptr[b + 1]:
        if up[i] < up[j]:
            i += 1
        elif up[i] > up[j]:
            j += 1
        else:
            da, db = steps[i], steps[j]
            lineal = da == 0 or db == 0
            siblings = da <= max_meet and db <= max_meet and content[up[i]] >= min_content
            if (lineal or siblings) and (best_a < 0 or da + db < best_a + best_b):
                best_a, best_b, where = da, db, up[i]
            i += 1
            j += 1
    if where < 0:
        return best_a, best_b, 0.0
    return best_a, best_b, 2.0 * content[where] / max(content[a] + content[b], 1e-6)


@njit(cache=True)
@no_type_check
def relate(senses, pairs, taxonomy, links, limits, out):
    """Fill `out` with the best score of each kind over all sense pairs."""
    ptr, entity, weight = senses
    for p in range(len(out)):
        left, right = pairs[0][p], pairs[1][p]
        for i in range(ptr[left], ptr[left + 1]):
            for j in range(ptr[right], ptr[right + 1]):
                w = weight[i] * weight[j]
                if entity[i] == entity[j] or joined(links[2], entity[i], entity[j]):
                    out[p, 0] = max(out[p, 0], w)
                else:
                    _relate_two(entity[i], entity[j], w, taxonomy, links, limits, out[p])


@njit(cache=True)
@no_type_check
def _relate_two(a, b, w, taxonomy, links, limits, best):
    """Raise the scores of the kinds that hold between two different senses."""
    opposite, near, _, related = links
    up_a, up_b, alike = _meet(taxonomy, limits, a, b)
    if up_b == 0:
        best[1] = max(best[1], w / (1 + up_a))
    elif up_a == 0:
        best[2] = max(best[2], w / (1 + up_b))
    elif up_a > 0:
        best[4] = max(best[4], w * alike)
    apart = _opposed(opposite, near, a, b)
    if apart > 0:
        best[3] = max(best[3], w / (1 + apart))
    if share(near, a, b):
        best[5] = max(best[5], w / 3)
    if joined(near, a, b) or joined(related, a, b):
        best[6] = max(best[6], w / 2)

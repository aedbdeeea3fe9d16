"""Compiled walks for looking at a graph: which parts hang together, and the shortest way from one entity to another."""

from typing import no_type_check

import numpy as np
from numba import njit


@no_type_check
@njit(cache=True)
def _root(parent, i):
    """Return the first of the part that `i` is in, and shorten the way to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@no_type_check
@njit(cache=True)
def parts(ptr, other):
    """Return, for each entity, the least entity that it hangs together with, whatever the direction of triples."""
    size = len(ptr) - 1
    parent = np.arange(size).astype(np.int32)
    for a in range(size):
        for i in range(ptr[a], ptr[a + 1]):
            x, y = _root(parent, a), _root(parent, other[i])
            if x < y:
                parent[y] = x
            elif y < x:
                parent[x] = y
    for a in range(size):
        parent[a] = _root(parent, a)
    return parent


@no_type_check
@njit(cache=True)
def _widen(sides, frontier, mine, seen, came):
    """Go one step from all of a frontier. Returns the new one, and where the other side was met: from, to; or -1."""
    found = np.empty(1024, np.int32)
    count = 0
    for u in frontier:
        for side in range(2):
            ptr, other = sides[side]
            for i in range(ptr[u], ptr[u + 1]):
                v = other[i]
                if seen[v] == mine:
                    continue
                if seen[v] != 0:
                    return found[:0], u, v
                seen[v], came[v] = mine, u
                if count == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[count] = v
                count += 1
    return found[:count], -1, -1


@no_type_check
@njit(cache=True)
def meet(graph, start, end, most):
    """Search from both ends at once; the smaller frontier is widened first, so that hubs are left for the end.

    Args:
        graph: `(head_ptr, tail, tail_ptr, head)`.
        start: An entity.
        end: Another one.
        most: How many steps the way may have.

    Returns:
        The entities on a shortest way, both ends included; empty if there is none so short.
    """
    sides = ((graph[0], graph[1]), (graph[2], graph[3]))
    size = len(graph[0]) - 1
    seen, came = np.zeros(size, np.int8), np.full(size, -1, np.int32)
    seen[start], seen[end] = 1, 2
    first, second = np.array([start], np.int32), np.array([end], np.int32)
    for _ in range(most):
        forward = len(first) <= len(second)
        if forward:
            first, u, v = _widen(sides, first, 1, seen, came)
        else:
            second, v, u = _widen(sides, second, 2, seen, came)
        if u >= 0:
            return _line(came, u, v, most)
        if len(first) == 0 or len(second) == 0:
            break
    return np.empty(0, np.int32)


@no_type_check
@njit(cache=True)
def _line(came, u, v, most):
    """Lay the ways from the start to `u` and from `v` to the end after one another."""
    line, count = np.empty(most + 1, np.int32), 0
    while u >= 0:
        line[count] = u
        u = came[u]
        count += 1
    line[:count] = line[:count][::-1].copy()
    while v >= 0:
        line[count] = v
        v = came[v]
        count += 1
    return line[:count]

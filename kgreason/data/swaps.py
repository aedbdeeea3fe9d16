"""Random swaps that keep a set of triples a set, compiled: the engine of `perturb`."""

from typing import no_type_check

import numpy as np
from numba import njit

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True)
@no_type_check
def _next(state):
    """SplitMix64: the next state and a random number, the same on every machine."""
    state += _SPREAD
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, z ^ (z >> np.uint64(31))


@njit(cache=True)
@no_type_check
def _triple(rows, i):
    return rows[i, 0], rows[i, 1], rows[i, 2]


@njit(cache=True)
@no_type_check
def _home(triple, mask):
    mixed = (np.uint64(triple[0]) * _SPREAD ^ np.uint64(triple[2])) * _SPREAD ^ np.uint64(triple[1])
    mixed = mixed * _SPREAD
    return (mixed ^ (mixed >> np.uint64(32))) & mask


@njit(cache=True)
@no_type_check
def _find(table, rows, triple):
    """The slot that holds the triple, or the empty one where it belongs."""
    mask = np.uint64(len(table) - 1)
    at = _home(triple, mask)
    while table[at] >= 0:
        if _triple(rows, table[at]) == triple:
            break
        at = (at + np.uint64(1)) & mask
    return at


@njit(cache=True)
@no_type_check
def _remove(table, rows, at):
    """Empty a slot and move up what had to make way for it."""
    mask = np.uint64(len(table) - 1)
    one = np.uint64(1)
    hole, probe = at, (at + one) & mask
    while table[probe] >= 0:
        home = _home(_triple(rows, table[probe]), mask)
        if ((probe - home) & mask) >= ((probe - hole) & mask):
            table[hole] = table[probe]
            hole = probe
        probe = (probe + one) & mask
    table[hole] = -1


@njit(cache=True)
@no_type_check
def swap(rows, members, ptr, column, rounds, state):
    """Swap one column between random pairs of triples of the same group, in place; return how many swaps were done.

    A swap is done only if both triples that come of it are new, and neither joins an entity to itself unless one of
    the old ones did: so the triples stay distinct, and no loops are made.

    Args:
        rows: Triples (head, relation, tail), distinct.
        members: Rows of `rows`, group by group.
        ptr: Group `k` has the members `ptr[k] : ptr[k + 1]`.
        column: 1 to swap relations, 2 to swap tails.
        rounds: How many swaps to try per triple.
        state: The seed.
    """
    size = 16
    while size < 2 * len(rows):
        size *= 2
    table = np.full(size, -1, np.int32)
    for i in range(len(rows)):
        table[_find(table, rows, _triple(rows, i))] = i
    done, state = 0, np.uint64(state)
    for k in range(len(ptr) - 1):
        own = np.uint64(ptr[k + 1] - ptr[k])
        for _ in range(rounds * (ptr[k + 1] - ptr[k])):
            state, x = _next(state)
            state, y = _next(state)
            a, b = members[ptr[k] + np.int64(x % own)], members[ptr[k] + np.int64(y % own)]
            done += _swap_two(table, rows, a, b, column)
    return done


@njit(cache=True)
@no_type_check
def _with(triple, column, value):
    h, r, t = triple
    return (h, value, t) if column == 1 else (h, r, value)


@njit(cache=True)
@no_type_check
def _swap_two(table, rows, a, b, column):
    """Swap one column of two triples if that makes two new ones; return 1 if so."""
    old_a, old_b = _triple(rows, a), _triple(rows, b)
    if old_a[column] == old_b[column]:
        return 0
    new_a, new_b = _with(old_a, column, old_b[column]), _with(old_b, column, old_a[column])
    loops = (new_a[0] == new_a[2]) + (new_b[0] == new_b[2]) - (old_a[0] == old_a[2]) - (old_b[0] == old_b[2])
    if loops > 0 or table[_find(table, rows, new_a)] >= 0 or table[_find(table, rows, new_b)] >= 0:
        return 0
    _remove(table, rows, _find(table, rows, old_a))
    _remove(table, rows, _find(table, rows, old_b))
    rows[a, column], rows[b, column] = new_a[column], new_b[column]
    table[_find(table, rows, new_a)] = a
    table[_find(table, rows, new_b)] = b
    return 1

"""Random swaps that keep a set of triples a set, compiled: the engine of `perturb`."""

import numpy as np
from numba import njit

_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True)
def _next(state):  # type: ignore[no-untyped-def]
    """SplitMix64: the next state and a random number, the same on every machine."""
    state += _SPREAD
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, z ^ (z >> np.uint64(31))


@njit(cache=True)
def _home(triple, mask):  # type: ignore[no-untyped-def]
    mixed = (np.uint64(triple[0]) * _SPREAD ^ np.uint64(triple[2])) * _SPREAD ^ np.uint64(triple[1])
    mixed = mixed * _SPREAD
    return (mixed ^ (mixed >> np.uint64(32))) & mask


@njit(cache=True)
def _find(table, rows, triple):  # type: ignore[no-untyped-def]
    """The slot that holds the triple, or the empty one where it belongs."""
    mask = np.uint64(len(table) - 1)
    at = _home(triple, mask)
    while table[at] >= 0:
        row = rows[table[at]]
        if row[0] == triple[0] and row[1] == triple[1] and row[2] == triple[2]:
            break
        at = (at + np.uint64(1)) & mask
    return at


@njit(cache=True)
def _remove(table, rows, at):  # type: ignore[no-untyped-def]
    """Empty a slot and move up what had to make way for it."""
    mask = np.uint64(len(table) - 1)
    one = np.uint64(1)
    hole, probe = at, (at + one) & mask
    while table[probe] >= 0:
        row = rows[table[probe]]
        home = _home(row, mask)
        if ((probe - home) & mask) >= ((probe - hole) & mask):
            table[hole] = table[probe]
            hole = probe
        probe = (probe + one) & mask
    table[hole] = -1


@njit(cache=True)
def swap(rows, members, ptr, column, rounds, state):  # type: ignore[no-untyped-def]
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
        table[_find(table, rows, rows[i])] = i
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
def _swap_two(table, rows, a, b, column):  # type: ignore[no-untyped-def]
    """Swap one column of two triples if that makes two new ones; return 1 if so."""
    if rows[a, column] == rows[b, column]:
        return 0
    old_a, old_b = rows[a].copy(), rows[b].copy()
    new_a, new_b = rows[a].copy(), rows[b].copy()
    new_a[column], new_b[column] = old_b[column], old_a[column]
    loops = (new_a[0] == new_a[2]) + (new_b[0] == new_b[2]) - (old_a[0] == old_a[2]) - (old_b[0] == old_b[2])
    there = table[_find(table, rows, new_a)] >= 0 or table[_find(table, rows, new_b)] >= 0
    if there or loops > 0:
        return 0
    _remove(table, rows, _find(table, rows, old_a))
    _remove(table, rows, _find(table, rows, old_b))
    rows[a], rows[b] = new_a, new_b
    table[_find(table, rows, new_a)] = a
    table[_find(table, rows, new_b)] = b
    return 1

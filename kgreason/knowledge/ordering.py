"""Puts strings in the order of their bytes, compiled: a quicksort on eight bytes at a time."""

from typing import no_type_check

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numba import njit
from numpy import ndarray

from kgreason.knowledge.interning import eight

_FEW = 12


def order_of(arena: UInt8[ndarray, " bytes"], starts: Int64[ndarray, " offsets"]) -> Int32[ndarray, " strings"]:
    """Return the numbers of the strings `arena[starts[i] : starts[i + 1]]` in the order of their bytes.

    Multikey quicksort (Bentley and Sedgewick, 1997) with eight bytes for a key, and pivots at random: equal beginnings,
    as IRIs have them, are read once, and no file can be written that makes it slow.

    >>> arena = np.frombuffer(b"bananaapple", np.uint8)
    >>> order_of(arena, np.array([0, 6, 11])).tolist()
    [1, 0]
    """
    return np.asarray(_order(arena, starts, len(starts) - 1))


def places_of(
    arena: UInt8[ndarray, " bytes"], starts: Int64[ndarray, " offsets"], order: Int32[ndarray, " strings"]
) -> tuple[Int32[ndarray, " strings"], Int32[ndarray, " distinct"]]:
    """Return the place of each string among the distinct ones, and where in `order` each of those begins."""
    place, first, count = _places(arena, starts, order)
    return place, first[:count]


def taken(
    arena: UInt8[ndarray, " bytes"], starts: Int64[ndarray, " offsets"], chosen: Int32[ndarray, " chosen"]
) -> tuple[UInt8[ndarray, " taken"], Int64[ndarray, " ends"]]:
    """Return the chosen strings end to end, and where each begins."""
    ends = np.zeros(len(chosen) + 1, np.int64)
    np.cumsum(starts[chosen + 1] - starts[chosen], out=ends[1:])
    out = np.empty(int(ends[-1]), np.uint8)
    _take(arena, starts, chosen, (out, ends))
    return out, ends


@no_type_check
@njit(cache=True)
def _take(arena, starts, chosen, into):
    out, ends = into
    for i in range(len(chosen)):
        at, size = starts[chosen[i]], ends[i + 1] - ends[i]
        for j in range(size):
            out[ends[i] + j] = arena[at + j]


@no_type_check
@njit(cache=True, inline="always")
def _word(arena, begin, end):
    """Return the eight bytes from `begin` on as one number that sorts as they do; zeros stand after the end."""
    if begin + 8 <= end:
        return _turned(eight(arena, begin))
    word = np.uint64(0)
    for j in range(8):
        word <<= np.uint64(8)
        if begin + j < end:
            word |= np.uint64(arena[begin + j])
    return word


@no_type_check
@njit(inline="always")
def _turned(word):
    """Turn the order of the eight bytes around; the compiler makes one instruction of it."""
    low, mid = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
    word = (word & low) << np.uint64(8) | (word >> np.uint64(8)) & low
    word = (word & mid) << np.uint64(16) | (word >> np.uint64(16)) & mid
    return word << np.uint64(32) | word >> np.uint64(32)


@no_type_check
@njit(cache=True, inline="always")
def _before(arena, a, b, c, d):
    for i in range(min(b - a, d - c)):
        if arena[a + i] != arena[c + i]:
            return arena[a + i] < arena[c + i]
    return b - a < d - c


@no_type_check
@njit(cache=True)
def _insert(arena, starts, order, key, span):
    """Sort a few by insertion, comparing all bytes behind `depth`."""
    low, high, depth = span
    for i in range(low + 1, high):
        o, k = order[i], key[i]
        j = i - 1
        while j >= low and key[j] >= k:
            p = order[j]
            if key[j] == k and not _before(arena, starts[o] + depth, starts[o + 1], starts[p] + depth, starts[p + 1]):
                break
            order[j + 1], key[j + 1] = order[j], key[j]
            j -= 1
        order[j + 1], key[j + 1] = o, k


@no_type_check
@njit(cache=True)
def _split(order, key, low, high, pivot):
    """Move smaller keys to the left and larger to the right; return where the equal ones begin and end."""
    i, left, right = low, low, high
    while i < right:
        if key[i] < pivot:
            key[i], key[left] = key[left], key[i]
            order[i], order[left] = order[left], order[i]
            left += 1
            i += 1
        elif key[i] > pivot:
            right -= 1
            key[i], key[right] = key[right], key[i]
            order[i], order[right] = order[right], order[i]
        else:
            i += 1
    return left, right


@no_type_check
@njit(cache=True)
def _ended(starts, order, low, high, length):
    """Move the strings that are no longer than `length` to the left, the shorter first; return where they end."""
    end = low
    for i in range(low, high):
        if starts[order[i] + 1] - starts[order[i]] <= length:
            order[i], order[end] = order[end], order[i]
            end += 1
    for i in range(low + 1, end):
        o, j = order[i], i - 1
        size = starts[o + 1] - starts[o]
        while j >= low and starts[order[j] + 1] - starts[order[j]] > size:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = o
    return end


@no_type_check
@njit(cache=True)
def _order(arena, starts, count):
    order, key = np.arange(count).astype(np.int32), np.empty(count, np.uint64)
    random = np.uint64(0x2545F4914F6CDD1D)
    deeper = [(0, count, 0)]
    while len(deeper):
        low, high, depth = deeper.pop()
        for i in range(low, high):
            key[i] = _word(arena, starts[order[i]] + depth, starts[order[i] + 1])
        spans = [(low, high)]
        while len(spans):
            low, high = spans.pop()
            if high - low <= _FEW:
                _insert(arena, starts, order, key, (low, high, depth))
                continue
            random ^= random << np.uint64(13)
            random ^= random >> np.uint64(7)
            random ^= random << np.uint64(17)
            pivot = key[low + np.int64(random % np.uint64(high - low))]
            left, right = _split(order, key, low, high, pivot)
            spans.append((low, left))
            spans.append((right, high))
            left = _ended(starts, order, left, right, depth + 8)
            if right - left > 1:
                deeper.append((left, right, depth + 8))
    return order


@no_type_check
@njit(cache=True)
def _places(arena, starts, order):
    place, first = np.empty(len(order), np.int32), np.empty(len(order), np.int32)
    count = 0
    for i in range(len(order)):
        o, p = order[i], order[i - 1]
        a, b, c, d = starts[o], starts[o + 1], starts[p], starts[p + 1]
        equal = i > 0 and b - a == d - c
        j = 0
        while equal and j < b - a:
            equal = arena[a + j] == arena[c + j]
            j += 1
        if not equal:
            first[count] = i
            count += 1
        place[o] = count - 1
    return place, first, count

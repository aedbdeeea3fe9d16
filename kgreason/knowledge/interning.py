"""Numbers strings as they come: an open-addressing table over one block of bytes, compiled; no object for a string."""

import secrets
from typing import final, no_type_check

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy import ndarray

_FIRST_SLOTS = 1 << 12
_LANES = 256  # strings looked up together, so that the memory is asked for many of them at once
_K, _M = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_LOW = 0xFFFFFFFF


@final
class Interner:
    """Gives each distinct string the next number from 0, and the same string the same number.

    String `i` is `arena[starts[i] : starts[i + 1]]`. The table is keyed with a secret of this object, so that nobody
    can write a file whose strings all fall into one place; the numbers do not depend on it.
    """

    def __init__(self) -> None:
        self._arena = np.empty(1 << 16, np.uint8)
        self._starts = np.zeros(1 << 10, np.int64)
        self._slots = np.zeros(_FIRST_SLOTS, np.int64)
        self._count = 0
        self._seed = np.uint64(secrets.randbits(64))

    def __len__(self) -> int:
        return self._count

    @property
    def arena(self) -> UInt8[ndarray, " bytes"]:
        """The bytes of all strings, end to end."""
        return self._arena[: int(self._starts[self._count])]

    @property
    def starts(self) -> Int64[ndarray, " offsets"]:
        """Where each string begins, and where the last one ends."""
        return self._starts[: self._count + 1]

    @property
    def nbytes(self) -> int:
        """How much memory is in use."""
        return int(self._starts[self._count]) + 8 * self._count + self._slots.nbytes

    def add(
        self, text: UInt8[ndarray, " bytes"], begin: Int32[ndarray, " strings"], end: Int32[ndarray, " strings"]
    ) -> Int32[ndarray, " strings"]:
        """Return the number of each string `text[begin[i] : end[i]]`; new ones are copied."""
        out = np.empty(len(begin), np.int32)
        done = 0
        while done < len(begin):
            state = (self._slots, self._arena, self._starts)
            fresh = (begin[done:], end[done:], out[done:])
            step, self._count = _intern(text, fresh, state, self._count, self._seed)
            done += step
            if done < len(begin):
                self._grow(int((end[done:] - begin[done:]).max()))
        return out

    def _grow(self, longest: int) -> None:
        if self._count + 2 * _LANES >= len(self._starts):
            self._starts = _longer(self._starts, 2 * len(self._starts))
        used = int(self._starts[self._count])
        if used + longest > len(self._arena):
            self._arena = _longer(self._arena, max(2 * len(self._arena), used + longest))
        if 2 * (self._count + _LANES) >= len(self._slots):
            self._slots = np.zeros(2 * len(self._slots), np.int64)
            _place(self._slots, self._arena, self._starts, self._count, self._seed)


def _longer(old: ndarray, size: int) -> ndarray:
    new = np.empty(size, old.dtype)
    new[: len(old)] = old
    return new


@no_type_check
@intrinsic
def eight(context, text, i):
    """Load the eight bytes from `i` on as one little-endian number; nobody checks that they are there."""

    def code(target, builder, signature, arguments):
        array = target.make_array(signature.args[0])(target, builder, arguments[0])
        at = target.cast(builder, arguments[1], signature.args[1], types.intp)
        place = builder.bitcast(builder.gep(array.data, [at]), ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(text, i), code


@no_type_check
@njit(cache=True, inline="always")
def _digest(text, begin, end, seed):
    h = seed ^ (np.uint64(end - begin) * _K)
    rest = np.uint64(0)
    if end - begin >= 8:
        i = begin
        while i + 8 < end:
            h = (h ^ eight(text, i)) * _M
            h ^= h >> np.uint64(32)
            i += 8
        rest = eight(text, end - 8)  # some bytes twice: cheaper than one by one
    else:
        for i in range(begin, end):
            rest = rest << np.uint64(8) | np.uint64(text[i])
    h = (h ^ rest) * _M
    h = (h ^ (h >> np.uint64(29))) * _K
    return h ^ (h >> np.uint64(32))


@no_type_check
@njit(cache=True, inline="always")
def same(one, a, b, two, c, d):
    """Say whether `one[a:b]` and `two[c:d]` are the same bytes."""
    size = b - a
    if size != d - c:
        return False
    i = 0
    if size < 8:
        while i < size and one[a + i] == two[c + i]:
            i += 1
        return i == size
    if eight(one, b - 8) != eight(two, d - 8):  # names differ at their ends
        return False
    while i + 8 < size:
        if eight(one, a + i) != eight(two, c + i):
            return False
        i += 8
    return True


@no_type_check
@njit(cache=True)
def _place(slots, arena, starts, count, seed):
    """Fill an empty table with the strings that are there. A slot is a tag of 32 bits and the number plus 1."""
    mask = len(slots) - 1
    for i in range(count):
        h = _digest(arena, starts[i], starts[i + 1], seed)
        at = np.int64(h) & mask
        while slots[at] != 0:
            at = (at + 1) & mask
        slots[at] = np.int64(h >> np.uint64(32)) << 32 | (i + 1)


@no_type_check
@njit(cache=True)
def _touch(hashes, lanes, slots, arena, starts):
    """Load what the look-ups of these hashes will need, all at once, so that they do not wait for it one by one."""
    mask, met = len(slots) - 1, 0
    for j in range(lanes):
        slot = slots[np.int64(hashes[j]) & mask]
        if slot != 0:
            met += arena[starts[(slot & _LOW) - 1]]
    return met


@no_type_check
@njit(cache=True, inline="always")
def _find(text, begin, end, h, slots, arena, starts):
    """Return the number of a string, or -1 - the free slot where it belongs."""
    mask, tag = len(slots) - 1, np.int64(h >> np.uint64(32))
    at = np.int64(h) & mask
    while slots[at] != 0:
        i = (slots[at] & _LOW) - 1
        if (slots[at] >> 32) & _LOW == tag and same(text, begin, end, arena, starts[i], starts[i + 1]):
            return i
        at = (at + 1) & mask
    return -1 - at


@no_type_check
@njit(cache=True)
def _intern(text, fresh, state, count, seed):
    """Number strings until there is no room. Returns how many were numbered, and how many are known now."""
    begin, end, out = fresh
    slots, arena, starts = state
    hashes, again = np.empty(_LANES, np.uint64), np.empty(_LANES, np.bool_)
    for base in range(0, len(begin), _LANES):
        lanes = min(_LANES, len(begin) - base)
        if 2 * (count + lanes) >= len(slots) or count + lanes >= len(starts):
            return base, count
        for j in range(lanes):
            k = base + j
            # Files say several things about one head in a row: what stands two names before needs no look-up.
            again[j] = k > 1 and same(text, begin[k], end[k], text, begin[k - 2], end[k - 2])
            hashes[j] = np.uint64(0) if again[j] else _digest(text, begin[k], end[k], seed)
        if _touch(hashes, lanes, slots, arena, starts) < 0:
            return base, count  # never: it keeps the loads from being optimised away
        for j in range(lanes):
            a, b, h = begin[base + j], end[base + j], hashes[j]
            found = np.int64(out[base + j - 2]) if again[j] else _find(text, a, b, h, slots, arena, starts)
            if found < 0:
                at = starts[count]
                if at + b - a > len(arena):
                    return base + j, count
                for q in range(b - a):
                    arena[at + q] = text[a + q]
                starts[count + 1] = at + b - a
                slots[-1 - found] = np.int64(h >> np.uint64(32)) << 32 | (count + 1)
                found = count
                count += 1
            out[base + j] = found
    return len(begin), count

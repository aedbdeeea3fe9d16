"""Turns the names of entities into what they are called in a text, compiled, in place in one block of bytes."""

from typing import no_type_check

from numba import njit

_UNDERSCORE, _SPACE, _PERCENT, _SLASH, _HASH = 95, 32, 37, 47, 35


@no_type_check
@njit(cache=True)
def blank_at(text, i, end):
    """Return how many bytes the white space at `i` takes (as `str.isspace` sees it), 0 if there is none."""
    b = text[i]
    if b <= 32:
        return 1 if b == 32 or 9 <= b <= 13 or 28 <= b <= 31 else 0
    if b < 0xC2:
        return 0
    if b == 0xC2:
        return 2 if i + 1 < end and (text[i + 1] == 0x85 or text[i + 1] == 0xA0) else 0
    if i + 2 >= end or (b != 0xE1 and b != 0xE2 and b != 0xE3):
        return 0
    c, d = text[i + 1], text[i + 2]
    if b == 0xE1:
        return 3 if c == 0x9A and d == 0x80 else 0
    if b == 0xE3:
        return 3 if c == 0x80 and d == 0x80 else 0
    if c == 0x80:
        return 3 if 0x80 <= d <= 0x8A or 0xA8 <= d <= 0xA9 or d == 0xAF else 0
    return 3 if c == 0x81 and d == 0x9F else 0


@no_type_check
@njit(cache=True)
def is_blank(text, begin, end):
    """Say whether `text[begin:end]` is nothing but white space."""
    i = begin
    while i < end:
        step = blank_at(text, i, end)
        if step == 0:
            return False
        i += step
    return True


@no_type_check
@njit(cache=True)
def squeeze(text, begin, end):
    """Do what `" ".join(name.split())` does to `text[begin:end]`, in place; return where it ends now."""
    i, out, gap = begin, begin, False
    while i < end:
        step = blank_at(text, i, end)
        if step:
            gap = out > begin
            i += step
            continue
        if gap:
            text[out] = _SPACE
            out += 1
            gap = False
        text[out] = text[i]
        out += 1
        i += 1
    return out


@no_type_check
@njit(cache=True)
def space_out(text):
    """Write a space for every underscore."""
    for i in range(len(text)):
        if text[i] == _UNDERSCORE:
            text[i] = _SPACE


@no_type_check
@njit(cache=True)
def _hex(b):
    if 48 <= b <= 57:
        return b - 48
    b |= 32
    return b - 87 if 97 <= b <= 102 else -1


@no_type_check
@njit(cache=True)
def utf8_ends(text, begin, end):
    """Return where the longest beginning of `text[begin:end]` that is UTF-8 ends."""
    i = begin
    while i < end:
        b = text[i]
        if b < 0x80:
            i += 1
            continue
        size = 2 if 0xC2 <= b < 0xE0 else 3 if 0xE0 <= b < 0xF0 else 4 if 0xF0 <= b < 0xF5 else 0
        if size == 0 or i + size > end:
            return i
        for j in range(1, size):
            if text[i + j] & 0xC0 != 0x80:
                return i
        c = text[i + 1]
        if (b == 0xE0 and c < 0xA0) or (b == 0xED and c > 0x9F) or (b == 0xF0 and c < 0x90) or (b == 0xF4 and c > 0x8F):
            return i
        i += size
    return i


@no_type_check
@njit(cache=True)
def _unquote(text, begin, end):
    """Write the bytes that `%41` and the like stand for; leave them if that would not be UTF-8. Return the end."""
    size = end - begin
    plain = text[begin:end].copy()
    i, out = 0, begin
    while i < size:
        b = plain[i]
        if b == _PERCENT and i + 2 < size and _hex(plain[i + 1]) >= 0 and _hex(plain[i + 2]) >= 0:
            b = _hex(plain[i + 1]) * 16 + _hex(plain[i + 2])
            i += 2
        text[out] = b
        out += 1
        i += 1
    if out < end and utf8_ends(text, begin, out) < out:
        text[begin:end] = plain
        return end
    return out


@no_type_check
@njit(cache=True)
def last_parts(text, starts, begin, end):
    """Find the name in each IRI, `New York` of `http://dbpedia.org/resource/New_York`; nothing in a blank node.

    Args:
        text: The IRIs, end to end; changed in place.
        starts: Where each begins.
        begin: Gets where each name begins.
        end: Gets where each name ends.
    """
    for k in range(len(starts) - 1):
        a, b = starts[k], starts[k + 1]
        if b - a >= 2 and text[a] == _UNDERSCORE and text[a + 1] == 58:
            begin[k], end[k] = a, a
            continue
        while b > a and (text[b - 1] == _SLASH or text[b - 1] == _HASH):
            b -= 1
        i, quoted = b, False
        while i > a and text[i - 1] != _SLASH and text[i - 1] != _HASH:
            i -= 1
            quoted |= text[i] == _PERCENT
        b = _unquote(text, i, b) if quoted else b
        for j in range(i, b):
            if text[j] == _UNDERSCORE:
                text[j] = _SPACE
        begin[k], end[k] = i, squeeze(text, i, b)


@no_type_check
@njit(cache=True)
def cut_prefix(text, begin, end, prefix, kept):
    """Move the beginning of each span behind `prefix`; where something else stands, it is not kept."""
    size = len(prefix)
    for k in range(len(begin)):
        good = kept[k] and end[k] - begin[k] > size
        i = 0
        while good and i < size:
            good = text[begin[k] + i] == prefix[i]
            i += 1
        kept[k] = good
        if good:
            begin[k] += size


@no_type_check
@njit(cache=True)
def plain_names(text, spans, column, prefix):
    """Make the names that were written as IRIs behind `prefix` what they were, in place."""
    for k in range(len(spans)):
        begin, end, i = spans[k, column, 0], spans[k, column, 1], 0
        while i < len(prefix) and begin + i < end and text[begin + i] == prefix[i]:
            i += 1
        if i == len(prefix):
            spans[k, column, 0] = begin + i
            spans[k, column, 1] = _unquote(text, begin + i, end)


@no_type_check
@njit(cache=True)
def cut_at(text, begin, end, stop):
    """End each span where `stop` stands first in it."""
    for k in range(len(begin)):
        i = begin[k]
        while i < end[k] and text[i] != stop:
            i += 1
        end[k] = i

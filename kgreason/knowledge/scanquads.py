r"""Finds the parts of canonical N-Quads in a block of bytes, compiled.

Canonical means as pyoxigraph writes them: one statement a line, one space between its parts, and in literals only the
escapes `\b \t \n \f \r \" \\` and `\uXXXX`. Nothing is checked here, since the parser has done so.
"""

from typing import no_type_check

from numba import njit

from kgreason.knowledge.interning import same
from kgreason.knowledge.wording import squeeze

_NEWLINE, _QUOTE, _BACKSLASH, _LESS, _GREATER, _UNDERSCORE, _AT = 10, 34, 92, 60, 62, 95, 64


@no_type_check
@njit(cache=True, inline="always")
def _node(text, at, prefix, room):
    """Read an IRI or a blank node. Returns where its text begins and ends, where it is over, and the room used.

    A blank node whose name gets a prefix is written again, into the room behind the statements.
    """
    i = at + 1
    if text[at] == _LESS:
        while text[i] != _GREATER:
            i += 1
        return at + 1, i, i + 1, room
    while text[i] != 32:
        i += 1
    if len(prefix) == 0:
        return at, i, i, room
    begin = room
    text[room], text[room + 1] = text[at], text[at + 1]
    room += 2
    for j in range(len(prefix)):
        text[room] = prefix[j]
        room += 1
    for j in range(at + 2, i):
        text[room] = text[j]
        room += 1
    return begin, room, i, room


@no_type_check
@njit(cache=True)
def _escaped(text, at, out):
    """Write at `out` what the escape at `at` stands for. Returns where both go on."""
    b = text[at + 1]
    if b != 117 and b != 85:
        plain = b
        if b == 98:
            plain = 8
        elif b == 116:
            plain = 9
        elif b == 110:
            plain = 10
        elif b == 102:
            plain = 12
        elif b == 114:
            plain = 13
        text[out] = plain
        return at + 2, out + 1
    digits, code = 4 if b == 117 else 8, 0
    for j in range(at + 2, at + 2 + digits):
        h = text[j] if text[j] <= 57 else (text[j] | 32) - 39
        code = code * 16 + h - 48
    return at + 2 + digits, _encode(text, out, code)


@no_type_check
@njit(cache=True)
def _encode(text, out, code):
    """Write a character in UTF-8; return where the next one goes."""
    if code < 0x80:
        text[out] = code
        return out + 1
    if code < 0x800:
        text[out], text[out + 1] = 0xC0 | code >> 6, 0x80 | code & 0x3F
        return out + 2
    if code < 0x10000:
        text[out], text[out + 1], text[out + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F
        return out + 3
    text[out], text[out + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 0x3F
    text[out + 2], text[out + 3] = 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F
    return out + 4


@no_type_check
@njit(cache=True)
def _literal(text, at):
    """Read a literal, in place. Returns where its text begins and ends, and where the closing quote stands."""
    i, out = at + 1, at + 1
    while text[i] != _QUOTE:
        if text[i] == _BACKSLASH:
            i, out = _escaped(text, i, out)
            continue
        text[out] = text[i]
        out += 1
        i += 1
    return at + 1, out, i


@no_type_check
@njit(cache=True, inline="always")
def _over(text, at):
    """Return where a literal that is not wanted is closed."""
    i = at + 1
    while text[i] != _QUOTE:
        i += 2 if text[i] == _BACKSLASH else 1
    return i


@no_type_check
@njit(cache=True, inline="always")
def _rank(text, begin, end, wanted):
    """Return which of the relations that give labels this is, or -1."""
    names, starts, _ = wanted
    for k in range(len(starts) - 1):
        if same(text, begin, end, names, starts[k], starts[k + 1]):
            return k
    return -1


@no_type_check
@njit(cache=True, inline="always")
def _foreign(text, at, language):
    """Say whether the language that is given behind the quote at `at` is another one."""
    if text[at + 1] != _AT:
        return False
    for j in range(len(language)):
        b = text[at + 2 + j]
        if (b | 32 if 65 <= b <= 90 else b) != language[j]:
            return True
    after = text[at + 2 + len(language)] | 32
    return len(language) > 0 and 97 <= after <= 122  # enm is another language than en, and en-GB is not


@no_type_check
@njit(cache=True)
def scan_quads(text, size, prefix, wanted, out):
    """Find the triples and the labels in a block of canonical N-Quads.

    Args:
        text: The statements, and behind `size` room for the blank nodes that are written again. Changed in place.
        size: How many bytes the statements take.
        prefix: What to put before the name of every blank node.
        wanted: The relations that give labels (bytes and offsets), and the language of those that are shown first.
        out: Gets spans of triples `(rows, 3, 2)`, spans of entity and label `(rows, 2, 2)`, and the rank of each label.

    Returns:
        How many triples, labels, literals that are neither, and triple terms there are; the room used.
    """
    triples, named, rank = out
    at, rows, labels, left, terms, room = 0, 0, 0, 0, 0, size
    while at < size:
        a, b, at, room = _node(text, at, prefix, room)
        c, d, at, room = _node(text, at + 1, prefix, room)
        at += 1
        if text[at] == _QUOTE:
            k = _rank(text, c, d, wanted)
            if k < 0:
                left += 1
                at = _over(text, at)
            else:
                e, f, at = _literal(text, at)
                f = squeeze(text, e, f)
                named[labels, 0, 0], named[labels, 0, 1], named[labels, 1, 0], named[labels, 1, 1] = a, b, e, f
                rank[labels] = k + (len(wanted[1]) - 1) * _foreign(text, at, wanted[2])
                labels += f > e
        elif text[at + 1] == _LESS:
            terms += 1
        else:
            e, f, at, room = _node(text, at, prefix, room)
            triples[rows, 0, 0], triples[rows, 0, 1], triples[rows, 1, 0] = a, b, c
            triples[rows, 1, 1], triples[rows, 2, 0], triples[rows, 2, 1] = d, e, f
            rows += 1
        while text[at] != _NEWLINE:
            at += 1
        at += 1
    return rows, labels, left, terms, room

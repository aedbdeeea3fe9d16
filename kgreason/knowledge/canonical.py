"""Tells which lines of N-Triples and N-Quads are surely valid and already canonical, compiled.

Most lines of most files are: absolute IRIs of plain characters, one space between the parts, no rare escapes. These
need no parser. All others are left to one, so that nothing here has to know the finer points of IRIs and languages.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Int64, UInt8
from numba import njit
from numpy import ndarray

from kgreason.knowledge.wording import utf8_ends

_SPACE, _QUOTE, _BACKSLASH, _LESS, _GREATER, _UNDERSCORE, _COLON = 32, 34, 92, 60, 62, 95, 58
_NEWLINE, _RETURN, _DOT, _AT, _CARET, _HASH, _SLASH, _PERCENT = 10, 13, 46, 64, 94, 35, 47, 37
#: What a byte may be: part of an IRI, of the name of a host, of a scheme, a letter, of a blank node, of plain text.
_IRI, _HOST, _SCHEME, _LETTER, _NODE, _TEXT, _HEX = 1, 2, 4, 8, 16, 32, 64


def _kinds() -> UInt8[ndarray, " bytes"]:
    kinds = np.zeros(256, np.uint8)
    letters = [*range(65, 91), *range(97, 123)]
    digits = [*range(48, 58)]
    kinds[letters] = _IRI | _HOST | _SCHEME | _LETTER | _NODE
    kinds[digits] = _IRI | _HOST | _SCHEME | _NODE | _HEX
    kinds[[*range(65, 71), *range(97, 103)]] |= _HEX
    kinds[list(b"-.")] |= _IRI | _HOST | _SCHEME
    kinds[list(b"_~!$&'()*,;=:@/?")] |= _IRI
    kinds[ord("+")] = _IRI | _SCHEME
    kinds[ord("_")] |= _NODE
    # Beyond ASCII: what begins U+00C0 to U+07FF and U+0800 to U+CFFF, all of which an IRI may hold, and what follows.
    kinds[0xC3:0xE0] |= _IRI
    kinds[0xE0:0xED] |= _IRI
    kinds[0x80:0xC0] |= _IRI
    kinds[32:127] |= _TEXT
    kinds[128:] |= _TEXT
    kinds[9] = _TEXT
    kinds[[_QUOTE, _BACKSLASH]] = 0
    return kinds


KINDS = _kinds()


def hard_lines(data: UInt8[ndarray, " bytes"], ascii_only: bool, graphs: bool) -> tuple[Int64[ndarray, "hard 3"], int]:
    """Find the lines that need a parser; all others are canonical.

    Args:
        data: Whole lines; the last byte is a newline.
        ascii_only: Whether no byte is above 127.
        graphs: Whether a fourth part, the graph, is allowed.

    Returns:
        For each stretch of lines that need one: where it begins and ends in `data`, and how many lines are before it;
        and how many lines there are.
    """
    hard = np.empty((64, 3), np.int64)
    while True:
        count, lines = _judge(data, (KINDS, graphs, ascii_only), hard)
        if count <= len(hard):
            return hard[:count], lines
        hard = np.empty((count, 3), np.int64)


# No kernel looks whether it is at the end of the data: there stands a newline, which is part of nothing.


@no_type_check
@njit(cache=True, inline="always")
def _scheme(data, at, kinds):
    """Return where the part behind the scheme and the host of an IRI begins, or -1."""
    i = at + 1
    if kinds[data[i]] & _LETTER == 0:
        return -1
    while kinds[data[i]] & _SCHEME:
        i += 1
    if data[i] != _COLON:
        return -1
    i += 1
    if data[i] == _SLASH and data[i + 1] == _SLASH:
        i += 2
        while kinds[data[i]] & _HOST:
            i += 1
        if data[i] != _SLASH and data[i] != _GREATER:
            return -1
    return i


@no_type_check
@njit(cache=True, inline="always")
def _iri(data, at, kinds):
    """Return where the IRI that begins at `at` is over, or -1 if it takes a parser to say."""
    i = _scheme(data, at, kinds)
    if i < 0:
        return -1
    fragments = 0
    while True:
        while kinds[data[i]] & _IRI:
            i += 1
        b = data[i]
        if b == _GREATER:
            return i + 1
        if b == _HASH and fragments == 0:
            fragments = 1
        elif b != _PERCENT or kinds[data[i + 1]] & _HEX == 0 or kinds[data[i + 2]] & _HEX == 0:
            return -1
        i += 1


@no_type_check
@njit(cache=True, inline="always")
def _node(data, at, kinds):
    """Return where an IRI or a blank node is over, or -1."""
    if data[at] == _LESS:
        return _iri(data, at, kinds)
    if data[at] != _UNDERSCORE or data[at + 1] != _COLON:
        return -1
    i = at + 2
    while kinds[data[i]] & _NODE:
        i += 1
    return i if i > at + 2 else -1


@no_type_check
@njit(cache=True, inline="always")
def _string(data, at, kinds):
    """Return where the text of a literal is over, or -1."""
    i = at + 1
    while True:
        while kinds[data[i]] & _TEXT:
            i += 1
        b = data[i]
        if b == _QUOTE:
            return i + 1
        c = data[i + 1] if b == _BACKSLASH else 0
        # \" \\ \' \n \t \r \b \f
        if not (c == 34 or c == 92 or c == 39 or c == 110 or c == 116 or c == 114 or c == 98 or c == 102):
            return -1
        i += 2


@no_type_check
@njit(cache=True, inline="always")
def _language(data, at, kinds):
    """Return where a language of two or three letters, perhaps with a country of two, is over, or -1."""
    i = at
    while kinds[data[i]] & _LETTER:
        i += 1
    if i - at < 2 or i - at > 3 or data[i] != 45:
        return i if 2 <= i - at <= 3 else -1
    first = i + 1
    i = first
    while kinds[data[i]] & _LETTER:
        i += 1
    return i if i - first == 2 else -1


@no_type_check
@njit(cache=True, inline="always")
def _object(data, at, kinds):
    """Return where the third part of a statement is over, or -1."""
    if data[at] != _QUOTE:
        return _node(data, at, kinds)
    i = _string(data, at, kinds)
    if i < 0 or data[i] == _SPACE:
        return i
    if data[i] == _CARET:
        return _iri(data, i + 2, kinds) if data[i + 1] == _CARET and data[i + 2] == _LESS else -1
    return _language(data, i + 1, kinds) if data[i] == _AT else -1


@no_type_check
@njit(cache=True, inline="always")
def _canonical(data, at, kinds, graphs):
    """Return where the newline of a statement stands that is as the canonical form has it, or -1."""
    i = _node(data, at, kinds)
    if i < 0 or data[i] != _SPACE or data[i + 1] != _LESS:
        return -1
    i = _iri(data, i + 1, kinds)
    if i < 0 or data[i] != _SPACE:
        return -1
    i = _object(data, i + 1, kinds)
    if graphs and i >= 0 and data[i] == _SPACE and data[i + 1] != _DOT:
        i = _node(data, i + 1, kinds)
    if i < 0 or data[i] != _SPACE or data[i + 1] != _DOT:
        return -1
    i += 3 if data[i + 2] == _RETURN else 2
    return i if data[i] == _NEWLINE else -1


@no_type_check
@njit(cache=True)
def _judge(data, rules, hard):
    kinds, graphs, ascii_only = rules
    at, count, lines, was_hard = 0, 0, 0, False
    while at < len(data):
        end = _canonical(data, at, kinds, graphs)
        good = end >= 0 and (ascii_only or utf8_ends(data, at, end) == end)
        if not good:
            end = at
            while data[end] != _NEWLINE:
                end += 1
            if not was_hard:
                if count < len(hard):
                    hard[count, 0], hard[count, 2] = at, lines
                count += 1
            if count <= len(hard):
                hard[count - 1, 1] = end + 1
        was_hard = not good
        lines += 1
        at = end + 1
    return count, lines

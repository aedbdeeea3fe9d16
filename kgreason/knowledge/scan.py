"""Finds the fields of the lines of a table (TSV, CSV) in a block of bytes, compiled; nothing is copied.

What is wrong with a line is not said here but only that something is: `kgreason.knowledge.rows` finds out what.
"""

from typing import no_type_check

from numba import njit

from kgreason.knowledge.wording import is_blank

_NEWLINE, _RETURN = 10, 13
_MORE, _BAD = -1, -2


@no_type_check
@njit(cache=True)
def _quoted(text, at, quote):
    """Read a quoted field that begins at `at`. Returns where its text begins and ends, and where it is over."""
    i = at + 1
    while i < len(text):
        if text[i] == quote:
            if i + 1 == len(text) or text[i + 1] != quote:
                return at + 1, i, i + 1
            i += 1
        i += 1
    return at + 1, i, _MORE


@no_type_check
@njit(cache=True)
def _make_single(text, spans, row, columns, quote):
    """Make the doubled quotes of the fields of a line single, in place. Only of lines that are as they should be."""
    for k in range(len(columns)):
        begin, end = spans[row, k, 0], spans[row, k, 1]
        if begin == 0 or text[begin - 1] != quote:  # it is not quoted
            continue
        before = -1
        for q in range(k):
            if columns[q] == columns[k]:
                before = q
        if before >= 0:
            spans[row, k, 1] = spans[row, before, 1]
            continue
        out, i = begin, begin
        while i < end:
            text[out] = text[i]
            i += 2 if text[i] == quote else 1
            out += 1
        spans[row, k, 1] = out


@no_type_check
@njit(cache=True, inline="always")
def _plain(text, at, sep):
    """Read a field that is not quoted. Returns where it ends, and where it is over."""
    i = at
    while i < len(text):
        b = text[i]
        if b in (sep, _NEWLINE):
            return i, i
        if b == _RETURN:
            if i + 1 == len(text):
                return i, i + 1
            return (i, i + 1) if text[i + 1] == _NEWLINE else (i, _BAD)
        i += 1
    return i, i


@no_type_check
@njit(cache=True, inline="always")
def _field(text, at, sep, quote):
    """Read one field: where it begins, where it ends, and the place of what follows it (or `_MORE`, `_BAD`)."""
    if quote == 0 or at >= len(text) or text[at] != quote:
        end, over = _plain(text, at, sep)
        return at, end, over
    begin, end, over = _quoted(text, at, quote)
    if over == _MORE or over == len(text):
        return begin, end, over
    if text[over] == _RETURN and (over + 1 == len(text) or text[over + 1] == _NEWLINE):
        over += 1
    elif text[over] != sep and text[over] != _NEWLINE:
        over = _BAD
    return begin, end, over


@no_type_check
@njit(cache=True, inline="always")
def _line(text, at, rules, columns, spans, row):
    """Read one line into a row of spans. Returns where the next begins (or `_MORE`, `_BAD`), and the columns found."""
    sep, quote, last = rules
    column, found = 0, 0
    while True:
        begin, end, over = _field(text, at, sep, quote)
        if over < 0:
            return over, found
        for k in range(len(columns)):
            if columns[k] == column:
                spans[row, k, 0], spans[row, k, 1] = begin, end
                found += 1
        column += 1
        if over >= len(text):
            return (over if last else _MORE), found
        if text[over] == _NEWLINE:
            return over + 1, found
        at = over + 1


@no_type_check
@njit(cache=True, inline="always")
def _sound(text, spans, row, limit):
    for k in range(spans.shape[1]):
        begin, end = spans[row, k, 0], spans[row, k, 1]
        if end == begin or end - begin > limit:
            return False
        b = text[begin]
        if (b <= 32 or b >= 0xC2) and is_blank(text, begin, end):
            return False
    return True


@no_type_check
@njit(cache=True)
def _empty(text, begin, end, rules):
    sep, quote, _ = rules
    for i in range(begin, end):
        b = text[i]
        if not (b == 32 or 9 <= b <= 13 or b == sep or (quote != 0 and b == quote)):
            return False
    return True


@no_type_check
@njit(cache=True)
def scan_table(text, rules, columns, spans, limit):
    """Find the wanted columns of each line.

    Args:
        text: Bytes that begin with a line. Doubled quotes of the wanted fields are made single in place.
        rules: The separator, the quote (0: nothing is quoted), and whether the text ends with the file.
        columns: Which columns, from 0.
        spans: Gets where each field begins and ends, `(rows, columns, 2)`.
        limit: The largest field, in bytes.

    Returns:
        The rows found; the bytes, and the lines, that are done; whether the next line is broken.
    """
    at, row, lines = 0, 0, 0
    while at < len(text) and row < len(spans):
        after, found = _line(text, at, rules, columns, spans, row)
        if after == _MORE and not rules[2]:
            break
        if after >= 0 and found >= len(columns) and _sound(text, spans, row, limit):
            if rules[1] != 0:
                _make_single(text, spans, row, columns, rules[1])
            row += 1
        elif after < 0 or not _empty(text, at, after, rules):
            return row, at, lines, True
        lines += 1
        if rules[1] != 0:
            for i in range(at, after - 1):
                lines += text[i] == _NEWLINE
        at = after
    return row, at, lines, False

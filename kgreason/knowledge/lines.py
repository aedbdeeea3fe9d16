"""Reads the lines of a table (TSV, CSV) or of JSON in stretches, and says which line is broken and why."""

import codecs
import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int32, UInt8
from numpy import ndarray

from kgreason.knowledge.blocks import column_of, joined
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.fields import Form, Row, header_error, json_columns, json_fields, line_error, places_in
from kgreason.knowledge.scan import scan_table
from kgreason.knowledge.stretches import Stretches

_ROWS = 2**16


@final
@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """Some lines: where each wanted field begins and ends in `text`, and how far that is."""

    text: UInt8[ndarray, " bytes"]
    spans: Int32[ndarray, "rows fields 2"]
    place: Place


def read_fields(feed: Feed, form: Form, row: Row, reading: Reading, start: Place) -> Iterator[Fields]:
    """Yield the wanted fields of every line behind `start`.

    Raises:
        DataError: At the first broken line if broken lines are refused; or if the file cannot be read on.
    """
    table = _Table(Stretches(feed, reading, start), form, row)
    if row.named and form != "jsonl":
        _read_header(table)
    whole = table.lines.whole()
    while True:
        yield from (_objects if form == "jsonl" else _rows)(table, whole)
        if table.lines.over:
            return
        whole = table.lines.more()


@final
class _Table:
    """A file of lines, and what is looked for in them."""

    def __init__(self, lines: Stretches, form: Form, row: Row) -> None:
        self.lines, self.form, self.row = lines, form, row
        self.columns: tuple[int, ...] = tuple(c - 1 for c in row.columns if isinstance(c, int))
        self.first, self.limit = lines.place.line == 0, lines.reading.limits.field

    def broken(self, raw: bytes) -> None:
        """Deal with the line that comes next."""
        self.lines.broken(line_error(raw, self.row, self.form, self.lines.where, self.columns), raw)

    def check_header(self, text: ndarray, spans: ndarray) -> None:
        """Refuse a first row that is a header."""
        if self.first and not self.row.named and len(self.row.fields) == 3:
            fields = [text[a:b].tobytes().decode() for a, b in spans[0].tolist()]
            error = header_error(fields, self.row, self.lines.feed.name)
            if error is not None:
                raise error
        self.first = False


def _read_header(table: _Table) -> None:
    lines = table.lines
    head = next((line for line in lines.head.split(b"\n") if line.strip()), b"")
    begin = lines.head.find(head)
    number = lines.head.count(b"\n", 0, begin) + 1
    table.columns = places_in(head, table.row, table.form, f"{lines.feed.name}, line {number}")
    if table.first:
        lines.step(min(begin + len(head) + 1, len(lines.rest)), number)


def _rows(table: _Table, whole: bytes) -> Iterator[Fields]:
    """Scan `whole`, which is the beginning of `lines.rest`, and leave behind what was read."""
    at = 0
    while at < len(whole):
        bad = _not_utf8(whole, at)
        end = len(whole) if bad < 0 else max(whole.rfind(b"\n", at, bad) + 1, at)
        at += yield from _sound(table, whole[at:end], table.lines.over and bad < 0)
        if bad < 0:
            return
        at = _passed_over(table, whole, at, bad)


def _sound(table: _Table, part: bytes, last: bool) -> Generator[Fields, None, int]:
    """Scan what is UTF-8. Returns how much of it is done."""
    sep, quote = (9, 0) if table.form == "tsv" else (44, 34)
    columns = np.array(table.columns, np.int64)
    text: ndarray = np.frombuffer(part, np.uint8)
    text = text.copy()  # doubled quotes are made single in place, and a kernel is compiled for one kind of array
    at = 0
    while at < len(part):
        spans = np.empty((_ROWS, len(columns), 2), np.int32)
        rows, size, count, wrong = scan_table(text[at:], (sep, quote, last), columns, spans, table.limit)
        table.lines.step(size, count)
        if rows:
            table.check_header(text[at:], spans)
            yield Fields(text[at : at + size], spans[:rows], table.lines.place)
        at += size
        if wrong:
            at = _passed_over(table, part, at, at)
        elif rows < _ROWS:
            break
    return at


def _passed_over(table: _Table, whole: bytes, begin: int, bad: int) -> int:
    """Deal with a broken line that begins at `begin` and has a fault at `bad`; return where the next one begins."""
    stop = whole.find(b"\n", bad) + 1 or len(whole)
    table.broken(whole[begin:stop])
    table.lines.step(stop - begin, max(whole.count(b"\n", begin, stop), 1))
    return stop


def _not_utf8(whole: bytes, begin: int) -> int:
    """Return where the first byte from `begin` on that is not UTF-8 stands, or -1."""
    if begin == 0 and whole.isascii():
        return -1
    try:
        codecs.utf_8_decode(memoryview(whole)[begin:], "strict", True)
    except UnicodeDecodeError as error:
        return begin + error.start
    return -1


def _objects(table: _Table, whole: bytes) -> Iterator[Fields]:
    """Read `whole` at once; or, if something is wrong with it, line by line."""
    columns = json_columns(whole, table.row)
    if columns is not None and all(lengths.max(initial=0) <= table.limit for _, lengths in columns):
        table.lines.step(len(whole), whole.count(b"\n"))
        if len(columns[0][1]):
            yield Fields(*joined(columns), table.lines.place)
        return
    found = []
    for raw in io.BytesIO(whole):
        if raw.strip():
            fields = json_fields(raw, table.row, table.limit)
            if fields is None:
                table.broken(raw)
            else:
                found.append(fields)
        table.lines.step(len(raw), 1)
    if found:
        yield Fields(*joined([column_of(column) for column in zip(*found, strict=True)]), table.lines.place)

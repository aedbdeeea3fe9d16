"""Triples in the columns of Parquet and Arrow files, through polars."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.blocks import Block, Naming, joined
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.decoder import Decoder
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.files import Paths, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines

if TYPE_CHECKING:
    import polars as pl

_ROWS = 2**18
#: What the columns are called by those who give them names; else the first three are taken.
_USUAL = (("head", "relation", "tail"), ("subject", "predicate", "object"), ("source", "relation", "target"))
_ARROW = (".arrow", ".ipc", ".feather")


@final
class ParquetSource:
    """Reads one triple a row of a Parquet file, or of an Arrow file (`.arrow`, `.feather`), some row groups at a time.

    Names are taken as they stand, numbers as they are written; every entity is labelled by its name, with spaces for
    underscores.

    Args:
        path: The file, or several; they cannot be packed once more, nor be read from standard input.
        head: The column that holds the head, by name or by number from 1. Nothing: the columns are called `head`,
            `relation`, `tail`, or `subject`, `predicate`, `object`, or `source`, `relation`, `target`, or are the
            first three.
        relation: The column that holds the relation.
        tail: The column that holds the tail.
        bad_lines: Whether a row without a name is an error or is skipped and counted.
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        ConfigError: If only some of the columns are said.
        DataError: If the file is broken, or a name is missing.
    """

    naming = Naming()
    counted: tuple[str, ...] = ()

    def __init__(
        self,
        path: Paths,
        *,
        head: int | str = "",
        relation: int | str = "",
        tail: int | str = "",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.columns = path, (head, relation, tail)
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})
        if any(self.columns) and not all(self.columns):
            raise ConfigError(f"[knowledge] head, relation, tail = {self.columns}: give all three columns, or none.")

    def __call__(self) -> KnowledgeGraph:
        return build_graph(self)

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        return paths_of(self.path)

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        with Decoder() as decoder:
            for start, feed in reading.feeds(self.files()):
                if feed.name != str(feed.raw.path) or feed.ending not in (".parquet", ".pq", *_ARROW):
                    raise DataError(
                        f"{feed.name} must be a file of its own, ending in .parquet or .arrow. Unpack it first."
                    )
                feed.raw.drain()
                yield from self._rows(decoder, feed, reading, start)

    def _rows(self, decoder: Decoder, feed: Feed, reading: Reading, start: Place) -> Iterator[Block]:
        none, at = (np.zeros((0, 2, 2), np.int32), np.zeros(0, np.int32)), start.line
        path, arrow = feed.raw.path, feed.ending in _ARROW
        with _about(feed):
            there = decoder.names(path, arrow)
        names = _names(there, self.columns, feed.name)
        while True:
            with _about(feed):
                rows = decoder.rows(path, arrow, names, at, _ROWS)
            if not len(rows):
                return
            place = replace(start, line=at + len(rows), offset=at + len(rows))
            rows = _sound(rows, names, feed, reading, at)
            at = place.line
            columns = [(rows[name].str.join("").item().encode(), rows[name].str.len_bytes()) for name in names]
            text, spans = joined([(blob, lengths.to_numpy()) for blob, lengths in columns])
            yield Block(text, spans, *none, place)


@contextmanager
def _about(feed: Feed) -> Iterator[None]:
    """Say of which file it is that it cannot be decoded."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{feed.name} cannot be read as {feed.ending[1:]}: {error}. Get the file again.") from None


def _names(there: list[str], columns: tuple[int | str, ...], file: str) -> list[str]:
    """Return the names of the columns that hold head, relation and tail."""
    if not any(columns):
        low = {name.lower(): name for name in there}
        usual = next((u for u in _USUAL if set(u) <= set(low)), None)
        columns = tuple(low[name] for name in usual) if usual else (1, 2, 3)
    missing = [c for c in columns if (c not in there if isinstance(c, str) else c > len(there))]
    if missing or len(set(columns)) < 3:
        raise DataError(f"{file} has the columns {', '.join(there) or 'none'}; expected three of them, not {columns}.")
    return [c if isinstance(c, str) else there[c - 1] for c in columns]


def _sound(rows: "pl.DataFrame", names: list[str], feed: Feed, reading: Reading, at: int) -> "pl.DataFrame":
    """Return the rows as text, without those that lack a name."""
    import polars as pl

    try:
        rows = rows.select(pl.col(name).cast(pl.String) for name in names)
    except pl.exceptions.PolarsError:
        kinds = ", ".join(f"{name}: {rows[name].dtype}" for name in names)
        raise DataError(f"{feed.name}: the columns {kinds} are not names. Choose others.") from None
    size = pl.all().str.len_bytes() > reading.limits.field
    bad = rows.select(pl.any_horizontal(pl.all().is_null() | (pl.all().str.strip_chars() == "") | size)).to_series()
    if not bad.any():
        return rows
    for i in np.flatnonzero(bad.fill_null(True).to_numpy()).tolist():
        number, row = at + i + 1, rows.row(i)
        shown = tuple(str(each)[:40] for each in row)
        error = DataError(f"{feed.name}, row {number}: {shown} lacks a name, or one is longer than the limit 'field'.")
        reading.faults.met(feed.name, number, error, repr(shown).encode())
    return rows.filter(~bad.fill_null(True))

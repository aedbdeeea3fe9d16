"""Triples in columns: TSV, CSV and JSON lines."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias, final, get_args

import numpy as np

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge.blocks import Block, Naming
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.fields import Form, Row
from kgreason.knowledge.files import Paths, ending_of, endings_of, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines
from kgreason.knowledge.lines import read_fields

FormOrEnding: TypeAlias = Literal["ending", "tsv", "csv", "jsonl"]
TRIPLE_FORMS = ("tsv", "csv", "jsonl")
_ENDINGS: dict[str, Form] = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@final
class TriplesSource:
    """Reads one triple a line, at more than a million lines a second; no Python object is made for a line.

    Names are taken as they stand. Empty lines are skipped, repeated triples are kept once, and the order of the lines
    does not matter. Every entity is labelled by its name, with spaces for underscores, or by what `names` says.

    Args:
        path: The file, or several, or `-`; globs are expanded; packed files and archives are unpacked on the way.
        head: Which column holds the head: its number from 1, or its name in the first line. In JSON lines, a name is a
            key, and the numbers 1, 2, 3 stand for the keys `head`, `relation`, `tail` (or for places in a list).
        relation: Which column holds the relation.
        tail: Which column holds the tail.
        form: `tsv` (nothing is quoted), `csv` (with double quotes), `jsonl`, or what the file's `ending` says.
        names: A TSV file of entity (or relation) and label, one a line; the first label is the one that is shown.
            Lines about names that are in no triple are skipped. Empty: there is none.
        bad_lines: Whether a broken line is an error or is skipped and counted (`about["lines_skipped"]`).
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        ConfigError: If the columns are partly numbers and partly names, or a choice is unknown.
        DataError: If a line is broken; the message has its number.
    """

    naming = Naming()
    counted: tuple[str, ...] = ()

    def __init__(
        self,
        path: Paths,
        *,
        head: int | str = 1,
        relation: int | str = 2,
        tail: int | str = 3,
        form: FormOrEnding = "ending",
        names: str | Path = "",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.form, self.names = path, form, names
        self.columns = (head, relation, tail)
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})
        if form not in get_args(FormOrEnding):
            raise ConfigError(f"[knowledge] form = '{form}' is not known. Known: {', '.join(get_args(FormOrEnding))}.")
        if len({type(column) for column in self.columns}) > 1 or any(column in (0, "") for column in self.columns):
            raise ConfigError(
                f"[knowledge] head, relation, tail = {self.columns}: give three column numbers, counted from 1, "
                "or three column names."
            )

    def __call__(self) -> KnowledgeGraph:
        return build_graph(self)

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        return (*paths_of(self.path), *(paths_of(self.names) if self.names else ()))

    def lined(self, path: Path) -> bool:
        """Say whether each line of this file can be read alone."""
        ending, packing = endings_of(path)
        form = self.form if self.form != "ending" else _ENDINGS.get(ending, "")
        return not packing and form in ("tsv", "jsonl") and path in paths_of(self.path)

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        count, row = len(paths_of(self.path)), Row(("head", "relation", "tail"), self.columns)
        none = np.zeros((0, 2, 2), np.int32), np.zeros(0, np.int32)
        for start, feed in reading.feeds(self.files()):
            if start.path >= count:
                yield from _names(feed, reading, start)
                continue
            if self.form == "ending" and feed.inside and feed.ending not in _ENDINGS:
                continue
            for fields in read_fields(feed, _form(feed, self.form), row, reading, start):
                yield Block(fields.text, fields.spans, *none, fields.place)


def _names(feed: Feed, reading: Reading, start: Place) -> Iterator[Block]:
    """Yield the labels in a file; the first line is the best."""
    none, best = np.zeros((0, 3, 2), np.int32), start.line
    for fields in read_fields(feed, "tsv", Row(("name", "label"), (1, 2)), reading, start):
        rank = np.arange(best, best + len(fields.spans), dtype=np.int32)
        best = fields.place.line
        yield Block(fields.text, none, fields.spans, rank, fields.place)


def _form(feed: Feed, form: FormOrEnding) -> Form:
    if form != "ending":
        return form
    if feed.ending not in _ENDINGS:
        raise ConfigError(
            f"{feed.name}: the ending '{ending_of(feed.name)}' names no form of triples. Say form = tsv, csv or jsonl."
        )
    return _ENDINGS[feed.ending]

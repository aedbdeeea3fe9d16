"""ConceptNet's own dump: `conceptnet-assertions-5.7.0.csv.gz`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias, final, get_args

import numpy as np
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge.blocks import Block, Naming
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.feeds import Reading
from kgreason.knowledge.fields import Row
from kgreason.knowledge.files import Paths, endings_of, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines
from kgreason.knowledge.lines import read_fields
from kgreason.knowledge.wording import cut_at, cut_prefix

Senses: TypeAlias = Literal["join", "keep"]
_ROW = Row(("head", "relation", "tail"), (3, 2, 4))


@final
class ConceptNetSource:
    """Reads ConceptNet's dump (tab-separated: assertion, relation, start, end, JSON), one language of it.

    Entities are the terms without `/c/en/`, `new_york` of `/c/en/new_york/n/wn/location`, labelled with spaces for
    underscores; relations are without `/r/`. Assertions with another language or with an address on the web are left
    out and counted (`about["assertions_left_out"]`).

    Args:
        path: The file, or several, or `-`; packed files are unpacked on the way.
        language: Which language.
        senses: `join` takes all senses of a term for one entity, as ConceptNet's own tools do; `keep` makes
            `dog/n` and `dog/n/wn/animal` entities of their own.
        bad_lines: Whether a broken line is an error or is skipped and counted.
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        ConfigError: If a choice is unknown.
        DataError: If a line is broken; the message has its number.
    """

    naming = Naming()
    counted: tuple[str, ...] = ("assertions_left_out",)

    def __init__(
        self,
        path: Paths,
        *,
        language: str = "en",
        senses: Senses = "join",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.language, self.senses = path, language, senses
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})
        if senses not in get_args(Senses):
            raise ConfigError(f"[knowledge] senses = '{senses}' is not known. Known: join, keep.")

    def __call__(self) -> KnowledgeGraph:
        return build_graph(self)

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        return paths_of(self.path)

    def lined(self, path: Path) -> bool:
        """Say whether each line of this file can be read alone."""
        return not endings_of(path)[1]

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        term, kind = bytes_of(f"/c/{self.language}/"), bytes_of("/r/")
        none = np.zeros((0, 2, 2), np.int32), np.zeros(0, np.int32)
        for start, feed in reading.feeds(self.files()):
            for fields in read_fields(feed, "tsv", _ROW, reading, start):
                spans, kept = cut_spans(fields.text, fields.spans, (term, kind, term))
                if self.senses == "join":
                    spans = _joined(fields.text, spans)
                counts = {"assertions_left_out": int(len(kept) - kept.sum())}
                yield Block(fields.text, spans[kept], *none, fields.place, counts)


def _joined(text: ndarray, spans: ndarray) -> ndarray:
    """Return the spans with terms that end before their sense."""
    out = spans.copy()
    for column in (0, 2):
        begin, end = (np.ascontiguousarray(spans[:, column, side]) for side in (0, 1))
        cut_at(text, begin, end, ord("/"))
        out[:, column, 1] = end
    return out


def bytes_of(text: str) -> ndarray:
    """Return text as an array of its bytes."""
    return np.frombuffer(bytearray(text.encode()), np.uint8)


def cut_spans(text: ndarray, spans: ndarray, prefixes: tuple[ndarray, ...]) -> tuple[ndarray, ndarray]:
    """Return the spans behind their prefixes, one for each field; and the rows in which every field has its prefix."""
    kept, out = np.ones(len(spans), np.bool_), spans.copy()
    for column, prefix in enumerate(prefixes):
        if len(prefix):
            begin, end = (np.ascontiguousarray(spans[:, column, side]) for side in (0, 1))
            cut_prefix(text, begin, end, prefix, kept)
            out[:, column, 0] = begin
    return out, kept

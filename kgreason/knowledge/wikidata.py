"""Wikidata's dump of truthy statements in N-Triples: `latest-truthy.nt.gz` (or `.bz2`)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import final

from kgreason.data import KnowledgeGraph
from kgreason.knowledge.blocks import Block, Naming
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.conceptnet import bytes_of, cut_spans
from kgreason.knowledge.feeds import Reading
from kgreason.knowledge.files import Paths, endings_of, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines
from kgreason.knowledge.rdf import StatementScanner
from kgreason.knowledge.statements import read_statements

_LABELS = (
    "http://www.w3.org/2000/01/rdf-schema#label",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://schema.org/name",
    "http://www.w3.org/2004/02/skos/core#altLabel",
)
_ENTITY, _DIRECT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"


@final
class WikidataSource:
    """Reads Wikidata's truthy statements between items, and the names of items in one language.

    Entities are `Q42`, relations `P31`, which are called what their properties are called. Statements with a value
    (dates, numbers, identifiers), site links, descriptions and names in other languages are left out and counted.

    Args:
        path: The file, or several, or `-`; packed files are unpacked on the way.
        language: The language of the names.
        bad_lines: Whether a broken line is an error or is skipped and counted.
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        DataError: If a line is broken; the message has its number.
    """

    naming = Naming(every=False, shown=len(_LABELS))
    counted: tuple[str, ...] = ("literals_left_out", "statements_left_out")

    def __init__(
        self,
        path: Paths,
        *,
        language: str = "en",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.language = path, language
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})

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
        scanner = StatementScanner(_LABELS, self.language, "drop", self.limits.field)
        entity, direct, nothing = bytes_of(_ENTITY), bytes_of(_DIRECT), bytes_of("")
        for start, feed in reading.feeds(self.files()):
            for content, place in read_statements(feed, "nt", reading, start):
                block = scanner.scan(content, b"", place, feed)
                triples, kept = cut_spans(block.text, block.triples, (entity, direct, entity))
                named, known = cut_spans(block.text, block.named, (entity, nothing))
                yield replace(
                    block,
                    triples=triples[kept],
                    named=named[known],
                    rank=block.rank[known],
                    counts={**block.counts, "statements_left_out": int(len(kept) - kept.sum())},
                )

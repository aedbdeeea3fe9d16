"""RDF in all its written forms."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, final, get_args

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.blocks import FRESH, Block, Naming
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.files import Paths, endings_of, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines
from kgreason.knowledge.scanquads import scan_quads
from kgreason.knowledge.statements import LINED, SYNTAX, SYNTAXES, read_statements, syntax_of
from kgreason.knowledge.wording import plain_names

#: What names an entity, the name that is shown first.
LABELS = (
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "https://schema.org/name",
    "http://schema.org/name",
    "http://xmlns.com/foaf/0.1/name",
    "http://www.w3.org/2004/02/skos/core#altLabel",
    "http://www.geneontology.org/formats/oboInOwl#hasExactSynonym",
    "http://www.w3.org/2004/02/skos/core#hiddenLabel",
)
#: Behind it stand names that are no IRIs, in the RDF that kgreason writes; it is taken away again.
NAMESPACE = b"urn:kgreason-name:"
_PREFIX = np.frombuffer(bytearray(NAMESPACE), np.uint8)
Foreign: TypeAlias = Literal["keep", "drop"]


@final
class RdfSource:
    """Reads Turtle, N-Triples, N-Quads, TriG, N3, RDF/XML, JSON-LD, TriX and HexTuples, packed or in archives, too.

    Entities and relations are named by their IRI. Blank nodes of N-Triples and N-Quads keep their names (of several
    files, with the file's number before them); those of other syntaxes are `_:b0`, `_:b1`, … in the order in which
    they are met. Triples with a literal are left out and counted (`about["literals_left_out"]`), except that the
    relations in `labels` become labels, in every language; which one is shown follows that order, in `language` or
    without one before any other. An IRI that nobody named is labelled by its last part. The labels of a relation
    (`KnowledgeGraph.relation_labels`) are those in `language` or without one; a relation that only has labels is no
    entity. Named graphs are merged. An IRI relative to the file becomes `file:///NAME…`, so that the graph does not
    depend on the folder the file lies in; `urn:kgreason-name:New%20York`, as `export_graph` writes names that are no
    IRIs, becomes `New York` again. Nothing is ever fetched from the web, and no XML entity leads outside.

    Args:
        path: The file, or several, or `-`; globs are expanded.
        syntax: `turtle`, `nt`, `nquads`, `trig`, `n3`, `xml`, `json-ld`, `trix`, `hext`, or what the file's `ending`
            says.
        language: The language of the names that are shown.
        foreign: Whether names in other languages are labels, too.
        labels: The relations that give labels, the best first.
        base: What relative IRIs are relative to, instead of `file:///NAME`.
        bad_lines: Whether a broken statement is an error or is skipped and counted (`about["lines_skipped"]`).
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        ConfigError: If the syntax or another choice is unknown.
        DataError: If a file is broken or holds no triple between two entities.
    """

    counted: tuple[str, ...] = ("literals_left_out",)

    def __init__(
        self,
        path: Paths,
        *,
        syntax: str = "ending",
        language: str = "en",
        foreign: Foreign = "keep",
        labels: Sequence[str] = LABELS,
        base: str = "",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.syntax, self.language, self.foreign, self.labels = path, syntax, language, foreign, labels
        self.base = base
        self.naming = Naming("last part", every=False, lonely=True, shown=len(labels))
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})
        if syntax != "ending" and syntax not in SYNTAXES:
            raise ConfigError(f"[knowledge] syntax = '{syntax}' is not known. Known: ending, {', '.join(SYNTAXES)}.")
        if foreign not in get_args(Foreign):
            raise ConfigError(f"[knowledge] foreign = '{foreign}' is not known. Known: keep, drop.")

    def __call__(self) -> KnowledgeGraph:
        return build_graph(self)

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        return paths_of(self.path)

    def lined(self, path: Path) -> bool:
        """Say whether each line of this file can be read alone."""
        ending, packing = endings_of(path)
        return not packing and (self.syntax if self.syntax != "ending" else SYNTAX.get(ending, "")) in LINED

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        paths = self.files()
        alone = len(paths) == 1 and endings_of(paths[0])[0] not in (".zip", ".tar")
        scanner = StatementScanner(self.labels, self.language, self.foreign, self.limits.field)
        for start, feed in reading.feeds(paths):
            if self.syntax == "ending" and feed.inside and feed.ending not in SYNTAX:
                continue
            syntax = syntax_of(feed, self.syntax)
            prefix = b"" if alone else f"f{start.path}.{start.member}.".encode()
            if syntax not in LINED:
                prefix = FRESH[2:] + f"{start.path:05}.{start.member:05}.".encode()
            for content, place in read_statements(feed, syntax, reading, start, self.base):
                yield scanner.scan(content, prefix, place, feed)


@final
class StatementScanner:
    """Turns canonical N-Quads into blocks."""

    def __init__(self, labels: Sequence[str], language: str, foreign: Foreign, limit: int) -> None:
        names = [label.encode() for label in labels]
        starts = np.concatenate([[0], np.cumsum([len(name) for name in names])]).astype(np.int64)
        language_bytes = np.frombuffer(language.lower().encode(), np.uint8).copy()
        self._wanted = (np.frombuffer(b"".join(names) + b"\0", np.uint8).copy(), starts, language_bytes)
        self._ranks, self._foreign, self._limit = len(names), foreign, limit

    def scan(self, content: bytes, prefix: bytes, place: Place, feed: Feed) -> Block:
        """Return the triples and labels in some statements.

        Raises:
            DataError: If a name is longer than the limit.
        """
        lines, nodes = content.count(b"\n"), content.count(b"_:") if prefix else 0
        text = np.empty(len(content) * (2 if nodes else 1) + nodes * len(prefix) + 1, np.uint8)
        text[: len(content)] = np.frombuffer(content, np.uint8)
        triples, named = np.empty((lines, 3, 2), np.int32), np.empty((lines, 2, 2), np.int32)
        rank = np.empty(lines, np.int32)
        before = np.frombuffer(prefix, np.uint8).copy()
        rows, labels, left, terms, room = scan_quads(text, len(content), before, self._wanted, (triples, named, rank))
        triples, named, rank = triples[:rows], named[:labels], rank[:labels]
        if self._foreign == "drop":
            named, rank = named[rank < self._ranks], rank[rank < self._ranks]
        if NAMESPACE in content:
            for column in range(3):
                plain_names(text, triples, column, _PREFIX)
            plain_names(text, named, 0, _PREFIX)
        self._check(text, triples, place, feed)
        self._check(text, named, place, feed)
        counts = {"literals_left_out": left} | ({"triple_terms_left_out": terms} if terms else {})
        return Block(text[:room], triples, named, rank, place, counts, len(content) if nodes else 2**31 - 1)

    def _check(self, text: ndarray, spans: Int32[ndarray, "rows fields 2"], place: Place, feed: Feed) -> None:
        sizes = spans[..., 1] - spans[..., 0]
        if sizes.max(initial=0) > self._limit:
            row, column = np.unravel_index(int(sizes.argmax()), sizes.shape)
            begin = int(spans[row, column, 0])
            shown = text[begin : begin + 40].tobytes().decode("utf-8", "replace")
            where = f"line {place.line} or before" if place.line else f"before byte {feed.offset:,}"
            raise DataError(
                f"{feed.name}, {where}: the name '{shown}…' has {int(sizes.max()):,} bytes, more than {self._limit:,} "
                "(the limit 'field')."
            )

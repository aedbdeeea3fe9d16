"""RDF in all its written forms, through rdflib."""

import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final
from urllib.parse import quote, unquote

import numpy as np

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.files import Paths, ending_of, open_plain, paths_of
from kgreason.knowledge.labels import build_labels
from kgreason.knowledge.strings import StringTable

if TYPE_CHECKING:
    from rdflib import Dataset
    from rdflib.term import Node

_SYNTAX = {
    ".ttl": "turtle",
    ".n3": "n3",
    ".nt": "nt",
    ".nq": "nquads",
    ".trig": "trig",
    ".rdf": "xml",
    ".owl": "xml",
    ".xml": "xml",
    ".jsonld": "json-ld",
    ".trix": "trix",
    ".hext": "hext",
}
#: Every syntax by rdflib's name for it.
SYNTAXES = tuple(dict.fromkeys(_SYNTAX.values()))
#: What names an entity, the name that is shown first.
_LABELS = (
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    "https://schema.org/name",
    "http://schema.org/name",
    "http://www.w3.org/2004/02/skos/core#altLabel",
)


@final
@dataclass(slots=True)
class _Found:
    """What was read: triples and labels by name, and how many literals were left out."""

    triples: list[tuple[str, str, str]] = field(default_factory=list)
    names: list[tuple[str, int, str]] = field(default_factory=list)  # entity, how good a name it is, the name
    blanks: dict["Node", str] = field(default_factory=dict)
    literals: int = 0


@final
class RdfSource:
    """Reads Turtle, N-Triples, N-Quads, TriG, N3, RDF/XML, JSON-LD, TriX and HexTuples; `.gz` is unpacked on the way.

    Entities and relations are named by their IRI; blank nodes are `_:b0`, `_:b1`, … in the order in which they are met.
    Triples with a literal are left out and counted (`about["literals_left_out"]`), except that `skos:prefLabel`,
    `rdfs:label`, `schema:name` and `skos:altLabel` become labels, in every language; which one is shown follows that
    order, in `language` or without one before any other. An IRI that nobody named is labelled by its last part. The
    labels of a relation (`KnowledgeGraph.relation_labels`) are those in `language` or without one; a relation that
    only has labels is no entity. Named graphs are merged. An IRI relative to the file becomes `file:///NAME…`, so that
    the graph does not depend on the folder the file lies in.

    Args:
        path: The file, or several.
        syntax: `turtle`, `nt`, `nquads`, `trig`, `n3`, `xml`, `json-ld`, `trix`, `hext`, or what the file's `ending`
            says. A JSON-LD file whose context lies on the web makes rdflib fetch it.
        language: The language of the names that are shown.

    Raises:
        ConfigError: If the syntax is unknown.
        DataError: If a file is broken or holds no triple between two entities.
    """

    def __init__(self, path: Paths, *, syntax: str = "ending", language: str = "en") -> None:
        self.path, self.syntax, self.language = path, syntax, language
        if syntax != "ending" and syntax not in SYNTAXES:
            raise ConfigError(f"[knowledge] syntax = '{syntax}' is not known. Known: ending, {', '.join(SYNTAXES)}.")

    def __call__(self) -> KnowledgeGraph:
        found, paths = _Found(), paths_of(self.path)
        for path in paths:
            with _quiet():
                _collect(_parsed(path, self.syntax, found.blanks), found, self.language)
        if not found.triples:
            raise DataError(f"{paths[0]} holds no triple between two entities ({found.literals} with literals).")
        relations = Vocab(sorted({r for _, r, _ in found.triples}))
        ends = {name for h, _, t in found.triples for name in (h, t)}
        entities = sorted(ends | {name for name, _, _ in found.names if name not in relations})
        table = StringTable.of(entities)
        ids = {name: i for i, name in enumerate(entities)}
        rows = np.array([(ids[h], relations.id(r), ids[t]) for h, r, t in found.triples], np.int32)
        about = {
            "source": " ".join(path.name for path in paths),
            "literals_left_out": str(found.literals),
        }
        named = [row for row in found.names if row[0] in ids]
        called = _called(row for row in found.names if row[0] in relations)
        return KnowledgeGraph.from_ids(table, relations, rows, _labels(entities, ids, named), about, called)


def _parsed(path: Path, syntax: str, blanks: dict["Node", str]) -> "Dataset":
    from rdflib import BNode, Dataset
    from rdflib.store import TripleAddedEvent, TripleRemovedEvent

    form = _SYNTAX.get(ending_of(path), "") if syntax == "ending" else syntax
    if not form:
        raise ConfigError(f"{path}: the ending '{ending_of(path)}' names no RDF syntax. Say which it is with 'syntax'.")
    dataset = Dataset(default_union=True)

    def number(event: Any) -> None:
        # rdflib names blank nodes at random and lists triples in no order; only here the order of the file is known.
        for node in event.triple:
            if isinstance(node, BNode):
                blanks.setdefault(node, f"_:b{len(blanks)}")

    dispatcher: Any = dataset.store.dispatcher
    dispatcher.subscribe(TripleAddedEvent, number)
    dispatcher.subscribe(TripleRemovedEvent, lambda _: None)  # the dispatcher refuses unknown events
    try:
        with open_plain(path) as file:
            dataset.parse(file, format=form, publicID=f"file:///{quote(path.name)}")
    except Exception as error:  # every parser of rdflib has errors of its own
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path} is not {form}: {said[:300]}. If it is another syntax, say which with 'syntax'."
        ) from None
    return dataset


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep rdflib from printing a traceback for each literal that is not of its datatype, and warnings about itself."""
    log = logging.getLogger("rdflib.term")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        log.setLevel(before)


def _collect(dataset: "Dataset", found: _Found, language: str) -> None:
    from rdflib import BNode, Literal

    def name(node: "Node") -> str:
        return found.blanks[node] if isinstance(node, BNode) else str(node)

    for subject, predicate, value, _ in dataset.quads():
        if not isinstance(value, Literal):
            found.triples.append((name(subject), name(predicate), name(value)))
        elif str(predicate) in _LABELS:
            foreign = value.language is not None and not value.language.lower().startswith(language.lower())
            found.names.append((name(subject), _LABELS.index(str(predicate)) + len(_LABELS) * foreign, str(value)))
        else:
            found.literals += 1


def _labels(entities: list[str], ids: dict[str, int], names: list[tuple[str, int, str]]) -> Labels:
    import polars as pl

    named = {entity for entity, _, _ in names}
    rows = sorted((rank, entity, " ".join(name.split())) for entity, rank, name in names)
    rows += [(0, entity, _last_part(entity)) for entity in entities if entity not in named]
    return build_labels(
        pl.Series([name for _, _, name in rows], dtype=pl.String),
        np.array([ids[entity] for _, entity, _ in rows], np.int32),
        np.ones(len(rows)),
        np.full(len(entities), -1, np.int8),
    )


def _called(names: Iterable[tuple[str, int, str]]) -> dict[str, list[str]]:
    """Return what each relation is called, the best name first; names in a foreign language are left out."""
    called: dict[str, list[str]] = {}
    for relation, rank, name in sorted(names):
        text = " ".join(name.split())
        if rank < len(_LABELS) and text and text not in called.get(relation, ()):
            called.setdefault(relation, []).append(text)
    return called


def _last_part(iri: str) -> str:
    """Return the name in an IRI: `New York` of `http://dbpedia.org/resource/New_York`; nothing of a blank node."""
    if iri.startswith("_:"):
        return ""
    return unquote(iri.rstrip("/#").replace("#", "/").rpartition("/")[2]).replace("_", " ")

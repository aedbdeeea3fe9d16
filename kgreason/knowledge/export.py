"""Writes a graph in forms that others read: N-Triples, TSV, GraphML, rdflib."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.rdf import NAMESPACE
from kgreason.knowledge.writing import writing
from kgreason.whole import new_file

if TYPE_CHECKING:
    from rdflib import Graph

_NAMESPACE = NAMESPACE.decode()
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
_ROWS = 2**16
_KEPT = "-._~!$&'()*+,;=:@/"

Piece: TypeAlias = Iterator[str]


def export_graph(graph: KnowledgeGraph, path: Path | str, form: str = "") -> Path:
    """Write a graph to a file, whole or not at all, and return its path. Only some thousand triples are held at once.

    Args:
        graph: The graph.
        path: The file.
        form: `nt`, `tsv` or `graphml`; nothing if the file's ending says it.

    Raises:
        ConfigError: If the form is unknown.
        DataError: If a name cannot be written in it (a tab in TSV, a control character in GraphML).
        StoreError: If the file cannot be written.
    """
    path = Path(path)
    form = form or path.suffix.lower().lstrip(".")
    if form not in FORMS:
        raise ConfigError(f"A graph cannot be written as '{form}'. Known: {', '.join(FORMS)}; say which with --form.")
    with writing(path), new_file(path) as file:
        _write(file, FORMS[form](graph))
    return path


def _write(file: BinaryIO, pieces: Piece) -> None:
    for piece in pieces:
        file.write(piece.encode())


def _rows(graph: KnowledgeGraph) -> Iterator[list[tuple[int, int, int]]]:
    """Yield the triples by id, some thousand at once."""
    for begin in range(0, graph.num_triples, _ROWS):
        end = min(begin + _ROWS, graph.num_triples)
        heads = np.searchsorted(graph.head_ptr, np.arange(begin, end), "right") - 1
        rows = np.stack([heads, graph.relation[begin:end], graph.tail[begin:end]], axis=1)
        yield [(h, r, t) for h, r, t in rows.tolist()]


def _labels(graph: KnowledgeGraph) -> Iterator[tuple[int, str, bool]]:
    """Yield what entities are called: the entity, the text, and whether it is the one that is shown.

    What is called by its id for want of a name is left out: readers make that label again.
    """
    labels = graph.labels
    given = np.asarray(labels.given) if len(labels.given) else np.ones(len(graph.entities), np.uint8)
    for begin in range(0, len(labels.entity), _ROWS):
        end = min(begin + _ROWS, len(labels.entity))
        of = np.searchsorted(labels.ptr, np.arange(begin, end), "right") - 1
        for entity, label in zip(labels.entity[begin:end].tolist(), of.tolist(), strict=True):
            if given[entity]:
                yield entity, labels.names[label], int(labels.preferred[entity]) == label


def iri_of(name: str) -> str:
    """Return a name as an IRI: itself if it is one, else behind `urn:kgreason-name:`.

    >>> iri_of("http://example.org/a"), iri_of("New York")
    ('http://example.org/a', 'urn:kgreason-name:New%20York')
    """
    import pyoxigraph as ox

    if not name.startswith(_NAMESPACE):
        try:
            return ox.NamedNode(name).value
        except ValueError:
            pass
    return _NAMESPACE + quote(name, safe=_KEPT)


def _node(name: str) -> str:
    return name if _is_blank_node(name) else f"<{iri_of(name)}>"


def _is_blank_node(name: str) -> bool:
    return (
        name.startswith("_:")
        and name[2:].replace(".", "").replace("_", "").isalnum()
        and name.isascii()
        and (not name.endswith(".") and name[2] != ".")
    )


def _literal(text: str) -> str:
    import pyoxigraph as ox

    return str(ox.Literal(text))


def ntriples(graph: KnowledgeGraph) -> Piece:
    """Yield N-Triples: the triples, then every label, `rdfs:label` for the one that is shown and `skos:altLabel`."""
    relations = [f"<{iri_of(name)}>" for name in graph.relations]
    for rows in _rows(graph):
        names = {i: _node(graph.entities[i]) for row in rows for i in (row[0], row[2])}
        yield "".join(f"{names[h]} {relations[r]} {names[t]} .\n" for h, r, t in rows)
    for entity, text, shown in _labels(graph):
        yield f"{_node(graph.entities[entity])} <{LABEL if shown else ALIAS}> {_literal(text)} .\n"
    for name, texts in graph.relation_labels.items():
        for k, text in enumerate(texts):
            yield f"<{iri_of(name)}> <{LABEL if k == 0 else ALIAS}> {_literal(text)} .\n"


def tsv(graph: KnowledgeGraph) -> Piece:
    """Yield one triple a line, without labels.

    Raises:
        DataError: If a name has a tab, or a newline.
    """
    relations = [_field(name) for name in graph.relations]
    for rows in _rows(graph):
        names = {i: _field(graph.entities[i]) for row in rows for i in (row[0], row[2])}
        yield "".join(f"{names[h]}\t{relations[r]}\t{names[t]}\n" for h, r, t in rows)


def _field(name: str) -> str:
    if any(c in name for c in "\t\n\r") or name.startswith("\ufeff"):
        raise DataError(f"The name {name!r} has a tab or a newline, which TSV cannot hold. Export as nt instead.")
    return name


def graphml(graph: KnowledgeGraph) -> Piece:
    """Yield GraphML that networkx, Gephi, yEd and Cytoscape read: `label` on nodes, `relation` on edges.

    Raises:
        DataError: If a name has a control character, which XML cannot hold.
    """
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    yield '<key id="label" for="node" attr.name="label" attr.type="string"/>\n'
    yield '<key id="relation" for="edge" attr.name="relation" attr.type="string"/>\n<graph edgedefault="directed">\n'
    for i, name in enumerate(graph.entities):
        yield f'<node id={_attribute(name)}><data key="label">{escape(_sound(graph.label(i)))}</data></node>\n'
    relations = [escape(_sound(name)) for name in graph.relations]
    for rows in _rows(graph):
        names = {i: _attribute(graph.entities[i]) for row in rows for i in (row[0], row[2])}
        yield "".join(
            f'<edge source={names[h]} target={names[t]}><data key="relation">{relations[r]}</data></edge>\n'
            for h, r, t in rows
        )
    yield "</graph>\n</graphml>\n"


def _attribute(name: str) -> str:
    return quoteattr(_sound(name), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _sound(text: str) -> str:
    if any((c < " " and c not in "\t\n\r") or "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" for c in text):
        raise DataError(f"The name {text!r} has a control character, which XML cannot hold. Export as nt instead.")
    return text


#: How a graph is written, by form.
FORMS: dict[str, Callable[[KnowledgeGraph], Piece]] = {"nt": ntriples, "tsv": tsv, "graphml": graphml}


def to_rdflib(graph: KnowledgeGraph) -> "Graph":
    """Turn a knowledge graph into an `rdflib.Graph`, with its labels; names that are no IRIs as `iri_of` says.

    For small graphs: rdflib takes about 1,300 bytes a triple.
    """
    from rdflib import BNode, Graph, Literal, URIRef

    def node(name: str) -> BNode | URIRef:
        return BNode(name[2:]) if _is_blank_node(name) else URIRef(iri_of(name))

    made = Graph()
    names = [node(name) for name in graph.entities]
    relations = [URIRef(iri_of(name)) for name in graph.relations]
    for rows in _rows(graph):
        for h, r, t in rows:
            made.add((names[h], relations[r], names[t]))
    for entity, text, shown in _labels(graph):
        made.add((names[entity], URIRef(LABEL if shown else ALIAS), Literal(text)))
    for name, texts in graph.relation_labels.items():
        for k, text in enumerate(texts):
            made.add((URIRef(iri_of(name)), URIRef(LABEL if k == 0 else ALIAS), Literal(text)))
    return made

"""RDF through rdflib: the syntaxes that pyoxigraph lacks, and the reference for those that it has."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kgreason.errors import DataError
from kgreason.knowledge.files import Bytes

if TYPE_CHECKING:
    import pyoxigraph as ox
    from rdflib.term import Node

_MOST = 2**28  # bytes: rdflib holds a whole file, and fifty times as much for its triples


def reference_quads(file: Bytes, syntax: str, name: str, base: str) -> "list[ox.Quad]":
    """Return the statements of a file in the order in which rdflib meets them. The whole file is held in memory.

    Raises:
        DataError: If the file is broken or has more than 256 MiB.
    """
    import pyoxigraph as ox
    from rdflib import Dataset
    from rdflib.store import TripleAddedEvent, TripleRemovedEvent

    content = _whole(file, name)
    dataset = Dataset(default_union=True)
    met: list[tuple[Node, Node, Node]] = []
    dispatcher: Any = dataset.store.dispatcher
    dispatcher.subscribe(TripleAddedEvent, lambda event: met.append(event.triple))
    dispatcher.subscribe(TripleRemovedEvent, lambda _: None)  # the dispatcher refuses unknown events
    try:
        with quiet():
            dataset.parse(data=content, format=syntax, publicID=base)
            return [ox.Quad(*map(_term, triple)) for triple in met]
    except Exception as error:  # every parser of rdflib has errors of its own
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{name} is not {syntax}: {said[:300]}. If it is another syntax, say which with 'syntax'."
        ) from None


def _whole(file: Bytes, name: str) -> bytes:
    pieces, size = [], 0
    while piece := file.read(2**20):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST:
            raise DataError(f"{name} has more than {_MOST:,} bytes; convert it to Turtle or N-Triples first.")
    return b"".join(pieces)


def _term(node: "Node") -> Any:
    import pyoxigraph as ox
    from rdflib import BNode, Literal

    if isinstance(node, BNode):
        return ox.BlankNode(str(node))
    if isinstance(node, Literal):
        kind = ox.NamedNode(str(node.datatype)) if node.datatype and not node.language else None
        return ox.Literal(str(node), language=node.language, datatype=kind)
    return ox.NamedNode(str(node))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
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

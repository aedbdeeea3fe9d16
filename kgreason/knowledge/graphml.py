"""GraphML in a stream: no tree of the file is made."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import final
from xml.parsers import expat

from kgreason.data import KnowledgeGraph
from kgreason.errors import DataError
from kgreason.knowledge.blocks import Block, Naming, block_of
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.files import Paths, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines
from kgreason.knowledge.xmlguard import GuardedXml

_AT_ONCE = 20_000
_PIECE = 2**16


@final
class GraphmlSource:
    """Reads GraphML as networkx, yEd, Gephi and others write it.

    Nodes become entities, named by their ids; the node attribute `label` becomes a label. Edges become triples; one
    that is not directed becomes two, one each way. Nodes without an edge are left out, and so are all other attributes.

    Args:
        path: The file, or several, or `-`; packed files and archives are unpacked on the way.
        relation: The edge attribute that holds the relation.
        otherwise: The relation of edges without that attribute.
        label: The node attribute that holds the label.
        bad_lines: As in other sources; an edge without ends can be skipped, a broken document cannot.
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        DataError: If the file is broken, or there is no edge.
    """

    naming = Naming()
    counted: tuple[str, ...] = ()

    def __init__(
        self,
        path: Paths,
        *,
        relation: str = "relation",
        otherwise: str = "related_to",
        label: str = "label",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.relation, self.otherwise, self.label = path, relation, otherwise, label
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})

    def __call__(self) -> KnowledgeGraph:
        return build_graph(self)

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        return paths_of(self.path)

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        for start, feed in reading.feeds(self.files()):
            handler = _Handler(feed, reading, (self.relation, self.otherwise, self.label))
            yield from handler.blocks(start)


@final
class _Handler:
    """What the parser of XML calls."""

    def __init__(self, feed: Feed, reading: Reading, wanted: tuple[str, str, str]) -> None:
        self.feed, self.reading = feed, reading
        self.relation, self.otherwise, self.label = wanted
        self.triples: list[tuple[str, str, str]] = []
        self.named: list[tuple[str, int, str]] = []
        self.keys: dict[str, str] = {}
        self.directed = [True]
        self.open: list[tuple[str, dict[str, str]]] = []
        self.data, self.text, self.inside = dict[str, str](), list[str](), ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters

    def blocks(self, start: Place) -> Iterator[Block]:
        here, file = Place(start.path, start.member, sure=False), GuardedXml(self.feed, self.reading.limits)
        try:
            while data := file.read(_PIECE):
                self.parser.Parse(data, False)
                if len(self.triples) + len(self.named) > _AT_ONCE:
                    yield self._block(here)
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DataError(f"{self.feed.name} cannot be read as graphml: {error}.") from None
        yield self._block(Place(start.path, start.member + 1))

    def _block(self, place: Place) -> Block:
        block = block_of(self.triples, self.named, place)
        self.triples, self.named = [], []
        return block

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "key":
            self.keys[attributes.get("id", "")] = attributes.get("attr.name", attributes.get("id", ""))
        elif tag == "graph":
            self.directed.append(attributes.get("edgedefault", "directed") != "undirected")
        elif tag in ("node", "edge"):
            self.open.append((tag, attributes))
            self.data = {}
        elif tag == "data":
            self.inside = self.keys.get(attributes.get("key", ""), attributes.get("key", ""))
            self.text = []

    def characters(self, text: str) -> None:
        if self.inside:
            self.text.append(text)

    def end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "data":
            self.data[self.inside] = " ".join("".join(self.text).split())
            self.inside = ""
        elif tag == "graph":
            self.directed.pop()
        elif tag in ("node", "edge") and self.open:
            (self._node if tag == "node" else self._edge)(self.open.pop()[1])

    def _node(self, attributes: dict[str, str]) -> None:
        if label := self.data.get(self.label):
            self.named.append((attributes.get("id", ""), 0, label))

    def _edge(self, attributes: dict[str, str]) -> None:
        ends = attributes.get("source", ""), attributes.get("target", "")
        if not all(each.strip() for each in ends):
            line = self.parser.CurrentLineNumber
            where = f"{self.feed.name}, line {line}"
            self.reading.faults.met(
                self.feed.name, line, DataError(f"{where}: an edge has no source or no target, or a blank one.")
            )
            return
        relation = self.data.get(self.relation) or self.otherwise
        self.triples.append((ends[0], relation, ends[1]))
        said = attributes.get("directed")
        if (said == "false") if said else not self.directed[-1]:
            self.triples.append((ends[1], relation, ends[0]))

"""To and from networkx."""

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kgreason.data import KnowledgeGraph
from kgreason.errors import DataError
from kgreason.knowledge.archives import Raw, feeds_of
from kgreason.knowledge.files import ending_of, paths_of
from kgreason.knowledge.limits import Limits
from kgreason.knowledge.xmlguard import GuardedXml

if TYPE_CHECKING:
    import networkx as nx


def graph_from_networkx(graph: "nx.Graph", relation: str = "relation", otherwise: str = "related_to") -> KnowledgeGraph:
    """Turn a networkx graph of any kind into a knowledge graph.

    Nodes become entities, named by `str(node)`; a node attribute `label` becomes its label. An edge that is not
    directed becomes two triples, one each way. Nodes without an edge are left out.

    Args:
        graph: A Graph, DiGraph, MultiGraph or MultiDiGraph.
        relation: The edge attribute that holds the relation.
        otherwise: The relation of edges without that attribute.

    Raises:
        DataError: If two nodes have the same name, a name is blank, or there is no edge.
    """
    names: dict[Any, str] = {node: str(node) for node in graph}
    if len(set(names.values())) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names.values() if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise DataError(f"Two nodes of the networkx graph are both named '{twice}'. Rename one with nx.relabel_nodes.")
    if any(not name.strip() for name in names.values()):
        raise DataError("A node of the networkx graph has a blank name. Rename it with nx.relabel_nodes.")
    triples = [(names[h], str(data.get(relation, otherwise)), names[t]) for h, t, data in graph.edges(data=True)]
    if not graph.is_directed():
        triples += [(t, r, h) for h, r, t in triples]
    if not triples:
        raise DataError("The networkx graph has no edge; a knowledge graph needs at least one triple.")
    labels = {names[node]: [str(label)] for node, label in graph.nodes(data="label") if label is not None}
    return KnowledgeGraph.from_triples(triples, labels)


def to_networkx(graph: KnowledgeGraph) -> "nx.MultiDiGraph":
    """Turn a knowledge graph into a MultiDiGraph: nodes by name with `label`, edges with `relation` (also their key).

    For small graphs: networkx takes about 1,400 bytes a triple.
    """
    import networkx as nx

    network = nx.MultiDiGraph()
    names = list(graph.entities)
    network.add_nodes_from((name, {"label": graph.label(i)}) for i, name in enumerate(names))
    for h, r, t in graph.triples.tolist():
        network.add_edge(names[h], names[t], key=graph.relations[r], relation=graph.relations[r])
    return network


@final
class NetworkFile:
    """Reads a graph file of networkx: `.gexf`, `.gml` or `.graphml`. For an object in memory: `graph_from_networkx`.

    networkx holds the whole file in memory; `GraphmlSource` reads GraphML in a stream.

    Args:
        path: The file; packed ones are unpacked on the way.
        relation: The edge attribute that holds the relation.
        otherwise: The relation of edges without that attribute.

    Raises:
        DataError: If the file is broken, or as `graph_from_networkx`.
    """

    def __init__(self, path: str | Path, *, relation: str = "relation", otherwise: str = "related_to") -> None:
        self.path, self.relation, self.otherwise = path, relation, otherwise

    def __call__(self) -> KnowledgeGraph:
        import networkx as nx

        (path,) = paths_of(self.path)
        readers = {".graphml": nx.read_graphml, ".gexf": nx.read_gexf, ".gml": nx.read_gml}
        if ending_of(path) not in readers:
            raise DataError(f"{path}: the ending '{ending_of(path)}' is none of {', '.join(readers)}.")
        content = _content(path)
        try:
            network = readers[ending_of(path)](io.BytesIO(content))
        except Exception as error:  # XML and GML each have errors of their own
            raise DataError(f"{path} cannot be read as {ending_of(path)[1:]}: {error}") from None
        return graph_from_networkx(network, self.relation, self.otherwise)


def _content(path: Path) -> bytes:
    """Return what is in a file; of XML, only what no bomb holds."""
    limits, pieces = Limits(), list[bytes]()
    with contextlib.closing(Raw(path)) as raw:
        for feed in feeds_of(raw, limits):
            file = feed if feed.ending == ".gml" else GuardedXml(feed, limits)
            while piece := file.read(2**20):
                pieces.append(piece)
    return b"".join(pieces)

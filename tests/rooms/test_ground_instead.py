"""Another text's subgraph, no text, no edges, facts in the wrong place: each takes away what it says, and no more."""

from collections import Counter

import numpy as np
import pytest

from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError
from kgreason.ground import GROUNDERS, AlignGrounder, NeighbourGrounder
from kgreason.parse import SurfaceParser
from kgreason.rooms import Grounder

KNOWLEDGE = KnowledgeGraph.from_triples(
    [("dog", "is_a", "animal"), ("cat", "is_a", "animal"), ("dog", "chases", "cat"), ("tree", "has", "leaf")]
    + [(f"w{i}", "next", f"w{i + 1}") for i in range(6)]
)
EXAMPLES = [
    Example("a", ("The dog runs.", "A cat sleeps there now."), ("premise", "hypothesis")),
    Example("b", ("A tree.", "A leaf falls."), ("premise", "hypothesis")),
    Example("c", ("w0 w1 w2 w3 w4 w5", "w6"), ("premise", "hypothesis")),
]


@pytest.fixture
def graphs() -> list[LogicGraph]:
    return SurfaceParser()(EXAMPLES)


def around(name: str, inner: Grounder | None = None, **given: object) -> Grounder:
    return GROUNDERS.build({"name": name, **given}, around=inner or NeighbourGrounder())


def entities(graph: LogicGraph) -> set[int]:
    return set(graph.node_entity[graph.node_type == NodeType.ENTITY].tolist())


def facts(graph: LogicGraph) -> Counter[tuple[int, ...]]:
    mine = graph.edge_type == EdgeType.KNOWLEDGE
    ends = graph.node_entity[graph.edge_index[:, mine]]
    return Counter(map(tuple, np.stack([ends[0], graph.edge_relation[mine], ends[1]]).T.tolist()))


def test_everyone_gets_the_subgraph_of_another(graphs: list[LogicGraph]) -> None:
    own, swapped = NeighbourGrounder()(graphs, KNOWLEDGE), around("swap")(graphs, KNOWLEDGE)
    mine, got = [facts(g) for g in own], [facts(g) for g in swapped]
    assert all(a != b for a, b in zip(mine, got, strict=True))
    assert sorted(map(str, mine)) == sorted(map(str, got)), "each subgraph once"
    for graph in swapped:
        source, target = graph.edge_index[:, graph.edge_type == EdgeType.LINK]
        assert len(source)
        assert (graph.node_type[source] != NodeType.ENTITY).all()
        assert (graph.node_type[target] == NodeType.ENTITY).all()


def test_alignments_are_swapped_too_and_a_text_alone_gets_nothing(graphs: list[LogicGraph]) -> None:
    swapped = around("swap", AlignGrounder())(graphs[:2], KNOWLEDGE)
    own = AlignGrounder()(graphs[:2], KNOWLEDGE)
    assert [(g.edge_type == EdgeType.ALIGN).sum() for g in swapped] != [0, 0]
    assert any(not np.array_equal(a.edge_index, b.edge_index) for a, b in zip(own, swapped, strict=True))
    alone = around("swap")(graphs[:1], KNOWLEDGE)
    assert alone == graphs[:1]


def test_blank_nodes_keep_their_place_and_say_nothing(graphs: list[LogicGraph]) -> None:
    own, blank = NeighbourGrounder()(graphs, KNOWLEDGE), around("blank")(graphs, KNOWLEDGE)
    for old, graph, bare in zip(own, blank, graphs, strict=True):
        assert facts(old) == facts(graph)
        fresh = slice(bare.num_nodes, None)
        assert set(graph.node_text[fresh]) == {""}
        assert (graph.node_span[fresh, 1] == graph.node_span[fresh, 2]).all(), "they cover no token"
        assert graph.node_text[: bare.num_nodes] == bare.node_text


def test_without_edges_the_nodes_stay(graphs: list[LogicGraph]) -> None:
    own, bags = NeighbourGrounder()(graphs, KNOWLEDGE), around("edgeless")(graphs, KNOWLEDGE)
    for old, graph, bare in zip(own, bags, graphs, strict=True):
        assert entities(old) == entities(graph)
        assert graph.num_edges == bare.num_edges


def test_facts_of_a_text_change_places_within_it(graphs: list[LogicGraph]) -> None:
    own = facts(NeighbourGrounder()(graphs, KNOWLEDGE)[2])
    for mode in ("tails", "rewire"):
        spoilt = facts(around("scramble", mode=mode)(graphs, KNOWLEDGE)[2])
        assert spoilt != own
        assert Counter(f[0] for f in spoilt.elements()) == Counter(f[0] for f in own.elements())
        assert Counter(f[2] for f in spoilt.elements()) == Counter(f[2] for f in own.elements())
    pets = facts(around("scramble", mode="relations")(graphs, KNOWLEDGE)[0])
    assert pets != facts(NeighbourGrounder()(graphs, KNOWLEDGE)[0])
    left = facts(around("scramble", mode="drop", share=0.5)(graphs, KNOWLEDGE)[2])
    assert sum(left.values()) == 3
    assert left <= own
    with pytest.raises(ConfigError, match="mode = 'tail'"):
        around("scramble", mode="tail")

"""There and back: a graph written in every form and read again is the same graph."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.knowledge import (
    GraphmlSource,
    RdfSource,
    TriplesSource,
    export_graph,
    graph_from_networkx,
    graph_from_pyg,
    open_graph,
    to_networkx,
    to_pyg,
    to_rdflib,
)

#: Names as people have them, and as nobody should: IRIs, things like IRIs, blank nodes, control characters, markup.
odd = st.sampled_from(
    [
        "http://e.org/a b",
        "urn:kgreason-name:x",
        "urn:kgreason-name:%41",
        "_:b0",
        "_:f0.x",
        "_:",
        "<a>",
        "a&b",
        '"q"',
        "%41",
        "a\0b",
    ]
)
text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5).filter(lambda name: bool(name.strip()))
names = st.sampled_from(["a", "b", "New York", "http://e.org/a", "Q:1", "é"]) | odd | text
Case = tuple[list[tuple[str, str, str]], dict[str, list[str]]]
cases = st.tuples(
    st.lists(st.tuples(names, names, names), min_size=1, max_size=8),
    st.dictionaries(names, st.lists(text, max_size=2), max_size=3),
)


def rows(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {(h, r, t) for h in graph.entities for r, t in graph.out(h)}


def labels(graph: KnowledgeGraph) -> dict[str, set[str]]:
    """What each entity is called, with single spaces, as N-Triples are read."""
    found: dict[str, set[str]] = {name: set() for name in graph.entities}
    for label in graph.labels.names:
        for i in graph.labels.senses(label)[0].tolist():
            found[graph.entities[i]].add(" ".join(label.split()))
    return found


@settings(max_examples=150)
@given(cases)
def test_ntriples_and_back(case: Case) -> None:
    graph = KnowledgeGraph.from_triples(*case)
    with tempfile.TemporaryDirectory() as folder:
        again = RdfSource(export_graph(graph, Path(folder) / "g.nt"))()
    assert rows(again) == rows(graph)
    assert list(again.entities) == list(graph.entities)
    assert labels(again) == labels(graph)
    for i in range(len(graph.entities)):
        assert again.label(i) == " ".join(graph.label(i).split())


@settings(max_examples=60)
@given(cases)
def test_tsv_and_back(case: Case) -> None:
    graph = KnowledgeGraph.from_triples(*case)
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = export_graph(graph, Path(folder) / "g.tsv")
        except DataError as error:
            assert "tab or a newline" in str(error)  # noqa: PT017 - the one thing that may be refused
            assert list(Path(folder).iterdir()) == []
            return
        try:
            again = TriplesSource(path)()
        except DataError as error:
            assert "header" in str(error)  # noqa: PT017
            return
    assert rows(again) == rows(graph)


@settings(max_examples=60)
@given(cases)
def test_graphml_and_back(case: Case) -> None:
    graph = KnowledgeGraph.from_triples(*case)
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = export_graph(graph, Path(folder) / "g.graphml")
        except DataError as error:
            assert "control character" in str(error)  # noqa: PT017
            return
        again = GraphmlSource(path)()
        import networkx as nx

        network = nx.read_graphml(path, force_multigraph=True)
    spaced = {(h, " ".join(r.split()), t) for h, r, t in rows(graph)}
    assert rows(again) == spaced
    assert {(h, " ".join(d["relation"].split()), t) for h, t, d in network.edges(data=True)} == spaced


@given(cases)
def test_networkx_pyg_and_rdflib(case: Case) -> None:
    graph = KnowledgeGraph.from_triples(*case)
    assert rows(graph_from_networkx(to_networkx(graph))) == rows(graph)
    again = graph_from_pyg(to_pyg(graph))
    assert rows(again) == rows(graph)
    assert [again.label(i) for i in range(len(again.entities))] == [graph.label(i) for i in range(len(graph.entities))]
    assert len(to_rdflib(graph)) >= graph.num_triples


def test_rdflib_says_what_our_ntriples_say(tmp_path: Path) -> None:
    from rdflib import Graph
    from rdflib.compare import isomorphic

    graph = KnowledgeGraph.from_triples(
        [("New York", "is in", "http://e/usa"), ("_:b0", "http://e/r", "New York")], {"New York": ["NYC"]}
    )
    assert isomorphic(to_rdflib(graph), Graph().parse(export_graph(graph, tmp_path / "g.nt"), format="nt"))


def test_the_world_comes_back_with_the_names_of_its_relations(tmp_path: Path) -> None:
    world = open_graph("world", cache=False)
    again = RdfSource(export_graph(world, tmp_path / "world.nt"))()
    assert rows(again) == rows(world)
    assert dict(again.relation_labels) == dict(world.relation_labels)
    assert list(again.labels.names) == list(world.labels.names)


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    graph = KnowledgeGraph.from_triples([("a", "r", "b")])
    with pytest.raises(ConfigError, match="Known: nt, tsv, graphml"):
        export_graph(graph, tmp_path / "g.pdf")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written"):
        export_graph(graph, tmp_path / "file" / "g.nt")
    assert export_graph(graph, tmp_path / "g.txt", "tsv").read_text() == "a\tr\tb\n"


def test_pyg_of_every_kind() -> None:
    import torch
    from torch_geometric.data import Data, HeteroData

    plain = Data(edge_index=torch.tensor([[0, 1], [1, 2]]), num_nodes=4)
    assert rows(graph_from_pyg(plain)) == {("0", "relation_0", "1"), ("1", "relation_0", "2")}
    typed = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), edge_type=torch.tensor([1, 0]))
    named = graph_from_pyg(typed, nodes=["cat", "dog"], relations=["likes", "fears"])
    assert rows(named) == {("cat", "fears", "dog"), ("dog", "likes", "cat")}
    hetero = HeteroData()
    hetero["author"].num_nodes, hetero["paper"].num_nodes = 2, 1
    hetero["author", "writes", "paper"].edge_index = torch.tensor([[0, 1], [0, 0]])
    hetero["paper", "cites", "paper"].edge_index = torch.tensor([[0], [0]])
    assert rows(graph_from_pyg(hetero, nodes={"author": ["Ann", "Bob"]})) == {
        ("Ann", "writes", "paper/0"),
        ("Bob", "writes", "paper/0"),
        ("paper/0", "cites", "paper/0"),
    }
    with pytest.raises(DataError, match="no edge"):
        graph_from_pyg(Data(edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=1))
    with pytest.raises(DataError, match="an edge names others"):
        graph_from_pyg(typed, nodes=["cat"])
    with pytest.raises(DataError, match="same name"):
        graph_from_pyg(typed, nodes=["cat", "cat"])

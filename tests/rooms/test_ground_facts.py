"""Neighbourhoods, what lies between, and the triples among chosen entities."""

import itertools
import logging
from collections.abc import Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph
from kgreason.errors import ConfigError
from kgreason.ground import BetweenGrounder, LinkGrounder, NeighbourGrounder, kernels, reference
from kgreason.ground.between import entities_between
from kgreason.ground.facts import Chosen, seeds_of
from kgreason.ground.inside import induce
from kgreason.ground.neighbours import neighbourhood
from kgreason.parse import SurfaceParser

ids = st.integers(0, 11)
triples = st.lists(st.tuples(ids, st.integers(0, 2), ids), min_size=1, max_size=60)
#: Scores are multiples of 1/8, so that products are exact and ties are real.
seeds = st.dictionaries(ids, st.integers(1, 8).map(lambda n: n / 8), max_size=4)


def graph_of(rows: Sequence[tuple[int, int, int]]) -> KnowledgeGraph:
    """All of 12 entities and 3 relations are there, whatever the triples."""
    whole = KnowledgeGraph.from_triples([(f"e{i:02}", f"r{i % 3}", f"e{i:02}") for i in range(12)])
    return KnowledgeGraph.from_ids(whole.entities, whole.relations, np.array(rows, np.int32), whole.labels)


def batch_of(texts: Sequence[dict[int, float]]) -> Chosen:
    rows = [sorted(text.items(), key=lambda row: (-row[1], row[0])) for text in texts]
    flat = [row for text in rows for row in text]
    return Chosen(
        ptr=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        entity=np.array([e for e, _ in flat], np.int32),
        score=np.array([s for _, s in flat], np.float64),
        met=np.zeros(len(texts), np.int8),
    )


def rows_of(chosen: Chosen, text: int) -> tuple[np.ndarray, np.ndarray]:
    part = slice(chosen.ptr[text], chosen.ptr[text + 1])
    return chosen.entity[part], chosen.score[part]


@settings(deadline=None)
@given(triples, st.lists(seeds, max_size=3), st.integers(1, 3), st.integers(1, 12), st.integers(1, 4))
def test_walk_is_what_the_reference_says(
    rows: list[tuple[int, int, int]], texts: list[dict[int, float]], hops: int, max_nodes: int, fan: int
) -> None:
    graph, batch = graph_of(rows), batch_of(texts)
    got = neighbourhood(graph, batch, hops, max_nodes, fan)
    for g in range(len(texts)):
        start = dict(zip(*(column.tolist() for column in rows_of(batch, g)), strict=True))
        want = reference.walk(graph, start, hops, max_nodes, fan)
        np.testing.assert_array_equal(rows_of(got, g)[0], want[0])
        np.testing.assert_array_equal(rows_of(got, g)[1], want[1])


@settings(deadline=None)
@given(triples, st.lists(seeds, max_size=3), st.integers(1, 3))
def test_walk_without_budgets_finds_the_ball_around_the_seeds(
    rows: list[tuple[int, int, int]], texts: list[dict[int, float]], hops: int
) -> None:
    graph = graph_of(rows)
    got = neighbourhood(graph, batch_of(texts), hops, max_nodes=12, fan=100)
    both_ways = nx.Graph([(h, t) for h, _, t in rows])
    for g, text in enumerate(texts):
        far = [nx.single_source_shortest_path_length(both_ways, e, hops) for e in text if e in both_ways]
        assert set(rows_of(got, g)[0].tolist()) == set(text).union(*far)
    assert not got.met.any()


@settings(deadline=None)
@given(triples, st.lists(seeds, max_size=3), st.integers(1, 12))
def test_between_is_what_the_reference_says(
    rows: list[tuple[int, int, int]], texts: list[dict[int, float]], max_nodes: int
) -> None:
    graph, batch = graph_of(rows), batch_of(texts)
    got = entities_between(graph, batch, max_nodes)
    for g in range(len(texts)):
        start = dict(zip(*(column.tolist() for column in rows_of(batch, g)), strict=True))
        want = reference.between(graph, start, max_nodes)
        np.testing.assert_array_equal(rows_of(got, g)[0], want[0])
        np.testing.assert_array_equal(rows_of(got, g)[1], want[1])


@settings(deadline=None)
@given(triples, st.lists(st.sets(ids), max_size=3), st.integers(1, 40))
def test_induce_is_what_the_reference_says(
    rows: list[tuple[int, int, int]], texts: list[set[int]], max_edges: int
) -> None:
    graph, batch = graph_of(rows), batch_of([dict.fromkeys(text, 1.0) for text in texts])
    place = kernels.scratch(12)[0]
    ptr, edges, met = induce(graph, batch.ptr, batch.entity, max_edges, place)
    for g in range(len(texts)):
        own = rows_of(batch, g)[0]
        np.testing.assert_array_equal(edges[ptr[g] : ptr[g + 1]], reference.induce(graph, own, max_edges))
        assert bool(met[g]) == (len(reference.induce(graph, own, 10**6)) > max_edges)


def qagnn(rows: Sequence[tuple[int, int, int]], linked: set[int]) -> tuple[set[int], set[tuple[int, int, int]]]:
    """The subgraph by the definition: nodes on paths of two edges between any two linked ones, and all typed edges."""
    multi = nx.MultiDiGraph()
    for h, r, t in rows:
        multi.add_edge(h, t, rel=r)
    simple = nx.Graph(multi)
    extra: set[int] = set()
    for a, b in itertools.combinations(linked & set(simple), 2):
        extra |= set(simple[a]) & set(simple[b])
    nodes = linked | extra
    edges = {(a, data["rel"], b) for a in nodes for b in nodes if multi.has_edge(a, b) for data in multi[a][b].values()}
    return nodes, edges


@settings(deadline=None)
@given(triples, seeds)
def test_against_qagnn(rows: list[tuple[int, int, int]], text: dict[int, float]) -> None:
    graph = graph_of(rows)
    linked = LinkGrounder()(
        SurfaceParser()([Example("e", (" ".join(f"e{i:02}" for i in text),), ("question",))]), graph
    )
    grounded = BetweenGrounder(max_nodes=12, max_edges=1000)(linked, graph)[0]
    entity = grounded.node_entity
    known = grounded.edge_type == EdgeType.KNOWLEDGE
    sources, targets = entity[grounded.edge_index[:, known]].tolist()
    got = set(zip(sources, grounded.edge_relation[known].tolist(), targets, strict=True))
    nodes, edges = qagnn(rows, set(text))
    assert set(entity[entity >= 0].tolist()) == nodes
    assert got == edges


def test_kernels_are_compiled_once_for_arrays_in_memory_and_on_disk(tmp_path: Path) -> None:
    graph = graph_of([(0, 0, 1), (1, 1, 2)])
    columns = {}
    for name in ("head_ptr", "tail", "tail_ptr", "head"):
        np.save(tmp_path / f"{name}.npy", getattr(graph, name))
        columns[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    mapped = KnowledgeGraph(
        graph.entities, graph.relations, relation=graph.relation, inverse=graph.inverse, labels=graph.labels, **columns
    )
    start = batch_of([{0: 1.0}])
    for knowledge in (graph, mapped):
        assert neighbourhood(knowledge, start, 2, 12, 9).entity.tolist() == [0, 1, 2]
        entities_between(knowledge, start, 12)
    assert len(kernels.walk.signatures) == 1
    assert len(kernels.between.signatures) == 1


HUB = KnowledgeGraph.from_triples(
    [("hub", "has", f"part{i:02}") for i in range(40)]
    + [("leaf", "is_a", "hub"), ("part03", "is_a", "rare"), ("leaf", "likes", "part03"), ("rare", "is_a", "end")]
)


def ground(text: str, grounder: NeighbourGrounder | BetweenGrounder) -> LogicGraph:
    return grounder(SurfaceParser()([Example("e", (text,), ("question",))]), HUB)[0]


def added(graph: LogicGraph) -> list[str]:
    return [text for text, entity in zip(graph.node_text, graph.node_entity, strict=True) if entity >= 0]


def facts(graph: LogicGraph) -> list[tuple[str, str, str]]:
    known = np.flatnonzero(graph.edge_type == EdgeType.KNOWLEDGE)
    heads, tails = graph.edge_index[:, known].tolist()
    relations = graph.edge_relation[known].tolist()
    return [
        (graph.node_text[h], HUB.relations[r], graph.node_text[t])
        for h, r, t in zip(heads, relations, tails, strict=True)
    ]


def test_hops_go_in_both_directions() -> None:
    one = ground("rare", NeighbourGrounder(hops=1))
    assert added(one) == ["rare", "end", "part03"]
    assert facts(one) == [("rare", "is_a", "end"), ("part03", "is_a", "rare")]
    two = ground("rare", NeighbourGrounder(hops=2))
    assert added(two) == ["rare", "end", "part03", "hub", "leaf"]
    assert np.round(two.node_score, 3).tolist() == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_triples_between_the_neighbours_are_there_too() -> None:
    assert ("hub", "has", "part03") in facts(ground("leaf", NeighbourGrounder()))


def test_a_hub_is_followed_evenly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kgreason.ground"):
        graph = ground("hub", NeighbourGrounder(fan=4))
    assert added(graph) == ["hub", "leaf", "part00", "part10", "part20", "part30"]
    assert "neighbours: fan was met in 1 of 1 texts" in caplog.text


def test_the_best_stay_when_there_is_no_room(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kgreason.ground"):
        graph = ground("hub and leaf", NeighbourGrounder(max_nodes=4, max_edges=3, fan=100))
    assert added(graph) == ["hub", "leaf", "part03", "part00"]
    assert facts(graph) == [("hub", "has", "part03"), ("leaf", "is_a", "hub"), ("leaf", "likes", "part03")]
    assert "max_nodes was met" in caplog.text
    assert "max_edges was met" in caplog.text


def test_linked_entities_stay_whatever_the_budget() -> None:
    assert added(ground("rare leaf end", NeighbourGrounder(max_nodes=1))) == ["end", "leaf", "rare"]
    assert added(ground("rare leaf end", BetweenGrounder(max_nodes=1))) == ["end", "leaf", "rare"]


def test_between_takes_only_what_joins_two() -> None:
    graph = ground("leaf rare", BetweenGrounder())
    assert added(graph) == ["leaf", "rare", "part03"]
    assert facts(graph) == [("leaf", "likes", "part03"), ("part03", "is_a", "rare")]


def test_entities_that_are_there_already_are_seeds() -> None:
    plain = SurfaceParser()([Example("e", ("nothing",), ("question",))])[0]
    given = plain.with_entities(np.array([HUB.entities.id("end")], np.int32), ("end",), np.array([0.5], np.float32))
    graph = NeighbourGrounder()([given], HUB)[0]
    assert added(graph) == ["end", "rare"]
    assert graph.node_score.tolist() == [1, 0.5, 0.25]
    assert seeds_of([graph]).score.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("wrong", [{"hops": 0}, {"max_nodes": 0}, {"max_edges": -1}, {"fan": 0}])
def test_budgets_must_be_positive(wrong: dict[str, int]) -> None:
    name = next(iter(wrong))
    with pytest.raises(ConfigError, match=rf"neighbours: {name} = .*at least 1"):
        NeighbourGrounder(**wrong)

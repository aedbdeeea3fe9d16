"""Personalised PageRank: what forward push finds is what the equation says, but for what it may leave out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import Example, KnowledgeGraph, NodeType, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import ConfigError
from kgreason.ground import GROUNDERS
from kgreason.ground.facts import Chosen
from kgreason.ground.pagerank import exact, ranked
from kgreason.parse import SurfaceParser

_names = st.sampled_from([f"e{k}" for k in range(15)])


def seeds(entities: list[int], scores: list[float]) -> Chosen:
    entity = np.array(entities, np.int32)
    return Chosen(np.array([0, len(entity)], np.int64), entity, np.array(scores), np.zeros(1, np.int8))


@settings(max_examples=40, deadline=None)
@given(
    triples=st.lists(st.tuples(_names, st.sampled_from("rs"), _names), min_size=1, max_size=40),
    alpha=st.sampled_from([0.1, 0.5, 0.85]),
    epsilon=st.sampled_from([1e-2, 1e-4, 1e-9]),
)
def test_push_is_the_equation_but_for_epsilon(
    triples: list[tuple[str, str, str]], alpha: float, epsilon: float
) -> None:
    graph = KnowledgeGraph.from_triples(triples)
    size = len(graph.entities)
    start = np.zeros(size)
    start[[0, size - 1]] = 0.5
    want = exact(graph, start / start.sum(), alpha)
    own = sorted({0, size - 1})
    got = np.zeros(size)
    found = ranked(graph, seeds(own, [0.5] * len(own)), alpha, epsilon, 1000)
    got[found.entity] = found.score
    degree = np.diff(graph.head_ptr) + np.diff(graph.tail_ptr)
    others = [e for e in range(size) if e not in own]
    # What is left at v is at most epsilon d_v, and PageRank on an undirected graph takes d as its measure.
    assert np.all(np.abs(want[others] - got[others]) <= (1 - alpha) * epsilon * degree[others] + 1e-9)


def test_hubs_are_not_ranked_too_low() -> None:
    """On a graph with hubs, most of the exact best are found even where the push stops early."""
    random = np.random.default_rng(0)
    ends = (3000 * random.random((30_000, 2)) ** 4).astype(np.int32)
    rows = np.insert(ends, 1, 0, axis=1)
    names = Vocab(f"e{k:04}" for k in range(3000))
    graph = KnowledgeGraph.from_ids(names, Vocab(["r"]), rows, Labels.from_names(names))
    own = random.choice(3000, 8, replace=False)
    start = np.zeros(3000)
    start[own] = 1 / 8
    want = exact(graph, start, 0.2)
    want[own] = 1
    found = ranked(graph, seeds(sorted(own.tolist()), [1.0] * 8), 0.2, 1e-4, 200)
    assert len(set(found.entity.tolist()) & set(np.argsort(-want)[:200].tolist())) >= 185


def test_the_best_stay_and_the_seeds_always(caplog: pytest.LogCaptureFixture) -> None:
    graph = KnowledgeGraph.from_triples([("hub", "r", f"e{k:02}") for k in range(50)] + [("e07", "r", "e08")])
    hub, alone = graph.entities.id("hub"), graph.entities.id("e20")
    found = ranked(graph, seeds([alone], [1.0]), 0.2, 1e-6, 4)
    assert found.entity[:2].tolist() == [alone, hub]
    assert set(found.entity[2:].tolist()) == {graph.entities.id("e07"), graph.entities.id("e08")}
    assert found.met[0]
    assert ranked(graph, seeds([alone, hub], [1.0, 0.1]), 0.2, 1e-6, 1).entity.tolist() == [alone, hub]


def test_texts_of_a_batch_do_not_mix() -> None:
    graph = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "r", "c"), ("x", "r", "y"), ("y", "r", "z")])
    of = graph.entities.id
    both = Chosen(
        np.array([0, 1, 1, 2], np.int64), np.array([of("a"), of("x")], np.int32), np.ones(2), np.zeros(3, np.int8)
    )
    found = ranked(graph, both, 0.2, 1e-6, 10)
    names = [graph.entities[int(e)] for e in found.entity]
    assert found.ptr.tolist() == [0, 3, 3, 6]
    assert names == ["a", "b", "c", "x", "y", "z"]


def test_it_grounds_texts_and_refuses_nonsense() -> None:
    graph = KnowledgeGraph.from_triples(
        [("dog", "is_a", "animal"), ("cat", "is_a", "animal"), ("tree", "is_a", "plant")]
    )
    grounder = GROUNDERS.build({"name": "pagerank"})
    [logic] = grounder(SurfaceParser()([Example("1", ("a dog",), ("premise",))]), graph)
    texts = [t for t, kind in zip(logic.node_text, logic.node_type, strict=True) if kind == NodeType.ENTITY]
    assert texts == ["dog", "animal", "cat"]
    for wrong in ({"alpha": 0.0}, {"epsilon": 1.0}, {"max_nodes": 0}):
        with pytest.raises(ConfigError):
            GROUNDERS.build({"name": "pagerank"} | wrong)

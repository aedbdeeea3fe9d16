"""Spoilt graphs: what stays, stays exactly; the rest does not."""

import gc
import weakref
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import Example, KnowledgeGraph, LogicGraph
from kgreason.errors import ConfigError
from kgreason.ground import LinkGrounder, NeighbourGrounder, PerturbGrounder, perturb_graph
from kgreason.parse import SurfaceParser

names = st.sampled_from("abcdefg")
triples = st.lists(st.tuples(names, st.sampled_from(["r", "s", "t"]), names), min_size=1, max_size=50)
MODES = ["tails", "relations", "rewire", "drop"]


def random_graph(size: int, seed: int = 0) -> KnowledgeGraph:
    rng = np.random.default_rng(seed)
    ends = (300 * rng.random((size, 2)) ** 2).astype(int)  # some entities have many triples, most have few
    return KnowledgeGraph.from_triples(
        [(f"e{h}", f"r{r}", f"e{t}") for (h, t), r in zip(ends, rng.integers(5, size=size), strict=True) if h != t]
    )


def rows(graph: KnowledgeGraph) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in graph.triples.tolist()]


def assert_same_tables(a: KnowledgeGraph, b: KnowledgeGraph) -> None:
    assert a.entities is b.entities
    assert a.relations is b.relations
    assert a.labels is b.labels


@settings(deadline=None)
@given(triples, st.integers(0, 5))
def test_tails_keep_what_every_entity_has_of_every_relation(named: list[tuple[str, str, str]], seed: int) -> None:
    graph = KnowledgeGraph.from_triples(named)
    spoilt = perturb_graph(graph, "tails", seed=seed)
    assert_same_tables(graph, spoilt)
    assert Counter((h, r) for h, r, _ in rows(graph)) == Counter((h, r) for h, r, _ in rows(spoilt))
    assert Counter((r, t) for _, r, t in rows(graph)) == Counter((r, t) for _, r, t in rows(spoilt))
    assert loops(spoilt) <= loops(graph)


@settings(deadline=None)
@given(triples, st.integers(0, 5))
def test_relations_keep_what_is_joined(named: list[tuple[str, str, str]], seed: int) -> None:
    graph = KnowledgeGraph.from_triples(named)
    spoilt = perturb_graph(graph, "relations", seed=seed)
    assert_same_tables(graph, spoilt)
    assert Counter((h, t) for h, _, t in rows(graph)) == Counter((h, t) for h, _, t in rows(spoilt))
    assert Counter(r for _, r, _ in rows(graph)) == Counter(r for _, r, _ in rows(spoilt))


@settings(deadline=None)
@given(triples, st.integers(0, 5))
def test_rewire_keeps_degrees_and_counts(named: list[tuple[str, str, str]], seed: int) -> None:
    graph = KnowledgeGraph.from_triples(named)
    spoilt = perturb_graph(graph, "rewire", seed=seed)
    assert_same_tables(graph, spoilt)
    for column in range(3):
        assert Counter(row[column] for row in rows(graph)) == Counter(row[column] for row in rows(spoilt))
    assert loops(spoilt) <= loops(graph)


@settings(deadline=None)
@given(triples, st.integers(0, 5), st.floats(0, 1))
def test_drop_removes_a_share(named: list[tuple[str, str, str]], seed: int, share: float) -> None:
    graph = KnowledgeGraph.from_triples(named)
    spoilt = perturb_graph(graph, "drop", share, seed)
    assert_same_tables(graph, spoilt)
    assert set(rows(spoilt)) <= set(rows(graph))
    assert spoilt.num_triples == graph.num_triples - round(share * graph.num_triples)


def loops(graph: KnowledgeGraph) -> int:
    return sum(h == t for h, _, t in rows(graph))


@pytest.mark.parametrize(("mode", "kept"), [("tails", 0.06), ("relations", 0.25), ("rewire", 0.03), ("drop", 0.5)])
def test_little_stays_true(mode: str, kept: float) -> None:
    graph = random_graph(2000)
    spoilt = perturb_graph(graph, mode)
    assert len(set(rows(graph)) & set(rows(spoilt))) <= kept * graph.num_triples


@pytest.mark.parametrize("mode", MODES)
def test_equal_seeds_give_equal_graphs(mode: str) -> None:
    graph = random_graph(300)
    assert rows(perturb_graph(graph, mode, seed=1)) == rows(perturb_graph(graph, mode, seed=1))
    assert rows(perturb_graph(graph, mode, seed=1)) != rows(perturb_graph(graph, mode, seed=2))


@pytest.mark.parametrize("mode", MODES)
def test_the_graph_itself_is_not_changed(mode: str) -> None:
    graph = random_graph(300)
    before = rows(graph)
    perturb_graph(graph, mode)
    assert rows(graph) == before
    assert graph.about == {}
    assert mode in perturb_graph(graph, mode).about["perturbed"]


def test_the_wrapped_grounder_sees_the_spoilt_graph_and_links_as_before() -> None:
    graph = random_graph(300)
    texts = SurfaceParser()([Example("e", ("e0 knows e7 and e14",), ("question",))])
    wrapped = PerturbGrounder(NeighbourGrounder(), "tails", seed=3)(texts, graph)[0]
    plain = NeighbourGrounder()(texts, perturb_graph(graph, "tails", seed=3))[0]
    assert wrapped.node_text == plain.node_text
    np.testing.assert_array_equal(wrapped.edge_index, plain.edge_index)
    linked = PerturbGrounder(LinkGrounder(), "rewire")(texts, graph)[0]
    assert linked.node_text == LinkGrounder()(texts, graph)[0].node_text


def test_a_graph_is_spoilt_once() -> None:
    graph = random_graph(300)
    seen: list[KnowledgeGraph] = []

    class Witness:
        def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
            seen.append(knowledge)
            return list(graphs)

    grounder = PerturbGrounder(Witness())
    grounder([], graph)
    grounder([], graph)
    assert seen[0] is seen[1]
    assert seen[0] is not graph


def test_what_is_derived_from_a_graph_goes_with_it() -> None:
    graph = random_graph(300)
    grounder = PerturbGrounder(NeighbourGrounder())
    grounder(SurfaceParser()([Example("e", ("e0 and e7",), ("question",))]), graph)
    gone = weakref.ref(graph)
    del graph
    gc.collect()
    assert gone() is None


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="mode = 'heads' is not known"):
        PerturbGrounder(LinkGrounder(), "heads")
    with pytest.raises(ConfigError, match=r"share = 1\.5"):
        PerturbGrounder(LinkGrounder(), "drop", share=1.5)

"""The alignment of premise and hypothesis, word by word."""

import numpy as np
import pytest

from kgreason.data import ALIGN_RELATIONS, EdgeType, Example, KnowledgeGraph, LogicGraph
from kgreason.ground import AlignGrounder
from kgreason.parse import SurfaceParser

KNOWLEDGE = KnowledgeGraph.from_triples(
    [
        ("dog", "hypernym", "animal"),
        ("cat", "hypernym", "animal"),
        ("animal", "hypernym", "thing"),
        ("cream", "hypernym", "thing"),
        ("ice cream", "hypernym", "dessert"),
        ("cake", "hypernym", "dessert"),
        ("little dog", "hypernym", "dog"),
        ("hot", "antonym", "cold"),
    ]
)


def align(premise: str, hypothesis: str) -> LogicGraph:
    parsed = SurfaceParser()([Example("e", (premise, hypothesis), ("premise", "hypothesis"))])
    return AlignGrounder()(parsed, KNOWLEDGE)[0]


def edges(graph: LogicGraph) -> set[tuple[str, str, str]]:
    kept = np.flatnonzero(graph.edge_type == EdgeType.ALIGN)
    return {
        (
            graph.node_text[graph.edge_index[0, e]],
            ALIGN_RELATIONS[int(graph.edge_relation[e])],
            graph.node_text[graph.edge_index[1, e]],
        )
        for e in kept
    }


@pytest.mark.parametrize(
    ("premise", "hypothesis", "edge"),
    [
        ("a dog sleeps", "an animal sleeps", ("dog", "hypernym", "animal")),
        ("an animal sleeps", "a dog sleeps", ("animal", "hyponym", "dog")),
        ("the soup is hot", "the soup is cold", ("hot", "antonym", "cold")),
        ("they eat ice cream", "they eat cake", ("cream", "co_hyponym", "cake")),
        ("the qux sleeps", "the quux sleeps", ("qux", "other", "quux")),
    ],
)
def test_words_are_joined_by_what_the_graph_knows(premise: str, hypothesis: str, edge: tuple[str, str, str]) -> None:
    assert edge in edges(align(premise, hypothesis))


def test_the_same_word_wins_over_a_relation() -> None:
    assert ("dog", "same", "dog") in edges(align("a cat sees a dog", "a dog sees a cat"))


def test_a_label_whose_last_word_says_the_same_is_cut_into_words() -> None:
    assert ("dog", "same", "dog") in edges(align("a little dog barks", "a dog barks"))


def test_each_word_has_one_counterpart() -> None:
    graph = align("a dog and a cat and a dog", "a dog and a dog")
    kept = (graph.edge_type == EdgeType.ALIGN) & (graph.edge_relation == ALIGN_RELATIONS.id("same"))
    source, target = graph.edge_index[:, kept]
    assert len(set(source.tolist())) == len(source)
    assert len(set(target.tolist())) == len(target)


def test_an_added_word_has_no_edge() -> None:
    graph = align("a dog sleeps", "a dog sleeps quietly")
    quietly = graph.node_text.index("quietly")
    assert quietly not in graph.edge_index[:, graph.edge_type == EdgeType.ALIGN]


@pytest.mark.parametrize(("premise", "hypothesis"), [("", ""), ("", "a dog"), ("a dog", ""), ("?!", "…")])
def test_odd_texts_are_let_through(premise: str, hypothesis: str) -> None:
    graph = align(premise, hypothesis)
    assert not (graph.edge_type == EdgeType.ALIGN).any() or premise


def test_one_text_alone_is_left_as_it_is() -> None:
    parsed = SurfaceParser()([Example("e", ("a dog",), ("question",))])
    assert AlignGrounder()(parsed, KNOWLEDGE)[0].num_edges == parsed[0].num_edges


def test_an_example_does_not_depend_on_the_others() -> None:
    pairs = [("a dog sleeps", "an animal sleeps"), ("the soup is hot", "the soup is cold"), ("x", "y z")]
    parsed = SurfaceParser()([Example(str(i), p, ("premise", "hypothesis")) for i, p in enumerate(pairs)])
    together = AlignGrounder()(parsed, KNOWLEDGE)
    for graph, alone in zip(together, (AlignGrounder()([g], KNOWLEDGE)[0] for g in parsed), strict=True):
        np.testing.assert_array_equal(graph.edge_index, alone.edge_index)
        np.testing.assert_array_equal(graph.edge_score, alone.edge_score)

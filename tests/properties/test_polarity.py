"""Polarity on trees that no sentence has: nothing breaks, every place has a signature, time grows with length."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import (
    DEPENDENCY_RELATIONS,
    SIGNATURES,
    UPOS,
    EdgeType,
    Example,
    LogicGraph,
)
from kgreason.data.operators import phrases, predicates
from kgreason.data.quantifiers import Quantifier, between_quantifiers
from kgreason.parse.semantic import add_scopes
from kgreason.parse.sentence import Sentence, build_graph

WORDS = sorted({w for rows in phrases().values() for row, _ in rows for w in row if w != "#"})
VOCABULARY = [*WORDS, *sorted({lemma for lemma, _ in predicates()}), "3", "dog", "runs", "tallest", "eating", "?", ","]


def tree(rng: np.random.Generator, length: int) -> LogicGraph:
    """A random tree over words that are operators more often than not."""
    words = tuple(rng.choice(VOCABULARY, length).tolist())
    order = rng.permutation(length)
    governors = np.zeros(length, int)
    for i in range(1, length):
        governors[order[i]] = order[rng.integers(i)] + 1
    names = [name for name in DEPENDENCY_RELATIONS if name not in {"next", "root"}]
    relations = tuple("root" if g == 0 else str(rng.choice(names)) for g in governors)
    starts = np.cumsum([0, *(len(w) + 1 for w in words[:-1])])
    spans = np.column_stack([starts, starts + [len(w) for w in words]]).astype(np.int32)
    tags = tuple(rng.choice(list(UPOS), length).tolist())
    sentence = Sentence(words, spans, words, tags, ("",) * length, tuple(governors.tolist()), relations)
    return build_graph(Example("e", (" ".join(words),), ("premise",)), [[sentence]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.booleans())
@settings(max_examples=300)
def test_no_tree_breaks_it(seed: int, length: int, existential: bool) -> None:
    graph = tree(np.random.default_rng(seed), length)
    marked = add_scopes(graph, existential)
    assert ((marked.node_polarity >= 0) & (marked.node_polarity < len(SIGNATURES))).all()
    semantic = marked.edge_type == EdgeType.SEMANTIC
    assert (marked.edge_index[0, semantic] != marked.edge_index[1, semantic]).all()
    assert (marked.edge_index[:, ~semantic] == graph.edge_index).all()


def test_time_grows_with_the_length_of_the_text() -> None:
    def seconds(length: int) -> float:
        graphs = [tree(np.random.default_rng(seed), length) for seed in range(3)]
        begun = time.process_time()
        for graph in graphs:
            add_scopes(graph)
        return time.process_time() - begun

    seconds(50)
    assert seconds(1600) < 40 * max(seconds(200), 1e-3)


@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.sampled_from(["at least", "at most", "number", "more than", "fewer than"]),
)
def test_a_relation_and_its_converse_agree(first: int, then: int, kind: str) -> None:
    for other in ("at least", "at most", "number", "all", "some", "most"):
        p, q = Quantifier(kind, first), Quantifier(other, then)
        there, back = between_quantifiers(p, q).symbol, between_quantifiers(q, p).symbol
        assert "≡⊐⊏^|⌣#"["≡⊏⊐^|⌣#".index(there)] == back

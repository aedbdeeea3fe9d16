"""Trees of two texts that differ in few words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, LogicGraph, NodeType
from kgreason.parse.agreement import agree

Word = tuple[str, int, str]  # the word, its governor within its text (-1 for a root), and the relation


def graph(*texts: list[Word]) -> LogicGraph:
    rows = [(i, w) for i, text in enumerate(texts) for w in text]
    base = np.cumsum([0, *map(len, texts)])
    edges = [(base[i] + w[1], n, DEPENDENCY_RELATIONS.id(w[2])) for n, (i, w) in enumerate(rows) if w[1] >= 0]
    size = len(rows)
    return LogicGraph(
        uid="e",
        node_type=np.full(size, NodeType.WORD, np.int8),
        node_text=tuple(w[0] for _, w in rows),
        node_lemma=tuple(w[0].lower() for _, w in rows),
        node_pos=np.arange(size).astype(np.int8) % len(UPOS),
        node_span=np.array([(i, 0, 1) for i, _ in rows], np.int32).reshape(-1, 3),
        node_entity=np.full(size, -1, np.int32),
        node_score=np.ones(size, np.float32),
        node_polarity=np.zeros(size, np.int8),
        edge_index=np.array([e[:2] for e in edges], np.int32).reshape(-1, 2).T.copy(),
        edge_type=np.full(len(edges), EdgeType.DEPENDENCY, np.int8),
        edge_relation=np.array([e[2] for e in edges], np.int32),
        edge_score=np.ones(len(edges), np.float32),
    )


def tree(found: LogicGraph, text: int) -> list[tuple[str, str, str]]:
    """The edges of one text, in words."""
    kept = found.node_span[found.edge_index[1], 0] == text
    names = [DEPENDENCY_RELATIONS[r] for r in found.edge_relation[kept].tolist()]
    rows = zip(*found.edge_index[:, kept].tolist(), names, strict=True)
    return sorted((found.node_text[t], found.node_text[s], name) for s, t, name in rows)


SEES_HIM = [("She", 1, "nsubj"), ("sees", -1, ""), ("red", 3, "amod"), ("hats", 1, "obj"), ("daily", 1, "advmod")]


def test_one_other_word_keeps_the_tree() -> None:
    astray = [("She", 3, "nsubj"), ("sees", 3, "amod"), ("big", 3, "amod"), ("hats", -1, ""), ("daily", 2, "advmod")]
    found = agree(graph(SEES_HIM, astray))
    assert tree(found, 1) == [
        ("She", "sees", "nsubj"),
        ("big", "hats", "amod"),
        ("daily", "sees", "advmod"),
        ("hats", "sees", "obj"),
    ]
    assert found.node_pos[[5, 6, 8, 9]].tolist() == found.node_pos[[0, 1, 3, 4]].tolist()
    assert tree(found, 0) == tree(graph(SEES_HIM), 0)


def test_a_longer_phrase_hangs_where_the_shorter_hung() -> None:
    longer = [
        ("She", 1, "nsubj"),
        ("sees", -1, ""),
        ("very", 3, "advmod"),
        ("big", 1, "obj"),
        ("hats", 3, "dep"),
        ("daily", 3, "advmod"),
    ]
    found = agree(graph(SEES_HIM, longer))
    assert ("big", "hats", "amod") in tree(found, 1)
    assert ("very", "big", "advmod") in tree(found, 1)
    assert ("hats", "sees", "obj") in tree(found, 1)


@pytest.mark.parametrize(
    "other",
    [
        # most words are others
        [("Dogs", 1, "nsubj"), ("bark", -1, ""), ("at", 3, "case"), ("hats", 1, "obl"), ("daily", 1, "advmod")],
        # a content word stands elsewhere
        [("She", 1, "nsubj"), ("sees", -1, ""), ("daily", 3, "amod"), ("hats", 1, "obj"), ("red", 1, "xcomp")],
        # what others hang on is left out, and something else is added
        [("She", -1, ""), ("red", 2, "amod"), ("hats", 0, "dep"), ("daily", 0, "dep"), ("now", 0, "dep")],
    ],
)
def test_texts_that_are_built_differently_keep_their_trees(other: list[Word]) -> None:
    given_ = graph(SEES_HIM, other)
    assert tree(agree(given_), 1) == tree(given_, 1)


def test_of_a_text_and_a_part_of_it_the_longer_gives_the_tree() -> None:
    astray = [("She", 2, "det"), ("sees", 2, "compound"), ("daily", -1, "")]
    for texts, part in (((SEES_HIM, astray), 1), ((astray, SEES_HIM), 0)):
        found = agree(graph(*texts))
        assert tree(found, part) == [("She", "sees", "nsubj"), ("daily", "sees", "advmod")]
        assert tree(found, 1 - part) == tree(graph(SEES_HIM), 0)


def test_words_whose_governor_is_left_out_hang_on_what_is_left_above_it() -> None:
    headless = [("She", -1, ""), ("red", 0, "dep"), ("daily", 0, "dep")]
    found = agree(graph(SEES_HIM, headless))
    assert tree(found, 1) == [("daily", "She", "advmod"), ("red", "She", "amod")]


@st.composite
def texts(draw: st.DrawFn) -> list[Word]:
    """A text with a tree: every word but one hangs on an earlier one of a random order."""
    size = draw(st.integers(1, 8))
    order = draw(st.permutations(range(size)))
    head = [-1] * size
    for i, w in enumerate(order[1:], start=1):
        head[w] = order[draw(st.integers(0, i - 1))]
    words = [draw(st.sampled_from(["a", "red", "dog", "runs", "home", "not"])) for _ in range(size)]
    return [(word, h, "dep" if h >= 0 else "") for word, h in zip(words, head, strict=True)]


@given(texts(), texts())
def test_what_comes_out_is_a_forest_over_the_same_words(first: list[Word], later: list[Word]) -> None:
    before = graph(first, later)
    after = agree(before)
    assert after.node_text == before.node_text
    assert tree(after, 0) == tree(before, 0) or len(later) > len(first)
    head = dict(zip(after.edge_index[1].tolist(), after.edge_index[0].tolist(), strict=True))
    assert len(head) == after.num_edges
    for word in range(after.num_nodes):
        seen = [word]
        while seen[-1] in head:
            seen.append(head[seen[-1]])
            assert len(seen) <= after.num_nodes
        assert len({int(after.node_span[w, 0]) for w in seen}) == 1


@given(texts())
def test_equal_texts_have_equal_trees(text: list[Word]) -> None:
    other = [(word, -1 if i == 0 else 0, "" if i == 0 else "dep") for i, (word, _, _) in enumerate(text)]
    found = agree(graph(text, other))
    assert tree(found, 1) == tree(found, 0) == tree(graph(text), 0)

"""Mentions of entities give way to a mask, and every node still covers what it covered."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kgreason.collate import COLLATORS
from kgreason.collate.mask import mask_mentions
from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph, NodeType
from kgreason.ground import SeedsGrounder
from kgreason.parse import SurfaceParser

Span = tuple[int, int, int]
MASK = "[MASK]"


def graph_of(spans: list[Span], mentions: list[Span]) -> LogicGraph:
    """Nodes with these spans, then mentions, each with a LINK edge to an entity of its own."""
    named = len(mentions)
    nodes = len(spans) + 2 * named
    kinds = [NodeType.WORD] * len(spans) + [NodeType.PHRASE] * named + [NodeType.ENTITY] * named
    edges = [[len(spans) + i for i in range(named)], [len(spans) + named + i for i in range(named)]]
    return LogicGraph(
        uid="g",
        node_type=np.array(kinds, np.int8),
        node_text=("",) * nodes,
        node_lemma=("",) * nodes,
        node_pos=np.full(nodes, -1, np.int8),
        node_span=np.array([*spans, *mentions, *[(-1, -1, -1)] * named], np.int32).reshape(-1, 3),
        node_entity=np.array([-1] * (len(spans) + named) + list(range(named)), np.int32),
        node_score=np.ones(nodes, np.float32),
        node_polarity=np.zeros(nodes, np.int8),
        edge_index=np.array(edges, np.int32),
        edge_type=np.full(named, EdgeType.LINK, np.int8),
        edge_relation=np.zeros(named, np.int32),
        edge_score=np.ones(named, np.float32),
    )


def covered(texts: list[str], spans: list[list[int]]) -> list[str]:
    return ["" if text < 0 else texts[text][start:end] for text, start, end in spans]


def test_a_mention_is_one_mask_and_words_behind_it_move_along() -> None:
    text = "who wrote Blue in the Night in 1990"
    spans = [(0, 0, 3), (0, 4, 9), (0, 10, 14), (0, 15, 17), (0, 28, 30), (0, 31, 35)]
    texts, moved = mask_mentions([text], graph_of(spans, [(0, 10, 27)]), MASK)
    assert texts == ["who wrote [MASK] in 1990"]
    assert covered(texts, moved.tolist()) == ["who", "wrote", MASK, MASK, "in", "1990", MASK, ""]


def test_the_longest_of_overlapping_mentions_is_masked() -> None:
    text = "the king of the hill plays"
    texts, moved = mask_mentions([text], graph_of([(0, 21, 26)], [(0, 4, 8), (0, 4, 20), (0, 16, 20)]), MASK)
    assert texts == ["the [MASK] plays"]
    assert covered(texts, moved.tolist())[:4] == ["plays", MASK, MASK, MASK]


def test_each_text_has_its_own_masks() -> None:
    texts, moved = mask_mentions(
        ["ann and bob", "bob left"], graph_of([(0, 4, 7), (1, 4, 8)], [(0, 0, 3), (0, 8, 11), (1, 0, 3)]), MASK
    )
    assert texts == ["[MASK] and [MASK]", "[MASK] left"]
    assert covered(texts, moved.tolist())[:5] == ["and", "left", MASK, MASK, MASK]


def test_without_a_link_nothing_is_masked() -> None:
    graph = graph_of([(0, 0, 3)], [])
    texts, moved = mask_mentions(["who wrote it"], graph, MASK)
    assert texts == ["who wrote it"]
    np.testing.assert_array_equal(moved, graph.node_span)


@st.composite
def masked_texts(draw: st.DrawFn) -> tuple[str, list[Span], list[Span]]:
    text = draw(st.text("abc déλ", min_size=1, max_size=24))
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).filter(lambda s: s[0] < s[1])
    span = ends.map(lambda s: (0, s[0], s[1]))
    return text, draw(st.lists(span, max_size=6)), draw(st.lists(span, unique=True, max_size=4))


@given(masked_texts(), st.sampled_from(["[MASK]", "<mask>", "*"]))
def test_every_span_covers_what_became_of_its_characters(case: tuple[str, list[Span], list[Span]], mask: str) -> None:
    text, spans, mentions = case
    (got,), moved = mask_mentions([text], graph_of(spans, mentions), mask)
    kept: list[Span] = []
    for mention in sorted(mentions, key=lambda s: (s[1], -s[2])):
        if not kept or mention[1] >= kept[-1][2]:
            kept.append(mention)
    # what each character became: itself, or the mask of the mention that it is in
    became: list[str | Span] = [next((m for m in kept if m[1] <= i < m[2]), c) for i, c in enumerate(text)]

    def joined(part: list[str | Span]) -> str:
        out, last = "", None
        for one in part:
            out += one if isinstance(one, str) else "" if one is last else mask
            last = one if isinstance(one, tuple) else None
        return out

    assert got == joined(became)
    for (_, start, end), (_, new_start, new_end) in zip([*spans, *mentions], moved.tolist(), strict=False):
        assert got[new_start:new_end] == joined(became[start:end])


def test_questions_that_differ_in_what_they_name_become_one_text() -> None:
    knowledge = KnowledgeGraph.from_triples([("Ann Lee", "wrote", "Blue Night"), ("Bob", "wrote", "Red")])
    asked = [("a", "who wrote Blue Night ?", "Blue Night"), ("b", "who wrote Red ?", "Red")]
    examples = [
        Example(uid, (q,), ("question",), frozenset(), (s,), ((0, q.index(s), q.index(s) + len(s)),))
        for uid, q, s in asked
    ]
    graphs = SeedsGrounder()(SurfaceParser()(examples), knowledge)
    collate = COLLATORS.build(
        {"name": "default", "mask": True, "max_tokens": 16},
        num_relations={EdgeType.KNOWLEDGE: 1},
        labels=(),
        entity_ids=lambda name: [],
    )
    first, second = collate.prepare(examples, graphs)
    np.testing.assert_array_equal(first.input_ids, second.input_ids)
    plain = COLLATORS.build(
        {"name": "default", "max_tokens": 16},
        num_relations={EdgeType.KNOWLEDGE: 1},
        labels=(),
        entity_ids=lambda name: [],
    )
    first, second = plain.prepare(examples, graphs)
    assert first.input_ids.tolist() != second.input_ids.tolist()

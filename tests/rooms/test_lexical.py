"""Lexical relations on a small taxonomy drawn by hand, and on WordNet."""

import math

import numpy as np
import pytest

from kgreason.data import KnowledgeGraph
from kgreason.ground.lexical import KINDS, LexicalRelations, Senses, lexical_relations
from kgreason.knowledge import open_graph

TOY = KnowledgeGraph.from_triples(
    [
        ("dog", "hypernym", "canine"),
        ("canine", "hypernym", "carnivore"),
        ("cat", "hypernym", "feline"),
        ("feline", "hypernym", "carnivore"),
        ("carnivore", "hypernym", "entity"),
        ("stone", "hypernym", "entity"),
        ("hot", "antonym", "cold"),
        ("warm", "similar", "hot"),
        ("cool", "similar", "cold"),
        ("boiling", "similar", "hot"),
        ("warmth", "derivation", "warm"),
    ]
)


def lin(below: int, of: tuple[int, int]) -> float:
    """Lin's similarity, from how many entities stand below the meeting point and the words, themselves included."""

    def content(count: int) -> float:
        return 1 - math.log(count) / math.log(len(TOY.entities))

    return 2 * content(below) / (content(of[0]) + content(of[1]))


def between(knowledge: KnowledgeGraph, left: str, right: str, **settings: float) -> dict[str, float]:
    """Every word is one entity of the toy graph, with one sense."""
    words = list(knowledge.entities)
    senses = Senses(np.arange(len(words) + 1), np.arange(len(words), dtype=np.int32), np.ones(len(words), np.float32))
    relations = LexicalRelations(knowledge, min_content=settings.get("min_content", 0.0))
    score = relations.between(senses, np.array([words.index(left)]), np.array([words.index(right)]))[0]
    return {kind: round(float(s), 4) for kind, s in zip(KINDS, score, strict=True) if s > 0}


@pytest.mark.parametrize(
    ("left", "right", "want"),
    [
        ("dog", "canine", {"hypernym": 1 / 2}),
        ("dog", "carnivore", {"hypernym": 1 / 3}),
        ("carnivore", "dog", {"hyponym": 1 / 3}),
        ("dog", "cat", {"co_hyponym": lin(below=5, of=(1, 1))}),
        ("canine", "feline", {"co_hyponym": lin(below=5, of=(2, 2))}),
        ("dog", "feline", {"co_hyponym": lin(below=5, of=(1, 2))}),
        ("hot", "cold", {"antonym": 1 / 2}),
        ("cold", "warm", {"antonym": 1 / 3}),
        ("warm", "cool", {"antonym": 1 / 4}),
        ("warm", "boiling", {"co_similar": 1 / 3}),
        ("warm", "hot", {"related": 1 / 2}),
        ("warmth", "warm", {"related": 1 / 2}),
        ("dog", "hot", {}),
    ],
)
def test_scores_follow_the_distance(left: str, right: str, want: dict[str, float]) -> None:
    assert between(TOY, left, right) == pytest.approx(want, abs=1e-3)


def test_senses_do_not_meet_in_what_says_too_little() -> None:
    assert "co_hyponym" in between(TOY, "carnivore", "stone")
    assert between(TOY, "carnivore", "stone", min_content=0.3) == {}


def test_a_cycle_in_the_taxonomy_does_no_harm() -> None:
    loop = KnowledgeGraph.from_triples([("a", "hypernym", "b"), ("b", "hypernym", "c"), ("c", "hypernym", "a")])
    assert between(loop, "a", "b") == pytest.approx({"hypernym": 1 / 2})


def test_a_graph_without_lexical_relations_knows_nothing() -> None:
    assert between(KnowledgeGraph.from_triples([("a", "capital_of", "b")]), "a", "b") == {}


def test_rare_senses_count_less() -> None:
    senses = Senses(
        np.array([0, 2, 3]),
        np.array([TOY.entities.id(e) for e in ("stone", "dog", "canine")], np.int32),
        np.array([1.0, 0.25, 1.0], np.float32),
    )
    score = LexicalRelations(TOY, min_content=0.0).between(senses, np.array([0]), np.array([1]))[0]
    assert score[KINDS.index("hypernym")] == pytest.approx(0.25 / 2)


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("dog", "animal", "hypernym"),
        ("animal", "dog", "hyponym"),
        ("couch", "sofa", "synonym"),
        ("young", "old", "antonym"),
        ("happy", "sad", "antonym"),
        ("guitar", "piano", "co_hyponym"),
        ("two", "three", "co_similar"),
        ("fifth", "third", "co_similar"),
        ("italy", "germany", "co_hyponym"),
    ],
)
def test_what_wordnet_says(left: str, right: str, kind: str) -> None:
    wordnet = open_graph("wordnet")
    found = [next(s for s in (wordnet.labels.senses(n) for n in (w, w.title())) if len(s[0])) for w in (left, right)]
    senses = Senses(
        np.cumsum([0, *(len(e) for e, _ in found)]),
        np.concatenate([e for e, _ in found]),
        np.concatenate([s / s.max() for _, s in found]).astype(np.float32),
    )
    score = lexical_relations(wordnet).between(senses, np.array([0]), np.array([1]))[0]
    assert score[KINDS.index(kind)] > 0.02


def test_what_is_derived_from_a_graph_is_derived_once() -> None:
    assert lexical_relations(TOY) is lexical_relations(TOY)

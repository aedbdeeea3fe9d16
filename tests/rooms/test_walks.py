"""What a walk did, read back into facts."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason import frontier
from kgreason.data import KnowledgeGraph
from kgreason.explain.walks import Fact, RowWalk
from kgreason.frontier import Facts
from kgreason.tensors import Frontier, Walk

FILMS = KnowledgeGraph.from_triples(
    [
        ("Alien", "directed_by", "Scott"),
        ("Gladiator", "directed_by", "Scott"),
        ("Alien", "starred", "Weaver"),
        ("Gladiator", "starred", "Crowe"),
        ("Avatar", "starred", "Weaver"),
    ]
)


def walked(graph: KnowledgeGraph, seed: int, weights: list[torch.Tensor]) -> RowWalk:
    """Walk one row from one entity, and read it back; the last cycle alone counts."""
    facts = Facts.of(graph)
    steps: list[Frontier] = [frontier.seeds(torch.tensor([0]), torch.tensor([seed]), torch.ones(1), 1)]
    for w in weights:
        steps.append(frontier.hop(facts, steps[-1], w[None])[0])
    relation = torch.stack(weights)[:, None]
    walk = Walk(tuple(steps), relation, torch.ones(len(weights), 1), torch.zeros(len(weights), 1, dtype=torch.long))
    weight = np.zeros((len(weights), 1))
    weight[-1] = 1
    return RowWalk.of(graph, walk, weight, 0)


def along(graph: KnowledgeGraph, *names: str) -> list[torch.Tensor]:
    """One-hot weights of directed relations; `^` before a name turns it round."""
    rows = []
    for name in names:
        at = graph.relations.id(name.removeprefix("^")) + len(graph.relations) * name.startswith("^")
        rows.append(torch.eye(2 * len(graph.relations))[at])
    return rows


def test_the_path_has_the_facts_as_the_graph_has_them() -> None:
    walk = walked(FILMS, FILMS.entities.id("Weaver"), along(FILMS, "^starred", "directed_by"))
    facts = [tuple(FILMS.entities[i] for i in (h, t)) for h, _, t in walk.path(FILMS.entities.id("Scott"))]
    assert facts == [("Alien", "Weaver"), ("Alien", "Scott")]
    assert walk.followed(0) == [("^starred", 1.0)]
    assert walk.best(1) == FILMS.entities.id("Scott")
    assert walk.after(1, [FILMS.entities.id("Scott"), FILMS.entities.id("Crowe")]) == [1.0, 0.0]


def test_what_was_not_reached_has_no_path() -> None:
    walk = walked(FILMS, FILMS.entities.id("Weaver"), along(FILMS, "directed_by"))
    assert walk.path(FILMS.entities.id("Scott")) == []
    assert walk.best(0) is None


def test_a_path_does_not_turn_back_along_the_fact_it_came_by() -> None:
    walk = walked(FILMS, FILMS.entities.id("Alien"), along(FILMS, "directed_by", "^directed_by"))
    assert walk.path(FILMS.entities.id("Alien")) == []
    assert [tuple(f) for f in walk.path(FILMS.entities.id("Gladiator"))] == [
        (FILMS.entities.id("Alien"), 0, FILMS.entities.id("Scott")),
        (FILMS.entities.id("Gladiator"), 0, FILMS.entities.id("Scott")),
    ]


triples = st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 7)).filter(lambda t: t[0] != t[2])


@settings(max_examples=60, deadline=None)
@given(st.lists(triples, min_size=1, max_size=20), st.integers(0, 2**31))
def test_every_path_is_a_walk_in_the_graph(rows: list[tuple[int, int, int]], seed: int) -> None:
    graph = KnowledgeGraph.from_triples([(f"e{h}", f"r{r}", f"e{t}") for h, r, t in rows])
    draw = torch.Generator().manual_seed(seed)
    weights = list(torch.rand(3, 2 * len(graph.relations), generator=draw))
    walk = walked(graph, 0, weights)
    known = {Fact(*map(int, row)) for row in graph.triples}
    for entity in walk.entity[-1].tolist():
        path = walk.path(entity)
        here = 0
        for fact in path:
            assert fact in known
            assert here in (fact.head, fact.tail)
            here = fact.tail if here == fact.head else fact.head
        assert not path or here == entity
        assert all(one != two for one, two in pairwise(path))


def test_only_the_cycle_that_counts_most_is_told() -> None:
    walk = walked(FILMS, FILMS.entities.id("Scott"), along(FILMS, "^directed_by", "starred"))
    assert len(walk.path(FILMS.entities.id("Crowe"))) == 2
    with pytest.raises(IndexError):
        walk.best(2)


def test_where_frontiers_do_not_hang_together_the_likeliest_path_is_told() -> None:
    walk = walked(FILMS, FILMS.entities.id("Weaver"), along(FILMS, "^starred", "directed_by"))
    apart = replace(
        walk,
        entity=[walk.entity[0], walk.entity[1][:0], walk.entity[2]],
        score=[*walk.score[:1], walk.score[1][:0], walk.score[2]],
    )
    for entity in walk.entity[2][walk.score[2] > 0].tolist():
        assert apart.path(entity) == walk.path(entity) != []

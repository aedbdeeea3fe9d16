"""A walk over any small graph, beside dense matrices and beside lists of walks."""

from typing import NamedTuple

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kgreason import frontier
from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.frontier import Facts
from kgreason.tensors import Frontier

Fact = tuple[int, int, int]  # from, directed relation, to


class Case(NamedTuple):
    """A graph, where each row stands in it, and two rows of weights of its relations."""

    facts: Facts
    triples: list[Fact]
    front: Frontier
    first: Tensor
    second: Tensor


class Drawn(NamedTuple):
    """What a case is made of; it is made outside of the strategy, since the checks of types draw random numbers."""

    entities: int
    relations: int
    triples: list[Fact]
    places: list[list[int]]
    seed: int
    zeros: float


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """Loops, facts in both directions, entities and relations without facts, rows that stand nowhere."""
    entities, relations, rows = draw(st.integers(1, 7)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    one = st.tuples(st.integers(0, entities - 1), st.integers(0, relations - 1), st.integers(0, entities - 1))
    triples = sorted(draw(st.sets(one, max_size=20)))
    places = [draw(st.permutations(range(entities)))[: draw(st.integers(0, entities))] for _ in range(rows)]
    return Drawn(entities, relations, triples, places, draw(st.integers(0, 1000)), draw(st.sampled_from([0.0, 0.3])))


def case_of(given: Drawn) -> Case:
    generator = torch.Generator().manual_seed(given.seed)
    front = front_of(given.places, generator)
    weights = torch.rand(2, len(given.places), 2 * given.relations, generator=generator)
    weights[weights < given.zeros] = 0
    facts = facts_of(given.entities, given.relations, given.triples)
    return Case(facts, given.triples, front, weights[0], weights[1])


def front_of(places: list[list[int]], generator: torch.Generator | None = None) -> Frontier:
    ptr = torch.tensor([0, *np.cumsum([len(place) for place in places])])
    entity = torch.tensor([v for place in places for v in place], dtype=torch.int32)
    return Frontier(ptr, entity, torch.rand(len(entity), generator=generator))


def facts_of(entities: int, relations: int, triples: list[Fact]) -> Facts:
    names, kinds = Vocab([f"e{i}" for i in range(entities)]), Vocab([f"r{i}" for i in range(relations)])
    rows = np.array(triples, np.int32).reshape(-1, 3)
    return Facts.of(KnowledgeGraph.from_ids(names, kinds, rows, Labels.from_names(names)))


def directed(case: Case) -> list[Fact]:
    half = case.facts.num_relations
    return [*case.triples, *((t, half + r, h) for h, r, t in case.triples)]


def dense(front: Frontier, entities: int) -> Tensor:
    """The frontier as a matrix (rows, entities)."""
    out = torch.zeros(front.num_rows, entities)
    return out.index_put((front.row, front.entity.long()), front.score)


def matrix(case: Case) -> Tensor:
    """The graph as matrices (directed relations, entities, entities)."""
    out = torch.zeros(case.facts.num_directed, case.facts.num_entities, case.facts.num_entities)
    for u, r, v in directed(case):
        out[r, u, v] = 1
    return out


def entries(front: Frontier) -> list[tuple[int, int]]:
    return list(zip(front.row.tolist(), front.entity.tolist(), strict=True))


def close(got: Tensor, want: Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


@given(drawn(), st.sampled_from([0.0, 0.2, 0.5, 0.9]))
def test_a_hop_is_a_product_of_matrices_and_so_are_its_gradients(some: Drawn, theta: float) -> None:
    case = case_of(some)
    score, weight = case.front.score.clone().requires_grad_(), case.first.clone().requires_grad_()
    start = case.front.with_score(score)
    found, touched = frontier.hop(case.facts, start, weight, theta)
    kept = torch.where(weight >= theta, weight, 0.0)
    want = torch.einsum("bu,br,ruv->bv", dense(start, case.facts.num_entities), kept, matrix(case))
    close(dense(found, case.facts.num_entities), want)
    there = [(b, f) for b, u in entries(start) for f in directed(case) if f[0] == u and weight[b, f[1]] >= theta]
    assert sorted(entries(found)) == sorted({(b, v) for b, (_, _, v) in there}), "what is reached, each once per row"
    assert touched.tolist() == [sum(b == row for b, _ in there) for row in range(len(weight))]
    assert not case.facts.slot.any(), "nothing is left behind"
    above = torch.randn_like(want)
    got = torch.autograd.grad((dense(found, want.shape[1]) * above).sum(), (score, weight), retain_graph=True)
    expected = torch.autograd.grad((want * above).sum(), (score, weight))
    close(got[0], expected[0])
    close(got[1], expected[1])
    assert not case.facts.slot.any()


@given(drawn(), st.sampled_from([0.0, 0.4]), st.integers(1, 12))
def test_a_budget_is_spent_on_the_best_entities_first(some: Drawn, theta: float, budget: int) -> None:
    case = case_of(some)
    found, touched = frontier.hop(case.facts, case.front, case.first, theta, budget)
    whole, needed = frontier.hop(case.facts, case.front, case.first, theta)
    assert touched.tolist() == needed.clamp_max(budget).tolist()
    want = torch.zeros(case.front.num_rows, case.facts.num_entities)
    order = sorted(range(len(case.front.score)), key=lambda i: -float(case.front.score[i]))
    for b in range(case.front.num_rows):
        mine = [i for i in order if case.front.row[i] == b]
        steps = [(i, f) for i in mine for f in sorted(directed(case), key=lambda f: (f[1], f[2]))]
        steps = [(i, f) for i, f in steps if f[0] == case.front.entity[i] and case.first[b, f[1]] >= theta]
        for i, (_, r, v) in steps[:budget]:
            want[b, v] += case.front.score[i] * case.first[b, r]
    got = dense(found, case.facts.num_entities)
    close(got, want)
    assert (got <= dense(whole, case.facts.num_entities) + 1e-5).all()


@given(drawn(), st.integers(1, 12))
def test_gradients_under_a_budget_are_those_of_the_facts_touched(some: Drawn, budget: int) -> None:
    case = case_of(some)
    score, weight = case.front.score.clone().requires_grad_(), case.first.clone().requires_grad_()
    found, _ = frontier.hop(case.facts, case.front.with_score(score), weight, 0.0, budget)
    if len(found.score):
        found.score.sum().backward()
        # the sum is linear in each of the two: by Euler, each times its gradient gives the sum once more
        assert score.grad is not None
        assert weight.grad is not None
        close((score * score.grad).sum(), found.score.sum())
        close((weight * weight.grad).sum(), found.score.sum())


@given(drawn())
def test_the_relations_that_leave_are_those_with_a_fact(some: Drawn) -> None:
    case = case_of(some)
    want = torch.zeros(case.front.num_rows, case.facts.num_directed, dtype=torch.bool)
    for b, u in entries(case.front):
        for source, r, _ in directed(case):
            want[b, r] |= source == u
    assert torch.equal(frontier.leaving(case.facts, case.front), want)


@given(drawn())
def test_two_hops_less_what_returns_are_the_walks_that_do_not_turn_back(some: Drawn) -> None:
    case = case_of(some)
    middle, _ = frontier.hop(case.facts, case.front, case.first)
    end, _ = frontier.hop(case.facts, middle, case.second)
    back = case.second.roll(case.facts.num_relations, 1)
    factor = torch.ones_like(middle.score)
    home = frontier.returning(case.facts, case.front, case.first * back, middle, factor)
    got = dense(end, case.facts.num_entities) - dense(case.front.with_score(home), case.facts.num_entities)
    close(got, straight_on(case))


def straight_on(case: Case) -> Tensor:
    """The score of every walk of two hops, one by one, but for those that go back by the fact they came by."""
    half = case.facts.num_relations
    want = torch.zeros(case.front.num_rows, case.facts.num_entities)
    for (b, u), score in zip(entries(case.front), case.front.score, strict=True):
        for at, r, v in directed(case):
            for at_too, s, o in directed(case):
                if at == u and at_too == v and (s, o) != ((r + half) % (2 * half), u):
                    want[b, o] += score * case.first[b, r] * case.second[b, s]
    return want


@given(drawn())
def test_what_returns_has_the_gradients_of_its_equation(some: Drawn) -> None:
    case = case_of(some)
    middle, _ = frontier.hop(case.facts, case.front, case.second)
    factor = torch.rand_like(middle.score)
    score, weight = case.front.score.clone().requires_grad_(), case.first.clone().requires_grad_()
    got = frontier.returning(case.facts, case.front.with_score(score), weight, middle, factor)
    f = dense(middle.with_score(factor), case.facts.num_entities)
    whole = torch.einsum("bu,br,ruv,bv->bu", dense(case.front.with_score(score), f.shape[1]), weight, matrix(case), f)
    want = whole[case.front.row, case.front.entity.long()]
    close(got, want)
    above = torch.randn_like(got)
    by_score, by_weight = torch.autograd.grad((got * above).sum(), (score, weight), retain_graph=True)
    want_score, want_weight = torch.autograd.grad((want * above).sum(), (score, weight))
    close(by_score, want_score)
    close(by_weight, torch.where(weight > 0, want_weight, 0.0))  # relations of weight 0 are not looked at


def places(rows: int, entities: int) -> st.SearchStrategy[list[list[int]]]:
    place = st.lists(st.integers(0, entities - 1), unique=True, max_size=entities)
    return st.lists(place, min_size=rows, max_size=rows)


@given(places(3, 6), places(3, 6))
def test_find_is_a_look_up(first: list[list[int]], second: list[list[int]]) -> None:
    facts, wanted, among = facts_of(6, 1, []), front_of(first), front_of(second)
    place = {entry: i for i, entry in enumerate(entries(among))}
    assert frontier.find(facts, wanted, among).tolist() == [place.get(entry, -1) for entry in entries(wanted)]
    assert not facts.slot.any()


@given(st.lists(places(3, 6), min_size=1, max_size=3))
def test_a_union_holds_every_entry_once(each: list[list[list[int]]]) -> None:
    facts, parts = facts_of(6, 1, []), list(map(front_of, each))
    joined, found = frontier.unite(facts, parts)
    assert sorted(entries(joined)) == sorted({entry for part in parts for entry in entries(part)})
    assert joined.row.tolist() == sorted(joined.row.tolist())
    for part, place in zip(parts, found, strict=True):
        assert [entries(joined)[i] for i in place.tolist()] == entries(part)
    assert not joined.score.any()
    assert not facts.slot.any()


@settings(max_examples=20)
@given(drawn(), st.integers(0, 2))
def test_a_row_does_not_depend_on_the_others(some: Drawn, row: int) -> None:
    case = case_of(some)
    b = min(row, case.front.num_rows - 1)
    part = slice(int(case.front.ptr[b]), int(case.front.ptr[b + 1]))
    alone = Frontier(case.front.ptr[b : b + 2] - part.start, case.front.entity[part], case.front.score[part])
    got, _ = frontier.hop(case.facts, alone, case.first[b : b + 1], 0.1, 5)
    whole, _ = frontier.hop(case.facts, case.front, case.first, 0.1, 5)
    assert torch.equal(got.score, whole.score[whole.row == b])
    assert torch.equal(got.entity, whole.entity[whole.row == b])

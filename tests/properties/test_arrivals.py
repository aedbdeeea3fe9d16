"""What arrives, relation by relation, beside the dense matrix of the graph."""

from typing import NamedTuple

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kgreason import frontier
from kgreason.arrivals import around, arrive
from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.frontier import Facts
from kgreason.tensors import Frontier


class Drawn(NamedTuple):
    """What a case is made of; it is made outside of the strategy, since the checks of types draw random numbers."""

    entities: int
    relations: int
    triples: list[tuple[int, int, int]]
    places: list[list[int]]


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    entities, relations, rows = draw(st.integers(1, 7)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    one = st.tuples(st.integers(0, entities - 1), st.integers(0, relations - 1), st.integers(0, entities - 1))
    triples = sorted(draw(st.sets(one, max_size=20)))
    places = [draw(st.permutations(range(entities)))[: draw(st.integers(0, entities))] for _ in range(rows)]
    return Drawn(entities, relations, triples, places)


def made(case: Drawn) -> tuple[Facts, Frontier, Tensor]:
    """The graph, the frontier, and the graph as a tensor (directed relations, entities, entities)."""
    names, kinds = Vocab([f"e{i}" for i in range(case.entities)]), Vocab([f"r{i}" for i in range(case.relations)])
    rows = np.array(case.triples, np.int32).reshape(-1, 3)
    facts = Facts.of(KnowledgeGraph.from_ids(names, kinds, rows, Labels.from_names(names)))
    ptr = torch.tensor([0, *np.cumsum([len(place) for place in case.places])])
    entity = torch.tensor([v for place in case.places for v in place], dtype=torch.int32)
    matrix = torch.zeros(2 * case.relations, case.entities, case.entities)
    for h, r, t in case.triples:
        matrix[r, h, t] = matrix[case.relations + r, t, h] = 1
    return facts, Frontier(ptr, entity, torch.rand(len(entity)).requires_grad_()), matrix


def dense(front: Frontier, size: int) -> Tensor:
    out = torch.zeros(front.num_rows, size)
    return out.index_put((front.row, front.entity.long()), front.score)


@given(drawn())
def test_arrivals_are_a_product_with_the_graph_relation_by_relation(case: Drawn) -> None:
    facts, front, matrix = made(case)
    got = arrive(facts, front)
    want = torch.einsum("bu,ruv->bvr", dense(front, case.entities), matrix)
    reached, counts = got.frontier, got.counts
    table = torch.zeros(len(reached.entity), facts.num_directed)
    table = table.index_put((counts.place, counts.relation), counts.value)
    torch.testing.assert_close(table, want[reached.row, reached.entity.long()])
    torch.testing.assert_close(dense(reached, case.entities), want.sum(-1))
    assert int((want.sum(-1) > 0).sum()) <= len(reached.entity)
    pairs = list(zip(counts.place.tolist(), counts.relation.tolist(), strict=True))
    assert pairs == sorted(set(pairs)), "entity by entity, each relation once"
    every = torch.ones(front.num_rows, facts.num_directed)
    hopped, touched = frontier.hop(facts, front, every)
    assert got.touched.tolist() == touched.tolist()
    assert sorted(zip(reached.row.tolist(), reached.entity.tolist(), strict=True)) == sorted(
        zip(hopped.row.tolist(), hopped.entity.tolist(), strict=True)
    )
    assert not facts.slot.any()


@given(drawn(), st.booleans())
def test_the_product_with_what_relations_mean_and_its_gradients(case: Drawn, shared: bool) -> None:
    facts, front, matrix = made(case)
    meaning = torch.randn(1 if shared else front.num_rows, facts.num_directed, 3, requires_grad=True)
    got = arrive(facts, front)
    product = got.counts.times(meaning)
    each = meaning.expand(front.num_rows, -1, -1)
    whole = torch.einsum("bu,ruv,brd->bvd", dense(front, case.entities), matrix, each)
    want = whole[got.frontier.row, got.frontier.entity.long()]
    torch.testing.assert_close(product, want, rtol=1e-4, atol=1e-5)
    if len(product):
        above = torch.randn_like(want)
        for one, other in zip(
            torch.autograd.grad((product * above).sum(), (front.score, meaning), retain_graph=True),
            torch.autograd.grad((want * above).sum(), (front.score, meaning)),
            strict=True,
        ):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@given(drawn(), st.integers(0, 10), st.integers(0, 3))
def test_what_a_row_may_touch_is_spent_on_the_best(case: Drawn, budget: int, keep: int) -> None:
    facts, front, matrix = made(case)
    got = arrive(facts, front, budget, keep)
    degree, kept = matrix.sum((0, 2)), list[int]()
    for b in range(front.num_rows):
        mine = sorted((i for i in range(len(front.entity)) if front.row[i] == b), key=lambda i: -front.score[i].item())
        wanted = [int(degree[front.entity[i]]) for i in (mine[:keep] if keep else mine)]
        assert int(got.touched[b]) == min(sum(wanted), budget or 10**9)
        kept += mine[: keep or None]
    if keep:
        best = torch.tensor(kept).long()
        part = torch.zeros_like(front.score).index_put((best,), front.score[best])
        want = torch.einsum("bu,ruv->bv", dense(front.with_score(part), case.entities), matrix)
        if not budget:
            torch.testing.assert_close(dense(got.frontier, case.entities), want)
        assert (dense(got.frontier, case.entities) <= want + 1e-5).all()


@given(drawn())
def test_relations_around_an_entity_are_shares_of_its_facts(case: Drawn) -> None:
    facts, front, matrix = made(case)
    counts = around(facts, front)
    table = torch.zeros(len(front.entity), facts.num_directed).index_put((counts.place, counts.relation), counts.value)
    arriving = matrix.sum(1).T  # (entities, directed relations)
    want = arriving / arriving.sum(1, keepdim=True).clamp_min(1)
    torch.testing.assert_close(table, want[front.entity.long()])

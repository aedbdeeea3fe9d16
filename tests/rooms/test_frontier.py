"""The walk on graphs small enough to reckon by hand, and on the kinds of columns that graphs come with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kgreason import frontier
from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.frontier import Facts, Hops
from kgreason.knowledge import open_store, save_store
from kgreason.tensors import Frontier

#: Relations by number: 0 knows, 1 likes; 2 and 3 are their inverses.
TRIPLES = [("ann", "knows", "bob"), ("ann", "likes", "bob"), ("bob", "knows", "cid"), ("cid", "likes", "cid")]
ANN, BOB, CID = 0, 1, 2


@pytest.fixture
def graph() -> KnowledgeGraph:
    return KnowledgeGraph.from_triples(TRIPLES)


@pytest.fixture
def facts(graph: KnowledgeGraph) -> Facts:
    return Facts.of(graph)


def at(*entities: int, score: float = 1.0) -> Frontier:
    """One row that stands at these entities."""
    return frontier.seeds(
        torch.zeros(len(entities)).long(), torch.tensor(entities), score * torch.ones(len(entities)), 1
    )


def told(front: Frontier) -> dict[int, float]:
    return dict(zip(front.entity.tolist(), [round(s, 5) for s in front.score.tolist()], strict=True))


def test_scores_move_along_both_directions_and_meet(facts: Facts) -> None:
    weight = torch.tensor([[0.5, 0.25, 0.125, 0.0]])
    found, touched = frontier.hop(facts, at(ANN, CID), weight)
    assert told(found) == {BOB: 0.5 + 0.25 + 0.125, CID: 0.25}
    assert touched.tolist() == [2 + 3], "of cid: one knows back, one likes forth and the same back"


def test_a_relation_below_the_threshold_is_not_followed(facts: Facts) -> None:
    weight = torch.tensor([[0.5, 0.25, 0.125, 0.1]])
    found, touched = frontier.hop(facts, at(BOB), weight, threshold=0.125)
    assert told(found) == {CID: 0.5, ANN: 0.125}, "a weight that equals the threshold is"
    assert touched.tolist() == [2]


def test_a_hop_from_nowhere_leads_nowhere(facts: Facts) -> None:
    empty = frontier.seeds(torch.zeros(0).long(), torch.zeros(0).long(), torch.zeros(0), 2)
    weight = torch.ones(2, 4, requires_grad=True)
    found, touched = frontier.hop(facts, empty, weight)
    assert found.num_rows == 2
    assert len(found.entity) == 0
    assert touched.tolist() == [0, 0]
    found.score.sum().backward()
    assert weight.grad is not None
    assert not weight.grad.any()
    assert not frontier.leaving(facts, empty).any()


def test_a_graph_without_facts_has_nowhere_to_go(graph: KnowledgeGraph) -> None:
    rows = np.zeros((0, 3), np.int32)
    bare = Facts.of(KnowledgeGraph.from_ids(graph.entities, graph.relations, rows, graph.labels))
    found, _ = frontier.hop(bare, at(ANN), torch.ones(1, 4))
    assert len(found.entity) == 0
    assert bare.num_entities == 3


def test_a_hub_costs_no_more_than_the_budget() -> None:
    spokes = 50_000
    rows = np.stack([np.zeros(spokes), np.zeros(spokes), np.arange(1, spokes + 1)], 1).astype(np.int32)
    ptr = np.concatenate([[0], np.full(spokes + 1, spokes)]).astype(np.int64)
    tail_ptr = np.concatenate([[0, 0], np.arange(1, spokes + 1)]).astype(np.int64)
    facts = Facts(1, ptr, rows[:, 1], rows[:, 2].copy(), tail_ptr, rows[:, 1], rows[:, 0].copy())
    found, touched = frontier.hop(facts, at(0), torch.ones(1, 2), budget=1000)
    assert touched.tolist() == [1000]
    assert len(found.entity) == 1000
    beside = Frontier(torch.tensor([0, 2]), torch.tensor([0, 7], dtype=torch.int32), torch.tensor([0.1, 0.9]))
    found, touched = frontier.hop(facts, beside, torch.ones(1, 2), budget=1000)
    assert told(found)[0] == pytest.approx(0.9), "the entity of the higher score is served first"
    assert touched.tolist() == [1000]


def test_a_graph_that_is_mapped_and_one_in_memory_give_the_same(graph: KnowledgeGraph, tmp_path: Path) -> None:
    weight = torch.rand(1, 4)
    mapped = Facts.of(open_store(save_store(graph, tmp_path / "store")))
    got, _ = frontier.hop(mapped, at(ANN, BOB), weight)
    want, _ = frontier.hop(Facts.of(graph), at(ANN, BOB), weight)
    assert told(got) == told(want)


def test_relations_may_be_numbers_of_another_width(graph: KnowledgeGraph) -> None:
    assert graph.relation.dtype == np.uint16
    wide = replace(graph, relation=graph.relation.astype(np.int32), inverse=graph.inverse.astype(np.int32))
    weight = torch.rand(1, 4)
    assert told(frontier.hop(Facts.of(wide), at(BOB), weight)[0]) == told(
        frontier.hop(Facts.of(graph), at(BOB), weight)[0]
    )


def test_what_returns_is_reckoned_by_fact(facts: Facts) -> None:
    both = torch.tensor([[0.5, 0.25, 0.0, 0.0]])  # out by knows and back by knows; out by likes and back by likes
    middle, _ = frontier.hop(facts, at(ANN), torch.tensor([[1.0, 1.0, 0.0, 0.0]]), threshold=0.5)
    home = frontier.returning(facts, at(ANN, score=0.5), both, middle, torch.ones(1))
    assert home.tolist() == [0.5 * (0.5 + 0.25)]
    home = frontier.returning(facts, at(ANN, score=0.5), both, middle, torch.full((1,), 0.5))
    assert home.tolist() == [0.5 * 0.5 * (0.5 + 0.25)]


def test_the_inverse_of_the_inverse_is_the_relation(facts: Facts) -> None:
    assert facts.opposite().tolist() == [2, 3, 0, 1]
    assert torch.equal(facts.opposite()[facts.opposite()], torch.arange(4))


def test_the_same_walk_twice_is_the_same(facts: Facts) -> None:
    weight = torch.rand(1, 4)
    once, again = (frontier.hop(facts, at(ANN, BOB, CID), weight, 0.1, 4)[0] for _ in range(2))
    assert torch.equal(once.entity, again.entity)
    assert torch.equal(once.score, again.score)


@pytest.mark.parametrize("table", [{"threshold": 1.0}, {"threshold": -0.1}, {"budget": -1}])
def test_numbers_out_of_range_are_refused(table: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected a threshold"):
        Hops.of(table)


def test_a_mistyped_option_is_refused() -> None:
    with pytest.raises(ConfigError, match="does not take 'treshold'"):
        Hops.of({"treshold": 0.1})
    assert Hops.of({"returns": True}).returns

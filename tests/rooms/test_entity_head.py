"""Entities as answers: after a walk over the whole graph, after cycles in the logic graph, and none of these."""

from collections.abc import Callable
from dataclasses import replace
from math import log

import pytest
import torch
from torch import nn

from kgreason.answer import EntityHead
from kgreason.data import NONE, KnowledgeGraph
from kgreason.decode import DECODERS
from kgreason.errors import ConfigError
from kgreason.frontier import Facts
from kgreason.segments import segment_softmax, segment_sum
from kgreason.tensors import Frontier, Scores, States, Trace, Walk

DIM = 4
Rows = list[dict[int, float]]


@pytest.fixture
def facts() -> Facts:
    return Facts.of(KnowledgeGraph.from_triples([(f"e{i}", "r", f"e{i + 1}") for i in range(7)]))


@pytest.fixture
def states(make_states: Callable[[list[int], int], States]) -> States:
    return make_states([1, 1], DIM)


def frontier_of(rows: Rows) -> Frontier:
    ptr = torch.tensor([0, *[len(row) for row in rows]]).cumsum(0)
    entity = torch.tensor([v for row in rows for v in row], dtype=torch.int32)
    return Frontier(ptr, entity, torch.tensor([s for row in rows for s in row.values()]))


def walked(steps: list[Rows], weight: list[list[float]], share: float = 1.0) -> Trace:
    """A trace of as many cycles as there are steps after the first."""
    cycles, rows = len(steps) - 1, len(steps[0])
    still = torch.zeros(cycles, rows)
    walk = Walk(tuple(map(frontier_of, steps)), torch.zeros(cycles, rows, 2), still + share, still.long())
    output, runs = torch.zeros(cycles, rows, DIM), torch.ones(cycles, rows, dtype=torch.bool)
    return Trace(output, torch.zeros(cycles, 2), runs, torch.tensor(weight), walk=walk)


#: Two rows, two cycles: from entity 0 to 1 and 2, then to 2, 3 and back to 0; from 5 to 6, then nowhere.
STEPS: list[Rows] = [
    [{0: 1.0}, {5: 1.0}],
    [{1: 0.5, 2: 0.25}, {6: 1.0}],
    [{2: 0.5, 3: 0.125, 0: 1.0}, {}],
]
WEIGHT = [[0.25, 0.5], [0.75, 0.5]]


def told(scores: Scores, row: int) -> dict[int, float]:
    mine = scores.group == row
    return {
        v: round(s, 5) for v, s in zip(scores.candidate[mine].tolist(), scores.value[mine].exp().tolist(), strict=True)
    }


def test_scores_are_those_of_the_cycles_weighed(facts: Facts, states: States) -> None:
    head = EntityHead(DIM, facts)
    scores = head(states, walked(STEPS, WEIGHT))
    gate = round(0.75 * head.seed(states.query)[0, 0].sigmoid().item(), 5)
    assert told(scores, 0) == {1: 0.125, 2: 0.0625 + 0.375, 3: 0.09375, 0: gate}
    assert told(scores, 1) == {6: 0.5}
    assert scores.partial


def test_a_gate_learns_whether_what_a_question_names_may_answer_it(facts: Facts, states: States) -> None:
    head = EntityHead(DIM, facts)
    nn.init.zeros_(head.seed.weight)
    for bias, want in ((-30.0, 0.0), (30.0, 0.75)):
        nn.init.constant_(head.seed.bias, bias)
        scores = head(states, walked(STEPS, WEIGHT))
        assert told(scores, 0)[0] == want
        assert told(scores, 0)[1] == 0.125, "no other entity is behind the gate"
    nn.init.zeros_(head.seed.bias)
    head(states, walked(STEPS, WEIGHT)).value[3].backward()  # the seed, of which 0 comes last in its row
    assert head.seed.bias.grad is not None
    assert float(head.seed.bias.grad) == pytest.approx(0.5), "of log sigmoid at 0"


def test_none_of_these_has_the_probability_of_its_equation(facts: Facts, states: States) -> None:
    head = EntityHead(DIM, facts, none=True)
    assert head.none is not None
    assert head.reach is not None
    nn.init.constant_(head.reach, 2.0)
    scores = head(states, walked(STEPS, WEIGHT, share=0.5))
    p = segment_softmax(scores.value, scores.group, 2)
    for row, query in enumerate(states.query):
        logit = head.none(query) - 2 * (WEIGHT[0][row] * log(0.5) + WEIGHT[1][row] * 2 * log(0.5))
        at = (scores.group == row) & (scores.candidate == NONE)
        torch.testing.assert_close(p[at], logit.sigmoid())
    torch.testing.assert_close(segment_sum(p, scores.group, 2), torch.ones(2))
    assert scores.group.tolist() == sorted(scores.group.tolist())


def test_where_nothing_was_reached_none_of_these_is_sure(facts: Facts, states: States) -> None:
    nowhere: list[Rows] = [[{0: 1.0}, {}], [{1: 1.0}, {}]]
    scores = EntityHead(DIM, facts, none=True)(states, walked(nowhere, [[1.0, 1.0]]))
    assert told(scores, 1).keys() == {NONE}
    assert segment_softmax(scores.value, scores.group, 2)[scores.group == 1].tolist() == [1.0]
    assert scores.value.isfinite().all()
    without = EntityHead(DIM, facts)(states, walked(nowhere, [[1.0, 1.0]]))
    assert without.group.tolist() == [0], "without it, a row that reached nothing has no candidate"


def test_relations_that_lead_nowhere_speak_for_none(facts: Facts, states: States) -> None:
    head = EntityHead(DIM, facts, none=True)
    p = []
    for share in (1.0, 0.3, 0.01):
        scores = head(states, walked(STEPS, WEIGHT, share))
        p.append(segment_softmax(scores.value, scores.group, 2)[scores.candidate == NONE][0].item())
    assert p[0] < p[1] < p[2]


def test_rows_may_be_readings_of_one_question(facts: Facts, make_states: Callable[[list[int], int], States]) -> None:
    states = make_states([1, 1], DIM)
    batch = replace(states.batch, group=torch.tensor([0, 0]), example=torch.tensor([0]))
    trace = walked([[{0: 1.0}, {5: 1.0}], [{1: 0.5}, {6: 0.25}]], [[1.0, 1.0]])
    scores = EntityHead(DIM, facts)(replace(states, batch=batch), trace)
    assert scores.group.tolist() == [0, 0]
    assert told(scores, 0) == {1: 0.5, 6: 0.25}


def test_gradients_reach_the_walk_the_halting_and_the_head(facts: Facts, states: States) -> None:
    head = EntityHead(DIM, facts, none=True)
    trace = walked(STEPS, WEIGHT, share=0.5)
    assert trace.walk is not None
    weight = trace.weight.requires_grad_()
    steps = tuple(step.with_score(step.score.requires_grad_()) for step in trace.walk.frontiers)
    share = trace.walk.open.requires_grad_()
    trace = replace(trace, weight=weight, walk=replace(trace.walk, frontiers=steps, open=share))
    scores = head(states, trace)
    (scores.value * torch.randn_like(scores.value)).sum().backward()
    for grad in (weight.grad, share.grad, *(step.score.grad for step in steps[1:] if len(step.score))):
        assert grad is not None
        assert grad.isfinite().all()
        assert grad.any()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all()


def test_without_a_walk_entities_are_scored_by_attention(
    facts: Facts, make_states: Callable[[list[int], int], States]
) -> None:
    states = make_states([3, 2], DIM)
    states = replace(states, batch=replace(states.batch, node_entity=torch.tensor([4, -1, 2, -1, 6])))
    trace = DECODERS.build({"name": "cycle", "cycles": 2}, dim=DIM)(states)
    scores = EntityHead(DIM, facts)(states, trace)
    assert scores.candidate.tolist() == [4, 2, 6]
    assert scores.group.tolist() == [0, 0, 1]
    assert scores.partial
    attention = trace.attention[-1, [0, 2, 4]]
    torch.testing.assert_close(scores.value.exp(), attention)
    assert scores.cycle is not None
    torch.testing.assert_close(scores.cycle[0].exp(), trace.attention[0, [0, 2, 4]])


def test_without_a_walk_there_is_none_of_these_as_well(
    facts: Facts, make_states: Callable[[list[int], int], States]
) -> None:
    states = make_states([3, 1], DIM)
    states = replace(states, batch=replace(states.batch, node_entity=torch.tensor([4, -1, 2, -1])))
    trace = DECODERS.build({"name": "cycle", "cycles": 2}, dim=DIM)(states)
    head = EntityHead(DIM, facts, none=True)
    assert head.none is not None
    scores = head(states, trace)
    assert scores.candidate.tolist() == [4, 2, NONE, NONE]
    assert scores.group.tolist() == [0, 0, 0, 1]
    p = segment_softmax(scores.value, scores.group, 2)
    torch.testing.assert_close(p[2], head.none(states.query[0])[0].sigmoid())
    assert p[3] == 1, "a row without an entity has no other answer"
    assert scores.cycle is not None
    for cycle in scores.cycle:
        torch.testing.assert_close(segment_softmax(cycle, scores.group, 2)[2], p[2])


def test_readings_of_one_question_have_one_none_of_these(
    facts: Facts, make_states: Callable[[list[int], int], States]
) -> None:
    states = make_states([1, 1], DIM)
    batch = replace(states.batch, group=torch.tensor([0, 0]), example=torch.tensor([0]))
    trace = walked([[{0: 1.0}, {5: 1.0}], [{1: 0.5}, {6: 0.25}]], [[1.0, 1.0]])
    head = EntityHead(DIM, facts, none=True)
    assert head.none is not None
    scores = head(replace(states, batch=batch), trace)
    assert sorted(scores.candidate.tolist()) == [NONE, 1, 6]
    p = segment_softmax(scores.value, scores.group, 1)
    torch.testing.assert_close(p[scores.candidate == NONE][0], head.none(states.query).mean().sigmoid())


def test_what_the_decoder_says_of_nothing_is_the_probability_of_none(facts: Facts, states: States) -> None:
    trace = walked(STEPS, WEIGHT)
    assert trace.walk is not None
    said = replace(trace, walk=replace(trace.walk, nothing=torch.tensor([0.25, 0.9])))
    scores = EntityHead(DIM, facts, none="walk", seeds="any")(states, said)
    p = segment_softmax(scores.value, scores.group, 2)
    none = scores.candidate == NONE
    torch.testing.assert_close(p[none], torch.tensor([0.25, 0.9]))
    torch.testing.assert_close(segment_sum(p, scores.group, 2), torch.ones(2))
    assert not list(EntityHead(DIM, facts, none="walk", seeds="any").parameters())
    with pytest.raises(ConfigError, match="Set none = true to learn it"):
        EntityHead(DIM, facts, none="walk")(states, trace)
    with pytest.raises(ConfigError, match="none = 'wlak' is not known"):
        EntityHead(DIM, facts, none="wlak")

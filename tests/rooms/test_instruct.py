"""The decoder that follows instructions, against the equations it computes and the lessons of its teacher."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from kgreason.answer import EntityHead
from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.decode import InstructDecoder
from kgreason.decode.backward import BackwardTeacher, answers, jensen_shannon
from kgreason.decode.sight import InSight
from kgreason.errors import ConfigError
from kgreason.frontier import Facts
from kgreason.tensors import Frontier, States

DIM, ENTITIES, RELATIONS, TOKENS = 6, 7, 3, 5
WHOLE = {"budget": 0, "keep": 0}


@pytest.fixture
def graph() -> KnowledgeGraph:
    """Every entity is joined to every other and to itself, so that all are in sight from the first cycle on."""
    generator = np.random.default_rng(0)
    pairs = [(h, t) for h in range(ENTITIES) for t in range(ENTITIES)]
    rows = [(h, int(generator.integers(RELATIONS)), t) for h, t in pairs]
    rows += [(h, 0, t) for h, t in pairs[::5]]
    names = Vocab([f"e{i}" for i in range(ENTITIES)])
    return KnowledgeGraph.from_ids(names, Vocab(["a", "b", "c"]), np.array(rows, np.int32), Labels.from_names(names))


@pytest.fixture
def make(graph: KnowledgeGraph) -> Callable[..., InstructDecoder]:
    def build(**options: Any) -> InstructDecoder:
        torch.manual_seed(3)
        vectors = torch.randn(RELATIONS, 5)
        return InstructDecoder(DIM, Facts.of(graph), lambda: vectors, **{"walk": WHOLE} | options).eval()

    return build


@pytest.fixture
def states(make_states: Callable[[list[int], int], States]) -> States:
    """Two rows: one seed, and two of which one is half as sure; the last tokens of the first are padding."""
    states = make_states([2, 3], DIM)
    entity = torch.tensor([-1, 4, -1, 6, 2])
    mask = torch.ones(2, TOKENS, dtype=torch.bool)
    mask[0, 3:] = False
    score = torch.tensor([1.0, 1.0, 1.0, 0.5, 1.0])
    target = torch.tensor([[0, 1, 1], [1, 3, 5]])
    batch = replace(
        states.batch, node_entity=entity, node_type=torch.where(entity >= 0, 3, 0), node_score=score, token_mask=mask
    )
    return replace(states, batch=replace(batch, target=target))


def dense(front: Frontier, size: int = ENTITIES) -> Tensor:
    return torch.zeros(front.num_rows, size).index_put((front.row, front.entity.long()), front.score)


def directed(graph: KnowledgeGraph) -> list[tuple[int, int, int]]:
    facts = [tuple(row) for row in graph.triples.tolist()]
    return [*facts, *((t, r + RELATIONS, h) for h, r, t in facts)]


def by_the_paper(decoder: InstructDecoder, states: States, graph: KnowledgeGraph) -> list[Tensor]:
    """NSM (arXiv:2101.03737), equations 1 to 8, row by row and fact by fact."""
    steps: list[list[Tensor]] = [[] for _ in range(decoder.cycles)]
    propagate, relation, facts = decoder.propagate, decoder.relations(), directed(graph)
    for b, q in enumerate(states.query):
        h = states.tokens[b][states.batch.token_mask[b]]
        seeds = (states.batch.node_graph == b) & (states.batch.node_entity >= 0)
        p = torch.zeros(ENTITIES)
        p[states.batch.node_entity[seeds]] = states.batch.node_score[seeds] / states.batch.node_score[seeds].sum()
        e = []
        for v in range(ENTITIES):
            around = [propagate.around(relation[r]) for _, r, t in facts if t == v]
            e.append(torch.stack(around).mean(0).relu())
        instruction = torch.zeros(DIM)
        for k in range(decoder.cycles):
            q_k = decoder.control.steps[k](q)
            c = decoder.control.join(torch.cat([instruction, q_k]))
            instruction = (decoder.control.weigh(c * h)[:, 0].softmax(0)[:, None] * h).sum(0)
            new = []
            for v in range(ENTITIES):
                came = [p[u] * (instruction * propagate.message(relation[r])).relu() for u, r, t in facts if t == v]
                new.append((propagate.before(e[v]) + propagate.came(torch.stack(came).sum(0))).relu())
            e = new
            p = torch.stack([propagate.score(state)[0] for state in e]).softmax(0)
            steps[k].append(p)
    return [torch.stack(step) for step in steps]


def test_against_nsm(make: Callable[..., InstructDecoder], states: States, graph: KnowledgeGraph) -> None:
    decoder = make(halt={"name": "fixed"})
    walk = decoder(states).walk
    assert walk is not None
    want = by_the_paper(decoder, states, graph)
    for got, step in zip(walk.frontiers[1:], want, strict=True):
        torch.testing.assert_close(dense(got), step)
    above = torch.randn(2, ENTITIES)
    parameters = list(decoder.parameters())
    grads = torch.autograd.grad((dense(walk.frontiers[-1]) * above).sum(), parameters, retain_graph=True)
    expected = torch.autograd.grad((want[-1] * above).sum(), parameters)
    for (name, _), grad, wanted in zip(decoder.named_parameters(), grads, expected, strict=True):
        torch.testing.assert_close(grad, wanted, rtol=1e-3, atol=1e-6, msg=name)


def test_the_trace_tells_by_which_relations_it_came(
    make: Callable[..., InstructDecoder], states: States, graph: KnowledgeGraph
) -> None:
    walk = make(halt={"name": "fixed"})(states).walk
    assert walk is not None
    before, after = dense(walk.frontiers[1]), dense(walk.frontiers[2])
    want = torch.zeros(2, 2 * RELATIONS)
    for u, r, v in directed(graph):
        want[:, r] += before[:, u] * after[:, v]
    torch.testing.assert_close(walk.relation[1], want / want.sum(1, keepdim=True))
    assert walk.touched.tolist() == [
        [sum(u in (4,) for u, _, _ in directed(graph)), sum(u in (6, 2) for u, _, _ in directed(graph))],
        [2 * len(graph.tail)] * 2,
        [2 * len(graph.tail)] * 2,
    ]


def test_a_budget_bounds_what_a_cycle_touches(make: Callable[..., InstructDecoder], states: States) -> None:
    walk = make(walk={"budget": 9}, halt={"name": "fixed"})(states).walk
    assert walk is not None
    assert (walk.touched == 9).all()
    walk = make(walk={"keep": 1, "budget": 0}, halt={"name": "fixed"})(states).walk
    assert walk is not None
    assert (walk.touched <= 2 * 2 * ENTITIES).all()
    for step in walk.frontiers:
        total = torch.zeros(2).index_add(0, step.row, step.score)
        torch.testing.assert_close(total, torch.ones(2))


def chain(length: int = 8) -> KnowledgeGraph:
    return KnowledgeGraph.from_triples([(f"e{i}", "next", f"e{i + 1}") for i in range(length)])


def asked(states: States, seeds: list[int], answer: list[int], texts: Tensor) -> States:
    """A row for each seed, of one node, whose text is one vector."""
    rows = len(seeds)
    batch = replace(
        states.batch,
        node_entity=torch.tensor(seeds),
        node_type=torch.full((rows,), 3),
        target=torch.stack([torch.arange(rows), torch.tensor(answer)]),
    )
    return replace(states, query=texts, tokens=texts[:, None].expand(-1, TOKENS, -1), batch=batch)


@pytest.mark.parametrize("teacher", [0.0, 0.5])
def test_hops_and_direction_are_learned_from_answers_alone(
    make_states: Callable[[list[int], int], States], teacher: float
) -> None:
    """One hop on, two hops on, one hop back: three questions, asked of seeds that training did not see."""
    torch.manual_seed(0)
    facts = Facts.of(chain(12))
    decoder = InstructDecoder(
        16,
        facts,
        lambda: torch.zeros(1, 2),
        cycles=2,
        walk={"teacher": teacher},
        control={"name": "chained", "dropout": 0.0},
    )
    head = EntityHead(16, facts)
    texts = torch.randn(3, 16)
    kinds, shifts = torch.tensor([0, 1, 2] * 3), [1, 2, -1]

    def batch(seeds: list[int]) -> States:
        right = [s + shifts[k] for s, k in zip(seeds, kinds.tolist(), strict=True)]
        return asked(make_states([1] * 9, 16), seeds, right, texts[kinds])

    states = batch([3, 3, 3, 4, 4, 4, 5, 5, 5])
    optimiser = torch.optim.Adam([*decoder.parameters(), *head.parameters()], lr=0.01)
    for _ in range(150):
        trace = decoder.train()(states)
        scores = head(states, trace)
        total = torch.zeros(9).index_add(0, scores.group, scores.value.exp())
        assert states.batch.target is not None
        hit = scores.candidate == states.batch.target[1][scores.group]
        loss = -(scores.value[hit] - total.log()[scores.group[hit]]).sum() + (
            0 if trace.loss is None else 9 * trace.loss
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    states = batch([6, 6, 6, 7, 7, 7, 8, 8, 8])
    scores = head(states, decoder.eval()(states))
    assert states.batch.target is not None
    for b, want in enumerate(states.batch.target[1].tolist()):
        mine = scores.group == b
        assert int(scores.candidate[mine][scores.value[mine].argmax()]) == want


def test_jensen_shannon_is_its_equation(graph: KnowledgeGraph) -> None:
    facts = Facts.of(graph)
    one = Frontier(torch.tensor([0, 2, 3]), torch.tensor([1, 2, 5], dtype=torch.int32), torch.tensor([0.25, 0.75, 1.0]))
    two = Frontier(torch.tensor([0, 2, 3]), torch.tensor([2, 4, 5], dtype=torch.int32), torch.tensor([0.5, 0.5, 1.0]))
    p, b = dense(one), dense(two)
    m = (p + b) / 2
    want = (torch.xlogy(p, p / m).nansum() + torch.xlogy(b, b / m).nansum()) / 2
    torch.testing.assert_close(jensen_shannon(facts, one, two), want)
    assert float(jensen_shannon(facts, one, one)) == pytest.approx(0, abs=1e-6)


def test_the_teacher_walks_back_by_the_instructions_in_reverse(graph: KnowledgeGraph, states: States) -> None:
    """For a row that two cycles explain, and one that one does: the loss, put together from its parts."""
    torch.manual_seed(0)
    facts = Facts.of(graph)
    teacher = BackwardTeacher(DIM, facts, 0, 0)
    x, relation = torch.randn(2, 2, DIM), torch.randn(2 * RELATIONS, DIM)
    right = answers(states.batch)
    assert (
        dense(right).tolist()
        == dense(Frontier(torch.tensor([0, 1, 3]), torch.tensor([1, 3, 5], dtype=torch.int32), torch.ones(3))).tolist()
    )
    p = torch.rand(3, 2, ENTITIES)
    p = p / p.sum(-1, keepdim=True)
    ids = torch.arange(ENTITIES).repeat(2).int()
    ahead = [
        InSight(Frontier(torch.tensor([0, ENTITIES, 2 * ENTITIES]), ids, step.flatten()), torch.zeros(0, DIM))
        for step in p
    ]
    weight = torch.tensor([[0.01, 0.99], [0.99, 0.01]])  # of cycles and rows: the first takes two, the second one
    got = teacher(states.batch, ahead, weight, x, relation)
    inverse = relation.roll(RELATIONS, 0)
    b0 = InSight.at(right, x[0])
    by_row = torch.tensor([1, 0])  # the instruction each row is walked back by first
    b1, _ = teacher.propagate(b0, x[by_row, torch.arange(2)], inverse)
    b2, _ = teacher.propagate(b1, x[[0, 0], torch.arange(2)], inverse)
    d1, d2 = dense(b1.frontier), dense(b2.frontier)
    m = (d1[0] + p[1, 0]) / 2
    js = ((d1[0] * (d1[0] / m).log()).sum() + (p[1, 0] * (p[1, 0] / m).log()).sum()) / 2
    want = js - (p[0, 0] * d2[0].log()).sum() - (p[0, 1] * d1[1].log()).sum()
    torch.testing.assert_close(got, want / 2)


def test_the_teacher_is_there_in_training_only(make: Callable[..., InstructDecoder], states: States) -> None:
    decoder = make(walk={"teacher": 1.0}, halt={"name": "fixed"})
    assert decoder(states).loss is None
    taught = decoder.train()(states).loss
    assert taught is not None
    taught.backward()
    assert decoder.teacher is not None
    assert all(p.grad is not None for p in decoder.teacher.parameters())
    assert decoder(replace(states, batch=replace(states.batch, target=None))).loss is None
    nobody = replace(states, batch=replace(states.batch, target=torch.tensor([[0, 1], [-1, -2]])))
    assert float(decoder(nobody).loss) == 0, "none of these, and an answer that the graph does not have"


def test_text_relations_give_what_a_relation_is_called_a_meaning(
    make: Callable[..., InstructDecoder], states: States
) -> None:
    decoder = make(relations={"name": "texts"}, halt={"name": "fixed"})
    walk = decoder(states).walk
    decoder.relations.vectors = decoder.relations.vectors.roll(1, 0)
    other = decoder(states).walk
    assert walk is not None
    assert other is not None
    assert not torch.allclose(dense(walk.frontiers[1]), dense(other.frontiers[1]))


def test_wrong_numbers_are_refused(make: Callable[..., InstructDecoder]) -> None:
    with pytest.raises(ConfigError, match="cycles = 0"):
        make(cycles=0)
    with pytest.raises(ConfigError, match="at least 0"):
        make(walk={"budget": -1})
    with pytest.raises(ConfigError, match="does not take 'bugdet'"):
        make(walk={"bugdet": 1})

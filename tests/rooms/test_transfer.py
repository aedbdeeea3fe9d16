"""The transfer decoder against the paper's equations, and what ours adds to them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kgreason.answer import EntityHead
from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.decode import TransferDecoder
from kgreason.errors import ConfigError
from kgreason.frontier import Facts
from kgreason.tensors import Frontier, GraphBatch, States, Trace

DIM, ENTITIES, RELATIONS, TOKENS = 6, 12, 3, 5
PAPER = {"threshold": 0.0, "budget": 0, "returns": True, "closed": True}
WIDE = {"threshold": 0.0, "budget": 0}
PONDER = {"name": "ponder", "strength": 0.0}
AHEAD = PONDER | {"ahead": True}


@pytest.fixture
def graph() -> KnowledgeGraph:
    generator = np.random.default_rng(0)
    rows = generator.integers((ENTITIES, RELATIONS, ENTITIES), size=(25, 3)).astype(np.int32)
    names = Vocab([f"e{i}" for i in range(ENTITIES)])
    return KnowledgeGraph.from_ids(names, Vocab(["a", "b", "c"]), rows, Labels.from_names(names))


@pytest.fixture
def make(graph: KnowledgeGraph) -> Callable[..., TransferDecoder]:
    def build(seed: int = 0, **options: Any) -> TransferDecoder:
        torch.manual_seed(seed)
        vectors = torch.randn(RELATIONS, 7)
        return TransferDecoder(DIM, Facts.of(graph), lambda: vectors, **options).eval()

    return build


@pytest.fixture
def states(make_states: Callable[[list[int], int], States]) -> States:
    """Three rows: one seed, two, none; the last tokens of the first are padding."""
    states = make_states([2, 3, 1], DIM)
    entity = torch.tensor([-1, 4, -1, 7, 2, -1])
    mask = torch.ones(3, TOKENS, dtype=torch.bool)
    mask[0, 3:] = False
    score = torch.tensor([1.0, 1.0, 1.0, 0.5, 0.8, 1.0])
    kinds = torch.where(entity >= 0, 3, 0)
    return replace(
        states,
        batch=replace(states.batch, node_entity=entity, node_type=kinds, node_score=score, token_mask=mask),
    )


def dense(front: Frontier) -> Tensor:
    out = torch.zeros(front.num_rows, ENTITIES)
    return out.index_put((front.row, front.entity.long()), front.score)


def matrices(graph: KnowledgeGraph) -> Tensor:
    out = torch.zeros(2 * RELATIONS, ENTITIES, ENTITIES)
    for h, r, t in graph.triples.tolist():
        out[r, h, t] = out[RELATIONS + r, t, h] = 1
    return out


def by_the_paper(decoder: TransferDecoder, states: States, matrix: Tensor) -> list[Tensor]:
    """TransferNet (arXiv:2104.07302), equations 1 to 5, one row after the other, over all entities."""
    steps: list[list[Tensor]] = [[] for _ in range(decoder.cycles)]
    for b, q in enumerate(states.query):
        h = states.tokens[b][states.batch.token_mask[b]]
        seeds = (states.batch.node_graph == b) & (states.batch.node_entity >= 0)
        e = torch.zeros(ENTITIES)
        e[states.batch.node_entity[seeds]] = states.batch.node_score[seeds]
        for t in range(decoder.cycles):
            c = torch.tanh(decoder.control.steps[t](q))
            attention = (h @ c).softmax(0)
            r = decoder.relations.score(attention @ h).softmax(0)
            e = torch.einsum("u,r,ruv->v", e, r, matrix)
            e = e / e.detach().clamp_min(1)
            steps[t].append(e)
    return [torch.stack(step) for step in steps]


def test_against_transfernet(make: Callable[..., TransferDecoder], states: States, graph: KnowledgeGraph) -> None:
    decoder = make(walk=PAPER, control={"name": "steps"}, relations={"name": "ids"}, halt={"name": "fixed"})
    nn.init.normal_(decoder.relations.score.weight)
    sure = replace(states.batch, node_score=20 * states.batch.node_score)  # so that some scores pass 1, and are cut
    states = replace(states, batch=sure)
    walk = decoder(states).walk
    assert walk is not None
    want = by_the_paper(decoder, states, matrices(graph))
    assert any((step == 1).any() for step in want)
    above = torch.randn(3, ENTITIES)
    for got, step in zip(walk.frontiers[1:], want, strict=True):
        torch.testing.assert_close(dense(got), step)
    parameters = list(decoder.parameters())
    grads = torch.autograd.grad((dense(walk.frontiers[-1]) * above).sum(), parameters, retain_graph=True)
    expected = torch.autograd.grad((want[-1] * above).sum(), parameters)
    for grad, wanted in zip(grads, expected, strict=True):
        torch.testing.assert_close(grad, wanted, rtol=1e-4, atol=1e-6)


def test_against_transfernet_the_answer(
    make: Callable[..., TransferDecoder], states: States, graph: KnowledgeGraph
) -> None:
    """Equation 6: the steps, weighed by how many hops the question takes."""
    decoder = make(walk=PAPER)
    trace = decoder(states)
    head = EntityHead(DIM, decoder.facts)
    nn.init.constant_(head.seed.bias, 50.0)  # the paper has no gate for the entities that a question names
    nn.init.zeros_(head.seed.weight)
    scores = head(states, trace)
    want = sum(
        w[:, None] * e for w, e in zip(trace.weight, by_the_paper(decoder, states, matrices(graph)), strict=True)
    )
    got = torch.zeros(3, ENTITIES).index_put((scores.group, scores.candidate), scores.value.exp())
    torch.testing.assert_close(got, want)


def test_weights_are_spent_only_on_relations_that_lead_somewhere(
    make: Callable[..., TransferDecoder], states: States, graph: KnowledgeGraph
) -> None:
    decoder = make(walk=WIDE, halt={"name": "fixed"})
    walk = decoder(states).walk
    assert walk is not None
    matrix = matrices(graph)
    for w, front, share in zip(walk.relation, walk.frontiers, walk.open, strict=False):
        there = torch.einsum("bu,ruv->br", (dense(front) > 0).float(), matrix) > 0
        assert not w[~there].any()
        torch.testing.assert_close(w.sum(1), torch.tensor([1.0, 1.0, 0.0]))
        assert share[2] == 0
        assert ((share > 0) & (share <= 1))[:2].all()


def test_a_walk_does_not_turn_back_by_the_fact_it_came_by(make: Callable[..., TransferDecoder]) -> None:
    path = KnowledgeGraph.from_triples([("a", "r", "b"), ("b", "r", "c")])
    for returns, reached in ((False, {2}), (True, {0, 2})):
        decoder = make(cycles=2, halt={"name": "fixed"}, walk=WIDE | {"returns": returns})
        decoder.facts = Facts.of(path)
        decoder.relations.score = nn.Linear(DIM, 2)
        walk = decoder(at_seed(0)).walk
        assert walk is not None
        assert {
            int(v) for v, s in zip(walk.frontiers[2].entity, walk.frontiers[2].score, strict=True) if s > 0
        } == reached


def at_seed(entity: int, rows: int = 1, dim: int = DIM) -> States:
    """Rows of two tokens and one node, the entity they start from."""
    node = torch.arange(rows)
    none, zeros = torch.zeros(0, dtype=torch.long), torch.zeros(rows, dtype=torch.long)
    batch = GraphBatch(
        input_ids=torch.ones(rows, 2, dtype=torch.long),
        token_mask=torch.ones(rows, 2, dtype=torch.bool),
        token_text=torch.zeros(rows, 2, dtype=torch.long),
        group=node,
        node_graph=node,
        node_type=zeros + 3,
        node_text=zeros - 1,
        node_pos=zeros - 1,
        node_entity=zeros + entity,
        node_score=torch.ones(rows),
        edge_index=torch.zeros(2, 0, dtype=torch.long),
        edge_kind=none,
        edge_type=none,
        edge_relation=none,
        edge_score=torch.zeros(0),
        link_index=torch.zeros(2, 0, dtype=torch.long),
        pair_index=torch.zeros(2, 0, dtype=torch.long),
        pair_type=none,
        example=node,
    )
    return States(torch.randn(rows, dim), torch.randn(rows, 2, dim), torch.randn(rows, dim), torch.zeros(0, dim), batch)


def test_a_stop_weighs_against_all_that_the_next_cycle_could_follow(
    make: Callable[..., TransferDecoder], states: States, graph: KnowledgeGraph
) -> None:
    decoder = make(walk=WIDE, halt=AHEAD).train()
    decoder.control.drop.p = 0.0
    trace = decoder(states)
    assert trace.walk is not None
    leaves = torch.einsum("bu,ruv->bru", (dense(trace.walk.frontiers[1]) > 0).float(), matrices(graph)).sum(2) > 0
    for b, tokens in enumerate((3, TOKENS)):
        c = torch.tanh(decoder.control.steps[1](states.query[b]))
        x = (states.tokens[b, :tokens] @ c).softmax(0) @ states.tokens[b, :tokens]
        going = decoder.relations.score(x)[leaves[b]].exp().sum()
        stop = decoder.halt.stop(c + x)[0].exp()
        torch.testing.assert_close(trace.weight[0, b], stop / (stop + going))
    assert trace.weight[0, 2] > 0.99  # nothing leaves where nothing is reached


@pytest.mark.parametrize("theta", [0.0, 0.01])
@pytest.mark.parametrize("halt", ["act", "ponder"])
def test_a_row_that_has_halted_touches_nothing_more(
    make: Callable[..., TransferDecoder], states: States, halt: str, theta: float
) -> None:
    decoder = make(cycles=4, halt={"name": halt}, walk={"threshold": theta})
    nn.init.zeros_(decoder.halt.stop.weight)
    nn.init.constant_(decoder.halt.stop.bias, 9.0)  # enough after one cycle
    trace = decoder(states)
    assert trace.running.tolist() == [[True] * 3] + [[False] * 3] * 3
    assert trace.weight[0].tolist() == [1.0] * 3
    assert trace.walk is not None
    assert not trace.walk.touched[1:].any()
    assert not trace.walk.relation[1:].any()
    assert not any(len(front.entity) for front in trace.walk.frontiers[2:])


@pytest.mark.parametrize("halt", [PONDER, AHEAD])
def test_ponder_learns_how_many_hops_it_takes(make: Callable[..., TransferDecoder], halt: dict[str, Any]) -> None:
    """Two questions from one seed, told apart by their text alone: one hop, and two. The answers are the teacher."""
    chain = KnowledgeGraph.from_triples([(f"e{i}", "next", f"e{i + 1}") for i in range(6)])
    decoder = make(cycles=3, halt=halt)
    decoder.facts = Facts.of(chain)
    decoder.relations.score = nn.Linear(DIM, 2)
    head = EntityHead(DIM, decoder.facts)
    states = at_seed(2, rows=2)
    right = torch.tensor([3, 4])
    optimiser = torch.optim.Adam([*decoder.parameters(), *head.parameters()], lr=0.05)
    decoder.train()
    decoder.control.drop.p = 0.0
    for _ in range(150):
        scores = head(states, decoder(states))
        total = torch.zeros(2).index_add(0, scores.group, scores.value.exp())
        hit = scores.candidate == right[scores.group]
        loss = -(scores.value[hit] - total.log()[scores.group[hit]]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    trace = decoder.eval()(states)
    scores = head(states, trace)
    best = [scores.candidate[scores.group == b][scores.value[scores.group == b].argmax()] for b in range(2)]
    assert best == [3, 4]
    assert trace.weight[0, 0] > 0.9
    assert trace.weight[0, 1] < 0.1


def test_a_relation_that_training_never_saw_is_followed_by_its_text(graph: KnowledgeGraph) -> None:
    """What is trained is that the relation whose text is like the question is followed; it holds for a new one."""
    torch.manual_seed(0)
    num = 40
    facts = Facts.of(KnowledgeGraph.from_triples([("hub", f"r{i:02}", f"x{i:02}") for i in range(num)]))
    texts = torch.randn(num, 8)
    decoder = TransferDecoder(8, facts, lambda: texts, cycles=1, relations={"name": "texts"}, halt={"name": "fixed"})
    optimiser = torch.optim.Adam(decoder.parameters(), lr=0.02)

    def asked(which: Tensor) -> States:
        states = at_seed(0, rows=len(which), dim=8)
        return replace(states, query=texts[which], tokens=texts[which][:, None].expand(-1, 2, -1))

    def found(trace: Trace, right: Tensor) -> Tensor:
        assert trace.walk is not None
        return trace.walk.relation[0][torch.arange(len(right)), right]

    seen, unseen = torch.arange(30), torch.arange(30, num)
    for _ in range(200):
        loss = -found(decoder(asked(seen)), seen).log().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    trace = decoder.eval()(asked(unseen))
    assert trace.walk is not None
    assert (trace.walk.relation[0].argmax(1) == unseen).float().mean() >= 0.9
    assert found(trace, unseen).mean() > 0.5


def test_a_recurrent_control_runs_on_more_cycles_than_it_was_built_for(
    make: Callable[..., TransferDecoder], states: States
) -> None:
    decoder = make(cycles=2, control={"name": "recurrent"}, halt={"name": "fixed"}, walk=WIDE)
    short = decoder(states)
    decoder.cycles = 5
    long = decoder(states)
    assert len(long.output) == 5
    torch.testing.assert_close(long.output[:2], short.output)
    assert long.walk is not None
    assert short.walk is not None
    torch.testing.assert_close(dense(long.walk.frontiers[2]), dense(short.walk.frontiers[2]))
    assert not torch.allclose(long.output[4], long.output[3])


def test_wrong_numbers_are_refused(make: Callable[..., TransferDecoder]) -> None:
    with pytest.raises(ConfigError, match="cycles = 0"):
        make(cycles=0)
    with pytest.raises(ConfigError, match="does not take 'tresh'"):
        make(walk={"tresh": 0.1})
    with pytest.raises(ConfigError, match="'step' is not a known choice"):
        make(control={"name": "step"})

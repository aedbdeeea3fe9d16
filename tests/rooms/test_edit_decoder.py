"""The edit decoder and the entailment head against their equations, written a second time and plainly."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from kgreason.answer import EntailmentHead
from kgreason.answer.entailment import join
from kgreason.data import ALIGN_RELATIONS, EdgeType, NodeType
from kgreason.decode import EditDecoder, edits
from kgreason.errors import ConfigError
from kgreason.tensors import States


def by_the_book(decoder: EditDecoder, states: States, v: int) -> Tensor:
    """The output for one hypothesis word, straight from the docstring."""
    b, h, d = states.batch, states.nodes, states.nodes.shape[1]
    into = [t for t in range(len(b.edge_kind)) if b.edge_kind[t] == 5 and b.edge_index[1, t] == v]
    m = torch.zeros(decoder.num_align)
    for t in into:
        m[b.edge_relation[t]] = max(m[b.edge_relation[t]], b.edge_score[t])
    none = torch.tensor([float(not (m > 0).any())])
    k = decoder.known(torch.cat([m, (m > 0).float(), none]))
    if into:
        found = torch.stack([h[b.edge_index[0, t]] for t in into]).mean(0)
    else:
        words = [u for u in range(len(h)) if b.node_text[u] == 0 and b.node_graph[u] == b.node_graph[v]]
        weight = torch.stack([decoder.seek(h[v]) @ h[u] / math.sqrt(d) for u in words]).softmax(0)
        found = sum((w * h[u] for w, u in zip(weight, words, strict=True)), torch.zeros(d))
    a, c = decoder.word(h[v]), decoder.counterpart(found)
    return functional.gelu(decoder.write(decoder.norm(torch.cat([a + k, c + k, a * c, k]))))


def test_edit_decoder_computes_its_equations(states: States) -> None:
    decoder = EditDecoder(dim=4, hidden=3).eval()
    trace = decoder(states)
    hypothesis = (states.batch.node_text == 1).nonzero()[:, 0].tolist()
    for v in hypothesis:
        row = int(states.batch.node_graph[v])
        cycle = [u for u in hypothesis if states.batch.node_graph[u] == row].index(v)
        torch.testing.assert_close(trace.output[cycle, row], by_the_book(decoder, states, v))
        assert trace.attention[cycle, v] == 1.0


def test_the_numbers_that_cross_from_symbols_to_tensors_agree() -> None:
    assert (edits._WORD, edits._ALIGN) == (NodeType.WORD, EdgeType.ALIGN)
    assert EditDecoder(dim=4).num_align == len(ALIGN_RELATIONS)


def test_a_row_gets_as_many_cycles_as_it_has_edits(states: States) -> None:
    trace = EditDecoder(dim=4)(states)
    words = torch.bincount(states.batch.node_graph[states.batch.node_text == 1], minlength=2)
    assert trace.running.sum(0).tolist() == words.clamp_min(1).tolist()


def test_words_are_hidden_in_training_only(states: States) -> None:
    decoder = EditDecoder(dim=4, word_dropout=0.9, dropout=0.0)
    assert not torch.equal(decoder.train()(states).output, decoder.train()(states).output)
    assert torch.equal(decoder.eval()(states).output, decoder.eval()(states).output)


@pytest.mark.parametrize("settings", [{"cycles": 0}, {"hidden": 0}, {"word_dropout": 1.0}])
def test_numbers_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"\[decode\] edits"):
        EditDecoder(dim=4, **settings)  # type: ignore[arg-type]


verdicts = st.lists(st.tuples(*[st.floats(-8, 8)] * 3), min_size=1, max_size=6)


@given(verdicts)
def test_the_joined_verdicts_are_the_plain_products(scores: list[tuple[float, float, float]]) -> None:
    p = torch.tensor(scores, dtype=torch.float64).softmax(-1)
    got = join(p.log()[:, None, :], torch.ones(len(p), 1, dtype=torch.bool))[:, 0].exp()
    kept = entailed = 1.0
    for i, (e, _, c) in enumerate(p.tolist()):
        kept, entailed = kept * (1 - c), entailed * e
        want = torch.tensor([entailed, kept - entailed, 1 - kept], dtype=torch.float64)
        torch.testing.assert_close(got[i], want, atol=1e-4, rtol=1e-3)


@given(verdicts, st.integers(0, 5))
def test_one_sure_contradiction_cannot_be_outvoted(scores: list[tuple[float, float, float]], at: int) -> None:
    p = torch.tensor(scores).softmax(-1)
    p[at % len(p)] = torch.tensor([0.01, 0.01, 0.98])
    got = join(p.log()[:, None, :], torch.ones(len(p), 1, dtype=torch.bool))[-1, 0].exp()
    assert got[2] >= 0.97


def test_cycles_that_do_not_run_change_nothing() -> None:
    log_p = torch.randn(4, 1, 3).log_softmax(-1)
    running = torch.tensor([[True], [True], [False], [False]])
    got = join(log_p, running)
    torch.testing.assert_close(got[3], got[1])


def test_the_head_wants_three_labels() -> None:
    with pytest.raises(ConfigError, match="Use name = 'label'"):
        EntailmentHead(dim=4, num_labels=2)

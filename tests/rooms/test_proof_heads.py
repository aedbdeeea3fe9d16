"""What a proof comes to as a label, and the hybrid: a proof and a learned decoder side by side."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from kgreason.answer import GatedHead, LabelHead, ProofHead
from kgreason.answer.proof import neutral_if
from kgreason.decode import BesideDecoder, CycleDecoder, EditDecoder, NaturalLogicDecoder, PoolDecoder
from kgreason.errors import ConfigError
from kgreason.tensors import States, Trace
from tests.edited import Edit, edited_states


def probabilities(head: nn.Module, states: States, trace: Trace) -> list[float]:
    found: Tensor = head(states, trace).value.view(-1, 3).softmax(-1)[0]
    return found.tolist()


@pytest.mark.parametrize(
    ("relation", "label"), [*zip("≡⊏⊐^|⌣#", (0, 0, 1, 2, 2, 1, 1), strict=True)], ids=lambda x: str(x)
)
def test_every_relation_has_its_label(relation: str, label: int) -> None:
    states = edited_states([[Edit("substitute", relation)]])
    p = probabilities(ProofHead(3), states, NaturalLogicDecoder(dim=8)(states))
    assert p[label] > 0.99


def test_at_first_the_head_tells_the_state_as_it_is() -> None:
    states = edited_states([[Edit("substitute", {"≡": 0.2, "⊏": 0.3, "|": 0.1, "#": 0.4})]])
    p = probabilities(ProofHead(3), states, NaturalLogicDecoder(dim=8)(states))
    assert p == pytest.approx([0.5, 0.4, 0.1], abs=1e-3)


def test_a_temperature_makes_it_less_sure_and_a_bias_leans() -> None:
    states = edited_states([[Edit("substitute", {"⊏": 0.7, "#": 0.3})]])
    trace = NaturalLogicDecoder(dim=8)(states)
    plain, cool = (probabilities(ProofHead(3, temperature=t), states, trace) for t in (1.0, 3.0))
    assert 0.5 < cool[0] < plain[0]
    assert probabilities(ProofHead(3, bias=(0.0, 1.0, 0.0)), states, trace)[1] > plain[1]


def test_no_label_of_an_empty_proof_is_surer_than_a_half() -> None:
    states = edited_states([[]])
    p = probabilities(ProofHead(3, temperature=0.1), states, NaturalLogicDecoder(dim=8)(states))
    assert p == pytest.approx([0.5, 0.25, 0.25], abs=1e-3)


def test_an_unsure_label_gives_way_to_neutral() -> None:
    states = edited_states([[Edit("substitute", {"⊏": 0.45, "#": 0.3, "|": 0.25})]])
    trace = NaturalLogicDecoder(dim=8)(states)
    assert probabilities(ProofHead(3, uncertain=0.4), states, trace)[0] == pytest.approx(0.45, abs=1e-3)
    assert probabilities(ProofHead(3, uncertain=0.5), states, trace) == pytest.approx([0.3, 0.45, 0.25], abs=1e-3)
    q = torch.tensor([[0.2, 0.5, 0.3], [0.5, 0.2, 0.3], [0.2, 0.3, 0.5]])
    swapped = neutral_if(q, torch.tensor([True, True, True]))
    assert swapped.tolist() == [pytest.approx(row) for row in ([0.2, 0.5, 0.3], [0.2, 0.5, 0.3], [0.2, 0.5, 0.3])]


@pytest.mark.parametrize("settings", [{"num_labels": 2}, {"temperature": 0.0}, {"bias": (1.0,)}, {"uncertain": 2.0}])
def test_the_head_refuses_what_it_cannot_use(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"\[answer\] proof"):
        ProofHead(**({"num_labels": 3} | settings))  # type: ignore[arg-type]


def test_the_head_wants_a_proof_and_nothing_beside_it(states: States) -> None:
    with pytest.raises(ConfigError, match="proves nothing"):
        ProofHead(3)(states, PoolDecoder()(states))
    side_by_side = BesideDecoder(4, NaturalLogicDecoder(4), PoolDecoder())
    with pytest.raises(ConfigError, match="two minds"):
        ProofHead(3)(states, side_by_side(states))


# ---------------------------------------------------------------- two decoders side by side


def test_the_gate_mixes_two_answers() -> None:
    states = edited_states([[Edit("substitute", "|")], [Edit("substitute", "⊏")]])
    decoder = BesideDecoder(8, NaturalLogicDecoder(8), CycleDecoder(8)).eval()
    inner = LabelHead(8, 3).eval()
    head, trace = GatedHead(inner, 3).eval(), decoder(states)
    assert trace.proof is not None
    torch.testing.assert_close(trace.proof.gate, torch.tensor([0.5, 0.5]))
    proved = ProofHead(3)(states, decoder.proof(states)).value.view(-1, 3).exp()
    taught = inner(states, trace).value.view(-1, 3).softmax(-1)
    got = head(states, trace).value.view(-1, 3).softmax(-1)
    torch.testing.assert_close(got, (proved + taught) / 2)
    for bias, want in ((30.0, proved), (-30.0, taught)):
        nn.init.constant_(decoder.gate.bias, bias)
        torch.testing.assert_close(head(states, decoder(states)).value.view(-1, 3).softmax(-1), want, atol=1e-4, rtol=0)


def test_the_gate_learns_when_to_trust_the_proof() -> None:
    """The graph is right where it is sure, and a coin where it is not; the state of the words tells the rest."""
    torch.manual_seed(2)
    sure = [[Edit("substitute", r, nodes=(0, 1))] for r in ("|", "⊏") * 8]
    unsure = [[Edit("substitute", {"⊏": 0.34, "|": 0.33, "#": 0.33}, nodes=(0, 1))] for _ in range(16)]
    states = edited_states(sure + unsure)
    gold = torch.tensor([2, 0] * 8 + [2, 0] * 8)
    nodes = torch.randn_like(states.nodes)
    told = torch.where(gold == 2, 1.0, -1.0)
    told[:16] = torch.randn(16)  # where the graph is sure, the words say nothing
    nodes[:, 0] += 4 * told[states.batch.node_graph]
    states = replace(states, nodes=nodes)
    decoder = BesideDecoder(8, NaturalLogicDecoder(8), EditDecoder(8, word_dropout=0.0, dropout=0.0))
    head = GatedHead(LabelHead(8, 3, dropout=0.0), 3)
    optimiser = torch.optim.Adam([*decoder.parameters(), *head.parameters()], lr=0.01)
    for _ in range(120):
        optimiser.zero_grad()
        nn.functional.cross_entropy(head(states, decoder(states)).value.view(-1, 3), gold).backward()
        optimiser.step()
    trace = decoder(states)
    assert trace.proof is not None
    assert trace.proof.gate is not None
    assert trace.proof.gate[:16].mean() > trace.proof.gate[16:].mean() + 0.2
    assert (head(states, trace).value.view(-1, 3).argmax(-1) == gold).float().mean() > 0.9


def test_the_hybrid_wants_a_proof_and_a_gate(states: States) -> None:
    with pytest.raises(ConfigError, match="proves nothing"):
        BesideDecoder(4, PoolDecoder(), PoolDecoder())(states)
    with pytest.raises(ConfigError, match="no gate"):
        GatedHead(LabelHead(4, 3), 3)(states, NaturalLogicDecoder(4)(states))

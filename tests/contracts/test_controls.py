"""What every way to read a question, and every way to score relations, must do."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from kgreason.decode import CONTROLS, RELATION_SCORES, RELATION_VECTORS
from kgreason.decode.control import Control, Wanted
from kgreason.decode.relations import RelationScores
from kgreason.errors import ConfigError
from kgreason.tensors import States

DIM, CYCLES, RELATIONS = 4, 3, 5


@pytest.fixture(params=list(CONTROLS))
def control(request: pytest.FixtureRequest) -> Control:
    built = CONTROLS.build({"name": request.param}, dim=DIM, cycles=CYCLES)
    assert isinstance(built, nn.Module)
    return built.eval()


@pytest.fixture
def states(make_states: Callable[[list[int], int], States]) -> States:
    """Three rows of five tokens, of which the second has two and the third one."""
    states = make_states([1, 1, 1], DIM)
    mask = torch.arange(5) < torch.tensor([[5], [2], [1]])
    return replace(states, batch=replace(states.batch, token_mask=mask))


def read(control: Control, states: States, cycles: int = CYCLES) -> list[Wanted]:
    found: list[Wanted] = []
    for i in range(cycles):
        found.append(control(i, states, found[-1] if found else None))
    return found


def test_attention_is_a_distribution_over_tokens_and_reads_them(control: Control, states: States) -> None:
    for wanted in read(control, states):
        torch.testing.assert_close(wanted.attention.sum(1), torch.ones(3))
        assert (wanted.attention >= 0).all()
        assert not wanted.attention[~states.batch.token_mask].any(), "no attention on padding"
        torch.testing.assert_close(wanted.read, torch.einsum("bt,btd->bd", wanted.attention, states.tokens))
        assert wanted.control.shape == wanted.read.shape == (3, DIM)


def test_padding_and_neighbours_do_not_matter(
    control: Control, states: States, make_states: Callable[[list[int], int], States]
) -> None:
    whole = read(control, states)
    junk = torch.where(states.batch.token_mask[..., None], states.tokens, 1e3)
    alone = make_states([1], DIM)
    batch = replace(alone.batch, token_mask=states.batch.token_mask[1:2])
    alone = replace(alone, query=states.query[1:2], tokens=junk[1:2], batch=batch)
    for got, want in zip(read(control, alone), whole, strict=True):
        torch.testing.assert_close(got.control[0], want.control[1])
        torch.testing.assert_close(got.read[0], want.read[1])


def test_cycles_differ_and_gradients_reach_every_weight(control: Control, states: States) -> None:
    assert isinstance(control, nn.Module)
    states.tokens.requires_grad_()
    found = read(control, states)
    assert not torch.allclose(found[0].read, found[1].read)
    sum((wanted.control + wanted.read).square().sum() for wanted in found).backward()
    for name, parameter in control.named_parameters():
        assert parameter.grad is not None, f"no gradient reaches {name}"
        assert parameter.grad.isfinite().all()
    assert states.tokens.grad is not None


def test_dropout_is_for_training_alone(control: Control, states: States) -> None:
    assert isinstance(control, nn.Module)
    assert torch.equal(read(control, states)[-1].read, read(control, states)[-1].read)
    control.train()
    assert not torch.equal(read(control, states)[-1].read, read(control, states)[-1].read)


@pytest.mark.parametrize("name", ["recurrent"])
def test_one_cell_runs_for_as_many_cycles_as_are_wanted(name: str, states: States) -> None:
    control = CONTROLS.build({"name": name}, dim=DIM, cycles=1)
    assert len(read(control, states, 9)) == 9


@pytest.fixture(params=list(RELATION_SCORES))
def relations(request: pytest.FixtureRequest) -> RelationScores:
    vectors = torch.randn(RELATIONS, 7)
    context = {"dim": DIM, "num_relations": RELATIONS, "relation_vectors": lambda: vectors}
    built = RELATION_SCORES.build({"name": request.param}, **context)
    assert isinstance(built, nn.Module)
    return built.eval()


def test_every_directed_relation_has_a_score(relations: RelationScores) -> None:
    wanted = torch.randn(3, DIM)
    found = relations(wanted)
    assert found.shape == (3, 2 * RELATIONS)
    assert found.isfinite().all()
    assert not torch.allclose(found[:, :RELATIONS], found[:, RELATIONS:]), "a relation is not its inverse"
    torch.testing.assert_close(relations(wanted[1:2])[0], found[1])
    assert not torch.allclose(found[0], found[1])


def test_gradients_reach_what_is_wanted_and_every_weight(relations: RelationScores) -> None:
    assert isinstance(relations, nn.Module)
    wanted = torch.randn(3, DIM, requires_grad=True)
    relations(wanted).square().sum().backward()
    grads: dict[str, Tensor | None] = {"wanted": wanted.grad}
    grads |= {name: parameter.grad for name, parameter in relations.named_parameters()}
    for name, grad in grads.items():
        assert grad is not None, f"no gradient reaches {name}"
        assert grad.isfinite().all()
        assert grad.any()


def test_the_vectors_of_texts_are_not_trained_nor_kept() -> None:
    vectors = torch.randn(RELATIONS, 7)
    built = RELATION_SCORES.build(
        {"name": "texts", "ids": True}, dim=DIM, num_relations=RELATIONS, relation_vectors=lambda: vectors
    )
    assert isinstance(built, nn.Module)
    assert not any("vectors" in name for name in [*built.state_dict(), *dict(built.named_parameters())])
    without = built.eval()(torch.zeros(1, DIM))
    built.ids = None
    torch.testing.assert_close(built(torch.zeros(1, DIM)), without, msg="ids begin at 0", atol=1.0, rtol=1.0)


@pytest.mark.parametrize("name", list(RELATION_VECTORS))
def test_every_directed_relation_has_a_vector_and_every_weight_a_gradient(name: str) -> None:
    vectors = torch.randn(RELATIONS, 7)
    context = {"dim": DIM, "num_relations": RELATIONS, "relation_vectors": lambda: vectors}
    built = RELATION_VECTORS.build({"name": name}, **context)
    assert isinstance(built, nn.Module)
    found = built.eval()()
    assert found.shape == (2 * RELATIONS, DIM)
    assert len(found.unique(dim=0)) == 2 * RELATIONS, "a relation is not its inverse, nor another"
    found.square().sum().backward()
    for parameter in built.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_in_another_order_a_cycle_looks_for_what_the_next_would(states: States) -> None:
    given, other = (
        CONTROLS.build({"name": "steps", "order": order}, dim=DIM, cycles=CYCLES) for order in ("given", "shuffled")
    )
    assert isinstance(given, nn.Module)
    assert isinstance(other, nn.Module)
    other.load_state_dict(given.state_dict())  # a trained run can be tested so
    one, two = read(given.eval(), states), read(other.eval(), states)
    for i in range(CYCLES):
        assert torch.equal(two[i].read, one[(i + 1) % CYCLES].read)
    with pytest.raises(ConfigError, match="order = 'shufled'"):
        CONTROLS.build({"name": "steps", "order": "shufled"}, dim=DIM, cycles=CYCLES)

"""The loss against its formula, written a second time and plainly."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from kgreason.errors import DataError
from kgreason.tensors import GraphBatch, Scores, Trace
from kgreason.train.loss import class_weights_of, group_weights, loss_of
from kgreason.train.processes import OneProcess
from kgreason.train.settings import TrainSettings

SIZES = [3, 2, 4]  # candidates per group
ANSWERS = torch.tensor([[0, 1, 2, 2], [2, 0, 1, 3]])  # the last group has two


@pytest.fixture
def batch(make_batch: object) -> GraphBatch:
    assert callable(make_batch)
    made: GraphBatch = make_batch([2, 1, 1])
    return replace(made, target=ANSWERS)


def scores_of(values: Tensor, cycle: Tensor | None = None) -> Scores:
    sizes = torch.tensor(SIZES)
    group = torch.arange(3).repeat_interleave(sizes)
    candidate = torch.cat([torch.arange(n) for n in SIZES])
    return Scores(values, group, candidate, cycle)


def trace_of(weight: Tensor, loss: Tensor | None = None) -> Trace:
    cycles = len(weight)
    return Trace(torch.zeros(cycles, 3, 4), torch.zeros(cycles, 4), weight > -1, weight, None, loss)


def by_the_book(cycle: Tensor, weight: Tensor, omega: list[float], epsilon: float) -> Tensor:
    total = torch.zeros(())
    for g, values in enumerate(cycle.split(SIZES, dim=1)):
        right = [c for group, c in ANSWERS.T.tolist() if group == g]
        for w, s in zip(weight[:, g], values, strict=True):
            hit = sum(torch.nn.functional.cross_entropy(s, torch.tensor(c)) for c in right) / len(right)
            even = -s.log_softmax(0).mean()
            total = total + omega[g] * w * ((1 - epsilon) * hit + epsilon * even)
    return total


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_loss_computes_its_equation(batch: GraphBatch, epsilon: float) -> None:
    cycle, weight = 3 * torch.randn(4, 9), torch.rand(4, 3).softmax(0)
    got = loss_of(scores_of(cycle[-1], cycle), trace_of(weight), batch, None, epsilon)
    torch.testing.assert_close(got, by_the_book(cycle, weight, [1, 1, 1], epsilon))


def test_class_weights_are_those_of_the_right_answers(batch: GraphBatch) -> None:
    cycle, weight = torch.randn(2, 9), torch.rand(2, 3).softmax(0)
    omega = torch.tensor([5.0, 1.0, 2.0, 3.0])
    torch.testing.assert_close(group_weights(batch, omega), torch.tensor([2.0, 5.0, 2.0]))
    got = loss_of(scores_of(cycle[-1], cycle), trace_of(weight), batch, omega)
    torch.testing.assert_close(got, by_the_book(cycle, weight, [2.0, 5.0, 2.0], 0.0))


def test_a_head_that_tells_nothing_per_cycle_is_scored_by_its_value(batch: GraphBatch) -> None:
    value, weight = torch.randn(9), torch.full((2, 3), 0.5)
    got = loss_of(scores_of(value), trace_of(weight), batch)
    torch.testing.assert_close(got, by_the_book(value[None], torch.ones(1, 3), [1, 1, 1], 0.0))


def test_what_the_decoder_adds_counts_once_per_group(batch: GraphBatch) -> None:
    value, weight = torch.randn(9), torch.ones(1, 3)
    plain = loss_of(scores_of(value), trace_of(weight), batch)
    more = loss_of(scores_of(value), trace_of(weight, torch.tensor(0.5)), batch)
    torch.testing.assert_close(more - plain, torch.tensor(1.5))


def test_groups_without_an_answer_count_nothing(batch: GraphBatch) -> None:
    value = torch.randn(9)
    only = replace(batch, target=ANSWERS[:, :1])
    assert group_weights(only).tolist() == [1, 0, 0]
    got = loss_of(scores_of(value), trace_of(torch.ones(1, 3)), only)
    torch.testing.assert_close(got, torch.nn.functional.cross_entropy(value[:3], torch.tensor(2)))
    none = replace(batch, target=ANSWERS[:, :0])
    assert loss_of(scores_of(value), trace_of(torch.ones(1, 3)), none) == 0


def test_the_order_of_the_candidates_does_not_matter(batch: GraphBatch) -> None:
    value, order = torch.randn(9), torch.tensor([2, 0, 1, 4, 3, 8, 7, 5, 6])
    plain = scores_of(value)
    mixed = Scores(value[order], plain.group[order], plain.candidate[order])
    trace = trace_of(torch.ones(1, 3))
    torch.testing.assert_close(loss_of(mixed, trace, batch), loss_of(plain, trace, batch))


def test_large_scores_stay_finite(batch: GraphBatch) -> None:
    value = torch.tensor([1e4, -1e4, 0.0] * 3, requires_grad=True)
    loss_of(scores_of(value), trace_of(torch.ones(1, 3)), batch).backward()
    assert value.grad is not None
    assert value.grad.isfinite().all()


def test_an_answer_that_was_not_scored_is_named(batch: GraphBatch) -> None:
    wrong = replace(batch, target=torch.tensor([[1], [2]]))
    with pytest.raises(DataError, match="Group 1 of a batch: the right answer is candidate 2, which was not scored"):
        loss_of(scores_of(torch.randn(9)), trace_of(torch.ones(1, 3)), wrong)


def _walk(value: Tensor) -> Scores:
    """Scores of entities that a walk touched: some of each group, none of the last, and in no order."""
    group, candidate = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([40, -1, 7, 9, 8])
    return Scores(value, group, candidate, partial=True)


def test_a_right_answer_that_was_not_reached_is_left_out(batch: GraphBatch) -> None:
    value = torch.tensor([0.5, 1.0, -0.8, 0.3, -1.0], requires_grad=True)
    asked = replace(batch, target=torch.tensor([[0, 0, 0, 1, 2, 2], [7, 40, 98, 9, 1, 2]]))  # 98, 1, 2: not touched
    got = loss_of(_walk(value), trace_of(torch.ones(1, 3)), asked)
    expected = -value[:3].log_softmax(0)[[2, 0]].mean() - value[3:].log_softmax(0)[0]
    torch.testing.assert_close(got, expected)
    (grad,) = torch.autograd.grad(got, value)
    torch.testing.assert_close(grad[:3].sum(), torch.tensor(0.0))  # the size of all scores is not what is learned


def test_none_of_these_is_an_answer_and_one_that_the_graph_does_not_have_is_left_out(batch: GraphBatch) -> None:
    value = torch.randn(5)
    asked = replace(batch, target=torch.tensor([[0, 1, 1, 2], [-1, -2, 8, -2]]))
    got = loss_of(_walk(value), trace_of(torch.ones(1, 3)), asked)
    torch.testing.assert_close(got, -value[:3].log_softmax(0)[1] - value[3:].log_softmax(0)[1])
    assert group_weights(asked).tolist() == [1, 1, 0]


def test_where_all_candidates_are_listed_every_right_answer_must_be_scored(batch: GraphBatch) -> None:
    asked = replace(batch, target=torch.tensor([[0], [99]]))
    with pytest.raises(DataError, match="candidate 99, which was not scored"):
        loss_of(replace(_walk(torch.randn(5)), partial=False), trace_of(torch.ones(1, 3)), asked)
    with pytest.raises(DataError, match="class_weights weigh labels"):
        group_weights(replace(batch, target=torch.tensor([[0], [-1]])), torch.ones(2))


def test_a_batch_without_targets_is_refused(batch: GraphBatch) -> None:
    with pytest.raises(DataError, match="no target"):
        group_weights(replace(batch, target=None))


def test_too_few_class_weights_are_refused(batch: GraphBatch) -> None:
    with pytest.raises(DataError, match="candidate 3, but class_weights has 2"):
        group_weights(batch, torch.ones(2))


def test_balanced_weights_make_every_class_count_the_same(batch: GraphBatch) -> None:
    class Twice:
        def set_epoch(self, epoch: int, start: int = 0) -> None: ...

        def __len__(self) -> int:
            return 2

        def __iter__(self):  # type: ignore[no-untyped-def]
            few = replace(batch, target=torch.tensor([[0, 1, 2], [0, 0, 2]]))
            yield few
            yield few

    weights = class_weights_of(TrainSettings(class_weights="balanced"), Twice(), OneProcess())
    assert weights is not None
    assert weights.tolist() == pytest.approx([6 / (3 * 4), 0.0, 6 / (3 * 2)])

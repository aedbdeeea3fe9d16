"""Halting against its papers' formulas, written a second time and plainly."""

import pytest
import torch
from torch import Tensor, nn

from kgreason.data import KnowledgeGraph
from kgreason.decode import ActHalt, CycleDecoder, FixedHalt, Halt, InstructDecoder, PonderHalt
from kgreason.errors import ConfigError
from kgreason.frontier import Facts


def run(halt: Halt, ys: Tensor) -> tuple[Tensor, Tensor]:
    """Do the decoder's accounts for results that are given: (cycles, batch, dim)."""
    left, runs = torch.ones(ys.shape[1]), torch.ones(ys.shape[1], dtype=torch.bool)
    weights, running = [], []
    for i, y in enumerate(ys):
        weight, stops = halt.step(y, left, last=i + 1 == len(ys))
        weights.append(weight * runs)
        running.append(runs)
        left, runs = left - weights[-1], runs & ~stops
    return torch.stack(weights), torch.stack(running)


def sigmoids(halt: ActHalt | PonderHalt, ys: Tensor, row: int) -> list[float]:
    return [halt.stop(y[row]).sigmoid().item() for y in ys]


def test_act_computes_its_equations() -> None:
    halt, ys = ActHalt(dim=3, cost=0.5), 2 * torch.randn(6, 20, 3)
    nn.init.constant_(halt.stop.bias, -1.0)
    weights, running = run(halt, ys)
    lengths, costs = set(), []
    for row in range(20):
        eta = sigmoids(halt, ys, row)
        n = next((n for n in range(1, 7) if sum(eta[:n]) >= 1 - 0.01), 6)
        r = 1 - sum(eta[: n - 1])
        want = torch.tensor(eta[: n - 1] + [r] + [0.0] * (6 - n))
        torch.testing.assert_close(weights[:, row], want)
        assert running[:, row].tolist() == [True] * n + [False] * (6 - n)
        lengths.add(n)
        costs.append(n + r)
    assert len(lengths) > 2  # the rows of this test do halt at different cycles
    torch.testing.assert_close(halt.loss(weights, running), torch.tensor(0.5 * sum(costs) / 20))


def test_act_lets_one_sure_cycle_be_enough() -> None:
    halt = ActHalt(dim=1, epsilon=0.01)
    nn.init.zeros_(halt.stop.weight)
    for share, cycles in ((0.995, 1), (0.98, 2)):
        nn.init.constant_(halt.stop.bias, float(torch.tensor(share).logit()))
        assert run(halt, torch.zeros(4, 1, 1))[1].sum() == cycles


def test_act_learns_to_stop_earlier_when_cycles_cost() -> None:
    halt, ys = ActHalt(dim=3, cost=1.0), torch.randn(8, 16, 3)
    nn.init.constant_(halt.stop.bias, -2.0)
    optimiser = torch.optim.SGD(halt.parameters(), lr=0.5)
    before = run(halt, ys)[1].sum(0).float().mean()
    for _ in range(50):
        loss = halt.loss(*run(halt, ys))
        assert loss is not None
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert run(halt, ys)[1].sum(0).float().mean() < before - 1


def test_ponder_computes_its_equations() -> None:
    halt, ys = PonderHalt(dim=3, prior=0.4, strength=0.5), torch.randn(5, 4, 3)
    weights, running = run(halt, ys)
    assert running.all()
    prior = [0.4 * 0.6**i for i in range(4)] + [0.6**4]
    assert sum(prior) == pytest.approx(1)
    kls = []
    for row in range(4):
        rates, stay, want = [*sigmoids(halt, ys, row)[:-1], 1.0], 1.0, []
        for rate in rates:
            want.append(rate * stay)
            stay *= 1 - rate
        torch.testing.assert_close(weights[:, row], torch.tensor(want))
        kls.append(sum(p * float(torch.tensor(p / g).log()) for p, g in zip(want, prior, strict=True)))
    torch.testing.assert_close(halt.loss(weights, running), torch.tensor(0.5 * sum(kls) / 4))


def test_ponder_starts_at_its_prior() -> None:
    halt = PonderHalt(dim=3, prior=0.2)
    loss = halt.loss(*run(halt, torch.zeros(6, 2, 3)))
    assert loss is not None
    torch.testing.assert_close(loss, torch.tensor(0.0))


def test_ponder_stops_in_evaluation_only_once_enough_is_said() -> None:
    halt, ys = PonderHalt(dim=3, prior=0.5, enough=0.8), torch.zeros(6, 1, 3)
    assert run(halt, ys)[1].sum() == 6
    weights, running = run(halt.eval(), ys)
    torch.testing.assert_close(weights[:, 0], torch.tensor([0.5, 0.25, 0.25, 0, 0, 0]))
    assert running[:, 0].tolist() == [True] * 3 + [False] * 3


def test_fixed_gives_the_answer_to_the_last_cycle_and_costs_nothing() -> None:
    weights, running = run(FixedHalt(), torch.randn(3, 2, 4))
    assert weights.tolist() == [[0, 0], [0, 0], [1, 1]]
    assert FixedHalt().loss(weights, running) is None


@pytest.mark.parametrize("wrong", [{"prior": 0.0}, {"prior": 1.0}, {"strength": -1.0}, {"enough": 0.0}])
def test_ponder_says_what_it_expects(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="0 < prior < 1"):
        PonderHalt(dim=3, **wrong)


@pytest.mark.parametrize("wrong", [{"cost": -1.0}, {"epsilon": 0.0}, {"epsilon": 1.0}])
def test_act_says_what_it_expects(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="cost ≥ 0"):
        ActHalt(dim=3, **wrong)


def test_what_speaks_for_going_on_takes_from_the_stop() -> None:
    halt, y = PonderHalt(dim=3, ahead=True), torch.randn(5, 3)
    more = torch.tensor([-20.0, -1.0, 0.0, 1.0, 30.0])
    weight, _ = halt.step(y, torch.full((5,), 0.5), last=False, more=more)
    want = [0.5 / (1 + (m - halt.stop(v)[0]).exp().item()) for m, v in zip(more, y, strict=True)]
    torch.testing.assert_close(weight, torch.tensor(want))


def test_other_decoders_do_not_look_ahead() -> None:
    facts, ahead = Facts.of(KnowledgeGraph.from_triples([("a", "r", "b")])), {"name": "ponder", "ahead": True}
    with pytest.raises(ConfigError, match="instruct does not look ahead"):
        InstructDecoder(4, facts, lambda: torch.zeros(1, 7), halt=ahead)
    with pytest.raises(ConfigError, match="cycle does not look ahead"):
        CycleDecoder(4, halt=ahead)

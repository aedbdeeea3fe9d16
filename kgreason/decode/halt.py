"""When to stop: how many cycles a row gets, and how much each of them counts in the answer."""

import math
from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kgreason.errors import ConfigError
from kgreason.registry import Registry

_Step = tuple[Float[Tensor, " batch"], Bool[Tensor, " batch"]]


@runtime_checkable
class Halt(Protocol):
    """Decides after each cycle. The decoder keeps the accounts, so a halt has no state but its weights."""

    def step(self, y: Float[Tensor, "batch dim"], left: Float[Tensor, " batch"], last: bool) -> _Step:
        """Say how much the cycle that gave `y` counts, and which rows stop after it.

        Args:
            y: The result of this cycle.
            left: What earlier cycles left of each row's weight of 1.
            last: Whether no cycle can follow; a row that stops takes all that is left.
        """
        ...

    def loss(
        self, weight: Float[Tensor, "cycles batch"], running: Bool[Tensor, "cycles batch"]
    ) -> Float[Tensor, ""] | None:
        """Return what thinking costs, mean over the rows; None for nothing."""
        ...


@final
class FixedHalt:
    """Every row runs every cycle, and the last one gives the answer."""

    def step(self, y: Float[Tensor, "batch dim"], left: Float[Tensor, " batch"], last: bool) -> _Step:
        return left * float(last), torch.full_like(left, last, dtype=torch.bool)

    def loss(
        self, weight: Float[Tensor, "cycles batch"], running: Bool[Tensor, "cycles batch"]
    ) -> Float[Tensor, ""] | None:
        return None


@final
class ActHalt(nn.Module):
    r"""Adaptive computation time: a row stops once its halting probabilities add up to one.

    $$\begin{aligned}
      \eta_i &= \sigma(w^\top y_i + b), \qquad
      N = \min\Big\{n : \textstyle\sum_{i \le n} \eta_i \ge 1 - \epsilon\Big\}, \qquad
      R = 1 - \textstyle\sum_{i < N} \eta_i \\
      w_i &= \eta_i \;(i < N), \qquad w_N = R, \qquad \mathrm{loss} = \tau\,(N + R)
    \end{aligned}$$

    $N$ is the number of cycles if the sum stays below. The gradient of the loss flows through $R$ alone.

    Args:
        dim: Width of a result.
        cost: The price $\tau$ of a cycle.
        epsilon: What may be missing to 1, so that one cycle can be enough.

    Raises:
        ConfigError: If `cost` is negative or `epsilon` is not between 0 and 1.

    Reference:
        Graves, 2016, arXiv:1603.08983, equations 5 to 13. Unlike there, $w$ mixes the answers of the cycles and not
        their states (see `kgreason.answer`), so that each cycle's share of the answer can be read off.
    """

    def __init__(self, dim: int, cost: float = 0.01, epsilon: float = 0.01) -> None:
        super().__init__()
        if cost < 0 or not 0 < epsilon < 1:
            raise ConfigError(f"[decode.halt] act: cost = {cost}, epsilon = {epsilon}; cost ≥ 0 and 0 < epsilon < 1.")
        self.cost, self.epsilon = cost, epsilon
        self.stop = nn.Linear(dim, 1)
        nn.init.ones_(self.stop.bias)  # Graves, section 3: begin by thinking little

    def step(self, y: Float[Tensor, "batch dim"], left: Float[Tensor, " batch"], last: bool) -> _Step:
        eta = self.stop(y)[:, 0].sigmoid()
        stops = (left - eta <= self.epsilon) | last
        return torch.where(stops, left, eta), stops

    def loss(
        self, weight: Float[Tensor, "cycles batch"], running: Bool[Tensor, "cycles batch"]
    ) -> Float[Tensor, ""] | None:
        n = running.sum(0)
        r = weight.gather(0, n[None] - 1)[0]
        return self.cost * (n + r).mean()


@final
class PonderHalt(nn.Module):
    r"""PonderNet: the cycle of the answer is a random variable; the answer is the mixture over it.

    $$\begin{aligned}
      \lambda_i &= \sigma(w^\top y_i + b), \qquad
      w_i = \lambda_i \textstyle\prod_{j<i} (1 - \lambda_j), \qquad w_C = \prod_{j<C} (1 - \lambda_j) \\
      \mathrm{loss} &= \beta\,\mathrm{KL}\big(w \,\|\, G\big), \qquad
      G_i = \lambda_p (1 - \lambda_p)^{i-1}, \qquad G_C = (1 - \lambda_p)^{C-1}
    \end{aligned}$$

    In training all cycles run. In evaluation a row stops, and gives that cycle all that is left, once its cycles have
    taken `enough`.

    Args:
        dim: Width of a result.
        prior: $\lambda_p$; without evidence a row runs $1/\lambda_p$ cycles on average. $b$ starts at its logit.
        strength: $\beta$.
        enough: The share of the answer after which a row stops in evaluation.
        ahead: Stop where the next cycle finds nothing that outweighs stopping, as a sequence ends by a symbol of its
            own: $\lambda_i = \sigma(w^\top y_{i+1} + b - m_{i+1})$, with $m$ the log of the weight of all that the next
            cycle could follow. The decoder `transfer` alone looks ahead.

    Raises:
        ConfigError: If `prior` is not between 0 and 1, `strength` is negative, or `enough` is not in (0, 1].

    Reference:
        Banino et al., 2021, arXiv:2107.05407, equations 2 to 5. There the prior is cut off after the last cycle and
        the last cycle is drawn; here the last one takes what is left in both, and nothing is drawn.
    """

    def __init__(
        self, dim: int, prior: float = 0.3, strength: float = 0.01, enough: float = 0.99, ahead: bool = False
    ) -> None:
        super().__init__()
        if not 0 < prior < 1 or strength < 0 or not 0 < enough <= 1:
            raise ConfigError(
                f"[decode.halt] ponder: prior = {prior}, strength = {strength}, enough = {enough}; "
                "expected 0 < prior < 1, strength ≥ 0 and 0 < enough ≤ 1."
            )
        self.prior, self.strength, self.enough, self.ahead = prior, strength, enough, ahead
        self.stop = nn.Linear(dim, 1)
        nn.init.constant_(self.stop.bias, math.log(prior / (1 - prior)))

    def step(
        self,
        y: Float[Tensor, "batch dim"],
        left: Float[Tensor, " batch"],
        last: bool,
        more: Float[Tensor, " batch"] | None = None,
    ) -> _Step:
        logit = self.stop(y)[:, 0]
        weight = left * (logit if more is None else logit - more).sigmoid()
        stops = torch.full_like(left, last, dtype=torch.bool)
        if not self.training:
            stops = stops | (left - weight <= 1 - self.enough)
        return torch.where(stops, left, weight), stops

    def loss(
        self, weight: Float[Tensor, "cycles batch"], running: Bool[Tensor, "cycles batch"]
    ) -> Float[Tensor, ""] | None:
        cycle = torch.arange(len(weight), device=weight.device, dtype=weight.dtype)
        log_prior = cycle * math.log1p(-self.prior) + math.log(self.prior)
        log_prior[-1] -= math.log(self.prior)
        taken = torch.where(weight > 0, weight, 1.0)  # 0 log 0 = 0, with a gradient of 0 and not of infinity
        kl = (weight * (taken.log() - log_prior[:, None])).sum(0)
        return self.strength * kl.mean()


def looks_ahead(halt: Halt) -> bool:
    """Say whether a halt reads the cycle to come."""
    return isinstance(halt, PonderHalt) and halt.ahead


def refuse_ahead(halt: Halt, decoder: str) -> None:
    """Raise ConfigError if a halt reads the cycle to come, which this decoder does not look at."""
    if looks_ahead(halt):
        raise ConfigError(f"[decode.halt] ahead = true: {decoder} does not look ahead; transfer does.")


HALTS: Registry[Halt] = Registry("decode.halt", fixed=FixedHalt, act=ActHalt, ponder=PonderHalt)

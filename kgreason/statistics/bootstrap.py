"""What a metric, or the difference of two, would have been with other items and other seeds."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from kgreason.statistics.answers import Metric, Outcome
from kgreason.statistics.tally import Tally, tally

#: Numbers that one batch of rounds, and that all of them, may draw.
_AT_ONCE, _IN_ALL = 1_000_000, 100_000_000
_Z = 1.959963984540054


@final
@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """What the bootstrap found.

    Args:
        value: As observed.
        low: Lower end of the 95 % interval.
        high: Upper end.
        drawn: The value in each round.
        spread: Standard deviation over items alone, of the mean over the seeds.
        between: Standard deviation over seeds of one seed's value, items' share taken out; 0 for one seed.
    """

    value: float
    low: float
    high: float
    drawn: Float[ndarray, " rounds"]
    spread: float
    between: float

    @property
    def p(self) -> float:
        """Two-sided p that the value is 0."""
        lesser = min(int((self.drawn <= 0).sum()), int((self.drawn >= 0).sum()))
        return min(1.0, 2 * (lesser + 1) / (len(self.drawn) + 1))


def interval(outcome: Outcome, metric: Metric = "accuracy", num_labels: int = 0, rounds: int = 5000) -> Resampled:
    """Return a variant's mean over seeds and its 95 % interval over items (or groups) and seeds; see `resample`."""
    return resample(tally([outcome], metric, num_labels), rounds)


def resample(counted: Tally, rounds: int = 5000, seed: int = 0) -> Resampled:
    r"""Draw items and seeds anew; of two variants take the difference, first less second.

    Each round draws as many units as there are, with replacement, the same for all variants and seeds. Let $v$ be the
    observed mean over $S$ seeds, $g_{rs}$ the value of seed $s$ in round $r$ and $\bar g_r$ its mean over the seeds:

    $$d_r = v + c_n (\bar g_r - v) + t_r\, b / \sqrt{S}, \qquad
      b^2 = \max\!\Big(0,\ \mathrm{var}_s(g_s) - \tfrac{S}{S-1}\big(\overline{\mathrm{var}_r(g_{rs})}
      - \mathrm{var}_r(\bar g_r)\big)\Big)$$

    with $t_r$ from Student's t of $S-1$ degrees of freedom and $c_n = \sqrt{n/(n-1)}\, t_{.975,n-1} / z_{.975}$ for $n$
    units. The interval are the 2.5 % and 97.5 % quantiles of $d_r$.

    Why not draw seeds like items: with 2 to 5 seeds that plain two-level bootstrap is far too narrow where seeds differ
    (95 % becomes 51 % to 85 %) and too wide where they differ by chance items alone, since it counts these thrice. Here
    the seeds' own variance $b^2$ is a component of a two-way analysis of variance, and t is what few seeds cost.

    Args:
        counted: One variant, or two.
        rounds: How many; fewer, but at least 1000, where many thousands of units are all different.
        seed: Of the draws; the same counts give the same numbers.

    Reference:
        Davison and Hinkley (1997), Bootstrap Methods, section 3.8 (two levels); Owen (2007), Annals of Applied
        Statistics 1 (plain drawing of rows and columns counts interactions thrice); Hesterberg (2015), American
        Statistician 69 (the factor $c_n$); Searle, Casella and McCulloch (1992), Variance Components.
    """
    rng = np.random.default_rng(seed)
    observed = _apart(counted.observed)
    value, units, seeds = float(observed.mean()), counted.units, counted.seeds
    draws = max(len(counted.many), min(units, 4 * len(counted.many)))  # of a round
    size, rounds = max(1, _AT_ONCE // draws), min(rounds, max(1000, _IN_ALL // draws))
    drawn = [_round(counted, rng, min(size, rounds - start)) for start in range(0, rounds, size)]
    each = np.concatenate(drawn)
    mean = each.mean(1)
    between = _between(observed, each)
    out = value + _few(units) * (mean - value)
    if seeds > 1:
        out = out + rng.standard_t(seeds - 1, rounds) * between / np.sqrt(seeds)
    least = 0.0 if len(counted.cells) == 1 and counted.top == 1 else -counted.top  # a score has no sign
    out = np.clip(out, least, counted.top)
    low, high = np.quantile(out, [0.025, 0.975])
    return Resampled(value, float(low), float(high), out, float(mean.std()), between)


def _round(counted: Tally, rng: np.random.Generator, rounds: int) -> Float[ndarray, "rounds seeds"]:
    many, units = counted.many, counted.units
    if 4 * len(many) <= units:  # few patterns: draw how many units of each
        weight = rng.multinomial(units, many / units, rounds)
    else:
        pattern = np.repeat(np.arange(len(many)), many)
        picked = pattern[rng.integers(0, units, (rounds, units))] + len(many) * np.arange(rounds)[:, None]
        weight = np.bincount(picked.ravel(), minlength=rounds * len(many)).reshape(rounds, len(many))
    return _apart(counted.score(weight.astype(float)))


def _apart(scores: ndarray) -> ndarray:
    """Return the only variant's scores, or the first's less the second's."""
    found: ndarray = scores[0] if len(scores) == 1 else scores[0] - scores[1]
    return found


def _between(observed: Float[ndarray, " seeds"], each: Float[ndarray, "rounds seeds"]) -> float:
    seeds = len(observed)
    if seeds < 2:
        return 0.0
    chance = (each.var(0).mean() - each.mean(1).var()) * seeds / (seeds - 1)
    return float(np.sqrt(max(0.0, observed.var(ddof=1) - chance)))


def _few(units: int) -> float:
    """Return by how much the bootstrap of so few units is too narrow; 1 for many."""
    from scipy.stats import t

    return float(np.sqrt(units / (units - 1)) * t.ppf(0.975, units - 1) / _Z) if units > 1 else 1.0

"""All that is told of two variants that were tested on the same items."""

from dataclasses import dataclass
from typing import Literal, final

from kgreason.statistics.answers import Metric, Outcome, check_pair
from kgreason.statistics.bootstrap import Resampled, resample
from kgreason.statistics.effect import cliff, odds, wins
from kgreason.statistics.order import almost_order
from kgreason.statistics.paired import permutation, sign_test
from kgreason.statistics.power import detectable
from kgreason.statistics.tally import Tally, tally

Verdict = Literal["better", "worse", "unclear"]
ALPHA = 0.05


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one variant is than another.

    Args:
        value: The difference of the means over the seeds, in the unit of the metric.
        low: Lower end of its 95 % interval over items and seeds.
        high: Upper end.
        p: Two-sided, of the same bootstrap.
        mcnemar: The largest p of McNemar's exact test (of values: the sign test) over the seeds: below 0.01 means that
            every single seed is.
        permutation: Two-sided p of the paired permutation test over items, all seeds together.
        wins: In how many (seed, item) pairs the variant's answer is worth more: right where the other's is wrong.
        losses: In how many it is worth less.
        odds: Wins to losses; see `odds`.
        delta: Cliff's delta over seeds; None for one seed.
        order: Almost stochastic order, the variant above the other; None for one seed. See `almost_order`.
        order_back: The other above the variant.
        detectable: The smallest difference that this test would have found with probability 0.8.
        items: How many were tested.
        units: How many groups of them were drawn; equal to `items` where each is on its own.
        seeds: How many.
    """

    value: float
    low: float
    high: float
    p: float
    mcnemar: float
    permutation: float
    wins: int
    losses: int
    odds: float
    delta: float | None
    order: float | None
    order_back: float | None
    detectable: float
    items: int
    units: int
    seeds: int

    def verdict(self, p: float) -> Verdict:
        """Return `better` or `worse` only if the interval leaves 0 out and both p are below 0.05, else `unclear`.

        Args:
            p: The bootstrap's p, corrected for how many variants were compared.
        """
        if self.low <= 0 <= self.high or p >= ALPHA or self.permutation >= ALPHA:
            return "unclear"
        return "better" if self.value > 0 else "worse"


def difference(
    other: Outcome, against: Outcome, metric: Metric = "accuracy", num_labels: int = 0, samples: int = 5000
) -> Difference:
    """Compare two variants that answered the same items with the same seeds.

    Args:
        other: The variant.
        against: What it is compared with.
        metric: `accuracy`; `macro_f1` over the labels that occur; `hits@1`, the accuracy of the first answer (of
            several that share the first place, the one that was drawn); `mean`, of `Values`.
        num_labels: How many labels there are; needed for `macro_f1`.
        samples: Rounds of the bootstrap, and half of those of the permutation test. All draws are seeded: the same
            answers give the same numbers, in whatever order the items stand.

    Raises:
        DataError: If they did not answer the same items, or not once for each seed.
    """
    check_pair(other, against)
    counted = tally([other, against], metric, num_labels)
    found = resample(counted, samples)
    won, lost = wins(other.value, against.value)
    mine, theirs = (scores.tolist() for scores in counted.observed)
    several = counted.seeds > 1
    return Difference(
        value=found.value,
        low=found.low,
        high=found.high,
        p=found.p,
        mcnemar=max(sign_test(a, b) for a, b in zip(other.value, against.value, strict=True)),
        permutation=permutation(counted, 2 * samples),
        wins=won,
        losses=lost,
        odds=odds(won, lost),
        delta=cliff(mine, theirs) if several else None,
        order=almost_order(mine, theirs) if several else None,
        order_back=almost_order(theirs, mine) if several else None,
        detectable=_detectable(counted, found),
        items=other.value.shape[1],
        units=counted.units,
        seeds=counted.seeds,
    )


def _detectable(counted: Tally, found: Resampled) -> float:
    """Take the discordance from the bootstrap's own spread: of one seed's right and wrong answers it is the share."""
    discordance = counted.units * found.spread**2 + found.value**2
    return detectable(counted.units, discordance, between=found.between, seeds=counted.seeds)

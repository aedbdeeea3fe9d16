"""How far one variant is from another, when items and seeds could have been others."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from kgreason.errors import DataError
from kgreason.statistics.answers import Answers, Metric
from kgreason.statistics.paired import mcnemar

_BATCH = 250


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one variant is than another.

    Args:
        value: The difference of the means over the seeds.
        low: Lower end of its 95 % interval.
        high: Upper end.
        p: Two-sided, of the paired bootstrap.
        mcnemar: The largest p of McNemar's exact test over the seeds: below 0.01 means that every single seed is.
    """

    value: float
    low: float
    high: float
    p: float
    mcnemar: float


def difference(
    other: Answers, against: Answers, metric: Metric = "accuracy", num_labels: int = 0, samples: int = 5000
) -> Difference:
    r"""Compare two variants that answered the same items with the same seeds.

    Each of the `samples` bootstrap rounds draws items with replacement, and seeds with replacement, the same for both
    variants, and takes the difference of the metric. With $k$ of $n$ rounds on the lesser side of 0, the two-sided p
    is $\min(1, 2 (k + 1) / (n + 1))$. Rounds are seeded; the same answers give the same p.

    Args:
        other: The variant.
        against: What it is compared with.
        metric: `accuracy`, or `macro_f1` over the labels that occur in `gold`; `hits@1` is the accuracy of the first
            answer (of several that share the first place, the one that was drawn).
        num_labels: How many labels there are; needed for `macro_f1`.
        samples: Rounds.

    Raises:
        DataError: If they did not answer the same items, or not once for each seed.

    Reference:
        Berg-Kirkpatrick, Burkett and Klein (2012), EMNLP, for the paired bootstrap; the draw of seeds besides items is
        the two-level form of it.
    """
    if len(other.gold) != len(against.gold) or (other.gold != against.gold).any():
        raise DataError("The two variants were tested on different items; run both anew with the same [task].")
    if len(other.found) != len(against.found):
        raise DataError(f"One variant has {len(other.found)} seeds, the other {len(against.found)}.")
    value, drawn = _resample(other, against, metric, num_labels, samples)
    low, high = np.quantile(drawn, [0.025, 0.975])
    lesser = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p = min(1.0, 2 * (lesser + 1) / (samples + 1))
    worst = max(mcnemar(a, b) for a, b in zip(other.right, against.right, strict=True))
    return Difference(value, float(low), float(high), p, worst)


def _resample(
    other: Answers, against: Answers, metric: Metric, num_labels: int, samples: int
) -> tuple[float, Float[ndarray, " rounds"]]:
    """Return the difference, and what it is in each bootstrap round. Items that all answered alike are one draw."""
    patterns, many = np.unique(np.vstack([other.gold, other.found, against.found]), axis=1, return_counts=True)
    counts = [_coded(Answers(patterns[0], part), metric, num_labels) for part in np.split(patterns[1:], 2)]
    size = 2 if metric != "macro_f1" else num_labels
    value = float(np.subtract(*(_metric(many[None], c, size, metric).mean(1) for c in counts))[0])
    rng, n, seeds = np.random.default_rng(0), len(other.gold), len(other.found)
    rounds = []
    for start in range(0, samples, _BATCH):
        batch = min(_BATCH, samples - start)
        items = rng.multinomial(n, many / n, batch)
        drawn_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds), batch)
        gap = np.subtract(*(_metric(items, c, size, metric) for c in counts))
        rounds.append((gap * drawn_seeds).sum(1) / seeds)
    return value, np.concatenate(rounds)


def _coded(answers: Answers, metric: Metric, num_labels: int) -> list[Float[ndarray, "items cells"]]:
    """Return, for each seed, in which cell of the confusion table each item falls, one-hot."""
    if metric != "macro_f1":
        cells = [np.where(right, 0, 1) for right in answers.right]
        return [np.eye(4, dtype=np.float32)[c] for c in cells]
    return [np.eye(num_labels**2, dtype=np.float32)[answers.gold * num_labels + f] for f in answers.found]


def _metric(
    weight: Int[ndarray, "rounds items"], counts: list[Float[ndarray, "items cells"]], size: int, metric: Metric
) -> Float[ndarray, "rounds seeds"]:
    weight = weight.astype(np.float32)
    tables = np.stack([(weight @ c).reshape(len(weight), size, size) for c in counts], axis=1)
    if metric != "macro_f1":
        out: ndarray = tables[..., 0, 0] / weight.sum(1)[:, None]
        return out
    hit = np.diagonal(tables, axis1=-2, axis2=-1)
    gold, found = tables.sum(-1), tables.sum(-2)
    f1 = 2 * hit / np.maximum(gold + found, 1)
    occurs = (gold + found) > 0
    mean: ndarray = (f1 * occurs).sum(-1) / np.maximum(occurs.sum(-1), 1)
    return mean

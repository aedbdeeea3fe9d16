"""How good predictions are, with an interval. All from numpy arrays; scikit-learn counts."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from kgreason.data import Example


def classification(
    gold: Int[ndarray, " items"], probability: Float[ndarray, "items labels"], labels: Sequence[str]
) -> dict[str, float]:
    """Score one label per item.

    Returns:
        `accuracy` with `accuracy.low` and `accuracy.high` (95 %, see `interval`), `macro_f1` over the labels that
        occur in `gold` or are predicted, `recall.L`, `precision.L`, `f1.L` and `support.L` of each label, `ece`,
        `log_loss`, `size`.
    """
    from sklearn.metrics import precision_recall_fscore_support

    found = probability.argmax(1)
    ids = np.arange(len(labels))
    each = precision_recall_fscore_support(gold, found, labels=ids, zero_division=0.0)
    occurs = np.isin(ids, gold) | np.isin(ids, found)
    right = found == gold
    low, high = interval(right)
    scores = {
        "size": float(len(gold)),
        "accuracy": float(right.mean()),
        "accuracy.low": low,
        "accuracy.high": high,
        "macro_f1": float(each[2][occurs].mean()),
        "ece": calibration_error(probability.max(1), right),
        "log_loss": _log_loss(probability[np.arange(len(gold)), gold]),
    }
    for name, values in zip(("precision", "recall", "f1", "support"), each, strict=True):
        scores |= {f"{name}.{label}": float(value) for label, value in zip(labels, values, strict=True)}
    return scores


def choices(gold: Int[ndarray, " items"], probability: Sequence[Float[ndarray, "_"]]) -> dict[str, float]:
    """Score a choice among answers that differ from item to item.

    Returns:
        `accuracy` with its interval, `mrr` (mean of 1 / rank of the right answer), `ece`, `log_loss`, `size`.
    """
    given = np.array([p[g] for p, g in zip(probability, gold, strict=True)])
    best = np.array([p.max() for p in probability])
    right = np.array([int(p.argmax()) for p in probability]) == gold
    rank = np.array([1 + int((p > p[g]).sum()) for p, g in zip(probability, gold, strict=True)])
    low, high = interval(right)
    return {
        "size": float(len(gold)),
        "accuracy": float(right.mean()),
        "accuracy.low": low,
        "accuracy.high": high,
        "mrr": float((1 / rank).mean()),
        "ece": calibration_error(best, right),
        "log_loss": _log_loss(given),
    }


def by_category(
    examples: Sequence[Example], category: Mapping[str, Mapping[str, str]], right: Bool[ndarray, " items"]
) -> dict[str, float]:
    """Return the accuracy within each category as `category.NAME` (`hops.2`, `type.X`); nothing if there are none."""
    parts = kinds_of(examples, category)
    return {f"{kind}.{name}": float(right[mine].mean()) for (kind, name), mine in parts.items()}


def kinds_of(
    examples: Sequence[Example], category: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, str], Bool[ndarray, " items"]]:
    """Return which examples are of each kind and name, such as `("hops", "2")`; in the order of the names."""
    none: Mapping[str, str] = {}
    has = [category.get(e.uid, none) for e in examples]
    names = {kind: np.array([h.get(kind, "") for h in has]) for kind in dict.fromkeys(k for h in has for k in h)}
    return {(kind, name): of == name for kind, of in names.items() for name in sorted(set(of.tolist()) - {""})}


def calibration_error(confidence: Float[ndarray, " items"], right: Bool[ndarray, " items"], bins: int = 15) -> float:
    r"""Return how far confidence is from accuracy, the expected calibration error.

    $$\mathrm{ECE} = \sum_b \frac{n_b}{n} \left| \mathrm{acc}_b - \mathrm{conf}_b \right|$$

    over bins $b$ of equal width in (0, 1].

    Reference:
        Guo et al. (2017), arXiv:1706.04599, equation 3.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(bin_of, right.astype(float) - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(right))


def interval(right: Bool[ndarray, " items"], samples: int = 2000) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of an accuracy.

    Drawing n items with replacement and counting the right ones is a binomial draw: no items are copied. The draws
    are seeded by nothing but the counts, so the same predictions give the same interval.
    """
    n = len(right)
    draws = np.random.default_rng(n).binomial(n, right.mean(), samples) / n
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _log_loss(given: Float[ndarray, " items"]) -> float:
    return float(-np.log(np.clip(given, 1e-12, None)).mean())

"""Tests of two variants on the same items."""

from numpy import ndarray


def mcnemar(right: ndarray, other: ndarray) -> float:
    """Return the two-sided p of McNemar's exact test: of the items that one alone got right, is it half for each?

    Args:
        right: Whether one got each item right.
        other: The same for the other.

    Reference:
        McNemar (1947), Psychometrika 12; exact form by the binomial distribution.
    """
    from scipy.stats import binomtest

    only, back = int((right & ~other).sum()), int((other & ~right).sum())
    return float(binomtest(only, only + back, 0.5).pvalue) if only + back else 1.0

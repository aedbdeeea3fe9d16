"""Shares and differences with their intervals, for few items as well as for many."""

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.audit.parts import Gap, Rate
from kgreason.tasks.retrieval import wilson


def rate(count: int, size: int) -> Rate:
    """Return a share with Wilson's 95 % interval; of no items at all, [0, 1].

    >>> rate(8, 10).low > 0.4
    True
    """
    low, high = wilson(count / size, size) if size else (0.0, 1.0)
    return Rate(int(count), int(size), low, high)


def rate_of(chosen: Bool[ndarray, " items"]) -> Rate:
    """Return the share of True."""
    return rate(int(np.count_nonzero(chosen)), len(chosen))


def gap(one: Bool[ndarray, " items"], other: Bool[ndarray, " items"]) -> Gap:
    r"""Return by how much `one` is true more often than `other`, of the same items, with its 95 % interval.

    The interval is the hull of two. Newcombe's hybrid score interval: with $p_1, p_2$ the shares of True, Wilson's
    intervals $[l_i, u_i]$ and $\phi$ the correlation of the two columns, it goes from

    $$d - \sqrt{(p_1 - l_1)^2 - 2 \phi (p_1 - l_1)(u_2 - p_2) + (u_2 - p_2)^2}$$

    to the same with the parts exchanged. And that of McNemar's exact test: with $b$ items where `one` alone is true and
    $c$ where `other` alone is, Clopper and Pearson's interval $[l, u]$ of $b / (b + c)$ gives
    $[2l - 1, 2u - 1] \cdot (b + c) / n$. So 0 lies outside only if McNemar's exact test has $p < 0.05$, too,
    however few the items.

    Reference:
        Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10; Clopper and Pearson (1934), Biometrika 26.
    """
    size = len(one)
    if not size:
        return Gap(0.0, -1.0, 1.0, 0)
    difference = float(one.mean() - other.mean())
    ends = (_newcombe(one, other), _exact(one, other))
    return Gap(difference, min(low for low, _ in ends), max(high for _, high in ends), size)


def _newcombe(one: Bool[ndarray, " items"], other: Bool[ndarray, " items"]) -> tuple[float, float]:
    (p1, l1, u1), (p2, l2, u2) = ((r.value, r.low, r.high) for r in (rate_of(one), rate_of(other)))
    spread = float(one.std() * other.std())
    phi = float(((one - p1) * (other - p2)).mean()) / spread if spread else 0.0

    def half(mine: float, its: float) -> float:
        return float(np.sqrt(max(0.0, mine**2 - 2 * phi * mine * its + its**2)))

    return p1 - p2 - half(p1 - l1, u2 - p2), p1 - p2 + half(u1 - p1, p2 - l2)


def _exact(one: Bool[ndarray, " items"], other: Bool[ndarray, " items"]) -> tuple[float, float]:
    from scipy.stats import beta

    b, c, size = int((one & ~other).sum()), int((other & ~one).sum()), len(one)
    low = float(beta.ppf(0.025, b, c + 1)) if b else 0.0
    high = float(beta.ppf(0.975, b + 1, c)) if c else 1.0
    return (2 * low - 1) * (b + c) / size, (2 * high - 1) * (b + c) / size

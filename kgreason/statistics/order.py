"""Almost stochastic order: is one variant's score, over seeds, nearly always the higher?"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def almost_order(
    scores: Sequence[float], other: Sequence[float], rounds: int = 2000, level: float = 0.95, seed: int = 0
) -> float:
    r"""Return $\varepsilon_{\min}$: how far `scores` are from being stochastically larger than `other`, at most.

    With the quantile functions $F^{-1}$ and $G^{-1}$ of the two samples, the violation ratio is the share of their
    squared distance at which the first is below the second:

    $$\varepsilon = \frac{\int_{F^{-1} < G^{-1}} (F^{-1}(t) - G^{-1}(t))^2\, dt}
      {\int_0^1 (F^{-1}(t) - G^{-1}(t))^2\, dt},
      \qquad \varepsilon_{\min} = \varepsilon + z_{\mathrm{level}}\, \hat\sigma$$

    with $\hat\sigma$ the standard deviation of $\varepsilon$ over bootstrap draws of both samples, clipped to [0, 1].
    0: the first is larger at every quantile. Below 0.5: it is almost larger (Dror et al.); below 0.2 is the bound that
    keeps false claims rare (Ulmer et al.). With few seeds $\hat\sigma$ is rough: one seed says nothing, five say
    little. Two samples without any distance have $\varepsilon = 0.5$.

    The integrals are exact: quantile functions of samples are steps.

    Args:
        scores: One number per seed, more is better.
        other: The same of what it is compared with; may be more or fewer.
        rounds: Of the bootstrap.
        level: Confidence of the bound.
        seed: Of the draws.

    Reference:
        Dror, Shlomov and Reichart (2019), Deep Dominance, ACL, equations 2 to 4; del Barrio, Cuesta-Albertos and
        Matrán (2018), The Mathematics of the Uncertain; Ulmer, Hardmeier and Frellsen (2022), arXiv:2204.06815.
    """
    from scipy.stats import norm

    f, g, rng = np.asarray(scores, float), np.asarray(other, float), np.random.default_rng(seed)
    ratio = float(violation(f[None], g[None])[0])
    drawn = violation(f[rng.integers(0, len(f), (rounds, len(f)))], g[rng.integers(0, len(g), (rounds, len(g)))])
    return float(np.clip(ratio + norm.ppf(level) * drawn.std(), 0.0, 1.0))


def violation(f: Float[ndarray, "rounds n"], g: Float[ndarray, "rounds m"]) -> Float[ndarray, " rounds"]:
    """Return the violation ratio of each pair of samples; see `almost_order`."""
    n, m = f.shape[1], g.shape[1]
    edges = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)  # in units of 1 / (n m), so that they are exact
    middle = (edges[1:] + edges[:-1]) / 2
    first = np.sort(f, axis=1)[:, (middle / m).astype(int)]
    second = np.sort(g, axis=1)[:, (middle / n).astype(int)]
    squared = (first - second) ** 2 * np.diff(edges)
    whole = squared.sum(1)
    found: ndarray = np.where(whole > 0, (squared * (first < second)).sum(1) / np.where(whole > 0, whole, 1), 0.5)
    return found

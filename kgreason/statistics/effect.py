"""How large a difference is, in measures that do not depend on how hard the test is."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def wins(value: Float[ndarray, "seeds items"], other: Float[ndarray, "seeds items"]) -> tuple[int, int]:
    """Return in how many (seed, item) pairs the first has the higher value, and in how many the second."""
    return int((value > other).sum()), int((other > value).sum())


def odds(won: int, lost: int) -> float:
    r"""Return how many times as often one variant alone is right as the other alone: $(w + ½) / (l + ½)$.

    The matched-pairs odds ratio. Items that both get right or wrong do not count, so an easy test does not make it
    small. Half a count is added on both sides (Haldane, 1940), so that it exists where one of them is 0.

    >>> odds(30, 10)
    2.9047619047619047
    """
    return (won + 0.5) / (lost + 0.5)


def cliff(scores: Sequence[float], other: Sequence[float]) -> float:
    r"""Return Cliff's delta: how much likelier a seed of the first beats one of the second than the other way round.

    $$\delta = \frac{\#(x_i > y_j) - \#(x_i < y_j)}{n m}$$

    1: every seed beats every seed.

    >>> cliff([0.8, 0.9], [0.7, 0.85])
    0.5

    Reference:
        Cliff (1993), Psychological Bulletin 114.
    """
    return float(np.sign(np.subtract.outer(np.asarray(scores, float), np.asarray(other, float))).mean())

"""Tests of two variants on the same items: is what sets them apart more than chance?"""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from kgreason.statistics.tally import Tally

#: Up to so many units that differ, every exchange is tried.
_EXACT = 14
#: Numbers that one batch, and that all of them, may draw.
_AT_ONCE, _IN_ALL = 1_000_000, 100_000_000


def mcnemar(right: Bool[ndarray, " items"], other: Bool[ndarray, " items"]) -> float:
    """Return the two-sided p of McNemar's exact test: of the items that one alone got right, is it half for each?

    Args:
        right: Whether one got each item right.
        other: The same for the other.

    Reference:
        McNemar (1947), Psychometrika 12; exact form by the binomial distribution.
    """
    return sign_test(right.astype(float), other.astype(float))


def sign_test(value: Float[ndarray, " items"], other: Float[ndarray, " items"]) -> float:
    """Return the two-sided p that more items have the higher value in one than in the other.

    Of right and wrong answers it is McNemar's exact test.
    """
    from scipy.stats import binomtest

    only, back = int((value > other).sum()), int((other > value).sum())
    return float(binomtest(only, only + back, 0.5).pvalue) if only + back else 1.0


def permutation(counted: Tally, rounds: int = 10_000, seed: int = 0) -> float:
    r"""Return the two-sided p of the paired permutation test of two variants.

    If the variants were the same, each unit's outcomes could be exchanged between them without harm. With $k$ of $R$
    random exchanges that part them at least as far as they are, $p = (k + 1) / (R + 1)$; where at most 14 units differ
    all exchanges are tried, and $p = k / 2^m$. Of a mean this is flipping the signs of the units' differences. All
    seeds of a unit are exchanged together: the test is of these trained models, and of the items that were drawn.

    Args:
        counted: Two variants.
        rounds: Random exchanges; fewer, but at least 1000, where many thousands of units are all different.
        seed: Of the draws.

    Reference:
        Fisher (1935), The Design of Experiments, section 21; Noreen (1989) and Yeh (2000), COLING, for F1;
        Phipson and Smyth (2010), Statistical Applications in Genetics 9, for the one that is added.
    """
    differ = (counted.cells[0] != counted.cells[1]).any((0, 2))
    many = np.where(differ, counted.many, 0)
    if not many.any():
        return 1.0
    observed = abs(_gap(counted, np.zeros((1, len(many))))[0])
    if many.sum() <= _EXACT:
        swapped, weight = _all_exchanges(many)
        return min(1.0, float(weight[_as_far(counted, swapped, observed)].sum()))
    rng, far, size = np.random.default_rng(seed), 0, max(1, _AT_ONCE // len(many))
    rounds = min(rounds, max(1000, _IN_ALL // len(many)))
    for start in range(0, rounds, size):
        shape = (min(size, rounds - start), len(many))
        swapped = rng.integers(0, 2, shape, np.int8) * many if many.max() == 1 else rng.binomial(many, 0.5, shape)
        far += int(_as_far(counted, swapped.astype(float), observed).sum())
    return (far + 1) / (rounds + 1)


def _gap(counted: Tally, swapped: Float[ndarray, "rounds patterns"]) -> Float[ndarray, " rounds"]:
    """Return the difference, mean over seeds, when so many units of each pattern are exchanged."""
    gone = counted.counts(swapped)
    whole = counted.counts(counted.many[None].astype(float))
    scores = counted.finish(np.stack([whole[0] - gone[0] + gone[1], whole[1] - gone[1] + gone[0]]))
    found: ndarray = (scores[0] - scores[1]).mean(1)
    return found


def _as_far(counted: Tally, swapped: ndarray, observed: float) -> Bool[ndarray, " rounds"]:
    found: ndarray = np.abs(_gap(counted, swapped)) >= observed - 1e-12
    return found


def _all_exchanges(many: Int[ndarray, " patterns"]) -> tuple[ndarray, Float[ndarray, " ways"]]:
    """Return every number of exchanged units per pattern, and how likely each is."""
    from scipy.special import comb

    grids = np.meshgrid(*(np.arange(m + 1) for m in many[many > 0]), indexing="ij")
    chosen = np.stack([grid.ravel() for grid in grids], axis=1)
    weight = comb(many[many > 0], chosen).prod(1) / 2.0 ** many.sum()
    swapped = np.zeros((len(chosen), len(many)))
    swapped[:, many > 0] = chosen
    return swapped, weight

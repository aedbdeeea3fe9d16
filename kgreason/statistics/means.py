"""The mean over seeds or folds, and how sure it is."""

from collections.abc import Sequence

import numpy as np


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean over seeds and half the width of its 95 % interval (Student's t); NaN for one seed.

    It tells how sure the mean is for these items. With other items it would be another: see `interval`.
    """
    from scipy.stats import t

    x = np.asarray(values, float)
    if len(x) < 2:
        return float(x.mean()), float("nan")
    return float(x.mean()), float(t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of a sample; NaN of one number."""
    return float(np.std(np.asarray(values, float), ddof=1)) if len(values) > 1 else float("nan")


def corrected_interval(values: Sequence[float], ratio: float) -> tuple[float, float, float]:
    r"""Return the mean over folds, half the width of its 95 % interval, and the two-sided p that it is 0.

    The training sets of folds overlap, so that their scores are no independent draws, and the usual variance
    $s^2 / J$ is too small. Corrected:

    $$\mathrm{var} = \left( \frac{1}{J} + \frac{n_{test}}{n_{train}} \right) s^2$$

    and Student's t of $J - 1$ degrees of freedom. In $k$ folds, $n_{test} / n_{train} = 1 / (k - 1)$; with several
    seeds, $J$ counts every fold of every seed (Bouckaert and Frank, 2004).

    Args:
        values: One score, or one difference of two, per fold.
        ratio: Size of a test part over that of what is trained on.

    Returns:
        Half the width and p are NaN for one value. Values that are all the same have p 0, or 1 where they are 0.

    Reference:
        Nadeau and Bengio (2003), Inference for the Generalization Error, Machine Learning 52, equation 9.
    """
    from scipy.stats import t

    x = np.asarray(values, float)
    mean = float(x.mean())
    if len(x) < 2:
        return mean, float("nan"), float("nan")
    error = float(np.sqrt((1 / len(x) + ratio) * x.var(ddof=1)))
    if error == 0:
        return mean, 0.0, float(mean == 0)
    return mean, float(t.ppf(0.975, len(x) - 1) * error), float(2 * t.sf(abs(mean) / error, len(x) - 1))

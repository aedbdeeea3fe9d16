"""What a test of this size could have shown, and how large it would have to be."""

import math


def detectable(
    items: int, discordance: float, power: float = 0.8, alpha: float = 0.05, *, between: float = 0.0, seeds: int = 1
) -> float:
    r"""Return the smallest difference that is found with probability `power`: the minimum detectable effect.

    For a paired test of $n$ items with discordance $\psi$ (of right and wrong answers the share of items on which the
    two differ; in general the mean squared difference of an item), the difference $\delta$ solves

    $$\delta \sqrt{n} = z_{1-\alpha/2} \sqrt{\psi} + z_{power} \sqrt{\psi - \delta^2}.$$

    No difference can be larger than $\psi$ is: where the solution would be, $\psi = \delta$ is put in (all items that
    differ favour one side). With several seeds whose values differ by $b$ beyond what items explain,
    $(t_{1-\alpha/2} + t_{power})\, b / \sqrt{S}$ is added in the square.

    Args:
        items: How many are tested (or groups of them).
        discordance: In [0, 1]; at least one item's worth is taken.
        power: Probability of finding it.
        alpha: Two-sided level.
        between: $b$.
        seeds: $S$.

    Returns:
        In the unit of the metric; 1 if no difference could be found.

    Reference:
        Miettinen (1968), Biometrics 24; Connor (1987), Biometrics 43.
    """
    from scipy.stats import norm, t

    a, b = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    if 2.0 ** (1 - items) >= alpha:  # no exact test of so few finds anything
        return 1.0
    psi = max(discordance, 1 / items)
    root = items - a * a + b * b
    found = math.sqrt(psi) * (a * math.sqrt(items) + b * math.sqrt(max(0.0, root))) / (items + b * b)
    if found > psi:
        found = _one_sided(items, a, b)
    if seeds > 1 and between:
        found = math.hypot(found, (t.ppf(1 - alpha / 2, seeds - 1) + t.ppf(power, seeds - 1)) * between / seeds**0.5)
    return min(1.0, float(found))


def needed(difference: float, discordance: float, power: float = 0.8, alpha: float = 0.05) -> int:
    r"""Return how many items it takes to find a difference with probability `power`.

    $$n = \left( \frac{z_{1-\alpha/2} \sqrt\psi + z_{power} \sqrt{\psi - \delta^2}}{\delta} \right)^2$$

    >>> needed(0.02, 0.1)
    1960

    Args:
        difference: Above 0, in the unit of the metric.
        discordance: Share of the items on which the two differ; at least the difference.
        power: Probability of finding it.
        alpha: Two-sided level.
    """
    from scipy.stats import norm

    psi = max(discordance, difference)
    a, b = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))
    spread = a * math.sqrt(psi) + b * math.sqrt(psi - difference**2)
    return math.ceil((spread / difference) ** 2)


def _one_sided(items: int, a: float, b: float) -> float:
    r"""Return the difference if all items that differ favour one side: $\sqrt{n\delta} = a + b\sqrt{1-\delta}$."""
    from scipy.optimize import brentq

    if items <= a * a:
        return 1.0
    return float(brentq(lambda x: math.sqrt(items * x) - a - b * math.sqrt(1 - x), 0.0, 1.0))

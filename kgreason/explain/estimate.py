"""A measured share with its interval, any other number, and how they are written."""

import math
from dataclasses import dataclass
from typing import final

from kgreason.errors import DataError


@final
@dataclass(frozen=True, slots=True)
class Estimate:
    """A share in [0, 1] with the interval that goes with it.

    Args:
        value: The share itself, such as an accuracy.
        low: The lower end of the interval; equal to `value` if none is known.
        high: The upper end; low ≤ value ≤ high.

    Raises:
        DataError: If the three are not finite numbers in order.

    >>> str(Estimate(0.8124, 0.8, 0.8249))
    '81.2 % [80.0, 82.5]'
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and self.low <= self.value <= self.high < math.inf):
            raise DataError(f"An estimate needs low ≤ value ≤ high, got {self.low}, {self.value}, {self.high}.")

    @classmethod
    def of_share(cls, right: int | float, total: int) -> "Estimate":
        r"""Return `right / total` with Wilson's 95 % score interval.

        $$\frac{\hat p + z^2/2n \pm z\sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}, \quad z = 1.96$$

        It speaks of the sampling of examples only, not of seeds. Where several seeds answered the same examples,
        `right` may be their mean.

        Raises:
            DataError: If there are no examples, or more right ones than examples.

        Reference:
            Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
        """
        if not 0 <= right <= total or total == 0:
            raise DataError(f"A share needs 0 ≤ right ≤ total and total > 0, got {right} of {total}.")
        z, p = 1.959964, right / total
        middle, scale = p + z * z / (2 * total), 1 + z * z / total
        half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
        return cls(p, max(0.0, min(p, (middle - half) / scale)), min(1.0, max(p, (middle + half) / scale)))

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{100 * self.value:.1f} %"
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@final
@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as a table shows it, and as it is for those who sort or reckon with it.

    Args:
        value: The number.
        text: How it is written.
        beside: What stands after it in smaller print: its interval.
        low: The lower end of the interval; None if there is none.
        high: The upper end.

    >>> str(Quantity.points(0.0213, 0.012, 0.03))
    '+2.1 [+1.2, +3.0]'
    """

    value: int | float
    text: str
    beside: str = ""
    low: int | float | None = None
    high: int | float | None = None

    @classmethod
    def points(cls, value: int | float, low: int | float, high: int | float) -> "Quantity":
        """Return a difference of shares in points, with its sign."""
        ends = ", ".join(_signed(end) for end in (low, high))
        return cls(value, _signed(value), f"[{ends}]", low, high)

    @classmethod
    def chance(cls, p: int | float) -> "Quantity":
        """Return a p value: two digits, and no more zeros than one can count."""
        return cls(p, f"{p:.2g}" if p >= 1e-4 else "< 0.0001")

    def __str__(self) -> str:
        return f"{self.text} {self.beside}".strip()


def _signed(share: float) -> str:
    """Return a share in points; a minus is a minus sign, and nothing is no negative zero."""
    rounded = round(100 * share, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "\N{MINUS SIGN}")

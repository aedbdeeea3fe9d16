"""Sets of numbers, and how one set of possible values is related to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kgreason.data import Entailment

INFINITY: Final = float("inf")
_FINE: Final = 1e-9  # what an open end of a continuous axis leaves out


class Range(NamedTuple):
    """The numbers from `low` to `high`; an open end does not belong to them."""

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False


Ranges = tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an expression leaves open: on each axis the values that are possible; an axis that is not named is free.

    Args:
        axes: The possible values by axis: `count`, `rank`, a unit such as `m`, or `year`, `month`, `day`, `minute`.
        sure: How exact the expression is: 1 for "exactly two", less for "several".
        kind: Only quantities of one kind are compared: "5 km" is no "5 kg".
    """

    axes: Mapping[str, Ranges]
    sure: float = 1.0
    kind: str = field(default="count")


def only(value: float | int) -> Ranges:
    """Return the set of one value."""
    return (Range(float(value), float(value)),)


def relation(first: Quantity, second: Quantity) -> Entailment | None:
    r"""Return how the set of what is possible under one quantity is related to that of another.

    $$A = B:\ \equiv \quad A \subset B:\ \sqsubset \quad A \supset B:\ \sqsupset \quad
      A \cap B = \emptyset:\ \mid, \text{ and } \wedge \text{ if } A \cup B \text{ is all} \quad
      A \cup B \text{ is all}:\ \smile \quad \text{else}\ \#$$

    Quantities on several axes (dates) are boxes: contained if contained on every axis, disjoint if disjoint on one.

    Returns:
        None if the two are not of one kind.
    """
    if first.kind != second.kind:
        return None
    names = {**first.axes, **second.axes}
    verdicts = [_on_axis(first.axes.get(name), second.axes.get(name), name) for name in names]
    if any(v in (Entailment.ALTERNATION, Entailment.NEGATION) for v in verdicts):
        return verdicts[0] if len(verdicts) == 1 else Entailment.ALTERNATION
    if len(verdicts) == 1:
        return verdicts[0]
    if all(v == Entailment.EQUIVALENCE for v in verdicts):
        return Entailment.EQUIVALENCE
    for way in (Entailment.FORWARD, Entailment.REVERSE):
        if all(v in (way, Entailment.EQUIVALENCE) for v in verdicts):
            return way
    return Entailment.INDEPENDENCE


def _on_axis(first: Ranges | None, second: Ranges | None, name: str) -> Entailment:
    if first is None or second is None:
        return Entailment.FORWARD if second is None else Entailment.REVERSE
    step = _step(name, first, second)
    a, b = _closed(first, step), _closed(second, step)
    inside, outside = _within(a, b, step), _within(b, a, step)
    if inside or outside:
        if inside and outside:
            return Entailment.EQUIVALENCE
        return Entailment.FORWARD if inside else Entailment.REVERSE
    apart = all(x.high < y.low or y.high < x.low for x in a for y in b)
    whole = _within((Range(0.0, INFINITY),), (*a, *b), step)
    if apart:
        return Entailment.NEGATION if whole else Entailment.ALTERNATION
    return Entailment.COVER if whole else Entailment.INDEPENDENCE


def _step(name: str, *sets: Ranges) -> float:
    """Return the least difference of two values: 1 where one counts."""
    counted = name in ("count", "rank", "year", "month", "day", "minute") or name.startswith("item:")
    ends = [end for ranges in sets for r in ranges for end in (r.low, r.high) if end != INFINITY]
    return 1.0 if counted and all(end == int(end) for end in ends) else _FINE


def _closed(ranges: Ranges, step: float) -> Ranges:
    return tuple(Range(r.low + step * r.low_open, r.high - step * r.high_open) for r in ranges)


def _within(a: Ranges, b: Ranges, step: float) -> bool:
    """Whether every value of `a` is one of `b`, both closed."""
    joined: list[list[float]] = []
    for r in sorted(b):
        if joined and r.low <= joined[-1][1] + step * 1.001:
            joined[-1][1] = max(joined[-1][1], r.high)
        else:
            joined.append([r.low, r.high])
    near = step / 1000  # sums of fractions are not exact
    return all(any(low - near <= r.low and r.high <= high + near for low, high in joined) for r in a)

"""Counts from which a metric follows, so that drawing items anew costs one product of matrices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from kgreason.errors import DataError
from kgreason.statistics.answers import Answers, Metric, Outcome


@final
@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What variants did with each unit. Units with the same outcome in all variants and seeds are one pattern.

    A unit is an item, or a group of items that belong together.

    Args:
        many: How many units have each pattern.
        cells: What a unit of a pattern adds to the counts of a variant and seed.
        finish: From counts to the metric, over the last axis.
        top: The metric lies between `-top` and `top`.
    """

    many: Int[ndarray, " patterns"]
    cells: Float[ndarray, "variants seeds patterns cells"]
    finish: Callable[[ndarray], ndarray]
    top: float

    @property
    def units(self) -> int:
        return int(self.many.sum())

    @property
    def seeds(self) -> int:
        return int(self.cells.shape[1])

    def counts(self, weight: Float[ndarray, "rounds patterns"]) -> Float[ndarray, "variants rounds seeds cells"]:
        """Return the counts when each pattern occurs so many times."""
        found: ndarray = np.einsum("rp,vspc->vrsc", weight, self.cells, optimize=True)
        return found

    def score(self, weight: Float[ndarray, "rounds patterns"]) -> Float[ndarray, "variants rounds seeds"]:
        """Return the metric when each pattern occurs so many times."""
        return self.finish(self.counts(weight))

    @property
    def observed(self) -> Float[ndarray, "variants seeds"]:
        """The metric of the items as they are."""
        found: ndarray = self.score(self.many[None].astype(float))[:, 0]
        return found


def tally(outcomes: Sequence[Outcome], metric: Metric = "accuracy", num_labels: int = 0) -> Tally:
    """Count what one variant, or several on the same items, did.

    Args:
        outcomes: With the same items, seeds and groups.
        metric: `accuracy`, `hits@1` and `mean`: the mean of the items' values. `macro_f1`: the mean of F1 over the
            labels that occur in `gold` or were answered.
        num_labels: How many labels there are; needed for `macro_f1`.

    Raises:
        DataError: If the metric needs labels that are not there.
    """
    columns, expand, finish = _plan(outcomes, metric, num_labels)
    top = 1.0 if isinstance(outcomes[0], Answers) else np.inf
    group = outcomes[0].group
    variants, seeds, _ = columns.shape
    if group is None:
        patterns, many = np.unique(columns.reshape(variants * seeds, -1), axis=1, return_counts=True)
        return Tally(many, expand(patterns.reshape(variants, seeds, -1)), finish, top)
    names, number = np.unique(group, return_inverse=True)
    each = np.moveaxis(expand(columns), 2, 0)
    summed = np.zeros((len(names), *each.shape[1:]))
    np.add.at(summed, number, each)
    patterns, many = np.unique(summed.reshape(len(names), -1), axis=0, return_counts=True)
    return Tally(many, np.moveaxis(patterns.reshape(-1, *each.shape[1:]), 0, 2), finish, top)


def _plan(
    outcomes: Sequence[Outcome], metric: Metric, num_labels: int
) -> tuple[ndarray, Callable[[ndarray], ndarray], Callable[[ndarray], ndarray]]:
    """Return a number for each (variant, seed, item), what it adds to the counts, and the metric of counts."""
    if metric != "macro_f1":
        return np.stack([outcome.value for outcome in outcomes]), _worth, _mean
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answers)]
    highest = max([int(max(a.gold.max(), a.found.max())) for a in answers], default=-1)
    if len(answers) < len(outcomes) or not 0 <= highest < num_labels:
        raise DataError(f"macro_f1 needs answers below num_labels = {num_labels}; the highest is {highest}.")
    codes = np.stack([answer.gold * num_labels + answer.found for answer in answers])
    return codes, lambda code: np.eye(num_labels**2)[code], lambda counts: _macro_f1(counts, num_labels)


def _worth(value: ndarray) -> ndarray:
    return np.stack([value, np.ones_like(value)], axis=-1)


def _mean(counts: ndarray) -> ndarray:
    found: ndarray = counts[..., 0] / np.maximum(counts[..., 1], 1)
    return found


def _macro_f1(counts: ndarray, size: int) -> ndarray:
    table = counts.reshape(*counts.shape[:-1], size, size)
    hit = np.diagonal(table, axis1=-2, axis2=-1)
    both = table.sum(-1) + table.sum(-2)
    f1, occurs = 2 * hit / np.maximum(both, 1), both > 0
    found: ndarray = (f1 * occurs).sum(-1) / np.maximum(occurs.sum(-1), 1)
    return found

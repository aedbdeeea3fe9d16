"""What a reasoner says about every example of a data set, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

#: The candidate "none of these": the right answer where no entity is.
NONE = -1
#: The target of an answer whose name the knowledge graph does not have: no candidate, ever.
UNKNOWN = -2
#: Where `Ranks.size_at` counts: shares of the best probability, from 1 down to 0.001, evenly in the logarithm.
SHARES = np.logspace(0, -3, 61)


def count_shares(
    group: Int[ndarray, " items"], share: Float[ndarray, " items"], groups: int
) -> Int[ndarray, "groups shares"]:
    """Count the items of each group whose share is at least each of `SHARES`."""
    width = len(SHARES)
    enough = share >= SHARES[-1]
    # SHARES falls, so an item counts from the first entry that is not above it
    first = np.searchsorted(-SHARES, -share[enough].astype(float))
    counts = np.bincount(group[enough] * width + first, minlength=groups * width)
    return counts.reshape(groups, width).cumsum(1).astype(np.int32)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Where the right answers stand among all candidates, counted before any candidate is dropped.

    `NONE` is no candidate here: it is told apart by `none`, and counts in no other column. A walk over a whole graph
    touches thousands of entities per question; with these columns every metric is exact though few of them are kept.

    Args:
        question: Which example each right answer belongs to, counted from 0; ascending.
        right: The right answer: a candidate, `NONE`, or `UNKNOWN` for each name that the graph does not have.
        better: How many candidates of its example have a higher probability; -1 if it was not scored.
        equal: How many have exactly its probability, itself included; 0 if it was not scored.
        share: Its probability, as a share of that of the best candidate; 0 if it was not scored.
        touched: How many candidates each example has.
        best: The probability of the best candidate; 0 if there is none.
        none: The probability of `NONE`; 0 if it was not scored.
        size_at: How many candidates have at least the share `SHARES[j]` of the best one's probability.
    """

    question: Int[ndarray, " answers"]
    right: Int[ndarray, " answers"]
    better: Int[ndarray, " answers"]
    equal: Int[ndarray, " answers"]
    share: Float[ndarray, " answers"]
    touched: Int[ndarray, " examples"]
    best: Float[ndarray, " examples"]
    none: Float[ndarray, " examples"]
    size_at: Int[ndarray, "examples shares"]

    @classmethod
    def join(cls, parts: Sequence["Ranks"], order: Int[ndarray, " examples"]) -> "Ranks":
        """Lay parts end to end, and put their examples in an order."""
        sizes = np.array([len(p.touched) for p in parts], np.int64)
        base = np.cumsum(sizes) - sizes
        question = np.concatenate([p.question + b for p, b in zip(parts, base, strict=True)])
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        answers = np.argsort(place[question], kind="stable")

        def column(name: str, taken: ndarray) -> ndarray:
            whole: ndarray = np.concatenate([getattr(p, name) for p in parts])[taken]
            return whole

        rights = {name: column(name, answers) for name in ("right", "better", "equal", "share")}
        each = {name: column(name, order) for name in ("touched", "best", "none", "size_at")}
        return cls(question=place[question][answers], **rights, **each)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a reasoner says about every example, in the order of the data set. Entry `i` of each column is example `i`.

    Args:
        example: Its position in the data set (`GraphBatch.example`); ascending.
        candidate: Its candidates, in the order of the head (labels 0, 1, 2; positions of choices; ids of entities); or
            the best of them, the best first, where there are more than `predict` was asked to keep.
        probability: Of each candidate; sums to 1 over all candidates, kept or not.
        per_cycle: The probability each cycle alone gives, (cycles, candidates).
        cycles: How many cycles it ran; of several rows, the longest.
        right: The candidates that are right; empty if unknown.
        ranks: Where those stand among all candidates; None if nobody counted.
        seeds: The entities in the graph of each example, which a walk starts from; `()` if nobody looked.
    """

    example: Int[ndarray, " examples"]
    candidate: list[Int[ndarray, " _"]]  # examples may differ in their number of candidates
    probability: list[Float[ndarray, " _"]]
    per_cycle: list[Float[ndarray, "_ _"]]
    cycles: Int[ndarray, " examples"]
    right: list[Int[ndarray, " _"]]
    ranks: Ranks | None = None
    seeds: Sequence[Int[ndarray, " _"]] = ()

    def __len__(self) -> int:
        return len(self.example)

    def answers(self) -> Int[ndarray, " examples"]:
        """Return the most probable candidate of each example; `NONE` where there is no candidate at all."""
        pairs = zip(self.candidate, self.probability, strict=True)
        return np.array([c[p.argmax()] if len(c) else NONE for c, p in pairs], np.int64)

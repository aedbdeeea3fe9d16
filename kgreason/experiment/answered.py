"""What a row of an ablation answered to one test, read from the folders of its runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy import ndarray

from kgreason.errors import DataError
from kgreason.experiment import record
from kgreason.experiment.run import Run
from kgreason.statistics import Answers, Difference, Metric, Outcome, Values, difference

#: What the table shows of each test, where the task has it, and how it follows from the examples; what counts most
#: comes first.
METRICS: dict[str, Metric] = {
    "accuracy": "accuracy",
    "hits@1": "hits@1",
    "macro_f1": "macro_f1",
    "mrr": "mean",
    "f1": "mean",
}


@final
@dataclass(frozen=True, slots=True)
class Answered:
    """A row's answers to one test.

    Args:
        seeds: Of the runs.
        scores: The metrics of each run.
        lines: Of each run, what it wrote down of each example.
    """

    seeds: tuple[int, ...]
    scores: tuple[Mapping[str, float], ...]
    lines: tuple[Sequence[Mapping[str, Any]], ...]

    @property
    def uids(self) -> list[str]:
        return [line["uid"] for line in self.lines[0]]

    def of(self, seeds: Sequence[int]) -> "Answered":
        """Return the part of some seeds."""
        at = [self.seeds.index(seed) for seed in seeds]
        return replace(
            self, seeds=tuple(seeds), scores=tuple(self.scores[i] for i in at), lines=tuple(self.lines[i] for i in at)
        )

    def only(self, uids: Collection[str]) -> "Answered":
        """Return the part of some examples, in the order of their uids."""
        part = ([line for line in lines if line["uid"] in uids] for lines in self.lines)
        return replace(self, lines=tuple(sorted(lines, key=lambda line: str(line["uid"])) for lines in part))

    def outcome(self, metric: str) -> Outcome | None:
        """Return the answers as a metric needs them; None if the runs did not write that down, or there are none."""
        if not self.lines or not self.lines[0]:
            return None
        group = groups_of(self.lines[0])
        if METRICS[metric] == "mean":
            values = [[_value(line, metric) for line in lines] for lines in self.lines]
            return None if any(v is None for row in values for v in row) else Values(np.array(values, float), group)
        listed = "gold_id" in self.lines[0][0]  # else answers are sets, and right or wrong is all that counts
        gold = np.array([line["gold_id"] if listed else 1 for line in self.lines[0]], np.int64)
        found = [[line["answer_id"] if listed else int(line["right"]) for line in lines] for lines in self.lines]
        return Answers(gold, np.array(found, np.int64), group)


def answered(runs: Mapping[int, Run], test: str) -> Answered | None:
    """Return what the runs of a row, by seed, answered to a test; None if no run has it.

    Raises:
        StoreError: If a file of a run is missing or damaged.
    """
    seeds = tuple(seed for seed, run in runs.items() if test in run.metrics["test"])
    if not seeds:
        return None
    lines = [[x for x in record.read_lines(runs[s].folder / record.PREDICTIONS) if x["test"] == test] for s in seeds]
    return Answered(seeds, tuple(runs[seed].metrics["test"][test] for seed in seeds), tuple(lines))


def labels_in(rows: Iterable[Answered]) -> int:
    """Return how many labels there are: one more than the highest that is right or was answered."""
    ids = [max(line["gold_id"], line["answer_id"]) for of in rows for x in of.lines for line in x if "gold_id" in line]
    return max(ids, default=1) + 1


def compare(one: Answered, other: Answered, metric: str, labels: int) -> Difference | None:
    """Compare two rows over the seeds that both have, and the examples, if one was tested on some of the other's.

    Returns:
        None if they have no seed in common, or neither was tested on some of the examples of the other.
    """
    both = [seed for seed in one.seeds if seed in other.seeds]
    if not both or (uids := in_both(one.uids, other.uids)) is None:
        return None
    first, second = one.of(both), other.of(both)
    if first.uids != second.uids:
        first, second = first.only(uids), second.only(uids)
    mine, theirs = first.outcome(metric), second.outcome(metric)
    if mine is None or theirs is None or first.uids != second.uids:
        return None
    try:
        return difference(mine, theirs, METRICS[metric], labels)
    except DataError:  # the same examples with other right answers
        return None


def in_both(one: Sequence[str], other: Sequence[str]) -> set[str] | None:
    """Return the examples that two tests share if the one is a sample of the other (or the same), else None.

    A control may be tested on a sample: 500 questions, each with a graph of its own. Tests that merely overlap are of
    two tasks, and are not compared.
    """
    mine, theirs = set(one), set(other)
    few, many = sorted((mine, theirs), key=len)
    return few if few and few <= many else None


def groups_of(lines: Sequence[Mapping[str, Any]]) -> ndarray | None:
    """Return which examples belong together (hypotheses of one premise), as numbers; None if runs did not write it.

    They are drawn together: a difference that rests on one premise is one observation, not several.
    """
    if not lines or "group" not in lines[0]:
        return None
    found: ndarray = np.unique([str(line.get("group", i)) for i, line in enumerate(lines)], return_inverse=True)[1]
    return found.reshape(-1)


def _value(line: Mapping[str, Any], metric: str) -> float | None:
    if metric == "mrr" and "gold_id" in line:
        given = line["probabilities"]
        return 1.0 / float(1 + sum(p > given[line["gold_id"]] for p in given))
    found = line.get(metric)
    return None if found is None else float(found)

"""A finished run as it stands in its folder, read without building anything: nouns of a report."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.answered import groups_of
from kgreason.report.folded import Folded

#: What counts most, the first that a task has.
METRICS = ("accuracy", "hits@1")
Metric = Literal["accuracy", "hits@1"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One run.

    Args:
        folder: Where it stands.
        config: `config.toml` as it is, whatever version wrote it.
        metrics: `metrics.json`; `test` holds a table of numbers for each test.
    """

    folder: Path
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Result":
        """Read the folder of a finished run.

        Raises:
            StoreError: If a file is missing or damaged, or lacks what every run has.
        """
        metrics: Any = record.read_json(folder / record.METRICS)  # whatever stands in the file
        config = _toml(folder / record.CONFIG)
        tests = metrics.get("test") if isinstance(metrics, dict) else None
        if not isinstance(tests, dict) or not all(isinstance(scores, dict) for scores in tests.values()):
            raise StoreError(f"{folder / record.METRICS} is damaged: it has no table 'test'. Run the experiment again.")
        for test, scores in tests.items():
            if not any(isinstance(scores.get(metric), int | float) for metric in METRICS):
                raise StoreError(
                    f"{folder / record.METRICS}: test '{test}' has neither {' nor '.join(METRICS)}. "
                    "Run the experiment again."
                )
        return cls(folder, config, metrics)

    @property
    def title(self) -> str:
        return str(self.metrics.get("title") or self.config.get("title") or self.folder.name)

    @property
    def seed(self) -> int:
        seed = self.metrics.get("seed", self.config.get("seed", 0))
        return seed if isinstance(seed, int) else 0

    @property
    def task(self) -> str:
        """The name of the task."""
        table = self.config.get("task", {})
        return str(table.get("name", "")) if isinstance(table, Mapping) else str(table)

    @property
    def tests(self) -> Mapping[str, Mapping[str, float]]:
        """Every test's metrics."""
        tests: Mapping[str, Mapping[str, float]] = self.metrics["test"]
        return tests

    def metric(self, test: str) -> Metric:
        """Return what counts most on a test."""
        return "accuracy" if "accuracy" in self.tests[test] else "hits@1"

    def rows(self, test: str) -> list[dict[str, Any]]:
        """Return what was written down of each example of a test.

        Raises:
            StoreError: If the file is missing or damaged.
        """
        path = self.folder / record.PREDICTIONS
        written = path.stat().st_mtime_ns if path.is_file() else 0
        return [row for row in _rows(path, written) if row.get("test") == test]


@final
@dataclass(frozen=True, slots=True)
class Study:
    """Runs that are compared with one another: an ablation, or runs of the same task and tests.

    Args:
        title: One line.
        against: The name that the others are compared with; empty if there is only one.
        variants: Name to seed to run, the main one first.
        problems: Runs that failed, were not finished or cannot be read, one sentence each.
        source: The file that says what belongs together, or None.
        skipped: Name to the reason why a variant was not run at all.
        claims: Test to sentences on whether a gain comes from the facts of the graph, as the ablation found.
        folded: If it is an ablation over folds, what that came to; `variants` is empty then.
    """

    title: str
    against: str
    variants: Mapping[str, Mapping[int, Result]]
    problems: tuple[str, ...] = ()
    source: Path | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    folded: Folded | None = None

    @property
    def first(self) -> Result:
        """Any of its runs."""
        return next(iter(next(iter(self.variants.values())).values()))

    @property
    def main(self) -> str:
        """The first variant: of an ablation the base, of which the others, and all controls, are changes."""
        return next(iter(self.variants))

    @property
    def beside(self) -> str:
        """What is shown beside the main variant: what others are compared with, or else the next; may be empty."""
        others = [name for name in self.variants if name != self.main]
        return self.against if self.against in others else next(iter(others), "")

    @property
    def tests(self) -> list[str]:
        """Every test that one of its runs has, in order."""
        return list(dict.fromkeys(t for runs in self.variants.values() for r in runs.values() for t in r.tests))

    def of(self, name: str, test: str) -> dict[int, Result]:
        """Return the runs of a variant that have a test, in the order of their seeds."""
        return {seed: run for seed, run in sorted(self.variants[name].items()) if test in run.tests}

    def metric(self, test: str) -> Metric:
        """Return what counts most on a test."""
        return next(run.metric(test) for runs in self.variants.values() for run in runs.values() if test in run.tests)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a run answered to a test, in columns.

    Args:
        uid: Of each example.
        right: Whether the answer is right; where answers are sets, the first one.
        sure: The probability of the answer; NaN where none was written down.
        gold: The right answer as a number; 1 where answers are sets.
        given: The answer as a number; where answers are sets, 1 if its first is right, else 0.
        group: Which examples belong together; None if that was not written down.
    """

    uid: tuple[str, ...]
    right: Bool[ndarray, " items"]
    sure: Float[ndarray, " items"]
    gold: ndarray
    given: ndarray
    group: ndarray | None = None

    @classmethod
    def of(cls, rows: list[dict[str, Any]]) -> "Answered":
        """Read the rows of `predictions.jsonl`."""
        listed = bool(rows) and all("gold_id" in row and "answer_id" in row for row in rows)
        right = np.array([is_right(row) for row in rows], bool)
        gold = np.array([row["gold_id"] for row in rows], np.int64) if listed else np.ones(len(rows), np.int64)
        given = np.array([row["answer_id"] for row in rows], np.int64) if listed else right.astype(np.int64)
        sure = np.array([sureness(row) for row in rows], float)
        uid = tuple(str(row.get("uid", i)) for i, row in enumerate(rows))
        return cls(uid, right, sure, gold, given, groups_of(rows))

    def only(self, uids: Collection[str]) -> "Answered":
        """Return the part of some examples, in the order of their uids."""
        keep = sorted((i for i, uid in enumerate(self.uid) if uid in uids), key=self.uid.__getitem__)
        columns = {name: getattr(self, name)[keep] for name in ("right", "sure", "gold", "given")}
        group = None if self.group is None else self.group[keep]
        return replace(self, uid=tuple(self.uid[i] for i in keep), group=group, **columns)


def is_right(row: Mapping[str, Any]) -> bool:
    """Return whether a row's answer is right; rows of old runs do not say so themselves."""
    return bool(row["right"]) if "right" in row else bool(row.get("gold") == row.get("answer"))


def sureness(row: Mapping[str, Any]) -> float:
    """Return the probability of a row's answer; NaN if it has none."""
    if isinstance(row.get("probability"), int | float):
        return float(row["probability"])
    answers = row.get("answers")
    return float(answers[0][1]) if answers else float("nan")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise StoreError(f"{path} is missing; {path.parent} is not the folder of a run.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StoreError(f"{path} is damaged: {error}. Run the experiment again.") from error


@lru_cache(maxsize=8)
def _rows(path: Path, written: int) -> list[dict[str, Any]]:
    """Read a file, or remember it if nobody has written it since."""
    return record.read_lines(path)

"""What every task can do: draw its examples, name the answers, score predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from kgreason.data import Example, KnowledgeGraph, Predictions
from kgreason.errors import ConfigError
from kgreason.tasks.split import Split, ToExample, hold_out, join, read_split, without_copies


@dataclass(frozen=True, slots=True)
class Splits:
    """What a run draws from: to fit on, to select on, to test on (once, at the end)."""

    train: Split
    dev: Split
    test: Mapping[str, Split]


@runtime_checkable
class Task(Protocol):
    """Where examples come from and how answers are scored."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels all examples share; empty if every example brings its own answers."""
        ...

    @property
    def select(self) -> str:
        """The metric of the dev split by which a checkpoint is picked; higher is better."""
        ...

    def splits(self) -> Splits:
        """Read all splits of the run."""
        ...

    def example(self, uid: str, fields: Mapping[str, Any]) -> Example:
        """Make an example from named fields; the answer may be missing (prediction time)."""
        ...

    def name(self, example: Example, candidate: int, knowledge: KnowledgeGraph) -> str:
        """Return what a candidate (`Scores.candidate`) is called, in words of the user."""
        ...

    def score(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, dev: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Return the metrics of predictions.

        Args:
            split: The examples.
            found: What the reasoner says about them, in the same order.
            knowledge: The graph that entities are counted in.
            dev: What this gave for the dev split: anything that is calibrated was calibrated there, and stands in it.
                None for the dev split itself, where it is calibrated.
        """
        ...

    def rows(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, scores: Mapping[str, float]
    ) -> list[dict[str, Any]]:
        """Return what is written down of each example: at least `uid`, `gold`, `answer`, and whether it is `right`.

        Args:
            split: The examples.
            found: What the reasoner says about them.
            knowledge: The graph that entities are counted in.
            scores: What `score` gave for them.
        """
        ...


def draw(
    to_example: ToExample,
    train: Sequence[str],
    dev: float | Sequence[str],
    test: Mapping[str, str],
    limit: int,
    made: Split | None = None,
) -> Splits:
    """Read the splits of a run and keep them apart.

    Args:
        to_example: The task's way from fields to an example.
        train: Splits to fit on, joined in this order; none, and no share as `dev`, for a reasoner that is not trained.
        dev: A share of `train` to hold out, by the hash of the first text; or splits of their own.
        test: What a test is called in the results, to its split.
        limit: Draw at most so many examples from each split; 0 for all.
        made: What to fit on, where it is made and not read; `train` is empty then.

    No example of train or dev has the texts of one of test or, in train, of dev (see `without_copies`).

    Raises:
        ConfigError: If a setting makes no sense.
        DataError: If a data set cannot be read.
    """
    if not train and made is None:
        if isinstance(dev, float):
            raise ConfigError(
                "[task] train is empty; name splits such as ['snli:dev', 'cad:train']. For a reasoner that needs no "
                "training, also write: dev = []."
            )
        return _untrained(to_example, dev, test, limit)
    tests = {name: read_split(spec, to_example) for name, spec in test.items()}
    fit = join([read_split(spec, to_example) for spec in train]) if made is None else made
    for split in tests.values():
        fit = without_copies(fit, split.examples)
    if isinstance(dev, float):
        if not 0 < dev < 1:
            raise ConfigError(f"[task] dev = {dev} is no share; give one between 0 and 1, or a list of splits.")
        fit, held = hold_out(fit, dev)
    else:
        held = _held(to_example, dev, tests)
        fit = without_copies(fit, held.examples)
    for part, split in (("train", fit), ("dev", held)):
        if not split.examples:
            raise ConfigError(f"[task] {part} holds no examples after what is also in dev or test was left out.")
    return Splits(fit.sample(limit), held.sample(limit), {name: s.sample(limit) for name, s in tests.items()})


def _untrained(to_example: ToExample, dev: Sequence[str], test: Mapping[str, str], limit: int) -> Splits:
    """Read what a reasoner is tested on that is not trained; `dev` may be empty, too."""
    tests = {name: read_split(spec, to_example) for name, spec in test.items()}
    held = _held(to_example, dev, tests)
    return Splits(join([]), held.sample(limit), {name: s.sample(limit) for name, s in tests.items()})


def _held(to_example: ToExample, dev: Sequence[str], tests: Mapping[str, Split]) -> Split:
    """Read splits to select on, without what stands in a test."""
    held = join([read_split(spec, to_example) for spec in dev])
    for split in tests.values():
        held = without_copies(held, split.examples)
    return held


@runtime_checkable
class Listed(Protocol):
    """A task whose examples have one right answer among a few that are known beforehand."""

    def answers(self, example: Example) -> tuple[str, ...]:
        """Return the answers that can be given, in the order of the candidates."""
        ...

    def gold(self, example: Example) -> int:
        """Return the position of the right answer among `answers`."""
        ...


def gold_of(task: Listed, split: Split) -> ndarray:
    """Return the position of the right answer of each example of a split."""
    return np.array([task.gold(example) for example in split.examples], np.int64)


def listed_rows(task: Listed, split: Split, found: Predictions) -> list[dict[str, Any]]:
    """Return `Task.rows` of a task with one right answer among a few."""
    rows = []
    for i, (example, p) in enumerate(zip(split.examples, found.probability, strict=True)):
        answers, gold = task.answers(example), task.gold(example)
        best = int(np.argmax(p))
        row: dict[str, Any] = {"uid": example.uid, "gold": answers[gold], "answer": answers[best]}
        row |= {"right": best == gold, "gold_id": gold, "answer_id": best, "probability": round(float(p[best]), 6)}
        row |= {"probabilities": [round(float(x), 6) for x in p], "cycles": int(found.cycles[i])}
        rows.append(row | dict(split.category.get(example.uid, {})))
    return rows

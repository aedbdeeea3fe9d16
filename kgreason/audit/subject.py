"""A finished run, opened to be asked again: the same weights, other inputs, other facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy import ndarray

from kgreason.collate import Loader
from kgreason.data import Example, LogicGraph
from kgreason.errors import DataError
from kgreason.experiment import record
from kgreason.experiment.build import Front, build_front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.reading import recall
from kgreason.experiment.restore import read_config
from kgreason.reasoner import Reasoner
from kgreason.tasks import Split, Splits
from kgreason.train import WEIGHTS, load_weights, predict, seed_everything

Row = Mapping[str, Any]
#: What is shown where no answer was given.
NOTHING = "nothing"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was answered to some examples.

    Args:
        text: The answer to each, in words.
        given: What tells answers apart: the place of a label or of a choice, whose words may change; else the words.
        right: Whether it is right.
        confidence: Its probability.
    """

    text: tuple[str, ...]
    given: tuple[str, ...]
    right: ndarray
    confidence: ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Answers":
        """Read them off rows of `predictions.jsonl`."""
        right = np.array([bool(row["right"]) for row in rows], bool)
        text = tuple(str(row["answer"]) or NOTHING for row in rows)
        given = tuple(str(row.get("answer_id", row["answer"])) for row in rows)
        return cls(text, given, right, np.array([sure(row) for row in rows]))

    def changed(self, other: "Answers") -> ndarray:
        """Return where another answer was given. Of a set of right answers, any two count as the same."""
        differ = np.array([a != b for a, b in zip(self.given, other.given, strict=True)], bool)
        changed: ndarray = differ & ~(self.right & other.right)
        return changed


def chance(row: Row, before: Row) -> float:
    """Return the probability that a row gives to the answer of another of the same example; 0 if it is not told."""
    if "probabilities" in row:
        return float(row["probabilities"][before["answer_id"]])
    return max((float(p) for name, p in row["answers"] if name == before["answer"]), default=0.0)


def sure(row: Row) -> float:
    """Return the probability of the answer in a row: of "none of these", that of it."""
    if "probability" in row:
        return float(row["probability"])
    return float(row["answers"][0][1]) if row["answers"] else float(row.get("none", 0.0))


@final
class Subject:
    """A run with everything in it, ready to answer.

    Args:
        folder: The folder of a finished run.
        device: Where the reasoner computes.

    Raises:
        StoreError: If it is no such folder, or its files are damaged.
        ConfigError: If its config names something that is no longer there.
        DataError: If one of its data sets is missing, or nothing was tested.
    """

    def __init__(self, folder: str | Path, device: str = "cpu") -> None:
        self.folder, self.device = Path(folder), device
        self.metrics: dict[str, Any] = record.read_json(self.folder / record.METRICS)
        self.config: ExperimentConfig = read_config(self.folder)
        self.front: Front = build_front(self.config)
        recall(self.front, self.folder)
        self.splits: Splits = self.front.splits()
        if not self.splits.test:
            raise DataError(f"{self.folder}: the run has no test, so there is nothing to audit.")
        rows = record.read_lines(self.folder / record.PREDICTIONS)
        self.rows: dict[str, list[Row]] = {name: [r for r in rows if r["test"] == name] for name in self.splits.test}
        for name, split in self.splits.test.items():
            if [row["uid"] for row in self.rows[name]] != [example.uid for example in split.examples]:
                raise DataError(
                    f"{self.folder}: the test '{name}' has other examples by now than when it was run; run it again."
                )

    @property
    def task(self) -> str:
        """Return what kind of task it is: the name in the section `[task]`."""
        return str(self.config.task["name"])

    @property
    def metric(self) -> str:
        """Return the metric of a single answer."""
        return "hits@1" if "hits@1" in next(iter(self.metrics["test"].values())) else "accuracy"

    @property
    def is_trained(self) -> bool:
        return bool(self.front.train.epochs)

    @cached_property
    def reasoner(self) -> Reasoner:
        """Return the reasoner with the run's weights."""
        seed_everything(self.config.seed)
        reasoner = build_reasoner(self.config, self.front)
        load_weights(reasoner, self.folder / WEIGHTS)
        return reasoner.to(self.device).eval()

    def sample(self, test: str, limit: int) -> tuple[Split, list[Row]]:
        """Return at most `limit` examples of a test, always the same ones, and the run's rows of them."""
        split = self.splits.test[test].sample(limit)
        of = {row["uid"]: row for row in self.rows[test]}
        return split, [of[example.uid] for example in split.examples]

    def graphs(self, examples: Sequence[Example]) -> list[LogicGraph]:
        """Parse examples, and ground them."""
        return self.front.ground(self.front.parse(examples), self.front.knowledge)

    def answer(self, examples: Sequence[Example], graphs: Sequence[LogicGraph] | None = None) -> list[Row]:
        """Answer examples; return rows as they stand in `predictions.jsonl`.

        Args:
            examples: They need right answers, to be told whether they are right.
            graphs: What stands for them; their own if not given.

        Raises:
            DataError: If an example cannot be read.
        """
        front, made = self.front, self.graphs(examples) if graphs is None else graphs
        loader = Loader(front.collate.prepare(examples, made), front.train.batch_size)
        found = predict(self.reasoner, loader, precision=front.train.precision)
        split = Split("changed", tuple(examples))
        scores = front.task.score(split, found, front.knowledge, self.metrics["dev"])
        return list(front.task.rows(split, found, front.knowledge, scores))

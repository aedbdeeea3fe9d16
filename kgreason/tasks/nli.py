"""Natural language inference: does the hypothesis follow from the premise?"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

import numpy as np

from kgreason.data import Example, KnowledgeGraph, Predictions
from kgreason.errors import ConfigError, DataError
from kgreason.tasks.edited import Editing
from kgreason.tasks.metrics import by_category, classification
from kgreason.tasks.split import Split, ToExample, join, without_copies
from kgreason.tasks.task import Splits, draw, gold_of, listed_rows
from kgreason.tasks.text import clean

LABELS = ("entailment", "neutral", "contradiction")

Edit = Callable[[Split, Editing, Sequence[str], ToExample], Split]


@final
class NliTask:
    """A premise, a hypothesis, and one label for the pair.

    Args:
        train: Splits to fit on, such as `["snli:dev", "cad:train"]`.
        test: What each test is called in the results, to its split.
        dev: A share of `train` to hold out (pairs with the same premise stay together), or a list of splits.
        labels: The labels, in the order of the head's candidates.
        select: The dev metric by which a checkpoint is picked.
        limit: Use at most so many pairs of each split; 0 for all.
        edited: So many more pairs to fit on, or a table as in `Editing`: sentences of `train` with one word exchanged,
            labelled by what natural logic proves of them from the graph. No person has labelled them.
        edit: Makes them; not in the file.
    """

    def __init__(
        self,
        train: Sequence[str] = (),
        test: Mapping[str, str] | None = None,
        dev: float | Sequence[str] = 0.1,
        labels: Sequence[str] = LABELS,
        select: str = "accuracy",
        limit: int = 0,
        edited: int | Mapping[str, Any] = 0,
        edit: Edit | None = None,
    ) -> None:
        if len(set(labels)) != len(labels) or len(labels) < 2:
            raise ConfigError(f"[task] labels = {list(labels)} needs two or more distinct labels.")
        self.train, self.dev, self.test = tuple(train), dev, dict(test or {})
        self.labels, self.select, self.limit = tuple(labels), select, limit
        self.editing, self.edit = Editing.of(edited) if edited else None, edit

    def splits(self) -> Splits:
        drawn = draw(self.example, self.train, self.dev, self.test, self.limit)
        if self.editing is None:
            return drawn
        if self.edit is None or tuple(self.labels) != LABELS:
            raise ConfigError(f"[task] edited: pairs are proved to be one of {', '.join(LABELS)}; other labels cannot.")
        made = self.edit(drawn.train, self.editing, self.labels, self.example)
        for held in (drawn.dev, *drawn.test.values()):
            made = without_copies(made, held.examples)
        return replace(drawn, train=join([drawn.train, made]))

    def example(self, uid: str, fields: Mapping[str, Any]) -> Example:
        """Make an example from `premise`, `hypothesis` and, if given, `label`.

        Raises:
            DataError: If a text is missing or empty, or there is no such label.
        """
        for name in ("premise", "hypothesis"):
            if name not in fields:
                given = ", ".join(fields) or "nothing"
                raise DataError(f"'{name}' is missing; got {given}. Give 'premise' and 'hypothesis'.")
        texts = (clean(fields["premise"], "the premise"), clean(fields["hypothesis"], "the hypothesis"))
        label = fields.get("label")
        return Example(uid, texts, ("premise", "hypothesis"), None if label is None else self._label(label))

    def answers(self, example: Example) -> tuple[str, ...]:
        return self.labels

    def gold(self, example: Example) -> int:
        if not isinstance(example.target, str):
            raise DataError(f"Example '{example.uid}' has no label, and one is needed to train or to test.")
        return self.labels.index(example.target)

    def name(self, example: Example, candidate: int, knowledge: KnowledgeGraph) -> str:
        return self.labels[candidate]

    def score(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, dev: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Return accuracy with its interval, macro-F1, per-label scores, ECE, log-loss and accuracy per category."""
        gold, given = gold_of(self, split), np.stack(found.probability)
        right = given.argmax(1) == gold
        return classification(gold, given, self.labels) | by_category(split.examples, split.category, right)

    def rows(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, scores: Mapping[str, float]
    ) -> list[dict[str, Any]]:
        return listed_rows(self, split, found)

    def _label(self, given: object) -> str:
        name = given.strip() if isinstance(given, str) else given
        if name not in self.labels:
            near = difflib.get_close_matches(str(name), self.labels, n=1, cutoff=0.5)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise DataError(
                f"there is no label '{name}'.{hint} Labels: {', '.join(self.labels)}. "
                "Map other names in the manifest's [labels]."
            )
        return str(name)

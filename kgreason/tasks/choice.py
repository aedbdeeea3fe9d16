"""Multiple choice: which of a few texts answers the question?"""

import string
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from kgreason.data import Example, KnowledgeGraph, Predictions, Role
from kgreason.errors import DataError
from kgreason.tasks.metrics import by_category, choices
from kgreason.tasks.split import Split
from kgreason.tasks.task import Splits, draw, gold_of, listed_rows
from kgreason.tasks.text import clean


@final
class ChoiceTask:
    """A question and its choices, one of which is right.

    Args:
        train: Splits to fit on, such as `["obqa:train"]`.
        test: What each test is called in the results, to its split.
        dev: A share of `train` to hold out (the same question stays together), or a list of splits.
        select: The dev metric by which a checkpoint is picked.
        limit: Use at most so many questions of each split; 0 for all.
    """

    labels: tuple[str, ...] = ()

    def __init__(
        self,
        train: Sequence[str] = (),
        test: Mapping[str, str] | None = None,
        dev: float | Sequence[str] = 0.1,
        select: str = "accuracy",
        limit: int = 0,
    ) -> None:
        self.train, self.dev, self.test = tuple(train), dev, dict(test or {})
        self.select, self.limit = select, limit

    def splits(self) -> Splits:
        return draw(self.example, self.train, self.dev, self.test, self.limit)

    def example(self, uid: str, fields: Mapping[str, Any]) -> Example:
        """Make an example from `question`, `choices` and, if given, `answer`.

        Choices are texts, or objects with `text` and `label`; the answer is a choice's label (A, B, … if they have
        none), its text, or its position from 0.

        Raises:
            DataError: If a text is missing or empty, there is one choice only, or the answer is none of them.
        """
        for name in ("question", "choices"):
            if name not in fields:
                given = ", ".join(fields) or "nothing"
                raise DataError(f"'{name}' is missing; got {given}. Give 'question' and 'choices'.")
        rows = fields["choices"]
        if not isinstance(rows, Sequence) or isinstance(rows, str) or len(rows) < 2:
            raise DataError("'choices' needs a list of two or more choices.")
        texts = [clean(row["text"] if isinstance(row, Mapping) and "text" in row else row, "a choice") for row in rows]
        question = clean(fields["question"], "the question")
        answer = fields.get("answer")
        target = None if answer is None else _position(answer, rows, texts)
        roles: list[Role] = ["question"]
        roles += ["choice"] * len(texts)
        return Example(uid, (question, *texts), tuple(roles), target)

    def answers(self, example: Example) -> tuple[str, ...]:
        return tuple(t for t, role in zip(example.texts, example.roles, strict=True) if role == "choice")

    def gold(self, example: Example) -> int:
        if not isinstance(example.target, int):
            raise DataError(f"Example '{example.uid}' has no answer, and one is needed to train or to test.")
        return example.target

    def name(self, example: Example, candidate: int, knowledge: KnowledgeGraph) -> str:
        return self.answers(example)[candidate]

    def score(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, dev: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Return accuracy with its interval, mean reciprocal rank, ECE, log-loss and accuracy per category."""
        gold = gold_of(self, split)
        right = np.array([int(p.argmax()) for p in found.probability]) == gold
        return choices(gold, found.probability) | by_category(split.examples, split.category, right)

    def rows(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, scores: Mapping[str, float]
    ) -> list[dict[str, Any]]:
        return listed_rows(self, split, found)


def _position(answer: object, rows: Sequence[Any], texts: Sequence[str]) -> int:
    letters = [*string.ascii_uppercase[: len(rows)], *([""] * (len(rows) - 26))]
    labels = [
        str(row.get("label", "")) if isinstance(row, Mapping) else a for row, a in zip(rows, letters, strict=True)
    ]
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(texts):
        return answer
    if isinstance(answer, str) and answer.strip() in labels:
        return labels.index(answer.strip())
    if isinstance(answer, str) and answer.strip() in texts:
        return texts.index(answer.strip())
    raise DataError(f"the answer '{answer}' is none of the choices ({', '.join(labels)}: {'; '.join(texts)}).")

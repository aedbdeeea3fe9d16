"""What a run reached, beside what it could have reached and what one answer to all does."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.audit.parts import Score
from kgreason.audit.subject import Subject
from kgreason.data import Example
from kgreason.tasks.retrieval import wilson


def scores(subject: Subject) -> tuple[Score, ...]:
    """Return the score of each test of a run, as it stands in its `metrics.json`, with Wilson's interval."""
    return tuple(_score(subject, test) for test in subject.splits.test)


def majority(seen: Sequence[Example], asked: Sequence[Example]) -> Bool[ndarray, " asked"]:
    """Return where the answer that is right most often in `seen` is right."""
    counted = Counter(answer for example in seen for answer in right_answers(example))
    if not counted:
        return np.zeros(len(asked), bool)
    most = max(counted.items(), key=lambda item: (item[1], str(item[0])))[0]
    return np.array([most in right_answers(example) for example in asked], bool)


def right_answers(example: Example) -> tuple[str | int, ...]:
    """Return the right answers: a label, the place of a choice, names of entities; `""` where none is."""
    if isinstance(example.target, frozenset):
        return tuple(sorted(example.target)) or ("",)
    return () if example.target is None else (example.target,)


def seen_in_training(subject: Subject) -> tuple[Example, ...]:
    """Return what was trained and selected on."""
    return (*subject.splits.train.examples, *subject.splits.dev.examples)


def _score(subject: Subject, test: str) -> Score:
    told: Mapping[str, float] = subject.metrics["test"][test]
    asked, metric = subject.splits.test[test].examples, subject.metric
    found = (told.get(name) for name in ("ceiling.hits@1", "ceiling.accuracy"))
    low, high = wilson(told[metric], len(asked))
    return Score(
        test=test,
        metric=metric,
        value=told[metric],
        low=low,
        high=high,
        size=len(asked),
        majority=float(majority(subject.splits.train.examples or asked, asked).mean()),
        ceiling=_first(found),
        coverage=_coverage(told),
    )


def _coverage(told: Mapping[str, float]) -> float | None:
    """Return the share of the questions of which a right answer was touched; it bounds what can be reached."""
    if "failure.not_retrieved" not in told:
        return None
    return 1.0 - told["failure.not_retrieved"] - told.get("failure.not_linked", 0.0)


def _first(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)

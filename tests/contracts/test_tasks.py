"""What every task must do."""

from typing import Any

import numpy as np
import pytest

from kgreason.data import Example
from kgreason.errors import DataError
from kgreason.tasks import TASKS, Split, Task

FIELDS: dict[str, list[dict[str, Any]]] = {
    "nli": [
        {"premise": f"p{i}", "hypothesis": "h", "label": ("entailment", "neutral", "contradiction")[i % 3]}
        for i in range(6)
    ],
    "choice": [{"question": f"q{i}", "choices": ["a", "b", "c"][: 2 + i % 2], "answer": i % 2} for i in range(6)],
}


@pytest.fixture(params=list(TASKS))
def task(request: pytest.FixtureRequest) -> Task:
    return TASKS.build({"name": request.param})


@pytest.fixture
def fields(task: Task, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return FIELDS[request.node.callspec.params["task"]]


@pytest.fixture
def examples(task: Task, fields: list[dict[str, Any]]) -> list[Example]:
    return [task.example(str(i), row) for i, row in enumerate(fields)]


def test_it_is_a_task(task: Task) -> None:
    assert isinstance(task, Task)


def test_the_right_answer_is_one_of_the_answers(task: Task, examples: list[Example]) -> None:
    for example in examples:
        assert 0 <= task.gold(example) < len(task.answers(example))


def test_without_an_answer_it_is_an_example_that_has_no_gold(task: Task, fields: list[dict[str, Any]]) -> None:
    bare = {key: value for key, value in fields[0].items() if key not in ("label", "answer")}
    example = task.example("x", bare)
    assert example.target is None
    with pytest.raises(DataError, match="'x'"):
        task.gold(example)


def test_perfect_predictions_score_one_and_the_opposite_less(task: Task, examples: list[Example]) -> None:
    split = Split("s", tuple(examples))
    sure = [np.eye(len(task.answers(e)))[task.gold(e)] for e in examples]
    best = task.score(split, sure)
    assert best["accuracy"] == 1.0
    assert best["size"] == len(examples)
    assert task.select in best
    worst = task.score(split, [(1 - p) / max(1, len(p) - 1) for p in sure])
    assert worst["accuracy"] == 0.0
    assert worst[task.select] < best[task.select]
    assert all(np.isfinite(value) for value in [*best.values(), *worst.values()])


def test_nothing_but_fields_is_an_error_that_says_what_is_missing(task: Task) -> None:
    with pytest.raises(DataError, match="is missing"):
        task.example("x", {})

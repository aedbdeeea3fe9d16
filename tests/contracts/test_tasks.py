"""What every task must do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy import ndarray

from kgreason.data import NONE, Example, KnowledgeGraph, Predictions, entities_of
from kgreason.errors import DataError
from kgreason.tasks import TASKS, ChoiceTask, NliTask, RelationTask, Split, Task
from kgreason.train.ranks import rank

GRAPH = KnowledgeGraph.from_triples([(f"e{i}", "knows", f"e{i + 1}") for i in range(6)])
FIELDS: dict[str, list[dict[str, Any]]] = {
    "nli": [
        {"premise": f"p{i}", "hypothesis": "h", "label": ("entailment", "neutral", "contradiction")[i % 3]}
        for i in range(6)
    ],
    "choice": [{"question": f"q{i}", "choices": ["a", "b", "c"][: 2 + i % 2], "answer": i % 2} for i in range(6)],
    "kgqa": [{"question": f"who knows [e{i}]", "answers": [f"e{j}" for j in range(i)]} for i in range(6)],
    "relation": [
        {"facts": [["a", "son", f"b{i}"]], "query": ["a", f"b{i}"], "relation": ("son", "aunt", "niece")[i % 3]}
        for i in range(6)
    ],
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


def candidates(task: Task, example: Example) -> tuple[ndarray, list[int]]:
    """Return what could be answered, and what is right."""
    if isinstance(task, NliTask | ChoiceTask | RelationTask):
        return np.arange(len(task.answers(example))), [task.gold(example)]
    assert isinstance(example.target, frozenset)
    right = [int(i) for name in example.target for i in entities_of(GRAPH, name)] or [NONE]
    return np.arange(NONE, 7), right


def predictions(task: Task, examples: list[Example], sure_of_the_right: bool) -> Predictions:
    """Return predictions that give all to the right candidates, or all to the others."""
    rows = [candidates(task, example) for example in examples]
    given = [np.isin(c, right) == sure_of_the_right for c, right in rows]
    probability = [(mine / mine.sum()).astype(np.float32) for mine in given]
    cuts = np.cumsum([0, *(len(c) for c, _ in rows)])
    question = np.repeat(np.arange(len(rows)), [len(right) for _, right in rows])
    right = np.array([r for _, rights in rows for r in rights])
    return Predictions(
        example=np.arange(len(rows)),
        candidate=[c for c, _ in rows],
        probability=probability,
        per_cycle=[p[None] for p in probability],
        cycles=np.ones(len(rows), np.int64),
        right=[np.array(r) for _, r in rows],
        ranks=rank(np.concatenate([c for c, _ in rows]), np.concatenate(probability), cuts, question, right),
    )


def test_it_is_a_task(task: Task) -> None:
    assert isinstance(task, Task)


def test_every_candidate_has_a_name(task: Task, examples: list[Example]) -> None:
    for example in examples:
        names = [task.name(example, int(c), GRAPH) for c in candidates(task, example)[0]]
        assert len(set(names)) == len(names)
        assert all(names)


def test_without_an_answer_it_is_an_example_that_cannot_be_scored(task: Task, fields: list[dict[str, Any]]) -> None:
    bare = {key: value for key, value in fields[0].items() if key not in ("label", "answer", "answers", "relation")}
    example = task.example("x", bare)
    assert example.target is None
    answered = predictions(task, [task.example("y", fields[0])], sure_of_the_right=True)
    nothing = np.zeros((2, 0), np.int64)
    ranks = rank(np.arange(3), np.ones(3, np.float32), np.array([0, 3]), *nothing)
    with pytest.raises(DataError, match="'x'"):
        task.score(Split("s", (example,)), replace(answered, ranks=ranks), GRAPH)


def test_perfect_predictions_score_one_and_the_opposite_less(task: Task, examples: list[Example]) -> None:
    split = Split("s", tuple(examples))
    found = predictions(task, examples, sure_of_the_right=True)
    best = task.score(split, found, GRAPH)
    assert best[task.select] == 1.0
    assert best["size"] == len(examples)
    rows = task.rows(split, found, GRAPH, best)
    assert [row["uid"] for row in rows] == [e.uid for e in examples]
    assert all(row["right"] for row in rows)
    found = predictions(task, examples, sure_of_the_right=False)
    worst = task.score(split, found, GRAPH, best)
    assert worst[task.select] == 0.0
    assert not any(row["right"] for row in task.rows(split, found, GRAPH, worst))

"""From a run's folder to predictions with their walk."""

from pathlib import Path

import numpy as np
import pytest

import kgreason
from kgreason.data import Prediction
from kgreason.errors import DataError, StoreError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.restore import assemble
from kgreason.experiment.run import Options, run_experiment
from kgreason.explain.looks import credit
from kgreason.pipeline import Pipeline


@pytest.fixture
def folder(world: Path) -> Path:
    return run_experiment(ExperimentConfig.from_toml(world / "toy.toml"), Options()).folder


@pytest.fixture
def pipeline(folder: Path) -> Pipeline:
    return kgreason.load(folder)


def test_a_pair_gets_a_prediction_with_its_walk(pipeline: Pipeline) -> None:
    found = pipeline("The old cat is here", "An animal is here")
    assert found.answer == found.ranking[0][0]
    assert found.probability == found.ranking[0][1]
    assert sum(p for _, p in found.ranking) == pytest.approx(1, abs=1e-5)
    assert found.texts == ("The old cat is here", "An animal is here")
    assert len(found.trace) == 2
    for cycle in found.trace:
        assert sum(cycle.probability.values()) == pytest.approx(1, abs=1e-5)
        assert sum(look.weight for look in cycle.looks) <= 1 + 1e-5
        assert [look.weight for look in cycle.looks] == sorted((look.weight for look in cycle.looks), reverse=True)
        for look in cycle.looks:
            assert look.span is not None
            text, start, end = look.span
            assert found.texts[text][start:end] == look.text
    assert found.trace[-1].probability[found.answer] == pytest.approx(found.probability, abs=1e-5)
    assert all(cycle.halt is None for cycle in found.trace), "a fixed number of cycles does not halt by itself"


def test_the_path_holds_facts_of_the_graph_only(pipeline: Pipeline) -> None:
    found = pipeline("The old cat is here", "An animal is here")
    assert found.path == (("cat", "hypernym", "animal"),)
    assert "cat —hypernym→ animal" in [cycle.evidence for cycle in found.trace]
    assert pipeline("The old cat is here", "A vehicle is here").path == ()


def test_what_any_cycle_found_stands_in_the_path_and_what_changed_the_answer_first(world: Path) -> None:
    config = ExperimentConfig.from_toml(world / "toy.toml")
    edits = config.with_overrides({"decode": {"name": "edits"}, "answer": {"name": "entailment"}})
    pair = ("The old cat is here", "An animal is here")  # the last cycle looks at "here", in which is no fact
    found = assemble(edits, None, "cpu")(*pair)
    assert len(found.trace) == 4
    assert found.trace[-1].evidence == "here —same→ here"
    assert found.path == (("cat", "hypernym", "animal"),)


def test_a_cycle_counts_by_how_much_it_changed_the_answer() -> None:
    weight, running = np.array([0.0, 0.5, 0.5, 0.0]), np.array([True, True, True, False])
    told = np.array([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    # |p - before|: 0, 0.8, 1.6; what is read after a cycle or later: 1, 1, 0.5
    np.testing.assert_allclose(credit(weight, running, told), [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(credit(weight, running, np.full((4, 2), 0.5)), weight)  # the head answers once


def test_a_notebook_draws_it(pipeline: Pipeline) -> None:
    drawn = pipeline("A <cat>", "An animal & more")._repr_html_()
    assert "&lt;" in drawn
    assert "<script" not in drawn


def test_many_come_back_in_order_whatever_the_batch(pipeline: Pipeline) -> None:
    rows = [
        {"uid": str(i), "premise": "A cat " * (1 + i % 5), "hypothesis": "An animal " * (1 + i % 3)} for i in range(12)
    ]
    together, alone = pipeline.predict(rows), pipeline.predict(rows, batch_size=1)
    assert [p.uid for p in together] == [row["uid"] for row in rows]
    for a, b in zip(together, alone, strict=True):
        assert a.answer == b.answer
        assert a.probability == pytest.approx(b.probability, abs=1e-5)
    assert pipeline.predict([]) == []


def test_the_pipeline_says_what_the_test_said(pipeline: Pipeline, folder: Path, world: Path) -> None:
    from kgreason.experiment.record import read_lines

    written = read_lines(folder / "predictions.jsonl")
    found = pipeline.predict(list(pipeline.task.splits().test["test"].examples))
    assert [p.answer for p in found] == [row["answer"] for row in written]
    assert [p.probability for p in found] == pytest.approx([row["probability"] for row in written], abs=1e-4)


def test_bad_input_is_named(pipeline: Pipeline) -> None:
    with pytest.raises(DataError, match="hypothesis is empty"):
        pipeline("a", " ")
    with pytest.raises(DataError, match="Example '2': 'hypothesis' is missing"):
        pipeline.predict([{"premise": "a", "hypothesis": "b"}, {"premise": "a"}])
    with pytest.raises(DataError, match="'premise' is missing"):
        pipeline("Where?", ["a", "b"])


def test_a_folder_that_is_no_run_is_named(world: Path) -> None:
    with pytest.raises(StoreError, match="not the folder of a run"):
        kgreason.load(world)


def test_a_question_is_answered_by_the_row_of_its_choice(world: Path) -> None:
    rows = [
        '{"question": "Which is an animal?", "choices": ["a CAT", "a BUS", "a bike"], "answer": "A"}',
        '{"question": "Which is a vehicle?", "choices": ["a dog", "a bus"], "answer": "B"}',
    ]
    (world / "q.jsonl").write_text("\n".join(row.replace("CAT", f"cat {i}") for i in range(10) for row in rows) + "\n")
    config = ExperimentConfig.from_toml(world / "toy.toml").with_overrides(
        {
            "task": {"name": "choice", "train": ["q.jsonl"], "dev": 0.5, "test": {}},
            "ground.name": "neighbours",
            "answer.name": "choice",
            "decode.halt": {"name": "act"},
        }
    )
    pipeline = kgreason.load(run_experiment(config).folder)
    found = pipeline("Which is an animal?", ["a cat", "a bus"])
    assert isinstance(found, Prediction)
    assert found.answer in ("a cat", "a bus")
    chosen = found.texts.index(found.answer)
    looked = {look.span[0] for cycle in found.trace for look in cycle.looks if look.span is not None}
    assert looked <= {0, chosen}, "other choices stand in rows of their own"
    for cycle in found.trace:
        for look in cycle.looks:
            if look.span is not None:
                text, start, end = look.span
                assert found.texts[text][start:end] == look.text

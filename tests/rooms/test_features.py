"""What is written down of a test example beside its answer."""

from pathlib import Path

import pytest

from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.features import operators_of, words_of
from kgreason.experiment.run import run_experiment


@pytest.mark.parametrize(
    ("text", "operators"),
    [
        ("Not every man who can swim never sleeps unless it rains.", ["not every", "may", "never", "unless"]),
        ("At most three dogs don’t bark.", ["at most", "not"]),
        ("A man and a dog sit.", []),
        ("", []),
        ("Nobody knows nobody.", ["nobody"]),
    ],
)
def test_operators_of_a_text(text: str, operators: list[str]) -> None:
    assert operators_of(text) == operators


def test_words_are_cut_without_a_parser() -> None:
    assert words_of("Isn't it John's 1,000 %?") == ["is", "n't", "it", "john", "'s", "1,000", "%"]


def test_rows_of_a_run_have_what_slices_need(world: Path) -> None:
    with (world / "test.jsonl").open("a") as file:
        file.write('{"premise": "No cat is here", "hypothesis": "A cat never is", "label": "entailment", "uid": "z"}\n')
    run = run_experiment(ExperimentConfig.from_toml(world / "toy.toml"))
    *rows, last = record.read_lines(run.folder / record.PREDICTIONS)
    assert {row["words"] for row in rows} == {9}, "The tall car is here. A vehicle is here."
    assert all(row["operators"] == [] for row in rows)
    assert last["operators"] == ["no", "never"]
    assert {row["facts"] for row in rows} == {0, 1}, "car and vehicle are joined, car and animal are not"
    assert last["linked"] == 0, "an alignment brings no entity in"
    assert run.metrics["trainable"] > 10_000

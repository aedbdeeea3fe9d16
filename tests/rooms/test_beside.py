"""What controls do to scores: labels shuffled fall to chance, no graph has no facts, a run stands beside itself."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgreason.cli.app import app
from kgreason.data import EdgeType
from kgreason.errors import ConfigError
from kgreason.experiment.ablate import Ablation
from kgreason.experiment.beside import beside_controls
from kgreason.experiment.build import build_front
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.controls import CONTROLS, alone, with_controls
from kgreason.experiment.run import Run, run_experiment

KINDS = {"cat": "animal", "dog": "animal", "horse": "animal", "car": "vehicle", "bus": "vehicle", "bike": "vehicle"}


@pytest.fixture
def config(world: Path) -> ExperimentConfig:
    """A set that one word gives away, half and half of two labels; the graph knows something of it, too."""
    rows = [
        {"premise": f"The {i} {word} is here", "hypothesis": f"A {other} is {said}", "label": label}
        for i in range(25)
        for word, kind in KINDS.items()
        for other, said, label in (
            (kind, "good", "entailment"),
            ("animal" if kind == "vehicle" else "vehicle", "bad", "contradiction"),
        )
    ]
    for name, part in (("train", rows[:180]), ("test", rows[180:])):
        (world / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    train = {"name": "adamw", "epochs": 6, "batch_size": 16, "lr": {"language": 0.0, "other": 0.02}}
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    return ExperimentConfig.from_dict(tables | {"train": train | {"tensorboard": False}})


def accuracy(config: ExperimentConfig) -> float:
    return float(run_experiment(config).metrics["test"]["test"]["accuracy"])


def test_with_labels_shuffled_the_score_falls_to_chance(config: ExperimentConfig) -> None:
    assert accuracy(config) > 0.95, "it can be learned"
    shuffled = config.with_overrides(CONTROLS["labels-shuffled"].overrides(config))
    assert 0.3 < accuracy(shuffled) < 0.7, "two labels, half and half"


def test_no_graph_removes_the_facts(config: ExperimentConfig) -> None:
    def found(name: str) -> dict[str, int]:
        front = build_front(config.with_overrides(CONTROLS[name].overrides(config) if name else {}))
        examples = front.splits().test["test"].examples
        graphs = front.ground(front.parse(examples), front.knowledge)
        kinds = [kind for graph in graphs for kind in graph.edge_type.tolist()]
        return {"align": kinds.count(EdgeType.ALIGN), "hypernym": sum(int((g.edge_score < 1).any()) for g in graphs)}

    assert found("")["hypernym"] > 0
    assert found("no-graph")["align"] == 0
    assert found("no-facts")["align"] > 0, "words that are the same are still joined"
    assert found("no-facts")["hypernym"] == 0


@pytest.fixture
def run(config: ExperimentConfig) -> Run:
    return run_experiment(config)


def test_a_run_stands_beside_itself_with_controls(run: Run) -> None:
    found = beside_controls(run.folder, ["words-shuffled", "premise-only", "cycles-1"])
    row = found.rows[1]
    assert (row.control, row.test, row.items) == ("premise-only", "test", 120)
    assert row.own == run.metrics["test"]["test"]["accuracy"] > 0.95
    assert 0.4 <= row.score <= 0.6, "the word that gives it away stands in the hypothesis"
    assert row.change == pytest.approx(row.score - row.own)
    assert row.low <= row.change <= row.high < 0
    assert row.p < 0.05
    assert row.only_own - row.only_control == pytest.approx((row.own - row.score) * row.items)
    told = json.loads((run.folder / "tests" / "controls.json").read_text())
    assert [r["control"] for r in told["rows"]] == ["words-shuffled", "premise-only", "cycles-1"]
    with pytest.raises(ConfigError, match=r"'labels-shuffled' does not apply.*it needs training"):
        beside_controls(run.folder, ["labels-shuffled"])


def test_the_command_prints_the_table_or_one_object(run: Run) -> None:
    given = ["test", str(run.folder), "-q", "--control", "premise-only", "--control", "no-facts"]
    text = CliRunner().invoke(app, given)
    assert text.exit_code == 0, text.output
    assert "| premise-only | test | 120 |" in text.stdout
    told = json.loads(CliRunner().invoke(app, [*given, "--json"]).stdout)
    assert {row["control"] for row in told["rows"]} == {"premise-only", "no-facts"}
    every = json.loads(CliRunner().invoke(app, ["test", str(run.folder), "-q", "--controls", "--json"]).stdout)
    assert {"tails-shuffled", "no-graph", "hypothesis-only"} <= {row["control"] for row in every["rows"]}
    assert "needs training" in every["skipped"]["labels-shuffled"]
    wrong = CliRunner().invoke(app, ["test", str(run.folder), "--control", "tail-shuffled"])
    assert isinstance(wrong.exception, ConfigError)


def test_rows_of_controls_are_added_by_name(world: Path) -> None:
    given = ["check", str(world / "toy.toml"), "--no-time", "--no-data", "--json"]
    asked = [*given, "--control", "tails-shuffled", "--control", "premise-only"]
    told = [json.loads(line) for line in CliRunner().invoke(app, asked).stdout.splitlines()]
    rows = [line["variant"] for line in told if "choices" in line]
    assert rows == ["base", "control:tails-shuffled", "control:premise-only"]
    wrong = CliRunner().invoke(app, [*given, "--control", "tail-shuffled"])
    assert isinstance(wrong.exception, ConfigError)
    assert "Did you mean 'tails-shuffled'" in str(wrong.exception)
    assert isinstance(CliRunner().invoke(app, [*given, "--control", "question-only"]).exception, ConfigError)


def test_the_command_tells_what_applies(world: Path) -> None:
    plain = CliRunner().invoke(app, ["controls"])
    assert plain.exit_code == 0, plain.output
    assert all(f"{name}: {control.question}" in plain.stdout for name, control in CONTROLS.items())
    lines = CliRunner().invoke(app, ["controls", str(world / "toy.toml"), "--json"]).stdout.splitlines()
    told = {row["name"]: row for row in map(json.loads, lines)}
    assert told["no-graph"]["train"] == told["no-graph"]["test"] == "applies"
    assert told["cycles-2"]["train"] == "there are no more than 2 cycles already."
    assert "train" not in told["cycles-shuffled"]


def test_rows_of_an_ablation_may_be_tested_only(config: ExperimentConfig) -> None:
    ablation = with_controls(alone(config), ["no-facts", "no-graph"], tested=["no-facts"])
    assert list(ablation.variants) == ["base", "control:no-facts", "control:no-facts, tested", "control:no-graph"]
    assert ablation.tests == {"control:no-facts, tested"}
    assert isinstance(ablation, Ablation)
    ablation.check()

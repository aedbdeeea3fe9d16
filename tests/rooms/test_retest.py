"""A trained reasoner tested once more: as it was, and on other graphs than it was trained on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgreason.cli.app import app
from kgreason.errors import ConfigError, StoreError
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.retest import retest
from kgreason.experiment.run import Run, run_experiment

RATES = {"language": 0.0, "other": 0.05}
WALK = {
    "task": {"name": "kgqa", "train": ["questions.jsonl"], "dev": 0.2, "test": {"t": "more.jsonl"}},
    "ground": {"name": "seeds"},
    "decode": {"name": "transfer", "cycles": 1},
    "answer": {"name": "entity"},
    "train": {"name": "adamw", "epochs": 20, "batch_size": 8, "lr": RATES, "tensorboard": False},
}


@pytest.fixture
def run(world: Path) -> Run:
    """Cities and their countries, and questions of one hop, which the run has learned."""
    facts = [(f"city {i}", relation, f"{end} {i}") for i in range(20) for relation, end in HOPS.items()]
    (world / "cities.tsv").write_text("".join("\t".join(fact) + "\n" for fact in facts))
    for file, part in (("questions.jsonl", range(10)), ("more.jsonl", range(10, 20))):
        rows = [
            {"question": f"which {end} has [city {i}]", "answers": [f"{end} {i}"]}
            for i in part
            for end in HOPS.values()
        ]
        (world / file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    graph = {"knowledge": {"name": "triples", "path": "cities.tsv"}}
    return run_experiment(ExperimentConfig.from_dict(tables | WALK | graph))


HOPS = {"in_country": "country", "on_river": "river", "has_mayor": "mayor"}
SPOILT = {"knowledge": {"name": "perturb", "around": {"name": "triples", "path": "cities.tsv"}, "mode": "tails"}}


def test_nothing_changed_gives_the_same_numbers(run: Run) -> None:
    again = retest(run.folder, {})
    assert run.metrics["test"]["t"]["hits@1"] > 0.9, "it has learned"
    assert again.metrics["test"] == run.metrics["test"]
    assert record.read_lines(again.folder / "predictions.jsonl") == record.read_lines(run.folder / "predictions.jsonl")
    assert again.folder.parent == run.folder / "tests"


def test_a_spoilt_graph_takes_the_answers_away_and_leaves_the_run_as_it_was(run: Run) -> None:
    before = {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()}
    found = retest(run.folder, SPOILT)
    assert found.fresh
    assert found.metrics["test"]["t"]["hits@1"] < 0.3
    assert found.metrics["changed"] == SPOILT
    assert {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()} == before
    assert ExperimentConfig.from_toml(found.folder / "config.toml").knowledge["mode"] == "tails"


def test_what_was_tested_is_not_tested_again(run: Run) -> None:
    assert retest(run.folder, SPOILT).fresh
    assert not retest(run.folder, SPOILT).fresh
    other = retest(run.folder, {"knowledge": SPOILT["knowledge"] | {"seed": 1}})
    assert other.fresh


def test_what_cannot_be_tested_is_refused(run: Run, world: Path) -> None:
    with pytest.raises(StoreError, match="belongs to another reasoner"):
        retest(run.folder, {"encode.dim": 8})
    with pytest.raises(ConfigError, match="there is no section 'knowlege'"):
        retest(run.folder, {"knowlege.name": "perturb"})
    with pytest.raises(ConfigError, match="no split to test on"):
        retest(run.folder, {"task.test": {}})
    with pytest.raises(StoreError, match="not the folder of a finished run"):
        retest(world, {})


def test_the_command_tests_on_the_graph_it_is_given(run: Run) -> None:
    settings = ["knowledge.name=perturb", "knowledge.around={ name = 'triples', path = 'cities.tsv' }"]
    settings = [word for setting in settings for word in ("--set", setting)]
    result = CliRunner().invoke(app, ["test", str(run.folder), *settings, "--set", "knowledge.mode=tails", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["folder"] == str(retest(run.folder, SPOILT).folder), "the same settings, the same folder"
    assert told["test"]["t"]["hits@1"] < 0.3
    text = CliRunner().invoke(app, ["test", str(run.folder), "-q", "--limit", "5"])
    assert "hits@1" in text.stdout

"""A run that is run again: the same to the last bit, within the tolerance, not the same, or not to be run at all."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgreason.cli.app import app
from kgreason.errors import ConfigError, StoreError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.reproduce import reproduce
from kgreason.experiment.run import Options, run_experiment


@pytest.fixture
def run(world: Path) -> Path:
    config = ExperimentConfig.from_toml(world / "toy.toml").with_overrides({"train.epochs": 1})
    return run_experiment(config, Options(out=world / "runs")).folder


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _but_code(changed: tuple[str, ...]) -> list[str]:
    """Leave out what an editor may change while this test runs in a checkout."""
    return [line for line in changed if not line.startswith(("code of the package", "changes since", "commit"))]


def test_a_run_is_reproduced_to_the_last_bit_or_it_is_said_what_differs(run: Path) -> None:
    found = reproduce(run)
    assert found.verdict == "identical"
    assert (found.examples, found.answers, found.probability) == (12, 0, 0.0)
    assert _but_code(found.changed) == []
    assert {n.verdict for n in found.numbers} == {"identical"}
    assert {"dev.accuracy", "test.accuracy", "test.loss"} & {n.name for n in found.numbers}
    assert found.now.parent == run.parent / "reproduced"

    # from here on the run says something else than it found; the new one stands already and is compared as it is
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["test"]["test"]["accuracy"] += 0.004
    (run / "metrics.json").write_text(json.dumps(metrics))
    near = reproduce(run)
    assert near.verdict == "within"
    assert [n.name for n in near.numbers if n.verdict == "within"] == ["test.accuracy"]
    assert reproduce(run, tolerance=0.001).verdict == "differs"

    lines = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    lines[0]["answer"] = "something else"
    (run / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    _edit(run / "requirements.lock", "numpy==", "numpy==0.0.1+")
    provenance = json.loads((run / "provenance.json").read_text())
    provenance["parts"][0]["machine"]["processor"] = "An abacus"
    (run / "provenance.json").write_text(json.dumps(provenance))
    found = reproduce(run)
    assert found.answers == 1
    assert any(line.startswith("numpy was 0.0.1+") for line in found.changed)
    assert any(line.startswith("machine: processor was An abacus, is") for line in found.changed)
    assert len(_but_code(found.changed)) == 2

    result = CliRunner().invoke(app, ["reproduce", str(run), "--tolerance", "0.001"])
    assert result.exit_code == 1
    assert "Not reproduced" in result.output
    assert "differs  test.accuracy" in result.output
    result = CliRunner().invoke(app, ["reproduce", str(run), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["verdict"] == "within"


def test_what_cannot_be_reproduced_is_refused(run: Path, world: Path) -> None:
    with pytest.raises(StoreError, match="not the folder of a finished run"):
        reproduce(world)
    with pytest.raises(ConfigError, match="holds the run itself"):
        reproduce(run, Options(out=run.parent))
    with pytest.raises(ConfigError, match="no distance"):
        reproduce(run, tolerance=-1.0)
    lines = (world / "test.jsonl").read_text().splitlines(keepends=True)
    (world / "test.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(StoreError, match=r"cannot be reproduced: the data file test.jsonl has the sha256 .*--anyway"):
        reproduce(run)
    (world / "test.jsonl").write_text("".join(lines))
    with (world / "graph.tsv").open("a") as file:
        file.write("ship\thypernym\tvehicle\n")
    with pytest.raises(StoreError, match="the knowledge graph has the sha256"):
        reproduce(run)
    assert not (run.parent / "reproduced").exists()
    found = reproduce(run, anyway=True)
    assert found.examples == 12
    assert found.changed[0].startswith("the knowledge graph has the sha256")

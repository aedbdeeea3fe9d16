"""Experiment trackers, the real packages offline: what arrives, a run that goes on later, a tracker that fails."""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from kgreason.errors import ConfigError, MissingExtraError
from kgreason.experiment import trackers
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.trackers import Tracked, Tracker, Tracking
from kgreason.train import Progress

METRICS = {
    "test": {"test": {"accuracy": 0.75, "hits@1": 0.5, "loss": float("nan")}},
    "seconds": 1.0,
    "cpu_seconds": 1.0,
    "peak_memory_mb": 9.0,
}


@pytest.fixture
def config(world: Path, monkeypatch: pytest.MonkeyPatch) -> ExperimentConfig:
    for name in ("WANDB_MODE", "WANDB_PROJECT", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return ExperimentConfig.from_toml(world / "toy.toml")


def _train(tracking: Tracking, first: int, last: int) -> None:
    told: list[str] = []
    watch = tracking.beside(lambda progress: told.append(progress.kind))
    for step in range(first, last + 1):
        watch(Progress(kind="step", step=step, loss=1 / step, lr={"other": 0.1}))
        if step % 2 == 0:
            watch(Progress(kind="epoch", epoch=step // 2 - 1, step=step, loss=0.5, metrics={"accuracy": step / 10}))
    assert len(told) == last - first + 1 + last // 2 - (first - 1) // 2


def _interrupted_and_finished(name: str, config: ExperimentConfig, folder: Path) -> list[str]:
    """Track a run that is interrupted after two steps and goes on for two; return what was told of failures."""
    told: list[str] = []
    folder.mkdir(parents=True)
    with Tracking([name], config, folder, anew=False, tell=told.append) as tracking:
        _train(tracking, 1, 2)
    time.sleep(1)  # W&B names its folders by the second
    with Tracking([name], config, folder, anew=False, tell=told.append) as tracking:
        _train(tracking, 3, 4)
        tracking.finish(METRICS)
    return told


def _records(file: Path) -> list[Any]:
    """Read W&B's file: 7 bytes, then blocks of 32 KiB of pieces, each with a checksum, its length and its kind."""
    from wandb.proto import wandb_internal_pb2

    data, at, whole, found = file.read_bytes(), 7, b"", []
    while at + 7 <= len(data):
        if (left := 2**15 - at % 2**15) < 7:  # what remains of a block is filled up
            at += left
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        whole, at = whole + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):  # the only piece of a record, or its last
            found.append(wandb_internal_pb2.Record())
            found[-1].ParseFromString(whole)
            whole = b""
    return found


def _is_written(file: Path) -> bool:
    """Wait until W&B's own process has written the last record."""
    until = time.monotonic() + 30
    while not any(r.WhichOneof("record_type") == "exit" for r in _records(file)):
        assert time.monotonic() < until
        time.sleep(0.1)
    return True


def test_wandb_gets_it_all_offline(config: ExperimentConfig, world: Path) -> None:
    folder = world / "runs" / "toy-world-abc"
    assert _interrupted_and_finished("wandb", config, folder) == []
    name = json.loads((folder / "trackers.json").read_text())["wandb"]
    files = sorted(folder.glob(f"wandb/offline-run-*-{name}/run-{name}.wandb"))
    assert len(files) == 2  # two parts of one run: joined when they are sent
    parts = [_records(file) for file in files if _is_written(file)]
    rows = [
        {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in r.history.item}
        for part in parts
        for r in part
        if r.WhichOneof("record_type") == "history"
    ]
    losses = [(row["_step"], row["train/loss"]) for row in rows if "train/loss" in row]
    assert losses == [(step, pytest.approx(1 / step)) for step in (1, 2, 3, 4)]
    assert [row["dev/accuracy"] for row in rows if "dev/accuracy" in row] == [0.2, 0.4]
    runs = [r.run for part in parts for r in part if r.WhichOneof("record_type") == "run"]
    assert {(run.run_id, run.display_name, run.project) for run in runs} == {(name, "toy-world-abc", "kgreason")}
    settings = {item.key: json.loads(item.value_json) for item in runs[0].config.update}
    assert settings["decode.cycles"] == 2
    ends = [r.exit.exit_code for part in parts for r in part if r.WhichOneof("record_type") == "exit"]
    assert ends == [1, 0]


@pytest.mark.slow
def test_mlflow_gets_it_all_in_a_file(config: ExperimentConfig, world: Path) -> None:
    folder = world / "runs" / "toy-world-abc"
    assert _interrupted_and_finished("mlflow", config, folder) == []
    database = sqlite3.connect(world / "runs" / "mlflow.db")
    try:
        runs = database.execute("select run_uuid, name, status from runs").fetchall()
        name = json.loads((folder / "trackers.json").read_text())["mlflow"]
        assert runs == [(name, "toy-world-abc", "FINISHED")]
        losses = database.execute("select step, value from metrics where key = 'train/loss' order by step").fetchall()
        assert losses == [(step, pytest.approx(1 / step)) for step in (1, 2, 3, 4)]
        scores = database.execute("select key, value from latest_metrics where key like 'test/%'").fetchall()
        assert dict(scores) == {"test/test/accuracy": 0.75, "test/test/hits_1": 0.5}
        assert ("decode.cycles", "2") in database.execute("select key, value from params").fetchall()
        groups = database.execute("select value from tags where key = 'group'").fetchall()
        assert groups == [("Toy world",)]
    finally:
        database.close()


class Broken:
    """A tracker whose server goes away."""

    id = "1"

    def __init__(self, run: Tracked) -> None:
        self.run = run

    def write(self, step: int, values: dict[str, float]) -> None:
        if step >= 2:
            raise ConnectionError("the server is gone\nand more")

    def close(self, scores: dict[str, float] | None) -> None:
        raise AssertionError("it was left alone")


def test_a_tracker_that_fails_is_told_of_once_and_stops_nothing(
    config: ExperimentConfig, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(Broken(Tracked("", "", "", world, {})), Tracker)
    monkeypatch.setitem(trackers.TRACKERS, "broken", Broken)
    monkeypatch.setitem(trackers._PACKAGES, "broken", ())
    told = _interrupted_and_finished("broken", config, world / "one" / "run")
    said = "The tracker 'broken' failed and is left alone; the run goes on. It said: the server is gone"
    assert told == [said, said]  # once in each part


def test_an_unknown_tracker_is_refused_before_anything_runs(config: ExperimentConfig, world: Path) -> None:
    with pytest.raises(ConfigError, match=r"no tracker 'wandbb'. Did you mean 'wandb'\?"):
        Tracking(["wandbb"], config, world, anew=False, tell=print)


def test_a_missing_package_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trackers._PACKAGES, "mlflow", ("mlflow", "no_such_package"))
    with pytest.raises(MissingExtraError, match=r"'mlflow' needs the package 'no_such_package'.*kgreason\[trackers\]"):
        trackers.check_trackers(["mlflow"])


def test_final_scores_go_to_tensorboard_if_it_is_written_at_all(config: ExperimentConfig, world: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (world / "run" / "tensorboard").mkdir(parents=True)
    with Tracking([], config, world / "run", anew=False, tell=print) as tracking:
        tracking.finish(METRICS)
    found = EventAccumulator(str(world / "run" / "tensorboard")).Reload()
    assert found.Scalars("test/test/accuracy")[0].value == 0.75
    assert not (world / "run" / "trackers.json").exists()


def test_a_run_tells_its_trackers_and_its_fingerprint_does_not(config: ExperimentConfig, world: Path) -> None:
    from typer.testing import CliRunner

    from kgreason.cli.app import app

    result = CliRunner().invoke(app, ["run", "toy.toml", "--set", "train.epochs=1", "--track", "wandb", "-q"])
    assert result.exit_code == 0, result.output
    folder = Path(result.stdout.splitlines()[0])
    file = next(folder.glob("wandb/offline-run-*/run-*.wandb"))
    assert _is_written(file)
    rows = [r for r in _records(file) if r.WhichOneof("record_type") == "history"]
    assert len(rows) >= 5
    result = CliRunner().invoke(app, ["run", "toy.toml", "--set", "train.epochs=1", "--any-code"])
    assert f"Done before: {folder}" in result.stderr  # other code: a checkout may be edited while this runs
    result = CliRunner().invoke(app, ["run", "toy.toml", "--track", "wandbb"])
    assert isinstance(result.exception, ConfigError)

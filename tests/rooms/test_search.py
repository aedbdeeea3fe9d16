"""A search over settings: on dev alone, going on after an interrupt, shared by processes; its best is an experiment."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgreason.cli.app import app
from kgreason.errors import ConfigError
from kgreason.experiment.build import build_front
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.run import Options, run_experiment
from kgreason.experiment.search import Search, untested
from kgreason.experiment.study import run_search
from kgreason.experiment.trials import Trial, write_found

SEARCH = """
title = "Toy search"
base  = "toy.toml"
[search]
trials = 3
seed   = 3
prune  = "none"
[space]
"train.lr.other" = { log = [1e-4, 1e-1] }
"decode.name"    = { choice = ["cycle", "pool"] }
"decode.cycles"  = { int = [1, 3], when = { "decode.name" = "cycle" } }
"""


@pytest.fixture
def file(world: Path) -> Path:
    path = world / "toy.search.toml"
    path.write_text(SEARCH)
    return path


@pytest.mark.slow
def test_a_search_never_reads_a_test_and_its_best_is_tested_once(file: Path, world: Path) -> None:
    kept = world / "kept.jsonl"
    (world / "test.jsonl").rename(kept)  # a test that were read would be missed
    search = Search.from_toml(file)
    assert search.budget.metric == "accuracy"
    found = run_search(search)
    assert [trial.state for trial in found.trials] == ["complete"] * 3
    assert found.best is not None
    assert found.best.value == max(trial.value or 0 for trial in found.trials)
    for trial in found.trials:
        assert ("decode.cycles" in trial.values) == (trial.values["decode.name"] == "cycle")
        run = json.loads((found.folder / trial.run / "metrics.json").read_text())
        assert run["test"] == {}
        assert run["dev"]["accuracy"] == trial.value
    best = ExperimentConfig.from_toml(found.folder / "best.toml")
    assert best.train["lr"] == {"language": 2e-5, "other": found.best.values["train.lr.other"]}
    assert best.decode["name"] == found.best.values["decode.name"]
    told = CliRunner().invoke(app, ["check", file.name, "--no-time"]).stdout
    assert "train.lr.other: 0.0001 to 0.1, by its logarithm" in told
    assert 'decode.cycles: 1 to 3, when decode.name = "cycle"' in told
    assert "at most 3 trials, by accuracy of dev" in told
    assert "there already: 3 complete" in told
    assert best.task["test"] == {"test": "test.jsonl"}
    assert "base = " in (found.folder / "best.toml").read_text()
    kept.rename(world / "test.jsonl")
    tested = run_experiment(best)
    assert tested.metrics["test"]["test"]["size"] == 12
    assert tested.metrics["dev"]["accuracy"] == pytest.approx(found.best.value)


@pytest.mark.slow
def test_an_interrupted_search_goes_on_and_finds_what_it_would_have_found(file: Path, world: Path) -> None:
    file.write_text(SEARCH.replace("trials = 3", "trials = 2"))
    whole = run_search(Search.from_toml(file), Options(out=world / "whole"))
    epochs = 0

    def stop(progress: object) -> None:
        nonlocal epochs
        epochs += getattr(progress, "kind", "") == "epoch"
        if epochs == 3:  # in the second trial, after its first
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_search(Search.from_toml(file), Options(out=world / "cut", watch=stop))
    journal = next((world / "cut").glob("*.search/study.journal"))
    journal.write_bytes(journal.read_bytes() + b'{"op_code":')  # as if it had died while it wrote
    cut = run_search(Search.from_toml(file), Options(out=world / "cut"))
    told = [[(t.number, t.state, t.value, t.values) for t in found.trials] for found in (whole, cut)]
    assert told[0] == told[1]
    assert (whole.folder / "best.toml").read_text() == (cut.folder / "best.toml").read_text()
    more = Search.from_toml(file)
    assert len(run_search(more, Options(out=world / "cut")).trials) == 2  # the budget is spent


def test_a_longer_budget_goes_on_with_the_same_search(file: Path) -> None:
    file.write_text(SEARCH.replace("trials = 3", "trials = 1"))
    first = run_search(Search.from_toml(file))
    file.write_text(SEARCH.replace("trials = 3", "trials = 2"))
    second = run_search(Search.from_toml(file))
    assert second.folder == first.folder
    assert first.trials[0] in second.trials
    assert len(second.trials) == 2


@pytest.mark.slow
def test_bad_trials_end_early(file: Path) -> None:
    text = SEARCH.replace('"none"', '"median"\nmetric = "log_loss"').replace("trials = 3", "trials = 7")
    file.write_text(text.split("[space]")[0] + '[space]\n"train.lr.other" = { log = [1e-9, 1e-1] }\n')
    found = run_search(Search.from_toml(file, {"train.epochs": 3}))
    assert {trial.state for trial in found.trials} == {"complete", "pruned"}
    assert all(0 < t.epochs < 3 for t in found.trials if t.state == "pruned")
    assert found.best is not None
    assert found.best.state == "complete"
    assert found.best.value == min(trial.value or 9.0 for trial in found.trials)


def test_a_setting_that_cannot_be_run_is_a_failed_trial_and_the_search_goes_on(file: Path) -> None:
    file.write_text(SEARCH.split("[space]")[0] + '[space]\n"train.batch_size" = { choice = [8, 0] }\n')
    found = run_search(Search.from_toml(file))
    assert {trial.state for trial in found.trials} == {"complete", "fail"}
    failed = next(trial for trial in found.trials if trial.state == "fail")
    assert "batch_size = 0" in failed.error
    assert failed.error in (found.folder / "trials.md").read_text()
    shutil.rmtree(found.folder)
    file.write_text(SEARCH.split("[space]")[0] + '[space]\n"train.batch_size" = { choice = [-1, 0] }\n')
    with pytest.raises(ConfigError, match=r"the first 3 trials all failed.*batch_size"):
        run_search(Search.from_toml(file))


def _metric(file: Path, metric: str) -> str:
    path = file.with_name("other.search.toml")
    path.write_text(SEARCH.replace("seed   = 3", f'seed = 3\nmetric = "{metric}"').replace("trials = 3", "trials = 2"))
    return path.name


def test_a_set_that_is_cut_has_no_test_while_it_is_searched(file: Path, world: Path) -> None:
    base = ExperimentConfig.from_toml(world / "toy.toml")
    whole = base.with_overrides({"task.test": {}, "task.folds": {"count": 3}})
    rows = [{"question": f"who [a{i}]", "answers": [f"b{i}"]} for i in range(40)]
    (world / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    cut = base.with_overrides({"task": {"name": "kgqa", "train": ["asked.jsonl"], "split": {"by": "random"}}})
    for config in (whole, cut):
        before, after = (build_front(one).splits() for one in (config, untested(config)))
        assert list(before.test) == ["fold" if config is whole else "test"]
        assert not after.test
        assert after.train.examples == before.train.examples  # nothing of the test has come into train


@pytest.mark.slow
def test_processes_share_a_search_and_one_that_is_killed_is_followed(file: Path, world: Path) -> None:
    file.write_text(SEARCH.replace("seed   = 3", 'seed = 3\nsampler = "random"'))
    whole = run_search(Search.from_toml(file), Options(out=world / "whole"))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(world), *sys.path])}
    command = [sys.executable, "-c", "from kgreason.cli import main; main()", "search", file.name, "--out", "shared"]
    workers = [subprocess.Popen(command, cwd=world, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    while not list((world / "shared").glob("*.search/runs/*/log.txt")):  # the first trial is being run
        assert workers[0].poll() is None
        time.sleep(0.02)
    workers[0].kill()
    workers[0].wait()
    assert workers[1].wait() == 0
    shared = run_search(Search.from_toml(file), Options(out=world / "shared"))
    told = [sorted((t.number, t.state, t.value, str(t.values)) for t in f.trials) for f in (whole, shared)]
    assert told[0] == told[1]


def test_the_best_file_reads_as_the_best_experiment_whatever_the_base_says(file: Path, world: Path) -> None:
    with (world / "toy.toml").open("a") as toy:
        toy.write('lr = { language = 0.0, other = 0.5 }\n[expected]\n"test.accuracy" = [1.0, 0.1]\n')
    search = Search.from_toml(file, {"collate.max_tokens": 40, "seed": 5})
    for values in (
        {"train.lr.other": 0.25, "decode.name": "pool"},
        {"train.lr.other": 0.5, "decode.name": "cycle", "decode.cycles": 3},
    ):
        found = write_found(search, world / "found", [Trial(1, "complete", 0.5, 2, 1.0, values, "", "")])
        best = ExperimentConfig.from_toml(found.folder / "best.toml")
        want = search.base.with_overrides(values | {"title": "Toy search: best of 1 trials"})
        assert best == replace(want, expected={})
        assert 'base = "../toy.toml"' in (found.folder / "best.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('base  = "toy.toml"', "", "'base' is missing"),
        ("[search]", "[serach]", r"no key 'serach'. Did you mean 'search'"),
        ("trials = 3", "trails = 3", r"\[search\] has no 'trails'. Did you mean 'trials'"),
        ("trials = 3", "trials = 0", "trials = 0, expected a whole number"),
        ('"none"', '"medium"', "Did you mean 'median'"),
        ('"decode.name" ', '"decoder.name" ', "not a setting"),
        ('"cycle", "pool"', '"cycle", "pol"', "Did you mean 'pool'"),
        ("[1e-4, 1e-1]", "[0, 1e-1]", "numbers above 0"),
        ("[1e-4, 1e-1]", "[1e-1, 1e-4]", "the lower one first"),
        ("[1, 3]", "[1.5, 3]", "two whole numbers"),
        ("log = [1e-4, 1e-1]", "lgo = [1e-4, 1e-1]", "Did you mean 'log'"),
        ('"train.lr.other" ', '"seed" ', "the best seed is chance"),
        ('"train.lr.other" ', '"task.test" ', "compared on one dev split"),
        ('"train.lr.other" ', '"task.train" ', "compared on one dev split"),
        ('when = { "decode.name" = "cycle" }', 'when = { "decode.name" = "cylce" }', "none of its choices"),
        ('"decode.cycles" ', '"decode.cycels" ', "Did you mean 'cycles'"),
    ],
)
def test_a_wrong_search_is_named(file: Path, old: str, new: str, message: str) -> None:
    assert old in SEARCH
    file.write_text(SEARCH.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        Search.from_toml(file)


def test_a_metric_that_dev_does_not_have_is_told_with_those_it_has(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"no 'acuracy'. Did you mean 'accuracy'"):
        run_search(Search.from_toml(file.with_name(_metric(file, "acuracy"))), Options())


def test_the_command_prints_the_table_and_what_to_do_next(file: Path) -> None:
    result = CliRunner().invoke(app, ["search", file.name, "--trials", "1", "-q"])
    assert result.exit_code == 0, result.output
    assert "| trial | dev accuracy | state | train.lr.other |" in result.stdout
    assert "Test it, once: kgreason run runs/toy-search-" in result.stdout
    told = json.loads(CliRunner().invoke(app, ["search", file.name, "--trials", "1", "--json"]).stdout)
    assert told["best"]["number"] == 1

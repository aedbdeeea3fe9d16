"""A run from file to folder, on a toy world: what it leaves, and that it is not done twice."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from kgreason.errors import ConfigError, StoreError
from kgreason.experiment.ablate import Ablation, run_ablation
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.plan import plan_of
from kgreason.experiment.run import Options, run_experiment


@pytest.fixture
def config(world: Path) -> ExperimentConfig:
    return ExperimentConfig.from_toml(world / "toy.toml")


def _weights(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "model.safetensors")


def _assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_leaves_everything_behind_and_is_not_done_twice(config: ExperimentConfig) -> None:
    told: list[str] = []
    options = Options(tell=told.append)
    first = run_experiment(config, options)
    files = {p.name for p in first.folder.iterdir()}
    assert {
        "config.toml",
        "resolved.json",
        "versions.json",
        "metrics.json",
        "predictions.jsonl",
        "model.safetensors",
        "log.txt",
    } <= files
    assert not [name for name in files if name.startswith(".")]
    assert ExperimentConfig.from_toml(first.folder / "config.toml") == config
    scores = first.metrics["test"]["test"]
    rows = [json.loads(line) for line in (first.folder / "predictions.jsonl").read_text().splitlines()]
    assert len(rows) == scores["size"] == 12
    assert np.mean([row["gold"] == row["answer"] for row in rows]) == pytest.approx(scores["accuracy"])
    assert {"category.ent", "category.con"} <= scores.keys()
    assert 50 < first.metrics["peak_memory_mb"] < 20_000
    assert 0 < first.metrics["cpu_seconds"] < 600
    again = run_experiment(config, options)
    assert (again.fresh, again.metrics) == (False, first.metrics)
    assert any("Done before" in line for line in told)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_another_folder(config: ExperimentConfig) -> None:
    first = run_experiment(config)
    weights = _weights(first.folder)
    again = run_experiment(config, Options(again=True))
    assert again.fresh
    assert again.folder == first.folder
    _assert_same(_weights(again.folder), weights)
    assert run_experiment(config.with_seed(1)).folder != first.folder


def test_changed_data_give_another_folder(config: ExperimentConfig, world: Path) -> None:
    first = run_experiment(config)
    with (world / "test.jsonl").open("a") as file:
        file.write('{"premise": "A cat", "hypothesis": "A dog", "label": "neutral", "uid": "new"}\n')
    assert run_experiment(config).folder != first.folder


def test_an_interrupted_run_goes_on_and_ends_as_if_nothing_had_happened(config: ExperimentConfig, world: Path) -> None:
    whole = run_experiment(config, Options(out=world / "whole"))

    def stop(progress: object) -> None:
        if getattr(progress, "kind", "") == "epoch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(config, Options(out=world / "cut", watch=stop))
    (cut,) = (world / "cut").iterdir()
    assert not (cut / "metrics.json").exists()
    resumed = run_experiment(config, Options(out=world / "cut"))
    assert resumed.metrics["test"] == whole.metrics["test"]
    _assert_same(_weights(cut), _weights(whole.folder))


def test_expected_numbers_are_compared(config: ExperimentConfig) -> None:
    told: list[str] = []
    wanted = config.as_tables() | {"expected": {"test.accuracy": [2.0, 0.1], "test.size": [12, 0]}}
    found = run_experiment(ExperimentConfig.from_dict(wanted), Options(tell=told.append)).metrics["expected"]
    assert found["test.accuracy"]["within"] is False
    assert found["test.size"]["within"] is True
    assert any("expected 2.0" in line for line in told)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"decode.cycels": 2}, r"does not take 'cycels'. Did you mean 'cycles'"),
        ({"decode.cycles": "4"}, r"\[decode\] cycle: cycles = '4' is a str, expected a int"),
        ({"decode.name": "cylce"}, "Did you mean 'cycle'"),
        ({"decode.halt": {"name": "atc"}}, r"\[decode.halt\] name = 'atc'"),
        ({"ground": {"name": "perturb", "around": {"name": "aling"}}}, "Did you mean 'align'"),
        ({"ground": {"name": "perturb", "around": {}}}, r"\[ground.around\] has no name"),
        ({"encode": {"name": "fused", "language": {"name": "pretraned"}}}, "Did you mean 'pretrained'"),
        ({"encode": {"name": "fused"}}, "has no language model"),
        ({"encode": {"name": "fused", "language": "pretrained", "dim": 0}}, "dim = 0"),
        ({"train.epochs": -1}, "epochs = -1"),
        ({"answer.name": "entailment", "task.labels": ["yes", "no"]}, "the task has 2 labels"),
    ],
)
def test_a_wrong_setting_is_named(config: ExperimentConfig, override: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        list(plan_of({"": config.with_overrides(override)}, (0,), Path("runs"), data=False))


def test_a_cache_that_was_cut_off_is_made_anew(config: ExperimentConfig, world: Path) -> None:
    first = run_experiment(config)
    for path in (world / "cache" / "prepared").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert run_experiment(config, Options(again=True)).metrics["test"] == first.metrics["test"]


def test_a_damaged_metrics_file_is_said_to_be_so(config: ExperimentConfig) -> None:
    folder = run_experiment(config).folder
    (folder / "metrics.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        run_experiment(config)


def test_variants_and_seeds_make_a_table(world: Path) -> None:
    path = world / "toy.ablation.toml"
    path.write_text(
        'base = "toy.toml"\nname = "aligned"\nseeds = [0, 1]\nagainst = "nothing"\n'
        '[variants]\nnothing = { "ground.name" = "nothing" }\n'
        'wrong = { "ground" = { name = "perturb", around = "align" } }\n'
    )
    ablation = Ablation.from_toml(path)
    table = run_ablation(ablation, Options(), lambda what, done, whole: None)
    assert {row.variant for row in table} == {"aligned", "nothing", "wrong"}
    assert {row.metric for row in table} == {"accuracy", "macro_f1"}
    for row in table:
        assert row.mean == pytest.approx(np.mean(row.values))
        assert (row.versus is None) == (row.variant == "nothing")
    (told,) = world.glob("runs/*.ablation.md")
    assert "| test | accuracy | aligned |" in told.read_text()
    assert len([p for p in (world / "runs").iterdir() if p.is_dir()]) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "toy.toml"\nsseeds = [0]', "no key 'sseeds'. Did you mean 'seeds'"),
        ('base = "toy.toml"\nagainst = "x"', "against = 'x' is no row"),
        (
            'base = "toy.toml"\n[variants]\na = { "decoder.cycles" = 1 }',
            r"\[variants\] a: 'decoder.cycles' is not a setting",
        ),
        ('base = "toy.toml"\n[variants]\na = { "decode.cycles" = 2 }', "same experiment as 'base'"),
        ('base = "toy.toml"\nseeds = ["a"]', "not a list of whole numbers"),
        ("seeds = [0]", "'base' is missing"),
        ("seeds = [", "not valid TOML"),
    ],
)
def test_a_wrong_ablation_is_named(world: Path, text: str, message: str) -> None:
    path = world / "x.ablation.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        Ablation.from_toml(path)

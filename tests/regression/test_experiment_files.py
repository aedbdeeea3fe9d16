"""Every experiment file that ships can be read, and builds."""

from pathlib import Path

import pytest

from kgreason.experiment.ablate import Ablation
from kgreason.experiment.build import build_front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.search import Search
from kgreason.tasks import open_manifest

ROOT = Path(__file__).parents[2] / "experiments"
ABLATIONS = sorted(ROOT.rglob("*.ablation.toml"))
SEARCHES = sorted(ROOT.rglob("*.search.toml"))
FILES = sorted(set(ROOT.rglob("*.toml")) - set(ABLATIONS) - set(SEARCHES))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SEARCHES, ids=name)
def test_every_search_varies_what_its_experiment_has(path: Path) -> None:
    assert Search.from_toml(path).space


def test_there_are_some() -> None:
    assert FILES
    assert ABLATIONS


@pytest.mark.parametrize("path", ABLATIONS, ids=name)
def test_every_variant_is_an_experiment_of_its_own(path: Path) -> None:
    ablation = Ablation.from_toml(path)
    trained = ablation.base.train["name"] != "none"  # else a seed changes nothing
    if trained and not path.name.startswith("demo"):  # a first look says itself that it is one
        splits = [row for row, changed in ablation.variants.items() if "task.split.seed" in changed]
        assert len(ablation.seeds) >= 3 or len(splits) >= 3, "fewer seeds or splits have no interval worth showing"
    assert len(ablation.variants) >= 2


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_split_that_is_named_stands_in_a_manifest(path: Path) -> None:
    task = ExperimentConfig.from_toml(path).task
    dev = task.get("dev", ())
    train = task.get("train", ())
    if isinstance(train, dict):  # made from the graph, and not read
        train = ()
    for spec in [*train, *([] if isinstance(dev, float) else dev), *task.get("test", {}).values()]:
        dataset, _, split = spec.rpartition(":")
        assert split in open_manifest(dataset).splits, spec


@pytest.mark.parametrize("path", FILES, ids=name)
def test_what_is_expected_is_of_a_test_that_the_file_has(path: Path) -> None:
    config = ExperimentConfig.from_toml(path)
    tests = ["test"] if "split" in config.task else list(config.task["test"])
    for key, (value, tolerance) in config.expected.items():
        test, _, metric = key.partition(".")
        assert test in tests, key
        assert metric in ("accuracy", "macro_f1", "hits@1"), key
        assert 0 < value < 1, key
        assert 0 < tolerance <= 0.05, key


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_test_set_is_trained_on(path: Path) -> None:
    task = ExperimentConfig.from_toml(path).task
    assert not set(task.get("train", ())) & set(task.get("test", {}).values())
    assert not any("breaking_nli" in spec for spec in task.get("train", ()))


@pytest.mark.parametrize("path", [*FILES, *ABLATIONS], ids=name)
def test_every_experiment_builds(path: Path) -> None:
    """Every row of every file; what a language model or a parser needs is loaded once per process."""
    if path in ABLATIONS:
        ablation = Ablation.from_toml(path)
        configs = [ablation.config(row, ablation.seeds[0]) for row in ablation.variants]
    else:
        configs = [ExperimentConfig.from_toml(path)]
    for config in configs:
        reasoner = build_reasoner(config, build_front(config))
        assert any(p.requires_grad for p in reasoner.parameters())

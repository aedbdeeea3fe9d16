"""The two pages that go with every run say what the run is, and nothing that it is not."""

from pathlib import Path
from typing import Any

import pytest

from kgreason.experiment.build import build_front
from kgreason.experiment.cards import data_card, model_card
from kgreason.experiment.config import ExperimentConfig

METRICS: dict[str, Any] = {
    "dev": {"accuracy": 0.75, "size": 16},
    "test": {"test": {"accuracy": 0.5, "accuracy.low": 0.254, "accuracy.high": 0.746, "size": 12, "ece": 0.031}},
    "train": {"epochs": 2, "history": [{}, {}]},
    "trainable": 1234567,
    "seconds": 12.3,
    "cpu_seconds": 10.0,
    "peak_memory_mb": 512.0,
    "energy": {"watt_hours": 0.0412, "how": "estimated", "parts": {}, "note": "Assumed: 12 W."},
}


def _cards(config: ExperimentConfig, folder: Path) -> tuple[str, str]:
    front = build_front(config)
    splits = front.splits()
    model = model_card(config, folder, front.knowledge, splits, METRICS)
    return model, data_card(config, front.knowledge, splits)


def test_cards_of_a_run_on_ones_own_data(world: Path) -> None:
    config = ExperimentConfig.from_toml(world / "toy.toml")
    model, data = _cards(config, world / "runs" / "toy-world-abc")
    assert model.startswith("# Toy world\n")
    assert "| test | 12 | 50.0 % [25.4, 74.6] |" in model
    assert "| dev (used to choose) | 16 | 75.0 % |" in model
    assert "1,234,567 numbers on" in model
    assert "Always saying 'entailment' is right on 50.0 % of test test." in model
    assert "0.0412 Wh, estimated. Assumed: 12 W." in model
    assert "off by 3.1 points" in model
    assert "kgreason reproduce toy-world-abc" in model
    assert "control" not in model
    assert "licence: not stated" in data
    assert "entailment 50.0 %, contradiction 50.0 %" in data
    assert "30 % of what can be trained on is held out as dev" in data
    assert "6 triples" in data


def test_a_control_is_called_one(world: Path) -> None:
    spoilt = {"knowledge": {"name": "perturb", "mode": "tails", "around": {"name": "triples", "path": "graph.tsv"}}}
    config = ExperimentConfig.from_toml(world / "toy.toml").with_overrides(spoilt)
    model, data = _cards(config, world)
    assert "Not for use" in model
    assert "'mode': 'tails'" in data


@pytest.mark.parametrize("file", ["lexical-nli/demo.toml", "kgqa/world.toml"])
def test_cards_of_what_ships_name_origin_and_licence(
    file: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    config = ExperimentConfig.from_toml(Path(__file__).parents[2] / "experiments" / file)
    model, data = _cards(config.with_overrides({"task.limit": 50}), tmp_path)
    assert ("WordNet 3.0 licence" if "nli" in file else "- licence: Apache-2.0") in data
    assert "not stated" not in data.split("## Knowledge graph")[1]
    assert "sha256 `" in data
    assert "language model | minilm, frozen" in model
    if "kgqa" in file:
        assert "entities in the mean" in data

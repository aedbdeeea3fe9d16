"""Experiments that prove, with nothing trained, with what is learned, and with both: run, calibrated, tested again."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import kgreason as kr
from kgreason.errors import ConfigError
from kgreason.experiment.ablate import Ablation, run_ablation
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.retest import retest
from kgreason.experiment.run import Options, run_experiment

PROVING: dict[str, dict[str, Any]] = {
    "parse": {"name": "semantic", "around": {"name": "dependency", "cache": "disk"}},
    "knowledge": {"name": "wordnet"},
    "ground": {"name": "edits"},
    "decode": {"name": "natural_logic"},
    "answer": {"name": "proof"},
}
LEARNED = {"decode": {"name": "natural_logic", "judge": {"name": "learned", "hidden": 16}}}
BESIDE = {
    "decode": {"name": "beside", "proof": LEARNED["decode"], "learned": {"name": "edits", "hidden": 16}},
    "answer": {"name": "gated", "learned": {"name": "entailment"}},
}
UNTRAINED = {
    "task": {"name": "nli", "train": [], "dev": ["train.jsonl"], "test": {"test": "test.jsonl"}},
    "encode": {"name": "nothing"},
    "train": {"name": "none"},
}
CALIBRATED = {"train": {"name": "adamw", "epochs": 2, "batch_size": 8, "tensorboard": False, "calibrate": True}}


@pytest.fixture
def config(world: Path) -> ExperimentConfig:
    """The toy world, but for its graph: WordNet knows these words, too."""
    return ExperimentConfig.from_toml(world / "toy.toml").with_overrides(PROVING)


def test_with_nothing_trained_a_file_is_scored(config: ExperimentConfig) -> None:
    found = run_experiment(config.with_overrides(UNTRAINED))
    scores = found.metrics["test"]["test"]
    assert scores["size"] == 12
    assert scores["recall.entailment"] >= 0.9  # exclusion between kinds is another matter
    assert found.metrics["train"]["epochs"] == 0
    prediction = kr.load(found.folder)("The old cat is here", "An animal is here")
    assert prediction.answer == "entailment"
    assert prediction.proof


@pytest.mark.parametrize("choice", [LEARNED, pytest.param(BESIDE, marks=pytest.mark.slow)], ids=["learned", "beside"])
def test_what_is_learned_is_trained_calibrated_opened_and_tested_again(
    config: ExperimentConfig, choice: dict[str, Any]
) -> None:
    config = config.with_overrides(choice)
    plain = run_experiment(config)
    found = run_experiment(config.with_overrides(CALIBRATED))
    name = "answer.log_temperature"
    cool, warm = (load_file(run.folder / "model.safetensors")[name] for run in (plain, found))
    assert float(cool) != float(warm)
    assert found.metrics["dev"]["log_loss"] <= plain.metrics["dev"]["log_loss"] + 1e-6
    assert found.metrics["dev"]["accuracy"] == pytest.approx(plain.metrics["dev"]["accuracy"], abs=0.1)
    prediction = kr.load(found.folder)("The old cat is here", "A vehicle is here")
    assert prediction.proof
    assert (prediction.gate is not None) == (choice is BESIDE)
    again = retest(found.folder, {"ground": {"name": "nothing"}})
    assert again.metrics["test"]["test"]["size"] == 12
    rows = [json.loads(line) for line in (again.folder / "predictions.jsonl").read_text().splitlines()]
    if choice is LEARNED:  # without edits nothing is proved, and nothing is sure
        assert max(row["probability"] for row in rows) <= 0.5 + 1e-6


def test_a_temperature_needs_a_head_that_has_one(config: ExperimentConfig) -> None:
    with pytest.raises(ConfigError, match="LabelHead has no temperature"):
        run_experiment(config.with_overrides({"answer": {"name": "label"}, "decode": {"name": "pool"}} | CALIBRATED))


@pytest.mark.slow
def test_variants_of_a_proof_make_a_table(config: ExperimentConfig) -> None:
    variants: dict[str, dict[str, Any]] = {
        "exact": {},
        "chain": {"decode.order": "chain"},
        "no-polarity": {"parse.polarity": "none"},
        "no-facts": {"ground": {"name": "perturb", "around": {"name": "edits"}, "mode": "drop", "share": 1.0}},
    }
    ablation = Ablation("Proofs", config.with_overrides(UNTRAINED), (0,), "exact", variants)
    table = run_ablation(ablation, Options(), lambda what, done, whole: None)
    means = {row.variant: row.mean for row in table if row.metric == "accuracy"}
    assert set(means) == set(variants)
    assert means["exact"] == means["chain"] == means["no-polarity"] > means["no-facts"]


@pytest.mark.slow
def test_the_hybrid_stands_on_a_frozen_language_model(config: ExperimentConfig) -> None:
    language = {"name": "pretrained", "model": "minilm", "tune": "frozen"}
    encode = {"name": "fused", "dim": 32, "language": language, "fuse": {"name": "relation_biased"}}
    found = run_experiment(config.with_overrides({"encode": encode} | BESIDE | CALIBRATED))
    assert found.metrics["test"]["test"]["accuracy"] >= 0.5

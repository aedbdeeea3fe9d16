"""The section [train], the learning rates and the optimiser it asks for."""

import math
from dataclasses import fields
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn

from kgreason.errors import ConfigError
from kgreason.train import TRAINERS, TrainSettings
from kgreason.train.optimise import autocast, build_optimiser, rate_factor, set_rates


def test_a_section_is_read_from_the_table() -> None:
    table = {"name": "adamw", "epochs": 3, "lr": {"language": 0, "other": 1e-2}, "class_weights": [1, 2, 3]}
    settings = TRAINERS.build(table)
    assert (settings.epochs, settings.lr["other"], settings.select) == (3, 1e-2, "accuracy")


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": -1},
        {"epochs": True},
        {"patience": -1},
        {"clip": float("nan")},
        {"warmup": 1.5},
        {"label_smoothing": 1.0},
        {"consistency": -1.0},
        {"schedule": "cosin"},
        {"precision": "fp16"},
        {"lr": {"language": 1e-3}},
        {"lr": {"language": 1e-3, "other": "fast"}},
        {"lr": 1e-3},
        {"class_weights": "even"},
        {"class_weights": []},
        {"select": ""},
        {"tensorboard": "yes"},
    ],
    ids=str,
)
def test_a_wrong_value_is_named_with_what_was_expected(wrong: dict[str, Any]) -> None:
    settings = object.__new__(TrainSettings)  # around the tests' own type check, which would be the first to see it
    for name, value in ({f.name: getattr(TrainSettings(), f.name) for f in fields(TrainSettings)} | wrong).items():
        object.__setattr__(settings, name, value)
    with pytest.raises(ConfigError, match=rf"\[train\] {next(iter(wrong))} = .*; expected"):
        settings.__post_init__()


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_rates_rise_in_the_warm_up_and_never_after(schedule: str) -> None:
    settings = TrainSettings(warmup=0.1, schedule=schedule)  # type: ignore[arg-type]
    factors = [rate_factor(settings, step, 50) for step in range(50)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert all(later <= earlier for earlier, later in pairwise(factors[4:]))
    assert rate_factor(settings, 50, 50) == pytest.approx(1.0 if schedule == "constant" else 0.0)


def test_no_warm_up_starts_at_the_top() -> None:
    assert rate_factor(TrainSettings(warmup=0), 0, 10) == 1.0
    assert math.isfinite(rate_factor(TrainSettings(warmup=1), 0, 1))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.ModuleDict({"language": nn.Linear(2, 2), "graph": nn.Linear(2, 2)})
        self.gate = nn.Parameter(torch.zeros(()))
        self.frozen = nn.Linear(2, 2).requires_grad_(False)


def test_the_language_model_has_a_rate_of_its_own_and_only_matrices_decay() -> None:
    model = Model()
    settings = TrainSettings(lr={"language": 1e-5, "other": 1e-2}, weight_decay=0.1, warmup=0)
    optimiser = build_optimiser(model, settings)
    assert set_rates(optimiser, settings, 0, 10) == {"language": 1e-5, "other": 1e-2}
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimiser.param_groups for p in group["params"]}
    language, graph = model.encode["language"], model.encode["graph"]
    assert found[id(language.weight)] == (1e-5, 0.1)
    assert found[id(language.bias)] == (1e-5, 0.0)
    assert found[id(graph.weight)] == (1e-2, 0.1)
    assert found[id(model.gate)] == (1e-2, 0.0)
    assert len(found) == 5


def test_nothing_to_train_is_an_error() -> None:
    with pytest.raises(ConfigError, match="nothing to train"):
        build_optimiser(nn.Linear(2, 2).requires_grad_(False), TrainSettings())


def test_bf16_is_used_when_asked_for() -> None:
    with autocast("bf16", torch.device("cpu")):
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16
    with autocast("fp32", torch.device("cpu")):
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32

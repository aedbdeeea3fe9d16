"""Fit, predict and checkpoints on a toy task."""

import json
import math
import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.reasoner import Reasoner
from kgreason.segments import segment_softmax
from kgreason.train import (
    WEIGHTS,
    Predictions,
    Progress,
    TrainSettings,
    fit,
    forget,
    load_weights,
    predict,
    save_weights,
    seed_everything,
)
from kgreason.train import seed as seeds
from kgreason.train.checkpoint import read, write
from kgreason.train.resume import LAST

toy = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "regression" / "toy_run.py")))
FAST = TrainSettings(epochs=4, lr={"language": 1e-2, "other": 2e-2}, patience=0, precision="fp32", tensorboard=False)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are tiny
    yield
    torch.set_num_threads(before)


def train(folder: Path, settings: TrainSettings = FAST, **more: Any) -> tuple[Reasoner, Any]:
    reasoner = more.pop("reasoner", None) or toy.toy_reasoner()
    return reasoner, fit(
        reasoner, toy.ToyLoader(10, True), more.pop("dev", toy.ToyLoader(25, False)), settings, folder, seed=5, **more
    )


def bits(reasoner: nn.Module) -> bytes:
    return b"".join(p.detach().numpy().tobytes() for p in reasoner.parameters())


def test_it_learns_and_ends_with_the_best_epoch(tmp_path: Path) -> None:
    reasoner, result = train(tmp_path, replace(FAST, epochs=25, select="loss"))
    assert result.metrics["accuracy"] > 0.85
    assert result.metrics["loss"] == min(row["metrics"]["loss"] for row in result.history)
    assert result.history[result.best_epoch]["metrics"] == result.metrics
    again = predict(reasoner, toy.ToyLoader(25, False), precision="fp32")
    assert np.mean(again.answers() == np.concatenate(again.right)) == pytest.approx(result.metrics["accuracy"])


def test_the_same_seed_gives_the_same_bits_whatever_was_drawn_before(tmp_path: Path) -> None:
    one, _ = train(tmp_path / "one")
    torch.rand(3)
    two, _ = train(tmp_path / "two")
    assert bits(one) == bits(two)


def test_accumulated_batches_are_one_batch(tmp_path: Path) -> None:
    weights = (1.0, 2.0, 3.0)
    whole, parts = (
        fit(
            toy.toy_reasoner(dropout=0.0),
            toy.ToyLoader(size, True),
            None,
            replace(FAST, epochs=1, accumulate=accumulate, class_weights=weights, label_smoothing=0.1),
            tmp_path / str(size),
            seed=5,
        )
        for size, accumulate in ((21, 1), (7, 3))
    )
    assert whole.history[0]["train_loss"] == pytest.approx(parts.history[0]["train_loss"], rel=1e-5)
    assert whole.history[0]["step"] == parts.history[0]["step"] == 5
    assert 0.5 < whole.history[0]["train_loss"] < 2  # a mean over examples: log 3 where nothing is known


def test_a_run_goes_on_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    often = replace(FAST, save_every=0)
    _, want = train(tmp_path / "whole")

    def stop(progress: Progress) -> None:
        if progress.kind == "saved" and progress.step == 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "halved", often, report=stop)
    told: list[Progress] = []
    _, got = train(tmp_path / "halved", reasoner=toy.toy_reasoner(seed=99), report=told.append)
    assert told[0].kind == "start"
    assert "Going on at step 13 of 36" in told[0].text
    expected = read(want.weights)[0]
    assert all(torch.equal(tensor, expected[name]) for name, tensor in read(got.weights)[0].items())
    strip = [{k: v for k, v in row.items() if k != "seconds"} for row in got.history]
    assert strip == [{k: v for k, v in row.items() if k != "seconds"} for row in want.history]


def test_patience_ends_the_run_and_keeps_the_best(tmp_path: Path) -> None:
    values = iter([0.5, 0.7, 0.6, 0.7, 0.9])
    settings = replace(FAST, epochs=9, patience=2, select="made_up")
    _, result = train(tmp_path, settings, evaluate=lambda _: {"made_up": next(values)})
    assert (result.stopped, result.epochs, result.best_epoch) == ("patience", 4, 1)
    assert result.metrics == {"made_up": 0.7}


def test_a_metric_that_is_not_a_number_is_never_the_best(tmp_path: Path) -> None:
    values = iter([math.nan, 0.2, math.nan])
    settings = replace(FAST, epochs=3, select="m")
    _, result = train(tmp_path, settings, evaluate=lambda _: {"m": next(values)})
    assert result.best_epoch == 1
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[2])["metrics"] == {"m": None}


def test_without_a_dev_set_the_last_epoch_counts(tmp_path: Path) -> None:
    _, result = train(tmp_path, replace(FAST, patience=1, epochs=2), dev=None)
    assert (result.epochs, result.best_epoch, result.metrics) == (2, 1, {})


def test_an_unknown_metric_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"select = 'f1' is not a metric of this task. Known: accuracy, loss"):
        train(tmp_path, replace(FAST, select="f1"))


def test_other_settings_do_not_go_on_where_these_stopped(tmp_path: Path) -> None:
    train(tmp_path, replace(FAST, epochs=1))
    with pytest.raises(ConfigError, match="epochs was 1, is 2"):
        train(tmp_path, replace(FAST, epochs=2))
    forget(tmp_path)
    assert train(tmp_path, replace(FAST, epochs=2))[1].epochs == 2


def test_a_loss_that_explodes_is_explained_and_changes_nothing(tmp_path: Path) -> None:
    reasoner = toy.toy_reasoner()
    with torch.no_grad():
        reasoner.encode.mix.weight[0, 0] = math.nan
    before = bits(reasoner)
    with pytest.raises(ConfigError, match="Epoch 0, step 0: the loss is nan, expected finite numbers"):
        train(tmp_path, reasoner=reasoner)
    assert bits(reasoner) == before
    assert not (tmp_path / LAST).exists()


def test_bf16_trains(tmp_path: Path) -> None:
    _, result = train(tmp_path, replace(FAST, epochs=1, precision="bf16"))
    assert math.isfinite(result.history[0]["train_loss"])


def test_events_tell_what_happened_and_how_long_it_takes(tmp_path: Path) -> None:
    told: list[Progress] = []
    train(tmp_path, replace(FAST, epochs=2), report=told.append)
    kinds = [event.kind for event in told]
    assert kinds[0] == "start"
    assert kinds.count("step") == 18
    assert kinds.count("epoch") == 2
    assert kinds[-1] == "end"
    steps = [event for event in told if event.kind == "step"]
    assert [event.step for event in steps] == list(range(1, 19))
    assert steps[0].left > 0
    assert told[-1].left == 0
    assert steps[0].lr.keys() == {"language", "other"}


@pytest.mark.filterwarnings("ignore")
def test_tensorboard_logs_are_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    train(tmp_path, replace(FAST, epochs=1, tensorboard=True))
    (events,) = (tmp_path / "tensorboard").iterdir()
    assert b"dev/accuracy" in events.read_bytes()


def test_a_missing_tensorboard_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    told: list[Progress] = []
    train(tmp_path, replace(FAST, epochs=2, tensorboard=True), report=told.append)
    assert [event.text for event in told if event.kind == "note"] == [
        "No TensorBoard logs: pip install 'kgreason[train]' would add them."
    ]


def test_frozen_parameters_are_named_and_not_stored(tmp_path: Path) -> None:
    reasoner, result = train(tmp_path, replace(FAST, epochs=1))
    assert not any("frozen" in key for key in read(result.weights)[0])
    other = toy.toy_reasoner(seed=0)
    assert load_weights(other, result.weights)["epoch"] == 0
    assert bits(other) == bits(reasoner)
    with torch.no_grad():
        other.encode.frozen.weight[0, 0] += 1
    with pytest.raises(
        StoreError, match=r"trained over frozen weights: 96 parameters .* this reasoner has: 96 parameters"
    ):
        load_weights(other, result.weights)


@pytest.mark.parametrize("damage", ["truncated", "other format", "missing"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    path, reasoner = tmp_path / WEIGHTS, toy.toy_reasoner()
    save_weights(reasoner, path, {})
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "other format":
        torch_file = __import__("safetensors.torch", fromlist=["save_file"])
        torch_file.save_file({"a": torch.ones(1)}, path)
    else:
        path.unlink()
    with pytest.raises(StoreError, match=WEIGHTS):
        load_weights(reasoner, path)


def test_weights_of_another_reasoner_are_refused(tmp_path: Path) -> None:
    save_weights(toy.toy_reasoner(), tmp_path / WEIGHTS, {})
    other = toy.toy_reasoner()
    other.answer.score = nn.Linear(3, 3)
    with pytest.raises(StoreError, match="belongs to another reasoner"):
        load_weights(other, tmp_path / WEIGHTS)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / WEIGHTS
    write(path, {"a": torch.ones(2)}, {"n": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(path, {"a": torch.zeros(2)}, {"n": math.nan})
    assert read(path)[1] == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == [WEIGHTS]
    blocked = path / "below a file"
    with pytest.raises(StoreError, match="could not be written"):
        write(blocked, {}, {})


def test_the_generators_go_on_where_they_were() -> None:
    seed_everything(3)
    draw: Callable[[], list[float]] = lambda: [  # noqa: E731
        *torch.rand(2).tolist(),
        __import__("random").gauss(0, 1),
        float(np.random.standard_normal()),  # noqa: NPY002
    ]
    draw()
    kept = seeds.capture()
    want = [draw() for _ in range(3)]
    seed_everything(4)
    seeds.restore({name: state.clone() for name, state in kept.items()})
    assert [draw() for _ in range(3)] == want


def test_determinism_is_put_back() -> None:
    with seeds.determinism(True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_predictions_come_in_the_order_of_the_data() -> None:
    reasoner = toy.toy_reasoner()
    got = predict(reasoner, toy.ToyLoader(7, True), precision="fp32")
    assert got.example.tolist() == list(range(toy.EXAMPLES))
    reasoner.eval()
    with torch.no_grad():
        for i in (0, 41, 89):
            batch = toy.toy_batch(torch.tensor([i]))
            scores, trace = reasoner(batch)
            want = segment_softmax(scores.value, scores.group, 1).numpy()
            np.testing.assert_allclose(got.probability[i], want, rtol=1e-5)
            assert got.per_cycle[i].shape == (3, 3)
            assert got.cycles[i] == trace.running.sum()
            assert got.right[i].tolist() == [batch.target[1].item()]
    np.testing.assert_allclose([p.sum() for p in got.probability], 1, rtol=1e-5)


def test_predicting_leaves_the_mode_as_it_was() -> None:
    reasoner = toy.toy_reasoner()
    assert reasoner.training
    predict(reasoner, toy.ToyLoader(30, False))
    assert reasoner.training


def test_an_example_that_comes_twice_is_refused() -> None:
    class Twice(list):  # type: ignore[type-arg]
        def set_epoch(self, epoch: int, start: int = 0) -> None: ...

    batches = Twice([toy.toy_batch(torch.tensor([3, 4])), toy.toy_batch(torch.tensor([4]))])
    with pytest.raises(DataError, match="Example 4 comes twice"):
        predict(toy.toy_reasoner(), batches)
    with pytest.raises(DataError, match="nothing to predict"):
        predict(toy.toy_reasoner(), Twice())


def test_groups_without_candidates_have_no_answer() -> None:
    empty = np.empty(0, np.int64)
    one = Predictions(
        example=np.array([0]),
        candidate=[empty],
        probability=[np.empty(0, np.float32)],
        per_cycle=[np.empty((1, 0), np.float32)],
        cycles=np.array([1]),
        right=[empty],
    )
    assert one.answers().tolist() == [-1]

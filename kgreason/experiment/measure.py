"""Trains a reasoner and tests it: what every number of a run comes from."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kgreason.collate import Loader, Prepared
from kgreason.errors import ConfigError
from kgreason.experiment import record
from kgreason.experiment.build import Front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.features import features
from kgreason.experiment.shown import walks
from kgreason.reasoner import Reasoner
from kgreason.tasks import Split, Splits
from kgreason.train import (
    FitResult,
    Predictions,
    Processes,
    Progress,
    as_it_is,
    calibrated,
    fit,
    join_processes,
    path_ids,
    predict,
    seed_everything,
    teach,
)

#: Testing keeps no gradients, so it can take larger batches than training.
_TEST_BATCH = 128
#: What is told of a test on one line, where the task has it; and the ledger of what went wrong.
SHOWN = (
    "accuracy",
    "macro_f1",
    "hits@1",
    "ceiling.hits@1",
    "ceiling.reached",
    "follow",
    "stay",
    "mrr",
    "f1",
    "exact",
    "ece",
)
_LEDGER = "failure."


def train_reasoner(
    config: ExperimentConfig,
    front: Front,
    splits: Splits,
    prepared: tuple[Sequence[Prepared], Sequence[Prepared]],
    folder: Path,
    where: tuple[str, Callable[[Progress], None], Callable[[str], None]],
) -> tuple[Reasoner, FitResult]:
    """Build a reasoner, train it if anything is to be trained, and calibrate it if that is wanted.

    Args:
        config: The experiment, with the seed of its first weights and of the order of its examples.
        front: What it is built with.
        splits: Where it learns and is looked at.
        prepared: The examples of train and dev.
        folder: Gets weights and checkpoints; an interrupted training goes on.
        where: The device; what is told of progress; what gets a line for people.

    Raises:
        ConfigError: If `[task] shown`, which is for tests, stands in what is to be trained.
    """
    (train, dev), (device, watch, tell), seed = prepared, where, config.seed
    if front.shown is not None and front.train.epochs:
        raise ConfigError(
            "[task] shown is for tests; train without it, then: kgreason test RUN --set task.shown=oracle"
        )
    seed_everything(seed)
    reasoner = build_reasoner(config, front).to(device)
    load = partial(_load, batch_size=front.train.batch_size, processes=join_processes())
    score = partial(front.task.score, splits.dev, knowledge=front.knowledge)
    if front.train.epochs:
        taught = _taught(reasoner, front, splits)
        shuffled = load(train, shuffle=True, seed=seed)
        fitted = fit(reasoner, shuffled, load(dev), front.train, folder, seed=seed, report=watch, evaluate=score)
        taught()
    else:
        fitted = as_it_is(reasoner, load(dev), front.train, folder, score)
    if not front.train.calibrate:
        return reasoner, fitted
    fitted, temperature = calibrated(reasoner, load(dev), fitted, front.train.precision, score)
    tell(f"Calibrated on dev: temperature {temperature:.2f}")
    return reasoner, fitted


def evaluate(
    reasoner: Reasoner,
    front: Front,
    splits: Mapping[str, Split],
    make: Callable[[Split, str], Sequence[Prepared]],
    dev: Mapping[str, float],
    tell: Callable[[str], None],
) -> tuple[dict[str, dict[str, float]], list[bytes]]:
    """Test a reasoner.

    Args:
        reasoner: Trained.
        front: What it was built with.
        splits: The tests, by name.
        make: Prepares a split, from the cache by now; one at a time, so that memory holds one.
        dev: The metrics of the dev split, where anything that is calibrated was.
        tell: Gets a line for each test.

    Returns:
        The metrics of each test, and a line of JSON for each example, in order: `predictions.jsonl`.
    """
    metrics, lines = {}, list[bytes]()
    for name, split in splits.items():  # each in a frame of its own, so that memory holds one
        metrics[name], told = _test(reasoner, front, name, split, make, dev)
        lines += told
        tell(f"test {name}: {_brief(metrics[name])}")
    return metrics, lines


def _test(
    reasoner: Reasoner,
    front: Front,
    name: str,
    split: Split,
    make: Callable[[Split, str], Sequence[Prepared]],
    dev: Mapping[str, float],
) -> tuple[dict[str, float], list[bytes]]:
    views = None if front.shown is None else front.shown.views(split, front.knowledge)
    split = split if views is None else views.split
    if views is None or walks(reasoner):
        prepared = make(split, f"test {name}")
    else:
        prepared = views.prepare(front.parse, front.ground, front.collate)
    if views is None:
        found = _predict(reasoner, front, prepared, join_processes())
        scores = front.task.score(split, found, front.knowledge, dev)
    else:
        found = views.predict(reasoner, prepared, front.train.precision)
        scores = views.score(front.task.score(split, found, front.knowledge, dev), found)
    told = front.task.rows(split, found, front.knowledge, scores)
    both = zip(told, features(split.examples, prepared), strict=True)
    return scores, record.as_lines({"test": name} | row | more for row, more in both)


def _taught(reasoner: Reasoner, front: Front, splits: Splits) -> Callable[[], object]:
    """Teach the paths that are known, if `[train] paths` says so; return what ends that."""
    if not front.train.paths:
        return lambda: None
    train = splits.train
    paths = path_ids([e.uid for e in train.examples], train.path, list(front.knowledge.relations))
    return reasoner.register_forward_hook(teach(paths, float(front.train.paths))).remove


def _load(prepared: Sequence[Prepared], batch_size: int, processes: Processes, **order: Any) -> Loader:
    return Loader(prepared, batch_size, **order, rank=processes.rank, world=processes.world)


def _predict(reasoner: Reasoner, front: Front, prepared: Sequence[Prepared], processes: Processes) -> Predictions:
    loader = _load(prepared, max(front.train.batch_size, _TEST_BATCH), processes)
    return predict(reasoner, loader, precision=front.train.precision, processes=processes)


def _brief(scores: Mapping[str, float]) -> str:
    names = [n for n in SHOWN if n in scores] + [n for n in scores if n.startswith(_LEDGER)]
    return ", ".join(f"{n} {scores[n]:.4f}" for n in names)

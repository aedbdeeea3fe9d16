"""Runs an experiment: reads the data, prepares it, trains, tests once, and writes all of it down."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from kgreason.collate import Loader, Prepared
from kgreason.errors import StoreError
from kgreason.experiment import provenance, record
from kgreason.experiment.build import Front, build_front, build_reasoner
from kgreason.experiment.config import ROOMS, ExperimentConfig
from kgreason.experiment.cost import Meter, count_trainable
from kgreason.experiment.features import features
from kgreason.experiment.prepare import Step, checksums_of, prepare, sizes_of
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
    forget,
    join_processes,
    path_ids,
    predict,
    seed_everything,
    teach,
)

#: Testing keeps no gradients, so it can take larger batches than training.
_TEST_BATCH = 128
#: What is told of a test on one line, where the task has it; and the ledger of what went wrong.
SHOWN = ("accuracy", "macro_f1", "hits@1", "ceiling.hits@1", "mrr", "f1", "exact", "ece")
_LEDGER = "failure."


@final
@dataclass(frozen=True, slots=True)
class Options:
    """How to run, none of which changes a number.

    Args:
        out: The folder of all runs.
        device: A torch device.
        again: Forget a run of the same fingerprint and start anew.
        tell: Gets a line for people, now and then.
        step: Is told of the progress of preparation.
        watch: Is told of the progress of training.
        sources: Name to text of the files that the experiment was read from; the run keeps them, comments and all.
    """

    out: Path = Path("runs")
    device: str = "cpu"
    again: bool = False
    tell: Callable[[str], None] = lambda text: None
    step: Step = lambda what, done, whole: None
    watch: Callable[[Progress], None] = lambda progress: None
    sources: Mapping[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Args:
        folder: Where everything stands.
        metrics: What stands in `metrics.json`.
        fresh: False if it had been run before.
    """

    folder: Path
    metrics: dict[str, Any]
    fresh: bool


def run_experiment(config: ExperimentConfig, options: Options | None = None) -> Run:
    """Run an experiment, or return what an earlier run of the same fingerprint found.

    An interrupted run goes on from its last checkpoint. The folder is `<title>-<fingerprint>`; `metrics.json` is
    written last, so a folder that has it is complete.

    Raises:
        ConfigError: If the file is wrong.
        DataError: If a data set is.
        StoreError: If something cannot be read or written.
    """
    options, processes = options or Options(), join_processes()
    options.tell(f"{config.title} (seed {config.seed})")
    front = build_front(config)
    splits = front.splits()
    checksums = checksums_of(front, splits)
    fingerprint = config.fingerprint(checksums)
    folder = options.out / f"{record.slug(config.title)}-{fingerprint}"
    done = folder / record.METRICS
    if options.again and processes.rank == 0:
        done.unlink(missing_ok=True)
        forget(folder)
    processes.gather(None)  # no process may see what the first has just deleted
    if done.is_file():
        _warn_of_other_code(folder, options)
        options.tell(f"Done before: {folder}")
        return Run(folder, record.read_json(done), fresh=False)
    if processes.rank == 0:
        provenance.begin(config, folder, splits, checksums, options.device, options.again)
    options = replace(options, tell=partial(_log, folder, options.tell, processes))
    metrics = _run(config, options, front, splits, folder, processes)
    return Run(folder, metrics, fresh=True)


def check_experiment(config: ExperimentConfig, data: bool = True) -> dict[str, Any]:
    """Build everything an experiment needs, without training; return what there is to tell.

    Args:
        config: The experiment.
        data: Whether to read the data sets as well.

    Raises:
        ConfigError: If a name or an argument is wrong.
        DataError: If a data set is.
    """
    seed_everything(config.seed)
    front = build_front(config)
    reasoner = build_reasoner(config, front)
    told = {
        "title": config.title,
        "choices": {room: config.as_tables()[room]["name"] for room in ROOMS},
        "graph": repr(front.knowledge),
        "trainable": count_trainable(reasoner),
    }
    if not data:
        return told
    splits = front.splits()
    return told | {"sizes": sizes_of(splits), "fingerprint": config.fingerprint(checksums_of(front, splits))}


def _run(
    config: ExperimentConfig, options: Options, front: Front, splits: Splits, folder: Path, processes: Processes
) -> dict[str, Any]:
    meter = Meter(options.device)
    make = partial(prepare, front, config, step=options.step)
    train, dev = make(splits.train, "train"), make(splits.dev, "dev")
    for name, split in splits.test.items():  # what is wrong with a test must show before training, not after
        make(split, f"test {name}")
    told = ", ".join(f"{name} {len(split)}" for name, split in splits.test.items())
    options.tell(f"Prepared train {len(train)}, dev {len(dev)}, test {told} in {meter.read()['seconds']:.0f} s")
    seed_everything(config.seed)
    reasoner = build_reasoner(config, front).to(options.device)
    fitted = _fitted(reasoner, front, splits, (train, dev), options, (folder, config.seed))
    options.tell(f"Trained {fitted.epochs} epochs in {fitted.seconds:.0f} s; kept epoch {fitted.best_epoch + 1}")
    metrics: dict[str, Any] = {"title": config.title, "seed": config.seed, "dev": fitted.metrics}
    metrics["test"], rows = evaluate(reasoner, front, splits.test, make, fitted.metrics, options.tell)
    cost = meter.read()
    metrics |= {"train": _course(fitted), "trainable": count_trainable(reasoner), **cost}
    metrics["expected"] = _expected(config, metrics, options)
    if processes.rank == 0:
        record.write_lines(folder / record.PREDICTIONS, rows)
        provenance.end(folder, cost)
        record.write_json(folder / record.METRICS, metrics)
    return metrics


def _fitted(
    reasoner: Reasoner,
    front: Front,
    splits: Splits,
    prepared: tuple[Sequence[Prepared], Sequence[Prepared]],
    options: Options,
    run: tuple[Path, int],
) -> FitResult:
    """Train, if anything is to be trained, and calibrate, if that is wanted."""
    (train, dev), (folder, seed) = prepared, run
    load = partial(_load, batch_size=front.train.batch_size, processes=join_processes())
    score = partial(front.task.score, splits.dev, knowledge=front.knowledge)
    if front.train.epochs:
        taught = _taught(reasoner, front, splits)
        shuffled, watch = load(train, shuffle=True, seed=seed), options.watch
        fitted = fit(reasoner, shuffled, load(dev), front.train, folder, seed=seed, report=watch, evaluate=score)
        taught()
    else:
        fitted = as_it_is(reasoner, load(dev), front.train, folder, score)
    if not front.train.calibrate:
        return fitted
    fitted, temperature = calibrated(reasoner, load(dev), fitted, front.train.precision, score)
    options.tell(f"Calibrated on dev: temperature {temperature:.2f}")
    return fitted


def evaluate(
    reasoner: Reasoner,
    front: Front,
    splits: Mapping[str, Split],
    make: Callable[[Split, str], Sequence[Prepared]],
    dev: Mapping[str, float],
    tell: Callable[[str], None],
) -> tuple[dict[str, dict[str, float]], list[dict[str, Any]]]:
    """Test a reasoner.

    Args:
        reasoner: Trained.
        front: What it was built with.
        splits: The tests, by name.
        make: Prepares a split, from the cache by now; one at a time, so that memory holds one.
        dev: The metrics of the dev split, where anything that is calibrated was.
        tell: Gets a line for each test.

    Returns:
        The metrics of each test, and a row for each example, in order.
    """
    metrics, rows = {}, []
    for name, split in splits.items():
        prepared = make(split, f"test {name}")
        found = _predict(reasoner, front, prepared, join_processes())
        metrics[name] = scores = front.task.score(split, found, front.knowledge, dev)
        told = front.task.rows(split, found, front.knowledge, scores)
        rows += [
            {"test": name} | row | more for row, more in zip(told, features(split.examples, prepared), strict=True)
        ]
        tell(f"test {name}: {_brief(scores)}")
    return metrics, rows


def _taught(reasoner: Reasoner, front: Front, splits: Splits) -> Callable[[], object]:
    """Teach the paths that are known, if `[train] paths` says so; return what ends that."""
    if not front.train.paths:
        return lambda: None
    train = splits.train
    paths = path_ids([e.uid for e in train.examples], train.path, list(front.knowledge.relations))
    return reasoner.register_forward_hook(teach(paths, float(front.train.paths))).remove


def _course(fitted: FitResult) -> dict[str, Any]:
    return {
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch + 1,
        "seconds": round(fitted.seconds, 1),
        "stopped": fitted.stopped,
        "history": fitted.history,
    }


def _load(prepared: Sequence[Prepared], batch_size: int, processes: Processes, **order: Any) -> Loader:
    return Loader(prepared, batch_size, **order, rank=processes.rank, world=processes.world)


def _predict(reasoner: Reasoner, front: Front, prepared: Sequence[Prepared], processes: Processes) -> Predictions:
    loader = _load(prepared, max(front.train.batch_size, _TEST_BATCH), processes)
    return predict(reasoner, loader, precision=front.train.precision, processes=processes)


def _brief(scores: Mapping[str, float]) -> str:
    names = [n for n in SHOWN if n in scores] + [n for n in scores if n.startswith(_LEDGER)]
    return ", ".join(f"{n} {scores[n]:.4f}" for n in names)


def _expected(config: ExperimentConfig, metrics: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Compare with `[expected]`: `"snli.accuracy" = [value, tolerance]`, a tolerance in the same unit."""
    found = {}
    for key, (value, tolerance) in config.expected.items():
        test, _, name = key.partition(".")
        reached = metrics["test"].get(test, {}).get(name)
        within = reached is not None and abs(reached - value) <= tolerance
        found[key] = {"expected": value, "tolerance": tolerance, "reached": reached, "within": within}
        if not within:
            options.tell(f"{key} is {reached}, expected {value} ± {tolerance}")
    return found


def _warn_of_other_code(folder: Path, options: Options) -> None:
    if record.read_json(folder / record.VERSIONS).get("code") != record.code_hash():
        options.tell("It was made by other code than this, of the same version; --again runs it anew.")


def _log(folder: Path, tell: Callable[[str], None], processes: Processes, text: str) -> None:
    if processes.rank == 0:
        tell(text)
        try:
            with (folder / record.LOG).open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%FT%TZ', time.gmtime())} {text}\n")
        except OSError as error:
            free = shutil.disk_usage(folder).free
            raise StoreError(f"{folder / record.LOG} could not be written: {error} ({free} bytes are free).") from error

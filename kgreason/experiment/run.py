"""Runs an experiment: reads the data, prepares it, trains, tests once, and writes all of it down."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from kgreason.errors import StoreError
from kgreason.experiment import cards, lease, provenance, record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.cost import Meter, count_trainable
from kgreason.experiment.folders import folder_of
from kgreason.experiment.measure import evaluate, train_reasoner
from kgreason.experiment.prepare import Step
from kgreason.experiment.reading import learn
from kgreason.experiment.shelf import Opened, Shelf
from kgreason.experiment.trackers import Tracking
from kgreason.train import FitResult, Processes, Progress, forget, join_processes

#: The folder inside a run's with the files that it was read from.
SOURCE = "source"


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
        where: Is told the folder of the run, before it begins.
        sources: Name to text of the files that the experiment was read from; the run keeps them, comments and all.
        track: Names of `kgreason.experiment.trackers.TRACKERS` that are told of it as well.
        any_code: Whether a finished run of the same settings by other code will do.
        shelf: What earlier runs of this process have opened.
    """

    out: Path = Path("runs")
    device: str = "cpu"
    again: bool = False
    tell: Callable[[str], None] = lambda text: None
    step: Step = lambda what, done, whole: None
    watch: Callable[[Progress], None] = lambda progress: None
    where: Callable[[Path], None] = lambda folder: None
    sources: Mapping[str, str] = field(default_factory=dict)
    any_code: bool = False
    track: tuple[str, ...] = ()
    shelf: Shelf = field(default_factory=Shelf)


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

    An interrupted run goes on from its last checkpoint. The folder is `<title>-<fingerprint>-<code>`, see
    `kgreason.experiment.folders`; `metrics.json` is written last, so a folder that has it is complete.

    Raises:
        ConfigError: If the file is wrong.
        DataError: If a data set is.
        BusyError: If another process is running it; see `kgreason.experiment.lease`.
        StoreError: If something cannot be read or written.
    """
    options, processes = options or Options(), join_processes()
    options.tell(f"{config.title} (seed {config.seed})")
    opened = options.shelf.open(config)
    folder = folder_of(config, opened.checksums, options.out, options.any_code, options.tell)
    done = folder / record.METRICS
    if done.is_file() and not options.again:
        _warn_of_other_versions(folder, options)
        options.tell(f"Done before: {folder}")
        return Run(folder, record.read_json(done), fresh=False)
    with _held(folder, options, processes) as options:
        if options.again and processes.rank == 0:
            done.unlink(missing_ok=True)
            forget(folder)
        processes.gather(None)  # no process may see what the first has just deleted
        if done.is_file():  # another process was faster
            return Run(folder, record.read_json(done), fresh=False)
        if processes.rank == 0:
            provenance.begin(config, folder, opened.splits, opened.checksums, options.device, options.again)
            cards.write_data_card(config, folder, opened.front, opened.splits)
            for name, text in options.sources.items():
                record.write_text(folder / SOURCE / name, text)
        options = replace(options, tell=partial(_log, folder, options.tell, processes))
        names = () if processes.rank else options.track
        with Tracking(names, config, folder, options.again, options.tell) as tracking:
            options = replace(options, watch=tracking.beside(options.watch))
            metrics = _run(config, options, opened, folder, processes)
            if processes.rank == 0:
                tracking.finish(metrics)
        return Run(folder, metrics, fresh=True)


@contextmanager
def _held(folder: Path, options: Options, processes: Processes) -> Iterator[Options]:
    """Hold the folder while it is worked on; the first of several processes holds it for all."""
    if processes.rank:
        yield options
        return
    held, done = lease.take(folder), False
    options.where(folder)

    def watch(progress: Progress) -> None:
        if progress.kind == "epoch":  # before the checkpoint is written: it may not be ours any more
            held.check()
        options.watch(progress)

    try:
        yield replace(options, watch=watch)
        done = True
    finally:
        held.release(done)


def _run(
    config: ExperimentConfig, options: Options, opened: Opened, folder: Path, processes: Processes
) -> dict[str, Any]:
    front, splits = opened.front, opened.splits
    meter = Meter(options.device)
    learn(front, config, splits.train, folder, options.tell)
    make = partial(options.shelf.prepare, config, step=options.step)
    train, dev = make(splits.train, "train"), make(splits.dev, "dev")
    for name, split in splits.test.items():  # what is wrong with a test must show before training, not after
        make(split, f"test {name}")
    told = ", ".join(f"{name} {len(split)}" for name, split in splits.test.items())
    options.tell(f"Prepared train {len(train)}, dev {len(dev)}, test {told} in {meter.read()['seconds']:.0f} s")
    where = (options.device, options.watch, options.tell)
    reasoner, fitted = train_reasoner(config, front, splits, (train, dev), folder, where)
    options.tell(f"Trained {fitted.epochs} epochs in {fitted.seconds:.0f} s; kept epoch {fitted.best_epoch + 1}")
    metrics: dict[str, Any] = {"title": config.title, "seed": config.seed, "dev": fitted.metrics}
    metrics["test"], lines = evaluate(reasoner, front, splits.test, make, fitted.metrics, options.tell)
    cost = meter.read()
    metrics |= {"train": _course(fitted), "trainable": count_trainable(reasoner), **cost}
    metrics["expected"] = _expected(config, metrics, options)
    if processes.rank == 0:
        record.write_bytes(folder / record.PREDICTIONS, lines)
        provenance.end(folder, cost)
        cards.write_model_card(config, folder, front, splits, metrics)
        record.write_json(folder / record.METRICS, metrics)
    return metrics


def _course(fitted: FitResult) -> dict[str, Any]:
    return {
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch + 1,
        "seconds": round(fitted.seconds, 1),
        "stopped": fitted.stopped,
        "history": fitted.history,
    }


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


def _warn_of_other_versions(folder: Path, options: Options) -> None:
    then, now = record.read_json(folder / record.VERSIONS), record.versions()
    other = [f"{name} {then[name]}" for name in ("torch", "transformers", "numpy") if then.get(name) != now.get(name)]
    if other:
        options.tell(f"It was made with {', '.join(other)}; --again runs it with what is installed now.")


def _log(folder: Path, tell: Callable[[str], None], processes: Processes, text: str) -> None:
    if processes.rank == 0:
        tell(text)
        try:
            with (folder / record.LOG).open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%FT%TZ', time.gmtime())} {text}\n")
        except OSError as error:
            free = shutil.disk_usage(folder).free
            raise StoreError(f"{folder / record.LOG} could not be written: {error} ({free} bytes are free).") from error

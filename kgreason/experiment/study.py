"""Runs the trials of a search, with Optuna; several processes may work on one search, and a dead one is followed."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from kgreason.errors import ConfigError, DataError, MissingExtraError, StoreError, near
from kgreason.experiment import lease
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.filelock import FileLock
from kgreason.experiment.lease import BusyError
from kgreason.experiment.run import Options, run_experiment
from kgreason.experiment.search import Search, untested
from kgreason.experiment.space import Range, draw_values, overrides_of
from kgreason.experiment.trials import JOURNAL, Found, Trial, write_found
from kgreason.train import Progress

#: Seconds between two looks at a folder that another process holds.
_WAIT = 0.2
#: So many failures, and nothing else, end a search: it is not the settings.
_HOPELESS = 3


def run_search(search: Search, options: Options | None = None) -> Found:
    """Try settings until the budget is spent, and write down the best; tests are not read.

    Everything stands in a folder of its own in `Options.out`: `study.journal` (Optuna's), `runs` (each trial is a run),
    `trials.md` and `trials.json`, and `best.toml`, an experiment that `kgreason run` then tests, once. Given again, the
    search goes on: a trial that was interrupted is finished from its last checkpoint, with the values it had. Several
    processes, on any machines that see the folder, may do so at once.

    Raises:
        ConfigError: If the file is wrong, or the first trials all fail.
        StoreError: If something cannot be read or written.
        MissingExtraError: If Optuna is not installed.
    """
    options = options or Options()
    folder = search.folder(options.out)
    work = _Work(search, folder, replace(options, out=folder / "runs", sources={}))
    while (number := work.begin()) is not None:
        work.finish(number)
    with work.alone():
        return write_found(search, folder, work.trials())


@final
class _NoMetricError(ConfigError):
    """The dev split is not measured by what the search asks for."""


@final
class _Work:
    """One process's part in a search."""

    def __init__(self, search: Search, folder: Path, options: Options) -> None:
        self.search, self.folder, self.options = search, folder, options
        self.base = untested(search.base)
        self.optuna = _optuna()
        self.held: lease.Lease | None = None
        with self.alone():
            self.study = self._open()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for the right to change the search, which takes a process an instant."""
        turn = FileLock(self.folder / "turn.lock")
        turn.acquire()
        try:
            yield
        finally:
            turn.release()

    def begin(self) -> int | None:
        """Return the number of the trial to run next: one that was left behind, else a new one; None at the end."""
        with self.alone():
            trials, states = self.study.get_trials(deepcopy=False), self.optuna.trial.TrialState
            self._stop_if_hopeless(trials)
            running = [t.number for t in trials if t.state == states.RUNNING]
            left = next((n for n in running if not lease.busy(self._place(n))), None)
            spent = sum(t.user_attrs.get("seconds", 0.0) for t in trials) / 60
            budget = self.search.budget
            if left is None and (len(trials) >= budget.trials or 0 < budget.minutes <= spent):
                return None
            number = self.study.ask().number if left is None else left
            self.held = lease.take(self._place(number))
        return int(number)

    def finish(self, number: int) -> None:
        """Run a trial, and note what came of it. After an interrupt it stays open."""
        trial = self.optuna.trial.Trial(self.study, self.study.trials[number]._trial_id)
        begun, done = time.monotonic(), False
        values = draw_values(self.base, self.search.space, lambda one: self._draw(trial, one))
        shown = ", ".join(f"{key} = {_short(value)}" for key, value in values.items())
        self.options.tell(f"Trial {number + 1} of {self.search.budget.trials}: {shown}")
        try:
            told = self._outcome(trial, values)
            trial.set_user_attr("seconds", round(time.monotonic() - begun, 1))
            self.study.tell(
                trial, told if isinstance(told, float) else None, state=None if isinstance(told, float) else told
            )
            done = True
            self.options.tell(f"Trial {number + 1}: {self._word(number)}")
        finally:
            if self.held is not None:
                self.held.release(done)

    def trials(self) -> list[Trial]:
        """Return all trials, as far as they are."""
        return [
            Trial(
                number=t.number + 1,
                state=t.state.name.lower(),
                value=t.value
                if t.value is not None
                else next(iter(sorted(t.intermediate_values.items())[-1:]), (0, None))[1],
                epochs=len(t.intermediate_values),
                seconds=float(t.user_attrs.get("seconds", 0.0)),
                values=dict(t.user_attrs.get("values", {})),
                run=str(t.user_attrs.get("run", "")),
                error=str(t.user_attrs.get("error", "")),
            )
            for t in self.study.get_trials(deepcopy=False)
        ]

    def _outcome(self, trial: Any, values: dict[str, Any]) -> Any:
        """Return the metric, or the state in which the trial ended without."""
        states = self.optuna.trial.TrialState
        trial.set_user_attr("values", values)
        try:
            config = self.base.with_overrides(overrides_of(self.base, values))
            run = _wait_for(config, replace(self.options, watch=self._watch(trial)))
        except self.optuna.TrialPruned:
            return states.PRUNED
        except _NoMetricError as error:
            raise ConfigError(str(error)) from error
        except (
            ConfigError,
            DataError,
            RuntimeError,
            MemoryError,
        ) as error:  # too much memory is a RuntimeError in torch
            trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            return states.FAIL
        trial.set_user_attr("run", f"runs/{run.folder.name}")
        value = self._metric(run.metrics["dev"])
        return float(value) if math.isfinite(value) else states.FAIL

    def _metric(self, dev: Mapping[str, float]) -> float:
        """Return what trials are compared by; that there is no such number is no fault of the trial."""
        metric = self.search.budget.metric
        if metric not in dev:
            known = [name for name in dev if "." not in name]
            raise _NoMetricError(
                f"[search] the dev split has no '{metric}'.{near(metric, known)} It has: {', '.join(known)}."
            )
        return dev[metric]

    def _watch(self, trial: Any) -> Callable[[Progress], None]:
        """Tell Optuna the metric after each epoch, and end the trial if Optuna says so."""
        known = set(self.study.trials[trial.number].intermediate_values)

        def watch(progress: Progress) -> None:
            self.options.watch(progress)
            if progress.kind == "epoch" and math.isfinite(value := self._metric(progress.metrics)):
                if progress.epoch not in known:  # one that went on from a checkpoint may tell an epoch twice
                    trial.report(float(value), progress.epoch)
                if trial.should_prune():
                    raise self.optuna.TrialPruned

        return watch

    def _draw(self, trial: Any, one: Range) -> Any:
        """Draw a value; the same for the same trial, whichever process draws it."""
        budget, samplers = self.search.budget, self.optuna.samplers
        seed = hash_of(budget.seed, trial.number, one.key)
        kind = samplers.TPESampler if budget.sampler == "tpe" else samplers.RandomSampler
        self.study.sampler = kind(seed=seed)
        return one.draw(trial)

    def _open(self) -> Any:
        storages = self.optuna.storages
        path = self.folder / JOURNAL
        try:
            _mend(path)
            lock = FileLock(path.with_suffix(".lock"))
            storage = storages.JournalStorage(storages.journal.JournalFileBackend(str(path), lock_obj=lock))
            return self.optuna.create_study(
                storage=storage,
                study_name="search",
                direction="minimize" if self.search.minimise else "maximize",
                pruner=self._pruner(),
                load_if_exists=True,
            )
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(
                f"{path} cannot be read or written: {error}. To start anew, delete {self.folder}."
            ) from error

    def _pruner(self) -> Any:
        pruners = self.optuna.pruners
        if self.search.budget.prune == "median":
            return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=0)
        return pruners.SuccessiveHalvingPruner() if self.search.budget.prune == "halving" else pruners.NopPruner()

    def _place(self, number: int) -> Path:
        return self.folder / "trials" / str(number + 1)

    def _word(self, number: int) -> str:
        mine = self.trials()[number]
        if mine.state != "complete":
            return mine.error or mine.state
        return f"dev {self.search.budget.metric} {mine.value:.4f}, best so far {self.study.best_value:.4f}"

    def _stop_if_hopeless(self, trials: list[Any]) -> None:
        failed = [t.user_attrs.get("error", "") for t in trials if t.state.name == "FAIL"]
        if len(failed) >= _HOPELESS and len(failed) == len(trials):
            raise ConfigError(f"the first {len(failed)} trials all failed; the last one: {failed[-1]}")


def hash_of(*parts: object) -> int:
    """Return a number below 2³² for some parts: the same in every process."""
    import hashlib

    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:8], 16)


def _wait_for(config: ExperimentConfig, options: Options) -> Any:
    """Run an experiment; if another trial of the same settings is running it, wait for that one."""
    while True:
        try:
            return run_experiment(config, options)
        except BusyError:
            time.sleep(10 * _WAIT)


def _mend(path: Path) -> None:
    """Drop a last line of which only a part was written."""
    if path.is_file() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("optuna", "search", "A search") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)

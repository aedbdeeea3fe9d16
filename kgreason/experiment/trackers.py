"""Sends what a run tells of itself to experiment trackers as well: Weights & Biases, MLflow; and to TensorBoard.

None of them changes a number, and none can stop a run: one that fails is told of once and left alone. All of them keep
their records in the folder of runs unless their own environment variables say otherwise; nothing is sent anywhere.
"""

import logging
import math
import os
import re
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final, runtime_checkable

from kgreason.errors import ConfigError, MissingExtraError, near
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.train import Progress
from kgreason.train.watch import Board, silent

#: Which run of a tracker a run's folder belongs to, so that one that goes on later goes on there, too.
TRACKED = "trackers.json"
_PROJECT = "kgreason"
#: MLflow takes these characters in a name.
_MLFLOW_NAME = re.compile(r"[^\w. :/-]")
#: Metrics that MLflow gets at once: one by one they cost 20 ms each.
_TOGETHER = 200


@final
@dataclass(frozen=True, slots=True)
class Tracked:
    """The run that a tracker is told about.

    Args:
        name: What it is called: the name of its folder.
        group: What it is one variant of.
        id: What the tracker called it when it began; empty if it begins now.
        folder: Of the run.
        settings: All settings by dotted name.
    """

    name: str
    group: str
    id: str
    folder: Path
    settings: Mapping[str, Any]


@runtime_checkable
class Tracker(Protocol):
    """Where the numbers of a run go. Every method may fail; the run goes on without it."""

    @property
    def id(self) -> str:
        """What the tracker calls the run."""
        ...

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Take numbers by name, at a step of the optimiser."""
        ...

    def close(self, scores: Mapping[str, float] | None) -> None:
        """End: with the final scores, or with None if the run was interrupted or failed."""
        ...


@final
class WandbTracker:
    """Weights & Biases. Offline, in the folder of the run, unless `WANDB_MODE` says otherwise.

    `wandb sync RUN/wandb/offline-run-…` sends it later; `WANDB_PROJECT` names the project (`kgreason` if not set).
    A run that goes on has the same id, so that its records are joined when they are sent.
    """

    def __init__(self, run: Tracked) -> None:
        import wandb

        settings = wandb.Settings(console="off", silent=True, disable_git=True, disable_code=True)
        self._run = wandb.init(
            project=None if os.environ.get("WANDB_PROJECT") else _PROJECT,
            id=run.id or uuid.uuid4().hex[:16],
            name=run.name,
            group=run.group,
            config=dict(run.settings) | {"folder": str(run.folder)},
            dir=run.folder.resolve(),  # its process serves all runs of this one, and keeps the folder it began in
            mode=None if os.environ.get("WANDB_MODE") else "offline",
            resume="allow",
            reinit="create_new",
            settings=settings,
        )

    @property
    def id(self) -> str:
        return str(self._run.id)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)  # its own count would begin anew in a run that goes on

    def close(self, scores: Mapping[str, float] | None) -> None:
        self._run.summary.update(dict(scores or {}))
        self._run.finish(exit_code=0 if scores is not None else 1)


@final
class MlflowTracker:
    """MLflow. A database beside the runs (`mlflow.db`), unless `MLFLOW_TRACKING_URI` says otherwise.

    `mlflow ui --backend-store-uri sqlite:///runs/mlflow.db` shows it; `MLFLOW_EXPERIMENT_NAME` names the experiment
    (`kgreason` if not set). Characters that MLflow takes in no name become `_`: `hits@1` is `hits_1`.
    """

    def __init__(self, run: Tracked) -> None:
        for name in ("mlflow", "alembic"):  # they tell of each table that they make
            logging.getLogger(name).setLevel(logging.WARNING)
        from mlflow.entities import Param, RunTag
        from mlflow.tracking import MlflowClient

        where = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(run.folder.parent / 'mlflow.db').resolve()}"
        self._client, self._waiting = MlflowClient(tracking_uri=where), list[Any]()
        if run.id:
            self.id = run.id
            self._client.update_run(run.id, status="RUNNING")
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or _PROJECT
        found = self._client.get_experiment_by_name(name)
        if found is None:
            at = (run.folder.parent / "mlartifacts").resolve().as_uri()
            given = bool(os.environ.get("MLFLOW_TRACKING_URI"))
            experiment = self._client.create_experiment(name, artifact_location=None if given else at)
        else:
            experiment = found.experiment_id
        self.id = self._client.create_run(experiment, run_name=run.name).info.run_id
        settings = [Param(_mlflow_name(key), str(value)[:500]) for key, value in run.settings.items()]
        self._client.log_batch(
            self.id, params=settings, tags=[RunTag("group", run.group), RunTag("folder", str(run.folder))]
        )

    def write(self, step: int, values: Mapping[str, float]) -> None:
        import time

        from mlflow.entities import Metric

        now = time.time_ns() // 10**6
        self._waiting += [Metric(_mlflow_name(name), value, now, step) for name, value in values.items()]
        if len(self._waiting) >= _TOGETHER:
            self._send()

    def close(self, scores: Mapping[str, float] | None) -> None:
        self.write(0, scores or {})
        self._send()
        self._client.set_terminated(self.id, "FINISHED" if scores is not None else "KILLED")

    def _send(self) -> None:
        for start in range(0, len(self._waiting), 1000):  # it takes no more at once
            self._client.log_batch(self.id, metrics=self._waiting[start : start + 1000])
        self._waiting.clear()


#: The choices of `--track`. TensorBoard needs no choice: `[train] tensorboard` is true unless a file says otherwise.
TRACKERS: dict[str, Callable[[Tracked], Tracker]] = {"wandb": WandbTracker, "mlflow": MlflowTracker}
_PACKAGES = {"wandb": ("wandb",), "mlflow": ("mlflow", "sqlalchemy", "alembic")}


def check_trackers(names: Sequence[str]) -> None:
    """Check that trackers are known and installed, before anything takes time.

    Raises:
        ConfigError: If there is none of that name.
        MissingExtraError: If its package is missing.
    """
    from importlib.util import find_spec

    for name in names:
        if name not in TRACKERS:
            raise ConfigError(f"there is no tracker '{name}'.{near(name, TRACKERS)} Known: {', '.join(TRACKERS)}.")
        for package in _PACKAGES[name]:
            if find_spec(package) is None:
                raise MissingExtraError(package, "trackers", f"The tracker '{name}'")


@final
class Tracking:
    """All trackers of one run; used as a context, so that each is closed however the run ends.

    Args:
        names: Which trackers.
        config: The experiment.
        folder: Of the run.
        anew: Whether to begin a new record, even if there is one of an interrupted run.
        tell: Is told, once, of a tracker that fails.

    Raises:
        ConfigError: If a tracker is not known.
        MissingExtraError: If its package is missing.
    """

    def __init__(
        self, names: Sequence[str], config: ExperimentConfig, folder: Path, anew: bool, tell: Callable[[str], None]
    ) -> None:
        check_trackers(names)
        self._folder, self._tell, self._step = folder, tell, 0
        self._open: dict[str, Tracker] = {}
        self._scores: Mapping[str, float] | None = None
        path = folder / TRACKED
        ids: dict[str, str] = record.read_json(path) if path.is_file() and not anew else {}
        group, settings = config.title.partition(":")[0], dict(_dotted(config.as_tables()))
        for name in dict.fromkeys(names):
            with self._guard(name):
                self._open[name] = TRACKERS[name](Tracked(folder.name, group, ids.get(name, ""), folder, settings))
        if self._open:
            record.write_json(path, ids | {name: tracker.id for name, tracker in self._open.items()})

    def __enter__(self) -> "Tracking":
        return self

    def __exit__(self, *_: object) -> None:
        for name, tracker in list(self._open.items()):
            with self._guard(name):
                tracker.close(self._scores)

    def beside(self, watch: Callable[[Progress], None]) -> Callable[[Progress], None]:
        """Return a watch that tells `watch` and every tracker."""

        def both(progress: Progress) -> None:
            watch(progress)
            self._watch(progress)

        return both

    def finish(self, metrics: Mapping[str, Any]) -> None:
        """Take what stands in `metrics.json`: the run has come to its end."""
        tests = {f"test/{test}/{name}": value for test, of in metrics["test"].items() for name, value in of.items()}
        cost = {f"cost/{name}": metrics[name] for name in ("seconds", "cpu_seconds", "peak_memory_mb")}
        self._scores = _finite(tests | cost)
        if (self._folder / "tensorboard").is_dir():
            with self._guard("tensorboard"):
                board = Board(self._folder / "tensorboard", wanted=True, step=0, report=silent)
                board.write(self._step, self._scores)
                board.close()

    def _watch(self, progress: Progress) -> None:
        self._step = max(self._step, progress.step)
        if progress.kind == "step":
            rates = {f"lr/{name}": rate for name, rate in progress.lr.items()}
            self._write(progress.step, {"train/loss": progress.loss, **rates})
        elif progress.kind == "epoch":
            dev = {f"dev/{name}": value for name, value in progress.metrics.items()}
            self._write(progress.step, {"epoch": progress.epoch + 1.0, "train/loss_of_epoch": progress.loss, **dev})

    def _write(self, step: int, values: Mapping[str, float]) -> None:
        for name, tracker in list(self._open.items()):
            with self._guard(name):
                tracker.write(step, _finite(values))

    @contextmanager
    def _guard(self, name: str) -> Iterator[None]:
        """Keep a tracker's failure from the run, and its warnings from the reader."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except Exception as error:  # whatever a package of others raises, the run is worth more
            self._open.pop(name, None)
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            self._tell(f"The tracker '{name}' failed and is left alone; the run goes on. It said: {reason}")


def _finite(values: Mapping[str, Any]) -> dict[str, float]:
    return {n: float(v) for n, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}


def _dotted(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _mlflow_name(name: str) -> str:
    return _MLFLOW_NAME.sub("_", name)

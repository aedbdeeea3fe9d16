"""The training loop: epochs, steps, early stopping, checkpoints, and going on after an interrupt."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, final

import torch

from kgreason.data import Predictions
from kgreason.errors import ConfigError
from kgreason.reasoner import Reasoner
from kgreason.tensors import GraphBatch
from kgreason.train import resume
from kgreason.train import seed as seeds
from kgreason.train.checkpoint import load_weights, save_weights, weights_of
from kgreason.train.consistency import batch_loss
from kgreason.train.loss import class_weights_of, group_weights
from kgreason.train.optimise import build_optimiser, set_rates, trainable
from kgreason.train.predict import Loader, accuracy, pick, predict
from kgreason.train.processes import Processes, join_processes, share, sum_gradients
from kgreason.train.settings import TrainSettings
from kgreason.train.watch import Board, Clock, Progress, Report, silent, write_log

#: The weights of the best epoch, in the folder of a run.
WEIGHTS = "model.safetensors"
_TOO_LOW = -1e300  # a metric that is not a number is worse than any


@final
@dataclass(frozen=True, slots=True)
class FitResult:
    """What training came to.

    Args:
        epochs: How many epochs were run.
        best_epoch: The epoch whose weights the reasoner has now, counted from 0.
        metrics: Of that epoch, on the dev set.
        history: One entry per epoch: epoch, step, train_loss, seconds and metrics.
        seconds: Wall time, interrupts left out.
        weights: The file with the weights.
        stopped: `epochs` if all were run, `patience` if the metric no longer got better.
    """

    epochs: int
    best_epoch: int
    metrics: dict[str, float]
    history: list[dict[str, Any]]
    seconds: float
    weights: Path
    stopped: str


def fit(
    reasoner: Reasoner,
    train_loader: Loader,
    dev_loader: Loader | None,
    settings: TrainSettings,
    folder: Path,
    *,
    seed: int,
    report: Report = silent,
    evaluate: Callable[[Predictions], Mapping[str, float]] = accuracy,
) -> FitResult:
    """Train a reasoner in place, and leave it with the weights of its best epoch.

    If the folder holds a checkpoint of the same run (settings, seed, shapes, number of batches and processes), training
    goes on from there, and ends with the same bits as if it had never stopped: on a CPU always, on a GPU with
    `deterministic`. To start anew, call `kgreason.train.forget(folder)`.

    Under `torchrun` or `accelerate launch` all processes call this with a loader of their own share; they compute the
    gradient of all their batches together, one process writes the files, and all end with the same weights. A resumed
    run of several processes reads the checkpoint in each of them, so they must share the file system.

    Args:
        reasoner: On the device where it is to be trained. Frozen parameters have `requires_grad` False.
        train_loader: Batches with targets; must give the same ones for the same epoch.
        dev_loader: What `evaluate` looks at after each epoch; None to run all epochs and keep the last.
        settings: See `TrainSettings`. `batch_size` is the loader's business.
        folder: Gets `model.safetensors` (best epoch), `last.safetensors` (checkpoint), `log.jsonl`, `tensorboard/`.
        seed: Of all that is random in training.
        report: Gets a `Progress` whenever something happens; in the first process only.
        evaluate: From the predictions on the dev set to metrics by name; one of them is `settings.select`.

    Raises:
        ConfigError: If the loss is not finite, the metric is unknown, nothing can be trained, or the folder holds
            another run.
        StoreError: If a file cannot be written, or a checkpoint is damaged.
        DataError: If a batch has no target.
    """
    processes = join_processes()
    watch = _Watch(silent if processes.rank else report, evaluate)
    with seeds.determinism(settings.deterministic):
        run = _Run(reasoner, train_loader, dev_loader, settings, folder, seed, processes)
        return run.go(watch)


@dataclass(frozen=True, slots=True)
class _Watch:
    report: Report
    evaluate: Callable[[Predictions], Mapping[str, float]]


@dataclass(slots=True)
class _State:
    """Where a run stands; all of it goes into a checkpoint."""

    epoch: int = 0
    step: int = 0
    step_in_epoch: int = 0
    loss: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    stale: int = 0
    seconds: float = 0.0
    stopped: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)


@final
class _Run:
    """One call of `fit`."""

    def __init__(
        self,
        reasoner: Reasoner,
        train_loader: Loader,
        dev_loader: Loader | None,
        settings: TrainSettings,
        folder: Path,
        seed: int,
        processes: Processes,
    ) -> None:
        self.reasoner, self.train_loader, self.dev_loader = reasoner, train_loader, dev_loader
        self.settings, self.folder, self.seed, self.processes = settings, folder, seed, processes
        self.optimiser = build_optimiser(reasoner, settings)
        self.parameters = list(trainable(reasoner).values())
        self.device = self.parameters[0].device
        batches = max(processes.gather(len(train_loader)))
        if not batches:
            raise ConfigError("There is nothing to train on: the training data has no batch.")
        self.steps_per_epoch = -(-batches // settings.accumulate)
        self.steps = self.steps_per_epoch * settings.epochs
        self.state, self.saved = _State(), time.monotonic()

    def go(self, watch: _Watch) -> FitResult:
        self.watch, report = watch, watch.report
        share(self.processes, list(weights_of(self.reasoner).values()))
        seeds.seed_everything(self.seed + 1_000_003 * self.processes.rank)
        resumed = self._resume()
        self.clock = Clock(self.state.seconds, self.steps_per_epoch)
        self.class_weights = class_weights_of(self.settings, self.train_loader, self.processes)
        wanted = self.settings.tensorboard and not self.processes.rank and not self.state.stopped
        self.board = Board(self.folder / "tensorboard", wanted, self.state.step, report)
        count = sum(p.numel() for p in self.parameters)
        what = f"Going on at step {self.state.step} of {self.steps}" if resumed else f"{self.steps} steps at most"
        report(self._progress("start", text=f"{what}; {count:,} numbers to train."))
        try:
            while not self.state.stopped:
                self._epoch()
        finally:
            self.board.close()
        return self._finish()

    def _epoch(self) -> None:
        state, size = self.state, self.settings.accumulate
        self.train_loader.set_epoch(state.epoch, state.step_in_epoch * size)
        batches = iter(self.train_loader)
        self.reasoner.train()
        self.clock.tick("step")
        for _ in range(state.step_in_epoch, self.steps_per_epoch):
            save = self._step([batch.to(self.device) for batch in islice(batches, size)])
            if save and state.step_in_epoch < self.steps_per_epoch:
                self._save()
        self._end_epoch()
        self._save()

    def _step(self, batches: list[GraphBatch]) -> bool:
        """Take one step of the optimiser; return whether it is time for a checkpoint."""
        state, settings = self.state, self.settings
        lr = set_rates(self.optimiser, settings, state.step, self.steps)
        due = not self.processes.rank and time.monotonic() - self.saved >= settings.save_every
        weight = sum(float(group_weights(batch, self.class_weights).sum()) for batch in batches)
        agreed = torch.tensor([weight, due], dtype=torch.float64, device=self.device)
        self.processes.sum([agreed])
        total, loss = float(agreed[0]), torch.zeros((), device=self.device)
        for batch in batches if total else ():
            part = batch_loss(self.reasoner, batch, settings, self.class_weights) / total
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.detach()
        self.processes.sum([loss])
        self._update(float(loss))
        state.step, state.step_in_epoch = state.step + 1, state.step_in_epoch + 1
        state.loss += float(loss)
        self.clock.tick("step")
        self.board.write(state.step, {"train/loss": float(loss)} | {f"lr/{name}": rate for name, rate in lr.items()})
        self.watch.report(self._progress("step", loss=float(loss), lr=lr))
        return bool(agreed[1])

    def _update(self, loss: float) -> None:
        sum_gradients(self.processes, self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.settings.clip or math.inf)
        if not math.isfinite(loss) or not bool(norm.isfinite()):
            what = f"the loss is {loss}" if not math.isfinite(loss) else f"the loss is {loss:.4g}, its gradient {norm}"
            rates = ", ".join(f"{group['rate']} {group['lr']:.3g}" for group in self.optimiser.param_groups)
            raise ConfigError(
                f"Epoch {self.state.epoch}, step {self.state.step}: {what}, expected finite numbers (rates: {rates}; "
                f"clip {self.settings.clip}). Lower [train] lr, set clip = 1.0, or precision = 'fp32'. "
                "The last checkpoint is from before this step."
            )
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        share(self.processes, list(self.reasoner.buffers()))

    def _end_epoch(self) -> None:
        state = self.state
        mean, metrics, value = state.loss / self.steps_per_epoch, self._evaluate(), float(state.epoch)
        if self.dev_loader is not None:
            value = pick(metrics, self.settings.select)
            value = value if math.isfinite(value) else _TOO_LOW
        if better := state.best is None or value > state.best:
            state.best, state.best_epoch, state.stale = value, state.epoch, 0
        else:
            state.stale += 1
        finite = {name: number if math.isfinite(number) else None for name, number in metrics.items()}
        row = {"epoch": state.epoch, "step": state.step, "train_loss": mean, "seconds": round(self.clock.seconds, 3)}
        state.history.append(row | {"metrics": finite})
        if better and not self.processes.rank:
            save_weights(self.reasoner, self.folder / WEIGHTS, {"epoch": state.epoch, "metrics": finite})
        if not self.processes.rank:
            write_log(self.folder / "log.jsonl", state.history)
        self.board.write(state.step, {f"dev/{name}": number for name, number in metrics.items()})
        state.epoch, state.step_in_epoch, state.loss = state.epoch + 1, 0, 0.0
        if self.settings.patience and state.stale >= self.settings.patience:
            state.stopped = "patience"
        elif state.epoch == self.settings.epochs:
            state.stopped = "epochs"
        self.watch.report(self._progress("epoch", epoch=state.epoch - 1, loss=mean, metrics=metrics))

    def _evaluate(self) -> dict[str, float]:
        if self.dev_loader is None:
            return {}
        self.clock.tick("step")
        self.dev_loader.set_epoch(0)
        found = predict(self.reasoner, self.dev_loader, precision=self.settings.precision, processes=self.processes)
        metrics = {name: float(value) for name, value in self.watch.evaluate(found).items()}
        self.clock.tick("evaluation")
        return metrics

    def _resume(self) -> bool:
        setup = resume.setup_of(self.reasoner, self.settings, self.seed, self.steps_per_epoch, self.processes.world)
        self.setup = setup
        found = resume.load(self.folder, self.reasoner, self.optimiser, setup, self.processes.rank)
        if found is not None:
            self.state = _State(**found)
        return found is not None

    def _save(self) -> None:
        self.state.seconds = self.clock.seconds
        generators = self.processes.gather(seeds.capture())
        if not self.processes.rank:
            resume.save(self.folder, self.reasoner, self.optimiser, self.setup, generators, asdict(self.state))
        self.saved = time.monotonic()
        self.watch.report(self._progress("saved", text=str(self.folder / resume.LAST)))

    def _finish(self) -> FitResult:
        state = self.state
        if not self.processes.rank:
            load_weights(self.reasoner, self.folder / WEIGHTS)
        share(self.processes, list(weights_of(self.reasoner).values()))
        best = state.history[state.best_epoch]["metrics"]
        metrics = {name: math.nan if value is None else float(value) for name, value in best.items()}
        self.watch.report(self._progress("end", epoch=state.best_epoch, metrics=metrics, text=state.stopped))
        return FitResult(
            epochs=state.epoch,
            best_epoch=state.best_epoch,
            metrics=metrics,
            history=state.history,
            seconds=state.seconds,
            weights=self.folder / WEIGHTS,
            stopped=state.stopped,
        )

    def _progress(self, kind: Any, epoch: int | None = None, **told: Any) -> Progress:
        state = self.state
        return Progress(
            kind=kind,
            epoch=state.epoch if epoch is None else epoch,
            epochs=self.settings.epochs,
            step=state.step,
            steps=self.steps,
            seconds=self.clock.seconds,
            left=0.0 if state.stopped else self.clock.left(self.steps - state.step),
            **told,
        )

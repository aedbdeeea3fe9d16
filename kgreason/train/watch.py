"""Where training tells what it does: structured events, a log file, TensorBoard."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, final

from kgreason.errors import StoreError
from kgreason.whole import write_whole


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Something that happened in training.

    Args:
        kind: `start` (also of a resumed run), `step`, `epoch` (with metrics), `saved` (a checkpoint), `note` (something
            the user should know once), `end`.
        epoch: Counted from 0; in `end`, the epoch whose weights were kept.
        epochs: How many there are at most.
        step: Steps of the optimiser done so far.
        steps: How many there are at most.
        loss: Training loss: of a step its own, of an epoch the mean.
        lr: Learning rate by group of parameters.
        metrics: On the dev set, of an epoch.
        seconds: Since the run began, earlier parts of a resumed run included.
        left: Seconds until the last epoch ends, if it does not stop earlier.
        text: For people.
    """

    kind: Literal["start", "step", "epoch", "saved", "note", "end"]
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: float = 0.0
    lr: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    left: float = 0.0
    text: str = ""


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report nothing."""


@final
class Clock:
    """Measures how long a run takes and says how long it has still to go.

    Args:
        before: Seconds that earlier parts of the run took.
        steps_per_epoch: To turn the time between epochs (evaluation) into time to come.
    """

    def __init__(self, before: float, steps_per_epoch: int) -> None:
        self.begin, self.per_epoch = time.monotonic() - before, steps_per_epoch
        self.step_seconds, self.eval_seconds, self.last = 0.0, 0.0, time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def tick(self, kind: Literal["step", "evaluation"]) -> None:
        """Note that a step or an evaluation just ended."""
        now = time.monotonic()
        took, self.last = now - self.last, now
        if kind == "step":  # a running mean, since batches differ in length
            self.step_seconds = took if not self.step_seconds else 0.98 * self.step_seconds + 0.02 * took
        else:
            self.eval_seconds = took

    def left(self, steps: int) -> float:
        """Return the seconds that `steps` more steps will take, with the evaluations that fall in between."""
        return steps * self.step_seconds + -(-steps // self.per_epoch) * self.eval_seconds


@final
class Board:
    """Writes scalars for TensorBoard, if it is wanted and installed; says once if it is wanted and missing.

    A log that cannot be written is told of once and left alone, as any tracker's is: the run goes on.

    Args:
        folder: Where the logs go.
        wanted: Whether to write at all.
        step: Where the run goes on; what an interrupted one wrote beyond it is dropped.
        report: Gets the note.
    """

    def __init__(self, folder: Path, wanted: bool, step: int, report: Report) -> None:
        self.writer: Any = None
        self._report = report
        if not wanted:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            report(Progress(kind="note", text="No TensorBoard logs: pip install 'kgreason[train]' would add them."))
            return
        with self._guard():
            self.writer = SummaryWriter(str(folder), purge_step=step or None)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write scalars by name."""
        with self._guard():
            for name, value in values.items():
                if self.writer is not None:
                    self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        with self._guard():
            if self.writer is not None:
                self.writer.close()

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.writer = None
            text = f"TensorBoard's log could not be written: {error}. The run goes on without it."
            self._report(Progress(kind="note", text=text))


def write_log(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write one JSON line per epoch, replacing the file at once.

    Raises:
        StoreError: If it cannot be written.
    """
    try:
        write_whole(path, "".join(json.dumps(row) + "\n" for row in history).encode())
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error}. Free some space or name another folder.") from error

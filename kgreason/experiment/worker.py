"""A process that runs what it is told, one run after the other: `python -P -m kgreason.experiment.worker`.

Lines of JSON come in on stdin: first how to run, then one line for each run. Lines of JSON go out on stdout: what
happens. Whatever a library prints goes to stderr. When stdin ends, whoever started this process is gone, and it ends.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any, final

#: Seconds between two lines of progress, at least.
_EVERY = 0.5

Say = Callable[[dict[str, Any]], None]


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One run: a row of an ablation with one seed.

    Args:
        row: Its name.
        seed: Of the run.
        config: The tables of what is trained, with this seed.
        tested: Overrides with which the trained run is tested; None if it is trained with all it has.
        sources: The files that it was read from.
    """

    row: str
    seed: int
    config: dict[str, Any]
    tested: dict[str, Any] | None = None
    sources: dict[str, str] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class Manner:
    """How a worker runs, none of which changes a number.

    Args:
        out: The folder of all runs.
        device: A torch device.
        threads: Of the processor, for each run.
        any_code: Whether a finished run of the same settings by other code will do.
        track: Trackers that are told of each run as well.
        path: Where Python looks for modules, `module:Class` of the user's own among them.
    """

    out: str
    device: str = "cpu"
    threads: int = 1
    any_code: bool = False
    track: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)


def run_task(task: Task, again: bool, options: Any, say: Say) -> None:
    """Run a task and say how it ends: `done`, `busy` (another process runs it), or `failed`; no error leaves.

    Args:
        task: What to run.
        again: Forget what was run before.
        options: `kgreason.experiment.run.Options`, which says where and how.
        say: Is told.
    """
    from dataclasses import replace

    from kgreason.errors import KgreasonError
    from kgreason.experiment.config import ExperimentConfig
    from kgreason.experiment.lease import BusyError
    from kgreason.experiment.retest import retest
    from kgreason.experiment.run import run_experiment

    options = replace(options, sources=task.sources, again=again)
    try:
        config = ExperimentConfig.from_dict(task.config)
        run = run_experiment(config, options if task.tested is None else replace(options, again=False))
        if task.tested is not None:
            run = retest(run.folder, task.tested, options)
    except BusyError as error:
        say({"kind": "busy", "text": str(error), "folder": str(error.folder)})
    except KgreasonError as error:
        say({"kind": "failed", "text": f"{type(error).__name__}: {error}"})
    except Exception as error:  # a defect of ours or of the user's component: its traceback is what helps
        told = str(error).splitlines()[:1]
        say({"kind": "failed", "text": f"{type(error).__name__}: {''.join(told)}", "log": traceback.format_exc()})
    else:
        say({"kind": "done", "folder": str(run.folder), "fresh": run.fresh, "metrics": run.metrics})


def main() -> None:
    """Run tasks until stdin ends."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    lock = threading.Lock()

    def say(told: dict[str, Any]) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            out.write(json.dumps(told) + "\n")
            out.flush()

    lines: Queue[str] = Queue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    manner = Manner(**json.loads(lines.get()))
    sys.path[:] = manner.path or sys.path
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stopped run cleans up as an interrupted one does
    options = _options(manner, say)
    say({"kind": "ready", "code": _code()})
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            told = json.loads(lines.get())
            run_task(Task(**told["task"]), told["again"], options, say)
    os._exit(0)  # nothing is left to do, and threads of libraries need not be waited for


def _code() -> str:
    from kgreason.experiment.code import snapshot_hash

    return snapshot_hash()


def _listen(lines: "Queue[str]") -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(3)


def _options(manner: Manner, say: Say) -> Any:
    from kgreason.runtime import tune

    tune(manner.threads)
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    from kgreason.experiment.run import Options

    last = [0.0]

    def often(told: dict[str, Any]) -> None:
        if time.monotonic() - last[0] >= _EVERY:
            last[0] = time.monotonic()
            say(told)

    def watch(progress: Any) -> None:
        told = {"kind": "progress", "epoch": progress.epoch, "epochs": progress.epochs, "left": progress.left}
        say(told | {"dev": dict(progress.metrics)}) if progress.kind == "epoch" else often(told)

    return Options(
        out=Path(manner.out),
        device=manner.device,
        tell=lambda text: say({"kind": "tell", "text": text}),
        step=lambda what, done, whole: often({"kind": "step", "what": what, "done": done, "whole": whole}),
        watch=watch,
        where=lambda folder: say({"kind": "where", "folder": str(folder)}),
        any_code=manner.any_code,
        track=tuple(manner.track),
    )


if __name__ == "__main__":
    main()

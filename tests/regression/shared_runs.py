"""Runs an ablation in processes that are killed at random: `shared_runs.py FILE OUT KILLS SEED`; see test_ablate.py.

Everything is imported and compiled once, and each process is a fork: a kill costs no start. Two processes at a time
share the folder. With a fifth argument, `machines`, each says that it is on a machine of its own, so that the one knows
of the other's death by its silence alone.
"""

import os
import random
import signal
import socket
import sys
import time
from pathlib import Path

from kgreason.experiment import lease
from kgreason.experiment.ablate import Ablation, run_ablation
from kgreason.experiment.code import snapshot
from kgreason.experiment.crew import Crew
from kgreason.experiment.run import Options
from kgreason.experiment.shelf import Shelf
from kgreason.experiment.sweep import sweep
from kgreason.experiment.worker import Task, run_task

#: Seconds without a sign of life after which a process on another machine counts as dead; in the real world 90.
SILENT = 4.0


class OwnProcess:
    """A crew of one: this process itself."""

    def __init__(self, options: Options) -> None:
        self.options, self.events = options, []

    def idle(self) -> list[int]:
        return [] if self.events else [0]

    def start(self, worker: int, task: Task, again: bool) -> None:
        run_task(task, again, self.options, lambda told: self.events.append((worker, told)))

    def poll(self, seconds: float) -> list[tuple[int, dict]]:
        found, self.events = self.events, []
        if not found:
            time.sleep(seconds)
        return found

    def stop(self) -> None: ...


def work(file: Path, out: Path, limit: int = 0, machine: str = "") -> int:
    """Fork a process that works on the ablation, on a machine of some name; return its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if machine:
            socket.gethostname = lambda: machine
            lease.BEAT, lease.DEAD = SILENT / 20, SILENT
        if limit:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        crew: Crew = OwnProcess(Options(out=out))
        board = sweep(Ablation.from_toml(file), crew, tell=lambda text: print(text, flush=True))  # noqa: T201
        code = 3 if board.failed() else 0
    finally:
        os._exit(code)


def warm(file: Path, cache: Path) -> None:
    """Compile what parses and grounds, over a cache of its own, and read the code that all forks count with."""
    snapshot()
    own = os.environ["KGREASON_CACHE"]
    os.environ["KGREASON_CACHE"] = str(cache)
    ablation, shelf = Ablation.from_toml(file), Shelf()
    for row in ablation.variants:
        config = ablation.config(row, 0)
        shelf.prepare(config, shelf.open(config).splits.train, "train", lambda what, done, whole: None)
    os.environ["KGREASON_CACHE"] = own


def main() -> None:
    file, out, kills, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    draw, machines = random.Random(seed), ("one", "two") if sys.argv[5:] == ["machines"] else ("", "")
    warm(file, out.with_name(f"{out.name}-warm"))
    for _ in range(kills):
        children = [work(file, out, machine=machine) for machine in machines]
        time.sleep(draw.uniform(0.05, 1.2))
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    for limit in (
        draw.sample(range(1000, 60_000), 3) if kills and not machines[0] else []
    ):  # the disk is full after so many bytes
        os.waitpid(work(file, out, limit), 0)
    children = [work(file, out, machine=machine) for machine in machines]
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    told: list[str] = []
    run_ablation(Ablation.from_toml(file), Options(out=out, tell=told.append), lambda what, done, whole: None)
    assert all(code == 0 for code in ends), ends
    assert not any(line.startswith("Trained") for line in told), "something was left to do"


if __name__ == "__main__":
    main()

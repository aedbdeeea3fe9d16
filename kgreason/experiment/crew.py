"""Processes of this machine that run tasks side by side, each within its memory and its time."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any, Protocol, final, runtime_checkable

import kgreason
from kgreason.experiment.worker import Manner, Task

#: Seconds between two looks at what a process uses; how long one has to clean up when it is stopped.
_LOOK, _GRACE = 0.5, 10.0
#: Characters of what a dead process said; bytes that a run is taken to need where nothing is said.
_TAIL, _USUAL = 4000, 2 * 10**9

#: What happened to a worker: its number, and an event of `kgreason.experiment.worker`.
Event = tuple[int, dict[str, Any]]


@runtime_checkable
class Crew(Protocol):
    """Workers, each with one task at a time."""

    def idle(self) -> list[int]:
        """Return the numbers of the workers that have nothing to do."""
        ...

    def start(self, worker: int, task: Task, again: bool) -> None:
        """Give a worker a task."""
        ...

    def poll(self, seconds: float) -> list[Event]:
        """Return what has happened; wait for something for so long. Each task ends in `done`, `busy` or `failed`."""
        ...

    def stop(self) -> None:
        """End all workers, and what they are doing."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use; 0 is no limit.

    Args:
        memory: In bytes: what is the process's own of the memory that is resident, so that files which are mapped and
            shared do not count. A process is looked at twice a second, and has one run alone.
        minutes: By the clock.
    """

    memory: int = 0
    minutes: float = 0.0


@final
@dataclass(slots=True)
class _Worker:
    process: "subprocess.Popen[str]"
    errors: IO[bytes]
    task: Task | None = None
    since: float = 0.0
    runs: int = 0
    over: str = ""
    reader: threading.Thread | None = None


@final
class LocalCrew:
    """Worker processes on this machine. One that dies is reported, and the next task gets a new one.

    Args:
        jobs: How many.
        manner: How they run.
        limits: Of each run.
        gpus: The devices, as `CUDA_VISIBLE_DEVICES` names them, given to workers in turn; empty leaves them all to all.
    """

    def __init__(self, jobs: int, manner: Manner, limits: Limits | None = None, gpus: Sequence[str] = ()) -> None:
        self.jobs, self.limits, self._gpus = jobs, limits or Limits(), gpus
        self._manner = asdict(manner) | {"path": manner.path or [entry or str(Path.cwd()) for entry in sys.path]}
        self._workers: dict[int, _Worker] = {}
        self._events: Queue[tuple[int, _Worker, dict[str, Any]]] = Queue()
        self._looked = 0.0

    def idle(self) -> list[int]:
        return [i for i in range(self.jobs) if i not in self._workers or self._workers[i].task is None]

    def start(self, worker: int, task: Task, again: bool) -> None:
        found = self._workers.get(worker)
        if found is not None and (found.process.poll() is not None or (self.limits.memory and found.runs)):
            self._end(found)
            found = None
        if found is None:
            found = self._workers[worker] = self._begin(worker)
        found.task, found.since, found.over, found.runs = task, time.monotonic(), "", found.runs + 1
        self._write(found, {"task": asdict(task), "again": again})

    def poll(self, seconds: float) -> list[Event]:
        self._look()
        found: list[Event] = []
        try:
            waiting = [self._events.get(timeout=seconds)]
            while not self._events.empty():
                waiting.append(self._events.get_nowait())
        except Empty:
            return found
        for i, worker, event in waiting:
            if event["kind"] == "gone":
                if worker.task is None:
                    continue
                event = self._died(worker)
            if event["kind"] in ("done", "busy", "failed"):
                worker.task = None
            found.append((i, event))
        return found

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.task = None
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in self._workers.values():
            self._end(worker, _GRACE)
        self._workers.clear()

    def _begin(self, number: int) -> _Worker:
        environment = dict(os.environ)
        beside = str(Path(kgreason.__file__).parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [beside, environment.get("PYTHONPATH", "")]))
        environment |= {"OMP_NUM_THREADS": str(self._manner["threads"]), "OMP_WAIT_POLICY": "PASSIVE"}
        if self._gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self._gpus[number % len(self._gpus)]
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kgreason.experiment.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for us alone; we stop them
        )
        worker = _Worker(process, errors)
        worker.reader = threading.Thread(target=self._read, args=(number, worker), daemon=True)
        worker.reader.start()
        self._write(worker, self._manner)
        return worker

    def _write(self, worker: _Worker, told: dict[str, Any]) -> None:
        pipe = worker.process.stdin
        if pipe is None:
            return
        try:
            pipe.write(json.dumps(told) + "\n")
            pipe.flush()
        except OSError:  # it has died; its reader tells
            return

    def _read(self, number: int, worker: _Worker) -> None:
        if worker.process.stdout is not None:
            with worker.process.stdout as lines:
                for line in lines:
                    self._events.put((number, worker, json.loads(line)))
        self._events.put((number, worker, {"kind": "gone"}))

    def _look(self) -> None:
        """End the runs that take more than they may."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        for worker in self._workers.values():
            if worker.task is None or worker.over or worker.process.poll() is not None:
                continue
            minutes, used = (now - worker.since) / 60, own_memory(worker.process.pid) if self.limits.memory else 0
            if self.limits.memory and used > self.limits.memory:
                worker.over = f"it took {used / 1e9:.2f} GB of memory, and may take {self.limits.memory / 1e9:.2f}"
            elif self.limits.minutes and minutes > self.limits.minutes:
                worker.over = f"it took more than the {self.limits.minutes:g} minutes it may take"
            if worker.over:
                worker.process.kill()

    def _died(self, worker: _Worker) -> dict[str, Any]:
        code = worker.process.wait()
        how = f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"
        if code == -9 and not worker.over:
            how += " (this machine may have run out of memory)"
        return {"kind": "failed", "text": f"Stopped: {worker.over or how}.", "log": _tail(worker.errors)}

    def _end(self, worker: _Worker, grace: float = 0.0) -> None:
        """Let a worker finish what it cleans up; then tell it that nobody listens any more; then kill it."""
        for seconds, then in ((grace, _hang_up), (2.0, subprocess.Popen.kill)):
            try:
                worker.process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                then(worker.process)
        worker.process.wait()
        _hang_up(worker.process)
        if worker.reader is not None:
            worker.reader.join()
        worker.errors.close()


def _hang_up(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def local_jobs(runs: int, threads: int, memory: int = 0, gpus: int = 0) -> int:
    """Return how many runs fit on this machine at a time: one per GPU, or as many as cores and memory allow."""
    if gpus:
        return min(gpus, runs)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    fitting = _free_memory() // (memory or _USUAL)
    return max(1, min(cores // threads, runs, fitting))


def local_gpus() -> list[str]:
    """Return this process's CUDA devices as `CUDA_VISIBLE_DEVICES` names them."""
    if named := os.environ.get("CUDA_VISIBLE_DEVICES", ""):
        return [name.strip() for name in named.split(",") if name.strip()]
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]


def _free_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
    except (OSError, StopIteration):
        return 2**62


def own_memory(pid: int) -> int:
    """Return how much memory is resident and a process's own, in bytes; 0 if there is no such process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return _resident(pid)
    sizes = {name: int(size.split()[0]) for name, _, size in (line.partition(":") for line in lines) if "kB" in size}
    return 1024 * (sizes.get("RssAnon", sizes.get("VmRSS", 0)) + sizes.get("RssShmem", 0))


def _resident(pid: int) -> int:
    """Ask `ps` where there is no /proc."""
    if Path("/proc/self").exists():
        return 0
    found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return 1024 * int(found.stdout.strip() or 0)


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    return file.read().decode("utf-8", "replace")

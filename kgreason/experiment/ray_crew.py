"""Workers on a Ray cluster: the same processes with the same limits, on machines that Ray finds room on."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from kgreason.errors import ConfigError, MissingExtraError, StoreError
from kgreason.experiment import record
from kgreason.experiment.crew import Event, Limits, LocalCrew
from kgreason.experiment.worker import Manner, Task

#: What a cluster of this machine alone is called.
LOCAL = "local"


@final
class Member:
    """What runs on a machine of the cluster: one worker process, beside the actor that speaks for it.

    The process is of the same kind as on one machine, so a run that takes too much, or dies, ends as it does there, and
    the actor lives on.

    Args:
        manner: How it runs. The folder of runs is taken as it stands there, whether it is shared or not.
        limits: Of each run.
    """

    def __init__(self, manner: Manner, limits: Limits) -> None:
        self._crew = LocalCrew(1, manner, limits)

    def start(self, task: Task, again: bool) -> None:
        """Begin a task."""
        self._crew.start(0, task, again)

    def poll(self, seconds: float) -> list[dict[str, Any]]:
        """Return what has happened."""
        return [event for _, event in self._crew.poll(seconds)]

    def files(self, folder: str) -> dict[str, bytes]:
        """Return the files of a run, for a machine that does not share the folder."""
        root = Path(folder)
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and _wanted(p)}

    def stop(self) -> None:
        """End the process."""
        self._crew.stop()


@final
class RayCrew:
    """Workers on a Ray cluster. Every machine needs kgreason, the same data, and best of all the same folder of runs.

    Where the folder of runs is not shared, a finished run's files are fetched from the machine that made it.

    Args:
        address: Of the cluster, `auto` for the one that this machine is part of, or `local` for one of this machine.
        jobs: How many runs at a time; 0 for as many as the cluster has room for.
        runs: How many there are.
        manner: How they run.
        limits: Of each run; the memory is also what Ray sets aside.

    Raises:
        MissingExtraError: If Ray is not installed.
        ConfigError: If the cluster cannot be reached, or has no room.
    """

    def __init__(self, address: str, jobs: int, runs: int, manner: Manner, limits: Limits) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("ray", "ray", "kgreason ablate --ray") from error
        self._ray, self._manner, self._limits = ray, manner, limits
        self._begin(address, jobs)
        room: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        fits = int(room.get("GPU", 0) if self._gpu() else room.get("CPU", 0) // manner.threads)
        self.jobs = min(jobs or fits, runs)
        if self.jobs < 1:
            raise ConfigError(f"The Ray cluster has no room: it offers {dict(room)}, and a run needs {self._needs()}.")
        self._members: dict[int, Any] = {}
        self._busy: dict[int, Task] = {}
        self._asked: dict[Any, int] = {}

    def idle(self) -> list[int]:
        return [i for i in range(self.jobs) if i not in self._busy]

    def start(self, worker: int, task: Task, again: bool) -> None:
        if worker not in self._members:
            made = self._ray.remote(**self._needs())(Member)
            manner = replace(self._manner, out=str(Path(self._manner.out).absolute()), path=_paths(self._manner))
            self._members[worker] = made.remote(manner, self._limits)
        self._members[worker].start.remote(task, again)
        self._busy[worker] = task
        self._ask(worker)

    def poll(self, seconds: float) -> list[Event]:
        if not self._asked:
            return []
        ready, _ = self._ray.wait(list(self._asked), timeout=max(seconds, 0.05))
        found: list[Event] = []
        for asked in ready:
            worker = self._asked.pop(asked)
            for event in self._heard(worker, asked):
                if event["kind"] in ("done", "busy", "failed"):
                    self._busy.pop(worker, None)
                found.append((worker, event))
            if worker in self._busy:
                self._ask(worker)
        return found

    def stop(self) -> None:
        for member in self._members.values():
            try:
                self._ray.get(member.stop.remote(), timeout=15)
            except (self._ray.exceptions.RayError, TimeoutError):
                continue
        self._members.clear()
        self._ray.shutdown()

    def _ask(self, worker: int) -> None:
        self._asked[self._members[worker].poll.remote(0.5)] = worker

    def _heard(self, worker: int, asked: Any) -> list[dict[str, Any]]:
        try:
            events: list[dict[str, Any]] = self._ray.get(asked)
            for event in events:
                if event["kind"] == "done":
                    self._fetch(worker, Path(event["folder"]))
        except (self._ray.exceptions.RayError, StoreError) as error:
            self._members.pop(worker, None)  # the next task gets a new one, on a machine that is there
            told = str(error).strip().splitlines()
            return [{"kind": "failed", "text": f"Its machine was lost: {told[-1] if told else error!r}"}]
        return events

    def _fetch(self, worker: int, folder: Path) -> None:
        if (folder / record.METRICS).is_file():
            return
        files: Mapping[str, bytes] = self._ray.get(self._members[worker].files.remote(str(folder)))
        last = {name: data for name, data in files.items() if name == record.METRICS}
        for name, data in [*((n, d) for n, d in files.items() if n not in last), *last.items()]:
            record.write_bytes(folder / name, [data])

    def _begin(self, address: str, jobs: int) -> None:
        own: dict[str, Any] = {"num_cpus": max(jobs * self._manner.threads, 1)} if jobs else {}
        try:
            # address "local" starts a cluster even where RAY_ADDRESS names another
            self._ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(own | {"include_dashboard": False} if address == LOCAL else {}),
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            told = str(error).strip().splitlines()[0]
            raise ConfigError(f"--ray {address}: {told} Start a cluster with: ray start --head") from error

    def _gpu(self) -> bool:
        return self._manner.device.startswith("cuda")

    def _needs(self) -> dict[str, Any]:
        needs: dict[str, Any] = {"num_cpus": self._manner.threads, "num_gpus": 1 if self._gpu() else 0}
        return needs | ({"memory": self._limits.memory} if self._limits.memory else {})


def _wanted(path: Path) -> bool:
    return not path.name.startswith((".", "lease.", "last."))


def _paths(manner: Manner) -> list[str]:
    """Return where modules of the user's own are found: on the other machine, as here."""
    import sys

    return manner.path or [entry or str(Path.cwd()) for entry in sys.path]

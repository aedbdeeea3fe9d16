"""Runs all rows of an ablation with all seeds, side by side, and shares the work with others that run the same file."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, final

from kgreason.errors import StoreError
from kgreason.experiment import lease, record
from kgreason.experiment.ablate import Ablation
from kgreason.experiment.code import snapshot_hash
from kgreason.experiment.crew import Crew
from kgreason.experiment.run import Run
from kgreason.experiment.worker import Task

#: In the folder of a run that failed: why, when, and the last lines of what it said.
FAILED = "failed.json"
#: Seconds between two looks at a run that another process has; for how long an event is waited for; lines of a log.
_LOOK, _WAIT, _LINES = 2.0, 0.2, 12

State = Literal["waiting", "running", "elsewhere", "done", "failed"]


@final
@dataclass(slots=True)
class Job:
    """One row with one seed, and where it stands.

    Args:
        row, seed: Which.
        state: `elsewhere`: another process, maybe on another machine, runs it.
        run: What it came to.
        why: Why it failed.
        log: The last lines that it said.
        progress: The last event of `kgreason.experiment.worker` that tells how far it is.
        seconds: How long it has run here.
        folder: Of the run, once it is known.
        since: When it was begun here.
    """

    row: str
    seed: int
    state: State = "waiting"
    run: Run | None = None
    why: str = ""
    log: list[str] = field(default_factory=list)
    progress: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    folder: Path | None = None
    since: float = 0.0


@final
@dataclass(slots=True)
class Board:
    """All runs of an ablation, as they stand.

    Args:
        ablation: What is run.
        jobs: In the order in which they are run.
    """

    ablation: Ablation
    jobs: dict[tuple[str, int], Job]

    def runs(self) -> dict[tuple[str, int], Run]:
        """Return the runs that are done."""
        return {key: job.run for key, job in self.jobs.items() if job.run is not None}

    def failed(self) -> list[Job]:
        """Return the runs that failed."""
        return [job for job in self.jobs.values() if job.state == "failed"]

    def whole(self) -> Ablation | None:
        """Return the ablation with the rows that are done for every seed; None if the one to compare with is not."""
        done = {row for row in self.ablation.variants if all((row, s) in self.runs() for s in self.ablation.seeds)}
        if self.ablation.against not in done:
            return None
        kept = {row: overrides for row, overrides in self.ablation.variants.items() if row in done}
        return replace(self.ablation, variants=kept, tests=self.ablation.tests & done)


def sweep(
    ablation: Ablation,
    crew: Crew,
    again: bool = False,
    watch: Callable[[Board], None] = lambda board: None,
    tell: Callable[[str], None] = lambda text: None,
) -> Board:
    """Run every row with every seed; return when all are done or have failed.

    What was run before is not run again. A run that another process has is left to it, and taken over if that process
    dies; so any number of processes and machines that see the same folder may be given the same file. A run that fails
    is reported, and the rest goes on; it is tried again by the next call.

    Args:
        ablation: What to run.
        crew: Who runs it.
        again: Forget what was run before.
        watch: Is shown the board whenever something has happened.
        tell: Gets a line for people, now and then.

    Raises:
        KeyboardInterrupt: On Ctrl-C; the next call goes on.
    """
    board = Board(ablation, {key: Job(*key) for key in ablation.todo()})
    course = _Course(board, crew, again, tell)
    try:
        while course.open():
            course.hand_out()
            changed = course.hear()
            changed |= course.look_elsewhere()
            if changed:
                watch(board)
    finally:
        crew.stop()
    return board


@final
class _Course:
    """One call of `sweep`."""

    def __init__(self, board: Board, crew: Crew, again: bool, tell: Callable[[str], None]) -> None:
        self.board, self.crew, self.again, self.tell = board, crew, again, tell
        self.at: dict[int, Job] = {}
        self.begun, self.looked = time.time(), 0.0
        self.tried: set[tuple[str, int]] = set()
        self.warned = False
        snapshot_hash()
        self._take: dict[str, Callable[[Job, dict[str, Any]], None]] = {
            "ready": self._ready_with,
            "where": lambda job, event: setattr(job, "folder", Path(event["folder"])),
            "step": lambda job, event: job.progress.update(event),
            "progress": lambda job, event: job.progress.update(event),
            "tell": self._tell,
            "done": self._done,
            "busy": self._busy,
            "failed": self._failed,
        }

    def open(self) -> bool:
        return any(job.state in ("waiting", "running", "elsewhere") for job in self.board.jobs.values())

    def hand_out(self) -> None:
        for worker in self.crew.idle():
            job = next((job for job in self.board.jobs.values() if job.state == "waiting" and self._ready(job)), None)
            if job is None:
                return
            key = (job.row, job.seed)
            job.state, job.since, job.progress, job.log = "running", time.monotonic(), {}, []
            self.at[worker] = job
            self.crew.start(worker, _task(self.board.ablation, job), self.again and key not in self.tried)
            self.tried.add(key)

    def _ready(self, job: Job) -> bool:
        """Return whether the run that a row of `[tests]` tests is there; if that failed, so does its test."""
        trained = self.board.ablation.trained(job.row)
        if trained == job.row:
            return True
        needed = self.board.jobs[trained, job.seed]
        if needed.state == "failed":
            job.state, job.why = "failed", f"the run that it tests, '{trained}', failed"
        return needed.state == "done"

    def hear(self) -> bool:
        events = self.crew.poll(_WAIT)
        for worker, event in events:
            job = self.at.get(worker)
            if job is not None:
                job.seconds = time.monotonic() - job.since
                self._take[event["kind"]](job, event)
        return bool(events)

    def _ready_with(self, job: Job, event: dict[str, Any]) -> None:
        if event["code"] != snapshot_hash() and not self.warned:
            self.warned = True
            self.tell(
                "The code has changed since this ablation began: runs of the new code go to folders of their own."
            )

    def _tell(self, job: Job, event: dict[str, Any]) -> None:
        job.log = [*job.log, event["text"]][-_LINES:]
        self.tell(f"{job.row}, seed {job.seed}: {event['text']}")

    def _done(self, job: Job, event: dict[str, Any]) -> None:
        job.state, job.run = "done", Run(Path(event["folder"]), event["metrics"], bool(event["fresh"]))
        (job.run.folder / FAILED).unlink(missing_ok=True)

    def _busy(self, job: Job, event: dict[str, Any]) -> None:
        job.state, job.folder = "elsewhere", Path(event["folder"])
        self.tell(f"{job.row}, seed {job.seed}: {event['text']}")

    def _failed(self, job: Job, event: dict[str, Any]) -> None:
        job.state, job.why = "failed", event["text"]
        job.log += event.get("log", "").splitlines()[-_LINES:]
        self.tell(f"{job.row}, seed {job.seed} FAILED: {job.why}")
        if job.folder is not None:
            told = {"why": job.why, "row": job.row, "seed": job.seed, "when": time.time(), "log": job.log}
            try:
                record.write_json(job.folder / FAILED, told)
            except StoreError as error:
                self.tell(str(error))

    def look_elsewhere(self) -> bool:
        """See whether the runs of others are over: done, failed, or left."""
        if time.monotonic() - self.looked < _LOOK:
            return False
        self.looked, changed = time.monotonic(), False
        for job in self.board.jobs.values():
            if job.state == "elsewhere" and job.folder is not None and not lease.busy(job.folder):
                changed = True
                said = _said(job.folder / FAILED)
                if said.get("when", 0) > self.begun and not (job.folder / record.METRICS).is_file():
                    job.state, job.why, job.log = "failed", f"{said['why']} (in another process)", said["log"]
                else:
                    job.state = "waiting"  # done, which a worker will find; or to be taken over
        return changed


def _said(path: Path) -> dict[str, Any]:
    try:
        return record.read_json(path)
    except StoreError:
        return {}


def _task(ablation: Ablation, job: Job) -> Task:
    config = ablation.config(ablation.trained(job.row), job.seed)
    tested = ablation.variants[job.row] if job.row in ablation.tests else None
    return Task(job.row, job.seed, config.as_tables(), tested, ablation.sources)

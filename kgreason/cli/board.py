"""The table of an ablation while it runs: on a terminal it lives, elsewhere there is a line for each run."""

import sys
import time
from typing import TYPE_CHECKING, Any, final

from kgreason.cli.console import is_quiet, say

if TYPE_CHECKING:
    from kgreason.experiment.sweep import Board, Job

#: Seconds between two drawings.
_EVERY = 0.5


@final
class Screen:
    """Shows a board. Used as a context, so that an interrupted ablation leaves the terminal as it was.

    Args:
        verbose: Also show what each run says.
    """

    def __init__(self, verbose: bool = False) -> None:
        self._verbose, self._last = verbose, 0.0
        self._told: set[tuple[str, int]] = set()
        self._live: Any = None

    def __enter__(self) -> "Screen":
        if sys.stderr.isatty() and not is_quiet():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, text: str) -> None:
        """Show a line that stays."""
        if self._live is not None:
            self._live.console.print(text, markup=False, highlight=False)
        else:
            say(text)

    def hear(self, text: str) -> None:
        """Take a line that a run says: shown if it was asked for, or tells of a failure."""
        if self._verbose or " FAILED: " in text:
            self.tell(text)

    def show(self, board: "Board") -> None:
        """Show how things stand."""
        for key, job in board.jobs.items():
            if job.run is not None and key not in self._told:
                self._told.add(key)
                if self._live is None:
                    say(_line(board, job, len(self._told)))
        if self._live is not None and time.monotonic() - self._last > _EVERY:
            self._last = time.monotonic()
            self._live.update(_table(board), refresh=True)

    def end(self, board: "Board") -> None:
        """Say what failed, and why."""
        for job in board.failed():
            self.tell(f"\n{job.row}, seed {job.seed} failed: {job.why}")
            for line in job.log:
                self.tell(f"    {line}")
        if failed := board.failed():
            rows = sorted({job.row for job in failed})
            self.tell(f"\n{len(failed)} of {len(board.jobs)} runs failed; the table has no row for: {', '.join(rows)}.")
            self.tell("The same command tries them again; what is done stays done.")


def score(job: "Job") -> tuple[str, float] | None:
    """Return the main metric of a run on its first test."""
    from kgreason.experiment.measure import SHOWN

    for test, scores in job.run.metrics["test"].items() if job.run is not None else ():
        for name in SHOWN:
            if name in scores:
                return f"{test} {name}", float(scores[name])
    return None


def _line(board: "Board", job: "Job", done: int) -> str:
    found = score(job)
    told = f"{found[0]} {found[1]:.4f}" if found else "done"
    before = "" if job.run is not None and job.run.fresh else ", done before"
    return f"[{done}/{len(board.jobs)}] {job.row}, seed {job.seed}: {told}{before}{_mean(board, job.row)}"


def _mean(board: "Board", row: str) -> str:
    values = [found[1] for job in board.jobs.values() if job.row == row and (found := score(job))]
    return f"; mean of {len(values)} so far {sum(values) / len(values):.4f}" if len(values) > 1 else ""


def _table(board: "Board") -> Any:
    from rich.table import Table

    jobs = list(board.jobs.values())
    named = next((found[0] for job in jobs if (found := score(job))), "score")
    done = sum(job.state == "done" for job in jobs)
    table = Table("row", "done", f"mean {named}", "now", box=None, caption=f"{done} of {len(jobs)} runs", expand=False)
    for row in board.ablation.variants:
        own = [job for job in jobs if job.row == row]
        values = [found[1] for job in own if (found := score(job))]
        mean = f"{100 * sum(values) / len(values):.1f}" if values else ""
        ready = f"{sum(job.state == 'done' for job in own)}/{len(own)}"
        table.add_row(row, ready, mean, " · ".join(filter(None, map(_now, own))))
    return table


def _now(job: "Job") -> str:
    """Return what a run does at the moment, in a few words."""
    if job.state == "failed":
        return f"seed {job.seed} failed"
    if job.state == "elsewhere":
        return f"seed {job.seed} runs elsewhere"
    if job.state != "running":
        return ""
    told = job.progress
    if told.get("kind") == "progress":
        return f"seed {job.seed}: epoch {told['epoch'] + 1} of {told['epochs']}, {told['left']:.0f} s left at most"
    return f"seed {job.seed}: {told['what']} {told['done']}/{told['whole']}" if "what" in told else f"seed {job.seed}"

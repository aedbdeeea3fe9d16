"""How every command speaks: results on stdout, all else on stderr; errors without a traceback; JSON lines in batch."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, final

from kgreason.errors import DataError, KgreasonError

EXIT_USER, EXIT_INTERRUPT = 2, 130
_INTERRUPTED = "Interrupted. Nothing was half written; a run goes on when the same command is given again."
#: Seconds between two lines of progress where there is no terminal.
_EVERY = 10.0


def print_json(result: object) -> None:
    """Write one JSON object on one line of stdout."""
    line = json.dumps(result, ensure_ascii=False, allow_nan=False, default=str)
    if any("\ud800" <= c <= "\udfff" for c in line):  # a lone surrogate has no UTF-8, but JSON can spell it
        line = json.dumps(result, allow_nan=False, default=str)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Write a line of progress or advice to stderr; nothing in quiet mode."""
    if not _LEVEL["quiet"]:
        sys.stderr.write(text + "\n")


_LEVEL = {"quiet": False}


def is_quiet() -> bool:
    """Return whether `say` is silenced."""
    return _LEVEL["quiet"]


def set_quiet(quiet: bool) -> None:
    """Silence `say` for the rest of this process."""
    _LEVEL["quiet"] = quiet


def run(command: Callable[[], Any]) -> int:
    """Run a command and return the exit code: 0, 2 for what the user can mend, 130 for Ctrl-C.

    Only errors raised on purpose, and those of the file system, lose their traceback: any other is a defect of ours,
    and its traceback is what a report needs.
    """
    try:
        command()
    except KgreasonError as error:
        return _fail(f"{type(error).__name__}: {error}", EXIT_USER)
    except BrokenPipeError:  # `kgreason … | head`: the reader has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        name = f" ({error.filename})" if error.filename else ""
        return _fail(f"{type(error).__name__}: {error.strerror or error}{name}. Nothing was half written.", EXIT_USER)
    except KeyboardInterrupt:
        return _fail(_INTERRUPTED, EXIT_INTERRUPT)
    except SystemExit as error:
        if error.code == EXIT_INTERRUPT:  # typer has turned Ctrl-C into an exit without a word
            return _fail(_INTERRUPTED, EXIT_INTERRUPT)
        raise
    return 0


def _fail(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    sys.stderr.write(message + "\n")
    return code


def terminate_as_interrupt() -> None:
    """Treat SIGTERM as Ctrl-C, so that a stopped run cleans up as an interrupted one does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, stop)


def read_jsonl(path: str) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    """Yield `(line number, object or error)` for each non-empty line of a file, or of stdin for `-`.

    A bad line is an error in its place, not the end: batch commands answer it with an `error` field and go on.
    """
    if path == "-":
        yield from _objects(sys.stdin.buffer, "stdin")
        return
    if not Path(path).is_file():
        raise DataError(f"--input {path}: there is no such file. Give a file of JSON lines, or - for stdin.")
    with Path(path).open("rb") as file:
        yield from _objects(file, path)


def _objects(lines: Any, name: str) -> Iterator[tuple[int, dict[str, Any] | DataError]]:
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            value = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            yield number, DataError(f"{name}, line {number} is not JSON in UTF-8: {error}")
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield number, DataError(f"{name}, line {number} is a {type(value).__name__}, expected a JSON object.")


@final
class Watcher:
    """Shows how far a run is: a bar on a terminal, a line every ten seconds elsewhere. All on stderr.

    Used as a context, so that an interrupted run leaves the terminal as it was.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._what, self._last = "", 0.0

    def __enter__(self) -> "Watcher":
        if sys.stderr.isatty() and not _LEVEL["quiet"]:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def tell(self, text: str) -> None:
        """Show a line that stays."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            say(text)

    def step(self, what: str, done: int, whole: int, note: str = "") -> None:
        """Show how much of something is done."""
        if self._bar is not None:
            if what != self._what and self._task is not None:
                self._bar.remove_task(self._task)
            if what != self._what or self._task is None:
                self._task = self._bar.add_task(what, total=whole)
            self._bar.update(self._task, completed=done, description=f"{what} {note}")
        elif time.monotonic() - self._last > _EVERY or (done == whole and what != self._what):
            self._last = time.monotonic()
            say(f"{what}: {done} of {whole} {note}".rstrip())
        self._what = what

    def watch(self, progress: Any) -> None:
        """Show what training tells (`kgreason.train.Progress`)."""
        if progress.kind == "step":
            left = f"loss {progress.loss:.3f}, {progress.left:.0f} s left at most"
            self.step(f"epoch {progress.epoch + 1} of {progress.epochs}", progress.step, progress.steps, left)
        elif progress.kind == "epoch":
            scores = ", ".join(f"{n} {v:.4f}" for n, v in progress.metrics.items() if n in ("accuracy", "macro_f1"))
            self.tell(f"epoch {progress.epoch + 1}: loss {progress.loss:.4f}, dev {scores}, {progress.seconds:.0f} s")
        elif progress.kind in ("start", "note"):
            self.tell(progress.text)

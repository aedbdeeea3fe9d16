"""How every command speaks: results on stdout, all else on stderr; errors without a traceback; JSON lines in batch."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kgreason.errors import DataError, KgreasonError

EXIT_USER, EXIT_INTERRUPT = 2, 130


def print_json(result: object) -> None:
    """Write one JSON object on one line of stdout."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def say(text: str) -> None:
    """Write a line of progress or advice to stderr; nothing in quiet mode."""
    if not _LEVEL["quiet"]:
        sys.stderr.write(text + "\n")


_LEVEL = {"quiet": False}


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
        return _fail("Interrupted.", EXIT_INTERRUPT)
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

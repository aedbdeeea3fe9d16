"""Asks a process of its own for what stands in the columns of Parquet and Arrow files."""

import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

from kgreason.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_PROGRAM = Path(__file__).with_name("decoder_child.py")
_LENGTH = struct.Struct(">Q")


@final
class Decoder:
    """Decodes files in a child process, started when it is first asked and ended with the context.

    A damaged file may end a decoder (polars allocates as much as the file says, and aborts the process): the child's
    end is an error of the file, and the next file has a new child. What the child hands on is written anew, so that
    nothing of the file's own layout is read here.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def names(self, path: Path, arrow: bool) -> list[str]:
        """Return what the columns of a file are called.

        Raises:
            DataError: If the file cannot be decoded; the message says what was said of it.
        """
        found: list[str] = json.loads(self._ask({"path": str(path), "arrow": arrow}))["names"]
        return found

    def rows(self, path: Path, arrow: bool, columns: list[str], start: int, most: int) -> "pl.DataFrame":
        """Return some rows of some columns.

        Raises:
            DataError: As `names`.
        """
        import polars as pl

        asked = {"path": str(path), "arrow": arrow, "columns": columns, "start": start, "rows": most}
        return pl.read_ipc(io.BytesIO(self._ask(asked)))

    def _ask(self, request: dict[str, Any]) -> bytes:
        child = self._child = self._child or subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if child.stdin is None or child.stdout is None:  # never, with pipes
            raise DataError("no pipe to the decoder")
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            length = child.stdout.read(_LENGTH.size)
            answer = child.stdout.read(_LENGTH.unpack(length)[0]) if len(length) == _LENGTH.size else b""
        except BrokenPipeError:
            answer = b""
        if not answer:
            self._end()
            raise DataError("the decoder broke off on it")
        if answer.startswith(b'{"error": '):
            raise DataError(json.loads(answer)["error"])
        return answer

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

"""Real SPARQL servers on this machine alone, each in a scratch folder, stopped by its own process."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

_INI = """
[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
[TempDatabase]
DatabaseFile = virtuoso-temp.db
TransactionFile = virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
ServerThreads = 10
CheckpointInterval = 0
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
DirsAllowed = .
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerRoot = .
ServerThreads = 8
[SPARQL]
ResultSetMaxRows = 10000
"""


@dataclass(frozen=True)
class Server:
    """A server that runs: where it is asked, how files of N-Triples get in, into a named graph or none; its process."""

    endpoint: str
    load: Callable[[Path, str], None]
    pid: int


@contextlib.contextmanager
def virtuoso(folder: Path) -> Iterator[Server]:
    """Start Virtuoso, or skip."""
    if shutil.which("virtuoso-t") is None or shutil.which("isql-vt") is None:
        _missing("Virtuoso is not installed: apt-get install virtuoso-opensource-7-bin")
    sql, http = _free_port(), _free_port()
    (folder / "virtuoso.ini").write_text(_INI.format(sql=sql, http=http))

    def load(path: Path, graph: str) -> None:
        shutil.copyfile(path, folder / "load.nt")
        told = f"DB.DBA.TTLP_MT(file_to_string_output('load.nt'), '', '{graph}', 0);"
        done = subprocess.run(
            ["isql-vt", f"127.0.0.1:{sql}", "dba", "dba", f"exec={told}"], capture_output=True, text=True, check=False
        )
        if "Error" in done.stdout + done.stderr:
            raise RuntimeError(done.stdout + done.stderr)

    with _running(
        ["virtuoso-t", "+foreground", "+configfile", "virtuoso.ini"], folder, f"http://127.0.0.1:{http}/sparql"
    ) as pid:
        yield Server(f"http://127.0.0.1:{http}/sparql", load, pid)


@contextlib.contextmanager
def oxigraph(folder: Path) -> Iterator[Server]:
    """Start Oxigraph, or skip."""
    program = shutil.which("oxigraph") or str(Path(sys.executable).with_name("oxigraph"))
    if not Path(program).is_file():
        _missing("Oxigraph is not installed: pip install 'kgreason[dev]'")
    here = f"127.0.0.1:{_free_port()}"

    def load(path: Path, graph: str) -> None:
        where = f"graph={urllib.request.quote(graph, safe='')}" if graph else "default"  # type: ignore[attr-defined]
        request = urllib.request.Request(
            f"http://{here}/store?{where}", path.read_bytes(), {"Content-Type": "application/n-triples"}, method="POST"
        )
        urllib.request.urlopen(request, timeout=60).close()

    with _running(
        [program, "serve", "--bind", here, "--location", str(folder / "store")], folder, f"http://{here}/query"
    ) as pid:
        yield Server(f"http://{here}/query", load, pid)


@contextlib.contextmanager
def _running(command: list[str], folder: Path, endpoint: str) -> Iterator[int]:
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            _wait(process, endpoint, folder)
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", endpoint: str, folder: Path) -> None:
    asked = f"{endpoint}?query=ASK%7B%7D"
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(
                f"The server ended with {process.returncode}: {(folder / 'said.txt').read_text()[-800:]}"
            )
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(asked, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"The server did not answer at {endpoint} within a minute.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _missing(why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{why}. CI runs these tests; it does not skip them.")
    pytest.skip(why)

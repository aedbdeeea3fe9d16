"""Builds a graph from a stream of blocks, in memory or as a store on disk, in bounded memory.

What is read is numbered run by run: a run is as much as the memory allows, with tables of strings of its own. Finished
runs are kept on disk, so that a build that was stopped goes on behind them. Then the tables of all runs are joined into
one, in the order of the strings' bytes, and the triples are sorted by head and by tail. So the graph depends on what
the files say, and not on the order in which they say it, nor on how much fits in a run.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from kgreason.data import KnowledgeGraph
from kgreason.errors import DataError
from kgreason.knowledge.blocks import Stream
from kgreason.knowledge.calling import join_labels
from kgreason.knowledge.columns import Columns, FileColumns, MemoryColumns
from kgreason.knowledge.commit import UNFINISHED, Said, check_target, commit, new_columns, own_folder
from kgreason.knowledge.joining import Work, join_entities, join_relations, join_triples
from kgreason.knowledge.manifest import VERSION
from kgreason.knowledge.progress import Stopwatch, Tell
from kgreason.knowledge.reader import Reader
from kgreason.knowledge.runs import Journal
from kgreason.knowledge.store import COLUMNS, graph_of
from kgreason.knowledge.writing import writing

#: Bytes that a run may take; a build takes about twice as much.
MEMORY = 2**28


def build_graph(stream: Stream, memory: int = MEMORY) -> KnowledgeGraph:
    """Read a graph into memory.

    Raises:
        DataError: If a file is broken, or there is no triple between two entities.
    """
    columns = MemoryColumns()
    with tempfile.TemporaryDirectory(prefix="kgreason-") as folder:
        reader = Reader(stream, Journal(Path(folder), ""), memory, Stopwatch(None))
        reader.read()
        called = _join(reader, columns)
    return graph_of(columns.arrays(), reader.about(), called)


def build_store(
    stream: Stream,
    folder: Path | str,
    *,
    memory: int = MEMORY,
    tell: Tell | None = None,
    about: Mapping[str, str] | None = None,
) -> Path:
    """Read a graph into a store, and return its folder. The same files always give the same bytes.

    A store that was there before stays valid until the new one is whole. What a build that was stopped has read is
    kept in the folder; the same build, given again, goes on behind it if the files are still the same.

    Args:
        stream: The source.
        folder: Where the store goes.
        memory: Bytes that a run may take; the build takes about twice as much, whatever the size of the graph.
        tell: Is told how far the build is.
        about: What to say about the graph besides what the source says.

    Raises:
        DataError: If a file is broken, or there is no triple between two entities.
        StoreError: If the folder holds something else, or cannot be written (no space, no permission).
    """
    folder = Path(folder)
    check_target(folder)
    with writing(f"The store {folder}"), workplace(folder) as unfinished:
        _stored(stream, folder, unfinished, memory, Stopwatch(tell), dict(about or {}))
    return folder


def _stored(
    stream: Stream, folder: Path, unfinished: Path, memory: int, watch: Stopwatch, about: dict[str, str]
) -> None:
    reader = Reader(stream, Journal(unfinished, source_key(stream)), memory, watch)
    reader.resume()
    reader.read()
    with new_columns(folder) as temporary:
        columns = FileColumns(temporary)
        try:
            called = _join(reader, columns)
            watch.step("writing", 0.0)
            table = columns.finish(COLUMNS)
        finally:
            columns.close()
        said = Said({**reader.about(), **about}, called, reader.sources(), reader.skipped())
        commit(folder, temporary, table, said)
    watch.step("writing", 1.0)
    shutil.rmtree(unfinished, ignore_errors=True)


def source_key(stream: Stream) -> str:
    """Return what the source is and how it is read, as text."""
    given = {name: value for name, value in vars(stream).items() if not name.startswith("_")}
    return json.dumps([VERSION, type(stream).__name__, given], sort_keys=True, default=str)


@contextlib.contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """Return the folder for what is unfinished, which is this process's alone; remove it if it stays empty."""
    unfinished, made = folder / UNFINISHED, not folder.exists()
    unfinished.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as own:
        lock = own.enter_context((unfinished / "lock").open("ab"))
        if not _locked(lock.fileno()):  # another process builds here: it will be one or the other
            unfinished = own.enter_context(own_folder(folder, f"{UNFINISHED}-"))
        try:
            yield unfinished
        finally:
            lock.close()
            if unfinished.is_dir() and all(path.name == "lock" for path in unfinished.iterdir()):
                shutil.rmtree(unfinished, ignore_errors=True)
            if made:
                with contextlib.suppress(OSError):
                    folder.rmdir()  # empty only if nothing came of it


def _locked(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # not on Windows
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _join(reader: Reader, columns: Columns) -> dict[str, tuple[str, ...]]:
    """Put the runs together; return what the relations are called."""
    if not any(len(run.triples) for run in reader.runs):
        raise nothing_found(reader.about())
    folder = None
    if len(reader.runs) > 1:
        folder = reader.journal.folder / "joining"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    work = Work(reader.runs, reader.stream.naming, columns, folder, reader.memory, reader.watch.step)
    relations, maps = join_relations(work)
    entities = join_entities(work, relations)
    join_triples(work, entities, maps, len(relations))
    return join_labels(work, entities, relations)


def nothing_found(about: Mapping[str, str]) -> DataError:
    """Return the error that says that a source holds no triple, and what was left out of it."""
    left = "".join(f" ({value} {what.replace('_', ' ')})" for what, value in about.items() if value.isdigit())
    return DataError(f"{about['source']}: there is no triple between two entities{left}.")

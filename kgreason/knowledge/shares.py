"""What one worker of a build does: read a portion, join a range of names, number a run, sort a range of triples.

Each piece of work reads what earlier pieces wrote to the folder of the build, writes a folder of its own under a
temporary name, and gives it its name when all is written. So work may be done twice (Spark does so when a machine is
slow or lost), and a build that was stopped goes on with what is there.
"""

import json
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, final

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.knowledge.blocks import Stream
from kgreason.knowledge.columns import FileColumns
from kgreason.knowledge.joining import Entities, Work, join_entities, numbered, write_sorted
from kgreason.knowledge.portions import Portion
from kgreason.knowledge.progress import Stopwatch
from kgreason.knowledge.reader import Reader
from kgreason.knowledge.rowsort import RowSorter, Stored, write_column
from kgreason.knowledge.runs import Journal, Run
from kgreason.knowledge.tables import Table, stored

Direction: TypeAlias = Literal["forward", "backward"]
_SAMPLES = 256  # names of a run by which the ranges are chosen


@final
@dataclass(frozen=True, slots=True)
class Job:
    """What all workers of a build know.

    Args:
        stream: The source.
        folder: Where they write; all of them see it.
        memory: Bytes that a run may take; a worker takes about twice as much.
    """

    stream: Stream
    folder: Path
    memory: int


@final
@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of a graph, as far as workers need them.

    Args:
        runs: The folders of the runs.
        bases: The first entity of each range, and how many there are in all.
        relations: How many relations there are.
        cuts: The first entity of each range of triples, and how many there are in all.
    """

    runs: tuple[str, ...]
    bases: tuple[int, ...]
    relations: int
    cuts: tuple[int, ...]


@final
class RangeMaps:
    """For each run, what its strings became, range by range.

    Args:
        folders: One for each range.
        bases: The first number of each range.
    """

    def __init__(self, folders: Sequence[Path], bases: Sequence[int]) -> None:
        self._folders, self._bases = folders, bases

    def of(self, run: int) -> Int32[ndarray, " strings"]:
        """Return what the strings of a run became, in the order of its table."""
        pieces = [np.zeros(0, np.int32)]
        for folder, base in zip(self._folders, self._bases, strict=True):
            piece = np.asarray(stored(folder / f"map-{run}", "int32")[:])
            piece[piece >= 0] += base
            pieces.append(piece)
        return np.concatenate(pieces)


def read_portion(job: Job, portion: Portion) -> str:
    """Read a portion into runs; return the name of their folder."""

    def work(folder: Path) -> None:
        journal = Journal(folder, "")
        reader = Reader(job.stream, journal, job.memory, Stopwatch(None), portion)
        reader.read()
        about = {"seen": [] if portion.cut else reader.reading.seen, "runs": journal.names}
        samples = [name for run in reader.runs for name in _sampled(run.entities)]
        (folder / "samples.json").write_text(json.dumps([name.hex() for name in samples]), encoding="utf-8")
        (folder / "portion.json").write_text(json.dumps(about), encoding="utf-8")

    return _once(job.folder / f"portion-{portion.number:05}", work)


def _sampled(table: Table) -> Iterator[bytes]:
    for i in np.linspace(0, len(table) - 1, min(len(table), _SAMPLES)).astype(int).tolist():
        yield name_at(table, i)


def name_at(table: Table, i: int) -> bytes:
    """Return a string of a table that may lie on disk."""
    begin, end = (int(start) for start in table.starts[i : i + 2])
    return np.asarray(table.blob[begin:end]).tobytes()


def join_range(job: Job, runs: Sequence[str], relations: Sequence[bytes], span: tuple[int, bytes, bytes]) -> str:
    """Join the names from `span[1]` to before `span[2]` (nothing: to the end) of all runs; number them from 0."""
    number, low, high = span

    def work(folder: Path) -> None:
        parts = [_between(Run.load(job.folder / run, check=False), low, high) for run in runs]
        maps = folder / "maps"
        maps.mkdir()
        columns = FileColumns(folder)
        found = join_entities(Work(parts, job.stream.naming, columns, maps, job.memory, _nothing), relations)
        columns.finish(("entities.blob", "entities.offsets", "entities.order"), keep=True)
        for k in range(len(runs)):
            with (folder / f"map-{k}").open("wb") as file:
                write_column(file, found.ids(k))
        shutil.rmtree(maps)
        about = {"count": found.count, "relation_of": sorted(found.relation_of.items())}
        (folder / "range.json").write_text(json.dumps(about), encoding="utf-8")

    return _once(job.folder / f"entities-{number:05}", work)


def _between(run: Run, low: bytes, high: bytes) -> Run:
    """Return a run with the entities from one name to another, and nothing else of it that is read here."""
    table = run.entities
    places = range(len(table))
    begin = bisect_left(places, low, key=lambda i: name_at(table, i)) if low else 0
    end = bisect_left(places, high, key=lambda i: name_at(table, i)) if high else len(table)
    first = _sliced(run.first, begin, end) if len(run.first) else run.first
    part = Table(table.blob, _sliced(table.starts, begin, end + 1), table.place)
    return replace(run, entities=part, flags=_sliced(run.flags, begin, end), first=first)


def _sliced(column: "ndarray | Stored", begin: int, end: int) -> "ndarray | Stored":
    return column.between(begin, end) if isinstance(column, Stored) else column[begin:end]


def entity_maps(job: Job, bases: Sequence[int]) -> RangeMaps:
    """Return what the entities of the runs became; `bases` ends with how many there are."""
    return RangeMaps([job.folder / f"entities-{k:05}" for k in range(len(bases) - 1)], bases[:-1])


def number_run(job: Job, numbering: Numbering, k: int) -> str:
    """Number the triples of a run, and write them by ranges of heads and of tails."""

    def work(folder: Path) -> None:
        runs = [Run.load(job.folder / run, check=False) for run in numbering.runs]
        entities = Entities(entity_maps(job, numbering.bases), {}, numbering.bases[-1])
        kinds = RangeMaps([job.folder / "relations"], [0])
        cuts = np.array(numbering.cuts[1:-1], np.int64)
        nothing = np.zeros((0, 3), np.int32)
        for direction in NAMES:  # each range has its file, even if the run holds nothing but names
            _deal(folder, direction, nothing, cuts)
        for rows in numbered(runs, k, entities, kinds):
            _deal(folder, "forward", rows, cuts)
            _deal(folder, "backward", np.ascontiguousarray(rows[:, ::-1]), cuts)

    return _once(job.folder / f"numbered-{k:05}", work)


def _deal(folder: Path, direction: Direction, rows: Int32[ndarray, "rows 3"], cuts: ndarray) -> None:
    """Write rows to the file of the range that their first number lies in."""
    which = np.searchsorted(cuts, rows[:, 0], "right")
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which, minlength=len(cuts) + 1))
    for part, each in enumerate(np.split(rows[order], ends[:-1])):
        with (folder / f"{direction}-{part}").open("ab") as file:
            write_column(file, each)


def sort_range(job: Job, numbering: Numbering, direction: Direction, part: int) -> str:
    """Sort the triples whose heads (backward: tails) lie in a range, and write them as columns."""

    def work(folder: Path) -> None:
        count = numbering.bases[-1]
        sorter = RowSorter((count, numbering.relations, count), max(job.memory // 16, 2**10), folder / "rows")
        for k in range(len(numbering.runs)):
            column = stored(job.folder / f"numbered-{k:05}" / f"{direction}-{part}", "int32")
            for at in range(0, len(column), 3 * 2**20):
                sorter.add(np.asarray(column[at : at + 3 * 2**20]).reshape(-1, 3))
        columns, names = FileColumns(folder), NAMES[direction]
        span = (numbering.cuts[part], numbering.cuts[part + 1])
        for _ in write_sorted(columns, sorter, names, numbering.relations, span):
            pass
        columns.finish(names, keep=True)
        shutil.rmtree(folder / "rows", ignore_errors=True)

    return _once(job.folder / f"{direction}-{part:05}", work)


#: The columns of each direction: pointers, relations, the other ends.
NAMES: dict[Direction, tuple[str, str, str]] = {
    "forward": ("head_ptr", "relation", "tail"),
    "backward": ("tail_ptr", "inverse", "head"),
}


def _nothing(stage: str, part: float) -> None:
    """Nobody watches a worker."""


def _once(target: Path, work: Callable[[Path], None]) -> str:
    """Do work that writes a folder, unless it is done; return the folder's name."""
    if not target.is_dir():
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            work(temporary)
            temporary.rename(target)
        except OSError:
            if not target.is_dir():  # another worker was faster
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target.name

"""Builds a store with many workers: processes of this machine, or the executors of a Spark cluster.

    cut the files → read portions into runs → join ranges of names → number runs → sort ranges of triples → write

Every step but the last is done by workers, in bounded memory each, on folders that all of them see. The last puts the
pieces end to end and joins the labels. The same files give the same bytes as `build_store` gives, whatever the number
of workers and wherever they are.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, final

import numpy as np

from kgreason.errors import DataError
from kgreason.knowledge.blocks import FRESH, Stream
from kgreason.knowledge.build import nothing_found, source_key, workplace
from kgreason.knowledge.calling import join_labels
from kgreason.knowledge.columns import Columns, FileColumns
from kgreason.knowledge.commit import SKIPPED, Said, check_target, commit, new_columns
from kgreason.knowledge.crews import Crew
from kgreason.knowledge.joining import Entities, Work, join_relations
from kgreason.knowledge.portions import Portion, portions_of
from kgreason.knowledge.progress import Stopwatch, Tell
from kgreason.knowledge.rowsort import write_column
from kgreason.knowledge.runs import Run
from kgreason.knowledge.shares import (
    NAMES,
    Direction,
    Job,
    Numbering,
    entity_maps,
    join_range,
    number_run,
    read_portion,
    sort_range,
)
from kgreason.knowledge.store import COLUMNS
from kgreason.knowledge.tables import stored
from kgreason.knowledge.writing import writing

MEMORY, PORTION = 2**28, 2**30
_PIECE = 2**20
_DIRECTIONS: tuple[Direction, Direction] = ("forward", "backward")


def build_spread(
    stream: Stream,
    folder: Path | str,
    crew: Crew,
    *,
    memory: int = MEMORY,
    portion: int = PORTION,
    tell: Tell | None = None,
    about: Mapping[str, str] | None = None,
) -> Path:
    """Read a graph into a store with many workers, and return its folder: the same bytes as `build_store` writes.

    Args:
        stream: The source; its files are seen by all workers, under the same paths.
        folder: Where the store goes; all workers see it too, and what is unfinished lies there.
        crew: The workers: `Processes(4)` or `Spark("spark://host:7077")`.
        memory: Bytes that a run may take; each worker takes about twice as much.
        portion: Bytes of a file that one worker reads at once. Files of lines (N-Triples, TSV, …) that are not packed
            are cut; every other is read as a whole by one worker, so give many.
        tell: Is told how far the build is.
        about: What to say about the graph besides what the source says.

    Raises:
        DataError: If a file is broken, is standard input, or there is no triple between two entities.
        StoreError: If the folder holds something else, or cannot be written.
    """
    folder = Path(folder).absolute()
    check_target(folder)
    with writing(f"The store {folder}"), workplace(folder) as unfinished:
        work = unfinished / f"spread-{_key(stream, memory, portion, crew.size)}"
        work.mkdir(exist_ok=True)
        _Build(Job(stream, work, memory), crew, Stopwatch(tell)).store(folder, portion, dict(about or {}))
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _key(stream: Stream, *numbers: int) -> str:
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in stream.files() if path.exists()]
    return hashlib.sha256(json.dumps([source_key(stream), files, numbers]).encode()).hexdigest()[:16]


@final
class _Build:
    """One build, step by step."""

    def __init__(self, job: Job, crew: Crew, watch: Stopwatch) -> None:
        self.job, self.crew, self.watch = job, crew, watch
        self.ranges = 2 * crew.size  # so that a slow one does not keep all waiting

    def store(self, folder: Path, size: int, about: dict[str, str]) -> None:
        """Do all of it."""
        self.watch.step("reading", 0.0)
        portions = portions_of(self.job.stream, size, self.crew)
        parts = self.crew.each(partial(read_portion, self.job), portions)
        runs = tuple(f"{part}/{name}" for part in parts for name in self._said(part)["runs"])
        counts, names, sources = self._read(portions, parts, runs)
        said = {"source": " ".join(names), **{what: str(number) for what, number in counts.items()}}
        with new_columns(folder) as temporary:
            columns = FileColumns(temporary)
            try:
                called = self._join(runs, parts, columns, said)
                self.watch.step("writing", 0.0)
                table = columns.finish(COLUMNS)
            finally:
                columns.close()
            skipped = "".join((self.job.folder / run / SKIPPED).read_text(encoding="utf-8") for run in runs)
            commit(folder, temporary, table, Said({**said, **about}, called, sources, skipped))
        self.watch.step("writing", 1.0)

    def _said(self, part: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.job.folder / part / "portion.json").read_text(encoding="utf-8"))
        return found

    def _read(
        self, portions: Sequence[Portion], parts: Sequence[str], runs: Sequence[str]
    ) -> tuple[dict[str, int], list[str], dict[str, str]]:
        """Return what was left out, the names of the files, and their checksums."""
        paths = self.job.stream.files()
        counts = dict.fromkeys(self.job.stream.counted, 0)
        for run in runs:
            for what, number in self._run(run).counts.items():
                counts[what] = counts.get(what, 0) + number
        cut = sorted({portion.start.path for portion in portions if portion.cut})
        sums = dict(zip(cut, self.crew.each(checksum, [str(paths[k]) for k in cut]), strict=True))
        for portion, part in zip(portions, parts, strict=True):
            if not portion.cut:
                sums[portion.start.path] = self._said(part)["seen"][0][0]
        names = [path.name for path in paths]
        return counts, names, {names[k]: sums[k] for k in range(len(paths))}

    def _run(self, name: str) -> Run:
        return Run.load(self.job.folder / name, check=False)

    def _join(
        self, runs: tuple[str, ...], parts: Sequence[str], columns: FileColumns, said: Mapping[str, str]
    ) -> dict[str, tuple[str, ...]]:
        """Put the runs together; return what the relations are called."""
        loaded = [self._run(run) for run in runs]
        if not any(len(run.triples) for run in loaded):
            raise nothing_found(said)
        joining = self.job.folder / "joining"
        shutil.rmtree(joining, ignore_errors=True)
        joining.mkdir()
        work = Work(loaded, self.job.stream.naming, columns, joining, self.job.memory, self.watch.step)
        relations = self._relations(work)
        entities, bases = self._entities(work, runs, parts, relations)
        self._triples(columns, Numbering(runs, bases, len(relations), _cuts(bases[-1], self.ranges)))
        return join_labels(work, entities, relations)

    def _relations(self, work: Work) -> list[bytes]:
        relations, kinds = join_relations(work)
        folder = self.job.folder / "relations"
        folder.mkdir(exist_ok=True)
        for k in range(len(work.runs)):
            with (folder / f"map-{k}").open("wb") as file:
                write_column(file, kinds.of(k))
        return relations

    def _entities(
        self, work: Work, runs: Sequence[str], parts: Sequence[str], relations: list[bytes]
    ) -> tuple[Entities, tuple[int, ...]]:
        self.watch.step("joining entities", 0.0)
        ends = self._splits(parts)
        spans = [(k, *ends) for k, ends in enumerate(pairwise([b"", *ends, b""]))]
        ranges = self.crew.each(partial(join_range, self.job, runs, relations), spans)
        about = [json.loads((self.job.folder / each / "range.json").read_text(encoding="utf-8")) for each in ranges]
        bases = tuple(accumulate((each["count"] for each in about), initial=0))
        if bases[-1] > np.iinfo(np.int32).max:
            raise DataError("The graph has more than 2,147,483,647 entities, more than a store can hold.")
        end = 0
        for each in ranges:
            _append(work.columns, self.job.folder / each, "entities.blob", "uint8")
            offsets = stored(self.job.folder / each / "entities.offsets", "int64")
            for at in range(0 if each == ranges[0] else 1, len(offsets), _PIECE):
                work.columns.write("entities.offsets", np.asarray(offsets[at : at + _PIECE]) + end)
            end += int(offsets[-1:][0])
        work.columns.write("entities.order", np.zeros(0, np.int32))
        relation_of = {
            base + i: r for base, each in zip(bases[:-1], about, strict=True) for i, r in each["relation_of"]
        }
        self.watch.step("joining entities", 1.0)
        return Entities(entity_maps(self.job, bases), relation_of, bases[-1]), bases

    def _splits(self, parts: Sequence[str]) -> list[bytes]:
        """Choose where the ranges of names begin; nodes that the build numbers stay together."""
        found = sorted(
            bytes.fromhex(name)
            for part in parts
            for name in json.loads((self.job.folder / part / "samples.json").read_text(encoding="utf-8"))
        )
        at = [found[len(found) * k // self.ranges] for k in range(1, self.ranges)] if found else []
        return sorted({name for name in at if name and not name.startswith(FRESH)})

    def _triples(self, columns: FileColumns, numbering: Numbering) -> None:
        self.watch.step("sorting triples", 0.0)
        self.crew.each(partial(number_run, self.job, numbering), range(len(numbering.runs)))
        self.watch.step("sorting triples", 0.3)
        tasks = [(direction, part) for direction in _DIRECTIONS for part in range(len(numbering.cuts) - 1)]
        self.crew.each(partial(_sorted, self.job, numbering), tasks)
        kind = "uint16" if numbering.relations <= np.iinfo(np.uint16).max else "int32"
        for direction in _DIRECTIONS:
            pointers, second, third = NAMES[direction]
            rows = 0
            for part in range(len(numbering.cuts) - 1):
                folder = self.job.folder / f"{direction}-{part:05}"
                begins = stored(folder / pointers, "int64")
                for at in range(0, len(begins), _PIECE):
                    columns.write(pointers, np.asarray(begins[at : at + _PIECE]) + rows)
                _append(columns, folder, second, kind)
                rows += _append(columns, folder, third, "int32")
            columns.write(pointers, np.array([rows], np.int64))
        self.watch.step("sorting triples", 1.0)


def _sorted(job: Job, numbering: Numbering, task: tuple[Direction, int]) -> str:
    return sort_range(job, numbering, *task)


def _append(columns: Columns, folder: Path, name: str, dtype: str) -> int:
    column = stored(folder / name, dtype)
    columns.write(name, np.zeros(0, dtype))
    for at in range(0, len(column), _PIECE):
        columns.write(name, np.asarray(column[at : at + _PIECE]))
    return len(column)


def _cuts(count: int, ranges: int) -> tuple[int, ...]:
    return tuple(count * k // ranges for k in range(ranges + 1))


def checksum(path: str) -> str:
    """Return the SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

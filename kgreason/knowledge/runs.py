"""The runs of a build: what was read so far, numbered within a run, in memory or on disk, to be put together later."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

from kgreason.knowledge.blocks import Block
from kgreason.knowledge.feeds import Place
from kgreason.knowledge.interning import Interner
from kgreason.knowledge.rowsort import write_column
from kgreason.knowledge.tables import Part, Table, stored

#: An entity that stands in a triple, and one of which only a name was met.
IN_TRIPLE, NAMED = 1, 2
_PARTS = ("entities", "relations", "labels")
_NEVER = np.iinfo(np.int64).max


@final
@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Triples and names by the numbers of this run.

    Args:
        entities: What stands in triples or has a name.
        relations: The relations.
        labels: What entities and relations are called.
        flags: Of each entity, in the order of its table: `IN_TRIPLE`, `NAMED` or both.
        first: Where a blank node that is to be numbered was first met, in the order of the table; empty if there is
            none.
        triples: Rows of head, relation and tail, end to end.
        names: Rows of entity, rank and label, end to end.
        counts: What was left out, and how many broken lines were skipped.
        place: How far the files were read.
    """

    entities: Table
    relations: Table
    labels: Table
    flags: Part
    first: Part
    triples: Part
    names: Part
    counts: Mapping[str, int]
    place: Place

    def save(self, folder: Path, skipped: str) -> None:
        """Write the run to a folder, whole or not at all."""
        unfinished = folder.with_name(f".{folder.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name in _PARTS:
            getattr(self, name).save(unfinished, name)
        for name in ("flags", "first", "triples", "names"):
            with (unfinished / name).open("wb") as file:
                write_column(file, np.asarray(getattr(self, name)))
        (unfinished / "skipped.jsonl").write_text(skipped, encoding="utf-8")
        files = {path.name: _sum(path) for path in sorted(unfinished.iterdir())}
        about = {"counts": dict(self.counts), "place": asdict(self.place), "files": files}
        (unfinished / "run.json").write_text(json.dumps(about), encoding="utf-8")
        unfinished.rename(folder)

    @classmethod
    def load(cls, folder: Path, check: bool) -> "Run":
        """Return a run that was saved; its rows and strings stay on disk.

        Raises:
            ValueError: If a file is not what was written.
            OSError: If one is missing.
        """
        about: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        for name, expected in about["files"].items():
            if check and _sum(folder / name) != expected:
                raise ValueError(f"{folder / name} was changed")
        entities, relations, labels = (Table.load(folder, name) for name in _PARTS)
        return cls(
            entities=entities,
            relations=relations,
            labels=labels,
            flags=stored(folder / "flags", "uint8"),
            first=stored(folder / "first", "int64"),
            triples=stored(folder / "triples", "int32"),
            names=stored(folder / "names", "int32"),
            counts=about["counts"],
            place=Place(**about["place"]),
        )


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@final
class Collector:
    """Numbers what blocks hold until it is as much as the memory allows.

    Args:
        memory: Bytes.
        met: How many bytes were met before, so that what is met here comes later.
    """

    def __init__(self, memory: int, met: int = 0) -> None:
        self.memory, self._met = memory, met
        self.clear()

    def clear(self) -> None:
        """Begin another run."""
        self._entities, self._relations, self._labels = Interner(), Interner(), Interner()
        # Room for all that the memory allows; pages that are not used are never touched.
        self._triples: Int32[ndarray, "rows 3"] = np.empty((self.memory // 12 + 1, 3), np.int32)
        self._names: Int32[ndarray, "rows 3"] = np.empty((self.memory // 12 + 1, 3), np.int32)
        self._num_triples = self._num_names = 0
        self._fresh: list[tuple[Int32[ndarray, " nodes"], Int64[ndarray, " nodes"]]] = []
        self._counts: dict[str, int] = {}
        self.place = Place()

    @property
    def full(self) -> bool:
        """Whether the memory is used up. Sorting the strings takes about as much again as they do."""
        strings = self._entities.nbytes + self._relations.nbytes + self._labels.nbytes
        return 2 * strings + 12 * self.rows + 12 * sum(len(node) for node, _ in self._fresh) > self.memory

    @property
    def rows(self) -> int:
        """How many triples and names were collected."""
        return self._num_triples + self._num_names

    def add(self, block: Block) -> None:
        """Number what a block holds."""
        text, triples, named = block.text, block.triples, block.named
        ends = _flat(triples[:, ::2])
        entity = self._entities.add(text, *ends)
        self._triples, self._num_triples = _room(self._triples, self._num_triples, len(triples))
        rows = self._triples[self._num_triples - len(triples) : self._num_triples]
        rows[:, 0], rows[:, 2] = entity[::2], entity[1::2]
        rows[:, 1] = self._relations.add(text, *_flat(triples[:, 1:2]))
        self._note_fresh(entity, ends[0], block)
        if len(named):
            begin, end = _flat(named[:, :1])
            called = self._entities.add(text, begin, end)
            self._note_fresh(called, begin, block)
            label = self._labels.add(text, *_flat(named[:, 1:]))
            self._names, self._num_names = _room(self._names, self._num_names, len(named))
            rows = self._names[self._num_names - len(named) : self._num_names]
            rows[:, 0], rows[:, 1], rows[:, 2] = called, block.rank, label
        self._met += len(text)
        self.count(block.counts)
        self.place = block.place

    def count(self, counts: Mapping[str, int]) -> None:
        """Add to what was left out."""
        for what, number in counts.items():
            self._counts[what] = self._counts.get(what, 0) + number

    def _note_fresh(self, entity: Int32[ndarray, " met"], begin: Int32[ndarray, " met"], block: Block) -> None:
        at = np.flatnonzero(begin >= block.fresh)
        if len(at):
            self._fresh.append((entity[at], begin[at].astype(np.int64) + self._met))

    def run(self) -> Run:
        """Return what was collected, and forget it."""
        triples, names = self._triples[: self._num_triples], self._names[: self._num_names]
        flags = np.zeros(len(self._entities), np.uint8)
        for column in (0, 2):
            flags[triples[:, column]] = IN_TRIPLE
        flags[np.unique(names[:, 0])] |= NAMED
        first = np.zeros(0, np.int64)
        if self._fresh:
            first = np.full(len(flags), _NEVER, np.int64)
            for node, met in self._fresh:
                np.minimum.at(first, node, met)
        entities, relations, labels = map(Table.of, (self._entities, self._relations, self._labels))
        order = np.argsort(entities.place[:])
        run = Run(
            entities=entities,
            relations=relations,
            labels=labels,
            flags=flags[order],
            first=first[order] if len(first) else first,
            triples=triples.reshape(-1),
            names=names.reshape(-1),
            counts=dict(self._counts),
            place=self.place,
        )
        self.clear()
        return run


def _flat(spans: Int32[ndarray, "rows fields 2"]) -> tuple[Int32[ndarray, " spans"], Int32[ndarray, " spans"]]:
    return np.ascontiguousarray(spans[..., 0]).reshape(-1), np.ascontiguousarray(spans[..., 1]).reshape(-1)


def _room(rows: ndarray, used: int, more: int) -> tuple[ndarray, int]:
    """Return an array with room for more rows, and how many of it are used then."""
    if used + more > len(rows):
        larger = np.empty((used + more + len(rows) // 4, 3), np.int32)
        larger[:used] = rows[:used]
        rows = larger
    return rows, used + more


@final
@dataclass(slots=True)
class Journal:
    """What a build leaves behind when it is stopped: its finished runs, and what they were made of.

    Args:
        folder: Where the runs lie.
        key: What the source is and how it is read. Runs of another key are of no use.
        names: The folders of the runs.
        seen: The checksum and the size of what was read of each path.
    """

    folder: Path
    key: str
    names: list[str] = field(default_factory=list)
    seen: list[tuple[str, int]] = field(default_factory=list)

    def add(self, run: Run, skipped: str, seen: Sequence[tuple[str, int]]) -> Run:
        """Write a run and the broken lines that were met with it; return it as it lies on disk."""
        name = f"run-{len(self.names):05}"
        shutil.rmtree(self.folder / name, ignore_errors=True)
        run.save(self.folder / name, skipped)
        self.names.append(name)
        self.seen = list(seen)
        pending = self.folder / ".journal"
        pending.write_text(json.dumps({"key": self.key, "runs": self.names, "seen": self.seen}), encoding="utf-8")
        pending.replace(self.folder / "journal.json")
        return Run.load(self.folder / name, check=False)

    def resumed(self, paths: Sequence[Path]) -> list[Run]:
        """Return the runs of an earlier build that can be used, and forget the others.

        They can if the source is the same, and so is the part of each path that they were made of.
        """
        try:
            found = json.loads((self.folder / "journal.json").read_text(encoding="utf-8"))
            seen = [(str(digest), int(size)) for digest, size in found["seen"]]
            same = found["key"] == self.key and all(
                _sum_of(path, size) == digest for path, (digest, size) in zip(paths, seen, strict=False)
            )
            runs = [Run.load(self.folder / str(name), check=True) for name in found["runs"]] if same else []
        except (OSError, ValueError, KeyError, TypeError):
            runs, seen = [], []
        while runs and not runs[-1].place.sure:
            runs.pop()
        self.names = [f"run-{k:05}" for k in range(len(runs))]
        self.seen = seen[: runs[-1].place.path] if runs else []
        return runs

    def skipped(self) -> str:
        """Return the broken lines of all runs."""
        return "".join((self.folder / name / "skipped.jsonl").read_text(encoding="utf-8") for name in self.names)


def _sum_of(path: Path, size: int) -> str:
    """Return the checksum of the first bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (piece := file.read(min(size, 2**20))):
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest()

"""Puts the runs of a build together: one table of entities, the triples both ways. In bounded memory."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeAlias, final, runtime_checkable

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numpy import ndarray

from kgreason.errors import DataError
from kgreason.knowledge.blocks import FRESH, Naming
from kgreason.knowledge.columns import Columns, PointersOut, StringsOut
from kgreason.knowledge.ordering import taken
from kgreason.knowledge.rowsort import RowSorter
from kgreason.knowledge.runs import NAMED, Run
from kgreason.knowledge.tables import Maps, Merged, merged

#: Called with what is being done, and how much of it is (from 0 to 1).
Step: TypeAlias = Callable[[str, float], None]
_ROWS = 2**20
#: What stands for an entity that is dropped, and below it for one that is a relation: `_RELATION - relation`.
DROPPED, RELATION = -1, -2
_BEHIND_FRESH = FRESH[:2] + b"\x02"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What is put together, where it goes, and what it may take.

    Args:
        runs: The runs. Their triples are given up as soon as they are sorted.
        naming: How labels are made.
        columns: Where the graph is written.
        folder: Where what does not fit in memory is written; None if nothing is to be.
        memory: Bytes.
        step: Is told how far the work is.
    """

    runs: list[Run]
    naming: Naming
    columns: Columns
    folder: Path | None
    memory: int
    step: Step

    def sorter(self, sizes: tuple[int, int, int]) -> RowSorter:
        """Return a sorter of rows that takes a fair part of the memory."""
        return RowSorter(sizes, max(self.memory // 16, 2**10), self.folder)


@runtime_checkable
class Became(Protocol):
    """Knows what the strings of each run became."""

    def of(self, run: int) -> Int32[ndarray, " strings"]:
        """Return what the strings of a run became, in the order of its table."""
        ...


@final
@dataclass(slots=True, eq=False)
class Entities:
    """The entities of a graph, and what those of the runs became.

    Args:
        maps: For each run, the id of each of its entities, or a code below 0.
        relation_of: The relation that has the same name, of entities that are one.
        count: How many there are.
        fresh: The first id of the blank nodes that were numbered, and the place among them of each as it was.
    """

    maps: Became
    relation_of: dict[int, int] = field(default_factory=dict)
    count: int = 0
    fresh: tuple[int, Int64[ndarray, " nodes"]] = field(default_factory=lambda: (0, np.zeros(0, np.int64)))

    def ids(self, run: int) -> Int32[ndarray, " strings"]:
        """Return the id of each entity of a run, in the order of its table."""
        ids = self.maps.of(run)
        begin, places = self.fresh
        if len(places):
            inside = (ids >= begin) & (ids < begin + len(places))
            ids[inside] = begin + places[ids[inside] - begin]
        return ids

    def of(self, run: int, runs: Sequence[Run]) -> Int32[ndarray, " numbers"]:
        """Return the id of each entity of a run, by its number there."""
        ids = self.ids(run)
        place = np.asarray(runs[run].entities.place[:])
        return np.asarray(ids[place]) if len(place) else ids


def join_relations(work: Work) -> tuple[list[bytes], Maps]:
    """Write the table of relations; return the names, and what those of the runs became."""
    maps, out = Maps("relations", len(work.runs), work.folder), StringsOut(work.columns, "relations")
    names: list[bytes] = []
    for part in merged([run.relations for run in work.runs]):
        for k, (_, _, place) in enumerate(part.parts):
            maps.add(k, place + np.int32(out.count))
        names += [part.at(i) for i in range(len(part))]
        out.add(part.blob, part.starts)
    return names, maps


def join_entities(work: Work, relations: Sequence[bytes]) -> Entities:
    """Write the table of entities.

    Raises:
        DataError: If there are more than 2^31.
    """
    maps = Maps("entities", len(work.runs), work.folder)
    found = Entities(maps)
    out, nodes = StringsOut(work.columns, "entities"), list[Int64[ndarray, " nodes"]]()
    whole = sum(len(run.entities) for run in work.runs) or 1
    done = 0
    for part in merged([run.entities for run in work.runs]):
        kept, ids = _ids(part, _flags(part, work.runs), relations, work.naming, found)
        for k, (_, _, place) in enumerate(part.parts):
            maps.add(k, ids[place])
        low, high = part.below(FRESH), part.below(_BEHIND_FRESH)
        _write_kept(out, part, kept, 0, low)
        if high > low:
            nodes.append(_first_met(part, work.runs)[low:high])
        if nodes and high < len(part):
            found.fresh = _write_nodes(out, nodes)
        _write_kept(out, part, kept, high, len(part))
        done += sum(end - begin for begin, end, _ in part.parts)
        work.step("joining entities", done / whole)
    if nodes:
        found.fresh = _write_nodes(out, nodes)
    return found


def _flags(part: Merged, runs: Sequence[Run]) -> UInt8[ndarray, " strings"]:
    flags = np.zeros(len(part), np.uint8)
    for run, (begin, end, place) in zip(runs, part.parts, strict=True):
        flags[place] |= run.flags[begin:end]  # within a run each string stands once
    return flags


def _first_met(part: Merged, runs: Sequence[Run]) -> Int64[ndarray, " strings"]:
    first = np.full(len(part), np.iinfo(np.int64).max, np.int64)
    for run, (begin, end, place) in zip(runs, part.parts, strict=True):
        if len(run.first):
            first[place] = np.minimum(first[place], run.first[begin:end])
    return first


def _ids(
    part: Merged, flags: UInt8[ndarray, " strings"], relations: Sequence[bytes], naming: Naming, found: Entities
) -> tuple[ndarray, Int32[ndarray, " strings"]]:
    """Return which strings are entities, and the id of each (or a code)."""
    lonely = flags == NAMED
    kept = ~lonely if not naming.lonely else np.ones(len(part), bool)
    also = {}
    for r in range(bisect_left(relations, part.at(0)), bisect_right(relations, part.at(len(part) - 1))):
        i = part.below(relations[r])
        if i < len(part) and part.at(i) == relations[r]:
            also[i] = r
            kept[i] = not lonely[i]
    if found.count + int(kept.sum()) > np.iinfo(np.int32).max:
        raise DataError("The graph has more than 2,147,483,647 entities, more than a store can hold.")
    ids = np.where(kept, found.count + np.cumsum(kept) - 1, DROPPED).astype(np.int32)
    for i, r in also.items():
        if kept[i]:
            found.relation_of[int(ids[i])] = r
        else:
            ids[i] = RELATION - r
    found.count += int(kept.sum())
    return kept, ids


def _write_kept(out: StringsOut, part: Merged, kept: ndarray, begin: int, end: int) -> None:
    if kept[begin:end].all():
        starts = part.starts[begin : end + 1]
        out.add(part.blob[starts[0] : starts[-1]], starts)
    else:
        chosen = (begin + np.flatnonzero(kept[begin:end])).astype(np.int32)
        out.add(*taken(part.blob, part.starts, chosen))


def _write_nodes(out: StringsOut, nodes: list[Int64[ndarray, " nodes"]]) -> tuple[int, Int64[ndarray, " nodes"]]:
    """Write `_:b0`, `_:b1`, … in the order of their bytes; return the first id, and the place of each node."""
    first = np.concatenate(nodes)
    nodes.clear()
    begin, count = out.count, len(first)
    rank = np.empty(count, np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(count)
    order, place = _decimal_order(count), np.empty(count, np.int64)
    place[order] = np.arange(count)
    digits = order.astype("S").reshape(-1, 1).view(np.uint8).reshape(count, -1)
    names = np.concatenate([np.tile(np.frombuffer(b"_:b", np.uint8), (count, 1)), digits], axis=1)
    used = names != 0
    out.add(names[used], np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64))
    return begin, place[rank]


def _decimal_order(count: int) -> Int64[ndarray, " numbers"]:
    """Return 0 to `count - 1` in the order of how they are written: 0, 1, 10, 11, 2."""
    numbers = np.arange(count, dtype=np.int64)
    width = np.ones(count, np.int64)
    power = 10
    while power < count:
        width += numbers >= power
        power *= 10
    return np.lexsort((width, numbers * 10 ** (width.max(initial=1) - width)))


def join_triples(work: Work, entities: Entities, maps: Maps, relations: int) -> None:
    """Write the triples by head and by tail."""
    sizes = (entities.count, relations, entities.count)
    forward, backward = work.sorter(sizes), work.sorter(sizes)
    for k in range(len(work.runs)):
        for rows in numbered(work.runs, k, entities, maps):
            forward.add(rows)
        work.runs[k] = replace(work.runs[k], triples=np.zeros(0, np.int32))  # the memory is wanted
        work.step("sorting triples", 0.5 * (k + 1) / len(work.runs))
    whole = (0, entities.count)
    for rows in write_sorted(work.columns, forward, ("head_ptr", "relation", "tail"), relations, whole):
        backward.add(np.ascontiguousarray(rows[:, ::-1]))
    work.step("sorting triples", 0.75)
    for _ in write_sorted(work.columns, backward, ("tail_ptr", "inverse", "head"), relations, whole):
        pass
    for name in ("head_ptr", "tail_ptr"):
        work.columns.write(name, np.array([len(work.columns.part("tail"))], np.int64))
    work.step("sorting triples", 1.0)


def numbered(runs: Sequence[Run], k: int, entities: Entities, relations: Became) -> Iterator[Int32[ndarray, "rows 3"]]:
    """Yield the triples of a run by the ids of the graph."""
    run = runs[k]
    ids, kinds = entities.of(k, runs), relations.of(k)[np.asarray(run.relations.place[:])]
    for begin in range(0, len(run.triples), 3 * _ROWS):
        rows = np.array(run.triples[begin : begin + 3 * _ROWS]).reshape(-1, 3)
        rows[:, 0], rows[:, 1], rows[:, 2] = ids[rows[:, 0]], kinds[rows[:, 1]], ids[rows[:, 2]]
        yield rows


def write_sorted(
    columns: Columns, sorter: RowSorter, names: tuple[str, str, str], relations: int, span: tuple[int, int]
) -> Iterator[Int32[ndarray, "rows 3"]]:
    """Write sorted rows as three columns, and yield them.

    Args:
        columns: Where they go.
        sorter: Holds the rows.
        names: The columns: where the rows of each first number begin, the second numbers, the third numbers.
        relations: How many relations there are.
        span: The first numbers lie from here to before there; as many pointers are written.
    """
    kind = np.uint16 if relations <= np.iinfo(np.uint16).max else np.int32
    pointers = PointersOut(columns, names[0], span[0])
    columns.write(names[1], np.zeros(0, kind))
    columns.write(names[2], np.zeros(0, np.int32))
    for rows in sorter.blocks():
        pointers.add(rows[:, 0])
        columns.write(names[1], rows[:, 1].astype(kind))
        columns.write(names[2], np.ascontiguousarray(rows[:, 2]))
        yield rows
    sorter.close()
    pointers.finish(span[1] - 1)

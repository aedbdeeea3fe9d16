"""Writes what the entities of a build are called: one table of labels, their senses, and the label that is shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final, no_type_check

import numpy as np
from jaxtyping import Int32, Int64, UInt8
from numba import njit
from numpy import ndarray

from kgreason.knowledge.columns import PointersOut, StringsOut
from kgreason.knowledge.interning import Interner
from kgreason.knowledge.joining import RELATION, Entities, Work
from kgreason.knowledge.ordering import taken
from kgreason.knowledge.rowsort import RowSorter, write_column
from kgreason.knowledge.tables import Maps, Part, Table, merged, stored
from kgreason.knowledge.wording import is_blank, last_parts, space_out

_ROWS = 2**19
_UNDERSCORE = 95


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """Labels made of the entities' own names: their texts, the entity of each row, and the number of its text."""

    texts: Table
    entity: Part
    text: Part

    def kept(self, folder: Path | None, name: str) -> "_Own":
        """Return the same on disk, if there is a folder."""
        if folder is None:
            return self
        self.texts.save(folder, name)
        for column in ("entity", "text"):
            with (folder / f"{name}.{column}").open("wb") as file:
                write_column(file, np.asarray(getattr(self, column)))
        columns = (stored(folder / f"{name}.{column}", "int32") for column in ("entity", "text"))
        return _Own(Table.load(folder, name), *columns)


def join_labels(work: Work, entities: Entities, relations: Sequence[bytes]) -> dict[str, tuple[str, ...]]:
    """Write the labels; return what the relations are called, the best name first."""
    used, named, called, most = _sifted(work, entities)
    work.columns.write("labels.given", np.zeros(0, np.uint8) if work.naming.every else named)
    if _shareable(work, entities):
        _share(work, entities.count)
        return {}
    own = [each.kept(work.folder, f"own-{k}") for k, each in enumerate(_own(work, entities.count, named))]
    maps, count = _join_texts(work, used, own)
    senses = work.sorter((count, entities.count, most + 2))
    shown = work.sorter((entities.count, most + 2, count))
    for rows in _rows(work, entities, maps, own, most + 1):
        senses.add(rows)
        shown.add(np.ascontiguousarray(rows[:, [1, 2, 0]]))
    _write_senses(work, senses, count)
    _write_shown(work, shown, entities.count)
    work.step("joining labels", 1.0)
    return {
        relations[r].decode(): tuple(dict.fromkeys(text for _, text in sorted(texts)))
        for r, texts in sorted(called.items())
    }


def _sifted(
    work: Work, entities: Entities
) -> tuple[list[ndarray], UInt8[ndarray, " entities"], dict[int, list[tuple[int, str]]], int]:
    """Return which labels of each run are used, which entities are named, what relations are called, the worst rank."""
    named = np.zeros(entities.count, np.uint8)
    used, called, most = [], dict[int, list[tuple[int, str]]](), 0
    also = np.array(sorted(entities.relation_of), np.int32)
    for k, run in enumerate(work.runs):
        flags = np.zeros(len(run.labels), np.uint8)
        place = np.asarray(run.labels.place[:])
        ids = entities.of(k, work.runs) if len(run.names) else np.zeros(0, np.int32)
        for begin in range(0, len(run.names), 3 * _ROWS):
            rows = np.asarray(run.names[begin : begin + 3 * _ROWS]).reshape(-1, 3)
            entity = ids[rows[:, 0]]
            kept = entity >= 0
            named[entity[kept]] = 1
            flags[place[rows[kept, 2]]] = 1
            most = max(most, int(rows[:, 1].max()))
            for i in np.flatnonzero((entity <= RELATION) | np.isin(entity, also)).tolist():
                if rows[i, 1] < work.naming.shown:
                    relation = RELATION - int(entity[i]) if entity[i] < 0 else entities.relation_of[int(entity[i])]
                    text = " ".join(_text(run.labels, int(place[rows[i, 2]])).split())
                    called.setdefault(relation, []).append((int(rows[i, 1]), text))
        used.append(flags)
    return used, named, called, most


def _text(table: Table, i: int) -> str:
    begin, end = (int(start) for start in table.starts[i : i + 2])
    return np.asarray(table.blob[begin:end]).tobytes().decode()


def _shareable(work: Work, entities: Entities) -> bool:
    """Say whether every entity is called by its own name and nothing else: then the labels are the entities."""
    if work.naming.own != "spaced" or not work.naming.every or any(len(run.names) for run in work.runs):
        return False
    blob = work.columns.part("entities.blob")
    return not any((np.asarray(blob[a : a + 2**24]) == _UNDERSCORE).any() for a in range(0, len(blob), 2**24))


def _share(work: Work, count: int) -> None:
    for column in ("blob", "offsets", "order"):
        work.columns.share(f"labels.{column}", f"entities.{column}")
    for begin in range(0, count, _ROWS):
        ids = np.arange(begin, min(begin + _ROWS, count))
        work.columns.write("labels.ptr", ids.astype(np.int64))
        work.columns.write("labels.entity", ids.astype(np.int32))
        work.columns.write("labels.score", np.ones(len(ids), np.float32))
        work.columns.write("labels.pos", np.full(len(ids), -1, np.int8))
    work.columns.write("labels.ptr", np.array([count], np.int64))
    work.columns.share("labels.preferred", "labels.entity")


def _own(work: Work, count: int, named: UInt8[ndarray, " entities"]) -> Iterator[_Own]:
    """Make labels of the own names of the entities that shall have one, some millions at once."""
    blob, offsets = work.columns.part("entities.blob"), work.columns.part("entities.offsets")
    texts, kept, numbers = Interner(), list[ndarray](), list[ndarray]()
    for begin in range(0, count, _ROWS):
        end = min(begin + _ROWS, count)
        which = np.arange(begin, end) if work.naming.every else begin + np.flatnonzero(named[begin:end] == 0)
        text, first, last = _shaped(blob, offsets, (begin, end), which - begin, work.naming.own)
        filled = last > first
        kept.append(which[filled].astype(np.int32))
        numbers.append(texts.add(text, first[filled], last[filled]))
        if 2 * texts.nbytes + 8 * sum(map(len, kept)) > work.memory:
            yield _Own(Table.of(texts), np.concatenate(kept), np.concatenate(numbers))
            texts, kept, numbers = Interner(), [], []
    if kept:
        yield _Own(Table.of(texts), np.concatenate(kept), np.concatenate(numbers))


def _shaped(
    blob: Part, offsets: Part, span: tuple[int, int], chosen: Int64[ndarray, " chosen"], own: str
) -> tuple[UInt8[ndarray, " bytes"], Int32[ndarray, " chosen"], Int32[ndarray, " chosen"]]:
    """Return the names of some entities as they are called, and where each begins and ends."""
    starts = np.asarray(offsets[span[0] : span[1] + 1])
    text, starts = taken(
        np.asarray(blob[int(starts[0]) : int(starts[-1])]), starts - starts[0], chosen.astype(np.int32)
    )
    first, last = starts[:-1].astype(np.int32), starts[1:].astype(np.int32)
    if own == "last part":
        last_parts(text, starts, first, last)
    else:
        space_out(text)
        _drop_blank(text, first, last)
    return text, first, last


@no_type_check
@njit(cache=True)
def _drop_blank(text, first, last):
    for i in range(len(first)):
        if is_blank(text, first[i], last[i]):
            last[i] = first[i]


def _join_texts(work: Work, used: Sequence[ndarray], own: Sequence[_Own]) -> tuple[Maps, int]:
    """Write the table of labels; return what those of the runs became, and how many there are."""
    tables = [run.labels for run in work.runs] + [each.texts for each in own]
    maps, out = Maps("labels", len(tables), work.folder), StringsOut(work.columns, "labels")
    for part in merged(tables):
        kept = np.zeros(len(part), bool)
        for k, (begin, end, place) in enumerate(part.parts):
            kept[place] |= used[k][begin:end].astype(bool) if k < len(used) else True
        ids = (out.count + np.cumsum(kept) - 1).astype(np.int32)
        for k, (_, _, place) in enumerate(part.parts):
            maps.add(k, ids[place])
        out.add(*taken(part.blob, part.starts, np.flatnonzero(kept).astype(np.int32)))
    return maps, out.count


def _rows(
    work: Work, entities: Entities, maps: Maps, own: Sequence[_Own], last: int
) -> Iterator[Int32[ndarray, "rows 3"]]:
    """Yield rows of label, entity and rank."""
    for k, run in enumerate(work.runs):
        if not len(run.names):
            continue
        ids, texts = entities.of(k, work.runs), maps.of(k)[np.asarray(run.labels.place[:])]
        for begin in range(0, len(run.names), 3 * _ROWS):
            rows = np.asarray(run.names[begin : begin + 3 * _ROWS]).reshape(-1, 3)
            entity = ids[rows[:, 0]]
            found = np.stack([texts[rows[:, 2]], entity, rows[:, 1]], axis=1)
            yield found[entity >= 0]
        work.step("joining labels", 0.5 * (k + 1) / len(work.runs))
    for k, each in enumerate(own, start=len(work.runs)):
        texts = maps.of(k)[np.asarray(each.texts.place[:])]
        for begin in range(0, len(each.entity), _ROWS):
            entity, text = each.entity[begin : begin + _ROWS], each.text[begin : begin + _ROWS]
            yield np.stack([texts[text], entity, np.full(len(entity), last, np.int32)], axis=1)


def _write_senses(work: Work, senses: RowSorter, count: int) -> None:
    """Write which entities each label may mean. Senses of one label share its score equally."""
    pointers, waiting = PointersOut(work.columns, "labels.ptr"), np.zeros((0, 2), np.int32)
    work.columns.write("labels.entity", np.zeros(0, np.int32))
    work.columns.write("labels.score", np.zeros(0, np.float32))

    def write(rows: Int32[ndarray, "rows 2"]) -> None:
        if len(rows):
            pointers.add(rows[:, 0])
            shares = np.bincount(rows[:, 0] - rows[0, 0])
            work.columns.write("labels.entity", np.ascontiguousarray(rows[:, 1]))
            work.columns.write("labels.score", (1.0 / shares[rows[:, 0] - rows[0, 0]]).astype(np.float32))

    for block in senses.blocks():
        rows = np.concatenate([waiting, block[:, :2]])
        new = np.ones(len(rows), bool)  # the same entity may have been called so twice, by names of two ranks
        new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
        rows = rows[new]
        cut = int(np.searchsorted(rows[:, 0], rows[-1, 0], "left"))  # more senses of the last label may come
        write(rows[:cut])
        waiting = rows[cut:]
    write(waiting)
    pointers.finish(count)


def _write_shown(work: Work, shown: RowSorter, count: int) -> None:
    """Write the label by which each entity is shown: the one of the best rank, of these the first."""
    written, last = 0, -1
    work.columns.write("labels.preferred", np.zeros(0, np.int32))
    for block in shown.blocks():
        new = np.ones(len(block), bool)
        new[0] = block[0, 0] != last
        new[1:] = block[1:, 0] != block[:-1, 0]
        best, last = block[new], int(block[-1, 0])
        if len(best):
            piece = np.full(last + 1 - written, -1, np.int32)
            piece[best[:, 0] - written] = best[:, 2]
            work.columns.write("labels.preferred", piece)
            written = last + 1
    work.columns.write("labels.preferred", np.full(count - written, -1, np.int32))
    for begin in range(0, count, _ROWS):
        work.columns.write("labels.pos", np.full(min(_ROWS, count - begin), -1, np.int8))

"""Cuts a store by head entity: stores of their own, for machines or disks of their own."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge.columns import FileColumns
from kgreason.knowledge.commit import Said, check_target, commit, new_columns
from kgreason.knowledge.manifest import Column, read_manifest
from kgreason.knowledge.store import COLUMNS, open_store
from kgreason.knowledge.writing import writing

#: The entities from the first to before the second.
Span: TypeAlias = tuple[int, int]
_PIECE = 2**22
_TRIPLES = ("head_ptr", "relation", "tail", "tail_ptr", "inverse", "head")


def spans_of(graph: KnowledgeGraph, parts: int) -> list[Span]:
    """Cut the entities into `parts` spans that are heads of about equally many triples.

    Raises:
        ConfigError: If there are fewer entities than parts.
    """
    if not 1 <= parts <= len(graph.entities):
        raise ConfigError(f"{len(graph.entities):,} entities cannot be cut into {parts} parts.")
    wanted = np.arange(1, parts) * graph.num_triples / parts
    inner = np.searchsorted(graph.head_ptr, wanted, "left")
    ends = [0, *inner.tolist(), len(graph.entities)]
    for k in range(1, parts):  # no part is without entities
        ends[k] = min(max(ends[k], ends[k - 1] + 1), len(graph.entities) - parts + k)
    return list(pairwise(ends))


def shard_store(store: Path | str, folder: Path | str, parts: int) -> list[Path]:
    """Cut a store into `parts` stores by head entity, and return their folders, `FOLDER/0` and so on.

    All of them number entities, relations and labels as the whole does, and hold all names (as one file on disk, where
    the file system can link), so that an id means the same everywhere; each holds the triples of its heads, in both
    directions. `about["shard"]` says which it is, `about["shard_heads"]` whose triples it holds. A triple stands in
    exactly one of them: what follows from a head is asked of one, what leads to a tail of all. Takes memory for one
    pointer an entity, whatever the size of the store.

    Raises:
        ConfigError: If there are fewer entities than parts.
        StoreError: If the store is damaged, or the folder holds something else or cannot be written.
    """
    store, folder = Path(store), Path(folder)
    graph = open_store(store, "once")
    made = []
    for k, span in enumerate(spans_of(graph, parts)):
        target = folder / f"{k:0{len(str(parts - 1))}}"
        check_target(target)
        about = {**graph.about, "shard": f"{k + 1} of {parts}", "shard_heads": f"{span[0]}-{span[1] - 1}"}
        with writing(f"The store {target}"):
            _write(store, graph, span, target, about)
        made.append(target)
    return made


def _write(store: Path, graph: KnowledgeGraph, span: Span, target: Path, about: dict[str, str]) -> None:
    manifest = read_manifest(store)
    with new_columns(target) as temporary:
        columns = FileColumns(temporary)
        try:
            _write_triples(graph, span, columns)
            own = columns.finish(_TRIPLES, keep=True)
        finally:
            columns.close()
        table: dict[str, Column] = {}
        names: dict[str, str] = {}
        for name in COLUMNS:
            if name not in own and name not in manifest.columns:
                continue  # a column that older stores do not have
            table[name] = own.get(name) or manifest.columns[name]
            if name not in own:  # several columns may share a file, which may be called like one of our own
                file = table[name].file
                if file not in names:
                    names[file] = name
                    _link(store / manifest.data / file, temporary / name)
                table[name] = replace(table[name], file=names[file])
        commit(target, temporary, table, Said(about, graph.relation_labels, manifest.sources))


def _write_triples(graph: KnowledgeGraph, span: Span, columns: FileColumns) -> None:
    low, high = (int(graph.head_ptr[at]) for at in span)
    for at in range(0, len(graph.head_ptr), _PIECE):
        columns.write("head_ptr", np.clip(graph.head_ptr[at : at + _PIECE], low, high) - low)
    for name in ("relation", "tail"):
        column = getattr(graph, name)
        columns.write(name, column[:0])
        for at in range(low, high, _PIECE):
            columns.write(name, column[at : min(at + _PIECE, high)])
    columns.write("inverse", graph.inverse[:0])
    columns.write("head", graph.head[:0])
    for at, chosen in _chosen(graph, span):
        columns.write("inverse", graph.inverse[at : at + len(chosen)][chosen])
        columns.write("head", graph.head[at : at + len(chosen)][chosen])
    columns.write("tail_ptr", _tail_pointers(graph, span))


def _chosen(graph: KnowledgeGraph, span: Span) -> Iterator[tuple[int, ndarray]]:
    """Yield which of the triples by tail have their heads in the span, piece by piece."""
    for at in range(0, len(graph.head), _PIECE):
        piece = graph.head[at : at + _PIECE]
        yield at, (piece >= span[0]) & (piece < span[1])


def _tail_pointers(graph: KnowledgeGraph, span: Span) -> Int64[ndarray, " offsets"]:
    """Return where the triples of each tail begin, of those whose heads are in the span."""
    pointers, before = np.zeros(len(graph.tail_ptr), np.int64), 0
    for at, chosen in _chosen(graph, span):
        sums = before + np.concatenate([[0], np.cumsum(chosen)])
        begin, end = np.searchsorted(graph.tail_ptr, [at, at + len(chosen)], "left")
        pointers[begin:end] = sums[np.asarray(graph.tail_ptr[begin:end]) - at]
        before = int(sums[-1])
        last = end
    pointers[last:] = before
    return pointers


def _link(source: Path, target: Path) -> None:
    """Give a file, which no one ever writes to again, a second name; copy it where the file system cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

"""A knowledge graph on disk: one file a column, mapped into memory, under a manifest with counts and checksums.

    FOLDER/manifest.json           what it is, its columns, and the folder they lie in; replacing it is the commit
    FOLDER/columns-<digest>/tail   one column: little-endian numbers, nothing else

A triple takes 12 bytes (int32 and uint16, in both directions); an entity 16, its labels and its strings.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias, final

import numpy as np
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import StoreError
from kgreason.knowledge.checks import check_shape, check_values, note_checked, was_checked
from kgreason.knowledge.commit import SMALL, Said, check_target, commit, new_columns
from kgreason.knowledge.manifest import MANIFEST, Column, Manifest, read_manifest
from kgreason.knowledge.strings import StringTable
from kgreason.knowledge.writing import writing

Verify: TypeAlias = Literal["checksum", "once", "size"]
_GRAPH = ("head_ptr", "relation", "tail", "tail_ptr", "inverse", "head")
_LABELS = ("ptr", "entity", "score", "preferred", "pos", "given")
_STRINGS = tuple(
    f"{part}.{kind}" for part in ("entities", "relations", "labels") for kind in ("blob", "offsets", "order")
)
#: The columns of a store, in the order in which their checksums make up its name.
COLUMNS = (*_STRINGS, *_GRAPH, *(f"labels.{name}" for name in _LABELS))


def save_store(graph: KnowledgeGraph, folder: Path | str) -> Path:
    """Write a graph to `folder` and return it. The same graph always gives the same bytes.

    Everything is written under temporary names first; replacing the manifest is the last step and atomic. Until then
    a store that was there before stays valid, and after it, processes that have the old one open keep reading it.

    Raises:
        StoreError: If the folder holds something else, or cannot be written (no space, no permission).
        DataError: If a name is not text.
    """
    folder = Path(folder)
    columns = columns_of(graph)
    check_target(folder)
    with writing(f"The store {folder}"), new_columns(folder) as temporary:
        commit(folder, temporary, _write(temporary, columns), Said(graph.about, graph.relation_labels))
    return folder


def open_store(folder: Path | str, verify: Verify = "checksum") -> KnowledgeGraph:
    """Open a store; its arrays are mapped from disk and read-only.

    Args:
        folder: What `save_store` was given.
        verify: `checksum` reads every byte (about 1 GB/s); `once` does so if the store is small, or was written since
            it was last read through by this user on this machine; `size` only looks at the files' lengths.

    Raises:
        StoreError: If a file is missing, cut short or changed.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    for _ in range(3):  # another process may replace the store between our reading the manifest and the columns
        try:
            return _open(folder, manifest, verify)
        except (StoreError, FileNotFoundError):
            again = read_manifest(folder)
            if again == manifest:
                raise
            manifest = again
    return _open(folder, manifest, verify)


def columns_of(graph: KnowledgeGraph) -> dict[str, ndarray]:
    """Return every array a graph is made of, by the name it has in a store."""
    entities = StringTable.of(graph.entities)
    names = entities if graph.labels.names is graph.entities else StringTable.of(graph.labels.names)
    columns: dict[str, ndarray] = {}
    for part, table in (("entities", entities), ("relations", StringTable.of(graph.relations)), ("labels", names)):
        columns |= {f"{part}.blob": table.blob, f"{part}.offsets": table.offsets, f"{part}.order": table.order}
    columns |= {name: getattr(graph, name) for name in _GRAPH}
    return columns | {f"labels.{name}": getattr(graph.labels, name) for name in _LABELS}


def _write(folder: Path, columns: Mapping[str, ndarray]) -> dict[str, Column]:
    table: dict[str, Column] = {}
    files: dict[str, str] = {}
    for name, column in columns.items():
        data = np.ascontiguousarray(column)
        content = data.data.cast("B") if data.size else memoryview(b"")
        digest = hashlib.sha256(content).hexdigest()
        if digest not in files:
            files[digest] = name
            with (folder / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        table[name] = Column(files[digest], data.dtype.name, len(data), digest)
    return table


def _open(folder: Path, manifest: Manifest, verify: Verify) -> KnowledgeGraph:
    data, columns = folder / manifest.data, manifest.columns
    try:
        arrays = {name: column.mapped(data) for name, column in columns.items()}
        check_shape(folder, arrays, manifest.counts)
        if verify != "size":
            _check(folder, manifest, arrays, verify)
    except KeyError as error:
        raise StoreError(f"{folder / MANIFEST} names no column {error}. Build the graph again.") from None
    return graph_of(arrays, manifest.about, manifest.relation_labels)


def _check(folder: Path, manifest: Manifest, arrays: Mapping[str, ndarray], verify: Verify) -> None:
    """Read all bytes, unless that was done before and nothing was written since."""
    columns = {column.file: column for column in manifest.columns.values()}
    files = [folder / MANIFEST, *(folder / manifest.data / file for file in columns)]
    large = sum(column.size for column in columns.values()) > SMALL
    if verify == "once" and large and was_checked(folder, files):
        return
    for column in columns.values():
        column.check(folder / manifest.data)
    check_values(folder, arrays, manifest.counts)
    if large:
        note_checked(folder, files)


def graph_of(
    arrays: Mapping[str, ndarray], about: Mapping[str, str], relation_labels: Mapping[str, tuple[str, ...]]
) -> KnowledgeGraph:
    """Put a graph together from the columns of `columns_of`."""
    entities = _table(arrays, "entities")
    noted = {"labels.given": np.zeros(0, np.uint8), **arrays}  # stores of before 1.0 have no such column
    labels = Labels(_table(arrays, "labels"), *(noted[f"labels.{name}"] for name in _LABELS))
    return KnowledgeGraph(
        entities=entities,
        relations=Vocab(_table(arrays, "relations")),
        head_ptr=arrays["head_ptr"],
        relation=arrays["relation"],
        tail=arrays["tail"],
        tail_ptr=arrays["tail_ptr"],
        inverse=arrays["inverse"],
        head=arrays["head"],
        labels=labels,
        about=dict(about),
        relation_labels=dict(relation_labels),
    )


def _table(arrays: Mapping[str, ndarray], part: str) -> StringTable:
    return StringTable(arrays[f"{part}.blob"], arrays[f"{part}.offsets"], arrays[f"{part}.order"])


@final
class StoreSource:
    """Opens a store that `save_store` or `build_store` wrote; its bytes are checked once, and again if they change.

    Args:
        path: Its folder.

    Raises:
        StoreError: If a file is missing, cut short or changed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __call__(self) -> KnowledgeGraph:
        return open_store(self.path, "once")

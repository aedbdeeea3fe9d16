"""A knowledge graph on disk: one file a column, mapped into memory, under a manifest with counts and checksums.

    FOLDER/manifest.json           what it is, its columns, and the folder they lie in; replacing it is the commit
    FOLDER/columns-<digest>/tail   one column: little-endian numbers, nothing else

A triple takes 12 bytes (int32 and uint16, in both directions); an entity 16, its labels and its strings.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, final

import numpy as np
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import StoreError
from kgreason.knowledge.checks import check_shape, check_values, note_checked, was_checked
from kgreason.knowledge.manifest import MANIFEST, Column, Manifest, read_manifest, write_manifest
from kgreason.knowledge.strings import StringTable

Verify: TypeAlias = Literal["checksum", "once", "size"]
#: A store up to this many bytes is read through whenever it is opened, which takes some milliseconds.
_SMALL = 2**23
_STALE = 24 * 3600.0  # seconds after which what another process was writing counts as left behind
_GRAPH = ("head_ptr", "relation", "tail", "tail_ptr", "inverse", "head")
_LABELS = ("ptr", "entity", "score", "preferred", "pos")
_STRINGS = tuple(
    f"{part}.{kind}" for part in ("entities", "relations", "labels") for kind in ("blob", "offsets", "order")
)
#: The columns of a store, in the order in which their checksums make up its name.
COLUMNS = (*_STRINGS, *_GRAPH, *(f"labels.{name}" for name in _LABELS))
#: The broken lines that a build has skipped, one JSON object a line, beside the manifest.
SKIPPED = "skipped.jsonl"
_OURS = (".columns-", ".manifest-", "columns-", ".build", SKIPPED)


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
    try:
        with new_columns(folder) as temporary:
            commit(folder, temporary, _write(temporary, columns), Said(graph.about, graph.relation_labels))
    except OSError as error:
        raise StoreError(
            f"The store {folder} could not be written: {error.strerror or error}. Nothing was half written; "
            "make room or choose another folder."
        ) from error
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


def check_target(folder: Path) -> None:
    """See that a store may be written to a folder.

    Raises:
        StoreError: If something else is there.
    """
    if folder.is_dir() and not (folder / MANIFEST).is_file():
        other = sorted(p.name for p in folder.iterdir() if not p.name.startswith(_OURS))
        if other:
            raise StoreError(
                f"{folder} exists and is not a graph store (it holds '{other[0]}'). Choose another folder."
            )
    elif folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; a graph store is a folder. Choose another name.")


@contextlib.contextmanager
def new_columns(folder: Path) -> Iterator[Path]:
    """Make a temporary folder for the columns of a store, and remove what is left of it."""
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    temporary = Path(tempfile.mkdtemp(prefix=".columns-", dir=folder))
    try:
        temporary.chmod(0o755)  # mkdtemp makes it private
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.rmdir()  # empty only if this was its first store and it failed


@final
@dataclass(frozen=True, slots=True)
class Said:
    """What a manifest says besides its columns.

    Args:
        about: Name, origin, licence, version: plain text.
        relation_labels: What relations are called.
        sources: The checksum of each file that the graph was built from.
    """

    about: Mapping[str, str]
    relation_labels: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str] = field(default_factory=dict)


def commit(folder: Path, temporary: Path, table: Mapping[str, Column], said: Said) -> None:
    """Make finished columns the content of a store. Replacing the manifest is the last step, and atomic."""
    old = _named(folder)
    digest = hashlib.sha256("".join(f"{name} {c.sha256}\n" for name, c in table.items()).encode()).hexdigest()
    target = folder / f"columns-{digest[:24]}"
    about, called = dict(said.about), dict(said.relation_labels)
    manifest = Manifest(target.name, dict(table), _counts(table), about, called, dict(said.sources))
    pending = write_manifest(folder, manifest)
    try:
        _move(temporary, target, table)  # from here on nothing needs space
        pending.replace(folder / MANIFEST)
    finally:
        pending.unlink(missing_ok=True)
    if old and old != target.name:
        shutil.rmtree(folder / old, ignore_errors=True)
    if sum(column.size for column in table.values()) > _SMALL:
        note_checked(folder, [folder / MANIFEST, *{target / column.file for column in table.values()}])


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


def _move(temporary: Path, target: Path, table: Mapping[str, Column]) -> None:
    """Give the finished columns their name; what is there already has the same content, unless it is damaged."""
    try:
        temporary.rename(target)
    except OSError:
        try:
            for column in table.values():
                column.mapped(target)
                column.check(target)
        except (StoreError, FileNotFoundError):
            aside = Path(tempfile.mkdtemp(prefix=".columns-", dir=target.parent))
            target.rename(aside / "damaged")
            temporary.rename(target)
            shutil.rmtree(aside, ignore_errors=True)


def _counts(table: Mapping[str, Column]) -> dict[str, int]:
    return {
        "entities": table["entities.offsets"].length - 1,
        "relations": table["relations.offsets"].length - 1,
        "triples": table["tail"].length,
        "labels": table["labels.offsets"].length - 1,
        "senses": table["labels.entity"].length,
    }


def _named(folder: Path) -> str:
    try:
        return read_manifest(folder).data
    except StoreError:  # none yet, or damaged: it is being replaced
        return ""


def _sweep(folder: Path) -> None:
    """Remove what a process that was killed left behind (never what one may be writing now)."""
    for path in (*folder.glob(".columns-*"), *folder.glob(".manifest-*"), *folder.glob(".build-*")):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


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
    large = sum(column.size for column in columns.values()) > _SMALL
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
    labels = Labels(_table(arrays, "labels"), *(arrays[f"labels.{name}"] for name in _LABELS))
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

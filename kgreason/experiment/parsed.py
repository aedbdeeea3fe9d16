"""Parses kept on disk, so that experiments that differ further down the line parse their texts once."""

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from kgreason.data import Example, LogicGraph
from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.filelock import FileLock
from kgreason.places import cache_folder
from kgreason.rooms import Parser

#: Folders of the package that a parse depends on.
_MADE_BY = ("data", "parse")
#: Examples whose parses are kept in one file; who asks for the same ones in such steps finds them.
CHUNK = 1024
_TEXTS = ("node_text", "node_lemma", "seeds", "mentions")
#: The axis along which the rows of a column stand; of others it is the last.
_FIRST = ("node_span",)


def parse_once(parser: Parser, table: dict[str, Any], examples: Sequence[Example]) -> list[LogicGraph]:
    """Parse examples, or take their graphs from the cache.

    Of several processes that want the same parses at the same time, one makes them and the others wait. A parser of the
    user's own (`module:Class`) is not cached: nobody knows what it depends on.

    Args:
        parser: Makes the graphs.
        table: Its section; part of the cache's key.
        examples: What to parse.
    """
    if _own(table):
        return list(parser(examples))
    path = cache_folder() / "parses" / f"{_key(table, examples)}.npz"
    with contextlib.suppress(StoreError):
        return _load(path, examples)
    lock = FileLock(path.with_suffix(".lock"))
    held = False
    with contextlib.suppress(StoreError):  # a cache that cannot be written costs time, not results
        held = lock.acquire()
    try:
        with contextlib.suppress(StoreError):  # another process was faster
            return _load(path, examples)
        graphs = list(parser(examples))
        with contextlib.suppress(StoreError):
            _save(path, graphs)
        return graphs
    finally:
        if held:
            lock.release()
            path.with_suffix(".lock").unlink(missing_ok=True)


def _save(path: Path, graphs: Sequence[LogicGraph]) -> None:
    if any(len(graph.edits) for graph in graphs):
        raise StoreError("Edits come from a grounder, not from a parser.")
    columns: dict[str, ndarray] = {"uid": np.array([graph.uid for graph in graphs])}
    for name in _columns():
        values = [getattr(graph, name) for graph in graphs]
        axis = 0 if name in _FIRST else -1
        columns[name] = np.concatenate(values, axis=axis)
        columns[f"{name}.count"] = np.array([v.shape[axis] for v in values], np.int64)
    for name in _TEXTS:
        told = json.dumps([getattr(graph, name) for graph in graphs])
        columns[name] = np.frombuffer(told.encode("utf-8"), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **columns)  # type: ignore[arg-type]
    record.write_bytes(path, [buffer.getvalue()])


def _load(path: Path, examples: Sequence[Example]) -> list[LogicGraph]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        if columns["uid"].tolist() != [e.uid for e in examples]:
            raise StoreError(f"{path} holds other examples.")
        cut = {}
        for name in _columns():
            ends = np.cumsum(columns[f"{name}.count"])[:-1]
            cut[name] = np.split(columns[name], ends, axis=0 if name in _FIRST else -1)
        said = {name: json.loads(columns[name].tobytes().decode("utf-8")) for name in _TEXTS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    graphs = []
    for i, e in enumerate(examples):
        given: dict[str, Any] = {name: cut[name][i] for name in cut}
        given |= {name: tuple(tuple(v) if isinstance(v, list) else v for v in said[name][i]) for name in said}
        graphs.append(LogicGraph(uid=e.uid, **given))
    return graphs


def _own(table: Any) -> bool:
    """Return whether a class of the user's own stands in a section."""
    if not isinstance(table, Mapping):
        return isinstance(table, str) and ":" in table
    return any(_own(value) for key, value in table.items() if key in ("name", "around"))


def _columns() -> list[str]:
    return [f.name for f in fields(LogicGraph) if f.name not in ("uid", "edits", *_TEXTS)]


def _key(table: dict[str, Any], examples: Sequence[Example]) -> str:
    made_of = {"parse": table, "code": record.code_hash(_MADE_BY)}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode())
    for e in examples:
        digest.update(json.dumps([e.uid, e.texts, e.roles, e.seeds, e.mentions]).encode())
    return digest.hexdigest()[:32]

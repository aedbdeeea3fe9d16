"""Whether the columns of a store fit each other, and whether its bytes were looked at since they last changed."""

import codecs
import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from kgreason.data import UPOS
from kgreason.errors import StoreError
from kgreason.places import cache_folder
from kgreason.whole import write_whole

_PIECE = 2**22


def check_shape(folder: Path, arrays: Mapping[str, ndarray], counts: Mapping[str, int]) -> None:
    """See that the columns fit each other, so that a slice never leaves its column.

    Raises:
        StoreError: If they do not.
    """
    wanted = {
        "entities.offsets": (counts["entities"], "entities.blob"),
        "relations.offsets": (counts["relations"], "relations.blob"),
        "labels.offsets": (counts["labels"], "labels.blob"),
        "head_ptr": (counts["entities"], "tail"),
        "tail_ptr": (counts["entities"], "head"),
        "labels.ptr": (counts["labels"], "labels.entity"),
    }
    for name, (rows, into) in wanted.items():
        ptr, size = arrays[name], len(arrays[into])
        if len(ptr) != rows + 1 or ptr[0] != 0 or ptr[-1] != size:
            raise StoreError(f"{folder}: column {name} does not fit {rows} rows over {size} entries. Build it again.")
    for a, b in (("relation", "tail"), ("inverse", "head"), ("head", "tail"), ("labels.score", "labels.entity")):
        if len(arrays[a]) != len(arrays[b]):
            raise StoreError(f"{folder}: column {a} has {len(arrays[a])} entries, {b} has {len(arrays[b])}.")
    for name in ("labels.preferred", "labels.pos"):
        if len(arrays[name]) != counts["entities"]:
            raise StoreError(
                f"{folder}: column {name} has {len(arrays[name])} entries for {counts['entities']} entities."
            )
    if len(arrays.get("labels.given", ())) not in (0, counts["entities"]):
        raise StoreError(f"{folder}: column labels.given does not fit {counts['entities']} entities. Build it again.")
    for part in ("entities", "relations", "labels"):
        if len(arrays[f"{part}.order"]) not in (0, counts[part]):
            raise StoreError(f"{folder}: column {part}.order does not fit {counts[part]} names. Build it again.")


def check_values(folder: Path, arrays: Mapping[str, ndarray], counts: Mapping[str, int]) -> None:
    """See that every number is one of an entity, a relation or a label, and every name is text.

    The checksums say that the bytes are those that someone wrote; this says that whoever it was wrote a graph, so that
    what walks over it never leaves it.

    Raises:
        StoreError: If one is not.
    """
    entities, relations, labels = counts["entities"], counts["relations"], counts["labels"]
    bounds = {
        "tail": (0, entities),
        "head": (0, entities),
        "relation": (0, relations),
        "inverse": (0, relations),
        "labels.entity": (0, entities),
        "labels.preferred": (-1, labels),
        "labels.pos": (-1, len(UPOS)),
        **{f"{part}.order": (0, counts[part]) for part in ("entities", "relations", "labels")},
    }
    for name, (low, high) in bounds.items():
        for piece in _pieces(arrays[name]):
            if int(piece.min()) < low or int(piece.max()) >= high:
                raise StoreError(f"{folder}: column {name} has numbers outside of {low} to {high - 1}. Build it again.")
    for name in ("head_ptr", "tail_ptr", "labels.ptr", "entities.offsets", "relations.offsets", "labels.offsets"):
        last = 0
        for piece in _pieces(arrays[name]):
            if int(piece[0]) < last or (np.diff(piece) < 0).any():
                raise StoreError(f"{folder}: column {name} does not ascend. Build it again.")
            last = int(piece[-1])
    for part in ("entities", "relations", "labels"):
        _check_text(folder, part, arrays[f"{part}.blob"])


def _check_text(folder: Path, part: str, blob: ndarray) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(blob):
            decoder.decode(piece.tobytes())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise StoreError(f"{folder}: column {part}.blob is not UTF-8. Build it again.") from None


def _pieces(column: ndarray) -> list[ndarray]:
    return [column[at : at + _PIECE] for at in range(0, len(column), _PIECE)]


def was_checked(folder: Path, files: list[Path]) -> bool:
    """Say whether all bytes of these files were checked before, and none was written since.

    As git does it: size, times and inode of each file are compared with those at the time of the check, which are kept
    in the cache folder. Whoever can set the time of a change (root can) can also change the cache.
    """
    try:
        return bool(json.loads(_note(folder).read_text(encoding="utf-8")) == _state(files))
    except (OSError, ValueError):
        return False


def note_checked(folder: Path, files: list[Path]) -> None:
    """Remember that all bytes of these files were checked; nothing happens if the cache cannot be written."""
    with contextlib.suppress(OSError):
        write_whole(_note(folder), json.dumps(_state(files)).encode())


def _note(folder: Path) -> Path:
    return cache_folder() / "checked" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]}.json"


def _state(files: list[Path]) -> list[list[str | int]]:
    found: list[list[str | int]] = []
    for file in sorted(files):
        stat = file.stat()
        found.append([file.name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino])
    return found

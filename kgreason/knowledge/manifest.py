"""The manifest of a store: what the graph is, which columns it has, and how to tell that they are whole."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy import ndarray

from kgreason.errors import StoreError

FORMAT, VERSION = "kgreason-store", 1
MANIFEST = "manifest.json"
_DTYPES = ("uint8", "uint16", "int8", "int32", "int64", "float32")


@final
@dataclass(frozen=True, slots=True)
class Column:
    """One column of a store.

    Args:
        file: Its file in the folder of columns; equal columns share one.
        dtype: What it holds; always little-endian.
        length: How many numbers it holds.
        sha256: Of the file.
    """

    file: str
    dtype: str
    length: int
    sha256: str

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return self.length * np.dtype(self.dtype).itemsize

    def mapped(self, folder: Path) -> ndarray:
        """Return the column, mapped from disk and read-only.

        Raises:
            StoreError: If the file is missing or has another size than the manifest says.
        """
        path = folder / self.file
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            raise StoreError(f"{path} is missing. Build the graph again with: kgreason graph build") from None
        if found != self.size:
            raise StoreError(
                f"{path} has {found} bytes, the manifest says {self.size}: it was cut short or changed. "
                "Build the graph again with: kgreason graph build"
            )
        if not self.length:  # an empty file cannot be mapped
            return np.zeros(0, self.dtype)
        return np.asarray(np.memmap(path, self.dtype, "r"))

    def check(self, folder: Path) -> None:
        """Read the whole file and compare its checksum.

        Raises:
            StoreError: If the bytes are not those that were written.
        """
        with (folder / self.file).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            raise StoreError(
                f"{folder / self.file} has the sha256 {found}, the manifest says {self.sha256}: its bytes were "
                "changed. Build the graph again with: kgreason graph build"
            )


@final
@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says.

    Args:
        data: The folder, beside the manifest, that holds the columns; named after their content.
        columns: The columns by name.
        counts: How many entities, relations, triples, labels and senses there are.
        about: Name, origin, licence, version: plain text.
        relation_labels: What relations are called. Stores written before there was such a thing have none, and a
            kgreason of that time reads past it: the version need not change.
        sources: The sha256 of each file that the graph was built from; nothing where it was not built from files.
    """

    data: str
    columns: dict[str, Column]
    counts: dict[str, int]
    about: dict[str, str] = field(default_factory=dict)
    relation_labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest to a new file, flushed to disk."""
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, **asdict(manifest)}, ensure_ascii=False, indent=1, sort_keys=True
    )
    with path.open("xb") as file:
        file.write(text.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Read `folder/manifest.json`.

    Raises:
        StoreError: If it is missing, is not a manifest, or is of a version this kgreason does not know.
    """
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{folder} has no {MANIFEST}, so it is not a graph store. See: kgreason graph build") from None
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not JSON: {error}. Build the graph again with: kgreason graph build") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise StoreError(f"{path} is not the manifest of a graph store (no format = '{FORMAT}').")
    if found.get("version") != VERSION:
        raise StoreError(
            f"{path} has version {found.get('version')!r}, this kgreason reads version {VERSION}. "
            "Build the graph again with: kgreason graph build"
        )
    try:
        return _manifest(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error!r}. Build the graph again with: kgreason graph build") from None


def _manifest(found: dict[str, Any]) -> Manifest:
    columns = {
        name: Column(str(c["file"]), str(c["dtype"]), int(c["length"]), str(c["sha256"]))
        for name, c in found["columns"].items()
    }
    for name, column in columns.items():
        if column.dtype not in _DTYPES or column.length < 0:
            raise ValueError(f"column {name} has dtype {column.dtype!r} and length {column.length}")
    for part in (str(found["data"]), *(column.file for column in columns.values())):
        if Path(part).name != part:  # a manifest must not lead out of its folder
            raise ValueError(f"'{part}' is not a plain file name")
    return Manifest(
        data=str(found["data"]),
        columns=columns,
        counts={str(key): int(value) for key, value in found["counts"].items()},
        about={str(key): str(value) for key, value in found["about"].items()},
        relation_labels={str(name): tuple(map(str, texts)) for name, texts in found.get("relation_labels", {}).items()},
        sources={str(name): str(digest) for name, digest in found.get("sources", {}).items()},
    )

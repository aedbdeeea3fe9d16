"""The files a source is given: one path or several, plain or gzipped."""

import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, cast

from kgreason.errors import DataError

#: What a source that reads files takes: one path, or several that make up one graph.
Paths: TypeAlias = str | Path | Sequence[str | Path]


def paths_of(path: Paths) -> tuple[Path, ...]:
    """Return the paths, each of a file that is there.

    Raises:
        DataError: If there is none, or one is missing or a folder.
    """
    paths = (Path(path),) if isinstance(path, (str, Path)) else tuple(map(Path, path))
    if not paths:
        raise DataError("No file was given; a graph needs at least one.")
    for each in paths:
        if not each.is_file():
            raise DataError(f"{each} is {'a folder' if each.is_dir() else 'missing'}; expected a file.")
    return paths


def ending_of(path: Path) -> str:
    """Return the ending in lower case, without `.gz`: `.tsv` of `FACTS.TSV.gz`."""
    return (Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix).lower()


def open_plain(path: Path) -> io.BufferedReader:
    """Open a file for reading bytes; if it ends in `.gz`, what is inside."""
    if path.suffix.lower() == ".gz":
        return io.BufferedReader(cast("io.RawIOBase", gzip.open(path, "rb")))
    return path.open("rb")

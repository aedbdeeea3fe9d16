"""Reads CLUTRR's own files: a table in a zip archive, with Python's way of writing lists inside its cells."""

import ast
import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from kgreason.errors import DataError
from kgreason.tasks.compositions import Compositions

_NEEDED = ("id", "story", "query", "target", "story_edges", "edge_types", "genders", "task_name")


def read_clutrr(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each row, counted from 2 as in a spreadsheet, and its fields under our names.

    These are `uid`, `story` (people in [brackets]), `facts` as (head, relation, tail) in the order of the walk from the
    one person to the other, `query` (head, tail), `relation`, and `hops`: how many facts the walk has. Of a file in the
    archive also `type`: what the archive's own training stories of two facts say, applied in every order and along all
    paths, leaves one answer (`settled`) or not (`open`: my wife's son's grandmother, my mother or hers?).

    Args:
        path: A file of the archive, as if the archive were a folder (`data.zip/1.2_test.csv`); or a file on disk.

    Raises:
        DataError: If there is no such file, it lacks a column, or a cell cannot be read.

    Reference:
        Sinha et al., 2019, arXiv:1908.06177; the columns are those of the data published with it.
    """
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(f"{path} has no column '{missing[0]}'; it is no file of CLUTRR.")
    table = _rules(path.parent) if path.parent.is_file() else None
    try:
        for row in reader:
            fields = _fields(path, reader.line_num, row)
            if table is not None:
                readings = table.readings(fields["facts"], fields["query"])
                fields["type"] = "settled" if len(readings) == 1 else "open"
            yield reader.line_num, fields
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num} is not CSV: {error}.") from error


def _text(path: Path) -> str:
    try:
        if path.parent.is_file():
            with zipfile.ZipFile(path.parent) as archive:
                return archive.read(path.name).decode("utf-8")
        return path.read_text("utf-8")
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. It is described in datasets/clutrr.toml.") from error


def _fields(path: Path, line: int, row: Mapping[str, str]) -> dict[str, Any]:
    people = [person.partition(":")[0] for person in row["genders"].split(",")]
    ends, relations, query = (_list(path, line, name, row[name]) for name in ("story_edges", "edge_types", "query"))
    try:
        facts = [(people[a], str(r), people[b]) for (a, b), r in zip(ends, relations, strict=True)]
        hops = int(row["task_name"].rpartition(".")[2])
    except (ValueError, IndexError, TypeError) as error:
        raise DataError(
            f"{path}, line {line}: story_edges {row['story_edges']} and edge_types {row['edge_types']} do not make "
            f"facts about {', '.join(people)}: {error}."
        ) from error
    fields = {"uid": row["id"], "story": row["story"], "facts": facts, "query": query}
    return fields | {"relation": row["target"], "hops": hops}


@lru_cache(4)
def _rules(archive: Path) -> Compositions:
    """Return what two relations in a row come to, as the stories of two facts in an archive's training file say."""
    with zipfile.ZipFile(archive) as names:
        trains = [name for name in names.namelist() if name.endswith("_train.csv")]
    results: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in trains:
        for row in csv.DictReader(io.StringIO(_text(archive / name), newline="")):
            first, dash, second = row.get("f_comb", "").partition("-")
            if dash and second and row["task_name"] == "task_1.2":
                results[first, second] = (row["target"],)
    return Compositions(results)


def _list(path: Path, line: int, name: str, cell: str) -> list[Any]:
    try:
        return list(ast.literal_eval(cell))
    except (ValueError, SyntaxError, TypeError) as error:
        raise DataError(f"{path}, line {line}: the cell '{name}' holds {cell!r}, expected a list.") from error

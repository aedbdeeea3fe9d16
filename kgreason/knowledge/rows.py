"""Reads some columns of a file of lines: fast by polars, and line by line where something is wrong, to say where."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

from kgreason.errors import DataError
from kgreason.knowledge.files import open_plain

if TYPE_CHECKING:
    import polars as pl

Form: TypeAlias = Literal["tsv", "csv", "jsonl"]
#: First lines that are surely no triple; read as one they would make an entity "subject".
_HEADERS = ({"head", "relation", "tail"}, {"subject", "predicate", "object"}, {"source", "relation", "target"})


@final
@dataclass(frozen=True, slots=True)
class Row:
    """Which columns to read, and what to call them.

    Args:
        fields: What each column is, for the result and for messages.
        columns: A number from 1, or a name in the first line (in JSON lines, a key), for each field.
    """

    fields: tuple[str, ...]
    columns: tuple[int | str, ...]

    @property
    def named(self) -> bool:
        return isinstance(self.columns[0], str)


def read_rows(path: Path, form: Form, row: Row) -> "pl.DataFrame":
    """Return the columns of `row` as strings, without empty lines.

    Raises:
        DataError: If a line is broken, a field is missing or blank, or a header does not have the columns; with the
            number of the line.
    """
    import polars as pl

    try:
        found = _fast(path, form, row)
    except (pl.exceptions.PolarsError, OSError, EOFError):  # the slow way finds out where, and says so
        found = None
    if found is None:
        found = pl.DataFrame(list(_slow(path, form, row)), schema=dict.fromkeys(row.fields, pl.String), orient="row")
    _refuse_header(path, row, found)
    return found


def _fast(path: Path, form: Form, row: Row) -> "pl.DataFrame | None":
    """Return the rows if the whole file is as it should be, else None."""
    import polars as pl

    if form == "jsonl":
        with open_plain(path) as file:
            content = file.read()
        if b"\\ud" in content or b"\\uD" in content:  # perhaps a lone surrogate, which polars would silently replace
            return None
        raw = pl.read_ndjson(content, infer_schema_length=None)
        wanted = [c if isinstance(c, str) else f for c, f in zip(row.columns, row.fields, strict=True)]
    else:
        raw = pl.read_csv(
            path,
            separator="\t" if form == "tsv" else ",",
            quote_char=None if form == "tsv" else '"',
            has_header=row.named,
            infer_schema=False,
        )
        if row.named and any("_duplicated_" in name for name in raw.columns):
            return None
        if not row.named:
            raw.columns = [str(place) for place in range(1, raw.width + 1)]
        wanted = [str(column) for column in row.columns]
    if not set(wanted) <= set(raw.columns):
        return None
    rows = raw.select(pl.col(name).alias(field) for name, field in zip(wanted, row.fields, strict=True))
    if any(dtype != pl.String for dtype in rows.dtypes):
        return None
    blank = rows.select(pl.any_horizontal(pl.all().is_null() | (pl.all().str.strip_chars() == "")).any()).item()
    return None if blank else rows


def _slow(path: Path, form: Form, row: Row) -> Iterator[tuple[str, ...]]:
    with open_plain(path) as file:
        lines = _objects(file, path) if form == "jsonl" else _separated(file, path, form)
        columns: tuple[int | str, ...] = row.columns
        for number, line in lines:
            where = f"{path}, line {number}"
            if form != "jsonl" and isinstance(columns[0], str):
                columns = _places(line, columns, where)
                continue
            yield tuple(_field(line, column, field, where) for column, field in zip(columns, row.fields, strict=True))


def _places(header: Any, columns: tuple[int | str, ...], where: str) -> tuple[int | str, ...]:
    for column in columns:
        if header.count(column) != 1:
            raise DataError(
                f"{where} has {header.count(column)} columns named '{column}', expected one. "
                f"It has: {', '.join(header)}. Columns can also be given by number, from 1."
            )
    return tuple(header.index(column) + 1 for column in columns)


def _field(line: Any, column: int | str, field: str, where: str) -> str:
    if isinstance(line, dict):
        key = column if isinstance(column, str) else field
        if key not in line:
            raise DataError(
                f"{where} has no key '{key}' for the {field}. It has: {', '.join(map(str, line)) or 'none'}."
            )
        value = line[key]
    elif isinstance(column, str):
        raise DataError(f"{where} is a list, so the {field} cannot be found by the key '{column}'.")
    elif column > len(line):
        raise DataError(f"{where} has {len(line)} columns, expected the {field} in column {column}.")
    else:
        value = line[column - 1]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: the {field} is {value!r}, expected a name.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: the {field} {value!r} holds a lone surrogate, which is not text.") from None
    return value


def _objects(file: io.BufferedReader, path: Path) -> Iterator[tuple[int, Any]]:
    for number, text in _decoded(file, path):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number} is not JSON: {error}") from None
        if not isinstance(value, (dict, list)):
            raise DataError(f"{path}, line {number} is a {type(value).__name__}, expected an object or a list.")
        yield number, value


def _separated(file: io.BufferedReader, path: Path, form: Form) -> Iterator[tuple[int, list[str]]]:
    if form == "tsv":
        yield from ((number, text.split("\t")) for number, text in _decoded(file, path))
        return
    whole = "\n".join(text for _, text in _decoded(file, path, blank=True))
    reader = csv.reader(io.StringIO(whole, newline=""), strict=True)
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield reader.line_num, fields
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num} is not CSV: {error}") from None


def _decoded(file: io.BufferedReader, path: Path, blank: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line; of blank ones only if asked for."""
    try:
        for number, raw in enumerate(file, start=1):
            if blank or raw.strip():
                yield number, raw.rstrip(b"\n").removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number} is not UTF-8: {error}. Convert the file to UTF-8.") from None
    except (EOFError, OSError) as error:  # a gzip file that was cut short
        raise DataError(f"{path} cannot be read to its end: {error}. Get the file again.") from None


def _refuse_header(path: Path, row: Row, rows: "pl.DataFrame") -> None:
    if not row.named and len(rows) and {str(field).strip().lower() for field in rows.row(0)} in _HEADERS:
        raise DataError(
            f"{path}, line 1 is a header ({', '.join(rows.row(0))}), not a triple. Name the columns instead of "
            f"numbering them: --head {rows.row(0)[0]} --relation {rows.row(0)[1]} --tail {rows.row(0)[2]}"
        )

"""What stands in one line of a table or of JSON, and what is wrong with one that is broken."""

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from jaxtyping import Integer
from numpy import ndarray

from kgreason.errors import DataError

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


def line_error(raw: bytes, row: Row, form: Form, where: str, columns: tuple[int, ...]) -> DataError:
    """Return what is wrong with a line.

    Args:
        raw: The line.
        row: What was looked for.
        form: What the line should be.
        where: The file and the number of the line.
        columns: The columns of a table, from 0.
    """
    try:
        line = _parsed(raw, form, where)
        wanted = row.columns if form == "jsonl" else tuple(c + 1 for c in columns)
        for column, field in zip(wanted, row.fields, strict=True):
            _field(line, column, field, where)
    except DataError as error:
        return error
    if form == "tsv" and b"\r" in raw.rstrip(b"\r\n"):
        return DataError(f"{where} holds a carriage return that ends no line. Convert the newlines of the file.")
    return DataError(f"{where} is not {form.upper()}, or one of its names is longer than the limit 'field'.")


def places_in(head: bytes, row: Row, form: Form, where: str) -> tuple[int, ...]:
    """Return where the named columns stand in the first line, from 0.

    Raises:
        DataError: If one is missing, or there twice.
    """
    header = _parsed(head, form, where)
    for column in row.columns:
        if header.count(column) != 1:
            raise DataError(
                f"{where} has {header.count(column)} columns named '{column}', expected one. "
                f"It has: {', '.join(header)}. Columns can also be given by number, from 1."
            )
    return tuple(header.index(column) for column in row.columns)


def header_error(fields: list[str], row: Row, file: str) -> DataError | None:
    """Say that the first row is a header, if it is one and the columns were given by number."""
    if {field.strip().lower() for field in fields} not in _HEADERS:
        return None
    return DataError(
        f"{file}, line 1 is a header ({', '.join(fields)}), not a triple. Name the columns instead of "
        f"numbering them: --head {fields[0]} --relation {fields[1]} --tail {fields[-1]}"
    )


def json_columns(content: bytes, row: Row) -> list[tuple[bytes, Integer[ndarray, " rows"]]] | None:
    """Return the wanted fields of lines that are all as they should be, as columns for `joined`; else None."""
    import polars as pl

    if not content.strip() or b"\\ud" in content or b"\\uD" in content:  # a lone surrogate would be replaced silently
        return None
    wanted = [c if isinstance(c, str) else f for c, f in zip(row.columns, row.fields, strict=True)]
    if _other_than_text(wanted).search(content):  # polars would write it as text if other lines have text there
        return None
    try:
        raw = pl.read_ndjson(content, infer_schema_length=None)
    except pl.exceptions.PolarsError:
        return None
    if not set(wanted) <= set(raw.columns) or any(raw[name].dtype != pl.String for name in wanted):
        return None
    blank = raw.select(
        pl.any_horizontal(pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "") for name in wanted).any()
    )
    if blank.item():
        return None
    return [(raw[name].str.join("").item().encode(), raw[name].str.len_bytes().to_numpy()) for name in wanted]


def _other_than_text(keys: list[str]) -> re.Pattern[bytes]:
    """Return what finds a key whose value is neither a text nor a whole number."""
    names = b"|".join(re.escape(json.dumps(key, ensure_ascii=False).encode()) for key in keys)
    return re.compile(rb"(?:" + names + rb")\s*:\s*(?:[^\"\s\d]|\d+[.eE])")


def json_fields(raw: bytes, row: Row, limit: int) -> tuple[str, ...] | None:
    """Return the wanted fields of one line of JSON, or None if something is wrong with it."""
    try:
        line = _parsed(raw, "jsonl", "")
        found = tuple(_field(line, c, f, "") for c, f in zip(row.columns, row.fields, strict=True))
    except DataError:
        return None
    return found if max(len(field.encode()) for field in found) <= limit else None


def _parsed(raw: bytes, form: Form, where: str) -> Any:
    try:
        text = raw.rstrip(b"\n").removesuffix(b"\r").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8: {error}. Convert the file to UTF-8.") from None
    if form == "tsv":
        return text.split("\t")
    if form == "csv":
        try:
            return next(csv.reader(io.StringIO(text, newline=""), strict=True))
        except (csv.Error, StopIteration) as error:
            raise DataError(f"{where} is not CSV: {error}") from None
    try:
        value = json.loads(text, object_pairs_hook=_first_of_each)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON: {error}") from None
    if not isinstance(value, (dict, list)):
        raise DataError(f"{where} is a {type(value).__name__}, expected an object or a list.")
    return value


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of which the first value of a key counts, as it does for polars."""
    return dict(reversed(pairs))


def _field(line: Any, column: int | str, field: str, where: str) -> str:
    if isinstance(line, dict):
        key = column if isinstance(column, str) else field
        if key not in line:
            there = ", ".join(map(str, line)).encode("utf-8", "backslashreplace").decode()  # keys may hold surrogates
            raise DataError(f"{where} has no key '{key}' for the {field}. It has: {there or 'none'}.")
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

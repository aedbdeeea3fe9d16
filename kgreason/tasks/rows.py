"""Reads the files of a data set, line by line; a broken line is named by its file and number."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgreason.errors import DataError

FORMS = ("jsonl", "tsv", "csv", "lines", "metaqa", "pathquestion", "clutrr")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a data set: its fields by name, and where it stands."""

    place: str
    number: int
    fields: Mapping[str, Any]


def read_rows(form: str, files: Mapping[str, Path]) -> Iterator[Row]:
    """Yield the rows of a split.

    Args:
        form: `jsonl` (one object a line), `tsv` or `csv` (with a header), or `lines` (one file per field, line `i` of
            each belongs together). `metaqa`: a question with its seed in [brackets], a tab, answers parted by `|`; and
            beside it files of one field, as in `lines`. `pathquestion`: a question, `answer(answer/answer/…)` and
            `subject#relation#entity#relation#answer`, parted by tabs. `clutrr`: see `read_clutrr`.
        files: For `lines`: field name to file. Otherwise one file under the key `file`; for `metaqa` also others.

    Raises:
        DataError: If a file is missing or a line cannot be read; the message has the file and the line number.
    """
    if form in ("lines", "metaqa"):
        yield from _parallel(files) if form == "lines" else _metaqa(files)
        return
    reader = {"jsonl": _jsonl, "tsv": _tsv, "csv": _csv, "pathquestion": _pathquestion, "clutrr": _clutrr}.get(form)
    if reader is None:
        raise DataError(f"form = '{form}' is not known. Known: {', '.join(FORMS)}.")
    yield from reader(files["file"])


def form_of(path: Path) -> str:
    """Return the form that the ending of a file's name tells: `.jsonl`, `.tsv`, `.csv`.

    Raises:
        DataError: If it tells none.
    """
    form = path.suffix.removeprefix(".").lower()
    if form not in ("jsonl", "tsv", "csv"):
        raise DataError(
            f"{path}: its ending tells no form. Name it .jsonl, .tsv or .csv, or write a manifest (datasets/README.md)."
        )
    return form


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines. Only newlines end one: a text may hold U+2028."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file. Get a known data set with: kgreason data fetch NAME")
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DataError(f"{path}, line {number} is not UTF-8: {error.reason} at byte {error.start}.") from error
            yield number, line.rstrip("\r\n")


def _jsonl(path: Path) -> Iterator[Row]:
    for number, line in _lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{path}, line {number} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise DataError(f"{path}, line {number} is a {type(value).__name__}, expected a JSON object.")
        yield Row(f"{path}, line {number}", number, value)


def _tsv(path: Path) -> Iterator[Row]:
    """Tabs only: a quotation mark is a character like any other, as the field's TSV files have it."""
    header: list[str] = []
    for number, line in _lines(path):
        cells = line.split("\t")
        if number == 1:
            header = cells
        elif line.strip():
            yield _row(path, number, header, cells)


def _csv(path: Path) -> Iterator[Row]:
    text = "\n".join(line for _, line in _lines(path))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        for cells in reader:
            if cells:
                yield _row(path, reader.line_num, header, cells)
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num} is not CSV: {error}.") from error


def _row(path: Path, number: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise DataError(
            f"{path}, line {number} has {len(cells)} fields, the header has {len(header)} ({', '.join(header)})."
        )
    return Row(f"{path}, line {number}", number, dict(zip(header, cells, strict=True)))


def _metaqa(files: Mapping[str, Path]) -> Iterator[Row]:
    """MetaQA's own form (Zhang et al., 2018, arXiv:1709.04071), with question types and the like in files beside it."""
    for row in _parallel(files):
        fields = dict(row.fields)
        question, tab, answers = str(fields.pop("file")).partition("\t")
        if not tab:
            raise DataError(f"{row.place} has no tab; expected a question, a tab, and answers parted by '|'.")
        found = [answer.strip() for answer in answers.split("|")]
        yield Row(row.place, row.number, {"question": question, "answers": [a for a in found if a], **fields})


def _clutrr(path: Path) -> Iterator[Row]:
    from kgreason.tasks.clutrr import read_clutrr  # which reads a table of its own with this file

    for number, fields in read_clutrr(path):
        yield Row(f"{path}, line {number}", number, fields)


def _pathquestion(path: Path) -> Iterator[Row]:
    """PathQuestion's own form (Zhou, Huang and Zhu, 2018, COLING): the path names the subject, relations and entities.

    The subject stands in the question as one word with underscores; it becomes a mention with blanks, so that the
    question reads as one would ask it. What comes after the answer in the path (`#<end>#answer`) is left out.
    """
    for number, line in _lines(path):
        if not line.strip():
            continue
        place, cells = f"{path}, line {number}", line.split("\t")
        steps = (cells[2] if len(cells) == 3 else "").partition("#<end>")[0].strip().split("#")
        if len(steps) < 3 or len(steps) % 2 == 0:
            raise DataError(
                f"{place}: expected a question, answer(answer/answer/…) and subject#relation#entity#…, parted by tabs."
            )
        question, answers = f" {cells[0].strip()} ", cells[1].strip()
        subject, last = steps[0], steps[-1]
        if question.count(f" {subject} ") == 1:
            question = question.replace(f" {subject} ", f" [{subject.replace('_', ' ')}] ")
        inside = answers.removeprefix(f"{last}(").removesuffix(")") if answers.startswith(f"{last}(") else last
        named = [answer for answer in inside.split("/") if answer]
        fields = {"question": question.strip(), "seeds": [subject], "answers": named, "path": steps[1::2]}
        yield Row(place, number, fields | {"hops": len(steps) // 2})


def _parallel(files: Mapping[str, Path]) -> Iterator[Row]:
    columns = {name: [line for _, line in _lines(path)] for name, path in files.items()}
    lengths = {name: len(lines) for name, lines in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{files[name]} has {length} lines" for name, length in lengths.items())
        raise DataError(f"Line i of each file belongs together, but {told}.")
    place = next(iter(files.values()))
    for i, values in enumerate(zip(*columns.values(), strict=True), start=1):
        yield Row(f"{place}, line {i}", i, dict(zip(columns, values, strict=True)))

"""Sentences whose words are marked with the polarity of their places, and how often a parser finds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kgreason.data import POLARITY, Example, Polarity
from kgreason.errors import DataError
from kgreason.places import shipped
from kgreason.rooms import Parser

#: How a mark after a word is written.
MARKS: Final = {"↑": Polarity.UPWARD, "↓": Polarity.DOWNWARD, "=": Polarity.NEITHER}
_COLUMNS: Final = ["part", "operator", "construction", "text"]


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence with marks.

    Args:
        part: `tune`, on which rules may be chosen, or `held`, which only measures.
        operator: What it is about; results are told by it.
        construction: What the operator stands in.
        text: The sentence without the marks.
        marks: The place of a character of each marked word, and the polarity.
    """

    part: str
    operator: str
    construction: str
    text: str
    marks: tuple[tuple[int, Polarity], ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A marked sentence and what a parser says: words marked right, and the wrong ones with the polarity found."""

    marked: Marked
    right: int
    wrong: tuple[tuple[str, Polarity], ...]


def read_marks(path: Path | None = None) -> list[Marked]:
    """Read marked sentences; by default those that ship, `datasets/polarity.tsv`.

    Raises:
        DataError: If the file is missing, a line has not four columns, or a sentence has no mark.
    """
    path = path or shipped("datasets") / "polarity.tsv"
    if not path.is_file():
        raise DataError(f"{path}: there is no such file. Give a file with the columns {', '.join(_COLUMNS)}.")
    lines = path.read_text("utf-8").splitlines()
    if not lines or lines[0].split("\t") != _COLUMNS:
        raise DataError(f"{path}, line 1: expected the columns {', '.join(_COLUMNS)}, separated by tabs.")
    return [_marked(path, number, line) for number, line in enumerate(lines[1:], start=2)]


def _marked(path: Path, number: int, line: str) -> Marked:
    fields = line.split("\t")
    if len(fields) != len(_COLUMNS):
        raise DataError(f"{path}, line {number} has {len(fields)} columns, expected {len(_COLUMNS)}.")
    part, operator, construction, written = fields
    text, marks = "", []
    for character in written:
        if character not in MARKS:
            text += character
        elif text and not text[-1].isspace():
            marks.append((len(text) - 1, MARKS[character]))
        else:
            raise DataError(f"{path}, line {number}: the mark '{character}' does not follow a word.")
    if not marks:
        raise DataError(f"{path}, line {number}: no word is marked. Write ↑, ↓ or = after a word.")
    return Marked(part, operator, construction, text, tuple(marks))


def judge_marks(parser: Parser, rows: Sequence[Marked]) -> list[Judged]:
    """Compare marks with what a parser that finds polarity says."""
    graphs = parser([Example(str(i), (row.text,), ("premise",)) for i, row in enumerate(rows)])
    judged = []
    for row, graph in zip(rows, graphs, strict=True):
        found = {}
        for (_, start, end), sign in zip(graph.node_span.tolist(), graph.node_polarity.tolist(), strict=True):
            found.update(dict.fromkeys(range(start, end), (row.text[start:end], Polarity(int(POLARITY[sign])))))
        said = [(found[place], mark) for place, mark in row.marks]
        wrong = tuple(pair for pair, mark in said if pair[1] != mark)
        judged.append(Judged(row, len(said) - len(wrong), wrong))
    return judged


def accuracies(judged: Sequence[Judged]) -> list[tuple[str, str, int, int]]:
    """Return part, operator, words marked right and all marked words; `all operators` sums up a part."""
    counts: dict[tuple[str, str], list[int]] = {}
    for one in judged:
        for operator in (one.marked.operator, "all operators"):
            count = counts.setdefault((one.marked.part, operator), [0, 0])
            count[0] += one.right
            count[1] += one.right + len(one.wrong)
    return [(part, operator, right, words) for (part, operator), (right, words) in counts.items()]

"""A table once, in four forms: HTML, Markdown, LaTeX and CSV. The numbers are the same in each."""

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from kgreason.errors import DataError
from kgreason.explain import Estimate, Quantity
from kgreason.explain import table as html_table

#: What LaTeX reads as a command, and how it is written instead.
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\N{MINUS SIGN}": "$-$",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "×": r"$\times$",
    "…": r"\ldots{}",
    "–": "--",
    "—": "---",
}
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))
#: What Markdown reads as markup inside a cell.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|])")
_BREAKS = re.compile(r"\s+")
CSV_HEAD = ("study", "table", "row", "column", "text", "value", "low", "high")


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Numbers in rows and columns.

    Args:
        name: Short; unique in its study: "results: test".
        columns: The headings.
        rows: Text, int, float, `Estimate`, `Quantity`, or None; the first cell names the row.
        caption: What the numbers are and how they were measured, as plain text.

    Raises:
        DataError: If a row has more or fewer cells than there are columns.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    caption: str = ""

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise DataError(
                    f"Row {i} of the table '{self.name}' has {len(row)} cells for {len(self.columns)} columns."
                )

    def html(self) -> str:
        """Return it as finished markup; a reader can sort it."""
        return html_table(self.columns, self.rows, self.caption)

    def markdown(self) -> str:
        """Return it in the form of GitHub's Markdown, under its name as a heading."""
        head = [_markdown(column) for column in self.columns]
        lines = [f"### {_markdown(self.name)}", ""]
        lines += [f"| {' | '.join(head)} |", f"|{'|'.join('---:' if r else '---' for r in self._right())}|"]
        lines += [f"| {' | '.join(_markdown(written(cell)) for cell in row)} |" for row in self.rows]
        return "\n".join([*lines, "", *([_markdown(self.caption), ""] if self.caption else [])])

    def latex(self) -> str:
        """Return it as a LaTeX table with the rules of the package `booktabs`; all text is escaped."""
        form = "".join("r" if right else "l" for right in self._right())
        lines = [r"\begin{table}[htbp]", r"\centering", f"\\caption{{{to_latex(self._captioned())}}}"]
        lines += [f"\\begin{{tabular}}{{{form}}}", r"\toprule", _latex_row(self.columns), r"\midrule"]
        lines += [_latex_row([written(cell) for cell in row]) for row in self.rows]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])

    def cells(self, study: str) -> Iterable[tuple[str, ...]]:
        """Yield one line of CSV for each cell that is not empty: see `CSV_HEAD`."""
        for row in self.rows:
            for column, cell in zip(self.columns[1:], row[1:], strict=True):
                if cell is not None:
                    yield (study, self.name, written(row[0]), column, written(cell), *_numbers(cell))

    def _captioned(self) -> str:
        return f"{self.name}. {self.caption}" if self.caption else self.name

    def _right(self) -> list[bool]:
        kinds = int | float | Estimate | Quantity
        return [i > 0 and any(isinstance(row[i], kinds) for row in self.rows) for i in range(len(self.columns))]


def written(cell: object) -> str:
    """Return a cell as text, on one line; the same in all forms."""
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:.3g}" if abs(cell) < 1000 else f"{cell:,.0f}"
        case _:
            return _BREAKS.sub(" ", str(cell)).strip()


def to_latex(text: str) -> str:
    r"""Return text that LaTeX sets as it is.

    >>> print(to_latex("50 % of {x_1} <b>"))
    50 \% of \{x\_1\} \textless{}b\textgreater{}
    """
    return _SPECIAL.sub(lambda found: _LATEX[found[0]], "".join(c if c.isprintable() else "?" for c in text))


def to_csv(lines: Iterable[Sequence[str]]) -> str:
    """Return lines as CSV under `CSV_HEAD`. A text that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    writer.writerows([_harmless(cell) for cell in line[:5]] + list(line[5:]) for line in lines)
    return out.getvalue()


def _harmless(text: str) -> str:
    text = _BREAKS.sub(" ", text).strip()
    return f"'{text}" if text[:1] in ("=", "@", "\t") or text[:2] in ("+=", "-=") else text


def _numbers(cell: object) -> tuple[str, str, str]:
    match cell:
        case Estimate() if cell.low == cell.high:
            return repr(cell.value), "", ""
        case Estimate() | Quantity():
            ends = ("" if end is None else repr(float(end)) for end in (cell.low, cell.high))
            low, high = ends
            return repr(float(cell.value)), low, high
        case int() | float() if math.isfinite(cell):
            return repr(float(cell)), "", ""
        case _:
            return "", "", ""


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", _BREAKS.sub(" ", text).strip())


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(to_latex(cell) for cell in cells) + r" \\"

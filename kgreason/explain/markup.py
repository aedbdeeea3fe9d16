"""The page and its parts: escaped text, tables, sections. One file, no external reference."""

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import final

from kgreason.errors import DataError
from kgreason.explain.estimate import Estimate, Quantity

#: Characters that HTML does not allow, not even escaped: controls, lone surrogates and noncharacters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def escape(text: object) -> str:
    r"""Return text that is safe inside an element and inside a quoted attribute.

    What HTML cannot hold (NUL, controls, lone surrogates) becomes U+FFFD, the replacement character, so that the
    number of characters stays the same and the page can always be written as UTF-8.

    >>> escape('<b> & "\ud800"')
    '&lt;b&gt; &amp; &quot;�&quot;'
    """
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text)))


#: What a cell may hold that is a number.
_NUMBERS = int | float | Estimate | Quantity


@lru_cache
def sheet(name: str) -> str:
    """Return the text of a file beside this one: a style sheet, or the script of the slider."""
    return files("kgreason.explain").joinpath(name).read_text("utf-8")


@final
@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page.

    Args:
        heading: Its title, as plain text.
        body: Finished markup, as the functions of this package return it.
        lead: A sentence under the heading, as plain text; may be empty.
    """

    heading: str
    body: str
    lead: str = ""


def paragraph(text: str) -> str:
    """Return plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def note(text: str) -> str:
    """Return plain text as a paragraph in small print."""
    return f'<p class="kgr-note">{escape(text)}</p>'


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """Return a table; numbers and estimates stand to the right, an estimate with its interval beside it.

    A reader sorts it by a click on a heading, or by Enter on one, where scripts run.

    Args:
        columns: The headings.
        rows: One sequence of cells per row: text, int, float, `Estimate`, `Quantity`, or None for an empty
            cell. The first cell
            names the row.
        caption: What the numbers are and how they were measured, as plain text.

    Raises:
        DataError: If a row has more or fewer cells than there are columns.
    """
    for i, row in enumerate(rows):
        if len(row) != len(columns):
            raise DataError(f"Row {i} of the table has {len(row)} cells, but there are {len(columns)} columns.")
    numeric = [any(isinstance(row[c], _NUMBERS) for row in rows) for c in range(len(columns))]
    head = "".join(f'<th scope="col"{_right(n)}>{escape(c)}</th>' for c, n in zip(columns, numeric, strict=True))
    body = "".join(f"<tr>{''.join(_cell(i, c, numeric[i]) for i, c in enumerate(row))}</tr>" for row in rows)
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="kgr-scroll"><table class="kgr-table">{told}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _right(numeric: bool) -> str:
    return ' class="kgr-number"' if numeric else ""


def _cell(column: int, value: object, numeric: bool) -> str:
    text = _written(value)
    if column == 0:
        return f'<th scope="row">{text}</th>'
    return f"<td{_right(numeric)}{_sorted_by(value)}>{text}</td>"


def _sorted_by(value: object) -> str:
    """Return the number that a cell is sorted by, where its text is not that number."""
    number = value.value if isinstance(value, Estimate | Quantity) else value
    told = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    return f' data-value="{number!r}"' if told else ""


def _written(value: object) -> str:
    match value:
        case None:
            return ""
        case Estimate() if value.low < value.high:
            value_text, _, interval = str(value).partition(" [")
            return f'{value_text} <span class="kgr-interval">[{interval}</span>'
        case Quantity() if value.beside:
            return f'{escape(value.text)} <span class="kgr-interval">{escape(value.beside)}</span>'
        case float():
            return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
        case int() if not isinstance(value, bool):
            return f"{value:,}"
        case _:
            return escape(value)


def page(title: str, sections: Sequence[Section], lead: str = "") -> str:
    """Return one self-contained HTML page.

    It holds its style and a small script that adds a slider over the cycles and sorts tables; it loads nothing,
    forbids loading by a content security policy, reads well without the script, on paper, and in light and dark.

    Args:
        title: Plain text.
        sections: In reading order; a list of contents leads to them.
        lead: A sentence or two under the title, as plain text.
    """
    contents = "".join(f'<a href="#part-{i}">{escape(s.heading)}</a>' for i, s in enumerate(sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
        f'<meta name="color-scheme" content="light dark">\n<title>{escape(title)}</title>\n'
        f"<style>\n{sheet('trace.css')}{sheet('page.css')}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1>{_lead(lead)}"
        f'<nav aria-label="Contents">{contents}</nav></header>\n<main>\n'
        + "\n".join(_section(i, section) for i, section in enumerate(sections))
        + f"\n</main>\n<script>\n{sheet('slider.js')}{sheet('sort.js')}</script>\n</body>\n</html>\n"
    )


def _section(i: int, section: Section) -> str:
    return f'<section id="part-{i}"><h2>{escape(section.heading)}</h2>{_lead(section.lead)}{section.body}</section>'


def _lead(text: str) -> str:
    return f'<p class="kgr-lead">{escape(text)}</p>' if text else ""

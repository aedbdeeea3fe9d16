"""Forest plots: numbers with their intervals under one another. Inline SVG, no library needed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from kgreason.errors import DataError
from kgreason.explain import svg
from kgreason.explain.markup import escape
from kgreason.explain.svg import Number

Kind = Literal["main", "against", "control", "other"]
#: Of each kind.
COLOUR: dict[Kind, str] = {
    "main": svg.SERIES[0],
    "against": svg.GREY,
    "control": svg.SERIES[2],
    "other": "currentColor",
}


@final
@dataclass(frozen=True, slots=True)
class Mark:
    """A number with its interval, as a plot shows it.

    Args:
        name: What was measured.
        value: In the unit of the plot.
        low: The lower end of its interval; equal to `value` if none is known.
        high: The upper end.
        kind: How it is drawn: the main row, the one it is compared with, a control (a diamond), any other.
    """

    name: str
    value: Number
    low: Number
    high: Number
    kind: Kind = "other"


def forest(marks: Sequence[Mark], title: str, across: str, caption: str = "", reference: Number | None = None) -> str:
    """Draw one line for each mark: its interval, its value, and the numbers beside.

    Args:
        marks: From top to bottom.
        title: What is drawn.
        across: The unit.
        caption: How to read it.
        reference: Where a dashed line stands: the value of what is compared with, or 0 for differences.

    Raises:
        DataError: If there is nothing to draw.
    """
    if not marks:
        raise DataError(f"The plot '{title}' has no rows.")
    left, step, top = svg.width_of([m.name for m in marks]) + 12, 25.0, 8.0
    ends = [end for m in marks for end in (m.low, m.high)] + ([] if reference is None else [reference])
    x = svg.Axis.around(ends, left, left + 210, inside=_inside(across))
    bottom = top + step * len(marks)
    body = [svg.across(x, bottom, top, across)]
    if reference is not None:
        body.append(svg.line(x.at(reference), top, x.at(reference), bottom, colour="currentColor", dash="3 3"))
    for i, mark in enumerate(marks):
        y = top + step * (i + 0.5)
        bold = 'font-weight="650"' if mark.kind in ("main", "against") else ""
        body += [svg.text(left - 12, y + 4, mark.name, anchor="end", more=bold), _drawn(mark, x, y, mark.name)]
        body.append(svg.text(x.end + 12, y + 4, numbers(mark, "+" if reference == 0 else ""), size=svg.TICK))
    wide = max(len(numbers(mark, "+")) for mark in marks) * svg.TICK * 0.58
    return svg.plot(title, caption, (x.end + 20 + wide, bottom + 40), body)


def _inside(unit: str) -> tuple[Number, Number]:
    """Return what numbers of a unit can be at all."""
    return (0.0, 100.0) if unit.startswith("%") else (-math.inf, math.inf)


def _drawn(mark: Mark, x: svg.Axis, y: Number, name: str) -> str:
    colour, at = COLOUR[mark.kind], x.at(mark.value)
    whole = f"<title>{escape(name)}: {numbers(mark)}</title>"
    ends = ""
    if mark.low < mark.high:
        low, high = x.at(mark.low), x.at(mark.high)
        ends = svg.line(low, y, high, y, colour=colour, width=2)
        ends += "".join(svg.line(end, y - 4, end, y + 4, colour=colour, width=1.5) for end in (low, high))
    if mark.kind == "control":
        shape = f'<path d="M{at:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z" fill="{colour}"/>'
    else:
        shape = f'<rect x="{at - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" rx="1.5" fill="{colour}"/>'
    return f"<g>{whole}{ends}{shape}</g>"


def numbers(mark: Mark, sign: Literal["", "+"] = "") -> str:
    """Return a mark in figures: its value, and its interval if it has one; with `+`, what is positive says so."""
    value, low, high = (f"{round(v, 1) + 0.0:{sign}.1f}" for v in (mark.value, mark.low, mark.high))
    told = f"{value} [{low}, {high}]" if mark.low < mark.high else value
    return told.replace("-", "\N{MINUS SIGN}")


def parts(
    rows: Mapping[str, Sequence[Mark]],
    title: str,
    across: str,
    caption: str = "",
    beside: Mapping[str, str] | None = None,
) -> str:
    """Draw several marks on each line: the same part of a test, answered by several.

    Args:
        rows: Name of the part to its marks, from top to bottom; the name of a mark is that of who answered.
        title: What is drawn.
        across: The unit.
        caption: How to read it.
        beside: What stands to the right of each part, such as its size.

    Raises:
        DataError: If there is nothing to draw.
    """
    every = [mark for marks in rows.values() for mark in marks]
    if not every:
        raise DataError(f"The plot '{title}' has no rows.")
    most = max(len(marks) for marks in rows.values())
    left, step, top = svg.width_of(rows) + 12, 12.0 + 10.0 * most, 6.0
    x = svg.Axis.around([end for m in every for end in (m.low, m.high)], left, left + 240, inside=_inside(across))
    bottom = top + step * len(rows)
    body = [svg.across(x, bottom, top, across)]
    for i, (name, marks) in enumerate(rows.items()):
        y = top + step * (i + 0.5)
        body.append(svg.text(left - 12, y + 4, name, anchor="end"))
        body.append(svg.text(x.end + 10, y + 4, (beside or {}).get(name, ""), size=svg.TICK))
        first = y - 5.0 * (len(marks) - 1)
        body += [_drawn(mark, x, first + 10 * k, f"{name}, {mark.name}") for k, mark in enumerate(marks)]
    who = {mark.name: COLOUR[mark.kind] for mark in every}
    return svg.plot(title, caption, (x.end + 50, bottom + 40), body, svg.legend(list(who), list(who.values())))

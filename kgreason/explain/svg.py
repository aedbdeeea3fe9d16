"""Parts of plots that are written by hand as inline SVG: scales, axes, text that fits. In the colours of the page."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from kgreason.explain.markup import escape

Number: TypeAlias = int | float
#: What a letter of the page's font takes on the average, as a share of its size; a plot reserves so much for a name.
_LETTER = 0.62
#: Sizes of text.
NAME, TICK = 12.5, 11.5
LONGEST = 34
SERIES = tuple(f"var(--kgr-{letter})" for letter in "dbaec")
GREY, LINE = "var(--kgr-soft)", "var(--kgr-line)"


@final
@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from numbers to pixels.

    Args:
        low: The number at `start`.
        high: The number at `end`; more than `low`.
        start: In pixels.
        end: In pixels; less than `start` for an axis that rises.
        log: Whether equal ways are equal factors; then `low` is above 0.
    """

    low: Number
    high: Number
    start: Number
    end: Number
    log: bool = False

    @classmethod
    def around(
        cls,
        values: Iterable[Number],
        start: Number,
        end: Number,
        *,
        log: bool = False,
        inside: tuple[Number, Number] = (-math.inf, math.inf),
    ) -> "Axis":
        """Return an axis that holds some numbers, with a little room at both ends, but no more than is `inside`."""
        finite = [v for v in values if math.isfinite(v) and (v > 0 or not log)] or [1.0]
        low, high = min(finite), max(finite)
        if log:
            return cls(low / 1.3, high * 1.3, start, end, log=True)
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        return cls(max(low - room, inside[0]), min(high + room, inside[1]), start, end)

    def at(self, value: Number) -> float:
        """Return the place of a number, at an end of the axis if it is beyond."""
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[Number]:
        """Return round numbers inside the axis, a few.

        >>> Axis(0.0, 1.0, 0, 100).ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        """
        if self.log:
            tens = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [m * 10.0**t for t in tens for m in (1, 2, 5) if self.low <= m * 10.0**t <= self.high]
            return found[:: math.ceil(len(found) / most) or 1]
        rough = (self.high - self.low) / most
        ten = 10.0 ** math.floor(math.log10(rough))
        step = next(m * ten for m in (1, 2, 5, 10) if m * ten >= rough * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 10) + 0.0 for i in range(first, last + 1)]


def width_of(names: Iterable[str], size: Number = NAME) -> float:
    """Return about how many pixels the longest of some names takes."""
    return max((min(len(name), LONGEST) for name in names), default=0) * size * _LETTER + 4


def text(x: Number, y: Number, words: str, *, anchor: str = "start", size: Number = NAME, more: str = "") -> str:
    """Return text at a place; a long one is cut, and whole under the pointer."""
    short = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    whole = f"<title>{escape(words)}</title>" if short != words else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{" " * bool(more)}{more}>'
        f"{whole}{escape(short)}</text>"
    )


def line(
    x1: Number, y1: Number, x2: Number, y2: Number, *, colour: str = LINE, width: Number = 1, dash: str = ""
) -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'
    )


def across(axis: Axis, y: Number, top: Number, label: str, form: str = "g") -> str:
    """Return a horizontal axis with its ticks, a faint line up from each, and its label below."""
    parts = [line(axis.start, y, axis.end, y)]
    for tick in axis.ticks():
        x = axis.at(tick)
        parts += [line(x, y, x, top, width=0.6), text(x, y + 16, told(tick, form), anchor="middle", size=TICK)]
    middle = (axis.start + axis.end) / 2
    return "".join(parts) + text(middle, y + 33, label, anchor="middle", size=TICK, more=f'fill="{GREY}"')


def upward(axis: Axis, x: Number, right: Number, form: str = "g") -> str:
    """Return a vertical axis with its ticks, and a faint line to the right from each."""
    parts = []
    for tick in axis.ticks(5):
        y = axis.at(tick)
        parts += [line(x, y, right, y, width=0.6), text(x - 6, y + 4, told(tick, form), anchor="end", size=TICK)]
    return "".join(parts)


def told(value: Number, form: str = "g") -> str:
    """Return a number as an axis writes it: 1500000 is 1.5M.

    >>> told(1_500_000), told(0.25), told(3000)
    ('1.5M', '0.25', '3k')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:{form}}".replace("-", "\N{MINUS SIGN}")


def plot(title: str, caption: str, size: tuple[Number, Number], body: Sequence[str], legend: str = "") -> str:
    """Return a figure: title and caption above, the drawing below.

    Args:
        title: What is drawn, as plain text.
        caption: How to read it, as plain text.
        size: Width and height in pixels.
        body: Finished SVG.
        legend: Finished markup between caption and drawing.
    """
    wide, high = size
    return (
        f'<figure class="kgr-plot"><figcaption><b>{escape(title)}</b>{" " * bool(caption)}{escape(caption)}'
        f'</figcaption>{legend}<svg role="img" aria-label="{escape(title)}" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" fill="currentColor">{"".join(body)}</svg></figure>'
    )


def legend(names: Sequence[str], colours: Sequence[str]) -> str:
    """Return the names of series in their colours."""
    marks = "".join(
        f'<span><span class="kgr-key" style="background:{colour}"></span>{escape(name)}</span>'
        for name, colour in zip(names, colours, strict=True)
    )
    return f'<div class="kgr-legend">{marks}</div>'

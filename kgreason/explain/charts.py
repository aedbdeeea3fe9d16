"""Plots of a report: reliability, cost, courses of training. Inline SVG, no library needed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from kgreason.errors import DataError
from kgreason.explain import svg
from kgreason.explain.forest import COLOUR, Mark, numbers
from kgreason.explain.markup import escape
from kgreason.explain.svg import Number


@final
@dataclass(frozen=True, slots=True)
class Bin:
    """The examples whose answer was about equally sure.

    Args:
        confidence: How sure they were on the average.
        right: The share that is right.
        count: How many there are.
    """

    confidence: Number
    right: Number
    count: int


def reliability(bins: Sequence[Bin], title: str, caption: str = "") -> str:
    """Draw how often answers are right against how sure they are: on the diagonal a reasoner is sure as it should be.

    The bar below each point tells how many answers were so sure.

    Raises:
        DataError: If there is nothing to draw.
    """
    whole = sum(b.count for b in bins)
    if not whole:
        raise DataError(f"The plot '{title}' has no answers.")
    left, size, top = 40.0, 220.0, 8.0
    x, y = svg.Axis(0, 1, left, left + size), svg.Axis(0, 1, top + size, top)
    body = [svg.across(x, top + size, top, "how sure"), svg.upward(y, left, left + size)]
    body.append(svg.line(x.at(0), y.at(0), x.at(1), y.at(1), colour=svg.GREY, dash="4 4"))
    shown = [b for b in bins if b.count]
    most = max(b.count for b in shown)
    for b in shown:
        high = 46 * b.count / most
        told = f"<title>{b.count:,} answers, {100 * b.confidence:.0f} % sure, {100 * b.right:.0f} % right</title>"
        body.append(
            f'<rect x="{x.at(b.confidence) - 4:.1f}" y="{top + size - high:.1f}" width="8" height="{high:.1f}" '
            f'fill="{svg.GREY}" opacity=".35">{told}</rect>'
        )
    points = [(x.at(b.confidence), y.at(b.right)) for b in shown]
    body.append(_path(points, svg.SERIES[0], 1.8))
    for (px, py), b in zip(points, shown, strict=True):
        radius = 2.5 + 4 * math.sqrt(b.count / most)
        told = f"<title>{100 * b.confidence:.0f} % sure, {100 * b.right:.0f} % right, {b.count:,} answers</title>"
        body.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="{radius:.1f}" fill="{svg.SERIES[0]}">{told}</circle>')
    return svg.plot(title, caption, (left + size + 14, top + size + 40), body)


def cost(points: Sequence[tuple[Mark, Number]], title: str, across: str, up: str, caption: str = "") -> str:
    """Draw what a score costs: each mark over its cost, a line to the best that any cost so far buys.

    Args:
        points: A mark and what it cost, above 0.
        title: What is drawn.
        across: The unit of the cost; factors of 20 and more make the axis logarithmic.
        up: The unit of the marks.
        caption: How to read it.

    Raises:
        DataError: If there is nothing to draw.
    """
    known = sorted(((m, c) for m, c in points if math.isfinite(c) and c > 0), key=lambda p: p[1])
    if not known:
        raise DataError(f"The plot '{title}' has no points.")
    costs = [c for _, c in known]
    x = svg.Axis.around(costs, 46, 46 + 250, log=max(costs) / min(costs) >= 20)
    y = svg.Axis.around([end for m, _ in known for end in (m.low, m.high)], 228, 12)
    body = [svg.across(x, 228, 12, across), svg.upward(y, 46, x.end)]
    best: Number = -math.inf
    stairs: list[tuple[Number, Number]] = []
    for mark, price in known:
        if mark.value > best:
            stairs += [(x.at(price), y.at(best))] if stairs else []
            stairs.append((x.at(price), y.at(mark.value)))
            best = mark.value
    body.append(_path([*stairs, (x.end, y.at(best))], svg.GREY, 1.2, dash="3 3"))
    heights = _apart([y.at(m.value) for m, _ in known], 13)
    for (mark, price), height in zip(known, heights, strict=True):
        at, colour = (x.at(price), y.at(mark.value)), COLOUR[mark.kind]
        told = f"<title>{escape(mark.name)}: {numbers(mark)} {escape(up)}, {svg.told(price)} {escape(across)}</title>"
        body.append(svg.line(at[0], y.at(mark.low), at[0], y.at(mark.high), colour=colour, width=1.4))
        body.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4.5" fill="{colour}">{told}</circle>')
        body.append(svg.line(at[0] + 6, at[1], x.end + 8, height, width=0.7))
        body.append(svg.text(x.end + 11, height + 4, mark.name, size=svg.TICK))
    wide = x.end + 14 + svg.width_of([m.name for m, _ in known], svg.TICK)
    return svg.plot(title, f"{up}, over {across}. {caption}".strip(), (wide, max(268.0, max(heights) + 12)), body)


def _apart(places: Sequence[Number], least: Number) -> list[Number]:
    """Move places that are too near to one another apart, as little as a single pass can."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved, last = list(places), -math.inf
    for i in order:
        moved[i] = last = max(places[i], last + least)
    return moved


def courses(
    series: Mapping[str, Sequence[Sequence[Number]]],
    title: str,
    up: str,
    caption: str = "",
    colours: Sequence[str] = (),
) -> str:
    """Draw how a number changed from epoch to epoch: a thin line for each seed, a strong one for their mean.

    Args:
        series: Name to one list for each seed, epoch by epoch; what is not finite leaves a gap.
        title: What is drawn.
        up: Its unit.
        caption: How to read it.
        colours: One for each name; the page's own if not said.

    Raises:
        DataError: If there is nothing to draw.
    """
    values = [v for runs in series.values() for run in runs for v in run if math.isfinite(v)]
    if not values:
        raise DataError(f"The plot '{title}' has no points.")
    painted = list(colours) or [svg.SERIES[i % len(svg.SERIES)] for i in range(len(series))]
    longest = max(len(run) for runs in series.values() for run in runs)
    x, y = svg.Axis(0.7, max(longest, 2) + 0.3, 46, 46 + 330), svg.Axis.around(values, 190, 10)
    body = [_epochs(x, longest), svg.upward(y, 46, x.end)]
    for (name, runs), colour in zip(series.items(), painted, strict=True):
        each = [[(x.at(i + 1), y.at(v)) for i, v in enumerate(run)] for run in runs if len(runs) > 1]
        body += [_path(points, colour, 1, opacity=0.45) for points in each]
        mean = _mean(runs)
        told = f"<title>{escape(name)}</title>"
        body.append(f"<g>{told}{_path([(x.at(i + 1), y.at(v)) for i, v in enumerate(mean)], colour, 2.2)}</g>")
        body += [
            f'<circle cx="{x.at(i + 1):.1f}" cy="{y.at(v):.1f}" r="2.6" fill="{colour}"><title>{escape(name)}, '
            f"epoch {i + 1}: {v:.4g}</title></circle>"
            for i, v in enumerate(mean)
            if math.isfinite(v)
        ]
    return svg.plot(title, f"{up}. {caption}".strip(), (x.end + 10, 230), body, svg.legend(list(series), painted))


def _epochs(x: svg.Axis, longest: int) -> str:
    """Return the axis of epochs: whole numbers, however few there are."""
    step = math.ceil(longest / 10)
    ticks = "".join(
        svg.line(x.at(i), 190, x.at(i), 194) + svg.text(x.at(i), 206, str(i), anchor="middle", size=svg.TICK)
        for i in range(1, longest + 1, step)
    )
    middle = (x.start + x.end) / 2
    return (
        svg.line(x.start, 190, x.end, 190)
        + ticks
        + svg.text(middle, 224, "epoch", anchor="middle", size=svg.TICK, more=f'fill="{svg.GREY}"')
    )


def _mean(runs: Sequence[Sequence[Number]]) -> list[Number]:
    """Return the mean over seeds of each epoch, of the seeds that came so far."""
    longest = max((len(run) for run in runs), default=0)
    out = []
    for i in range(longest):
        here = [run[i] for run in runs if i < len(run) and math.isfinite(run[i])]
        out.append(sum(here) / len(here) if here else math.nan)
    return out


def _path(
    points: Sequence[tuple[Number, Number]], colour: str, width: Number, *, opacity: Number = 1.0, dash: str = ""
) -> str:
    """Return a line through points; one that is not finite breaks it."""
    moves, pen = [], "M"
    for x, y in points:
        if not math.isfinite(y):
            pen = "M"
            continue
        moves.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{"".join(moves)}" fill="none" stroke="{colour}" stroke-width="{width}"{faint}{dashed}/>'

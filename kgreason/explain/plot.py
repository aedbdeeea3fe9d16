"""Plots as inline SVG, drawn by matplotlib. Text stays text, and takes the colour of the page around it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from kgreason.errors import DataError
from kgreason.explain.estimate import Estimate
from kgreason.explain.markup import escape, note

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Stand-ins that matplotlib can draw; in the SVG they become the colours of the page.
_INK, _LINE = "#010203", "#040506"
_PAINT = {_INK: "currentColor", _LINE: "var(--kgr-line)"}
_SERIES = {f"#0a0b0{i}": f"var(--kgr-{letter})" for i, letter in enumerate("dbaec")}
_MISSING = "The plot needs matplotlib. Install it with: pip install 'kgreason[train]'"


def bars(estimates: Mapping[str, Estimate], title: str, caption: str = "") -> str:
    """Draw one bar for each estimate, with its interval, the first on top.

    Args:
        estimates: Name of the variant to its share.
        title: What is measured, such as "accuracy on lexical-nli test".
        caption: How it was measured, as plain text.

    Raises:
        DataError: If there is nothing to draw.
    """
    if not estimates:
        raise DataError(f"The plot '{title}' has no bars.")
    figure = _figure(5.6, 0.7 + 0.36 * len(estimates))
    if figure is None:
        return note(_MISSING)
    axes = figure.add_subplot()
    for row, share in enumerate(estimates.values()):
        colour = list(_SERIES)[row % len(_SERIES)]
        error = [[100 * (share.value - share.low)], [100 * (share.high - share.value)]]
        axes.barh(row, 100 * share.value, height=0.62, color=colour, alpha=0.8)
        axes.errorbar(100 * share.value, row, xerr=error, color=_INK, capsize=3, linewidth=1.3)
        axes.text(100 * share.high + 2, row, f"{100 * share.value:.1f}", va="center", color=_INK, fontweight="bold")
    axes.set_yticks(range(len(estimates)), [_plain(name) for name in estimates])
    axes.set_ylim(len(estimates) - 0.5, -0.5)
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("%")
    axes.tick_params(axis="y", length=0)
    _paint(axes)
    return _markup(figure, title, caption)


def curves(
    series: Mapping[str, Sequence[tuple[int | float, int | float]]], title: str, across: str, caption: str = ""
) -> str:
    """Draw one line for each series of (x, y) points.

    Args:
        series: Name to its points, in the order of x. Points that are not finite leave a gap.
        title: What y is.
        across: What x is.
        caption: How it was measured, as plain text.

    Raises:
        DataError: If there is nothing to draw.
    """
    if not any(series.values()):
        raise DataError(f"The plot '{title}' has no points.")
    figure = _figure(5.6, 2.9)
    if figure is None:
        return note(_MISSING)
    axes = figure.add_subplot()
    lines, styles = [], ("-", "--", "-.", ":")
    for i, points in enumerate(series.values()):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        colour = list(_SERIES)[i % len(_SERIES)]
        (line,) = axes.plot(xs, ys, color=colour, linestyle=styles[i % 4], linewidth=1.9)
        line.set(marker="o", markersize=3)
        lines.append(line)
    axes.set_xlabel(_plain(across))
    if all(float(x).is_integer() for points in series.values() for x, _ in points):
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    legend = axes.legend(lines, [_plain(name) for name in series], frameon=False)
    for text in legend.get_texts():
        text.set_color(_INK)
    _paint(axes)
    return _markup(figure, title, caption)


def confusion(labels: Sequence[str], counts: Sequence[Sequence[int]], title: str, caption: str = "") -> str:
    """Draw a confusion matrix: a row for each right answer, a column for each given one; shades are shares of a row.

    Args:
        labels: The answers.
        counts: `counts[right][given]`.
        title: Whose answers.
        caption: How they were measured, as plain text.

    Raises:
        DataError: If the counts are not square over the labels.
    """
    size = len(labels)
    if not size or len(counts) != size or any(len(row) != size for row in counts):
        raise DataError(f"The plot '{title}' needs {size} × {size} counts, a row and a column for each label.")
    longest = min(max(len(label) for label in labels), 32)
    figure = _figure(0.8 + 0.08 * longest + max(0.85, 0.08 * longest) * size, 1.1 + 0.55 * size)
    if figure is None:
        return note(_MISSING)
    axes, colour = figure.add_subplot(), next(iter(_SERIES))
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            share = count / max(sum(row), 1)
            axes.fill([j, j + 1, j + 1, j], [i, i, i + 1, i + 1], color=colour, alpha=0.6 * share, linewidth=0)
            text = f"{count:,}\n{100 * share:.0f} %"
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=_INK)
    middle = [i + 0.5 for i in range(size)]
    axes.set_xticks(middle, [_plain(label) for label in labels])
    axes.set_yticks(middle, [_plain(label) for label in labels])
    axes.set_xlim(0, size)
    axes.set_ylim(size, 0)
    axes.set_xlabel("given")
    axes.set_ylabel("right")
    axes.tick_params(length=0)
    _paint(axes)
    return _markup(figure, title, caption)


def _figure(width: float, height: float) -> "Figure | None":
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    return Figure(figsize=(width, height), layout="constrained")


def _plain(text: str) -> str:
    """Keep matplotlib from reading $ as mathematics, and a name from filling the plot."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return (text if len(text) <= 32 else text[:31] + "…").replace("$", r"\$")


def _paint(axes: "Axes") -> None:
    axes.tick_params(colors=_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_LINE)


def _markup(figure: "Figure", title: str, caption: str) -> str:
    import matplotlib as mpl

    out = StringIO()
    salt = hashlib.sha256((title + caption).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    empty = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(out, format="svg", transparent=True, metadata=empty)
    return (
        f'<figure class="kgr-plot"><figcaption><b>{escape(title)}</b>{" " * bool(caption)}{escape(caption)}'
        f"</figcaption>{_inline(out.getvalue(), title)}</figure>"
    )


def _inline(svg: str, title: str) -> str:
    """Make matplotlib's file a part of a page: no prologue, no metadata, no fonts by name, the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="\w+_\d+"| id="matplotlib\.\w+"', "", svg)  # the same in every plot, and nothing refers to them
    svg = re.sub(r"font-family:[^;\"]*", "font-family:inherit", svg)
    svg = re.sub(r"(font: (?:[\w.]+ )*?[\d.]+px)[^;\"]*", r"\1 system-ui, sans-serif", svg)
    for stand_in, colour in {**_PAINT, **_SERIES}.items():
        svg = svg.replace(stand_in, colour)
    return svg.replace("<svg ", f'<svg role="img" style="stroke-linejoin:round" aria-label="{escape(title)}" ', 1)

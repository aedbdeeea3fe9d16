"""One prediction as a fragment of HTML: the texts, what each cycle looked at, what it would have answered."""

import re
from collections.abc import Sequence
from itertools import pairwise

from kgreason.data.prediction import Cycle, Look, Prediction
from kgreason.errors import DataError
from kgreason.explain.markup import escape, sheet
from kgreason.explain.told import proof_table

#: More answers than this are not drawn; a question over a graph may have thousands.
_SHOWN = 5
_SERIES = tuple(f"var(--kgr-{letter})" for letter in "abcde")
_FACT = re.compile(r"^(?P<head>.+?) —(?P<relation>.+?)→ (?P<tail>.+)$", re.DOTALL)


def to_html(prediction: Prediction, roles: Sequence[str] = (), *, style: bool = True) -> str:
    """Return a prediction as a self-contained fragment without script; a notebook shows it as it is.

    Each cycle is a row: the texts with every word shaded by its share of the cycle's attention (the shade's opacity is
    the square root of the share, so that small ones are seen), the evidence it found, and the probability of every
    answer after it. Facts used, and the steps of a proof, stand below.

    Args:
        prediction: What the reasoner said. Its texts may hold anything; all of it is escaped.
        roles: What each text is called ("premise", "hypothesis"); numbers if not given.
        style: Whether the style sheet is included; a `page` has it already.

    Raises:
        DataError: If roles are given, and not one for each text.
    """
    if roles and len(roles) != len(prediction.texts):
        raise DataError(f"Prediction '{prediction.uid}' has {len(prediction.texts)} texts but {len(roles)} roles.")
    names = roles or [f"text {i + 1}" for i in range(len(prediction.texts))]
    colours = _colours(prediction)
    parts = [
        _head(prediction, colours),
        "" if prediction.trace else _texts(prediction.texts, names, ()),
        _course(prediction, colours),
        '<div class="kgr-control kgr-small"></div>' if len(prediction.trace) > 1 else "",
        "".join(_cycle(i, cycle, prediction, names, colours) for i, cycle in enumerate(prediction.trace)),
        _path(prediction.path),
        proof_table(prediction.proof, prediction.notes, prediction.gate),
    ]
    look = f"<style>{sheet('trace.css')}</style>" if style else ""
    return f'{look}<div class="kgr" lang="">{"".join(parts)}</div>'


def _colours(prediction: Prediction) -> dict[str, str]:
    shown = [answer for answer, _ in prediction.ranking[:_SHOWN]] or [prediction.answer]
    return dict(zip(sorted(shown), _SERIES, strict=False))


def _head(prediction: Prediction, colours: dict[str, str]) -> str:
    colour = colours.get(prediction.answer, "var(--kgr-ink)")
    return (
        f'<div class="kgr-head"><span class="kgr-answer" style="color:{colour}">{escape(prediction.answer)}</span>'
        f'<span>{_percent(prediction.probability)}</span><span class="kgr-small">{escape(prediction.uid)}</span></div>'
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share <= 0 else "&lt; 1 %"


def _cycle(i: int, cycle: Cycle, prediction: Prediction, names: Sequence[str], colours: dict[str, str]) -> str:
    beside = [look for look in cycle.looks if look.span is None]
    chips = "".join(
        f'<span class="kgr-chip">{escape(look.text)} <span class="kgr-small">{_percent(look.weight)}</span></span>'
        for look in beside
    )
    found = f'<div class="kgr-found">{chips}{_evidence(cycle.evidence)}</div>' if chips or cycle.evidence else ""
    return (
        f'<div class="kgr-cycle"><div><div class="kgr-clock" title="cycle {i + 1}">{i + 1}</div></div>'
        f"<div>{_texts(prediction.texts, names, cycle.looks)}{found}</div>"
        f"<div>{_answers(cycle, colours)}</div></div>"
    )


def _evidence(text: str) -> str:
    if not text:
        return ""
    fact = _FACT.match(text)
    if fact is None:
        return f'<div class="kgr-fact"><b>{escape(text)}</b></div>'
    return _fact(fact["head"], fact["relation"], fact["tail"])


def _fact(head: str, relation: str, tail: str) -> str:
    line = '<svg width="26" height="10" viewBox="0 0 26 10" aria-hidden="true">'
    arrow = line + '<path d="M0 5H23M18 1l5 4-5 4" fill="none" stroke="currentColor" stroke-width="1.4"/></svg>'
    spoken = escape(relation.replace("_", " "))
    return (
        f'<div class="kgr-fact"><b>{escape(head)}</b><span class="kgr-arrow">{spoken} {arrow}</span>'
        f"<b>{escape(tail)}</b></div>"
    )


def _path(path: Sequence[tuple[str, str, str]]) -> str:
    if not path:
        return ""
    return (
        '<div class="kgr-path"><span class="kgr-small">facts used</span>'
        f"{''.join(_fact(*triple) for triple in path)}</div>"
    )


def _texts(texts: Sequence[str], names: Sequence[str], looks: Sequence[Look]) -> str:
    return "".join(
        f'<div class="kgr-text"><span class="kgr-role">{escape(names[i])}</span>'
        f"<span>{_shaded(text, [look for look in looks if look.span is not None and look.span[0] == i])}</span></div>"
        for i, text in enumerate(texts)
    )


def _shaded(text: str, looks: Sequence[Look]) -> str:
    """Cut the text where a look begins or ends; a piece has the weight of the strongest look that covers it."""
    spans = [(look.span[1], look.span[2], look.weight) for look in looks if look.span is not None]
    cuts = sorted({0, len(text), *(min(max(c, 0), len(text)) for start, end, _ in spans for c in (start, end))})
    pieces = []
    for start, end in pairwise(cuts):
        weight = max((w for s, e, w in spans if s <= start and end <= e), default=0.0)
        piece = escape(text[start:end])
        if weight > 0 and not piece.isspace():
            shade = f"background:rgba(var(--kgr-shade),{min(weight, 1.0) ** 0.5 * 0.75:.2f})"
            piece = f'<span class="kgr-word" style="{shade}" title="{_percent(weight)}">{piece}</span>'
        pieces.append(piece)
    return "".join(pieces)


def _answers(cycle: Cycle, colours: dict[str, str]) -> str:
    """Draw a bar for every answer that is shown: its probability after this cycle."""
    rows, height = [], 19
    for i, (answer, colour) in enumerate(colours.items()):
        share, y = min(max(cycle.probability.get(answer, 0.0), 0.0), 1.0), i * height
        weight = "650" if answer == cycle.answer else "400"
        name = answer if len(answer) <= 14 else answer[:13] + "…"
        rows.append(
            f'<text x="96" y="{y + 13}" text-anchor="end" font-weight="{weight}">{escape(name)}</text>'
            f'<rect x="102" y="{y + 3}" width="90" height="12" rx="2" fill="var(--kgr-line)" opacity=".5"/>'
            f'<rect x="102" y="{y + 3}" width="{90 * share:.1f}" height="12" rx="2" fill="{colour}"/>'
            f'<text x="232" y="{y + 13}" text-anchor="end" font-weight="{weight}">{_percent(share)}</text>'
        )
    halt = "" if cycle.halt is None else f'<div class="kgr-small">halts here: {_percent(cycle.halt)}</div>'
    told = ", ".join(f"{escape(a)} {_percent(cycle.probability.get(a, 0.0))}" for a in colours)
    return (
        f'<svg width="234" height="{height * len(rows)}" viewBox="0 0 234 {height * len(rows)}" role="img" '
        f'aria-label="{told}" font-size="12.5" fill="currentColor">{"".join(rows)}</svg>{halt}'
    )


def _course(prediction: Prediction, colours: dict[str, str]) -> str:
    """Draw the probability of every answer over the cycles, as one line each; nothing for fewer than three cycles."""
    count, width, height = len(prediction.trace), 300, 64
    if count < 3:
        return ""
    step = width / (count - 1)
    lines = []
    for answer, colour in colours.items():
        points = [
            f"{i * step:.1f},{height * (1 - min(max(cycle.probability.get(answer, 0.0), 0.0), 1.0)):.1f}"
            for i, cycle in enumerate(prediction.trace)
        ]
        lines.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.2"/>')
    ticks = "".join(
        f'<text x="{i * step:.1f}" y="{height + 15}" text-anchor="middle">{i + 1}</text>' for i in range(count)
    )
    legend = "".join(f'<span style="color:{colour}">{escape(answer)}</span>' for answer, colour in colours.items())
    return (
        '<div class="kgr-course"><div class="kgr-legend"><span class="kgr-small">probability after each cycle'
        f'</span>{legend}</div><svg width="{width + 16}" height="{height + 20}" viewBox="-8 -2 {width + 16} '
        f'{height + 20}" role="img" aria-label="probability of each answer after each cycle" font-size="11" '
        f'fill="currentColor"><path d="M0 0V{height}H{width}" fill="none" stroke="var(--kgr-line)"/>'
        f"{''.join(lines)}{ticks}</svg></div>"
    )

"""Draws what is around an entity: one SVG, plain text in it, in the colours of the page around it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from kgreason.data import KnowledgeGraph, relation_text
from kgreason.data.walked import walked
from kgreason.errors import DataError
from kgreason.knowledge.markup import escape

_WIDE, _HIGH, _LINE = 960, 640, 26
_ROUNDS = 150
_STYLE = """
.kgd{font:13px system-ui,sans-serif;color:CanvasText;background:Canvas;color-scheme:light dark}
.kgd text{fill:currentColor;text-anchor:middle}.kgd .r{font-size:11px;opacity:.75}
.kgd line{stroke:currentColor;stroke-opacity:.35}.kgd rect{fill:Canvas;stroke:currentColor;stroke-opacity:.6}
.kgd .seed rect{stroke:#c2410c;stroke-width:2.5;stroke-opacity:1}.kgd marker path{fill:currentColor;fill-opacity:.5}
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{margin:1rem;color-scheme:light dark}}svg{{max-width:100%;height:auto}}</style></head>
<body>{body}</body></html>
"""


@final
@dataclass(frozen=True, slots=True)
class Drawing:
    """What is around some entities, drawn.

    Args:
        title: What it shows.
        svg: The picture; it refers to nothing outside.
        shown: How many facts it shows.
        left_out: How many facts of the entities in it there was no room for.
    """

    title: str
    svg: str
    shown: int
    left_out: int

    @property
    def page(self) -> str:
        """The picture as a page that opens offline."""
        return _PAGE.format(title=escape(self.title), body=self.svg)

    def _repr_html_(self) -> str:
        return self.svg


def draw(graph: KnowledgeGraph, entities: Sequence[int], hops: int = 1, most: int = 40) -> Drawing:
    """Draw the facts around entities.

    Every relation gets its turn before one gets a second fact, so that a hub shows what kinds of facts it has. Facts
    are those that may be walked (`Rules`).

    Args:
        graph: The graph.
        entities: Where to begin; they are framed.
        hops: How far to go.
        most: How many facts to show at most, 1 to 200.

    Raises:
        DataError: If there is no entity, or `most` is out of range.
    """
    if not entities or not 1 <= most <= 200 or hops < 1:
        raise DataError("Give at least one entity, one hop, and 1 to 200 facts to draw.")
    facts, whole = _chosen(walked(graph), list(entities), hops, most)
    nodes = list(dict.fromkeys([*entities, *(end for h, _, t in facts for end in (h, t))]))
    place = {entity: i for i, entity in enumerate(nodes)}
    ends = np.array([(place[h], place[t]) for h, _, t in facts], np.int64).reshape(-1, 2)
    at = _layout(len(nodes), ends, len(entities))
    title = ", ".join(graph.label(e) for e in entities)
    svg = _svg(graph, title, (nodes, len(entities)), facts, at)
    return Drawing(title, svg, len(facts), whole - len(facts))


def _chosen(graph: KnowledgeGraph, entities: list[int], hops: int, most: int) -> tuple[list[tuple[int, int, int]], int]:
    """Return the facts to show, and how many there are around the entities that were looked at."""
    found: dict[tuple[int, int, int], None] = {}
    seen, frontier, whole = set(entities), entities, set[tuple[int, int, int]]()
    for _ in range(hops):
        turns = deque(turn for entity in frontier for turn in _runs(graph, entity, most))
        whole |= {fact for turn in turns for fact in turn}
        while turns and len(found) < most:
            turn = turns.popleft()
            found.setdefault(turn.popleft())
            if turn:
                turns.append(turn)
        frontier = [e for e in dict.fromkeys(end for h, _, t in found for end in (h, t)) if e not in seen]
        seen.update(frontier)
    return list(found), len(whole)


def _runs(graph: KnowledgeGraph, entity: int, most: int) -> list[deque[tuple[int, int, int]]]:
    """Return some facts of an entity, one queue for each relation and direction."""
    queues: dict[tuple[bool, int], deque[tuple[int, int, int]]] = {}
    sides = ((graph.head_ptr, graph.relation, graph.tail), (graph.tail_ptr, graph.inverse, graph.head))
    for back, (ptr, relation, other) in zip((False, True), sides, strict=True):
        begin, end = int(ptr[entity]), int(ptr[entity + 1])
        kinds = np.asarray(relation[begin:end])
        for at in np.concatenate([[0], np.flatnonzero(np.diff(kinds)) + 1]).tolist() if end > begin else []:
            r = int(kinds[at])
            size = int(np.searchsorted(kinds, r, side="right")) - at
            rest = other[begin + at : begin + at + min(size, most)].tolist()
            queues[back, r] = deque((o, r, entity) if back else (entity, r, o) for o in rest)
    return list(queues.values())


def _layout(size: int, ends: ndarray, fixed: int) -> Float64[ndarray, "nodes 2"]:
    """Return places in [-1, 1]: neighbours attract, all repel; begun on a circle, the same each time.

    Reference: Fruchterman and Reingold (1991, Software: Practice and Experience 21).
    """
    angle = 2.399963 * np.arange(size)  # the golden angle spreads any number evenly
    radius = np.sqrt(np.maximum(0, np.arange(size) - fixed + 1) / max(1, size))
    at = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=1)
    best = 1.4 / np.sqrt(max(1, size))
    for step in range(_ROUNDS if size > 1 else 0):
        apart = at[:, None] - at[None, :]
        distance = np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 1e-3)
        force = (apart * (best / distance) ** 2).sum(1)
        along = at[ends[:, 0]] - at[ends[:, 1]]
        pull = along * np.linalg.norm(along, axis=1, keepdims=True) / best
        np.add.at(force, ends[:, 0], -pull)
        np.add.at(force, ends[:, 1], pull)
        length = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        at = at + force / length * np.minimum(length, 0.12 * (1 - step / _ROUNDS))
    spread = np.maximum(np.abs(at).max(axis=0, initial=1e-9), 1e-9)
    placed: Float64[ndarray, "nodes 2"] = at / spread
    return placed


def _svg(
    graph: KnowledgeGraph,
    title: str,
    drawn: tuple[Sequence[int], int],
    facts: Sequence[tuple[int, int, int]],
    at: ndarray,
) -> str:
    nodes, framed = drawn
    x, y = (_WIDE / 2 - 90) * at[:, 0] + _WIDE / 2, (_HIGH / 2 - 30) * at[:, 1] + _HIGH / 2
    place = {entity: i for i, entity in enumerate(nodes)}
    parts = [
        f'<svg class="kgd" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img" '
        f'aria-label="{escape(title)}"><style>{_STYLE}</style><defs><marker id="kgd" viewBox="0 0 8 8" refX="7" '
        'refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,0L8,4L0,8z"/></marker></defs>'
    ]
    for head, relation, tail in facts:
        a, b = place[head], place[tail]
        ends = _shortened(x[a], y[a], x[b], y[b])
        parts.append('<line x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}" marker-end="url(#kgd)"/>'.format(*ends))
        told, full = escape(_cut(relation_text(graph, relation))), escape(graph.relations[relation])
        middle = (ends[0] + ends[2]) / 2, (ends[1] + ends[3]) / 2 - 3
        parts.append(f'<text class="r" x="{middle[0]:.0f}" y="{middle[1]:.0f}">{told}<title>{full}</title></text>')
    parts += [_node(graph, entity, (x[i], y[i]), "seed" if i < framed else "near") for i, entity in enumerate(nodes)]
    return "".join(parts) + "</svg>"


def _node(graph: KnowledgeGraph, entity: int, at: tuple[float, float], kind: str) -> str:
    label, (x, y) = _cut(graph.label(entity)), at
    wide = 7.2 * len(label) + 16
    return (
        f'<g class="{kind}"><rect x="{x - wide / 2:.0f}" y="{y - 12:.0f}" '
        f'width="{wide:.0f}" height="24" rx="6"/><text x="{x:.0f}" y="{y + 4.5:.0f}">{escape(label)}</text>'
        f"<title>{escape(graph.entities[entity])}</title></g>"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else text[: _LINE - 1] + "…"


def _shortened(x1: float, y1: float, x2: float, y2: float) -> tuple[float, float, float, float]:
    """Return the line without what is under the boxes at its ends."""
    dx, dy = x2 - x1, y2 - y1
    length = max(1.0, float(np.hypot(dx, dy)))
    cut = min(0.45, (14 + 26 * abs(dx) / length) / length)
    return x1 + dx * cut, y1 + dy * cut, x2 - dx * cut, y2 - dy * cut

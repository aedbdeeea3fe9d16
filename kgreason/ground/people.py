"""Whom a story names, as nodes of its graph, and what is asked about two of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from kgreason.data import SEMANTIC_RELATIONS, UPOS, EdgeType, LogicGraph, NodeType

Mention = tuple[int, int, int]
_AGENT, _PATIENT = SEMANTIC_RELATIONS.id("agent"), SEMANTIC_RELATIONS.id("patient")
_PROPN = UPOS.id("PROPN")


@final
@dataclass(frozen=True, slots=True)
class Cast:
    """Who is named in the texts of an example.

    Args:
        names: Of each mention of the story, in reading order.
        places: `(text, start, end)` of each.
        asked: The two names of the question, first the one the relation starts from; None if nothing is asked.
        asked_places: Where these two stand, in the same order.
    """

    names: tuple[str, ...]
    places: tuple[Mention, ...]
    asked: tuple[str, str] | None
    asked_places: tuple[Mention, ...]


def cast_of(graph: LogicGraph) -> Cast:
    """Tell the people of a story from the two of the question, which come last and stand in another text.

    A question reads "Who is B to A?": B comes first, and the relation leads from A to B.
    """
    if not graph.mentions:
        return Cast((), (), None, ())
    last = graph.mentions[-1][0]
    question = [i for i, place in enumerate(graph.mentions) if place[0] == last]
    if last == 0 or len(question) != 2:
        return Cast(graph.seeds, graph.mentions, None, ())
    second, first = question
    story = [i for i in range(len(graph.seeds)) if i not in question]
    return Cast(
        tuple(graph.seeds[i] for i in story),
        tuple(graph.mentions[i] for i in story),
        (graph.seeds[first], graph.seeds[second]),
        (graph.mentions[first], graph.mentions[second]),
    )


def find_people(graph: LogicGraph, cast: Cast) -> Cast:
    """Add the people of a story that nobody has marked: names in a row that are written with capital letters.

    The parser must have tagged them as names (PROPN); those that are marked already stay as they are.
    """
    marked = [place[1:] for place in cast.places if place[0] == 0]
    found: list[list[int]] = []
    for text, start, end, word, pos in zip(
        *graph.node_span.T.tolist(), graph.node_text, graph.node_pos.tolist(), strict=True
    ):
        named = text == 0 and pos == _PROPN and word[:1].isupper() and word.isalpha()
        if not named or any(a < end and start < b for a, b in marked):
            continue
        if found and start - found[-1][1] == 1:
            found[-1][1] = end
        else:
            found.append([start, end])
    words = [
        (*span[1:], word) for span, word in zip(graph.node_span.tolist(), graph.node_text, strict=True) if not span[0]
    ]
    more = [(start, end, " ".join(w for a, b, w in words if start <= a and b <= end)) for start, end in found]
    marked_too = [(*place[1:], name) for name, place in zip(cast.names, cast.places, strict=True) if not place[0]]
    everyone = sorted(marked_too + more)
    places = tuple((0, start, end) for start, end, _ in everyone)
    return Cast(tuple(name for *_, name in everyone), places, cast.asked, cast.asked_places)


def add_people(graph: LogicGraph, cast: Cast) -> tuple[LogicGraph, dict[str, int]]:
    """Add a PHRASE node for each name, where it stands first, and the question; return these nodes by name.

    The question is a SENTENCE node with SEMANTIC edges to the two it asks about: `agent` to the one that the relation
    starts from, `patient` to the other. It gets no nodes of its own for them: a name is one person.
    """
    first: dict[str, Mention] = {}
    for name, place in zip(cast.names, cast.places, strict=True):
        first.setdefault(name, place)
    for name, place in zip(cast.asked or (), cast.asked_places, strict=True):
        first.setdefault(name, place)
    nodes = {name: graph.num_nodes + i for i, name in enumerate(first)}
    kinds = [NodeType.PHRASE] * len(first)
    texts, spans = [*first], [*first.values()]
    if cast.asked is not None:
        kinds.append(NodeType.SENTENCE)
        texts.append(" ".join(cast.asked[::-1]))
        text, ends = cast.asked_places[0][0], [end for place in cast.asked_places for end in place[1:]]
        spans.append((text, min(ends), max(ends)))
    many = len(kinds)
    grown = graph.with_nodes(
        np.array(kinds, np.int8),
        tuple(texts),
        np.array(spans, np.int32).reshape(-1, 3),
        np.full(many, -1, np.int32),
        np.ones(many, np.float32),
    )
    if cast.asked is None:
        return grown, nodes
    source, target = (nodes[name] for name in cast.asked)
    ends_of = np.array([[grown.num_nodes - 1] * 2, [source, target]], np.int32)
    return grown.with_edges(ends_of, EdgeType.SEMANTIC, np.array([_AGENT, _PATIENT], np.int32)), nodes


def add_statements(
    graph: LogicGraph, nodes: Mapping[str, int], facts: Sequence[tuple[str, int, str, float]]
) -> LogicGraph:
    """Add what is stated as KNOWLEDGE edges between people, each (head, relation, tail) once, with its best score.

    The relations are those of the knowledge graph; what they hold between comes from the text.
    """
    best: dict[tuple[int, int, int], float] = {}
    for head, relation, tail, score in facts:
        key = (nodes[head], relation, nodes[tail])
        best[key] = max(best.get(key, 0.0), score)
    if not best:
        return graph
    rows = np.array(list(best), np.int32)
    scores = np.array(list(best.values()), np.float32)
    return graph.with_edges(rows[:, [0, 2]].T.copy(), EdgeType.KNOWLEDGE, rows[:, 1].copy(), scores)

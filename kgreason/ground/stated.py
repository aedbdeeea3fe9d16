"""Facts that are written out as sentences, read back into edges: the graph that comes with an example."""

import difflib
import re
from collections.abc import Sequence
from typing import final

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.errors import DataError
from kgreason.ground.people import Cast, add_people, add_statements, cast_of

#: What stands between the two names of a fact: "Ann's father is Bob."
_BETWEEN = re.compile(r"'\s*s (.+) is")


@final
class StatedGrounder:
    """Reads sentences of the form "Ann's father is Bob.", which is what `[task] given = "facts"` writes.

    Adds a node for each name, whatever the number of its mentions, an edge for each sentence (KNOWLEDGE, with the
    relation of that name in the knowledge graph), and the question (see `people`). Other sentences say nothing.

    Raises:
        DataError: If a sentence names a relation that the knowledge graph does not have.
    """

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        return [_state(graph, knowledge) for graph in graphs]


def _state(graph: LogicGraph, knowledge: KnowledgeGraph) -> LogicGraph:
    cast = cast_of(graph)
    words = _words(graph)
    facts = []
    for i in range(len(cast.names) - 1):
        between = _gap(words, cast, i)
        match = _BETWEEN.fullmatch(between) if between else None
        if match:
            facts.append((cast.names[i], _relation(graph, knowledge, match[1]), cast.names[i + 1], 1.0))
    if not facts and cast.asked is None:
        return graph
    grown, nodes = add_people(graph, cast)
    return add_statements(grown, nodes, facts)


def _words(graph: LogicGraph) -> dict[int, list[tuple[int, int, str]]]:
    """Return the words of each text, in reading order, with where they start and end."""
    found: dict[int, list[tuple[int, int, str]]] = {}
    for (text, start, end), word, kind in zip(
        graph.node_span.tolist(), graph.node_text, graph.node_type.tolist(), strict=True
    ):
        if kind == 0:
            found.setdefault(text, []).append((start, end, word))
    return found


def _gap(words: dict[int, list[tuple[int, int, str]]], cast: Cast, i: int) -> str:
    """Return what stands between mention `i` and the next one, with single spaces; empty if they are texts apart."""
    (text, _, start), (other, end, _) = cast.places[i], cast.places[i + 1]
    if text != other:
        return ""
    told, at = "", start
    for first, last, word in words.get(text, ()):
        if start <= first and last <= end:
            told += " " * (first > at and bool(told)) + word
            at = last
    return told


def _relation(graph: LogicGraph, knowledge: KnowledgeGraph, name: str) -> int:
    if name in knowledge.relations:
        return knowledge.relations.id(name)
    known = list(knowledge.relations)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    shown = ", ".join(known[:24]) + (", …" if len(known) > 24 else "")
    raise DataError(f"Example '{graph.uid}': the graph has no relation '{name}'.{hint} It has: {shown}.")

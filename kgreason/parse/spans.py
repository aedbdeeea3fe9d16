"""Phrases, clauses and sentences as nodes, around any parser."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, final

import numpy as np

from kgreason.data import DEPENDENCY_RELATIONS, SPAN_RELATIONS, UPOS, EdgeType, Example, LogicGraph, NodeType
from kgreason.parse.sentence import clean
from kgreason.rooms import Parser

_NOMINAL = frozenset(UPOS.id(tag) for tag in ("NOUN", "PROPN", "PRON", "NUM", "SYM", "X"))
_VERBAL = frozenset(UPOS.id(tag) for tag in ("VERB", "AUX"))


def _relations(names: str) -> frozenset[int]:
    return frozenset(DEPENDENCY_RELATIONS.id(name) for name in names.split())


#: What belongs to a noun on either side of it, and what belongs to it only before it.
_INSIDE = _relations("amod compound flat fixed goeswith nummod det clf")
_BEFORE = _relations("nmod advmod")
#: Relations whose target is the head word of a clause, and those that are one if the target has a subject or is a verb.
_CLAUSE = _relations("csubj ccomp xcomp advcl acl")
_MAYBE_CLAUSE = _relations("conj parataxis")
_SUBJECT = _relations("nsubj csubj cop expl")
#: What is cut off at the edges of a clause.
_EDGE = _relations("punct cc")


class _Span(NamedTuple):
    """A run of words; `first` and `last` are node indices, both inside."""

    first: int
    last: int
    head: int
    kind: NodeType


@final
class SpansParser:
    """Adds to what another parser finds: noun phrases and clauses as PHRASE nodes, sentences as SENTENCE nodes.

    A noun phrase is a nominal word with its determiners, adjectives, numbers, names and compounds, and what
    possesses it; a clause is all that depends on its head word. Both have at least two words. A sentence is what
    hangs on a word without governor. Every span has one `head` edge to its head word and a `contains` edge to each
    word and span directly inside it, so that the SPAN edges form a tree over each sentence. WORD nodes and their
    edges stay at their index.

    Args:
        around: The parser that finds the words. With `surface`, which knows no parts of speech, there are sentences
            only (one for each text).
    """

    def __init__(self, around: Parser) -> None:
        self.around = around

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        return [add_spans(graph, example.texts) for graph, example in zip(self.around(examples), examples, strict=True)]


def add_spans(graph: LogicGraph, texts: Sequence[str]) -> LogicGraph:
    """Return the graph with a node for every noun phrase, clause and sentence, and SPAN edges; all old rows stay."""
    words = int((graph.node_type == NodeType.WORD).sum())
    tree = _Tree(graph, words)
    spans = sorted({(s.first, -s.last, s.kind != NodeType.SENTENCE): s for s in _find(graph, tree)}.items())
    return _append(graph, [span for _, span in spans], texts)


class _Tree:
    """The dependency trees over the first `words` nodes of a graph: governors, relations, children."""

    __slots__ = ("children", "governor", "relation")

    def __init__(self, graph: LogicGraph, words: int) -> None:
        self.governor = [-1] * words
        self.relation = [-1] * words
        self.children: list[list[int]] = [[] for _ in range(words)]
        kept = graph.edge_type == EdgeType.DEPENDENCY
        rows = zip(*graph.edge_index[:, kept].tolist(), graph.edge_relation[kept].tolist(), strict=True)
        for source, target, relation in rows:
            self.governor[target], self.relation[target] = source, relation
            self.children[source].append(target)

    def under(self, top: int) -> list[int]:
        """Return the words that depend on `top`, itself included, in reading order."""
        found, rest = [], [top]
        while rest:
            found.append(rest.pop())
            rest.extend(self.children[found[-1]])
        return sorted(found)


def _find(graph: LogicGraph, tree: _Tree) -> list[_Span]:
    found: list[_Span] = []
    for w, relation in enumerate(tree.relation):
        if tree.governor[w] < 0:
            inside = tree.under(w)
            found.append(_Span(inside[0], inside[-1], w, NodeType.SENTENCE))
        elif relation in _CLAUSE or (relation in _MAYBE_CLAUSE and _is_clause(graph, tree, w)):
            found.extend(_phrase(_trim(_run(tree.under(w), w), w, tree), w))
        if int(graph.node_pos[w]) in _NOMINAL:
            found.extend(_phrase(_noun_phrase(tree, w), w))
    return found


def _is_clause(graph: LogicGraph, tree: _Tree, w: int) -> bool:
    return int(graph.node_pos[w]) in _VERBAL or any(tree.relation[c] in _SUBJECT for c in tree.children[w])


def _noun_phrase(tree: _Tree, w: int) -> list[int]:
    inside = [w]
    for child in tree.children[w]:
        relation = tree.relation[child]
        if relation in _INSIDE or (relation in _BEFORE and child < w):
            inside.extend(tree.under(child))
    return _run(sorted(inside), w)


def _run(words: list[int], w: int) -> list[int]:
    """Return the words around `w` without a gap; `words` is in order and holds `w`."""
    at = words.index(w)
    first = last = at
    while first > 0 and words[first - 1] == words[first] - 1:
        first -= 1
    while last + 1 < len(words) and words[last + 1] == words[last] + 1:
        last += 1
    return words[first : last + 1]


def _trim(words: list[int], w: int, tree: _Tree) -> list[int]:
    while words[0] != w and tree.relation[words[0]] in _EDGE:
        words = words[1:]
    while words[-1] != w and tree.relation[words[-1]] in _EDGE:
        words = words[:-1]
    return words


def _phrase(words: list[int], head: int) -> list[_Span]:
    return [_Span(words[0], words[-1], head, NodeType.PHRASE)] if len(words) > 1 else []


def _append(graph: LogicGraph, spans: list[_Span], texts: Sequence[str]) -> LogicGraph:
    first, new = graph.num_nodes, len(spans)
    place = graph.node_span
    rows = [(int(place[s.first, 0]), int(place[s.first, 1]), int(place[s.last, 2])) for s in spans]
    heads = [s.head for s in spans]
    grown = replace(
        graph,
        node_type=np.append(graph.node_type, np.array([s.kind for s in spans], np.int8)),
        node_text=graph.node_text + tuple(clean(texts[i][a:b]) for i, a, b in rows),
        node_lemma=graph.node_lemma + tuple(graph.node_lemma[h] for h in heads),
        node_pos=np.append(graph.node_pos, graph.node_pos[heads]).astype(np.int8),
        node_span=np.vstack([place, np.array(rows, np.int32).reshape(-1, 3)]).astype(np.int32),
        node_entity=np.append(graph.node_entity, np.full(new, -1, np.int32)),
        node_score=np.append(graph.node_score, np.ones(new, np.float32)),
        node_polarity=np.append(graph.node_polarity, graph.node_polarity[heads]),
    )
    pairs = _edges(spans, first)
    columns = np.array(pairs, np.int32).reshape(-1, 3)
    return grown.with_edges(columns[:, :2].T.copy(), EdgeType.SPAN, columns[:, 2].copy())


def _edges(spans: list[_Span], first: int) -> list[tuple[int, int, int]]:
    """Join each span to its head and to what lies directly inside; `spans` has every span after those around it."""
    contains, head = SPAN_RELATIONS.id("contains"), SPAN_RELATIONS.id("head")
    edges = [(first + i, span.head, head) for i, span in enumerate(spans)]
    inmost: dict[int, int] = {}
    for i, span in enumerate(spans):
        around = inmost.get(span.head, -1)
        if around >= 0:
            edges.append((first + around, first + i, contains))
        inmost.update(dict.fromkeys(range(span.first, span.last + 1), i))
    edges += [(first + i, w, contains) for w, i in sorted(inmost.items()) if spans[i].head != w]
    return edges

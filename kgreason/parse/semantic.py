"""Scope and polarity, around any parser of dependencies."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import final

import numpy as np

from kgreason.data import EdgeType, Example, LogicGraph
from kgreason.data.operators import QUESTION, Shape, phrases, predicates
from kgreason.data.quantifiers import is_number
from kgreason.errors import ConfigError
from kgreason.parse.agreement import agree
from kgreason.parse.cues import find_cues
from kgreason.parse.scope import Scopes
from kgreason.parse.words import Words, lower_words
from kgreason.rooms import Parser


@final
class SemanticParser:
    """Adds to what another parser finds: how each word's place projects, and edges from operators to their arguments.

    `LogicGraph.node_polarity` becomes the composition of the signatures of all operators in whose arguments a word
    stands (`kgreason.data.operators`). The place of an operator itself is that of what it stands in: of a quantifier,
    of the noun phrase; of a negation, of the clause without it.

    SEMANTIC edges run from an operator's word to the head of its scope (`negates`, `quantifies`), of its restrictor,
    antecedent or complement (`argument`), and to each conjunct (`conjoins`). All nodes and edges stay at their index.

    Args:
        around: The parser that finds words and trees. Without trees (`surface`) every place is upward.
        indefinites: `specific`: "a man" is a particular man, so that words which exclude each other exclude what is
            said of him. `existential`: there is a man, and there may be others ("a", "some", "two", "several" …).
        polarity: `none` leaves every place upward: what an experiment runs to see what polarity adds.
        trees: `agree`: texts of one example that differ in few words get trees that differ in few edges
            (`kgreason.parse.agreement.agree`). `own`: each text keeps the tree it was given.

    Raises:
        ConfigError: If an argument is none of its choices.
    """

    def __init__(
        self, around: Parser, indefinites: str = "specific", polarity: str = "full", trees: str = "agree"
    ) -> None:
        if indefinites not in {"specific", "existential"}:
            raise ConfigError(f"[parse] indefinites = '{indefinites}'; expected specific or existential.")
        if polarity not in {"full", "none"}:
            raise ConfigError(f"[parse] polarity = '{polarity}'; expected full or none.")
        if trees not in {"agree", "own"}:
            raise ConfigError(f"[parse] trees = '{trees}'; expected agree or own.")
        self.around, self.indefinites, self.polarity, self.trees = around, indefinites, polarity, trees

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        existential = self.indefinites == "existential"
        graphs = self.around(examples)
        if self.trees == "agree":
            graphs = [agree(graph) for graph in graphs]
        return [self._mark(graph, existential) for graph in graphs]

    def _mark(self, graph: LogicGraph, existential: bool) -> LogicGraph:
        marked = add_scopes(graph, existential)
        return marked if self.polarity == "full" else replace(marked, node_polarity=graph.node_polarity)


def add_scopes(graph: LogicGraph, existential: bool = False) -> LogicGraph:
    """Return the graph with the signature of every word's place, and SEMANTIC edges; all old rows stay.

    Args:
        graph: Words and their dependency trees.
        existential: Whether indefinites have the signature of "some".
    """
    lower = lower_words(graph)
    triggers = _triggers()
    if (
        not any(word in triggers or word.endswith("est") for word in lower)
        and not (triggers & set(graph.node_lemma[: len(lower)]) or (existential and _indefinites() & set(lower)))
        and not (existential and any(map(is_number, lower)))
    ):
        return graph
    words = Words(graph, lower)
    if not any(words.kids):
        return graph
    cues = find_cues(words, existential)
    places = {w: QUESTION.first if _asks(words, w) else 0 for w, head in enumerate(words.head) if head < 0}
    scopes = Scopes(words, cues, places)
    polarity = graph.node_polarity.copy()
    polarity[: len(lower)] = scopes.signature
    edges = np.array(list(dict.fromkeys(scopes.edges)), np.int32).reshape(-1, 3)
    marked = replace(graph, node_polarity=polarity)
    return marked.with_edges(edges[:, :2].T.copy(), EdgeType.SEMANTIC, edges[:, 2].copy()) if len(edges) else marked


def _asks(words: Words, root: int) -> bool:
    return any(words.lower[k] == "?" for k in words.kids[root])


@cache
def _triggers() -> frozenset[str]:
    """Return words without which a sentence has no operator, but the superlative."""
    firsts = {
        words[0]
        for rows in phrases().values()
        for words, operators in rows
        if operators[0].shape != Shape.INDEFINITE and words[0] not in {"#", "a", "an"}
    }
    return frozenset(firsts | {lemma for lemma, _ in predicates()} | {"?", "best", "worst", "most"})


@cache
def _indefinites() -> frozenset[str]:
    return frozenset(w[0] for rows in phrases().values() for w, o in rows if o[0].shape == Shape.INDEFINITE)

"""Finds the seeds of texts that come without: all ways of linking, and which of them where."""

import logging
import weakref
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias, final, runtime_checkable

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.ground.cut import Cut, cut
from kgreason.ground.evidence import Evidence, Weights
from kgreason.ground.exact import Matches, Pick, exact_matches, pick, read
from kgreason.ground.fuzzy import FuzzyIndex
from kgreason.ground.reading import NOWHERE, Seed, senses_of

Link: TypeAlias = Literal["given", "exact", "lemma", "fuzzy", "dense", "auto"]
"""Where seeds come from. See `SeedsGrounder`."""

#: `auto` does not read more labels than that with a language model.
_AUTO_LABELS = 100_000
_log = logging.getLogger("kgreason.ground")


@runtime_checkable
class Finder(Protocol):
    """Finds spans that may name something, in the texts whose units are wanted."""

    def matches(self, cut: Cut, weights: Weights, wanted: Bool[ndarray, " units"]) -> Matches: ...


@final
class Linker:
    """Links texts to one knowledge graph, and keeps the indices it needs, each made when it is first asked for.

    Args:
        knowledge: What to link to. It is not kept, so that the linker may be kept as long as the graph.
    """

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self._evidence = Evidence(knowledge)
        self._fuzzy: FuzzyIndex | None = None

    def __call__(
        self,
        graphs: Sequence[LogicGraph],
        knowledge: KnowledgeGraph,
        link: Link,
        budget: tuple[int, int],
        dense: Callable[[KnowledgeGraph], Finder],
    ) -> list[list[Seed]]:
        """Return the seeds of each text, the surest first.

        Args:
            graphs: The texts.
            knowledge: The graph of this linker.
            link: Which way to go.
            budget: How many mentions to keep in a text, and how many entities of each.
            dense: Returns the index of label vectors.
        """
        texts = cut(graphs)
        weights = self._evidence.weigh(texts)
        found = exact_matches(texts, self._evidence, lemmas=link != "exact")
        everywhere = np.ones(len(texts), np.bool_)
        if link == "fuzzy":
            found = Matches.join([found, self.fuzzy(knowledge).matches(texts, weights, everywhere)])
        elif link == "dense":
            found = Matches.join([found, dense(knowledge).matches(texts, weights, everywhere)])
        choose = _Choice(texts, weights, len(graphs), budget[0])
        picked = choose(found)
        if link == "auto":
            found, picked = self._go_on(choose, found, picked, knowledge, dense)
        return read(texts, weights, found, knowledge, picked, budget[1])

    def fuzzy(self, knowledge: KnowledgeGraph) -> FuzzyIndex:
        """Return the index of labels by trigrams."""
        if self._fuzzy is None:
            self._fuzzy = FuzzyIndex(knowledge)
        return self._fuzzy

    def locate(
        self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph, seeds: Sequence[Sequence[Seed]]
    ) -> list[list[Seed]]:
        """Find where seeds stand that are known to be in the texts: at the strongest match of one of their labels."""
        texts = cut(graphs)
        weights = self._evidence.weigh(texts)
        found = exact_matches(texts, self._evidence, lemmas=True)
        strength = weights.strength(found.first, found.last, found.exact)
        order = np.lexsort((-strength, texts.graph[found.first]))
        begins = np.searchsorted(texts.graph[found.first[order]], np.arange(len(graphs) + 1))
        placed = []
        for g, known in enumerate(seeds):
            rows = order[begins[g] : begins[g + 1]].tolist()
            placed.append(
                [seed if seed.span != NOWHERE else _place(seed, texts, found, rows, knowledge) for seed in known]
            )
        return placed

    def _go_on(
        self,
        choose: "_Choice",
        found: Matches,
        picked: list[list[Pick]],
        knowledge: KnowledgeGraph,
        dense: Callable[[KnowledgeGraph], Finder],
    ) -> tuple[Matches, list[list[Pick]]]:
        """Look for misspelt labels where names or strange words are left over, by meaning where there is nothing."""
        texts, weights = choose.texts, choose.weights
        unsettled = _left_over(texts, weights, picked)
        if unsettled.any():
            found = Matches.join([found, self.fuzzy(knowledge).matches(texts, weights, unsettled)])
            picked = choose(found)
        nothing = np.array([not picks for picks in picked], np.bool_)[texts.graph]
        if not nothing.any():
            return found, picked
        if len(knowledge.labels.names) > _AUTO_LABELS:
            _log.info("seeds: auto reads at most %d labels by meaning; ask for link = dense", _AUTO_LABELS)
            return found, picked
        found = Matches.join([found, dense(knowledge).matches(texts, weights, nothing)])
        return found, choose(found)


class _Choice(NamedTuple):
    """What is fixed when mentions of a batch are chosen."""

    texts: Cut
    weights: Weights
    graphs: int
    max_seeds: int

    def __call__(self, found: Matches) -> list[list[Pick]]:
        return pick(self.texts, self.weights, found, self.graphs, self.max_seeds)


def _place(seed: Seed, texts: Cut, found: Matches, rows: Sequence[int], knowledge: KnowledgeGraph) -> Seed:
    wanted = set(seed.meaning.entity.tolist())
    for row in rows:
        _, entity, _ = senses_of(found.label[row : row + 1], knowledge.labels)
        if wanted.intersection(entity.tolist()):
            text, start, _ = texts.place[found.first[row]].tolist()
            return seed._replace(span=(text, start, int(texts.place[found.last[row], 2])))
    return seed


def _left_over(texts: Cut, weights: Weights, picked: Sequence[Sequence[Pick]]) -> Bool[ndarray, " units"]:
    """Return the units of graphs in which no mention was picked, or a name or a strange word is in none."""
    covered = np.zeros(len(texts) + 1, np.int64)
    for picks in picked:
        for p in picks:
            covered[p.first] += 1
            covered[p.last + 1] -= 1
    free = np.cumsum(covered[:-1]) == 0
    odd = (np.diff(weights.named) > 0) | (np.diff(weights.strange) > 0)
    size = len(picked)
    unsettled = np.bincount(texts.graph, free & odd & weights.content, size) > 0
    unsettled |= np.array([not picks for picks in picked], np.bool_)
    return np.asarray(unsettled[texts.graph])


_LINKERS: "weakref.WeakKeyDictionary[KnowledgeGraph, Linker]" = weakref.WeakKeyDictionary()


def linker(knowledge: KnowledgeGraph) -> Linker:
    """Return the linker of a graph; made once and kept as long as the graph."""
    if knowledge not in _LINKERS:
        _LINKERS[knowledge] = Linker(knowledge)
    return _LINKERS[knowledge]

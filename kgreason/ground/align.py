"""Joins the words of a premise and a hypothesis by the lexical relation that the graph knows between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray
from scipy.optimize import linear_sum_assignment

from kgreason.data import ALIGN_RELATIONS, EdgeType, KnowledgeGraph, LogicGraph
from kgreason.errors import ConfigError
from kgreason.ground.lexical import KIND_IDS, KINDS, lexical_relations
from kgreason.ground.units import Lexicon, Units, units_of

#: How good a pair of each kind is when one word has several to be aligned with: the best and the worst it can be
#: worth, by its score. A word that recurs (1.0) beats them all.
_WORTH = {
    "synonym": (0.80, 0.95),
    "hypernym": (0.70, 0.90),
    "hyponym": (0.70, 0.90),
    "antonym": (0.70, 0.85),
    "co_hyponym": (0.50, 0.75),
    "co_similar": (0.45, 0.60),
    "related": (0.45, 0.60),
}
_LOW = np.array([_WORTH[kind][0] for kind in KINDS])
_SPAN = np.array([_WORTH[kind][1] - _WORTH[kind][0] for kind in KINDS])
_OTHER = 0.30  # two words of one part of speech in the same place: aligned only if nothing better is at hand
_PLACE, _CONTEXT = 0.08, 0.12  # what the same place in the sentence and the same neighbours add
_ENOUGH = 0.40
#: What may be known of words beside the graph: what ships with the package, or nothing.
WORD_FACTS = ("english", "none")
_SAME, _OTHER_ID = ALIGN_RELATIONS.id("same"), ALIGN_RELATIONS.id("other")


@final
class AlignGrounder:
    r"""Aligns every later text of an example with its first, word by word, and names the relations.

    Each text is cut into units: words, or labels of several words that the graph knows ("ice cream"). A unit of the
    first text and one of the other may be worth aligning because they are the same word, because the graph knows a
    relation between their senses (`LexicalRelations`), or because they stand in the same place. The one-to-one
    assignment of the highest total worth is found by the Hungarian method; pairs worth too little are dropped.

    Every relation that holds between two aligned units becomes an ALIGN edge between their head words, from the first
    text to the other; its `edge_score` is the relation's score. Two units between which the graph knows nothing get one
    edge `other`. A word without an ALIGN edge has no counterpart: it was added or left out.

    Args:
        max_senses: How many senses of a word are looked at, the likeliest first.
        min_score: Relations with a lower score are passed over: they hold between rare senses, or far apart.
        word_facts: Where names of places that are one unit come from, beside the graph: `english`, what ships with the
            package, or `none`.

    Raises:
        ConfigError: If there are no such facts.
    """

    def __init__(self, max_senses: int = 8, min_score: float = 0.02, word_facts: str = "english") -> None:
        if word_facts not in WORD_FACTS:
            raise ConfigError(f"[ground] word_facts = '{word_facts}'; expected {' or '.join(WORD_FACTS)}.")
        self.max_senses, self.min_score, self.word_facts = max_senses, min_score, word_facts

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        lexicon = Lexicon(knowledge, self.max_senses, self.word_facts)
        cut = [units_of(graph, lexicon) for graph in graphs]
        known = _relations(cut, lexicon, knowledge, self.min_score)
        return [_align(graph, units, known) for graph, units in zip(graphs, cut, strict=True)]


@dataclass(frozen=True, slots=True)
class _Known:
    """The scores of every pair of different words that meet in some example; `code` is ascending."""

    code: Int64[ndarray, " pairs"]
    score: Float32[ndarray, "pairs 7"]
    num_words: int

    def of(self, left: Int64[ndarray, " a"], right: Int64[ndarray, " b"]) -> Float32[ndarray, "a b 7"]:
        code = left[:, None] * self.num_words + right[None, :]
        if not len(self.code):
            return np.zeros((*code.shape, len(KINDS)), np.float32)
        at = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
        found: Float32[ndarray, "a b 7"] = np.where((self.code[at] == code)[..., None], self.score[at], 0)
        return found.astype(np.float32)


def _relations(cut: Sequence[Units], lexicon: Lexicon, knowledge: KnowledgeGraph, min_score: float) -> _Known:
    """Ask the graph once for all pairs of words in all examples."""
    size = len(lexicon.senses.ptr) - 1
    codes = [
        (units.word[first][:, None] * size + units.word[later][None, :]).ravel()
        for units in cut
        for first, later in _sides(units)
    ]
    code = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
    left, right = np.divmod(code, max(size, 1))
    count = np.diff(lexicon.senses.ptr)
    asked = (count[left] > 0) & (count[right] > 0) & (lexicon.lemma_id[left] != lexicon.lemma_id[right])
    code, left, right = code[asked], left[asked], right[asked]
    score = lexical_relations(knowledge).between(lexicon.senses, left, right)
    score[score < min_score] = 0
    return _Known(code, score, size)


def _sides(units: Units) -> list[tuple[Int64[ndarray, " a"], Int64[ndarray, " b"]]]:
    """The units of the first text, with those of each later text in turn."""
    first = np.flatnonzero(units.text == 0)
    later = (np.flatnonzero(units.text == t) for t in range(1, int(units.text.max(initial=0)) + 1))
    return [(first, other) for other in later if len(first) and len(other)]


def _align(graph: LogicGraph, units: Units, known: _Known) -> LogicGraph:
    sources: list[Int64[ndarray, " some"]] = []
    targets: list[Int64[ndarray, " some"]] = []
    relations: list[Int64[ndarray, " some"]] = []
    scores: list[Float64[ndarray, " some"]] = []
    for first, later in _sides(units):
        score = known.of(units.word[first], units.word[later])
        same = units.lemma[first][:, None] == units.lemma[later][None, :]
        worth = _worth(units, first, later, same, score)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        good = worth[rows, columns] >= _ENOUGH
        rows, columns = rows[good], columns[good]
        pair, kind = np.nonzero(score[rows, columns])
        equal = np.flatnonzero(same[rows, columns])
        unknown = np.flatnonzero(~same[rows, columns] & ~score[rows, columns].any(-1))
        at = np.concatenate([equal, pair, unknown])
        sources.append(units.head[first[rows[at]]])
        targets.append(units.head[later[columns[at]]])
        sizes = len(equal), len(unknown)
        relations.append(np.concatenate([np.full(sizes[0], _SAME), KIND_IDS[kind], np.full(sizes[1], _OTHER_ID)]))
        known_score = score[rows, columns][pair, kind]
        scores.append(np.concatenate([np.ones(sizes[0]), known_score, np.ones(sizes[1])]))
    if not sources:
        return graph
    return graph.with_edges(
        np.stack([np.concatenate(sources), np.concatenate(targets)]).astype(np.int32),
        EdgeType.ALIGN,
        np.concatenate(relations).astype(np.int32),
        np.concatenate(scores).astype(np.float32),
    )


def _worth(
    units: Units,
    first: Int64[ndarray, " a"],
    later: Int64[ndarray, " b"],
    same: ndarray,
    score: Float32[ndarray, "a b 7"],
) -> Float64[ndarray, "a b"]:
    r"""What each pair would be worth: by kind and score, plus a little for the same place and neighbours."""
    by_kind = np.where(score > 0, _LOW + _SPAN * np.minimum(1, 2 * score), 0).max(-1)
    worth = np.where(same, 1.0, by_kind)
    alike = (units.pos[first][:, None] == units.pos[later][None, :]) & (
        units.content[first][:, None] & units.content[later][None, :]
    )
    worth = np.where((worth == 0) & alike, _OTHER, worth)
    place_a, place_b = np.linspace(0, 1, len(first)), np.linspace(0, 1, len(later))
    near = 1 - np.abs(place_a[:, None] - place_b[None, :])
    before, after = _shifted(same, 1), _shifted(same, -1)
    extra = _PLACE * near + _CONTEXT * (before.astype(float) + after.astype(float)) / 2
    return np.where(worth > 0, worth + extra, 0.0)


def _shifted(same: ndarray, by: int) -> ndarray:
    """Whether the units before (1) or after (-1) are the same; the ends of two sentences count as the same."""
    padded = np.pad(same, 1)
    padded[0, 0] = padded[-1, -1] = True
    rows, columns = same.shape
    start = 1 - by
    return padded[start : start + rows, start : start + columns]

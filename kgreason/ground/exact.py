"""Seeds by their labels: mentions in the text that read as a label does."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.ground.cut import Cut
from kgreason.ground.evidence import Evidence, Weights
from kgreason.ground.reading import Meaning, Seed, best_senses, senses_of

_LIKER = 4  # "Deadtime Stories" is nearer than "Bedtime Stories", however well known that is
_OTHER_CASE = 0.5  # "kids" may be the film "Kids", if there is no label "kids"
#: A second mention of a text must be at least that sure, as a share of the surest.
LEAST = 0.75


class Matches(NamedTuple):
    """Spans of units that may name what a label names.

    `first` and `last` are units of a `Cut`; `like`, in (0, 1], is how much the span is like the label; `exact` says
    whether it is written just so.
    """

    first: Int64[ndarray, " rows"]
    last: Int64[ndarray, " rows"]
    label: Int32[ndarray, " rows"]
    like: Float64[ndarray, " rows"]
    exact: Bool[ndarray, " rows"]

    @classmethod
    def none(cls) -> "Matches":
        """Return no match."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing.astype(np.int32), np.zeros(0), np.zeros(0, np.bool_))

    @classmethod
    def join(cls, parts: Sequence["Matches"]) -> "Matches":
        """Lay matches end to end."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def exact_matches(cut: Cut, evidence: Evidence, lemmas: bool) -> Matches:
    """Return every span of whole units that reads as a label does: as it is written, in another case, or by lemmas."""
    other = cut.other if lemmas else [""] * len(cut)
    rows = evidence.index.find_every(cut.text, other, cut.segment)
    exact = rows[:, 3] == 1
    first, last = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    return Matches(first, last, rows[:, 2], np.ones(len(rows)), exact)


class Pick(NamedTuple):
    """A mention that was chosen: its first and last unit, how sure it is, and which matches it has."""

    first: int
    last: int
    score: float
    rows: list[int]


def pick(cut: Cut, weights: Weights, matches: Matches, graphs: int, max_seeds: int) -> list[list[Pick]]:
    """Return the likeliest mentions of each text, the surest first, without overlap.

    After the surest, others follow that are at least three quarters as sure.
    """
    strength = matches.like * weights.strength(matches.first, matches.last, matches.exact)
    order = np.lexsort((matches.first, matches.first - matches.last, -strength, cut.graph[matches.first]))
    order = order[strength[order] > 0]
    found: list[list[Pick]] = [[] for _ in range(graphs)]
    owner = cut.graph[matches.first[order]]
    for part in np.split(order, np.flatnonzero(np.diff(owner)) + 1) if len(order) else []:
        columns = (matches.first[part], matches.last[part], 1 - np.exp(-strength[part]), part)
        kept = _without_overlap(zip(*(column.tolist() for column in columns), strict=True))
        least = LEAST * kept[0].score
        found[int(cut.graph[matches.first[part[0]]])] = [p for p in kept[:max_seeds] if p.score >= least]
    return found


def read(
    cut: Cut,
    weights: Weights,
    matches: Matches,
    knowledge: KnowledgeGraph,
    picked: Sequence[Sequence[Pick]],
    max_senses: int,
) -> list[list[Seed]]:
    r"""Say what the chosen mentions may mean.

    All labels that a span may be share in its meaning, each entity by how like the label is, what it says of the
    entity, and how much is known of that (its degree $d_e$):

    $$\mathrm{score}(e) \propto c \, q^4 \, p(e \mid \mathrm{label}) \log(2 + d_e)$$

    A label in another case counts half ($c = 1/2$), and, in a text with capitals, not at all if another is written so.
    """
    only = matches.exact & weights.cased[matches.first]
    found = []
    for picks in picked:
        seeds = []
        for p in picks:
            text, start, _ = cut.place[p.first].tolist()
            meaning = _meaning(matches, only, p.rows, knowledge, max_senses)
            seeds.append(Seed((text, start, int(cut.place[p.last, 2])), meaning, p.score))
        found.append(seeds)
    return found


def _without_overlap(rows: Iterable[tuple[int, int, float, int]]) -> list[Pick]:
    """Return spans that do not overlap, the first come kept; each with all its rows."""
    kept: list[Pick] = []
    for first, last, score, row in rows:
        same = next((p for p in kept if (p.first, p.last) == (first, last)), None)
        if same is not None:
            same.rows.append(row)
        elif all(p.last < first or last < p.first for p in kept):
            kept.append(Pick(first, last, score, [row]))
    return kept


def _meaning(
    matches: Matches, only: Bool[ndarray, " rows"], rows: list[int], knowledge: KnowledgeGraph, max_senses: int
) -> Meaning:
    chosen = np.array(rows)
    if only[chosen].any():
        chosen = chosen[only[chosen]]
    if (matches.like[chosen] == 1).any():  # what reads as a label does is no misspelt other label
        chosen = chosen[matches.like[chosen] == 1]
    of, entity, score = senses_of(matches.label[chosen], knowledge.labels)
    if len(entity) == 1:
        return Meaning(entity, np.ones(1, np.float32))
    ends = entity.astype(np.int64) + np.array([[0], [1]])
    degree = (np.diff(knowledge.head_ptr[ends], axis=0) + np.diff(knowledge.tail_ptr[ends], axis=0))[0]
    weight = matches.like[chosen] ** _LIKER * np.where(matches.exact[chosen], 1.0, _OTHER_CASE)
    return best_senses(entity, score * weight[of] * np.log(2.0 + degree), max_senses)

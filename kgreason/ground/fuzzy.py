"""Seeds that are not written as their labels: typos, another case, no accents, other punctuation."""

from typing import final

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from kgreason.data import KnowledgeGraph
from kgreason.ground.cut import Cut
from kgreason.ground.evidence import Weights
from kgreason.ground.exact import Matches
from kgreason.ground.grams import GramIndex, edits_allowed, fold

#: Labels of which the text holds most trigrams, and how many words a span may have.
_MOST, _LONGEST = 60, 10
_MOST_EDITS = 3
_NOT_STRANGE = 0.8


@final
class FuzzyIndex:
    r"""Finds labels in a text although some letters are wrong.

    Both are folded (lower case, no accents, one space for all punctuation). The labels that share most trigrams with a
    text (`GramIndex`) are compared with its spans of whole words by the optimal string alignment distance $d$, which
    counts letters that were added, left out, replaced or have changed places with their neighbour. A label of length
    $n$ that is near enough (`edits_allowed`) is like the span by

    $$q = 1 - \frac{2 d}{n}$$

    and by a fifth less if no word of the span is strange to the labels ("the film" is hardly "The Firm").

    Args:
        knowledge: Its labels; the index is made at once, in about a second for 100,000 of them.
    """

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self.names = knowledge.labels.names
        self.grams = GramIndex(knowledge.labels.names)

    def matches(self, cut: Cut, weights: Weights, wanted: Bool[ndarray, " units"]) -> Matches:
        """Return the spans of texts that are like labels.

        Args:
            cut: The texts.
            weights: Of their units; spans without weight are passed over.
            wanted: Of each unit, whether its text is to be looked at.
        """
        begins = np.flatnonzero(np.diff(cut.segment, prepend=-1) != 0)
        ends = np.append(begins, len(cut))[1:]
        found = [self._text(cut, weights, int(b), int(e)) for b, e in zip(begins, ends, strict=True) if wanted[b]]
        return Matches.join([Matches.none(), *found])

    def near(self, name: str, most: int) -> list[str]:
        """Return the labels that are written most like `name`, the nearest first."""
        folded = " ".join(fold(name).split())
        labels = self.grams.near(folded, _MOST)
        distance = cdist([folded], [self.grams.folded[i] for i in labels], scorer=OSA.distance)[0]
        order = np.argsort(distance, kind="stable")[:most]
        limit = edits_allowed(len(folded)) + 1
        return [self.names[int(labels[i])] for i in order if distance[i] <= limit]

    def _text(self, cut: Cut, weights: Weights, begin: int, end: int) -> Matches:
        words = [" ".join(fold(unit).split()) for unit in cut.text[begin:end]]
        kept = np.flatnonzero([bool(word) for word in words])
        words = [words[i] for i in kept]
        labels = self.grams.near(" ".join(words), _MOST)
        first, last = _runs(len(words))
        start, stop = kept[first] + begin, kept[last] + begin
        telling = weights.strength(start, stop, np.zeros(len(start), np.bool_)) > 0
        start, stop = start[telling], stop[telling]
        spans = [" ".join(words[a : b + 1]) for a, b in zip(first[telling], last[telling], strict=True)]
        if not len(labels) or not spans:
            return Matches.none()
        folded = [self.grams.folded[i] for i in labels.tolist()]
        length = np.fromiter(map(len, folded), np.int64, len(folded))
        allowed = (length > 3).astype(np.int64) + (length > 7) + (length > 15)
        distance = cdist(spans, folded, scorer=OSA.distance, score_cutoff=_MOST_EDITS, dtype=np.uint8).astype(np.int64)
        span, which = np.nonzero(distance <= allowed)
        like = 1 - 2 * distance[span, which] / np.maximum(length[which], 1)
        strange = weights.strange[stop[span] + 1] > weights.strange[start[span]]
        like *= np.where(strange | (distance[span, which] == 0), 1.0, _NOT_STRANGE)
        return Matches(start[span], stop[span], labels[which], like, np.zeros(len(span), np.bool_))


def _runs(words: int) -> tuple[Int64[ndarray, " runs"], Int64[ndarray, " runs"]]:
    """Return the first and last word of every run of up to ten words."""
    first, last = np.triu_indices(words)
    short = last - first < _LONGEST
    return first[short].astype(np.int64), last[short].astype(np.int64)

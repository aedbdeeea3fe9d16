"""Seeds that are not written as their labels: typos, another case, no accents, other punctuation."""

from collections.abc import Sequence
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
        texts = [(int(b), int(e)) for b, e in zip(begins, ends, strict=True) if wanted[b]]
        if not texts:
            return Matches.none()
        words = [" ".join(unit.split()) for unit in fold("\n".join(cut.text)).split("\n")]  # a unit has no line break
        found = [self._text(words[b:e], weights, b) for b, e in texts]
        return Matches.join([Matches.none(), *found])

    def near(self, name: str, most: int) -> list[str]:
        """Return the labels that are written most like `name`, the nearest first."""
        folded = " ".join(fold(name).split())
        labels = self.grams.near(folded, _MOST)
        distance = cdist([folded], [self.grams.folded[i] for i in labels], scorer=OSA.distance)[0]
        order = np.argsort(distance, kind="stable")[:most]
        limit = edits_allowed(len(folded)) + 1
        return [self.names[int(labels[i])] for i in order if distance[i] <= limit]

    def _text(self, words: Sequence[str], weights: Weights, begin: int) -> Matches:
        """Return the spans of one text, given as its folded units, the first of which is unit `begin`."""
        kept = np.array([i for i, word in enumerate(words) if word], np.int64)
        words = [word for word in words if word]
        text = " ".join(words)
        labels = self.grams.near(text, _MOST)
        first, last = _runs(len(words))
        start, stop = kept[first] + begin, kept[last] + begin
        telling = weights.strength(start, stop, np.zeros(len(start), np.bool_)) > 0
        start, stop = start[telling], stop[telling]
        size = np.fromiter(map(len, words), np.int64, len(words))
        ends = np.cumsum(size + 1) - 1
        at = zip((ends - size)[first[telling]].tolist(), ends[last[telling]].tolist(), strict=True)
        spans = [text[a:b] for a, b in at]
        if not len(labels) or not spans:
            return Matches.none()
        folded = [self.grams.folded[i] for i in labels.tolist()]
        length = self.grams.length[labels]
        allowed = self.grams.edits[labels]
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

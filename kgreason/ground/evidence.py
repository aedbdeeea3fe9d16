"""How much speaks for it that a run of characters names an entity, and is not just a part of the question."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.data.function_words import FUNCTION_WORDS
from kgreason.ground.cut import Cut
from kgreason.ground.index import label_index

#: What is left of the weight of a word that questions are made of: a function word, a word of a relation, a mark.
_COMMON = 0.25
#: How much more a name counts that is written as names are, in the case of its label or in another.
_PROPER, _PROPER_OTHER_CASE = 2.0, 1.5
#: So many function words may be a name.
_LONG = 3
_UNIT = 1e6
#: What the most frequent word weighs.
_LEAST = 0.1
_STEM = 4
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")


@final
class Evidence:
    r"""Weighs units and spans of a text, by what the knowledge graph alone can tell.

    A unit $u$ is the weightier the rarer it is in the $N$ labels of the graph, and weighs a quarter ($c_u$) if
    questions are made of it: a function word, a mark, or a word that shares its stem with a word of a relation's name
    ("director" with `directed_by`).

    $$w_u = c_u \left(1 - \frac{\log(1 + n_u)}{\log(1 + N)}\right), \qquad
      S_{ij} = q \, p_{ij} \sum_{u=i}^{j} w_u, \qquad \mathrm{score}_{ij} = 1 - e^{-S_{ij}}$$

    The span from $i$ to $j$ counts double ($p = 2$) if one of its words has a capital or a digit and it is written just
    as its label; 1.5 times if it has one, but the label is written in another case. Such words weigh in full. A
    function word at the beginning of a text, and "I", have their capitals for another reason. $q \le 1$ is how much the
    span is like the label. So the longest span wins, a name before a common word, and a rare word before a frequent
    one. The numbers were chosen on development questions (`tests/bench/bench_link.py`).

    Args:
        knowledge: Its labels and the names of its relations.
    """

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self.index = label_index(knowledge)
        self._most = np.log1p(max(len(knowledge.labels.names), 1))
        self._relations = _by_stem(knowledge.relations)
        self._common: dict[str, bool] = {}

    def weigh(self, cut: Cut) -> "Weights":
        """Weigh all units of a batch."""
        lower = [unit.lower() for unit in cut.text]
        word = np.fromiter(map(str.isalnum, lower), np.bool_, len(lower))
        function = np.fromiter(map(FUNCTION_WORDS.__contains__, lower), np.bool_, len(lower)) | ~word
        begins = np.diff(cut.segment, prepend=-1) != 0
        capital = np.fromiter((u[0].isupper() for u in cut.text), np.bool_, len(lower))
        digit = np.fromiter((u[0].isdigit() for u in cut.text), np.bool_, len(lower))
        pronoun = np.fromiter((u == "I" for u in cut.text), np.bool_, len(lower))
        named = digit | (capital & ~(begins & function) & ~pronoun)
        common = np.fromiter(map(self._is_common, lower), np.bool_, len(lower)) & ~named
        count = self.index.frequency(cut.text)
        rare = np.clip(1 - np.log1p(count) / self._most, _LEAST, 1.0)
        size = int(cut.segment[-1]) + 1 if len(cut) else 1
        return Weights(
            # millionths, so that a sum does not depend on what else is in the batch
            weight=_sums(np.round(np.where(common, _COMMON, 1.0) * rare * _UNIT)),
            named=_sums(named),
            strange=_sums(word & (count == 0)),
            telling=_sums(~function | named),
            content=~function | named,
            mark=~word,
            cased=np.bincount(cut.segment, capital & ~begins, size)[cut.segment] > 0,
        )

    def _is_common(self, word: str) -> bool:
        known = self._common.get(word)
        if known is None:
            if len(self._common) > 500_000:
                self._common.clear()
            known = not word.isalnum() or word in FUNCTION_WORDS or self._is_relation(word)
            self._common[word] = known
        return known

    def _is_relation(self, word: str) -> bool:
        return any(_same_stem(word, other) for other in self._relations.get(word[:_STEM], ()))


@final
@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The units of a batch, weighed.

    Args:
        weight: Sums of what they weigh, in millionths, over the units before each; likewise the next three.
        named: How many are written as names are.
        strange: How many are words that stand in no label.
        telling: How many are content.
        content: Whether each may be a name by itself: a word that is no function word, or is written as names are.
        mark: Whether each is neither a word nor a number.
        cased: Whether its text has capitals after the first word; if not, case says nothing there.
    """

    weight: Float64[ndarray, " ends"]
    named: Float64[ndarray, " ends"]
    strange: Float64[ndarray, " ends"]
    telling: Float64[ndarray, " ends"]
    content: Bool[ndarray, " units"]
    mark: Bool[ndarray, " units"]
    cased: Bool[ndarray, " units"]

    def strength(
        self, first: Int64[ndarray, " spans"], last: Int64[ndarray, " spans"], exact: Bool[ndarray, " spans"]
    ) -> Float64[ndarray, " spans"]:
        """Return $S / q$ of spans; 0 for a function word, or two, not written as names are."""
        named = self.named[last + 1] > self.named[first]
        factor = np.where(named, np.where(exact, _PROPER, _PROPER_OTHER_CASE), 1.0)
        telling = self.telling[last + 1] > self.telling[first]
        telling |= (last - first >= _LONG - 1) | self.mark[first]  # "That's What I Am", "$"
        return np.where(telling, factor * (self.weight[last + 1] - self.weight[first]) / _UNIT, 0.0)


def _sums(values: ndarray) -> Float64[ndarray, " ends"]:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


def _by_stem(relations: Iterable[str]) -> dict[str, set[str]]:
    """Return the words of relation names by their first letters; of an IRI, those after its last `/` or `#`."""
    found: dict[str, set[str]] = {}
    for name in relations:
        local = re.split(r"[/#]", name.rstrip("/#"))[-1]
        for word in _WORD.findall(_CAMEL.sub(" ", local)):
            found.setdefault(word.lower()[:_STEM], set()).add(word.lower())
    return found


def _same_stem(a: str, b: str) -> bool:
    """Whether two words begin alike, for at least four letters and half of the longer.

    >>> _same_stem("director", "directed"), _same_stem("writer", "written"), _same_stem("start", "state")
    (True, True, False)
    """
    alike = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a == b or (alike >= _STEM and 2 * alike >= max(len(a), len(b)))

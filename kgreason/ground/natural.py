"""The natural-logic relation between two words or phrases, as a distribution over the seven."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from kgreason.data import UPOS, Entailment, KnowledgeGraph
from kgreason.ground.lexical import KINDS, lexical_relations
from kgreason.ground.units import Lexicon


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase of a sentence.

    Args:
        text: As written: "ice cream", "at least two", "guitars".
        lemma: Its dictionary form, lower case.
        pos: The position in `UPOS` of its head, -1 if unknown.
    """

    text: str
    lemma: str
    pos: int = -1


#: What each kind of `KINDS` says, at full score.
_SAYS = {
    "synonym": Entailment.EQUIVALENCE,
    "hypernym": Entailment.FORWARD,
    "hyponym": Entailment.REVERSE,
    "antonym": Entailment.ALTERNATION,
    "co_hyponym": Entailment.ALTERNATION,
    "co_similar": Entailment.INDEPENDENCE,
    "related": Entailment.INDEPENDENCE,
}
_FULL = {"synonym": 1.0, "hypernym": 0.12, "hyponym": 0.12, "antonym": 0.2, "co_hyponym": 1.0}
_UNKNOWN = np.array([0.03, 0.06, 0.06, 0.01, 0.14, 0.0, 0.7], np.float32)


@final
class NaturalRelations:
    """Tells how two words or phrases are related.

    Args:
        knowledge: The graph whose labels are looked up.
    """

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self.knowledge = knowledge
        self._lexicon = Lexicon(knowledge, 8)
        self._known: dict[tuple[Term, Term], tuple[Float32[ndarray, " 7"], str]] = {}

    def between(self, pairs: Sequence[tuple[Term, Term]]) -> tuple[Float32[ndarray, "7 pairs"], tuple[str, ...]]:
        """Return a distribution over `Entailment` for each pair (first to second, upward), and why.

        Args:
            pairs: Two terms each.
        """
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        if fresh:
            self._learn(fresh)
        found = [self._known[pair] for pair in pairs]
        out = np.zeros((7, len(pairs)), np.float32)
        for i, (relation, _) in enumerate(found):
            out[:, i] = relation
        return out, tuple(reason for _, reason in found)

    def _learn(self, pairs: Sequence[tuple[Term, Term]]) -> None:
        rows = [(self._row(a), self._row(b)) for a, b in pairs]
        left, right = np.array(rows, np.int64).T
        score = lexical_relations(self.knowledge).between(self._lexicon.senses, left, right)
        for pair, row in zip(pairs, score, strict=True):
            self._known[pair] = _judge(*pair, row)

    def _row(self, term: Term) -> int:
        content = term.pos < 0 or UPOS[term.pos] in {"ADJ", "ADV", "NOUN", "NUM", "PROPN", "VERB", "ADP"}
        return self._lexicon.add((term.lemma, term.text, term.text.lower()), term.lemma, term.pos, content)[0]


def _judge(first: Term, second: Term, row: Float32[ndarray, " 7"]) -> tuple[Float32[ndarray, " 7"], str]:
    if first.lemma == second.lemma or first.text.lower() == second.text.lower():
        return _sure(Entailment.EQUIVALENCE, 0.98), f"{first.text} = {second.text}: the same word"
    sure = [min(1.0, float(s) / _FULL[k]) if k in _FULL else 0.0 for k, s in zip(KINDS, row, strict=True)]
    best = int(np.argmax(sure))
    if sure[best] <= 0.15:
        return _UNKNOWN, f"{first.text} | {second.text}: nothing is known"
    return _sure(_SAYS[KINDS[best]], 0.9 * sure[best]), f"{first.text} → {second.text}: {KINDS[best]}"


def _sure(relation: Entailment, much: float) -> Float32[ndarray, " 7"]:
    out = (1 - much) * _UNKNOWN
    out[relation] += np.float32(much)
    return np.asarray(out / out.sum(), np.float32)

"""The senses of words in a knowledge graph, each word looked up once."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeAlias, final

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from kgreason.data import UPOS, KnowledgeGraph
from kgreason.ground.term import Term

_MEANT = {"PROPN": ("NOUN",), "NUM": ("NOUN", "ADJ"), "ADP": ("ADV", "ADJ"), "AUX": ("VERB",)}
_FUNCTION = frozenset(UPOS.id(name) for name in ("AUX", "CCONJ", "DET", "PART", "PRON", "PUNCT", "SCONJ", "SYM"))
_PROPN, _ADP = UPOS.id("PROPN"), UPOS.id("ADP")
_MISMATCH = 0.4  # a sense of another part of speech: taggers err, and "red" is both


Senses: TypeAlias = tuple[Int32[ndarray, " senses"], Float32[ndarray, " senses"]]
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")


def words_of(name: str) -> str:
    """Return the words that a name was put together from, in lower case.

    >>> words_of("CheeseTopping"), words_of("ice_cream")
    ('cheese topping', 'ice cream')
    """
    return _CAMEL.sub(" ", name).lower()


def _iris(knowledge: KnowledgeGraph) -> Iterator[str]:
    """Yield what follows the last `/` or `#` of each entity's name; nothing at all of a graph without IRIs."""
    if any("://" in name for name in islice((n for n in knowledge.entities if not n.startswith("_:")), 10)):
        for name in knowledge.entities:
            yield name.replace("#", "/").rsplit("/", 1)[-1] if "://" in name else ""


@final
class SenseStore:
    """Looks up words and remembers their senses.

    Args:
        knowledge: The graph whose labels are looked up.
        max_senses: How many senses of a word are kept, the likeliest first.
    """

    def __init__(self, knowledge: KnowledgeGraph, max_senses: int) -> None:
        self.knowledge, self.max_senses = knowledge, max_senses
        self._found: dict[Term, Senses] = {}
        self._by_iri: dict[str, list[int]] | None = None

    def knows(self, term: Term) -> bool:
        """Whether a term has a sense here."""
        return len(self._of(term)[0]) > 0

    def pack(
        self, terms: Sequence[Term]
    ) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " senses"], Float32[ndarray, " senses"]]:
        """Return the senses of terms, laid end to end: where those of each begin, the entities, their weights.

        The weight is relative to the likeliest sense of the part of speech; it is the square root of the share, for
        counts come from one small corpus and are steeper than usage.
        """
        found = [self._of(term) for term in terms]
        ptr = np.concatenate([[0], np.cumsum([len(entity) for entity, _ in found])]).astype(np.int64)
        if not found:
            return ptr, np.zeros(0, np.int32), np.zeros(0, np.float32)
        return ptr, np.concatenate([entity for entity, _ in found]), np.concatenate([weight for _, weight in found])

    def _of(self, term: Term) -> Senses:
        found = self._found.get(term)
        if found is None:
            if len(self._found) > 200_000:
                self._found.clear()
            found = self._found[term] = self._look_up(term)
        return found

    def _look_up(self, term: Term) -> Senses:
        if term.pos in _FUNCTION:
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        names = self.knowledge.labels.names
        form = next((form for form in _forms(term) if form and form in names), None)
        return self._by_name(term) if form is None else self._by_label(form, term)

    def _by_name(self, term: Term) -> Senses:
        """Find an entity by the end of its IRI: `…#CheeseTopping` is "cheese topping" where no label says so."""
        if self._by_iri is None:
            self._by_iri = {}
            for i, name in enumerate(_iris(self.knowledge)):
                if name:
                    self._by_iri.setdefault(words_of(name), []).append(i)
        found = next((self._by_iri[form] for form in map(words_of, _forms(term)) if form in self._by_iri), [])
        return np.array(found[: self.max_senses], np.int32), np.ones(min(len(found), self.max_senses), np.float32)

    def _by_label(self, form: str, term: Term) -> Senses:
        entity, score = self.knowledge.labels.senses(form)
        name = UPOS[term.pos] if term.pos >= 0 and UPOS[term.pos] != "X" else ""
        meant = [UPOS.id(p) for p in _MEANT.get(name, (name,))] if name else range(len(UPOS))
        kind = self.knowledge.labels.pos[entity]
        fits = (kind < 0) | np.isin(kind, list(meant))
        top = np.zeros(len(UPOS) + 1)
        np.maximum.at(top, kind, score)  # the likeliest sense of each part of speech; the last row is "unknown"
        rival = np.where(fits, top[kind], top.max())
        weight = np.where(fits, 1.0, _MISMATCH) * np.sqrt(score / np.maximum(rival, 1e-9))
        weight[~fits & (term.pos == _ADP)] = 0  # "in" is no inch
        best = np.argsort(-weight, kind="stable")[: self.max_senses]
        best = best[weight[best] > 0]
        return entity[best].astype(np.int32), weight[best].astype(np.float32)


def _forms(term: Term) -> tuple[str, ...]:
    """Return what a term may be called in a graph, what is tried first first."""
    lower, title = term.text.lower(), term.text.title()
    singular = term.lemma[:-1] if term.lemma.endswith("s") else ""
    joined = "".join(word[:1].upper() + word[1:] for word in term.lemma.split(" "))
    if term.pos == _PROPN:
        return (term.text, title, term.lemma, lower, joined)
    return (term.lemma, term.text, lower, title, joined, singular)

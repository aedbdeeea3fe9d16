"""Asks for the lexical relations of all pairs of units that meet in some example, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numpy import ndarray

from kgreason.data import UPOS
from kgreason.ground.changing import Distribution
from kgreason.ground.natural import NaturalRelations, Term
from kgreason.ground.trees import Unit
from kgreason.ground.words import FEMALE, MALE, PERSONAL

_CLASS: Final = {"NOUN": 0, "PROPN": 0, "NUM": 0, "VERB": 1, "AUX": 1, "ADJ": 2, "ADV": 3, "PRON": 4, "DET": 4}
_PRONOUN: Final = 4
#: Which classes are worth asking about: nouns, verbs, adjectives, adverbs, pronouns, others.
_ASKED: Final = np.array(
    [
        [1, 0, 1, 0, 1, 1],
        [0, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 0, 1],
        [1, 0, 0, 0, 1, 0],
        [1, 0, 0, 1, 0, 1],
    ],
    bool,
)
#: How much a relation between two words speaks for it that one took the other's place: ≡ ⊏ ⊐ ^ | ⌣ #. From a
#: certainty of `_SURE` on it counts in full, a mere guess counts less.
_WORTH: Final = np.array([1.0, 0.9, 0.85, 0.75, 0.65, 0.3, 0.05])
_SURE: Final = 0.6
#: Anything is something; something is anything.
_SOMETHING: Final = (np.eye(7)[1] * 0.94 + 0.06 / 7, np.eye(7)[2] * 0.94 + 0.06 / 7)
#: Units of the premise by those of the hypothesis; then with the modifier before the one, the other, both.
_WAYS: Final = ((False, False), (True, False), (False, True), (True, True))


@dataclass(frozen=True, slots=True)
class Words:
    """The rows in `Terms` of the units of a text; `phrase`: of unit and modifier as one, -1 where there is none."""

    unit: Int64[ndarray, " units"]
    phrase: Int64[ndarray, " units"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the pairs of units of two texts.

    Args:
        same: How much two units are the same word.
        row: The row in `reasons`, for each of `_WAYS`; -1 where nothing was asked.
        each: What each row is worth, and 0 at last.
        relation: All relations.
        reason: All reasons.
    """

    same: Float64[ndarray, "p h"]
    row: Int64[ndarray, "ways p h"]
    each: Float64[ndarray, " more"]
    relation: Float32[ndarray, "pairs 7"]
    reason: tuple[str, ...]

    def worth(self) -> Float64[ndarray, "p h"]:
        """Return the best worth of each pair over the ways to name it."""
        asked: Float64[ndarray, "p h"] = self.each[self.row].max(0)
        return asked

    def told(self, i: int, j: int, way: int) -> tuple[Distribution, str] | None:
        """Return the relation of two units, named in one way, and why."""
        row = int(self.row[way, i, j]) if way < len(self.row) else -1
        return None if row < 0 else (self.relation[row], self.reason[row])


@final
class Terms:
    """The distinct words of a call, and what is known of their pairs."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str, str], int] = {}
        self._lemmas: dict[str, int] = {}
        self.terms: list[Term] = []
        self._lemma: list[int] = []
        self._text: list[int] = []
        self._kind: list[int] = []
        self._code: Int64[ndarray, " pairs"] = np.zeros(0, np.int64)
        self._relation: Float32[ndarray, "pairs 7"] = np.zeros((0, 7), np.float32)
        self._reason: tuple[str, ...] = ()
        self._worth: Float64[ndarray, " more"] = np.zeros(1)
        self._columns: tuple[ndarray, ...] = ()
        self._thing = -1

    def add(self, units: Sequence[Unit]) -> Words:
        """Enter the units of a text; return their rows."""
        return Words(
            np.array([self._row(unit.text, unit.lemma, unit.pos) for unit in units], np.int64),
            np.array([self._row(u.phrase, u.phrase, u.pos) if u.phrase else -1 for u in units], np.int64),
        )

    def _row(self, text: str, lemma: str, pos: str) -> int:
        key = text, lemma, pos
        if key not in self._ids:
            self._ids[key] = len(self._ids)
            self.terms.append(Term(text, lemma, UPOS.id(pos) if pos else -1))
            self._lemma.append(self._lemmas.setdefault(lemma, len(self._lemmas)))
            self._text.append(self._lemmas.setdefault(text, len(self._lemmas)))
            self._kind.append(_CLASS.get(pos, 5))
        return self._ids[key]

    def ask(self, natural: NaturalRelations, pairs: Sequence[tuple[Words, Words]]) -> None:
        """Ask for all pairs of a unit of the first and a unit of the second text of each item."""
        self._thing = self._ids.get(("thing", "thing", "NOUN"), -1)
        size, kind, lemma = len(self.terms), np.array(self._kind, np.int64), np.array(self._lemma, np.int64)
        codes = [
            (left[:, None] * size + right[None, :]).ravel()
            for first, then in pairs
            for left in _rows(first)
            for right in _rows(then)
        ]
        code = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
        left, right = np.divmod(code, max(size, 1))
        wanted = _ASKED[kind[left], kind[right]] & (lemma[left] != lemma[right])
        code, left, right = code[wanted], left[wanted], right[wanted]
        asked = [(self.terms[a], self.terms[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        relation, self._reason = natural.between(asked)
        self._code, self._relation = code, np.ascontiguousarray(relation.T)
        for row in np.flatnonzero((kind[left] == _PRONOUN) | (kind[right] == _PRONOUN)).tolist():
            self._relation[row] = _pronoun(*asked[row])
        for row in np.flatnonzero((left == self._thing) != (right == self._thing)).tolist():
            self._relation[row] = _SOMETHING[int(left[row] == self._thing)]
        sure = np.minimum(1.0, self._relation.max(1, initial=0.0) / _SURE)
        self._worth = np.append((self._relation @ _WORTH) * sure, 0.0)
        self._columns = tuple(np.array(rows, np.int64) for rows in (self._kind, self._lemma, self._text))

    def between(self, first: Words, then: Words) -> Known:
        """Return what is known of all pairs of units of two texts."""
        kind, lemma, text = self._columns
        alike = np.where(kind[first.unit][:, None] == kind[then.unit][None, :], 1.0, 0.8)
        equal = lemma[first.unit][:, None] == lemma[then.unit][None, :]
        same = (equal | (text[first.unit][:, None] == text[then.unit][None, :])) * alike
        plain = not ((first.phrase >= 0).any() or (then.phrase >= 0).any())
        rows = []
        for long, wide in _WAYS[:1] if plain else _WAYS:
            left, right = first.phrase if long else first.unit, then.phrase if wide else then.unit
            rows.append(self._look_up(left, right))
        return Known(same, np.stack(rows), self._worth, self._relation, self._reason)

    def _look_up(self, left: Int64[ndarray, " p"], right: Int64[ndarray, " h"]) -> Int64[ndarray, "p h"]:
        if not len(self._code):
            return np.full((len(left), len(right)), -1, np.int64)
        code = left[:, None] * len(self.terms) + right[None, :]
        at = np.minimum(np.searchsorted(self._code, code), len(self._code) - 1)
        known = (self._code[at] == code) & (left[:, None] >= 0) & (right[None, :] >= 0)
        return np.where(known, at, -1)


def _rows(words: Words) -> list[Int64[ndarray, " some"]]:
    phrases = words.phrase[words.phrase >= 0]
    return [words.unit, phrases] if len(phrases) else [words.unit]


def _pronoun(first: Term, second: Term) -> list[float]:
    """What a pronoun leaves open: "a woman" to "she" and back."""
    sexes = [
        "m" if t.lemma in MALE or PERSONAL.get(t.lemma) == "man" else
        "f" if t.lemma in FEMALE or PERSONAL.get(t.lemma) == "woman" else ""
        for t in (first, second)
    ]  # fmt: skip
    if sexes[0] and sexes[1] and sexes[0] != sexes[1]:
        return [0.02, 0.02, 0.02, 0.04, 0.8, 0.0, 0.1]
    if second.pos == UPOS.id("PRON"):
        return [0.4, 0.4, 0.05, 0.0, 0.05, 0.0, 0.1]
    return [0.15, 0.05, 0.6, 0.0, 0.05, 0.0, 0.15]

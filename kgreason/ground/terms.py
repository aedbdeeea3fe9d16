"""Asks for the lexical relations of all pairs of units that meet in some example, at once."""

from collections.abc import Sequence
from typing import Final, final

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from kgreason.data import UPOS
from kgreason.ground.natural import NaturalRelations, Term
from kgreason.ground.trees import Unit
from kgreason.ground.words import FEMALE, MALE, PERSONAL

_CLASS: Final = {"NOUN": 0, "PROPN": 0, "NUM": 0, "VERB": 1, "AUX": 1, "ADJ": 2, "ADV": 3, "PRON": 4, "DET": 4}
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


@final
class Terms:
    """The distinct words of a call, and what is known of their pairs."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], int] = {}
        self.units: list[Unit] = []
        self.lemma: list[int] = []
        self._lemmas: dict[str, int] = {}
        self.kind: list[int] = []
        self._code: Int64[ndarray, " pairs"] = np.zeros(0, np.int64)
        self._relation: Float32[ndarray, "pairs 7"] = np.zeros((0, 7), np.float32)
        self._reason: tuple[str, ...] = ()

    def add(self, units: Sequence[Unit]) -> Int64[ndarray, " units"]:
        """Enter the units of a text; return their rows."""
        rows = []
        for unit in units:
            key = unit.text, unit.pos
            if key not in self._ids:
                self._ids[key] = len(self._ids)
                self.units.append(unit)
                self.lemma.append(self._lemmas.setdefault(unit.lemma, len(self._lemmas)))
                self.kind.append(_CLASS.get(unit.pos, 5))
            rows.append(self._ids[key])
        return np.array(rows, np.int64)

    def ask(self, natural: NaturalRelations, pairs: Sequence[tuple[ndarray, ndarray]]) -> None:
        """Ask for all pairs of a row of the first and a row of the second of each item."""
        size, kind, lemma = len(self.units), np.array(self.kind), np.array(self.lemma)
        codes = [(a[:, None] * size + b[None, :]).ravel() for a, b in pairs]
        code = np.unique(np.concatenate(codes)) if codes else np.zeros(0, np.int64)
        left, right = np.divmod(code, max(size, 1))
        if len(code):
            wanted = _ASKED[kind[left], kind[right]] & (lemma[left] != lemma[right])
            code, left, right = code[wanted], left[wanted], right[wanted]
        terms = [Term(u.text, u.lemma, UPOS.id(u.pos) if u.pos else -1) for u in self.units]
        relation, self._reason = natural.between(
            [(terms[a], terms[b]) for a, b in zip(left.tolist(), right.tolist(), strict=True)]
        )
        self._code, self._relation = code, np.ascontiguousarray(relation.T)
        for row in np.flatnonzero((kind[left] == 4) | (kind[right] == 4)).tolist() if len(code) else ():
            self._relation[row] = _pronoun(self.units[left[row]], self.units[right[row]])

    def between(self, first: ndarray, later: ndarray) -> tuple[Float32[ndarray, "a b 7"], ndarray, ndarray]:
        """Return the relations of all pairs, 0 where nothing was asked; whether they are the same; the row, or -1."""
        size, lemma, kind = len(self.units), np.array(self.lemma), np.array(self.kind)
        code = first[:, None] * size + later[None, :]
        alike = np.where(kind[first][:, None] == kind[later][None, :], 1.0, 0.8)
        same = (lemma[first][:, None] == lemma[later][None, :]) * alike
        if not len(self._code):
            return np.zeros((*code.shape, 7), np.float32), same, np.full(code.shape, -1)
        at = np.minimum(np.searchsorted(self._code, code), len(self._code) - 1)
        known = self._code[at] == code
        return np.where(known[..., None], self._relation[at], 0), same, np.where(known, at, -1)

    def reason(self, row: int) -> str:
        return self._reason[row]


def _pronoun(first: Unit, second: Unit) -> list[float]:
    """What a pronoun leaves open: "a woman" to "she" and back."""
    sexes = [
        "m" if u.lemma in MALE or PERSONAL.get(u.lemma) == "man" else
        "f" if u.lemma in FEMALE or PERSONAL.get(u.lemma) == "woman" else ""
        for u in (first, second)
    ]  # fmt: skip
    if sexes[0] and sexes[1] and sexes[0] != sexes[1]:
        return [0.02, 0.02, 0.02, 0.04, 0.8, 0.0, 0.1]
    if second.pos == "PRON":
        return [0.4, 0.4, 0.05, 0.0, 0.05, 0.0, 0.1]
    return [0.15, 0.05, 0.6, 0.0, 0.05, 0.0, 0.15]

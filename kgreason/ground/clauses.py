"""Operators of a clause: what negation and quantifiers come to on either side, and how one becomes the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.data.quantifiers import Quantifier, between_quantifiers, read_quantifier
from kgreason.ground.changing import Change, spread
from kgreason.ground.matching import Reading
from kgreason.ground.roles import AGENT, IS, MOD, PATIENT, PREP
from kgreason.ground.trees import Unit

_REFERRING: Final = frozenset(
    "a the this that these those its his her their my your our another such which what whose".split()  # noqa: SIM905
)
#: What a quantifier of a subject comes to when its predicate is denied.
_DENIED: Final = {"all": "not all", "some": "not all", "no": "all", "not all": "some", "most": "few", "few": "most"}
_SUBJECTS: Final = frozenset({AGENT, MOD, IS, PREP})


@dataclass(slots=True)
class _Force:
    """What a noun phrase's quantifier says, and whether its predicate is denied."""

    quantifier: Quantifier | None
    denied: bool
    text: str


def operators(premise: Reading, hypothesis: Reading, back: list[int]) -> list[Change]:
    """Return the edits of quantifiers and negations, for units that have counterparts."""
    found: list[Change] = []
    settled: set[int] = set()
    for j, i in enumerate(back):
        if i >= 0 and hypothesis.units[j].pos in {"NOUN", "PROPN", "PRON", "NUM", "ADJ", "DET"}:
            found += _quantified(premise, hypothesis, back, (i, j), settled)
    for j, i in enumerate(back):
        if i >= 0 and j not in settled:
            found += _denied(premise.units[i], hypothesis.units[j], i, j)
        if i >= 0:
            found += _modal(premise.units[i], hypothesis.units[j], i, j)
    return found


def _quantified(
    premise: Reading, hypothesis: Reading, back: list[int], pair: tuple[int, int], settled: set[int]
) -> list[Change]:
    i, j = pair
    p, h = premise.units[i], hypothesis.units[j]
    predicate = _predicate(hypothesis, j)
    above = back[predicate] if predicate >= 0 else -1
    first = _force(p, above >= 0 and premise.units[above].negation >= 0)
    then = _force(h, predicate >= 0 and hypothesis.units[predicate].negation >= 0)
    if first.quantifier is None and then.quantifier is None:
        return _number(p, h, i, j)
    if first.quantifier == then.quantifier and first.denied == then.denied:
        return []
    if predicate >= 0:
        settled.add(predicate)
    relation = _between(first, then)
    text = f"{first.text} {p.text} → {then.text} {h.text}"
    return [Change(EditKind.OPERATOR, i, j, relation, text, outer=True)]


def _predicate(reading: Reading, noun: int) -> int:
    """Return what a noun is the subject of, or -1."""
    for a, b, role, _ in reading.edges:
        if b == noun and (role == AGENT or (role == PATIENT and reading.units[a].passive)):
            return a
        if a == noun and role in _SUBJECTS and reading.units[noun].parent == b:
            return b
    return noun if reading.units[noun].there else -1


def _force(unit: Unit, denied: bool) -> _Force:
    words = unit.quantifier
    quantifier = None if not words or words in _REFERRING else read_quantifier(words.split())
    if words in {"some", "any"} and not unit.plural:
        quantifier = None
    return _Force(quantifier, denied, f"{words or 'a'}{' … not' if denied else ''}")


def _between(first: _Force, then: _Force) -> Float32[ndarray, " 7"]:
    a, b = _kind(first), _kind(then)
    if a is None or b is None:
        return spread((Entailment.NEGATION, 0.4), (Entailment.EQUIVALENCE, 0.2))
    if "one not" in (a.kind, b.kind):
        return _one_not(a, b)
    relation = between_quantifiers(a, b)
    return spread((relation, 0.95))


def _kind(force: _Force) -> Quantifier | None:
    """The quantifier with the denial in it; `one not` for "a man … not"."""
    if force.quantifier is None:
        return Quantifier("one not") if force.denied else Quantifier("some")
    if not force.denied:
        return force.quantifier
    kind = _DENIED.get(force.quantifier.kind)
    return Quantifier(kind) if kind else None


def _one_not(a: Quantifier, b: Quantifier) -> Float32[ndarray, " 7"]:
    """The relation where one side says of a certain individual that it is not so."""
    if a.kind == b.kind:
        return spread((Entailment.EQUIVALENCE, 0.95))
    other, turned = (b, False) if a.kind == "one not" else (a, True)
    of_other = {
        "some": Entailment.NEGATION,
        "no": Entailment.REVERSE,
        "not all": Entailment.FORWARD,
        "all": Entailment.ALTERNATION,
    }.get(other.kind, Entailment.INDEPENDENCE)
    if turned and of_other in (Entailment.FORWARD, Entailment.REVERSE):
        of_other = Entailment.FORWARD if of_other == Entailment.REVERSE else Entailment.REVERSE
    return spread((of_other, 0.9))


def _number(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    """One of several and several of one: "dogs" to "a dog"."""
    if p.pos != "NOUN" or h.pos != "NOUN" or p.plural == h.plural or p.lemma != h.lemma:
        return []
    if p.plural:
        relation = spread((Entailment.FORWARD, 0.9), (Entailment.EQUIVALENCE, 0.05))
    else:
        relation = spread((Entailment.REVERSE, 0.4), (Entailment.EQUIVALENCE, 0.35), (Entailment.ALTERNATION, 0.1))
    return [Change(EditKind.OPERATOR, i, j, relation, f"{p.text} → {h.text}: number", outer=True)]


def _denied(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    if (p.negation >= 0) == (h.negation >= 0):
        return []
    what = "is denied" if h.negation >= 0 else "is no longer denied"
    relation = spread((Entailment.NEGATION, 0.97))
    return [Change(EditKind.OPERATOR, i, j, relation, f"{h.text} {what}", outer=True)]


_WEAK: Final = frozenset({"may", "might", "could", "can"})


def _modal(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    if p.modal == h.modal or (not p.modal and not h.modal) or "will" in (p.modal, h.modal):
        return []
    if p.modal in _WEAK and h.modal in _WEAK:
        return []
    if h.modal in _WEAK:
        relation = spread((Entailment.FORWARD, 0.9), (Entailment.EQUIVALENCE, 0.05))
    elif p.modal in _WEAK:
        relation = spread((Entailment.REVERSE, 0.9), (Entailment.EQUIVALENCE, 0.03))
    else:
        relation = spread((Entailment.INDEPENDENCE, 0.8))
    text = f"{p.modal} {p.text} → {h.modal} {h.text}".replace("  ", " ")
    return [Change(EditKind.OPERATOR, i, j, relation, text, outer=True)]

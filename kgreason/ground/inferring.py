"""What follows inside a premise: a condition that is met, a possibility that is ruled out."""

from collections.abc import Iterator
from typing import Final

from kgreason.ground.trees import Unit

_HELPERS: Final = frozenset({"do", "be", "have", "can", "will"})
_OPENED: Final = frozenset({"if", "unless", "whether", "provided", "supposing", "assuming"})


def content(units: list[Unit], at: int) -> set[str]:
    """Return the words of a clause or a phrase, without what is joined to it by "and" or "or"."""
    found = {units[at].lemma}
    for c in units[at].children:
        if units[c].relation not in {"conj", "advcl", "parataxis"}:
            found |= content(units, c)
    return found


def is_met(units: list[Unit], condition: int) -> bool:
    """Whether a premise says elsewhere what it makes a condition: "If it rains, he stays. It is raining."""
    said = content(units, condition)
    return any(
        said <= content(units, i) and (unit.negation >= 0) == (units[condition].negation >= 0)
        for i, unit in _stated(units)
        if unit.lemma == units[condition].lemma and unit.modal == units[condition].modal
    )


def is_ruled_out(units: list[Unit], possibility: int) -> bool:
    """Whether a premise denies elsewhere one of several possibilities: "Ann or Bob won, and Ann did not."""
    above = _predicate(units, possibility)
    said = content(units, possibility) - _subject(units, possibility)
    return any(
        unit.negation >= 0 and said <= content(units, i) and unit.lemma in {units[above].lemma, *_HELPERS}
        for i, unit in _stated(units)
        if i not in (possibility, above)
    )


def _subject(units: list[Unit], at: int) -> set[str]:
    """Return the subject of a predicate, which a pronoun may stand for elsewhere."""
    return {word for c in units[at].children if units[c].relation == "nsubj" for word in content(units, c)}


def _stated(units: list[Unit]) -> Iterator[tuple[int, Unit]]:
    """Return the predicates that a text states, under no condition."""
    for i, unit in enumerate(units):
        if unit.relation in {"root", "conj", "parataxis"} and unit.mark not in _OPENED:
            yield i, unit


def _predicate(units: list[Unit], at: int) -> int:
    while units[at].pos in {"NOUN", "PROPN", "PRON", "NUM"} and units[at].parent >= 0:
        at = units[at].parent
    return at

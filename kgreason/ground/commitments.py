"""Words that say whether something is so, on one side only: "manages to", "it is not true that", "almost"."""

from kgreason.data.edits import EditKind
from kgreason.data.entailment import JOIN, Entailment
from kgreason.data.operators import REMOVAL
from kgreason.ground.changing import Change, spread
from kgreason.ground.governing import removal, turned
from kgreason.ground.modifiers import removed
from kgreason.ground.pairing import Pairing
from kgreason.ground.trees import Unit

_SURE = 0.95
_ADVERB = 0.9
_ENDING = frozenset({"stop", "quit", "cease", "discontinue"})
_ENDED = spread((Entailment.FORWARD, 0.85))


def commitments(m: Pairing) -> list[Change]:
    """Return the edits of predicates with a complement and of adverbs that bear on whether it is so."""
    return [*_left_out(m), *_put_in(m), *_adverbs(m)]


def governs(unit: Unit, other: list[int]) -> bool:
    """Whether a unit without a counterpart is such a word, so that it has its edit from here."""
    if unit.operator is not None:
        return other[unit.complement] >= 0
    return unit.parent >= 0 and other[unit.parent] >= 0 and removed(unit) is not None


def _left_out(m: Pairing) -> list[Change]:
    found = []
    for i, unit in enumerate(m.p):
        j = m.forth[unit.complement] if unit.complement >= 0 else -1
        if unit.operator and m.forth[i] < 0 and j >= 0:
            relation = _ENDED if _was_so(unit, m.h[j]) else spread((removal(unit), _SURE))
            reason = f"{_said(unit)} is left out"
            found.append(Change(EditKind.OPERATOR, i, -1, relation, reason, place=j, outer=True))
    return found


def _was_so(unit: Unit, other: Unit) -> bool:
    """Whether the hypothesis says that what ended, or did not, was so before: "stopped smoking", "smoked"."""
    return unit.lemma in _ENDING and other.past and other.negation < 0


def _put_in(m: Pairing) -> list[Change]:
    found = []
    for j, unit in enumerate(m.h):
        i = m.back[unit.complement] if unit.complement >= 0 else -1
        if unit.operator and m.back[j] >= 0:
            found += _exchanged(m.p[m.back[j]], unit, m.back[j], j)
        elif unit.operator and i >= 0:
            relation = spread((turned(removal(unit)), _SURE))
            found.append(Change(EditKind.OPERATOR, -1, j, relation, f"{_said(unit)} is added", place=i, outer=True))
    return found


def _adverbs(m: Pairing) -> list[Change]:
    found = []
    for i, unit in enumerate(m.p):
        relation = removed(unit) if m.forth[i] < 0 and governs(unit, m.forth) else None
        if relation is not None:
            change = Change(EditKind.OPERATOR, i, -1, spread((relation, _ADVERB)), f"{unit.text} is left out")
            change.place, change.outer = m.forth[unit.parent], True
            found.append(change)
    for j, unit in enumerate(m.h):
        relation = removed(unit) if m.back[j] < 0 and governs(unit, m.back) else None
        if relation is not None:
            change = Change(EditKind.OPERATOR, -1, j, spread((turned(relation), _ADVERB)), f"{unit.text} is added")
            change.place, change.outer = m.back[unit.parent], True
            found.append(change)
    return found


def exchanged(p: Unit, h: Unit) -> Entailment | None:
    """Return what it comes to that one such word stands in place of another; None if their operators do not tell."""
    says = [unit.operator.implies if unit.operator else "00" for unit in (p, h)]
    if p.lemma == h.lemma or "00" in says:
        return None
    relation = Entailment(int(JOIN[REMOVAL[says[0]], turned(REMOVAL[says[1]])]))
    return None if relation == Entailment.INDEPENDENCE else relation


def _exchanged(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    """One such word in place of another: "remembered to" and "forgot to"."""
    relation = exchanged(p, h)
    if relation is None:
        return []
    return [Change(EditKind.OPERATOR, i, j, spread((relation, _ADVERB)), f"{p.text} → {h.text}", outer=True)]


def _said(unit: Unit) -> str:
    return f"not {unit.text}" if unit.negation >= 0 else unit.text

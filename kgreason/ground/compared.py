"""Comparisons told from the other side: "Ann is taller than Bob", "Bob is shorter than Ann"."""

from typing import Final

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, spread
from kgreason.ground.pairing import Pairing
from kgreason.ground.trees import Unit

_TOLD_ALIKE: Final = spread((Entailment.EQUIVALENCE, 0.9))
_TOLD_OTHERWISE: Final = spread((Entailment.ALTERNATION, 0.92))
_COMPARED: Final = frozenset({"ADJ", "ADV"})
_OPPOSED: Final = 0.5


def compare_sides(m: Pairing, substitutions: list[Change]) -> list[Change]:
    """Return the substitutions, with one edit for each comparison whose two sides changed places.

    The same word said of the other excludes what was said; its opposite said of the other is the same.
    """
    found = list(substitutions)
    for j, i in enumerate(m.back):
        if i < 0 or not {m.p[i].pos, m.h[j].pos} <= _COMPARED or not _turned(m, i, j):
            continue
        here = [c for c in found if (c.premise, c.hypothesis) == (i, j)]
        if m.p[i].lemma == m.h[j].lemma:
            relation = _TOLD_OTHERWISE
        elif any(c.relation[Entailment.ALTERNATION] + c.relation[Entailment.NEGATION] > _OPPOSED for c in here):
            relation = _TOLD_ALIKE
        else:
            continue
        reason = f"{m.p[i].text} → {m.h[j].text}: told from the other side"
        found = [c for c in found if c not in here] + [Change(EditKind.SUBSTITUTE, i, j, relation, reason)]
    return found


def _turned(m: Pairing, i: int, j: int) -> bool:
    first, then = _sides(m.p, i), _sides(m.h, j)
    if min(*first, *then) < 0:
        return False
    return (m.back[then[0]], m.back[then[1]]) == (first[1], first[0])


def _sides(units: list[Unit], at: int) -> tuple[int, int]:
    """Return what is compared and with what: units, or -1."""
    below = units[at].children
    subject = next((c for c in below if units[c].relation == "nsubj"), -1)
    other = next((c for c in below if "than" in (units[c].case, units[c].mark)), -1)
    return subject, other

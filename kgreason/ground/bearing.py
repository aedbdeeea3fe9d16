"""Roles in the hypothesis that the premise does not bear out: who does it, to whom, where, of what kind."""

from typing import Final

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, spread
from kgreason.ground.naming import Told
from kgreason.ground.pairing import Pairing
from kgreason.ground.roles import COMPATIBLE, CORE, IS, JOIN, MOD, PREP, Edge
from kgreason.ground.trees import Unit

_E, _F, _A, _I = Entailment.EQUIVALENCE, Entailment.FORWARD, Entailment.ALTERNATION, Entailment.INDEPENDENCE
_SWAPPED: Final = spread((_I, 0.65), (_A, 0.2), (_E, 0.15))
_OTHERS: Final = spread((_I, 0.7), (_A, 0.05), (_E, 0.25))
_TURNED_ROUND: Final = spread((_A, 0.7))
_LOOSE: Final = spread((_E, 0.6), (_F, 0.1))
_EXCEPTED: Final = spread((_A, 0.9))
_WHOLE: Final = frozenset({"every", "all", "each", "all the"})
_ENOUGH: Final = 0.5
_BY_A_STEP, _TURNED, _ELSEWHERE = 0.6, 0.8, 0.8
_DIRECTED: Final = frozenset(
    {"on", "in", "under", "above", "below", "over", "behind", "in front of", "on top of", "inside", "beneath", "before"}
    | {"after", "into", "left of", "right of"}
)
_ALIKE: Final = frozenset({IS, JOIN, MOD})
_NAMING: Final = frozenset({"NOUN", "VERB", "PROPN"})


def reorderings(m: Pairing) -> list[Change]:
    """Return an edit for every role of the hypothesis that the premise does not bear out."""
    found = []
    for edge in m.hypothesis.edges:
        a, b, role, case = edge
        i, k = m.back[a], m.back[b]
        if i < 0 or k < 0 or role == JOIN or _differs_in_kind(m, i, a) or _differs_in_kind(m, k, b):
            continue
        if _unmoved(m, (i, a), (k, b)) and not _another(m, i, k, role) and not _told_of(m, i, k):
            continue
        borne = _borne_out(m, i, k, role, case)
        if borne < _ENOUGH and not _may_be_so(m, edge, borne):
            relation, what = _doubt(m, (i, k), role, case, borne)
            reason = f"{m.h[b].text} with {m.h[a].text}: {what}"
            found.append(Change(EditKind.REORDER, k, b, relation, reason, whole=relation is _EXCEPTED))
    return found


def _differs_in_kind(m: Pairing, i: int, j: int) -> bool:
    """Whether roles cannot be compared, since one of two aligned units is a verb: "a smile", "smiles"."""
    return (m.p[i].pos == "VERB") != (m.h[j].pos == "VERB")


def _unmoved(m: Pairing, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether nothing changed between two units but words that took each other's place."""
    if one not in m.beside.pairs or other not in m.beside.pairs:
        return False
    if any(m.p[i].passive != m.h[j].passive for i, j in (one, other)):
        return False
    return m.p[one[0]].node - m.p[other[0]].node == m.h[one[1]].node - m.h[other[1]].node


def _another(m: Pairing, i: int, k: int, role: int) -> bool:
    """Whether the premise says of something else that it does this: "the dog runs" of "the boy with the dog runs".

    Who kept a role of its own in the hypothesis is nobody else: parsers take one core role for another.
    """
    if role not in CORE or m.premise.joined.get((i, k)):
        return False
    others = [b for a, b, r, _ in m.premise.edges if a == i and r in CORE and not _stands_for(m, b, k)]
    kept = m.hypothesis.joined
    return any(m.forth[b] < 0 or not kept.get((m.forth[i], m.forth[b])) for b in others)


def _stands_for(m: Pairing, b: int, k: int) -> bool:
    """Whether what is said of a unit may be said of what is joined to it: of "my friend Anna", of Anna."""
    between = [*m.premise.joined.get((b, k), ()), *m.premise.joined.get((k, b), ())]
    return any(role in _ALIKE for _, _, role, _ in between)


def _borne_out(m: Pairing, i: int, k: int, role: int, case: str) -> float:
    """Return how well some edge of the premise says that `k` is to `i` what the hypothesis says."""
    edges = m.premise.joined
    best = max((float(COMPATIBLE[edge[2], role]) for edge in edges.get((i, k), ())), default=0.0)
    turned = [edge for edge in edges.get((k, i), ()) if not _one_way(edge, role, case)]
    best = max([best, *(_TURNED * float(COMPATIBLE[edge[2], role]) for edge in turned)])
    if best >= _ENOUGH:
        return best
    if case and any(b == k and a != i and other == case for a, b, _, other in m.premise.edges):
        return _ELSEWHERE  # where a prepositional phrase hangs is a guess
    return max(best, _BY_A_STEP) if _by_a_step(m, i, k, role) else best


def _by_a_step(m: Pairing, i: int, k: int, role: int) -> bool:
    """Whether the premise joins two units over a third that has no counterpart."""
    joined = m.premise.joined
    if _another(m, i, k, role):
        return False
    for a, b, r, _ in m.premise.edges:
        if b == i and m.forth[a] < 0 and (a, k) in joined:
            return True
        third = a == i and m.forth[b] < 0 and (b, k) in joined and not _is_told(m.p[b])
        # of what somebody who does something is near, nothing is said
        if third and (role not in CORE or r not in CORE or _stands_for(m, b, k)):
            return True
    return False


def _is_excepted(m: Pairing, i: int, k: int) -> bool:
    """Whether the premise says something of all but this one: "everyone except Tom left"."""
    whole = m.p[k].parent
    if m.p[k].case not in {"except", "but", "except for"} or whole < 0 or m.p[whole].quantifier not in _WHOLE:
        return False
    return any(role in CORE for _, _, role, _ in m.premise.joined.get((i, whole), ()))


def _told_of(m: Pairing, i: int, k: int) -> bool:
    """Whether the premise says something of a unit in a clause alone that the hypothesis leaves out."""
    return any(
        a == i and m.forth[b] < 0 and (b, k) in m.premise.joined and _is_told(m.p[b]) for a, b, *_ in m.premise.edges
    )


def _is_told(unit: Unit) -> bool:
    """Whether a clause says what is known or said, not what is done to whom: "heard the actors resigned"."""
    return unit.relation == "ccomp" and unit.text != unit.lemma and not unit.text.endswith("ing")


def _one_way(edge: Edge, role: int, case: str) -> bool:
    """Whether turning a relation of place round makes another one: "the cup on the book", "the book on the cup"."""
    return edge[2] == role == PREP and edge[3] == case and case in _DIRECTED


def _may_be_so(m: Pairing, edge: Edge, borne: float) -> bool:
    """Whether the trees are open to a reading in which the role is borne out."""
    a, b, role, _ = edge
    i, k = m.back[a], m.back[b]
    if role == PREP:
        before = [m.back[n] for n in range(b) if m.h[n].pos in _NAMING]
        return any(n >= 0 and n != i and m.joined(n, k) for n in before[-3:])
    if role not in CORE:
        return False
    core = any(r in CORE for _, _, r, _ in m.premise.joined.get((i, k), ()))
    return (core and borne > 0 and _either_voice(m, i, a)) or _said_of_either(m, i, a, k)


def _either_voice(m: Pairing, i: int, j: int) -> bool:
    """Whether a verb form may be active or passive: "people gathered in a park"."""
    for reading, at in ((m.premise, i), (m.hypothesis, j)):
        if sum(a == at and role in CORE for a, _, role, _ in reading.edges) > 1:
            return False
    return m.p[i].text.endswith(("ed", "en")) or m.h[j].text.endswith(("ed", "en"))


def _said_of_either(m: Pairing, i: int, j: int, k: int) -> bool:
    """Whether a clause may be said of one noun or of another before it: "a man in a shirt sitting on a rock"."""
    above = m.p[i].parent if m.p[i].relation == "acl" else -1
    while above >= 0:
        if above == k:
            return True
        above = m.p[above].parent
    above = m.h[j].parent if m.h[j].relation == "acl" else -1
    while above >= 0:
        if m.back[above] >= 0 and m.joined(i, m.back[above]):
            return True
        above = m.h[above].parent
    return False


def _doubt(m: Pairing, pair: tuple[int, int], role: int, case: str, borne: float) -> Told:
    """Return what it comes to that the premise does not join two units in this role."""
    i, k = pair
    if role in CORE and _is_excepted(m, i, k):
        return _EXCEPTED, "it is excepted"
    if role in CORE:
        if borne > 0:
            return _SWAPPED, "another role"
        if _another(m, i, k, role) or _told_of(m, i, k) or any(a == i and r == role for a, _, r, _ in m.premise.edges):
            return _OTHERS, "something else is"
        return _LOOSE, "not joined so"
    if any(_one_way(edge, role, case) for edge in m.premise.joined.get((k, i), ())):
        return _TURNED_ROUND, "the other way round"
    if m.h[m.forth[k]].main:  # what is said of the subject
        return _OTHERS, "not said of it"
    if any(b == k and a != i and m.forth[a] >= 0 and r not in CORE for a, b, r, _ in m.premise.edges):
        return _OTHERS, "it belongs to something else"
    return _LOOSE, "not joined so"

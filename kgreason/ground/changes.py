"""What leads from a premise to a hypothesis, given the counterparts of their units: the edits, one by one."""

from typing import Final

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.amounts import compare
from kgreason.ground.bearing import reorderings
from kgreason.ground.changing import Change, spread
from kgreason.ground.clauses import operators
from kgreason.ground.commitments import exchanged, governs
from kgreason.ground.compared import compare_sides, ordered
from kgreason.ground.converse import from_the_other_end
from kgreason.ground.dates import BESIDES, moment
from kgreason.ground.fusing import fuse
from kgreason.ground.modifiers import NEITHER, RULED_OUT, TIMES, added, degree, dropped, prepositions, whereabouts
from kgreason.ground.naming import told
from kgreason.ground.pairing import Pairing
from kgreason.ground.ranges import relation as between
from kgreason.ground.rewrites import MEASURED
from kgreason.ground.roles import JOIN
from kgreason.ground.trees import Unit
from kgreason.ground.units_of_measure import is_unit
from kgreason.ground.words import LIGHT

_E, _F, _R, _A, _I = (
    Entailment.EQUIVALENCE, Entailment.FORWARD, Entailment.REVERSE, Entailment.ALTERNATION, Entailment.INDEPENDENCE,
)  # fmt: skip
_DEGREE: Final = spread((_I, 0.75), (_F, 0.1), (_E, 0.1))
_ORDER: Final = frozenset({"before", "after"})
_MARK: Final = spread((_I, 0.6), (_E, 0.3))
_THERE: Final = spread((_E, 0.8), (_F, 0.1))
_ELSEWHERE: Final = spread((_A, 0.8))
_STRUCTURE: Final = spread((_E, 0.85), (_R, 0.1))
_WORD_CLASS: Final = spread((_E, 0.8))
_ONLY: Final = frozenset({"only", "solely", "just", "merely"})
_DELETED_ALONE: Final = spread((_F, 0.9))
_COMPLEMENTS: Final = frozenset({"obj", "obl", "iobj"})
_PERSON: Final = (": first name", ": family name")
_ANOTHER: Final = spread((_I, 0.8), (_A, 0.15))
_HALF: Final = 0.5
_ARTICLE: Final = {"": "1", "a": "1", "an": "1"}
_OWNER: Final = spread((_I, 0.75), (_A, 0.15))
_OWNERS: Final = frozenset({"his", "her", "its", "my", "your", "our", "he", "she", "it", "i", "you", "we"})
_CLASSES: Final = ({"NOUN", "VERB"}, {"NOUN", "ADJ"})


def changes(m: Pairing) -> list[Change]:
    """Return all edits, in no order yet."""
    order = ordered(m)
    if order:
        return order
    substitutions = compare_sides(m, _substitutions(m))  # first: they tell which modifiers are part of a name
    found = [*fuse(m, substitutions, operators(m)), *_deletions(m), *_insertions(m), *reorderings(m)]
    return from_the_other_end(m, _measured(m, _others(m, _alone(m, found))))


def _measured(m: Pairing, found: list[Change]) -> list[Change]:
    """Make one edit of a number and its unit, where both change ("2 kilometers", "2,000 meters").

    Likewise of a measure that is compared ("5 meters wide", "wider than 4 meters").
    """
    for j, i in enumerate(m.back):
        if i < 0:
            continue
        (a, b), pairs, more = (i, j), {(i, j)}, m.p[i].lemma == m.h[j].lemma and _compared(m.p[i], m.h[j])
        if more:
            a, b = _measure(m.p, i), _measure(m.h, j)
            pairs.add((a, b))
        if min(a, b) < 0 or not (is_unit(m.p[a].lemma) and is_unit(m.h[b].lemma)):
            continue
        units = m.p[a], m.h[b]
        # of one unit the numbers are compared already, and a foot may be a part of a body
        if (units[0].lemma == units[1].lemma and not more) or all(u.quantifier in _ARTICLE for u in units):
            continue
        first, then = (f"{_ARTICLE.get(u.quantifier, u.quantifier)} {u.lemma}" for u in units)
        then = f"more than {then}" if more else then
        told = compare(first, then)
        if told is not None:
            found = [c for c in found if (c.premise, c.hypothesis) not in pairs]
            reason = f"{first} {told[0].symbol} {then}: by measure"
            found.append(Change(EditKind.OPERATOR, i, j, spread(told), reason, outer=True))
    return found


def _compared(p: Unit, h: Unit) -> bool:
    return p.lemma in MEASURED and (degree(p), h.text[-2:]) == ("", "er")


def _measure(units: list[Unit], at: int) -> int:
    """Return the child that says how much, or -1."""
    return next((c for c in units[at].children if is_unit(units[c].lemma)), -1)


def _alone(m: Pairing, found: list[Change]) -> list[Change]:
    """Of "only the cat", that it was the dog is excluded, and not merely left open as under "only" it would be."""
    only = {k: i for i, u in enumerate(m.p[:-1]) if u.lemma in _ONLY and m.forth[i] < 0 for k in _focused(m.p, i)}
    for change in found:
        if change.kind == EditKind.SUBSTITUTE and change.premise in only and change.relation[_A] > _HALF:
            change.whole = True
            found = [c for c in found if c.premise != only[change.premise]]
            denied = [c for c in found if c.denies and c.hypothesis == m.h[change.hypothesis].parent]
            if denied:  # "only visited Rome", so "did not visit Paris"
                change.relation = _DELETED_ALONE
                found = [c for c in found if c not in denied]
    return found


def _focused(units: list[Unit], only: int) -> list[int]:
    """Return what "only" may pick out: what follows it, and of a verb its complements."""
    after = only + 1
    verb = units[after].pos == "VERB"
    return [after, *(c for c in units[after].children if verb and c > after and units[c].relation in _COMPLEMENTS)]


def _others(m: Pairing, found: list[Change]) -> list[Change]:
    """What one did another may do, too: of people it is left open, but for what "only" says, and who somebody is."""
    for change in found:
        excludes = change.kind == EditKind.SUBSTITUTE and not change.whole and change.relation[_A] > _HALF
        if excludes and change.reason.endswith(_PERSON):
            sides = ((m.p, change.premise), (m.h, change.hypothesis))
            if all(units[at].pos == "PROPN" and _of_verb(units, at) for units, at in sides):
                change.relation = _ANOTHER
    return found


def _of_verb(units: list[Unit], at: int) -> bool:
    return units[at].parent >= 0 and units[units[at].parent].pos == "VERB"


def _substitutions(m: Pairing) -> list[Change]:
    found = []
    for j, i in enumerate(m.back):
        if i < 0:
            continue
        p, h = m.p[i], m.h[j]
        when = _when(p, h)
        if when is not None:
            reason = f"{p.case} {p.text} → {h.case} {h.text}: compared"
            found.append(Change(EditKind.SUBSTITUTE, i, j, spread((when, 0.95)), reason))
            continue
        becomes = told(m, i, j)
        if becomes is not None and exchanged(p, h) is None:
            found.append(Change(EditKind.SUBSTITUTE, i, j, *becomes))
        elif becomes is None and degree(p) != degree(h):
            found.append(Change(EditKind.SUBSTITUTE, i, j, _DEGREE, f"{p.text} → {h.text}: another degree"))
        elif becomes is None and {p.pos, h.pos} in _CLASSES:
            found.append(Change(EditKind.REORDER, i, j, _WORD_CLASS, f"{p.text} → {h.text}: the same word"))
        found += [*_marks(p, h, i, j), *_turned_round(m, i, j)]
    return [*found, *_owners(m)]


def _when(p: Unit, h: Unit) -> Entailment | None:
    """Return how two times under different prepositions are related: "in 1950", "before 1960"."""
    if p.case == h.case and (p.case not in BESIDES or p.text == h.text):
        return None
    first, then = moment(p.case, p.text), moment(h.case, h.text)
    return between(first, then) if first and then else None


def _owners(m: Pairing) -> list[Change]:
    """Whose something is, where that changes and nobody it could speak of does: "his wife" to "her wife"."""
    if any(
        i >= 0 and m.p[i].lemma != m.h[j].lemma and m.h[j].pos in {"NOUN", "PROPN", "PRON"}
        for j, i in enumerate(m.back)
    ):
        return []
    pairs = [(i, j) for j, i in enumerate(m.back) if i >= 0 and m.p[i].owner and m.h[j].owner]
    return [
        Change(EditKind.SUBSTITUTE, i, j, _OWNER, f"{m.p[i].owner} {m.p[i].text} → {m.h[j].owner} {m.h[j].text}")
        for i, j in pairs
        if m.p[i].owner != m.h[j].owner and {m.p[i].owner, m.h[j].owner} <= _OWNERS
    ]


def _marks(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    """What opens a phrase or a clause, exchanged: "inside" to "outside", "before" to "after"."""
    found = []
    if p.case and h.case and p.case != h.case and "without" not in (p.case, h.case):
        relation = prepositions(p.case, h.case)
        reason = f"{p.case} {p.text} → {h.case} {h.text}"
        denied = max(p.negation, h.negation) >= 0  # what is denied is the place: "is not | inside the house"
        found.append(Change(EditKind.SUBSTITUTE, i, j, relation, reason, outer=not denied))
    if p.mark and h.mark and p.mark != h.mark and {p.mark, h.mark} & TIMES:
        found.append(Change(EditKind.SUBSTITUTE, i, j, _MARK, f"{p.mark} … {p.text} → {h.mark} … {h.text}"))
    return found


def _turned_round(m: Pairing, i: int, j: int) -> list[Change]:
    """What was first is last: "the cat ran before the dog barked", "the dog barked before the cat ran"."""
    h, above = m.h[j], m.h[j].parent
    first = m.back[above] if above >= 0 else -1
    if h.mark not in _ORDER or h.relation != "advcl" or first < 0:
        return []
    if m.p[first].mark != h.mark or m.p[first].parent != i:
        return []
    reason = f"{m.p[i].text} {h.mark} {m.p[first].text} → {m.h[above].text} {h.mark} {h.text}"
    return [Change(EditKind.OPERATOR, i, j, _ELSEWHERE, reason, whole=True)]


def _deletions(m: Pairing) -> list[Change]:
    found = []
    for i, unit in enumerate(m.p):
        if m.forth[i] >= 0 or i in m.named or governs(unit, m.forth) or (unit.parent >= 0 and m.forth[unit.parent] < 0):
            continue
        relation, why = dropped(m.p, i, m.forth)
        reason = f"{_phrase(m.p, i, m.forth)} is left out: {why}"
        found.append(
            Change(EditKind.DELETE, i, -1, relation, reason, whole=why in (NEITHER, RULED_OUT) or unit.lemma in _ONLY)
        )
    return found


def _insertions(m: Pairing) -> list[Change]:
    found = []
    for j, unit in enumerate(m.h):
        if m.back[j] >= 0 or j in m.called or governs(unit, m.back) or (unit.parent >= 0 and m.back[unit.parent] < 0):
            continue
        relation, why = added(m.h, j, m.back)
        where = whereabouts(unit, m.p)
        if where is not None:
            relation, why = (_THERE, "that is where it is") if where else (_ELSEWHERE, "it is elsewhere")
        if _somebody_did(m, j):
            relation, why = _STRUCTURE, "somebody did it"
        if _said_by_structure(m, j):
            relation, why = _STRUCTURE, "said by the structure"
        place = m.back[unit.parent] if unit.parent >= 0 else -1
        reason = f"{_phrase(m.h, j, m.back)} is added: {why}"
        found.append(Change(EditKind.INSERT, -1, j, relation, reason, place=place))
    return found


def _somebody_did(m: Pairing, j: int) -> bool:
    """Whether an indefinite subject is added to what the premise says was done: "somebody repaired the roof"."""
    unit = m.h[j]
    hidden = unit.quantifier_node == unit.node and unit.quantifier == "a"
    return hidden and unit.relation == "nsubj" and unit.parent >= 0 and m.p[m.back[unit.parent]].passive


def _said_by_structure(m: Pairing, j: int) -> bool:
    """Whether a light word only joins what the premise joins without it: "a woman wearing red", "a woman in red"."""
    if m.h[j].lemma not in LIGHT:
        return False
    near = {b if a == j else a for a, b, role, _ in m.hypothesis.edges if j in (a, b) and role != JOIN}
    sides = [m.back[k] for k in sorted(near)]
    if len(sides) < 2 or min(sides) < 0:
        return False
    return all(m.joined(a, b) for at, a in enumerate(sides) for b in sides[at + 1 :])


def _phrase(units: list[Unit], top: int, other: list[int]) -> str:
    """The words of a unit and of what hangs below it without a counterpart."""
    members, queue = [top], [top]
    while queue:
        for child in units[queue.pop()].children:
            if other[child] < 0:
                members.append(child)
                queue.append(child)
    return " ".join(f"{units[m].case} {units[m].text}".strip() for m in sorted(members))

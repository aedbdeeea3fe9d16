"""One relation told from its other end: sold to, bought from; above, below; grandmother of, grandson of."""

from collections.abc import Iterable
from typing import Final

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, spread
from kgreason.ground.pairing import Pairing
from kgreason.ground.roles import AGENT, PATIENT, PREP, RECIPIENT
from kgreason.ground.trees import Unit

_TOLD_ALIKE: Final = spread((Entailment.EQUIVALENCE, 0.9))


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    """Return every word before a slash with every word after it, both ways round."""
    found: set[tuple[str, str]] = set()
    for line in text.split(";"):
        left, right = (side.split(",") for side in line.split("/"))
        found |= {(a.strip(), b.strip()) for a in left for b in right}
    return frozenset(found | {(b, a) for a, b in found})


_PREPOSITIONS: Final = _pairs(
    """above, over, on top of / below, under, beneath, underneath; in front of, before, ahead of / behind, after;
    left of, to the left of / right of, to the right of; north of / south of; east of / west of"""
)
_SIDES: Final = _pairs("left / right; north / south; east / west")
_VERBS: Final = _pairs(
    """sell / buy, purchase; give, hand / receive, get, accept; lend, loan / borrow; teach / learn; marry / marry;
    divorce / divorce; meet / meet; resemble / resemble; date / date; wed / wed"""
)
_NOUNS: Final = _pairs(
    """parent, mother, father / child, son, daughter; husband / wife; teacher / pupil, student; doctor / patient;
    grandmother, grandfather, grandparent / grandson, granddaughter, grandchild; aunt, uncle / niece, nephew;
    employer, boss / employee; predecessor / successor; host / guest; owner / property; ancestor / descendant;
    trainer, coach / trainee; master / servant, apprentice; brother, sister, sibling / brother, sister, sibling;
    cousin / cousin; friend / friend; neighbor / neighbor; neighbour / neighbour; colleague / colleague; twin / twin;
    classmate / classmate; partner / partner; spouse / spouse; roommate / roommate; teammate / teammate; rival / rival;
    relative / relative; enemy / enemy; opponent / opponent"""
)


def from_the_other_end(m: Pairing, changes: list[Change]) -> list[Change]:
    """Return the changes, with one equivalence where they come to telling one relation from its other end."""
    for i, a, others in [*_places(m), *_words(m)]:
        gone = {a, *others}
        kept = [c for c in changes if not (c.kind == EditKind.REORDER and c.hypothesis in gone)]
        changes = [
            c for c in kept if not (c.kind == EditKind.SUBSTITUTE and c.hypothesis in gone and _of_relation(m, c))
        ]
        reason = f"{m.p[i].text} … {m.h[a].text}: told from the other end"
        changes.append(Change(EditKind.REORDER, i, a, _TOLD_ALIKE, reason))
    return changes


def _of_relation(m: Pairing, change: Change) -> bool:
    """Whether a substitution is that of the relation itself, and not of one of its two ends."""
    p, h = m.p[change.premise], m.h[change.hypothesis]
    words = p.lemma, h.lemma
    return words in _VERBS or words in _NOUNS or words in _SIDES or p.lemma == h.lemma


def _places(m: Pairing) -> Iterable[tuple[int, int, tuple[int, ...]]]:
    """Yield prepositions that say the same once the two things have changed places."""
    turned = {(i, k): case for i, k, role, case in m.premise.edges if role == PREP}
    for a, b, role, case in m.hypothesis.edges:
        first = turned.get((m.back[b], m.back[a]))
        if role == PREP and first and min(m.back[a], m.back[b]) >= 0 and (first, case) in _PREPOSITIONS:
            yield m.back[b], b, (a,)


def _words(m: Pairing) -> Iterable[tuple[int, int, tuple[int, ...]]]:
    """Yield verbs and nouns whose two ends have changed places."""
    for a, i in enumerate(m.back):
        if i < 0:
            continue
        words = m.p[i].lemma, m.h[a].lemma
        if words in _VERBS:
            roles = {PATIENT} if words[0] == words[1] else {RECIPIENT}
            first, then = _partners(m.premise.edges, i, roles), _partners(m.hypothesis.edges, a, roles)
            if words[0] != words[1] and _other_end(m, first, then):
                yield i, a, tuple(end for end in then if end >= 0)
                continue
        elif words in _NOUNS or words in _SIDES:
            first, then = _ends(m.p, i), _ends(m.h, a)
        else:
            continue
        if min(*first, *then) >= 0 and (m.back[then[0]], m.back[then[1]]) == (first[1], first[0]):
            yield i, a, then


def _other_end(m: Pairing, first: tuple[int, int], then: tuple[int, int]) -> bool:
    """Whether what both sides name of the two ends has changed ends; one may be left out: "Bob received a book"."""
    ends = [(first[1], then[0]), (first[0], then[1])]
    told = [m.back[j] == i for i, j in ends if min(i, j) >= 0]
    return bool(told) and all(told)


def _partners(edges: list[tuple[int, int, int, str]], verb: int, roles: set[int]) -> tuple[int, int]:
    """Return who does it, and to or from whom: units, or -1."""
    mine = [(b, role, case) for a, b, role, case in edges if a == verb]
    agent = next((b for b, role, _ in mine if role == AGENT), -1)
    other = next((b for b, role, case in mine if role in roles or (role == PREP and case in {"to", "from"})), -1)
    return agent, other


def _ends(units: list[Unit], noun: int) -> tuple[int, int]:
    """Return of whom a noun is said, and whose it is: units, or -1."""
    below = units[noun].children
    subject = next((c for c in below if units[c].relation == "nsubj"), -1)
    return subject, next((c for c in below if units[c].relation == "nmod" and units[c].case in {"'s", "of", "'"}), -1)

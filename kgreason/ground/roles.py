"""Who does what to whom: the roles that join the units of a text, the same for different wordings."""

from typing import Final

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from kgreason.ground.trees import Unit

#: The roles an edge may have.
ROLES: Final = ("agent", "patient", "recipient", "prep", "mod", "is", "poss", "clause", "join")
AGENT, PATIENT, RECIPIENT, PREP, MOD, IS, POSS, CLAUSE, JOIN = range(9)
CORE: Final = frozenset({AGENT, PATIENT, RECIPIENT})
#: How well a role of the hypothesis is borne out by one of the premise; rows: premise.
COMPATIBLE: Final[Float32[ndarray, "9 9"]] = np.eye(9, dtype=np.float32)
for _a, _b, _much in (
    (PREP, MOD, 0.7), (PATIENT, PREP, 0.6), (RECIPIENT, PREP, 0.9), (POSS, PREP, 0.9), (MOD, IS, 0.8),
    (AGENT, MOD, 0.6), (AGENT, PATIENT, 0.1), (CLAUSE, PREP, 0.4), (CLAUSE, MOD, 0.6), (JOIN, IS, 0.3),
    (MOD, POSS, 0.6), (CLAUSE, PATIENT, 0.5), (AGENT, PREP, 0.3), (IS, PREP, 0.4), (RECIPIENT, PATIENT, 0.4),
    (AGENT, IS, 0.6), (CLAUSE, JOIN, 0.5), (AGENT, CLAUSE, 0.3),
):  # fmt: skip
    COMPATIBLE[_a, _b] = COMPATIBLE[_b, _a] = _much

_PLAIN: Final = {"obj": PATIENT, "iobj": RECIPIENT, "appos": IS} | dict.fromkeys(
    ("compound", "amod", "advmod", "nummod"), MOD
)
_CLAUSES: Final = frozenset({"xcomp", "ccomp", "advcl", "parataxis", "csubj"})
_GIVE: Final = frozenset("give send hand show offer tell bring pass lend sell teach throw write read feed pay".split())  # noqa: SIM905

Edge = tuple[int, int, int, str]


def edges_of(units: list[Unit]) -> list[Edge]:
    """Return the edges (head, dependent, role, preposition) of a text; a conjunct has those of the first, too."""
    edges: list[Edge] = []
    subject: dict[int, int] = {}
    for i, unit in enumerate(units):
        if unit.parent >= 0:
            _edge(units, i, edges, subject)
    _share(units, edges, subject)
    return list(dict.fromkeys(edges))


def _edge(units: list[Unit], i: int, edges: list[Edge], subject: dict[int, int]) -> None:
    unit = units[i]
    relation, up = unit.relation, unit.parent
    if relation == "nsubj":
        subject.setdefault(up, i)
        edges.append(_predication(units, up, i))
    elif relation == "acl":
        _relative(units, i, edges, subject)
    elif relation in _CLAUSES:
        edges.append((up, i, CLAUSE, unit.mark))
        if relation in {"xcomp", "advcl"} and not any(units[c].relation == "nsubj" for c in unit.children):
            subject.setdefault(i, _controller(units, up, i))
            if subject[i] >= 0:
                edges.append(_predication(units, i, subject[i]))
    elif relation != "root":
        edges.append(_plain(units, i))


def _controller(units: list[Unit], up: int, clause: int) -> int:
    """Return whom a clause without a subject is said of: "saw Kim sign", of Kim; else -2 - u, of the subject of u."""
    if units[clause].relation == "xcomp" and units[up].lemma != "promise":
        objects = [c for c in units[up].children if units[c].relation in {"obj", "iobj"} and c < clause]
        if objects:
            return objects[0]
    return -2 - up


def _plain(units: list[Unit], i: int) -> Edge:
    """Return the edge of what is no subject and no clause."""
    unit, above = units[i], units[units[i].parent]
    relation, up = unit.relation, unit.parent
    if relation == "amod" and unit.pos == "VERB":
        return i, up, PATIENT if unit.passive else AGENT, ""
    if relation == "obj" and any(units[c].relation == "obj" and c > i for c in above.children):
        return up, i, RECIPIENT, ""
    if relation in {"obl", "nmod"}:
        return (up, i, *_oblique(unit, above))
    if relation == "conj":
        return up, i, JOIN, unit.joined
    return up, i, _PLAIN.get(relation, MOD), "" if relation in _PLAIN else unit.case


def _predication(units: list[Unit], predicate: int, subject: int) -> Edge:
    """Return what joins a subject to its predicate: "the man is old" as "the old man"."""
    said = units[predicate]
    if said.pos == "VERB":
        return predicate, subject, PATIENT if said.passive else AGENT, ""
    if said.case:
        return subject, predicate, PREP, said.case
    return subject, predicate, MOD if said.pos in {"ADJ", "ADV"} else IS, ""


def _oblique(unit: Unit, above: Unit) -> tuple[int, str]:
    case = unit.case
    if case == "by" and above.passive:
        return AGENT, ""
    if case in {"to", "for"} and above.lemma in _GIVE:
        return RECIPIENT, ""
    if case in {"'s", "'", "of"} and unit.relation == "nmod":
        return POSS, ""
    return (PREP if case else MOD), case


def _relative(units: list[Unit], i: int, edges: list[Edge], subject: dict[int, int]) -> None:
    """A clause at a noun: the noun fills what is missing in it."""
    unit, up = units[i], units[i].parent
    own = {units[c].relation for c in unit.children}
    if units[up].complement == i:  # what the noun says to be so: "the fact that it rained"
        edges.append((up, i, CLAUSE, unit.mark))
        return
    if unit.pos != "VERB":
        edges.append(_predication(units, i, up))
    elif unit.passive or unit.gap == "obj" or "nsubj" in own:
        edges.append((i, up, PATIENT, ""))
    elif unit.mark == "to":
        edges.append((up, i, CLAUSE, "to"))
        return
    else:
        edges.append((i, up, AGENT, ""))
    subject.setdefault(i, up)


def _share(units: list[Unit], edges: list[Edge], subject: dict[int, int]) -> None:
    """Give conjuncts what they share, and clauses without a subject the one they are understood with."""
    for i, unit in enumerate(units):
        if unit.relation == "conj" and unit.parent >= 0:
            _distribute(units, i, edges, subject)
    for i in list(subject):
        if subject[i] < -1:
            above = -2 - subject[i]
            while above >= 0 and subject.get(above, -1) < -1:
                above = -2 - subject[above]
            found = subject.get(above, -1)
            if found >= 0:
                edges.append(_predication(units, i, found))


def _distribute(units: list[Unit], i: int, edges: list[Edge], subject: dict[int, int]) -> None:
    unit, first = units[i], units[i].parent
    if unit.there:
        return
    if unit.pos in {"VERB", "AUX"} or any(units[c].relation == "nsubj" for c in unit.children):
        if not any(units[c].relation == "nsubj" for c in unit.children):
            subject.setdefault(i, subject.get(first, -2 - first))
            if subject[i] >= 0:
                edges.append(_predication(units, i, subject[i]))
        objects = [e for e in edges if e[2] == PATIENT]
        if not any(a == first for a, *_ in objects) and units[first].pos == "VERB":
            edges.extend((first, b, PATIENT, "") for a, b, *_ in objects if a == i and b > i)
        return
    for a, b, role, case in list(edges):
        if b == first and a != i and role != JOIN:
            edges.append((a, i, role, unit.case or case))

"""Operators of a clause: what negation and quantifiers come to on either side, and how one becomes the other."""

from dataclasses import dataclass, replace
from typing import Final

from jaxtyping import Float32
from numpy import ndarray

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.data.quantifiers import Quantifier, between_quantifiers, read_quantifier
from kgreason.ground.changing import Change, spread
from kgreason.ground.commitments import commitments
from kgreason.ground.matching import Reading
from kgreason.ground.morphology import having
from kgreason.ground.pairing import Pairing
from kgreason.ground.roles import AGENT, IS, MOD, PATIENT, PREP
from kgreason.ground.trees import Unit

_REFERRING: Final = frozenset(
    "a the this that these those its his her their my your our another such which what whose".split()  # noqa: SIM905
)
#: What a quantifier of a subject comes to when its predicate is denied.
_DENIED: Final = {"all": "not all", "some": "not all", "no": "all", "not all": "some", "most": "few", "few": "most"}
_QUANTIFYING: Final = frozenset(
    {"all", "no", "not all", "most", "few", "almost all", "almost no", "neither"} | {"percent", "all but"}
)
_COUNTING: Final = frozenset({"number", "at least", "at most", "more than", "fewer than"})
#: Words for so many people.
_PEOPLE: Final = {"couple": 2, "pair": 2, "duo": 2, "trio": 3, "threesome": 3, "quartet": 4, "foursome": 4}
_SUBJECTS: Final = frozenset({AGENT, MOD, IS, PREP})


@dataclass(slots=True)
class _Force:
    """What a noun phrase's quantifier says, and whether its predicate is denied."""

    quantifier: Quantifier | None
    denied: bool
    text: str

    @property
    def quantifies(self) -> bool:
        """Whether it says more than how many there are of what is spoken of."""
        kind = self.quantifier.kind if self.quantifier else ""
        return kind in _QUANTIFYING or (kind == "some" and self.denied)


def operators(m: Pairing) -> list[Change]:
    """Return the edits of quantifiers, negations and modal verbs, and of words that say whether something is so."""
    found = commitments(m)
    settled: set[int] = set()  # predicates and objects whose denial is counted in with their subject's quantifier
    denied: set[int] = set()
    emptied = _emptied(m)
    for j, i in enumerate(m.back):
        if i >= 0 and m.h[j].pos in {"NOUN", "PROPN", "PRON", "NUM", "ADJ", "DET"}:
            found += _quantified(m, i, j, settled, emptied)
    found = [change for change in found if change.hypothesis not in settled.intersection(emptied)]
    for j, i in enumerate(m.back):
        if i < 0:
            continue
        p, h = m.p[i], m.h[j]
        twice = h.relation == "conj" and h.joined in {"or", "nor"} and h.parent in denied  # "neither … nor" denies once
        if j not in settled and not twice:
            changes = _denied(p, h, i, j)
            denied.update([j] if changes else [])
            found += changes
        found += _modal(p, h, i, j)
    return _frequencies(m, found)


def _frequencies(m: Pairing, found: list[Change]) -> list[Change]:
    """Make one edit of a denial and of how often it was so on the other side: "never smiles", "often smiles"."""
    out = []
    for change in found:
        how_often = _how_often(m, change)
        denial = None
        if how_often is not None:
            denial = next((o for o in found if _denied_across(m, o, change, how_often)), None)
        if how_often is None or denial is None:
            out.append(change)
            continue
        contradicted = 0.5 * (how_often.lemma in _SOMETIMES)
        denial.relation = spread((Entailment.NEGATION, contradicted), (Entailment.ALTERNATION, 0.93 - contradicted))
        denial.reason = f"{denial.reason}, {how_often.text}"
    return out


def _how_often(m: Pairing, change: Change) -> Unit | None:
    """Return the word for how often that a change puts in or leaves out, if that is what it does."""
    if change.kind != EditKind.OPERATOR or (change.premise < 0) == (change.hypothesis < 0):
        return None
    unit = m.p[change.premise] if change.premise >= 0 else m.h[change.hypothesis]
    return unit if unit.lemma in _FREQUENT else None


def _denied_across(m: Pairing, denial: Change, change: Change, how_often: Unit) -> bool:
    """Whether one side says how often something was so, and the other side, by `denial`, that it was not."""
    units, side = (m.p, denial.premise) if change.premise >= 0 else (m.h, denial.hypothesis)
    return denial.denies and side == how_often.parent >= 0 and units[side].negation < 0


_SOMETIMES: Final = frozenset({"sometimes", "occasionally"})
_FREQUENT: Final = _SOMETIMES | {"often", "frequently", "repeatedly", "regularly", "always", "usually", "constantly"}


def _quantified(m: Pairing, i: int, j: int, settled: set[int], emptied: list[int]) -> list[Change]:
    p, h = m.p[i], m.h[j]
    predicate = _predicate(m.hypothesis, j)
    above = m.back[predicate] if predicate >= 0 else -1
    first = _force(p, above >= 0 and m.p[above].negation >= 0)
    none_of = [o for o in emptied if m.h[o].parent == predicate >= 0 and o != j]
    then = _force(h, predicate >= 0 and (m.h[predicate].negation >= 0 or bool(none_of)))
    if not (first.quantifies or then.quantifies):
        return _number(m, i, j, first.quantifier, then.quantifier)
    if (first.quantifier == then.quantifier or p.quantifier == h.quantifier != "") and first.denied == then.denied:
        return []
    if predicate >= 0:
        settled |= {predicate, *none_of}
    reason = f"{first.text} {p.text} → {then.text} {h.text}"
    change = Change(EditKind.OPERATOR, i, j, _between(first, then), reason, outer=True)
    if above >= 0 and not (first.denied or then.denied):
        change.clause, change.denied = (above, predicate), _between(first, replace(then, denied=True))
    return [change]


def _emptied(m: Pairing) -> list[int]:
    """Return what the hypothesis says there is none of, and the premise some: "chased a cat", "chased no cat"."""
    return [
        j
        for j, i in enumerate(m.back)
        if i >= 0 and m.h[j].quantifier == "no" and m.p[i].quantifier in {"", "a", "some"} and m.h[j].relation == "obj"
    ]


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
    if words in {"some", "any", "one"} and not unit.plural and not (words == "some" and denied):
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
    if force.quantifier.kind not in _QUANTIFYING | {"some"}:
        return Quantifier("one not")
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


def _together(reading: Reading, i: int) -> float:
    """How many a list of nouns counts: "two women and a man" are three; 0 if it is no list or not counted."""
    unit = reading.units[i]
    first = unit.parent if unit.relation == "conj" and unit.parent >= 0 else i
    rest = [c for c in reading.units[first].children if reading.units[c].relation == "conj"]
    members = [reading.units[first], *(reading.units[c] for c in rest)]
    counts = [_count(member) for member in members]
    return sum(counts) if rest and all(counts) else 0.0


def _count(unit: Unit) -> float:
    if unit.pos not in {"NOUN", "PROPN", "PRON"} or unit.joined not in {"", "and"}:
        return 0.0
    quantifier = _force(unit, denied=False).quantifier
    if quantifier is not None:
        return float(quantifier.number) if quantifier.kind == "number" else 0.0
    return 0.0 if unit.plural else 1.0


def _number(m: Pairing, i: int, j: int, first: Quantifier | None, then: Quantifier | None) -> list[Change]:
    """How many there are, on either side: "two dogs" to "dogs", "dogs" to "a dog"."""
    p, h = m.p[i], m.h[j]
    some = Quantifier("some")
    if first is None and p.lemma != h.lemma and p.lemma in _PEOPLE:
        first = Quantifier("number", number=_PEOPLE[p.lemma])
    if then and then.kind in _COUNTING and p.lemma != h.lemma and (whole := _together(m.premise, i)):
        if (then.kind, then.number) == ("number", whole):
            return []
        first = Quantifier("number", number=int(whole)) if first is None or first.kind == "number" else first
    if first != then and (first or some) != (then or some):
        relation = spread((between_quantifiers(first or some, then or some), 0.9), (Entailment.EQUIVALENCE, 0.05))
        if first is None and then and then.kind == "number" and not p.plural:
            relation = spread((Entailment.REVERSE, 0.4), (Entailment.ALTERNATION, 0.4), (Entailment.EQUIVALENCE, 0.1))
        reason = f"{p.quantifier} {p.text} → {h.quantifier} {h.text}".replace("  ", " ")
        return [Change(EditKind.OPERATOR, i, j, relation, reason, outer=True)]
    if first or then or not (p.pos == h.pos == "NOUN") or p.plural == h.plural or p.lemma != h.lemma:
        return []
    if p.plural:
        relation = spread((Entailment.FORWARD, 0.6), (Entailment.EQUIVALENCE, 0.35))
    else:
        relation = spread((Entailment.EQUIVALENCE, 0.6), (Entailment.REVERSE, 0.2), (Entailment.ALTERNATION, 0.1))
    return [Change(EditKind.OPERATOR, i, j, relation, f"{p.text} → {h.text}: number", outer=True)]


def _denied(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    found = []
    either = having(p.lemma, h.lemma) or having(h.lemma, p.lemma)  # "bearded", "without a beard"
    if "without" in (p.case, h.case) and p.case != h.case and (either or (p.case and h.case)):
        relation = spread((Entailment.NEGATION, 0.9))
        reason = f"{p.case} {p.text} → {h.case} {h.text}".strip()
        found.append(Change(EditKind.OPERATOR, i, j, relation, reason, outer=True))
    phases = {p.phase, h.phase}
    if "was" in phases and phases != {"was"}:  # "no longer smokes", "used to smoke"; of "smokes" it says nothing
        return [*found, _once(p, h, i, j)]
    if (p.negation >= 0) == (h.negation >= 0):
        return found
    what = "is denied" if h.negation >= 0 else "is no longer denied"
    relation = spread((Entailment.NEGATION, 0.97))
    return [*found, Change(EditKind.OPERATOR, i, j, relation, f"{h.text} {what}", outer=True, denies=True)]


def _once(p: Unit, h: Unit, i: int, j: int) -> Change:
    """What was so once, on one side only."""
    other, implied = (h, Entailment.REVERSE) if p.phase == "was" else (p, Entailment.FORWARD)
    if other.phase == "ended":
        relation = spread((implied, 0.9))
    elif other.past:
        relation = spread((Entailment.EQUIVALENCE, 0.85) if other.negation < 0 else (Entailment.NEGATION, 0.85))
    else:
        relation = spread((Entailment.INDEPENDENCE, 0.8))
    return Change(EditKind.OPERATOR, i, j, relation, f"{p.text} → {h.text}: what was so", whole=True)


_FUTURE: Final = frozenset({"", "will", "shall", "would"})
_WEAK: Final = frozenset({"may", "might", "could", "can"})


def _modal(p: Unit, h: Unit, i: int, j: int) -> list[Change]:
    if p.modal == h.modal or ({p.modal, h.modal} <= _FUTURE and not (p.past or h.past)):
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

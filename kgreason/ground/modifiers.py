"""What it comes to when something is left out or added: modifiers, conjuncts, adjuncts, clauses."""

from functools import cache
from typing import Final

from kgreason.data.entailment import Entailment
from kgreason.data.operators import Shape, phrases
from kgreason.ground.changing import Distribution, spread
from kgreason.ground.inferring import is_met, is_ruled_out
from kgreason.ground.trees import Unit

_E, _F, _R, _N, _A, _I = (
    Entailment.EQUIVALENCE, Entailment.FORWARD, Entailment.REVERSE, Entailment.NEGATION, Entailment.ALTERNATION,
    Entailment.INDEPENDENCE,
)  # fmt: skip


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: With these a thing is not what its noun says: "a fake gun".
_DENYING: Final = _set(
    "fake false counterfeit imitation artificial pretend mock bogus sham fictional imaginary forged phony"
)
_GENUINE: Final = _set("real genuine actual true authentic original natural")
#: With these it was, will be, may be, or is only called so.
_OPEN: Final = _set(
    """former ex alleged supposed would-be toy potential possible likely future possibly probably allegedly past
    apparent so-called apparently supposedly presumed suspected putative maybe perhaps"""
)
_BEFORE: Final = frozenset({"amod", "compound", "advmod"})
_NEARLY: Final = _set("almost nearly barely_not virtually")
_DELETED: Final = spread((_F, 0.93), (_E, 0.04))
_INSERTED: Final = spread((_R, 0.87), (_E, 0.06), (_A, 0.03))
DELETED, INSERTED = _DELETED, _INSERTED
#: Why one of two denied things may be left out, whatever the denial does to the place where it stood.
NEITHER: Final = "neither of them"
#: Why one of several possibilities may not stay: the premise denies it.
RULED_OUT: Final = "the possibility that is kept is ruled out"


def removed(unit: Unit) -> Entailment | None:
    """What an adverb that bears on whether something is so comes to: "almost", "always", "allegedly"."""
    return _adverbs().get(tuple(unit.text.split())) if unit.pos == "ADV" else None


@cache
def _adverbs() -> dict[tuple[str, ...], Entailment]:
    rows = ((words, operator) for found in phrases().values() for words, operators in found for operator in operators)
    return {words: op.removal for words, op in rows if op.shape == Shape.ADVERB and op.removal is not None}


#: Clauses opened by these are not said to be so.
_CONDITIONS: Final = frozenset(
    {"if", "unless", "provided", "providing", "supposing", "assuming", "in case", "as long as", "so long as"}
)
#: Subjects of which the rest is denied, or as good as that.
_NONE: Final = frozenset({"no", "few", "neither", "not all", "not every", "nobody", "none", "hardly any", "almost no"})
_SUSPENDING: Final = _CONDITIONS | {"whether", "lest", "until"}
#: Words that say when, or why, one thing is so beside another.
TIMES: Final = frozenset({"before", "after", "until", "because", "although", "unless", "if", "when", "while", "since"})


def _suspended(unit: Unit) -> bool:
    return unit.relation == "advcl" and unit.mark in _SUSPENDING


def degree(unit: Unit) -> str:
    """Return `er` of a comparative, `est` of a superlative, else nothing."""
    if unit.pos not in {"ADJ", "ADV"} or unit.text == unit.lemma:
        return ""
    return next((ending for ending in ("est", "er") if unit.text.endswith(ending)), "")


def _named(unit: Unit, words: frozenset[str]) -> bool:
    return unit.lemma in words or unit.text in words


def unreal(first: str, second: str) -> bool:
    """Whether one modifier says that a thing is what its noun says, and the other that it is not: "real" and "fake"."""
    return (first in _DENYING and second in _GENUINE) or (first in _GENUINE and second in _DENYING)


def dropped(units: list[Unit], i: int, forth: list[int]) -> tuple[Distribution, str]:
    """Return what it comes to that a unit of the premise, with what hangs below it, has no counterpart."""
    unit = units[i]
    if _named(unit, _DENYING) and unit.relation in _BEFORE:
        return spread((_A, 0.85)), "what it was said of is not that"
    if unit.lemma in _NEARLY:
        return spread((_A, 0.85)), "it did not come to that"
    if _named(unit, _OPEN) and unit.relation in _BEFORE:
        return spread(), "what it is said of may not be that"
    if any(forth[c] >= 0 and _suspended(units[c]) for c in unit.children):
        return spread((_I, 0.8), (_F, 0.1)), "the rest was only supposed"
    conjunct = _conjunct_dropped(units, i, forth)
    if conjunct is not None:
        return conjunct
    if unit.mark in _CONDITIONS:
        return (_DELETED, "a condition that is met") if is_met(units, i) else (spread((_R, 0.85)), "a condition")
    below = [units[c] for c in unit.children if forth[c] >= 0 and units[c].relation in {"xcomp", "ccomp"}]
    if any(child.relation == "ccomp" or child.mark == "to" for child in below):
        return spread((_F, 0.3), (_R, 0.3)), "what it says of the clause below it is not known"
    return _DELETED, _what(unit)


def _conjunct_dropped(units: list[Unit], i: int, forth: list[int]) -> tuple[Distribution, str] | None:
    """Return what it comes to that one of several possibilities is left out, or one of several that are denied."""
    unit = units[i]
    joined = {units[c].joined for c in unit.children if forth[c] >= 0 and units[c].relation == "conj"}
    joined |= {unit.joined} if unit.relation == "conj" else set()
    if "nor" in joined:
        return _DELETED, NEITHER
    if "or" not in joined:
        return None
    if _free_to_choose(units, i):
        return spread((_F, 0.8), (_R, 0.1)), "each of them is possible"
    others = [c for c in unit.children if units[c].relation == "conj"]
    others += [unit.parent] if unit.relation == "conj" else []
    if any(forth[c] >= 0 and is_ruled_out(units, c) for c in others):
        return spread((_A, 0.9)), RULED_OUT
    if is_ruled_out(units, i):
        return _DELETED, "a possibility that is ruled out"
    return spread((_R, 0.95)), "one of several possibilities"


def _free_to_choose(units: list[Unit], i: int) -> bool:
    """Whether a choice is left open: "can be eaten raw or cooked", so raw, and cooked (Kamp 1973, free choice)."""
    at, open_ = i, False
    while at >= 0:
        unit = units[at]
        subjects = {units[c].quantifier for c in unit.children if units[c].relation == "nsubj"}
        if unit.negation >= 0 or unit.mark in _SUSPENDING or subjects & _NONE:
            return False
        open_ = open_ or unit.modal in {"can", "may", "might", "could"}
        at = unit.parent
    return open_


def added(units: list[Unit], j: int, back: list[int]) -> tuple[Distribution, str]:
    """Return what it comes to that a unit of the hypothesis, with what hangs below it, has no counterpart."""
    unit = units[j]
    if (_named(unit, _DENYING) and unit.relation in _BEFORE) or unit.lemma in _NEARLY:
        return spread((_A, 0.85)), "what it is said of is not that"
    if _named(unit, _OPEN) and unit.relation in _BEFORE:
        return spread((_A, 0.3)), "what it is said of may not be that"
    others = [units[c] for c in unit.children if back[c] >= 0 and units[c].relation == "conj"]
    if (unit.relation == "conj" and unit.joined == "or") or any(o.joined == "or" for o in others):
        return spread((_F, 0.95)), "one more possibility"
    if unit.mark in _CONDITIONS:
        return spread((_F, 0.85)), "a condition"
    if unit.lemma == "together":
        return spread((_E, 0.6), (_R, 0.3)), "together"
    if unit.main:
        return spread((_R, 0.4), (_A, 0.15)), "another statement"
    return _INSERTED, _what(unit)


def _what(unit: Unit) -> str:
    names = {"amod": "a modifier", "advmod": "a modifier", "conj": "a conjunct", "acl": "a clause", "advcl": "a clause"}
    names |= {"obl": "an adjunct", "nmod": "a modifier", "obj": "an object", "nsubj": "a subject", "root": "a sentence"}
    return names.get(unit.relation, "a modifier")


_LIKE: Final = [
    _set(group.replace(" ", "_").replace(",_", " "))
    for group in (
        "in, inside, inside of, into, within, through, at, in the middle of, throughout, across",
        "on, upon, onto, on top of, over, atop, across, along, in",
        "near, by, next to, beside, close to, alongside, at, with, around, nearby, in front of, on",
        "under, below, beneath, underneath",
        "above, over",
        "outside, out of, outside of",
        "from, off, out of, off of",
        "to, toward, towards, into, at",
        "for, to, during",
        "about, of, on",
        "with, in, of, using, by, while",
        "down, along, on, through, up, across",
        "against, on, at, near",
        "behind, after",
        "between, among, amid",
        "past, by",
    )
]
#: What is not the one is the other, and how surely.
_TWO: Final = [
    (_set("in inside within inside_of"), _set("outside outside_of out_of"), 0.88),
    (_set("with"), _set("without"), 0.88),
    (_set("near close_to near_to"), _set("far_from far_away_from"), 0.7),
]
_UNLIKE: Final = [
    (_set("in inside within into inside_of"), _set("outside outside_of out_of")),
    (_set("on on_top_of above over onto atop"), _set("under below beneath underneath")),
    (_set("with"), _set("without")),
    (_set("before"), _set("after")),
    (_set("in_front_of before ahead_of"), _set("behind in_back_of in_the_back_of at_the_back_of after")),
    (_set("to into onto toward towards"), _set("from out_of off away_from")),
    (_set("up upward upwards uphill upstairs"), _set("down downward downwards downhill downstairs")),
    (_set("outdoors outside"), _set("indoors inside")),
    (_set("forward forwards ahead"), _set("backward backwards back")),
    (_set("in on"), _set("out off")),
    (_set("left"), _set("right")),
    (_set("together"), _set("alone apart")),
    (_set("near by next_to beside close_to alongside"), _set("far_from far_away_from away_from")),
    (_set("for"), _set("against")),
    (_set("including include"), _set("excluding exclude")),
]


def prepositions(first: str, second: str) -> Distribution:
    """Return the relation of two different prepositions."""
    one, other = first.split(), second.split()
    while len(one) > 1 and len(other) > 1 and one[-1] == other[-1]:  # inside the back of, outside the back of
        one, other = one[:-1], other[:-1]
    a, b = "_".join(one), "_".join(other)
    for left, right, sure in _TWO:
        if _across(a, b, left, right):
            return spread((_N, sure), (_A, 0.95 - sure))
    for left, right in _UNLIKE:
        if _across(a, b, left, right):
            return spread((_A, 0.9))
    if any(a in group and b in group for group in _LIKE):
        return spread((_E, 0.85), (_F, 0.05))
    return spread((_E, 0.4), (_A, 0.1), (_F, 0.1))


def opposed(first: str, second: str) -> bool:
    """Whether two particles, prepositions or adverbs of place exclude each other."""
    return any(_across(first, second, left, right) for left, right in _UNLIKE)


def _across(first: str, second: str, left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether of two words one stands on either side."""
    return (first in left and second in right) or (first in right and second in left)


_OUTDOORS: Final = _set(
    """field yard garden park beach street road sidewalk mountain lake river forest wood tree snow grass hill desert sea
    ocean sand farm pasture meadow trail jungle lawn courtyard backyard path wave rock cliff alley driveway playground
    highway market bridge boat sidewalk pavement tent campfire camp dirt mud pond stream shore puddle"""
)
_INDOORS: Final = _set(
    """room kitchen gym gymnasium bedroom bathroom office classroom hall house restaurant bar library couch sofa bed
    store shop hospital church museum theater theatre cinema studio laboratory lab living_room elevator
    escalator pub cafe"""
)


def whereabouts(unit: Unit, premise: list[Unit]) -> bool | None:
    """Whether "outdoors" or "indoors" is borne out by the places in the premise; None if nothing is known."""
    if unit.lemma not in {"outside", "outdoors", "outdoor", "inside", "indoors", "indoor"} or unit.case:
        return None
    out = unit.lemma.startswith("out")
    places = {u.lemma for u in premise if u.pos == "NOUN" and u.case not in {"from", "of", "with", "by", "near"}}
    here, there = (_OUTDOORS, _INDOORS) if out else (_INDOORS, _OUTDOORS)
    if places & here:
        return True
    return False if places & there else None

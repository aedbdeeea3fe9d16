"""What becomes of a unit that has a counterpart: the relation of the two words, or of the names they are part of."""

from typing import Final, TypeAlias

from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Distribution, spread
from kgreason.ground.modifiers import opposed, unreal
from kgreason.ground.morphology import lacking
from kgreason.ground.pairing import Pairing
from kgreason.ground.rewrites import MEASURED
from kgreason.ground.trees import Unit

Told: TypeAlias = tuple[Distribution, str]
_E, _F, _R, _A = Entailment.EQUIVALENCE, Entailment.FORWARD, Entailment.REVERSE, Entailment.ALTERNATION
#: Nothing to hold on to: what is said is not known to follow, nor to be excluded.
NOTHING: Final = spread((_E, 0.15), (_R, 0.2), (_A, 0.15))
_OPPOSITE: Final = spread((_A, 0.85))
_PARTICLE: Final = spread((_E, 0.65), (_F, 0.1), (_R, 0.1))
_SURE: Final = 0.7
#: Verbs that a taxonomy puts above nearly all others, so that to stand below them says nothing of what one has or does.
_ANYTHING: Final = frozenset({"have", "be", "do", "get"})
_OWNER: Final = spread((Entailment.INDEPENDENCE, 0.8), (Entailment.ALTERNATION, 0.1))
_ONE: Final = spread((_E, 0.95))


def told(m: Pairing, i: int, j: int) -> Told | None:
    """Return what becomes of a unit, and why; None if it stays the same word.

    A modifier that makes one name with its noun is used up if the name says more than the noun: "ballpoint pen" for
    "ballpoint". It is noted in `m.named` or `m.called`.
    """
    p, h = m.p[i], m.h[j]
    special = _special(p, h)
    if special is not None:
        return special
    same = p.lemma == h.lemma or p.text == h.text
    best = None if same else m.known.told(i, j, 0) or (NOTHING, f"{p.text} | {h.text}: nothing is known")
    if best is not None and h.lemma in _ANYTHING and p.pos == "VERB" and best[1].endswith("steps"):
        best = NOTHING, f"{p.text} | {h.text}: nearly any verb comes to that"
    for way in (1, 2, 3) if p.phrase or h.phrase else ():
        paired = way == 3 and bool(p.phrase and h.phrase) and m.forth[p.modifier] == h.modifier
        if not paired and ((way != 2 and _busy(p, m.forth)) or (way != 1 and _busy(h, m.back))):
            continue
        name = _one_name(p, h, way) or m.known.told(i, j, way)
        if name is not None and _says_more(name, best):
            best = name
            m.named.update([p.modifier] if way != 2 else [])
            m.called.update([h.modifier] if way != 1 else [])
    return best


def _special(p: Unit, h: Unit) -> Told | None:
    """What no lexicon has to tell: particles, and words that say whether a thing is what its noun says."""
    if opposed(p.lemma, h.lemma) and p.pos in {"ADV", "ADP"}:
        return _OPPOSITE, f"{p.text} | {h.text}: opposite ways"
    if p.pos == h.pos == "VERB" and p.lemma != h.lemma and p.lemma.split()[0] == h.lemma.split()[0]:
        ways = p.lemma.split()[-1], h.lemma.split()[-1]
        if opposed(*ways):
            return _OPPOSITE, f"{p.text} | {h.text}: opposite ways"
        return _PARTICLE, f"{p.text} → {h.text}: the same verb, another particle"
    if p.pos == h.pos == "PROPN" and p.case == h.case == "'s" and p.lemma != h.lemma:
        return _OWNER, f"{p.text} → {h.text}: of somebody else"
    if p.lemma != h.lemma and MEASURED & {p.lemma, h.lemma}:
        return NOTHING, f"{p.text} | {h.text}: only one of the two is measured"
    if "without" in (p.case, h.case) and (lacking(p.lemma, h.lemma) or lacking(h.lemma, p.lemma)):
        return _ONE, f"{p.text} = {h.text}: what has it not"
    if unreal(p.lemma, h.lemma):
        return _OPPOSITE, f"{p.text} | {h.text}: one is what the noun says, the other is not"
    return None


def _busy(unit: Unit, other: list[int]) -> bool:
    return not unit.phrase or other[unit.modifier] >= 0


def _one_name(p: Unit, h: Unit, way: int) -> Told | None:
    """Whether two names differ by a space at most: "bird cage" and "birdcage"."""
    first, then = (p.phrase if way != 2 else p.lemma), (h.phrase if way != 1 else h.lemma)
    if first.replace(" ", "").replace("-", "") != then.replace(" ", "").replace("-", ""):
        return None
    return _ONE, f"{first} = {then}: one name"


def _says_more(name: Told, best: Told | None) -> bool:
    """Whether a name says more than its noun does: it is the same, excludes, or is known where that is not."""
    if name[0][_E] > 0.5:
        return best is None or bool(name[0][_E] > best[0][_E])
    if name[0][_A] > _SURE:  # "living room" and "dining room" are both rooms, and no room is both
        return best is None or bool(best[0][_E] < 0.5 and name[0][_A] > best[0][_A])
    unsure = Entailment.INDEPENDENCE
    return best is not None and bool(name[0][unsure] < best[0][unsure] - 0.2)

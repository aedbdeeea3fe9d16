"""What leads from a premise to a hypothesis, given the counterparts of their units: the edits, one by one."""

from typing import Final, TypeAlias, final

import numpy as np

from kgreason.data.edits import EditKind
from kgreason.data.entailment import JOIN as JOINED
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, Distribution, spread
from kgreason.ground.clauses import operators
from kgreason.ground.matching import Beside, Reading
from kgreason.ground.modifiers import added, dropped, opposed, prepositions, removed, unreal, whereabouts
from kgreason.ground.roles import COMPATIBLE, CORE, JOIN, PREP
from kgreason.ground.terms import Known
from kgreason.ground.trees import Unit
from kgreason.ground.words import LIGHT


Told: TypeAlias = tuple[Distribution, str]
#: Nothing to hold on to: what is said is not known to follow, nor to be excluded.
NOTHING: Final = spread((Entailment.EQUIVALENCE, 0.15), (Entailment.REVERSE, 0.2), (Entailment.ALTERNATION, 0.15))

_E, _F, _A, _I = Entailment.EQUIVALENCE, Entailment.FORWARD, Entailment.ALTERNATION, Entailment.INDEPENDENCE
_SWAPPED: Final = spread((_I, 0.65), (_A, 0.2), (_E, 0.15))
_OTHERS: Final = spread((_I, 0.7), (_A, 0.05), (_E, 0.25))
_PARTICLE: Final = spread((_E, 0.65), (_F, 0.1), (Entailment.REVERSE, 0.1))
_LOOSE: Final = spread((_E, 0.6), (_F, 0.1))
_THERE: Final = spread((_E, 0.8), (_F, 0.1))
_ELSEWHERE: Final = spread((_A, 0.8))


@final
class Comparison:
    """Two texts whose units are matched.

    Args:
        premise: The units and roles of the one.
        hypothesis: Those of the other.
        counterpart: For each unit of the hypothesis, that of the premise, or -1.
        known: What is known of the words.
        beside: Which units run alongside each other.
    """

    def __init__(
        self,
        premise: Reading,
        hypothesis: Reading,
        counterpart: list[int],
        known: Known,
        beside: Beside,
    ) -> None:
        self.beside = beside
        self.premise, self.hypothesis, self.known = premise, hypothesis, known
        self.back = counterpart
        self.named: set[int] = set()  # modifiers of the premise that are part of a name
        self.added: set[int] = set()  # and those of the hypothesis
        self.forth = [-1] * len(premise.units)
        for j, i in enumerate(counterpart):
            if i >= 0:
                self.forth[i] = j

    def changes(self) -> list[Change]:
        """Return all edits, in no order yet."""
        self._settle_predicates()
        self._opposites()
        return [
            *_fused(self.premise, self.hypothesis, self._substitutions(), operators(self.premise, self.hypothesis, self.back)),
            *self._deletions(),
            *self._insertions(),
            *self._reorderings(),
        ]

    def _opposites(self) -> None:
        """Particles and adverbs of place that took each other's place: "up" and "down"."""
        for j, unit in enumerate(self.hypothesis.units):
            if self.back[j] >= 0 or unit.pos not in {"ADV", "ADP"}:
                continue
            for i, other in enumerate(self.premise.units):
                if self.forth[i] < 0 and other.pos in {"ADV", "ADP"} and opposed(other.lemma, unit.lemma):
                    self.back[j], self.forth[i] = i, j
                    break

    def _settle_predicates(self) -> None:
        """Main predicates without counterparts are each other's: one took the other's place."""
        p, h = self.premise.units, self.hypothesis.units
        for j, unit in enumerate(h):
            if unit.main and self.back[j] < 0:
                i = next(
                    (
                        i
                        for i, u in enumerate(p)
                        if u.main and self.forth[i] < 0 and (u.pos == "VERB") == (unit.pos == "VERB")
                    ),
                    -1,
                )
                if i >= 0:
                    self.back[j], self.forth[i] = i, j

    def _substitutions(self) -> list[Change]:
        found = []
        for j, i in enumerate(self.back):
            if i < 0:
                continue
            p, h = self.premise.units[i], self.hypothesis.units[j]
            told = self._told(i, j)
            if told is not None and not self._exchanged(p, h):
                found.append(Change(EditKind.SUBSTITUTE, i, j, *told))
            elif p.pos != h.pos and {p.pos, h.pos} in ({"NOUN", "VERB"}, {"NOUN", "ADJ"}) and p.lemma == h.lemma:
                relation = spread((Entailment.EQUIVALENCE, 0.8))
                found.append(Change(EditKind.REORDER, i, j, relation, f"{p.text} → {h.text}: the same word"))
            found += self._prepositions(i, j)
        return found

    def _told(self, i: int, j: int) -> Told | None:
        """Return what becomes of a unit: by itself, or with a modifier that makes one name with it and is used up."""
        p, h = self.premise.units[i], self.hypothesis.units[j]
        if opposed(p.lemma, h.lemma) and p.pos in {"ADV", "ADP"}:
            return _ELSEWHERE, f"{p.text} | {h.text}: opposite ways"
        if p.pos == h.pos == "VERB" and p.lemma.split()[0] == h.lemma.split()[0] and p.lemma != h.lemma:
            return _PARTICLE, f"{p.text} → {h.text}: the same verb, another particle"
        if unreal(p.lemma, h.lemma):
            return spread((_A, 0.9)), f"{p.text} | {h.text}: one is what the noun says, the other is not"
        same = p.lemma == h.lemma or p.text == h.text
        best = None if same else self.known.told(i, j, 0) or (NOTHING, f"{p.text} | {h.text}: unknown")
        for way in (1, 2, 3) if p.phrase or h.phrase else ():
            if (way != 2 and self._busy(p, self.forth)) or (way != 1 and self._busy(h, self.back)):
                continue
            told = _one_name(p, h, way) or self.known.told(i, j, way)
            if told is not None and _says_more(told, best):
                best = told
                self.named.update([p.modifier] if way != 2 else [])
                self.added.update([h.modifier] if way != 1 else [])
        return best

    @staticmethod
    def _busy(unit: Unit, other: list[int]) -> bool:
        return not unit.phrase or other[unit.modifier] >= 0

    @staticmethod
    def _exchanged(p: Unit, h: Unit) -> bool:
        """Whether both say whether their complement is so, and it is known what becomes of that."""
        return bool(p.operator and h.operator) and "00" not in (p.operator.implies, h.operator.implies)

    def _prepositions(self, i: int, j: int) -> list[Change]:
        p, h = self.premise.units[i], self.hypothesis.units[j]
        if p.case == h.case or not p.case or not h.case or "without" in (p.case, h.case):
            return []
        relation = prepositions(p.case, h.case)
        if relation is None:
            return []
        return [Change(EditKind.SUBSTITUTE, i, j, relation, f"{p.case} {p.text} → {h.case} {h.text}")]

    def _deletions(self) -> list[Change]:
        found = []
        for i, unit in enumerate(self.premise.units):
            if self.forth[i] >= 0 or (unit.parent >= 0 and self.forth[unit.parent] < 0) or i in self.named or self._governs(unit, self.forth):
                continue
            relation, why = dropped(self.premise.units, i, self.forth)
            text = f"{_phrase(self.premise.units, i, self.forth)} is left out: {why}"
            found.append(Change(EditKind.DELETE, i, -1, relation, text, place=i))
        return found

    def _insertions(self) -> list[Change]:
        found = []
        h = self.hypothesis.units
        for j, unit in enumerate(h):
            if self.back[j] >= 0 or (unit.parent >= 0 and self.back[unit.parent] < 0) or j in self.added or self._governs(unit, self.back):
                continue
            relation, why = added(h, j, self.back)
            if self._said_by_structure(j):
                relation, why = (
                    spread((Entailment.EQUIVALENCE, 0.85), (Entailment.REVERSE, 0.1)),
                    "said by the structure",
                )
            where = whereabouts(unit, self.premise.units)
            if where is not None:
                relation, why = (_THERE, "that is where it is") if where else (_ELSEWHERE, "it is elsewhere")
            place = self.back[unit.parent] if unit.parent >= 0 else -1
            text = f"{_phrase(h, j, self.back)} is added: {why}"
            found.append(Change(EditKind.INSERT, -1, j, relation, text, place=place))
        return found

    @staticmethod
    def _governs(unit: Unit, other: list[int]) -> bool:
        if unit.operator is not None:
            return other[unit.complement] >= 0
        return unit.parent >= 0 and removed(unit) is not None

    def _said_by_structure(self, j: int) -> bool:
        """Whether a light word only joins what the premise joins without it."""
        unit = self.hypothesis.units[j]
        if unit.lemma not in LIGHT:
            return False
        near = [b if a == j else a for a, b, role, _ in self.hypothesis.edges if j in (a, b) and role != JOIN]
        if any(self.back[k] < 0 for k in near) or len(set(near)) < 2:
            return False
        pairs = [(self.back[k], self.back[l]) for k in near for l in near if k < l]
        return all(self._joined(a, b) or self._joined(b, a) for a, b in pairs)

    def _joined(self, a: int, b: int) -> bool:
        return (a, b) in self.premise.joined

    def _reorderings(self) -> list[Change]:
        """Roles in the hypothesis that the premise does not bear out."""
        found: list[Change] = []
        for a, b, role, case in self.hypothesis.edges:
            i, k = self.back[a], self.back[b]
            if i < 0 or k < 0 or role == JOIN:
                continue
            if self._other_kind(i, a) or self._other_kind(k, b):
                continue
            if self._unmoved(i, a) and self._unmoved(k, b):
                continue
            borne = self._borne_out(i, k, role, case)
            if borne < 0.5 and role == PREP and self._hangs_elsewhere(b, k):
                continue
            if borne < 0.5 and role in CORE and self._said_of_either(a, i, b, k):
                continue
            if borne < 0.5 and not (role in CORE and borne > 0 and self._either_voice(i, a)):
                relation, what = self._doubt(i, k, role, borne)
                h = self.hypothesis.units
                found.append(Change(EditKind.REORDER, k, b, relation, f"{h[b].text} with {h[a].text}: {what}"))
        return found

    def _other_kind(self, i: int, j: int) -> bool:
        """Whether two aligned units are of different kinds, so that their roles cannot be compared: "a smile", "smiles"."""
        return (self.premise.units[i].pos == "VERB") != (self.hypothesis.units[j].pos == "VERB")

    def _either_voice(self, i: int, j: int) -> bool:
        """Whether a verb form may be active or passive: "people gathered in a park"."""
        alone = all(sum(a == at and r in CORE for a, _, r, _ in reading.edges) < 2
                    for reading, at in ((self.premise, i), (self.hypothesis, j)))
        return alone and any(unit.text.endswith(("ed", "en")) for unit in (self.premise.units[i], self.hypothesis.units[j]))

    def _unmoved(self, i: int, j: int) -> bool:
        """Whether nothing changed around two units but words that took each other's place."""
        p, h = self.premise.units[i], self.hypothesis.units[j]
        return (i, j) in self.beside.pairs and p.passive == h.passive

    def _hangs_elsewhere(self, j: int, k: int) -> bool:
        """Whether a prepositional phrase may hang on the noun before it instead, and does so in the premise."""
        before = [self.back[n] for n in range(j) if self.hypothesis.units[n].pos in {"NOUN", "VERB", "PROPN"}]
        return any(i >= 0 and (self._joined(i, k) or self._joined(k, i)) for i in before[-3:])

    def _said_of_either(self, a: int, i: int, b: int, k: int) -> bool:
        """Whether a clause may be said of one noun or of another before it: "a man in a shirt sitting on a rock"."""
        p, h = self.premise.units, self.hypothesis.units
        above = p[i].parent if p[i].relation == "acl" else -1
        while above >= 0:
            if above == k:
                return True
            above = p[above].parent
        above = h[a].parent if h[a].relation == "acl" else -1
        while above >= 0:
            if self.back[above] >= 0 and self._joined(i, self.back[above]):
                return True
            above = h[above].parent
        return False

    def _doubt(self, i: int, k: int, role: int, borne: float) -> Told:
        """Return what it comes to that the premise does not join two units in this role."""
        if role in CORE:
            if borne > 0:
                return _SWAPPED, "another role"
            if any(a == i and r == role for a, _, r, _ in self.premise.edges):
                return _OTHERS, "something else is"
            return _LOOSE, "not joined so"
        if any(b == k and a != i and self.forth[a] >= 0 and r not in CORE for a, b, r, _ in self.premise.edges):
            return _OTHERS, "it belongs to something else"
        return _LOOSE, "not joined so"

    def _borne_out(self, i: int, k: int, role: int, case: str) -> float:
        """How well some edge of the premise says that `k` is to `i` what the hypothesis says."""
        p = self.premise
        best = 0.0
        for edge in p.joined.get((i, k), ()):
            best = max(best, float(COMPATIBLE[edge[2], role]))
        for edge in p.joined.get((k, i), ()):
            best = max(best, 0.8 * float(COMPATIBLE[edge[2], role]))
        if best >= 0.5:
            return best
        for a, b, r, c in p.edges:
            if b == k and case and c == case and a != i:
                return 0.8  # where a prepositional phrase hangs is a guess
            if self.forth[b] < 0 and a == i and (b, k) in p.joined:
                best = max(best, 0.6)
            if self.forth[a] < 0 and b == i and (a, k) in p.joined:
                best = max(best, 0.6)
            if self.forth[a] < 0 and b == k and (i, a) in p.joined:
                best = max(best, 0.6)
        return best


def _fused(
    premise: Reading, hypothesis: Reading, substitutions: list[Change], denials: list[Change]
) -> list[Change]:
    """Make one edit of a predicate that is no event, exchanged and denied at once: "is open" to "is not shut"."""
    kept = []
    for change in substitutions:
        i, j = change.premise, change.hypothesis
        p, h = premise.units[i], hypothesis.units[j]
        at = next((d for d in denials if (d.premise, d.hypothesis) == (i, j) and d.reason.endswith("denied")), None)
        if at is None or "VERB" in (p.pos, h.pos) or h.negation < 0:
            kept.append(change)
            continue
        joined = np.zeros(7, np.float32)
        np.add.at(joined, JOINED[:, Entailment.NEGATION], change.relation)
        at.relation, at.reason = joined, f"{change.reason}; {at.reason}"
    return [*kept, *denials]


def _one_name(p: Unit, h: Unit, way: int) -> Told | None:
    """Whether two names differ by a space at most."""
    first, then = (p.phrase if way != 2 else p.lemma), (h.phrase if way != 1 else h.lemma)
    if first.replace(" ", "").replace("-", "") != then.replace(" ", "").replace("-", ""):
        return None
    return spread((Entailment.EQUIVALENCE, 0.95)), f"{first} = {then}: one name"


def _says_more(told: Told, best: Told | None) -> bool:
    """Whether a name as a whole says more than its noun does: it means the same, or is known where the noun is not."""
    if told[0][Entailment.EQUIVALENCE] > 0.5:
        return best is None or told[0][Entailment.EQUIVALENCE] > best[0][Entailment.EQUIVALENCE]
    return best is not None and bool(told[0][Entailment.INDEPENDENCE] < best[0][Entailment.INDEPENDENCE] - 0.2)


def _phrase(units: list[Unit], top: int, other: list[int]) -> str:
    """The words of a unit and of what hangs below it without a counterpart."""
    members, queue = [top], [top]
    while queue:
        for child in units[queue.pop()].children:
            if other[child] < 0:
                members.append(child)
                queue.append(child)
    return " ".join(f"{units[m].case} {units[m].text}".strip() for m in sorted(members))

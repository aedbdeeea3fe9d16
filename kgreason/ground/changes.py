"""What leads from a premise to a hypothesis, given the counterparts of their units: the edits, one by one."""

from collections.abc import Callable
from typing import final

from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, Distribution, spread
from kgreason.ground.clauses import operators
from kgreason.ground.matching import Reading
from kgreason.ground.modifiers import added, dropped, prepositions
from kgreason.ground.roles import AGENT, COMPATIBLE, JOIN, PATIENT
from kgreason.ground.trees import Unit
from kgreason.ground.words import LIGHT


@final
class Comparison:
    """Two texts whose units are matched.

    Args:
        premise: The units and roles of the one.
        hypothesis: Those of the other.
        counterpart: For each unit of the hypothesis, that of the premise, or -1.
        lexical: The relation between two units that are not the same word, and why.
    """

    def __init__(
        self,
        premise: Reading,
        hypothesis: Reading,
        counterpart: list[int],
        lexical: Callable[[int, int], tuple[Distribution, str]],
    ) -> None:
        self.premise, self.hypothesis, self.lexical = premise, hypothesis, lexical
        self.back = counterpart
        self.forth = [-1] * len(premise.units)
        for j, i in enumerate(counterpart):
            if i >= 0:
                self.forth[i] = j

    def changes(self) -> list[Change]:
        """Return all edits, in no order yet."""
        self._settle_predicates()
        return [
            *self._substitutions(),
            *self._deletions(),
            *self._insertions(),
            *self._reorderings(),
            *operators(self.premise, self.hypothesis, self.back),
        ]

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
            if p.lemma != h.lemma:
                relation, reason = self.lexical(i, j)
                found.append(Change(EditKind.SUBSTITUTE, i, j, relation, reason))
            elif p.pos != h.pos and {p.pos, h.pos} <= {"NOUN", "VERB", "ADJ", "ADV"}:
                relation = spread((Entailment.EQUIVALENCE, 0.8))
                found.append(Change(EditKind.REORDER, i, j, relation, f"{p.text} → {h.text}: the same word"))
            found += self._prepositions(i, j)
        return found

    def _prepositions(self, i: int, j: int) -> list[Change]:
        p, h = self.premise.units[i], self.hypothesis.units[j]
        if p.case == h.case or not p.case or not h.case:
            return []
        relation = prepositions(p.case, h.case)
        if relation is None:
            return []
        return [Change(EditKind.SUBSTITUTE, i, j, relation, f"{p.case} {p.text} → {h.case} {h.text}")]

    def _deletions(self) -> list[Change]:
        found = []
        for i, unit in enumerate(self.premise.units):
            if self.forth[i] >= 0 or (unit.parent >= 0 and self.forth[unit.parent] < 0):
                continue
            relation, why = dropped(self.premise.units, i, self.forth)
            text = f"{_phrase(self.premise.units, i, self.forth)} is left out: {why}"
            found.append(Change(EditKind.DELETE, i, -1, relation, text, place=i))
        return found

    def _insertions(self) -> list[Change]:
        found = []
        h = self.hypothesis.units
        for j, unit in enumerate(h):
            if self.back[j] >= 0 or (unit.parent >= 0 and self.back[unit.parent] < 0):
                continue
            relation, why = added(h, j, self.back)
            if self._said_by_structure(j):
                relation, why = (
                    spread((Entailment.EQUIVALENCE, 0.85), (Entailment.REVERSE, 0.1)),
                    "said by the structure",
                )
            place = self.back[unit.parent] if unit.parent >= 0 else -1
            text = f"{_phrase(h, j, self.back)} is added: {why}"
            found.append(Change(EditKind.INSERT, -1, j, relation, text, place=place))
        return found

    def _said_by_structure(self, j: int) -> bool:
        """Whether a light word only joins what the premise joins without it."""
        unit = self.hypothesis.units[j]
        if unit.lemma not in LIGHT:
            return False
        near = [b if a == j else a for a, b, *_ in self.hypothesis.edges if j in (a, b)]
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
            borne = self._borne_out(i, k, role, case)
            if borne >= 0.5:
                continue
            h = self.hypothesis.units
            swapped = role in (AGENT, PATIENT) and borne > 0
            relation = (
                spread((Entailment.INDEPENDENCE, 0.7), (Entailment.ALTERNATION, 0.2), (Entailment.EQUIVALENCE, 0.1))
                if swapped
                else spread((Entailment.EQUIVALENCE, 0.3), (Entailment.FORWARD, 0.1))
            )
            what = "another role" if swapped else "not joined so"
            found.append(Change(EditKind.REORDER, k, b, relation, f"{h[b].text} with {h[a].text}: {what}"))
        return found

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


def _phrase(units: list[Unit], top: int, other: list[int]) -> str:
    """The words of a unit and of what hangs below it without a counterpart."""
    members, queue = [top], [top]
    while queue:
        for child in units[queue.pop()].children:
            if other[child] < 0:
                members.append(child)
                queue.append(child)
    return " ".join(f"{units[m].case} {units[m].text}".strip() for m in sorted(members))

"""Two texts whose units are matched: what the edits are read from."""

from dataclasses import dataclass, field
from typing import Final

from kgreason.data.entailment import Entailment
from kgreason.ground.matching import Beside, Reading
from kgreason.ground.modifiers import opposed
from kgreason.ground.terms import Known
from kgreason.ground.trees import Unit

_SURELY: Final = 0.7


@dataclass(slots=True)
class Pairing:
    """A premise and a hypothesis, and which unit answers which.

    Args:
        premise: The units of the one, and the roles that join them.
        hypothesis: Those of the other.
        known: What is known of the words.
        beside: Which units run alongside each other.
        back: For each unit of the hypothesis its counterpart in the premise, or -1.
        forth: For each unit of the premise its counterpart in the hypothesis, or -1; follows from `back`.
        named: Modifiers of the premise that are part of a name, and so have no edit of their own.
        called: Those of the hypothesis.
    """

    premise: Reading
    hypothesis: Reading
    known: Known
    beside: Beside
    back: list[int]
    forth: list[int] = field(default_factory=list)
    named: set[int] = field(default_factory=set)
    called: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.forth = [-1] * len(self.premise.units)
        for j, i in enumerate(self.back):
            if i >= 0:
                self.forth[i] = j
        self._settle_predicates()
        self._settle_opposites()

    @property
    def p(self) -> list[Unit]:
        return self.premise.units

    @property
    def h(self) -> list[Unit]:
        return self.hypothesis.units

    def joined(self, one: int, other: int) -> bool:
        """Whether the premise joins two of its units in any role."""
        return (one, other) in self.premise.joined or (other, one) in self.premise.joined

    def _pair(self, i: int, j: int) -> None:
        self.back[j], self.forth[i] = i, j

    def _settle_predicates(self) -> None:
        """Main predicates without counterparts are each other's: one took the other's place."""
        for j, unit in enumerate(self.h):
            if not unit.main or self.back[j] >= 0:
                continue
            for i, other in enumerate(self.p):
                alike = (other.pos == "VERB") == (unit.pos == "VERB")
                if other.main and self.forth[i] < 0 and (alike or self._excluded(i, j)):
                    self._pair(i, j)
                    break

    def _excluded(self, i: int, j: int) -> bool:
        """Whether one predicate is known to exclude the other, though one of them is no verb: "died", "is alive"."""
        told = self.known.told(i, j, 0)
        return told is not None and float(told[0][Entailment.ALTERNATION] + told[0][Entailment.NEGATION]) > _SURELY

    def _settle_opposites(self) -> None:
        """Particles and adverbs of place may have taken each other's place: "up" and "down"."""
        for j, unit in enumerate(self.h):
            if self.back[j] >= 0 or unit.pos not in {"ADV", "ADP"}:
                continue
            for i, other in enumerate(self.p):
                if self.forth[i] < 0 and other.pos in {"ADV", "ADP"} and opposed(other.lemma, unit.lemma):
                    self._pair(i, j)
                    break

"""What is in a part is in the whole: "in Paris", "in France"."""

from dataclasses import replace
from typing import Final, final

from kgreason.data import KnowledgeGraph
from kgreason.data.edits import EditKind
from kgreason.data.entailment import Entailment
from kgreason.ground.changing import Change, spread
from kgreason.ground.sense_graph import MAPPING
from kgreason.ground.trees import Unit

_AT: Final = frozenset({"in", "inside", "within", "into", "at", "from", "around"})
_NAMES: Final = frozenset({"NOUN", "PROPN"})
_SENSES, _STEPS = 3, 4
_INSIDE: Final = spread((Entailment.FORWARD, 0.88), (Entailment.EQUIVALENCE, 0.02))
_AROUND: Final = spread((Entailment.REVERSE, 0.88), (Entailment.EQUIVALENCE, 0.02))

_TO: Final = frozenset({"visit", "tour", "explore"})


def _is_place(unit: Unit, units: list[Unit]) -> bool:
    """Whether a unit without a preposition is a place where somebody is: "visited Japan"."""
    return not unit.case and unit.relation == "obj" and unit.parent >= 0 and units[unit.parent].lemma in _TO


@final
class Containers:
    """Knows which places are parts of which, by a graph's relations from part to whole.

    Args:
        knowledge: The graph.
    """

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self.knowledge = knowledge
        self._wholes: dict[str, frozenset[str]] = {}

    def judge(self, changes: list[Change], premise: list[Unit], hypothesis: list[Unit]) -> list[Change]:
        """Return the changes; where a place became one that it is a part of, after one preposition, it is ⊏."""
        return [self._judged(change, premise, hypothesis) for change in changes]

    def _judged(self, change: Change, premise: list[Unit], hypothesis: list[Unit]) -> Change:
        if change.kind != EditKind.SUBSTITUTE or min(change.premise, change.hypothesis) < 0 or change.outer:
            return change
        p, h = premise[change.premise], hypothesis[change.hypothesis]
        if p.case != h.case or not {p.pos, h.pos} <= _NAMES or p.lemma == h.lemma:
            return change
        if p.case not in _AT and not (_is_place(p, premise) and _is_place(h, hypothesis)):
            return change
        if self.holds(p.lemma, h.lemma):
            return replace(change, relation=_INSIDE, reason=f"{p.text} is in {h.text}")
        if self.holds(h.lemma, p.lemma):
            return replace(change, relation=_AROUND, reason=f"{h.text} is in {p.text}")
        return change

    def holds(self, part: str, whole: str) -> bool:
        """Whether one of the likeliest senses of a word is a part of the likeliest one of another."""
        wholes = self._wholes_of(part)
        return bool(wholes) and any(sense in wholes for sense in self._senses(whole))

    def _senses(self, word: str) -> list[str]:
        """Return the likeliest entities of a word; a name may be known with a capital alone."""
        labels = self.knowledge.labels
        forms = dict.fromkeys((word.title(), word))  # a berlin is a carriage
        found = [int(i) for form in forms for i in labels.senses(form)[0][:_SENSES]]
        return [self.knowledge.entities[i] for i in dict.fromkeys(found)]

    def _wholes_of(self, part: str) -> frozenset[str]:
        if part not in self._wholes:
            ahead = self._senses(part)
            found: set[str] = set()
            for _ in range(_STEPS):
                above = {t for here in ahead for r, t in self.knowledge.out(here) if r in MAPPING["part"]}
                ahead = sorted(above - found)
                found |= above
            self._wholes[part] = frozenset(found)
        return self._wholes[part]

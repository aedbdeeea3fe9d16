"""Why two words are related as they are, in words."""

from typing import Final

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from kgreason.data import Entailment, KnowledgeGraph
from kgreason.ground.sense_pairs import EVIDENCE
from kgreason.ground.term import Term
from kgreason.ground.word_facts import WordFacts

#: Which evidence speaks for which relation, the most telling first.
_FOR: Final = {
    Entailment.EQUIVALENCE: ("synonym", "beside", "related"),
    Entailment.FORWARD: ("forward", "stronger"),
    Entailment.REVERSE: ("reverse", "milder"),
    Entailment.NEGATION: ("negation", "opposite", "far_opposite"),
    Entailment.ALTERNATION: ("apart", "opposite", "disjoint", "far_opposite", "exclusive", "attribute", "alike"),
    Entailment.COVER: (),
    Entailment.INDEPENDENCE: ("part", "related", "alike", "beside"),
}
_SAYS: Final = {
    "synonym": "synonyms",
    "beside": "neighbours on one scale",
    "related": "related words",
    "stronger": "the first is the stronger",
    "milder": "the first is the milder",
    "negation": "complements",
    "apart": "disjoint in the graph",
    "opposite": "opposites",
    "far_opposite": "opposites, not directly",
    "attribute": "qualities of one scale",
    "part": "part and whole",
}
_AT: Final = {name: i for i, name in enumerate(EVIDENCE)}
_ENOUGH = 0.05


def reason_of(
    pair: tuple[Term, Term],
    relation: Entailment,
    strength: Float32[ndarray, " kinds"],
    witness: Int32[ndarray, " kinds"],
    knowledge: KnowledgeGraph,
    facts: WordFacts,
) -> str:
    """Return what speaks for a relation: "guitar → instrument: hypernym, 2 steps".

    Args:
        pair: The two terms.
        relation: The likeliest relation.
        strength: The evidence of their senses.
        witness: What shows it.
        knowledge: The graph that the witnesses stand in.
        facts: The lines that they name.
    """
    first, second = pair
    kinds = [kind for kind in _FOR[relation] if strength[_AT[kind]] > _ENOUGH]
    best = max(kinds, key=lambda kind: float(strength[_AT[kind]]), default="")
    if not best:
        known = "nothing is known" if not np.any(strength) else "nothing says more than this"
        return f"{first.text} {relation.symbol} {second.text}: {known}"
    found = int(witness[_AT[best]])
    if best == "forward":
        return f"{first.text} → {second.text}: hypernym, {_steps(found)}"
    if best == "reverse":
        return f"{first.text} ← {second.text}: hyponym, {_steps(found)}"
    return f"{first.text} {relation.symbol} {second.text}: {_said(best, found, knowledge, facts)}"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _said(kind: str, found: int, knowledge: KnowledgeGraph, facts: WordFacts) -> str:
    if kind in ("exclusive", "alike"):
        return f"both {knowledge.label(found)}"
    if kind == "disjoint":
        return f"disjoint, {facts.concepts[-2 - found].about}"
    return _SAYS[kind]

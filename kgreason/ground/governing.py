"""What a clause governs or shares: verbs that say whether their complement is so, conjuncts under one negation."""

from typing import TYPE_CHECKING, Final

from kgreason.data.entailment import Entailment
from kgreason.data.operators import REMOVAL, predicates

if TYPE_CHECKING:
    from kgreason.ground.trees import Unit

_COMPLEMENTS: Final = frozenset({"xcomp", "ccomp", "csubj", "acl", "advcl"})
_NOMINAL: Final = frozenset({"NOUN", "PROPN"})
_TURNED: Final = {Entailment.FORWARD: Entailment.REVERSE, Entailment.REVERSE: Entailment.FORWARD}


def govern(units: "list[Unit]") -> None:
    """Note which units say whether their complement is so, and share what conjuncts have in common."""
    for unit in units:
        for child in unit.children:
            _complement(unit, units[child], child)
    for unit in units:
        if unit.relation == "conj" and unit.parent >= 0:
            _share(units, unit, units[unit.parent])


def _complement(unit: "Unit", below: "Unit", child: int) -> None:
    if below.relation not in _COMPLEMENTS or unit.complement >= 0:
        return
    if below.relation in {"acl", "advcl"} and (below.mark not in {"that", "to"} or unit.pos == "VERB"):
        return
    if unit.excess and below.mark == "to":  # who is too young to drive cannot drive
        unit.operator, unit.complement = predicates()["unable", "to"], child
        below.modal, below.modal_node = below.modal or "can", below.modal_node
        return
    for frame in _frames(below):
        operator = predicates().get((unit.lemma, frame))
        if operator is not None:
            unit.operator, unit.complement = operator, child
            return


def _frames(below: "Unit") -> tuple[str, ...]:
    if below.mark == "to":
        return ("to",)
    if below.mark in {"whether", "if"}:
        return ("whether",)
    if below.relation == "xcomp":
        return ("ing", "to") if below.text.endswith("ing") else ()
    return ("that",) if below.mark in {"that", ""} else ()


def _share(units: "list[Unit]", unit: "Unit", first: "Unit") -> None:
    """Several conjuncts are joined by the last one's word; "did not eat or drink" denies both."""
    joined = next(
        (units[c].joined for c in reversed(first.children) if units[c].relation == "conj" and units[c].joined), ""
    )
    unit.joined = unit.joined or joined
    own = any(units[c].relation == "nsubj" for c in unit.children)
    if unit.joined in {"or", "nor"} and not own and unit.negation < 0 and unit.pos == first.pos:
        unit.negation = first.negation
    if unit.joined == "nor" and unit.pos in _NOMINAL:  # the denial is that of the clause, or of the first
        unit.negation = -1
        if first.quantifier == "no" and not unit.quantifier:
            unit.quantifier, unit.quantifier_node = "no", first.quantifier_node
    if first.modal and not own and not unit.modal and unit.pos == first.pos:
        unit.modal, unit.modal_node = first.modal, first.modal_node


def removal(unit: "Unit") -> Entailment:
    """Return the relation of a sentence with this predicate to its complement alone, its own negation counted in."""
    implies = unit.operator.implies if unit.operator else "00"
    return REMOVAL[implies[::-1] if unit.negation >= 0 else implies]


def turned(relation: Entailment) -> Entailment:
    """Return the relation seen from the other side."""
    return _TURNED.get(relation, relation)

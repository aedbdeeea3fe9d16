"""One edit of two that only together say how a sentence changed: an exchanged predicate under another operator."""

import numpy as np

from kgreason.data.entailment import JOIN, Entailment
from kgreason.ground.changing import Change, Distribution
from kgreason.ground.pairing import Pairing
from kgreason.ground.trees import Unit

_HALF = 0.5


def fuse(m: Pairing, substitutions: list[Change], operators: list[Change]) -> list[Change]:
    r"""Return both lists, with edits of one predicate made one where that says more.

    - A predicate that is no event, exchanged and denied at once ("is open", "is not shut"), is one edit: the relation
      of the words joined with $\wedge$. Of an event it is not: who sings is not thereby said not to dance.
    - Where a quantifier changes and its predicate becomes one that excludes it ("all are ripe", "some are unripe"), the
      second predicate is more special than the first one denied, $\neg B \sqsupset B'$. So the quantifier becomes
      the other one with a denied predicate, and the substitution is made from there.
    """
    kept = []
    for change in substitutions:
        pair = change.premise, change.hypothesis
        for operator in operators:
            if operator.clause == pair and operator.denied is not None and _excludes(change.relation):
                operator.relation, operator.reason = operator.denied, f"{operator.reason} not"
                change.relation = _joined(JOIN[Entailment.NEGATION], change.relation)
                change.reason = f"{change.reason}, so from not {m.p[change.premise].text}"
        denial = next((o for o in operators if o.denies and (o.premise, o.hypothesis) == pair), None)
        event = _is_event(m.p[pair[0]]) or _is_event(m.h[pair[1]])
        if denial is None or event or m.h[pair[1]].negation < 0:
            kept.append(change)
        else:
            denial.relation = _joined(JOIN[:, Entailment.NEGATION], change.relation)
            denial.reason = f"{change.reason}; {denial.reason}"
    return [*kept, *operators]


def _is_event(unit: Unit) -> bool:
    """Whether a unit tells what happens, and not how something is: "closes", not "is closed"."""
    return unit.pos == "VERB" and not (unit.passive and unit.main)


def _joined(table: np.ndarray, relation: Distribution) -> Distribution:
    out = np.zeros(7, np.float32)
    np.add.at(out, table, relation)
    return out


def _excludes(relation: Distribution) -> bool:
    return bool(relation[Entailment.ALTERNATION] + relation[Entailment.NEGATION] >= _HALF)

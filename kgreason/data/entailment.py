r"""The seven relations of natural logic, how they join, and how a place in a sentence projects them.

A relation between two statements $p$ and $q$ is the set of pairs of truth values that they may have together:

| relation | name | pairs $(p, q)$ that may be |
|---|---|---|
| $p \equiv q$ | equivalence | 00, 11 |
| $p \sqsubset q$ | forward entailment | 00, 01, 11 |
| $p \sqsupset q$ | reverse entailment | 00, 10, 11 |
| $p \wedge q$ | negation | 01, 10 |
| $p \mid q$ | alternation | 00, 01, 10 |
| $p \smile q$ | cover | 01, 10, 11 |
| $p \mathbin{\#} q$ | independence | all four |

So the join of two relations is the composition of two sets, and no table needs to be typed.

The order of the relations and of the signatures is part of the file formats: append, never reorder.

Reference:
    MacCartney and Manning (2009, IWCS-8). Projectivity signatures: MacCartney (2009, PhD thesis, section 6.2) and
    Icard (2012, Studia Logica 100).
"""

from enum import IntEnum
from itertools import product
from typing import Final

import numpy as np
from jaxtyping import Int8
from numpy import ndarray


class Entailment(IntEnum):
    """A relation of natural logic; the position in every axis of seven."""

    EQUIVALENCE = 0
    FORWARD = 1
    REVERSE = 2
    NEGATION = 3
    ALTERNATION = 4
    COVER = 5
    INDEPENDENCE = 6

    @property
    def symbol(self) -> str:
        """As linguists write it."""
        return "≡⊏⊐^|⌣#"[self]


_WORLDS: Final = tuple(
    frozenset(tuple(pair) for pair in pairs.split())
    for pairs in ("00 11", "00 01 11", "00 10 11", "01 10", "00 01 10", "01 10 11", "00 01 10 11")
)


def _joined(first: Entailment, then: Entailment) -> Entailment:
    chain = frozenset((p, r) for (p, q), (s, r) in product(_WORLDS[first], _WORLDS[then]) if q == s)
    return Entailment(_WORLDS.index(chain))


#: `JOIN[i, j]`: the relation of the first to the last statement, if the first stands to a second in `i` and that to the
#: last in `j`. The strongest relation that is sure to hold.
JOIN: Final[Int8[ndarray, "7 7"]] = np.array([[_joined(i, j) for j in Entailment] for i in Entailment], np.int8)


def _conjoined(first: Entailment, second: Entailment) -> Entailment:
    if Entailment.EQUIVALENCE in (first, second):  # nothing is said beside the other relation
        return max(first, second)
    both = frozenset((min(p, r), min(q, s)) for (p, q), (r, s) in product(_WORLDS[first], _WORLDS[second]))
    return Entailment(_WORLDS.index(both))


#: `CONJOIN[i, j]`: the relation of "p and r" to "q and s", if p stands to q in `i`, r to s in `j`, and p and q say
#: nothing of r and s. Two changes at places that do not contain each other: one that excludes is enough to exclude, and
#: all must entail to entail. With equivalence, the other relation stays what it is.
CONJOIN: Final[Int8[ndarray, "7 7"]] = np.array([[_conjoined(i, j) for j in Entailment] for i in Entailment], np.int8)


class Polarity(IntEnum):
    """What becomes of a more general word at a place: a more general sentence, a more special one, or neither."""

    UPWARD = 0
    DOWNWARD = 1
    NEITHER = 2


#: How an argument of an operator projects: row `i` of the seven letters is what relation `i` becomes.
_OPERATORS: Final = {
    # name: what becomes of ≡ ⊏ ⊐ ^ | ⌣ #
    "upward": "≡⊏⊐^|⌣#",
    "not": "≡⊐⊏^⌣|#",
    "some": "≡⊏⊐⌣#⌣#",
    "no": "≡⊐⊏|#|#",
    "every, restrictor": "≡⊐⊏|#|#",
    "every, scope": "≡⊏⊐||##",
    "not every, restrictor": "≡⊏⊐⌣#⌣#",
    "not every, scope": "≡⊐⊏⌣⌣##",
    "upward only": "≡⊏⊐####",
    "downward only": "≡⊐⊏####",
    "none": "≡######",
    "exclusive": "≡##||##",
}
_ORDER: Final = "≡⊏⊐^|⌣#"


def _close(generators: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return all compositions of some projections, in the order in which a search by breadth finds them."""
    found = list(dict.fromkeys(generators))
    at = 0
    while at < len(found):
        for outer in generators:
            composed = tuple(outer[inner] for inner in found[at])
            if composed not in found:
                found.append(composed)
        at += 1
    return found


_GENERATORS: Final = [tuple(_ORDER.index(letter) for letter in row) for row in _OPERATORS.values()]
_SIGNATURES: Final = _close(_GENERATORS)
_NUMBER: Final = {signature: number for number, signature in enumerate(_SIGNATURES)}

#: `SIGNATURES[s, r]`: what the relation `r` between two words becomes between two sentences, if the words stand at a
#: place of signature `s`. Signature 0 is upward: every relation stays what it is.
SIGNATURES: Final[Int8[ndarray, "signatures 7"]] = np.array(_SIGNATURES, np.int8)

#: `COMPOSE[outer, inner]`: the signature of a place of signature `inner` within a phrase at a place of `outer`.
COMPOSE: Final[Int8[ndarray, "signatures signatures"]] = np.array(
    [[_NUMBER[tuple(outer[i] for i in inner)] for inner in _SIGNATURES] for outer in _SIGNATURES], np.int8
)

_FORWARD_TO: Final = {Entailment.FORWARD: Polarity.UPWARD, Entailment.REVERSE: Polarity.DOWNWARD}
#: `POLARITY[s]`: the `Polarity` of a place of signature `s`.
POLARITY: Final[Int8[ndarray, " signatures"]] = np.array(
    [_FORWARD_TO.get(Entailment(row[Entailment.FORWARD]), Polarity.NEITHER) for row in _SIGNATURES], np.int8
)


def signature(operator: str) -> int:
    """Return the number of the signature of an operator's argument.

    Args:
        operator: `upward`, `not`, `some`, `no`, `every, restrictor`, `every, scope`, `not every, restrictor`,
            `not every, scope`, `upward only` and `downward only` (what excludes or exhausts is lost), `none` (all but
            equivalence is lost), `exclusive` (what excludes still does, and nothing else is kept: "only red hats").

    Raises:
        KeyError: If there is no such operator.
    """
    return _NUMBER[tuple(_ORDER.index(letter) for letter in _OPERATORS[operator])]

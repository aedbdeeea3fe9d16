r"""The logic of one-word edits: which label follows from what is exchanged, where, and under which negation.

A relation between two sentences $p$ and $q$ is the set of pairs of truth values that they may have together. The seven
relations of natural logic are seven such sets (`EQUAL` … `INDEPENDENT`); joining and negating are operations on sets,
so no table needs to be typed and no case forgotten.

Reference:
    The relations and their projection: MacCartney and Manning (2009, IWCS-8). Unlike theirs, two edits are joined in
    every order and the results intersected, for each order is sound and one may say more than another.
"""

from functools import cache
from itertools import permutations
from typing import TypeAlias

Worlds: TypeAlias = frozenset[tuple[bool, bool]]
"""The truth values (p, q) that two sentences may have together."""


def _worlds(*rows: str) -> Worlds:
    return frozenset((row[0] == "1", row[1] == "1") for row in rows)


EQUAL = _worlds("00", "11")
FORWARD = _worlds("00", "01", "11")
REVERSE = _worlds("00", "10", "11")
CONTRADICTORY = _worlds("01", "10")
EXCLUSIVE = _worlds("00", "01", "10")
EXHAUSTIVE = _worlds("01", "10", "11")
INDEPENDENT = _worlds("00", "01", "10", "11")

#: What exchanging a word for another does to the phrase around it, in upward position.
LEXICAL = {
    "same": EQUAL,
    "synonym": EQUAL,
    "hypernym": FORWARD,
    "hyponym": REVERSE,
    "antonym": EXCLUSIVE,
    "complement": CONTRADICTORY,
    "co_hyponym": EXCLUSIVE,
    "other": INDEPENDENT,
}


@cache
def project(relation: Worlds, polarity: str, exclusive: str) -> Worlds | None:
    """Return the relation between two sentences that differ by one exchange.

    Args:
        relation: Between the two fillers.
        polarity: Of the place: `up`, `down` or `none`.
        exclusive: What exclusive fillers do there: `strict` and `event` (the sentences exclude each other), `no`
            (nothing), `unclear`.

    Returns:
        The relation, or None where it cannot be told.
    """
    if relation == EQUAL:
        return EQUAL
    if relation in (EXCLUSIVE, CONTRADICTORY):
        if exclusive == "unclear" or (relation == CONTRADICTORY and exclusive != "strict"):
            return None
        return relation if exclusive in ("strict", "event") and polarity == "up" else INDEPENDENT
    if polarity == "none":
        return INDEPENDENT
    if polarity == "down":
        return frozenset((q, p) for p, q in relation)
    return relation


@cache
def join(relations: tuple[Worlds, ...]) -> Worlds | None:
    """Return the relation between the first and the last sentence of a chain of edits.

    Two exclusive edits are not joined (a red coat, a blue hat): the result is None. Beside another edit, contradictory
    fillers are exclusive only: an old dog that is awake and a dog that is asleep.
    """
    if sum(relation in (EXCLUSIVE, CONTRADICTORY) for relation in relations) > 1:
        return None
    edits = [relation for relation in relations if relation != EQUAL]
    if len(edits) > 1:
        edits = [EXCLUSIVE if relation == CONTRADICTORY else relation for relation in edits]
    result = INDEPENDENT
    for order in permutations(edits):
        chain = EQUAL
        for relation in order:
            chain = frozenset((p, r) for p, q in chain for s, r in relation if q == s)
        result &= chain
    return result


@cache
def negate(relation: Worlds, premise: bool, hypothesis: bool) -> Worlds:
    """Return the relation after negating the premise, the hypothesis, both or neither."""
    return frozenset((p != premise, q != hypothesis) for p, q in relation)


def label(relation: Worlds) -> str:
    """Return what the premise says about the hypothesis: `entailment`, `contradiction` or `neutral`."""
    possible = {q for p, q in relation if p}
    if len(possible) != 1:
        return "neutral"
    return "entailment" if True in possible else "contradiction"

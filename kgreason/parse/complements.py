"""Which complements of a word it is an operator on: "refuse | to eat", "a lack | of water", "doubt | that it rains"."""

from collections.abc import Callable
from functools import cache
from typing import Final

from kgreason.data.operators import Operator, predicates
from kgreason.parse.words import NOMINAL, Words

_LEXICAL: Final = frozenset({"VERB", "ADJ", "NOUN", "AUX", "ADV"})
_NOUN_PHRASE: Final = frozenset({"obj", "obl", "nmod"})
_CLAUSE: Final = frozenset({"xcomp", "ccomp", "csubj", "advcl", "acl", "obl", "obj"})
_QUESTIONS: Final = frozenset({"what", "who", "whom", "whose", "which", "when", "where", "why", "how", "whether"})
_OTHERS: Final = frozenset({"xcomp", "ccomp", "advcl"})


def complements(words: Words, node: int, strong: Callable[[int], bool]) -> dict[int, Operator]:
    """Return the dependents of a word that it is an operator on, and the operator.

    Args:
        words: The words and their trees.
        node: The word.
        strong: Whether a noun phrase has a quantifier that reaches out of it, beyond the operator.
    """
    lemma = words.lemma[node]
    if not lemma or words.pos[node] not in _LEXICAL or lemma not in _lemmas():
        return {}
    found = {}
    for kid in words.kids[node]:
        rel = words.rel[kid]
        if rel in _NOUN_PHRASE and words.pos[kid] in NOMINAL and not words.opens(kid, "to"):
            operator = None if strong(kid) else _of_noun_phrase(words, lemma, node, kid)
        elif rel in _CLAUSE and (rel != "acl" or words.pos[node] == "NOUN"):
            operator = _of_clause(words, lemma, node, kid)
        else:
            continue
        if operator is not None:
            found[kid] = operator
        elif rel == "obj" and any(k < kid and "ing" in one.frames for k, one in found.items()):
            found[kid] = next(iter(found.values()))  # quit | smoking cigars, wherever the tree has the cigars
    return found


@cache
def _lemmas() -> frozenset[str]:
    return frozenset(lemma.partition("-")[0] for lemma, _ in predicates())


def _of_noun_phrase(words: Words, lemma: str, node: int, kid: int) -> Operator | None:
    known = predicates()
    case = next((words.lower[k] for k in words.kids[kid] if words.rel[k] == "case"), "")
    if not case:
        alone = words.rel[kid] == "obj" and not any(words.rel[k] in _OTHERS for k in words.kids[node])
        return known.get((lemma, "np")) if alone else None
    if case == "from" or (case in {"of", "to", "for"} and words.pos[node] != "VERB"):
        return known.get((f"{lemma}-{case}", "np")) or (known.get((lemma, "np")) if case in {"of", "from"} else None)
    return known.get((f"{lemma}-{case}", "np"))


def _of_clause(words: Words, lemma: str, node: int, kid: int) -> Operator | None:
    known = predicates()
    if words.opens(kid, "from"):
        return known.get((f"{lemma}-from", "ing")) or known.get((lemma, "ing"))
    frame = _frame(words, kid)
    if words.rel[kid] == "advcl" and (frame != "to" or words.pos[node] == "VERB"):
        return None  # "he ran | to catch a bus"
    return known.get((lemma, frame))


def _frame(words: Words, kid: int) -> str:
    """Return what kind of complement a clause is."""
    kids = words.kids[kid]
    marks = {words.lower[k] for k in kids if words.rel[k] == "mark"}
    if "to" in marks and words.opens(kid, "how"):
        return "how"
    if marks & {"whether", "if"} or any(words.lower[k] in _QUESTIONS and k < kid for k in kids):
        return "whether"
    if "to" in marks:
        return "to"
    if "that" in marks or any(words.rel[k] == "nsubj" for k in kids):
        return "that"
    if words.lower[kid].endswith("ing") or any(words.lower[k] in {"having", "being"} for k in kids):
        return "ing"
    return "to" if words.pos[kid] == "VERB" else ""

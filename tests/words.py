"""Pairs of words in a few characters, for all tests of what words say to one another."""

from kgreason.data import UPOS
from kgreason.ground.term import Term


def term(text: str, pos: str = "NOUN", lemma: str = "") -> Term:
    return Term(text, lemma or text.lower(), UPOS.id(pos))


def pairs(*texts: str, pos: str = "NOUN") -> list[tuple[Term, Term]]:
    """`pairs("dog/cat", "red/blue")`."""
    return [(term(a, pos), term(b, pos)) for a, b in (text.split("/") for text in texts)]

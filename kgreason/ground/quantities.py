"""Finds the quantifier of each noun phrase: "at least three", "none of", "not every", "a few"."""

from typing import Final

from kgreason.data.operators import Shape, find_operators
from kgreason.ground.rewrites import Sketch

_NOMINAL: Final = frozenset({"NOUN", "PROPN", "PRON", "ADJ", "NUM", "SYM", "X", "VERB"})
#: Adjectives that say how many.
_AMOUNTS: Final = frozenset(
    {"most", "some", "any", "few", "several", "many", "numerous", "multiple", "various", "countless"}
    | {"more", "fewer", "less"}
)
_DENIALS: Final = frozenset({"not", "n't"})


def quantify(s: Sketch) -> None:
    """Note the quantifier of each noun phrase, and that its words say nothing else."""
    for match in find_operators(s.text):
        if match.operators[0].shape not in (Shape.DETERMINER, Shape.INDEFINITE):
            continue
        first, last = match.first, match.last
        if first < last and s.relation[last] == "amod" and s.text[last] not in _AMOUNTS:
            last -= 1  # "a little girl"
        noun = _noun(s, range(first, last + 1))
        if noun >= 0 and s.text[first] in _DENIALS and first < last and _denies_clause(s, first, noun):
            first += 1
        while noun >= 0 and first < last and s.relation[first] == "case" and s.governor[first] == noun:
            first += 1  # "over two logs"
        if noun < 0 or (noun in s.quantity and s.quantity[noun][0] not in {"a", "an"}):
            continue
        words = [s.text[w] for w in range(first, last + 1)]
        s.quantity[noun] = " ".join(words), first
        s.silent.update(range(first, last + 1))


def _noun(s: Sketch, words: range) -> int:
    """Return the noun that these words quantify, or -1."""
    for noun, group in s.group.items():
        if group in words and noun not in words:
            return noun
    for word in reversed(words):
        above = s.governor[word]
        if above <= words[-1] or s.pos[above] not in _NOMINAL:
            continue
        counts = s.relation[word] in {"amod", "compound"} and s.text[word] in _AMOUNTS
        if counts or s.pos[word] == "DET" or s.relation[word] in {"det", "nummod"}:
            return above
    return -1


def _denies_clause(s: Sketch, word: int, noun: int) -> bool:
    """Whether "not" before a quantifier denies the verb, as in "is not a dog" and "does not eat any meat"."""
    return s.governor[word] != noun or s.child(noun, "cop") >= 0 or s.relation[noun] not in {"nsubj", "csubj"}

"""The head of a phrase that nobody has a name for: "little girl" is a girl, "group of people" is people."""

from collections.abc import Callable
from typing import Final

from kgreason.data import UPOS
from kgreason.ground.term import Term


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PREPOSITIONS: Final = _set(
    "with without in on at from by for to near under over behind of who that which beside next inside between"
)
#: Before "of", these say how many or how much of something, and are not what is spoken of.
_GROUPS: Final = _set(
    "group bunch pair couple crowd lot number set team kind type sort piece bit cup glass bottle slice series"
)
_ARTICLES: Final = _set("a an the some this that these those his her its their my your our")
#: With these before it a thing is not, or not surely, what the noun says.
_NOT_SUBSECTIVE: Final = _set(
    "fake false former ex alleged supposed toy artificial imaginary fictional counterfeit mock pretend would-be "
    "pseudo stuffed plastic virtual potential future past non not no"
)
_VERB, _NOUN = UPOS.id("VERB"), UPOS.id("NOUN")
_LEAST = 3  # letters of each part of a word written together


def head_of(term: Term) -> Term | None:
    """Return the head of a phrase, or None if it is one word, or is not what its head says.

    >>> head_of(Term("little girls", "little girl", UPOS.id("NOUN"))).lemma
    'girl'
    >>> head_of(Term("dog with a collar", "dog with a collar", 7)).text
    'dog'
    >>> head_of(Term("fake gun", "fake gun", 7)) is None
    True
    """
    texts, lemmas = term.text.split(), term.lemma.split()
    if len(texts) < 2 or len(texts) != len(lemmas) or _NOT_SUBSECTIVE & set(lemmas):
        return None
    if term.pos == _VERB:
        return Term(texts[0], lemmas[0], term.pos)
    if lemmas[0] in _ARTICLES:
        return Term(" ".join(texts[1:]), " ".join(lemmas[1:]), term.pos)
    if "of" in lemmas[1:-1] and lemmas[lemmas.index("of") - 1] in _GROUPS:
        at = lemmas.index("of") + 1
        return Term(" ".join(texts[at:]), " ".join(lemmas[at:]), term.pos)
    ends = next((i for i, lemma in enumerate(lemmas) if i and lemma in _PREPOSITIONS), len(lemmas))
    if ends == len(lemmas):
        return Term(" ".join(texts[1:]), " ".join(lemmas[1:]), term.pos)
    return Term(" ".join(texts[:ends]), " ".join(lemmas[:ends]), term.pos)


def head_within(term: Term, knows: Callable[[Term], bool]) -> Term | None:
    """Return the noun that a word ends in which nobody knows as a whole, or None: a "payphone" is a phone.

    Args:
        term: One word.
        knows: Whether a word is known; the first part must be, too.
    """
    word = term.lemma
    if term.pos != _NOUN or not word.isalpha() or knows(term):
        return None
    for at in range(_LEAST, len(word) - _LEAST + 1):
        head = Term(word[at:], word[at:], _NOUN)
        if knows(head) and knows(Term(word[:at], word[:at])):
            return head
    return None

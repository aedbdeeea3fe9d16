"""English spelling for the sentence frames: plurals, verb forms, a and an."""

import re
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["", "s", "ing", "past", "part"]

_PLURALS = {
    **{word: word for word in "sheep fish salmon trout tuna cod carp".split()},  # noqa: SIM905
    "goose": "geese",
    "piece of furniture": "pieces of furniture",
}
_VERBS = {
    "run": ("ran", "run"),
    "swim": ("swam", "swum"),
    "speak": ("spoke", "spoken"),
    "cut": ("cut", "cut"),
}
_DOUBLING = {"run", "swim", "cut", "chop", "jog"}
#: Letters mislead about these: "a European", "a one-eyed", "an hour".
_A_BEFORE = ("eu", "one", "uni", "use", "uku")
_AN_BEFORE = ("heir", "hono", "hour", "honest")


def plural(noun: str) -> str:
    """Return the plural of a noun.

    >>> plural("cherry"), plural("goose"), plural("wrench")
    ('cherries', 'geese', 'wrenches')
    """
    return _PLURALS.get(noun) or _with_s(noun)


def inflect(verb: str, form: Form) -> str:
    """Return a form of a verb: third person `s`, `ing`, `past`, participle `part`, or the verb itself.

    >>> inflect("fry", "past"), inflect("jog", "ing"), inflect("swim", "part"), inflect("bake", "ing")
    ('fried', 'jogging', 'swum', 'baking')
    """
    if form == "":
        return verb
    if form == "s":
        return _with_s(verb)
    stem = verb + verb[-1] if verb in _DOUBLING else verb
    if form == "ing":
        return stem.removesuffix("e") + "ing"
    if verb in _VERBS:
        return _VERBS[verb][form == "part"]
    if re.search(r"[^aeiou]y$", stem):
        return stem[:-1] + "ied"
    return stem.removesuffix("e") + "ed"


def article(word: str) -> str:
    """Return `a` or `an`, by the sound that `word` begins with."""
    word = word.lower()
    if word.startswith(_A_BEFORE):
        return "a"
    return "an" if word.startswith((*"aeiou", *_AN_BEFORE)) else "a"


def _with_s(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + ("es" if re.search(r"(?:s|x|z|ch|sh|[tg]o)$", word) and word not in ("banjo",) else "s")

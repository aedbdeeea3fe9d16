"""What the forms of two words say: spelling variants, and negation by a prefix or a suffix."""

import re
from typing import Final, Literal, TypeAlias

Negation: TypeAlias = Literal["", "complement", "contrary"]
"""How one word negates another: what is not the one is the other, or both may fail; empty if it does not."""

#: British endings and others, and what they become; applied to both words, so that only difference is lost.
_SPELLINGS: Final = (
    (re.compile(r"(?<=[bcdlmnpv])our(?=$|ed$|s$|ing$|ful$|less$|ite$|able$|er$|ly$|y$|hood$)"), "or"),
    (re.compile(r"(?<=[a-z]{2})is(?=e$|es$|ed$|ing$|ation$|er$|ers$)"), "iz"),
    (re.compile(r"(?<=l)ys(?=e$|es$|ed$|ing$)"), "yz"),
    (re.compile(r"(?<=[tb])re(?=$|s$)"), "er"),
    (re.compile(r"ogue(?=$|s$)"), "og"),
    (re.compile(r"(?<=[aeiou])ll(?=ed$|ing$|er$|ers$)"), "l"),
    (re.compile(r"ll(?=ery$|ful$|ment$)"), "l"),
    (re.compile(r"(?<=en|ef|an)ce$"), "se"),
    (re.compile(r"^gray"), "grey"),
    (re.compile(r"que(?=$|s$)"), "ck"),
    (re.compile(r"^pyj"), "paj"),
    (re.compile(r"ae|oe(?=[a-z]{2})"), "e"),
    (re.compile(r"ough(?=nut)"), "o"),
    (re.compile(r"yogh"), "yog"),
)
_APART = re.compile(r"[\s\-'’.]+")
#: Prefixes after which nothing is between: a thing is one or the other.
_COMPLEMENT: Final = ("non", "non-")
_CONTRARY: Final = ("un", "in", "im", "il", "ir", "dis", "mis", "a", "ab", "anti", "anti-", "de", "counter")
_PARTICIPLE: Final = re.compile(r".{2,}(?:ed|en|ing|able|ible)|known|paid|sent|seen|cut|made|born|done|bound")
_LEAST = 3
_STEM = 4


def spelling(word: str) -> str:
    """Return a key that is the same for spelling variants of one word.

    >>> spelling("colour") == spelling("color"), spelling("ice-cream") == spelling("ice cream")
    (True, True)
    >>> spelling("organise") == spelling("organize"), spelling("hat") == spelling("heat")
    (True, False)
    """
    key = _APART.sub("", word.lower())
    if len(key) <= _LEAST:
        return key
    for pattern, instead in _SPELLINGS:
        key = pattern.sub(instead, key)
    return key


def negation(first: str, second: str) -> Negation:
    """Tell whether one of two words is the other with a negating prefix or suffix.

    >>> negation("unhappy", "happy"), negation("nonsmoking", "smoking"), negation("careful", "careless")
    ('contrary', 'complement', 'contrary')
    >>> negation("unbroken", "broken"), negation("under", "over"), negation("sleeveless", "sleeved")
    ('complement', '', 'complement')
    """
    for longer, shorter in ((first, second), (second, first)):
        found = _by_prefix(longer, shorter) or _by_suffix(longer, shorter)
        if found:
            return found
    return ""


def _by_prefix(longer: str, shorter: str) -> Negation:
    if len(shorter) < _LEAST or not longer.endswith(shorter) or longer == shorter:
        return ""
    prefix = longer[: len(longer) - len(shorter)]
    if prefix in _COMPLEMENT or prefix == "not ":
        return "complement"
    if prefix in ("un", "un-") and _PARTICIPLE.fullmatch(shorter):
        return "complement"
    return "contrary" if prefix in _CONTRARY and _fits(prefix, shorter) else ""


def _fits(prefix: str, stem: str) -> bool:
    """Whether a stem can take the prefix: "im" stands before b, m and p, "a" in few words, all of them long."""
    needed = {"im": "bmp", "il": "l", "ir": "r"}.get(prefix)
    if needed is not None:
        return stem[0] in needed
    if prefix in ("a", "de", "ab", "in"):
        return len(stem) > 2 * _LEAST - (prefix == "in")
    return len(stem) > _LEAST or prefix == "un"


def _by_suffix(longer: str, shorter: str) -> Negation:
    if not longer.endswith("less"):
        return ""
    stem = longer.removesuffix("less")
    if len(stem) < _LEAST:
        return ""
    if shorter in (f"{stem}ful", f"{stem}y", f"{stem}ous"):
        return "contrary"
    return "complement" if shorter in (f"{stem}d", f"{stem}ed", f"{stem}{stem[-1]}ed") else ""


def having(adjective: str, noun: str) -> bool:
    """Whether an adjective says of something that it has what a noun names.

    >>> having("bearded", "beard"), having("eyed", "eye"), having("spotted", "spot"), having("red", "r")
    (True, True, True, False)
    """
    if len(noun) < _LEAST or not adjective.startswith(noun) or not adjective.endswith("d"):
        return False
    return adjective[len(noun) :] in ("d" if noun[-1] == "e" else "ed", f"{noun[-1]}ed")


def lacking(adjective: str, noun: str) -> bool:
    """Whether an adjective says of something that it has not what a noun names.

    >>> lacking("shirtless", "shirt"), lacking("armless", "arms"), lacking("less", "")
    (True, False, False)
    """
    return len(noun) >= _LEAST and adjective == f"{noun}less"


def one_stem(first: str, second: str) -> bool:
    """Whether two words begin alike, for four letters or more and most of the shorter.

    >>> one_stem("happy", "happiness"), one_stem("quick", "quickly"), one_stem("start", "state")
    (True, True, False)
    """
    shorter = min(len(first), len(second))
    alike = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), shorter)
    return alike >= _STEM and alike >= shorter - 2

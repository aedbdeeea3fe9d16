"""Numbers as English writes them: digits, words, fractions, ordinals."""

import re
from collections.abc import Sequence
from typing import Final

_SMALL: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_UNITS: Final = {word: float(n) for n, word in enumerate(_SMALL.split())}
_ROUND: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS: Final = {word: 10.0 * n for n, word in enumerate(_ROUND.split(" "), start=2)}
_SCALES: Final = {
    "hundred": 100.0,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "k": 1e3,
    "dozen": 12.0,
    "score": 20.0,
}
#: Groups that count as a number with or without "of" after them.
_GROUPS: Final = {"couple": 2.0, "pair": 2.0, "trio": 3.0, "duo": 2.0, "quartet": 4.0, "quintet": 5.0}
_FRACTIONS: Final = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "tenth": 10}
_IRREGULAR: Final = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
}
#: The rank of what comes last, whatever it is.
LAST: Final = -1
_LAST: Final = frozenset({"last", "final"})
_TOKEN = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+|[^\W\d_]+(?:'[^\W\d_]+)?|\S")
_ORDINAL_END = frozenset({"st", "nd", "rd", "th"})


def tokens(text: str) -> list[str]:
    """Cut a text into lower-case words, numbers and marks; hyphens part words.

    >>> tokens("Twenty-three, $1,000.50 or 5pm")
    ['twenty', 'three', ',', '$', '1000.50', 'or', '5', 'pm']
    """
    plain = re.sub(r"(?<=[^\W_])-(?=[^\W\d_])", " ", text.lower().replace("’", "'"))
    return [token.replace(",", "") if len(token) > 1 else token for token in _TOKEN.findall(plain)]


def cardinal(words: Sequence[str], at: int = 0) -> tuple[float, int] | None:
    """Return the number that begins at a position and the position after it, or None.

    >>> cardinal(tokens("two hundred and five dogs")), cardinal(tokens("a dozen")), cardinal(tokens("one and a half"))
    ((205.0, 4), (12.0, 2), (1.5, 4))
    """
    start = at
    total, current, seen = 0.0, 0.0, False
    while at < len(words):
        word = words[at]
        value = _small(word)
        if value is not None and (not seen or _adds(words, at, current)):
            current, seen = current + value, True
        elif word in _SCALES and (seen or at == start or words[at - 1] in ("a", "half")):
            scale = _SCALES[word]
            current = (current or 1) * scale
            if scale >= 1000:
                total, current = total + current, 0.0
            seen = True
        elif not _passed_over(words, at, seen):
            break
        at += 1
    whole = (total + current, at) if seen else None
    return _with_fraction(words, start, whole)


def _passed_over(words: Sequence[str], at: int, seen: bool) -> bool:
    """Whether a word only holds a number together: "a | hundred", "hundred | and | five"."""
    if words[at] == "a":
        return not seen and at + 1 < len(words) and words[at + 1] in _SCALES
    return words[at] == "and" and seen and _continues(words, at)


def _small(word: str) -> float | None:
    if word[:1].isdigit() or (word[:1] == "." and word[1:2].isdigit()):
        return float(word)
    return _UNITS.get(word, _TENS.get(word))


def _adds(words: Sequence[str], at: int, current: float) -> bool:
    """Whether a word goes on with the number before it: "twenty | three", "hundred and | five", not "two | three"."""
    value = _small(words[at])
    if value is None or words[at][:1].isdigit() or words[at][:1] == ".":
        return False
    before = words[at - 1]
    return (before in _TENS and 0 < value < 10) or before in _SCALES or (before == "and" and value < max(current, 1000))


def _continues(words: Sequence[str], at: int) -> bool:
    return words[at - 1] in _SCALES and at + 1 < len(words) and (words[at + 1] in _UNITS or words[at + 1] in _TENS)


def _with_fraction(words: Sequence[str], start: int, whole: tuple[float, int] | None) -> tuple[float, int] | None:
    """Add "and a half", or read "half a", "two thirds", "a couple of"."""
    if whole is None:
        return _group(words, start)
    value, at = whole
    rest = list(words[at : at + 3])
    if rest[:2] == ["and", "a"] and rest[2:] and rest[2] in _FRACTIONS:
        return value + 1 / _FRACTIONS[rest[2]], at + 3
    if rest and rest[0].rstrip("s") in _FRACTIONS and value < 10 and at == start + 1:
        return value / _FRACTIONS[rest[0].rstrip("s")], at + 1 + (rest[1:2] == ["of"])
    return value, at


def _group(words: Sequence[str], at: int) -> tuple[float, int] | None:
    article = at < len(words) and words[at] in ("a", "an", "one", "the")
    at += article
    word = words[at] if at < len(words) else ""
    after = at + 1 + (at + 1 < len(words) and words[at + 1] == "of")
    if word == "half" and words[at + 1 : at + 2] in (["dozen"], ["a"]) and "dozen" in words[at + 1 : at + 3]:
        return 6.0, words.index("dozen") + 1
    if word in _GROUPS:
        return _GROUPS[word], after
    if word == "half" or (article and word == "quarter"):
        return 1 / _FRACTIONS[word], after
    return None


def ordinal(words: Sequence[str]) -> int | None:
    """Return the rank that all the words name: "second", "2nd", "twenty-first", "last"; None if they name none.

    >>> ordinal(tokens("twenty-first")), ordinal(tokens("2nd")), ordinal(tokens("hundred")), ordinal(["last"])
    (21, 2, None, -1)
    """
    if not words:
        return None
    if len(words) == 1 and words[0] in _LAST:
        return LAST
    if len(words) == 2 and words[0].isdigit() and words[1] in _ORDINAL_END:
        return int(words[0])
    base: float | None = _IRREGULAR.get(words[-1])
    if base is None:
        stem = words[-1].removesuffix("th")
        stem = stem[:-2] + "y" if stem.endswith("tie") else stem
        if stem == words[-1]:
            return None
        base = _UNITS.get(stem, _TENS.get(stem, _SCALES.get(stem)))
    if base is None:
        return None
    before = cardinal(words[:-1]) if len(words) > 1 else (0.0, 0)
    return None if before is None or before[1] != len(words) - 1 else int(before[0] + base)

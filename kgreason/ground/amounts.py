"""What expressions of quantity leave open: "two", "at least 5 km", "between 3 and 6", "the second", "several"."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from kgreason.data import Entailment
from kgreason.ground import dates
from kgreason.ground.numerals import LAST, cardinal, ordinal, tokens
from kgreason.ground.ranges import INFINITY, Quantity, Range, Ranges, only, relation
from kgreason.ground.units_of_measure import MARKS, unit_of

_AT_LEAST, _AT_MOST, _MORE, _LESS, _EXACT, _ABOUT = range(6)
#: Words before a number, and what they make of it.
_BEFORE: Final = {
    words.strip(): way
    for way, line in (
        (_AT_LEAST, "at least; no less than; no fewer than; not less than; not fewer than; a minimum of; minimum of"),
        (_AT_LEAST, "upwards of"),
        (_AT_MOST, "at most; no more than; not more than; up to; a maximum of; maximum of; as many as"),
        (_MORE, "more than; greater than; larger than; over; above; exceeding"),
        (_LESS, "less than; fewer than; smaller than; under; below"),
        (_EXACT, "exactly; precisely; only; just; all; the; a total of; aged; age"),
        (_ABOUT, "about; around; approximately; roughly; some; nearly; almost"),
    )
    for words in line.split(";")
}
_AFTER: Final = {
    "or more": _AT_LEAST,
    "or above": _AT_LEAST,
    "or older": _AT_LEAST,
    "and up": _AT_LEAST,
    "at least": _AT_LEAST,
    "+": _AT_LEAST,
    "or fewer": _AT_MOST,
    "or less": _AT_MOST,
    "or under": _AT_MOST,
    "at most": _AT_MOST,
}
#: Words that stand for a range of numbers, and how firm its ends are.
_VAGUE: Final = {
    words.strip(): (least, most, sure)
    for least, most, sure, line in (
        (3, 12, 0.8, "several"),
        (2, 8, 0.75, "a few"),
        (0, 4, 0.7, "few"),
        (5, INFINITY, 0.75, "many; numerous; lots of; a lot of; plenty of"),
        (2, INFINITY, 0.85, "multiple"),
        (1, INFINITY, 0.85, "some; any"),
        (0, 0, 0.95, "none; no"),
        (2, 2, 0.9, "both"),
        (24, INFINITY, 0.85, "dozens; dozens of"),
        (200, INFINITY, 0.85, "hundreds; hundreds of"),
        (2000, INFINITY, 0.85, "thousands; thousands of"),
        (2e6, INFINITY, 0.85, "millions; millions of"),
        (50, INFINITY, 0.75, "countless"),
    )
    for words in line.split(";")
}
_LONGEST = 3
_MOST_CHARACTERS = 60
_NEARLY = 0.1


@lru_cache(65536)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Return what an expression of quantity may leave open, the likeliest reading first; nothing if it is none.

    >>> [reading.axes for reading in quantities("at most five")]
    [{'count': (Range(low=0.0, high=5.0, low_open=False, high_open=False),)}]
    >>> [reading.kind for reading in quantities("1990")], quantities("guitar")
    (['date', 'count'], ())
    """
    low = " ".join(text.lower().split())
    if low in _VAGUE:
        least, most, sure = _VAGUE[low]
        return (Quantity({"count": (Range(float(least), float(most)),)}, sure),)
    if len(low) > _MOST_CHARACTERS:
        return ()
    words = tokens(text)
    rank = ordinal(words[1:] if words[:1] == ["the"] else words)
    if rank is not None:
        return (Quantity({"rank": only(rank)}, 1.0 if rank != LAST else 0.9, "rank"),)
    return tuple(reading for reading in (dates.date(text), _counted(words)) if reading is not None)


def compare(first: str, second: str) -> tuple[Entailment, float] | None:
    """Return how two expressions of quantity are related, and how firmly; None if they cannot be compared.

    >>> compare("three", "at least two")
    (<Entailment.FORWARD: 1>, 1.0)
    >>> compare("5 km", "5 kg") is None
    True
    """
    for one in quantities(first):
        for other in quantities(second):
            found = relation(one, other)
            if found is not None:
                return found, one.sure * other.sure
    return None


def _counted(words: Sequence[str]) -> Quantity | None:
    way, at = _modifier(words)
    mark, found = "", _span(words, at)
    if found is not None and way in (None, _EXACT):
        (low, high), at = found
        values: Ranges = (Range(low, high),)
    else:
        number = _marked(words, at)
        if number is None:
            return None
        value, at, mark = number
        way, at = _later_modifier(words, at, way)
        values = _bounded(value, way)
    unit = (mark, 1.0) if mark else unit_of(words[at:])
    if unit is None:
        return None
    axis, factor = unit
    scaled = tuple(Range(r.low * factor, r.high * factor, r.low_open, r.high_open) for r in values)
    return Quantity({axis: scaled}, 0.75 if way == _ABOUT else 1.0, axis)


def _modifier(words: Sequence[str]) -> tuple[int | None, int]:
    for length in range(_LONGEST, 0, -1):
        way = _BEFORE.get(" ".join(words[:length]))
        if way is not None and len(words) > length:
            return way, length
    return None, 0


def _later_modifier(words: Sequence[str], at: int, way: int | None) -> tuple[int | None, int]:
    for length in (2, 1):
        later = _AFTER.get(" ".join(words[at : at + length]))
        if later is not None:
            return later, at + length
    return way, at


def _marked(words: Sequence[str], at: int) -> tuple[float, int, str] | None:
    """Read a number, with a currency sign before it."""
    mark = MARKS.get(words[at], "") if at < len(words) else ""
    number = cardinal(words, at + bool(mark))
    return None if number is None else (*number, mark)


def _span(words: Sequence[str], at: int) -> tuple[tuple[float, float], int] | None:
    """Read "between two and four", "from two to four", "two to four", "2-4", "two or three"."""
    opened = words[at] if at < len(words) else ""
    low = cardinal(words, at + (opened in ("between", "from")))
    if low is None or low[1] >= len(words):
        return None
    middle = words[low[1]]
    if middle not in {"between": ("and",), "from": ("to",)}.get(opened, ("to", "-", "–", "or")):
        return None
    high = cardinal(words, low[1] + 1)
    return ((low[0], high[0]), high[1]) if high is not None and low[0] < high[0] else None


def _bounded(value: float, way: int | None) -> Ranges:
    if way == _AT_LEAST:
        return (Range(value, INFINITY),)
    if way == _AT_MOST:
        return (Range(0.0, value),)
    if way == _MORE:
        return (Range(value, INFINITY, low_open=True),)
    if way == _LESS:
        return (Range(0.0, value, high_open=True),)
    if way == _ABOUT:
        return (Range(value - round(value * _NEARLY), value + round(value * _NEARLY)),)
    return only(value)

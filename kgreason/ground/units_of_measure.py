"""Units: which axis they measure on, and how many of its base unit they are."""

from collections.abc import Sequence
from typing import Final

#: Axis: unit and its size.
_UNITS: Final = {
    "m": "m meter metre 1; km kilometer kilometre 1000; cm centimeter centimetre 0.01; mm millimeter millimetre 0.001; "
    "mile mi 1609.344; yard yd 0.9144; foot feet ft 0.3048; inch inche in 0.0254",
    "kg": "kg kilogram kilo 1; g gram 0.001; mg milligram 0.000001; ton tonne 1000; ounce oz 0.0283495",
    "pound": "pound lb 1; £ 1",
    "l": "l liter litre 1; ml milliliter millilitre 0.001; gallon 3.78541; pint 0.473176; cup 0.236588",
    "s": "s second sec 1; minute min 60; hour hr h 3600; day 86400; week 604800; month 2629746; year yr 31556952; "
    "decade 315569520; century centurie 3155695200",
    "dollar": "dollar buck usd 1; cent 0.01",
    "euro": "euro eur 1",
    "yen": "yen 1",
    "count": "% percent 0.01; percentage 0.01",
    "degree": "degree ° 1",
    "b": "byte 1; kb kilobyte 1000; mb megabyte 1000000; gb gigabyte 1000000000; tb terabyte 1000000000000",
    "v": "volt 1",
    "w": "watt 1; kilowatt kw 1000",
    "mph": "mph 1",
}
_BY_NAME: Final = {
    name: (axis, float(size))
    for axis, line in _UNITS.items()
    for *names, size in (entry.split() for entry in line.split(";"))
    for name in names
}
#: Signs that stand before a number.
MARKS: Final = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_AGE: Final = (["year", "old"], ["years", "old"], ["yr", "old"], ["years", "of", "age"], ["year", "olds"])
_YEAR_OLD_MONTHS: Final = (["months", "old"], ["month", "old"])
_PER: Final = frozenset({"per", "/", "an", "a"})


def unit_of(words: Sequence[str]) -> tuple[str, float] | None:
    """Return the axis that the words after a number measure on and the size of the unit, or None.

    Without words, one counts; words that are no unit are what is counted, by the last of them.

    >>> unit_of(["km"]), unit_of([]), unit_of(["years", "old"]), unit_of(["black", "dogs"])
    (('m', 1000.0), ('count', 1.0), ('age', 1.0), ('item:black dog', 1.0))
    >>> unit_of(["miles", "per", "hour"])
    ('m/s', 0.44704)
    """
    rest = [word for word in words if word not in ("-", ".")]
    if rest[:1] in (["of"], ["a"], ["an"]):  # "half a mile"
        rest = rest[1:]
    if not rest:
        return "count", 1.0
    if rest in _AGE:
        return "age", 1.0
    if rest in _YEAR_OLD_MONTHS:
        return "age", 1 / 12
    first = _unit(rest[0])
    if first is not None and len(rest) == 1:
        return first
    if first is not None and len(rest) == 3 and rest[1] in _PER:
        second = _unit(rest[2])
        return None if second is None else (f"{first[0]}/{second[0]}", first[1] / second[1])
    if len(rest) > 4 or not all(word.isalpha() for word in rest):
        return None
    return f"item:{' '.join([*rest[:-1], _singular(rest[-1])])}", 1.0


def is_unit(word: str) -> bool:
    """Whether a word names a unit of measure.

    >>> is_unit("kilometers"), is_unit("dogs")
    (True, False)
    """
    return _unit(word) is not None


def _unit(word: str) -> tuple[str, float] | None:
    return _BY_NAME.get(word) or _BY_NAME.get(_singular(word))


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 2 and not word.endswith("ss") else word

"""Years, dates, decades, centuries and times of day, as sets of what is possible."""

import re
from typing import Final

from kgreason.ground.ranges import INFINITY, Quantity, Range, Ranges, only

_MONTHS: Final = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_NAMES_OF: Final = (
    {name: n for n, name in enumerate(_MONTHS, start=1)}
    | {name[:3]: n for n, name in enumerate(_MONTHS, start=1)}
    | {"sept": 9}
)
_MONTH: Final = "(" + "|".join(sorted(_NAMES_OF, key=len, reverse=True)) + r")\.?"
_DAY: Final = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(\d{4})"
_PATTERNS: Final = (
    (re.compile(rf"(?:the )?{_DAY} (?:of )?{_MONTH},? {_YEAR}"), "day month year"),
    (re.compile(rf"{_MONTH} (?:the )?{_DAY},? {_YEAR}"), "month day year"),
    (re.compile(rf"{_MONTH},? (?:of )?{_YEAR}"), "month year"),
    (re.compile(rf"(?:the )?{_DAY} (?:of )?{_MONTH}"), "day month"),
    (re.compile(rf"{_MONTH} (?:the )?{_DAY}"), "month day"),
    (re.compile(r"(\d{4})-(\d{2})-(\d{2})"), "year month day"),
    (re.compile(r"(?:(?:in|the year|the|year) )*((?:1[0-9]|20)\d\d)"), "year"),
)
_DECADE: Final = re.compile(r"(?:the )?(\d{3}0)'?s")
_CENTURY: Final = re.compile(r"(?:the )?(\d{1,2})(?:st|nd|rd|th) century")
_CLOCK: Final = re.compile(
    r"(?:at )?(\d{1,2})(?:[:.](\d{2}))? ?(o'clock|a\.?m\.?|p\.?m\.?|in the morning|in the afternoon|in the evening)?"
)
_NAMED: Final = {"noon": 720, "midday": 720, "midnight": 0}
_HALF_DAY = 720
_WITHIN: Final = frozenset({"in", "on", "at", "during"})
#: Prepositions of times that are not the time itself.
BESIDES: Final = frozenset({"before", "after", "by"})


def date(text: str) -> Quantity | None:
    """Return the dates or times that an expression may mean, or None.

    >>> date("May 5, 1990").axes.keys(), date("1980s").axes["year"]
    (dict_keys(['month', 'day', 'year']), (Range(low=1980.0, high=1989.0, low_open=False, high_open=False),))
    >>> date("3 apples") is None, date("17:00") == date("5 pm")
    (True, True)
    """
    low = " ".join(text.lower().replace("’", "'").split())
    if low in _NAMED:
        return Quantity({"minute": only(_NAMED[low])}, 0.95, "time")
    if low in _MONTHS:
        return Quantity({"month": only(_NAMES_OF[low])}, 0.9, "date")
    return _era(low) or _day(low) or _clock(low)


def moment(preposition: str, text: str) -> Quantity | None:
    """Return when something was that was "before 1960", "after noon", "by May" or "in 1950", or None.

    >>> moment("before", "1960").axes["year"]
    (Range(low=0.0, high=1960.0, low_open=False, high_open=True),)
    """
    at = date(text) if preposition in BESIDES or preposition in _WITHIN else None
    if at is None or preposition in _WITHIN:
        return at
    if len(at.axes) != 1:
        return None
    ((axis, values),) = at.axes.items()
    low, high = min(v.low for v in values), max(v.high for v in values)
    ranges = {
        "before": Range(0.0, low, high_open=True),
        "after": Range(high, INFINITY, low_open=True),
        "by": Range(0.0, high),
    }
    return Quantity({axis: (ranges[preposition],)}, at.sure, at.kind)


def _era(low: str) -> Quantity | None:
    if decade := _DECADE.fullmatch(low):
        start = int(decade.group(1))
        return Quantity({"year": (Range(float(start), start + 9.0),)}, 1.0, "date")
    if century := _CENTURY.fullmatch(low):
        end = int(century.group(1)) * 100
        return Quantity({"year": (Range(end - 100.0, end - 1.0),)}, 0.95, "date")
    return None


def _day(low: str) -> Quantity | None:
    for pattern, names in _PATTERNS:
        found = pattern.fullmatch(low)
        if found:
            axes = dict(zip(names.split(), (_value(part) for part in found.groups()), strict=True))
            if axes.get("day", 1) <= 31 and axes.get("month", 1) <= 12:
                return Quantity({axis: only(value) for axis, value in axes.items()}, 1.0, "date")
    return None


def _value(part: str) -> int:
    return _NAMES_OF[part] if part in _NAMES_OF else int(part)


def _clock(low: str) -> Quantity | None:
    found = _CLOCK.fullmatch(low)
    if not found or not (found.group(2) or found.group(3)):
        return None
    hour, minute, half = int(found.group(1)), int(found.group(2) or 0), (found.group(3) or "").replace(".", "")
    if hour > 24 or minute > 59 or ("." in low and not half):
        return None
    return Quantity({"minute": _minutes(hour, minute, half)}, 1.0, "time")


def _minutes(hour: int, minute: int, half: str) -> Ranges:
    at = hour * 60 + minute
    if half in ("pm", "in the afternoon", "in the evening"):
        return only(at % _HALF_DAY + _HALF_DAY)
    if half in ("am", "in the morning"):
        return only(at % _HALF_DAY)
    if hour > 12 or hour == 0:
        return only(at)
    return (*only(at % _HALF_DAY), *only(at % _HALF_DAY + _HALF_DAY))

r"""Quantifiers as statements about two numbers, and the relation between any two of them.

"Q A are B" depends on $x = |A \cap B|$ and $y = |A \setminus B|$ alone. The relation between two quantifiers is the
set of pairs of truth values that they have over all $x, y$ with $x + y \ge 1$ (existential import: there are A), so
nothing is typed by hand: "all" and "no" exclude each other because no numbers satisfy both.

Vague quantifiers (few, several, many) have a threshold that is not known: a relation holds if it holds for every
choice of thresholds that keeps them in order (supervaluation).

Reference:
    Barwise and Cooper (1981, Linguistics and Philosophy 4). Supervaluation: Kamp (1975).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from kgreason.data.entailment import Entailment

#: `exact`: "two men" is two and no more, a particular pair; `at_least`: two or more.
Reading: TypeAlias = Literal["exact", "at_least"]
Count: TypeAlias = Int[ndarray, " models"]
Holds: TypeAlias = Bool[ndarray, " models"]


@dataclass(frozen=True, slots=True)
class Quantifier:
    """A quantifier of one of the kinds of `KINDS`, with its number if it has one.

    Args:
        kind: `all`, `no`, `some`, `most`, `number`, `at least`, `percent` …
        number: The number of "at least three"; the share in percent of "half of".
        most: The second number of "between three and five".
    """

    kind: str
    number: float | int = 0
    most: float | int = 0


@dataclass(frozen=True, slots=True)
class _Vague:
    """One choice of thresholds: from so many things on it is `several`, `many`; up to so many it is `few`."""

    few: int
    several: int
    many: int


_CHOICES: Final = tuple(_Vague(few, several, many) for few, several, many in product((1, 2, 3), (2, 3), (5, 8, 21)))
_NEAR: Final = 0.15  # "about twenty" is between 17 and 23

_Model: TypeAlias = Callable[[Quantifier, Count, Count, _Vague], Holds]

#: What each kind of quantifier says of `x` and `y`.
KINDS: Final[dict[str, _Model]] = {
    "all": lambda q, x, y, v: y == 0,
    "no": lambda q, x, y, v: x == 0,
    "some": lambda q, x, y, v: x >= 1,
    "not all": lambda q, x, y, v: y >= 1,
    "most": lambda q, x, y, v: x > y,
    "almost all": lambda q, x, y, v: (x > 4 * y) & (y >= 1),
    "almost no": lambda q, x, y, v: (x >= 1) & (y > 4 * x) & (x <= v.few),
    "few": lambda q, x, y, v: (x <= v.few) & (x < y),
    "a few": lambda q, x, y, v: x >= 2,
    "several": lambda q, x, y, v: x >= v.several,
    "many": lambda q, x, y, v: x >= v.many,
    "number": lambda q, x, y, v: x == q.number,
    "at least": lambda q, x, y, v: x >= q.number,
    "at most": lambda q, x, y, v: x <= q.number,
    "more than": lambda q, x, y, v: x > q.number,
    "fewer than": lambda q, x, y, v: x < q.number,
    "about": lambda q, x, y, v: np.abs(x - q.number) <= max(1.0, _NEAR * q.number),
    "between": lambda q, x, y, v: (x >= q.number) & (x <= q.most),
    "all but": lambda q, x, y, v: (y == q.number) & (x >= 1),
    "both": lambda q, x, y, v: (x == 2) & (y == 0),
    "neither": lambda q, x, y, v: (x == 0) & (y == 2),
    "percent": lambda q, x, y, v: 100 * x == q.number * (x + y),
    "at least percent": lambda q, x, y, v: 100 * x >= q.number * (x + y),
    "at most percent": lambda q, x, y, v: 100 * x <= q.number * (x + y),
    "more than percent": lambda q, x, y, v: 100 * x > q.number * (x + y),
    "less than percent": lambda q, x, y, v: 100 * x < q.number * (x + y),
}
_VAGUE: Final = frozenset({"few", "several", "many", "almost no"})


def between_quantifiers(first: Quantifier, then: Quantifier, reading: Reading = "exact") -> Entailment:
    """Return the relation between two quantifiers over the same restrictor and scope.

    Args:
        first: That of the premise.
        then: That of the hypothesis.
        reading: What a bare numeral means; "two" and "three" exclude each other in the exact reading alone.

    >>> between_quantifiers(Quantifier("all"), Quantifier("some")).symbol
    '⊏'
    >>> between_quantifiers(Quantifier("number", 2), Quantifier("number", 3)).symbol
    '|'
    >>> between_quantifiers(Quantifier("number", 2), Quantifier("number", 3), "at_least").symbol
    '⊐'
    """
    return _between(_read(first, reading), _read(then, reading))


def _read(q: Quantifier, reading: Reading) -> Quantifier:
    return Quantifier("at least", q.number) if q.kind == "number" and reading == "at_least" else q


@cache
def _between(first: Quantifier, then: Quantifier) -> Entailment:
    x, y = _models((first, then))
    vague = {first.kind, then.kind} & _VAGUE
    worlds: set[str] = set()
    for choice in _CHOICES if vague else _CHOICES[:1]:
        p, q = (KINDS[one.kind](one, x, y, choice) for one in (first, then))
        worlds |= {f"{a}{b}" for a, b in product((0, 1), repeat=2) if (p == a).__and__(q == b).any()}
    return _relation(frozenset(worlds))


def _models(quantifiers: Sequence[Quantifier]) -> tuple[Count, Count]:
    """Return numbers that tell the quantifiers apart: small ones, and those around each number and its double."""
    numbers = [int(n) for q in quantifiers if "percent" not in q.kind for n in (q.number, q.most)]
    near = {d + n * k for n in numbers for k in (1, 2, 5) for d in (-1, 0, 1)}
    about = {int(n * (1 + s)) + d for n in numbers for s in (-_NEAR, _NEAR) for d in (-1, 0, 1)}
    counts = np.array(sorted({*range(31), 50, 100, *(n for n in near | about if n >= 0)}))
    x, y = (side.ravel() for side in np.meshgrid(counts, counts))
    there = x + y >= 1
    return x[there], y[there]


def _relation(worlds: frozenset[str]) -> Entailment:
    """Return the strongest relation that allows these pairs of truth values."""
    table = ("00 11", "00 01 11", "00 10 11", "01 10", "00 01 10", "01 10 11", "00 01 10 11")
    return next(r for r in Entailment if worlds <= frozenset(table[r].split()))


_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TIES = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS: Final = {word: n for n, word in enumerate(_SMALL.split())}
_TENS: Final = {word: 10 * n for n, word in enumerate(_TIES.split(), 2)}
_POWERS: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12, "score": 20}
_DIGITS: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def is_number(word: str) -> bool:
    """Whether one word is a numeral: `3`, `1,000`, `twenty-one`, `dozen`."""
    return word in _UNITS or word in _TENS or word in _POWERS or _compound(word) or bool(_DIGITS.fullmatch(word))


def _compound(word: str) -> bool:
    tens, dash, unit = word.partition("-")
    return bool(dash) and tens in _TENS and unit in _UNITS


def read_number(words: Sequence[str]) -> float | None:
    """Return the number that words name, or nothing.

    >>> read_number(["twenty-one"]), read_number(["two", "hundred", "and", "five"]), read_number(["a", "dozen"])
    (21.0, 205.0, 12.0)
    """
    total, part, seen = 0.0, 0.0, False
    for word in (piece for written in words for piece in (written.split("-") if _compound(written) else [written])):
        if word in _POWERS:
            power = _POWERS[word]
            part = max(part, 1.0) * power
            if power >= 1000:
                total, part = total + part, 0.0
        elif _DIGITS.fullmatch(word):
            part += float(word.replace(",", ""))
        elif word in _UNITS or word in _TENS:
            part += _UNITS.get(word, 0) + _TENS.get(word, 0)
        elif word not in {"a", "an", "and", "of"}:
            return None
        seen = seen or is_number(word)
    return total + part if seen else None


#: Words of a quantifier that has no number of its own. `the` and `a` are some: of a particular one, one and the same.
_WORDS: Final = {
    "all": "all every each everybody everyone everything|each and every|all of|all the|every one of|each of|any",
    "no": "no none nobody nothing|no one|none of|not a|not an|not one|not a single|not any|zero",
    "some": "some a an the someone somebody something another either|some of|any of|one of|a certain|a little|a bit of|"
    "either of",
    "not all": "|not all|not every|not each|not everyone|not everybody|not everything|not all of",
    "most": "most|most of|the majority of|a majority of|more than half|more than half of|over half|over half of",
    "almost all": "|almost all|nearly all|almost every|nearly every|almost everyone|nearly everyone|practically all",
    "almost no": "|almost no|hardly any|scarcely any|barely any|hardly anyone|almost nobody|almost no one|virtually no",
    "few": "few little|few of|very few|too few|only a few|not many|not much|very little|very few of|only a few of",
    "a few": "|a few|a couple of|a couple|a few of|a handful of",
    "several": "several|several of|quite a few|a number of",
    "many": "many numerous much countless|many of|a lot of|lots of|plenty of|dozens of|hundreds of|a great many",
    "both": "both|both of|both the",
    "neither": "neither|neither of",
}
_BEFORE: Final = (
    ("at least", "at least|no fewer than|no less than|not less than|not fewer than|a minimum of|as many as"),
    ("at most", "at most|no more than|not more than|up to|a maximum of|maximally"),
    ("more than", "more than|over|above|upwards of"),
    ("fewer than", "fewer than|less than|under|below|not even"),
    ("number", "exactly|precisely|only|just|merely|the|these|those|all|all of|all of the|all the"),
    ("about", "about|around|approximately|roughly|nearly|almost|some|circa|close to"),
    ("all but", "all but|all except|everyone but"),
    ("between", "between|from"),
)
_AFTER: Final = {"or more": "at least", "or fewer": "at most", "or less": "at most", "plus": "at least"}
_FRACTIONS: Final = {"half": 50.0, "a third": 100 / 3, "one third": 100 / 3, "a quarter": 25.0, "two thirds": 200 / 3}


_OF_SHARES: Final = {
    "at least": "at least percent",
    "at most": "at most percent",
    "more than": "more than percent",
    "fewer than": "less than percent",
    "number": "percent",
    "about": "percent",
}


@cache
def _openings() -> list[tuple[str, str]]:
    """Return what stands before a number and the kind it makes, the longest first."""
    rows = [(opening, kind) for kind, openings in _BEFORE for opening in openings.split("|")]
    return sorted(rows, key=lambda row: -len(row[0]))


@cache
def _fixed() -> dict[str, str]:
    found = {}
    for kind, text in _WORDS.items():
        singles, *longer = text.split("|")
        found.update(dict.fromkeys([*singles.split(), *longer], kind))
    return found


def read_quantifier(words: Sequence[str]) -> Quantifier | None:
    """Return the quantifier that a determiner's words stand for, or nothing if they are none.

    >>> read_quantifier(["at", "most", "three"])
    Quantifier(kind='at most', number=3.0, most=0)
    >>> read_quantifier(["not", "every"]).kind, read_quantifier(["the"]).kind
    ('not all', 'some')
    """
    text = " ".join(words).lower().replace("n't", "not")
    if text in _fixed():
        return Quantifier(_fixed()[text])
    bare = text.removesuffix(" of the").removesuffix(" of").removesuffix(" the")
    if bare in _fixed():
        return Quantifier(_fixed()[bare])
    return _share(bare) or _numeric(bare)


def _share(text: str) -> Quantifier | None:
    head, kind = text, "percent"
    for opening, name in _openings():
        if text.startswith(f"{opening} ") and name in _OF_SHARES:
            head, kind = text[len(opening) + 1 :], _OF_SHARES[name]
            break
    if head in _FRACTIONS:
        return Quantifier(kind, _FRACTIONS[head])
    stem = head.removesuffix("%").removesuffix("percent").strip()
    number = read_number(stem.split()) if stem != head else None
    return None if number is None else Quantifier(kind, number)


def _numeric(text: str) -> Quantifier | None:
    for after, kind in _AFTER.items():
        number = read_number(text.removesuffix(after).split()) if text.endswith(after) else None
        if number is not None:
            return Quantifier(kind, number)
    for opening, kind in _openings():
        if text.startswith(f"{opening} "):
            return _opened(kind, text[len(opening) + 1 :])
    number = read_number(text.split())
    return None if number is None else Quantifier("number", number)


def _opened(kind: str, rest: str) -> Quantifier | None:
    low, _, high = rest.partition(" to " if " to " in rest else " and ")
    if kind == "between":
        numbers = [read_number(part.split()) for part in (low, high)]
        return None if None in numbers else Quantifier(kind, *(n for n in numbers if n is not None))
    number = read_number(rest.split())
    return None if number is None else Quantifier(kind, number)

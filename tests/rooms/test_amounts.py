"""Numbers, ordinals, dates and measures, read and compared as sets of what is possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import Entailment
from kgreason.ground.amounts import compare, quantities
from kgreason.ground.numerals import cardinal, ordinal, tokens
from kgreason.ground.ranges import INFINITY, Quantity, Range, relation

E = Entailment


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("zero", 0),
        ("nineteen", 19),
        ("ninety-nine", 99),
        ("one hundred and one", 101),
        ("two thousand three hundred", 2300),
        ("three million", 3_000_000),
        ("4,500", 4500),
        ("0.25", 0.25),
        ("a dozen", 12),
        ("half a dozen", 6),
        ("three quarters", 0.75),
        ("two and a half", 2.5),
        ("a pair of", 2),
    ],
)
def test_a_number_is_read(text: str, value: float) -> None:
    found = cardinal(tokens(text))
    assert found is not None
    assert found[0] == pytest.approx(value)


@pytest.mark.parametrize("text", ["guitar", "", "and", "hundreds of", "-", "the", "a"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert cardinal(tokens(text)) is None


@pytest.mark.parametrize(("text", "rank"), [("twelfth", 12), ("22nd", 22), ("thirtieth", 30), ("forty-second", 42)])
def test_an_ordinal_is_read(text: str, rank: int) -> None:
    assert ordinal(tokens(text)) == rank


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("four", "4", E.EQUIVALENCE),
        ("four", "five", E.ALTERNATION),
        ("eight", "at least six", E.FORWARD),
        ("no fewer than six", "6", E.REVERSE),
        ("more than six", "at most six", E.NEGATION),
        ("more than six", "at least seven", E.EQUIVALENCE),
        ("at least six", "at most nine", E.COVER),
        ("between 3 and 6", "between 5 and 9", E.INDEPENDENCE),
        ("from 3 to 6", "3-6", E.EQUIVALENCE),
        ("10 or more", "over 8", E.FORWARD),
        ("more than 2.5", "3", E.REVERSE),
        ("about 100", "100", E.REVERSE),
        ("several", "a hundred", E.ALTERNATION),
        ("thirds", "third", None),
        ("the fourth", "4th", E.EQUIVALENCE),
        ("fourth", "last", E.ALTERNATION),
        ("fourth", "four", None),
        ("$20", "20 dollars", E.EQUIVALENCE),
        ("$20", "€20", None),
        ("50 cents", "half a dollar", E.EQUIVALENCE),
        ("3 km", "3,000 meters", E.EQUIVALENCE),
        ("3 km", "3 kg", None),
        ("60 mph", "at least 50 mph", E.FORWARD),
        ("90 seconds", "two minutes", E.ALTERNATION),
        ("90 km per hour", "25 m/s", E.EQUIVALENCE),
        ("ten years old", "under 12 years old", E.FORWARD),
        ("18 months old", "a year and a half", None),
        ("three dogs", "3 dogs", E.EQUIVALENCE),
        ("three dogs", "two dogs", E.ALTERNATION),
        ("three dogs", "three cats", None),
        ("2 July 1999", "July 1999", E.FORWARD),
        ("2 July 1999", "2 July", E.FORWARD),
        ("2 July", "July 1999", E.INDEPENDENCE),
        ("1999-07-02", "July 2, 1999", E.EQUIVALENCE),
        ("1999", "the 1980s", E.ALTERNATION),
        ("the 19th century", "1850", E.REVERSE),
        ("9 pm", "21:00", E.EQUIVALENCE),
        ("9 am", "9 pm", E.ALTERNATION),
        ("9 o'clock", "9 p.m.", E.REVERSE),
        ("noon", "12:00", E.FORWARD),
        ("guitar", "piano", None),
        ("", "", None),
    ],
)
def test_expressions_are_compared(first: str, second: str, wanted: Entailment | None) -> None:
    found = compare(first, second)
    assert (None if found is None else found[0]) == wanted


def test_vague_words_are_less_sure() -> None:
    vague, exact = compare("several", "four"), compare("four", "at least two")
    assert vague is not None
    assert exact is not None
    assert vague[1] < exact[1] == 1


@pytest.mark.parametrize(
    "text", ["99/99/9999", "31st 31st", "13:75", "between 5 and", "at least", "$", "1" * 400, "٣", "½"]
)
def test_nonsense_is_read_without_harm(text: str) -> None:
    quantities(text)
    compare(text, "three")


TOP = 12  # of the brute force; beyond, sets that end at infinity hold everything

bounds = st.tuples(st.integers(0, 8), st.integers(0, 8) | st.just(INFINITY), st.booleans(), st.booleans())
sets = st.lists(
    bounds.filter(lambda b: b[0] + b[2] <= b[1] - b[3]).map(lambda b: Range(float(b[0]), float(b[1]), b[2], b[3])),
    min_size=1,
    max_size=3,
).map(tuple)


def members(ranges: tuple[Range, ...]) -> set[int]:
    return {
        n
        for n in range(TOP)
        for r in ranges
        if r.low + r.low_open <= n and (r.high == INFINITY or n <= r.high - r.high_open)
    }


@given(sets, sets)
def test_the_relation_is_that_of_the_sets(a: tuple[Range, ...], b: tuple[Range, ...]) -> None:
    first, second, everything = members(a), members(b), set(range(TOP))
    apart, whole = not first & second, first | second == everything
    if first == second:
        wanted = E.EQUIVALENCE
    elif first < second:
        wanted = E.FORWARD
    elif first > second:
        wanted = E.REVERSE
    elif apart:
        wanted = E.NEGATION if whole else E.ALTERNATION
    else:
        wanted = E.COVER if whole else E.INDEPENDENCE
    assert relation(Quantity({"count": a}), Quantity({"count": b})) == wanted

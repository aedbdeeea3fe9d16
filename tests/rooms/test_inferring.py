"""What follows inside a premise: conditions that are met, possibilities that are ruled out, orders of several."""

import pytest

from kgreason.ground.compared import _way
from kgreason.ground.inferring import content, is_met, is_ruled_out
from kgreason.ground.trees import Unit


def units(*rows: tuple[str, int, str, str]) -> list[Unit]:
    """Make units of (lemma, parent, relation, mark); `not` before a lemma denies it."""
    found = []
    for i, (word, parent, relation, mark) in enumerate(rows):
        lemma = word.removeprefix("not ")
        pos = (
            "VERB" if relation in {"root", "advcl"} or (relation == "conj" and parent >= 0 and mark == "v") else "NOUN"
        )
        unit = Unit(i, lemma, lemma, pos, [i], parent, relation, mark="" if mark == "v" else mark)
        unit.negation = 100 + i if word.startswith("not ") else -1
        found.append(unit)
    for i, unit in enumerate(found):
        if unit.parent >= 0:
            found[unit.parent].children.append(i)
    return found


IF_RAIN = (("it", 1, "nsubj", ""), ("rain", 3, "advcl", "if"), ("ann", 3, "nsubj", ""), ("stay", -1, "root", ""))


@pytest.mark.parametrize(
    ("more", "met"),
    [
        ((("it", 5, "nsubj", ""), ("rain", -1, "root", "")), True),
        ((("it", 5, "nsubj", ""), ("not rain", -1, "root", "")), False),
        ((("it", 5, "nsubj", ""), ("snow", -1, "root", "")), False),
        ((), False),
    ],
)
def test_a_condition_is_met_where_it_is_stated_elsewhere(
    more: tuple[tuple[str, int, str, str], ...], met: bool
) -> None:
    assert is_met(units(*IF_RAIN, *more), 1) == met


ANN_OR_BOB = (("ann", 2, "nsubj", ""), ("bob", 0, "conj", ""), ("win", -1, "root", ""))


@pytest.mark.parametrize(
    ("more", "out"),
    [
        ((("ann", 4, "nsubj", ""), ("not win", -1, "root", "")), (True, False)),
        ((("ann", 4, "nsubj", ""), ("not do", 2, "conj", "v")), (True, False)),
        ((("bob", 4, "nsubj", ""), ("not win", -1, "root", "")), (False, True)),
        ((("ann", 4, "nsubj", ""), ("not sing", -1, "root", "")), (False, False)),
        ((("ann", 4, "nsubj", ""), ("win", -1, "root", "")), (False, False)),
    ],
)
def test_a_possibility_is_ruled_out_where_it_is_denied(
    more: tuple[tuple[str, int, str, str], ...], out: tuple[bool, bool]
) -> None:
    told = units(*ANN_OR_BOB, *more)
    assert (is_ruled_out(told, 0), is_ruled_out(told, 1)) == out


def test_what_is_joined_is_no_part_of_a_phrase() -> None:
    told = units(*ANN_OR_BOB)
    assert content(told, 0) == {"ann"}
    assert content(told, 2) == {"win", "ann"}


def test_the_way_down_an_order_says_whether_it_goes_down() -> None:
    told = [("a", "b", 1), ("b", "c", 0), ("c", "d", 1)]
    assert _way(told, "a", "d") == (["a", "b", "c", "d"], 1)
    assert _way(told, "b", "c") == (["b", "c"], 0)
    assert _way(told, "c", "b") == (["c", "b"], 0), "as much as, from either side"
    assert _way(told, "d", "a") is None
    assert _way([("a", "b", 1), ("b", "a", 1)], "a", "c") is None, "a circle ends"

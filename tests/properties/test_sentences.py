"""Sentences of comparisons: none says more than its numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.statistics import Compared, Difference, facts_told, told


def _with(value: float, low: float, high: float, p: float = 0.001, seeds: int = 5) -> Compared:
    made = Difference(value, low, high, p, p, p, 30, 10, 3.0, None, None, None, 0.017, 1000, 1000, seeds)
    return Compared("WordNet", "no graph", "accuracy", made, p)


def test_a_sentence_says_no_more_than_its_numbers() -> None:
    gain = "WordNet adds 2.1 points of accuracy [1.2, 3.0] to no graph (p 0.001)."
    assert told(_with(0.021, 0.012, 0.03)) == gain
    loss = "WordNet takes 2.1 points of accuracy [1.2, 3.0] from no graph (p 0.001)."
    assert told(_with(-0.021, -0.03, -0.012)) == loss
    unclear = told(_with(0.003, -0.004, 0.01, 0.4))
    assert unclear == (
        "No difference between WordNet and no graph can be told: +0.3 [-0.4, +1.0] points of accuracy; with 1,000 "
        "examples and 5 seeds, 1.7 points could have been seen."
    )
    same = Difference(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0, 0, 1.0, None, None, None, 0.017, 1000, 1000, 5)
    assert told(Compared("a", "b", "accuracy", same, 1.0)).startswith("a and b do equally well on every example")
    assert "leaves 0 out" in told(_with(0.02, 0.001, 0.04, 0.06))
    assert told(_with(0.02, 0.01, 0.03, seeds=1)).endswith("is not in the interval.")


@pytest.mark.parametrize(
    ("gain", "control", "between", "end"),
    [
        ((0.021, 0.012, 0.03), (0.003, -0.004, 0.01), (0.018, 0.01, 0.03), "the gain comes from its facts."),
        ((0.021, 0.012, 0.03), (0.01, 0.004, 0.02), (0.011, 0.005, 0.02), "the rest does not need them."),
        ((0.021, 0.012, 0.03), (0.003, -0.004, 0.01), (0.018, -0.01, 0.03), "cannot be told (the two are +1.8"),
        ((0.021, 0.012, 0.03), (0.02, 0.011, 0.03), (0.001, -0.01, 0.01), "the gain may not need its facts."),
        ((0.021, 0.012, 0.03), (0.04, 0.03, 0.05), (-0.02, -0.03, -0.01), "does not come from the facts."),
        ((0.003, -0.004, 0.01), (0.0, -0.01, 0.01), (0.003, -0.01, 0.01), "1.7 points could have been seen with"),
        ((-0.03, -0.04, -0.02), (0.0, -0.01, 0.01), (-0.03, -0.05, -0.01), "the graph does harm."),
    ],
)
def test_where_a_gain_comes_from_is_told_only_by_comparing_the_two_graphs(
    gain: tuple[float, float, float],
    control: tuple[float, float, float],
    between: tuple[float, float, float],
    end: str,
) -> None:
    assert end in facts_told(_with(*gain), _with(*control), _with(*between))


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_no_sentence_says_more_of_an_interval_with_0(value: float, below: float, above: float, p: float) -> None:
    compared = _with(value, value - below, value + above, p)
    claims = told(compared).startswith(("WordNet adds", "WordNet takes"))
    if value - below <= 0 <= value + above or p >= 0.05:
        assert not claims
    assert claims == (compared.verdict != "unclear")

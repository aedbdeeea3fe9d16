"""Comparisons of variants: differences, tests, corrections."""

import math

import numpy as np
import pytest

from kgreason.errors import DataError
from kgreason.statistics import Answers, detectable, difference, holm, mcnemar, mean_interval


def _answers(gold: np.ndarray, accuracy: float, rng: np.random.Generator, seeds: int = 3) -> Answers:
    wrong = (gold + 1 + rng.integers(0, 2, (seeds, len(gold)))) % 3
    return Answers(gold, np.where(rng.random((seeds, len(gold))) < accuracy, gold, wrong))


def test_the_difference_is_that_of_the_metrics_and_its_sign_is_found() -> None:
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    gold = rng.integers(0, 3, 600)
    good, bad = _answers(gold, 0.8, rng), _answers(gold, 0.6, rng)
    for metric, of in (
        ("accuracy", lambda f: (f == gold).mean()),
        ("macro_f1", lambda f: f1_score(gold, f, average="macro")),
    ):
        want = np.mean([of(f) for f in good.found]) - np.mean([of(f) for f in bad.found])
        found = difference(good, bad, metric, 3, samples=500)  # type: ignore[arg-type]
        assert found.value == pytest.approx(want, abs=1e-6)
        assert found.low < want < found.high
        assert found.p < 0.01
        assert found.mcnemar < 0.01
    back = difference(bad, good, samples=500)
    assert back.value == pytest.approx(-difference(good, bad, samples=500).value)


def test_where_there_is_no_difference_p_is_not_small() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 3, 300)
    small = sum(difference(_answers(gold, 0.7, rng), _answers(gold, 0.7, rng), samples=200).p < 0.05 for _ in range(40))
    assert small <= 6
    same = _answers(gold, 0.7, rng)
    assert difference(same, same, samples=200).p == 1.0


def test_mcnemar_is_the_sign_test_of_the_items_that_differ() -> None:
    right = np.array([True] * 9 + [False] * 1 + [True] * 50)
    other = np.array([False] * 9 + [True] * 1 + [True] * 50)
    assert mcnemar(right, other) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(right, right) == 1.0


def test_intervals_and_corrections() -> None:
    mean, half = mean_interval([0.8, 0.82, 0.84])
    assert mean == pytest.approx(0.82)
    assert half == pytest.approx(4.302653 * 0.02 / math.sqrt(3), rel=1e-5)
    assert math.isnan(mean_interval([0.5])[1])
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_variants_tested_on_other_items_are_not_compared() -> None:
    a = Answers(np.array([0, 1]), np.array([[0, 1]]))
    with pytest.raises(DataError, match="different items"):
        difference(a, Answers(np.array([1, 1]), np.array([[0, 1]])))
    with pytest.raises(DataError, match="seeds"):
        difference(a, Answers(np.array([0, 1]), np.array([[0, 1], [0, 1]])))


def test_against_statsmodels() -> None:
    from statsmodels.stats.contingency_tables import mcnemar as theirs
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import TTestPower

    rng = np.random.default_rng(0)
    for _ in range(5):
        one, other = rng.random(80) < 0.7, rng.random(80) < 0.6
        table = [[int((a & b).sum()) for b in (other, ~other)] for a in (one, ~one)]
        assert mcnemar(one, other) == pytest.approx(theirs(table, exact=True).pvalue)
        p = rng.random(7) ** 3
        assert holm(p.tolist()) == pytest.approx(multipletests(p, method="holm")[1])
    for items, psi in ((500, 0.1), (2000, 0.3)):
        ours = detectable(items, psi)
        t = TTestPower().solve_power(effect_size=ours / math.sqrt(psi - ours**2), nobs=items, alpha=0.05)
        assert t == pytest.approx(0.8, abs=0.01)

"""Laws of the comparisons, and what simulation says of them: intervals cover, tests keep their level."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy import ndarray

from kgreason.statistics import (
    Answers,
    Compared,
    Difference,
    Values,
    almost_order,
    cliff,
    corrected_interval,
    detectable,
    difference,
    holm,
    interval,
    mcnemar,
    needed,
    permutation,
    resample,
    tally,
    told,
    violation,
)

quick = partial(difference, samples=200)
few = settings(max_examples=25)


@st.composite
def two_variants(draw: st.DrawFn) -> tuple[Answers, Answers]:
    seeds, items = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    label = st.integers(0, 2)
    gold = draw(arrays(np.int64, items, elements=label))
    one, other = (draw(arrays(np.int64, (seeds, items), elements=label)) for _ in range(2))
    group = draw(st.none() | arrays(np.int64, items, elements=st.integers(0, 3)))
    return Answers(gold, one, group), Answers(gold, other, group)


def _moved(answers: Answers, order: ndarray) -> Answers:
    group = None if answers.group is None else answers.group[order] + 7  # only who shares a group counts
    return Answers(answers.gold[order], answers.found[:, order], group)


@few
@given(two_variants(), st.sampled_from(["accuracy", "macro_f1"]), st.randoms())
def test_the_order_of_items_and_the_names_of_groups_do_not_matter(
    pair: tuple[Answers, Answers], metric: str, random: object
) -> None:
    order = np.random.default_rng(0).permutation(len(pair[0].gold))
    here, there = (quick(a, b, metric, 3) for a, b in (pair, (_moved(pair[0], order), _moved(pair[1], order))))
    for name in Difference.__dataclass_fields__:
        assert getattr(here, name) == pytest.approx(getattr(there, name), abs=1e-9)


@few
@given(two_variants(), st.sampled_from(["accuracy", "macro_f1"]))
def test_the_other_way_round_the_difference_is_the_negative(pair: tuple[Answers, Answers], metric: str) -> None:
    there, back = quick(*pair, metric, 3), quick(*pair[::-1], metric, 3)
    assert back.value == pytest.approx(-there.value, abs=1e-9)
    assert (back.wins, back.losses) == (there.losses, there.wins)
    assert back.mcnemar == pytest.approx(there.mcnemar)
    assert back.odds == pytest.approx(1 / there.odds)
    assert back.detectable == pytest.approx(there.detectable, abs=0.06)  # few rounds, six items
    if there.delta is not None and back.delta is not None:
        assert back.delta == pytest.approx(-there.delta)
        assert (back.order, back.order_back) == pytest.approx((there.order_back, there.order), abs=0.1)


@few
@given(two_variants(), st.sampled_from(["accuracy", "macro_f1"]))
def test_numbers_are_in_their_ranges(pair: tuple[Answers, Answers], metric: str) -> None:
    found = quick(*pair, metric, 3)
    assert -1 <= found.low <= found.high <= 1
    assert all(0 < p <= 1 for p in (found.p, found.permutation, found.mcnemar))
    assert 0 < found.detectable <= 1
    alone = interval(pair[0], metric, 3, rounds=200)  # type: ignore[arg-type]
    assert 0 <= alone.low <= alone.high <= 1
    same = quick(pair[0], pair[0], metric, 3)
    assert (same.value, same.low, same.high, same.p, same.permutation, same.mcnemar) == (0, 0, 0, 1, 1, 1)
    assert same.verdict(same.p) == "unclear"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_monotone_and_never_below_the_plain_p(p: list[float]) -> None:
    corrected = holm(p)
    assert all(q >= min(1, x) for x, q in zip(p, corrected, strict=True))
    assert max(corrected) <= 1
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
    backwards = holm(p[::-1])[::-1]
    assert backwards == pytest.approx(corrected)


@given(*(st.lists(st.floats(-3, 3), min_size=1, max_size=6) for _ in range(2)))
def test_the_two_violation_ratios_are_one_together(f: list[float], g: list[float]) -> None:
    one, other = (float(violation(np.array([a]), np.array([b]))[0]) for a, b in ((f, g), (g, f)))
    assert one + other == pytest.approx(1)
    assert one == pytest.approx(_violation_by_the_book(f, g), abs=1e-9)
    assert cliff(f, g) == pytest.approx(-cliff(g, f))
    assert abs(cliff(f, g)) <= 1


def _violation_by_the_book(f: list[float], g: list[float]) -> float:
    t = (np.arange(len(f) * len(g) * 2) + 0.5) / (len(f) * len(g) * 2)  # the middle of every step, and more
    a, b = (np.sort(x)[(t * len(x)).astype(int)] for x in (np.array(f), np.array(g)))
    whole = ((a - b) ** 2).sum()
    return float((((a - b) ** 2)[a < b]).sum() / whole) if whole > 0 else 0.5


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(0.5, 0.95))
def test_what_could_be_seen_shrinks_with_items_and_grows_with_what_is_asked(n: int, psi: float, power: float) -> None:
    here = detectable(n, psi, power)
    assert 0 < here <= 1
    assert detectable(2 * n, psi, power) <= here + 1e-9
    assert detectable(n, min(1.0, psi + 0.1), power) >= here - 1e-9
    assert detectable(n, psi, min(0.99, power + 0.04)) >= here - 1e-9
    assert detectable(n, psi, power, between=0.02, seeds=5) > here or here == 1
    if here < psi and n > 10:
        assert needed(here, psi, power) == pytest.approx(n, abs=1 + 0.01 * n)


# ---- simulation: a world in which the truth is known


def _values(rng: np.random.Generator, shape: tuple[int, int], item: float, seed: float, rest: float) -> ndarray:
    """Differences whose expectation is 0: of items, of seeds, and of both together."""
    seeds, items = shape
    return (
        item * rng.standard_normal((1, items))
        + seed * rng.standard_normal((seeds, 1))
        + rest * rng.standard_normal((seeds, items))
    )


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        ((1, 15), (1, 0, 0)),  # few items
        ((1, 100), (1, 0, 0)),
        ((3, 80), (1, 0, 1)),  # seeds differ by chance of items alone
        ((3, 80), (1, 0.3, 0.5)),  # seeds differ
        ((5, 40), (0.1, 1, 0.1)),  # nothing but seeds: drawing five of them anew would cover 85 %
        ((2, 80), (1, 0.3, 0.5)),
    ],
)
def test_intervals_cover_what_they_should(shape: tuple[int, int], parts: tuple[float, float, float]) -> None:
    rng, trials = np.random.default_rng(7), 300
    found = [interval(Values(_values(rng, shape, *parts)), "mean", rounds=400) for _ in range(trials)]
    covered = float(np.mean([x.low <= 0 <= x.high for x in found]))
    assert 0.915 <= covered <= 0.985  # 0.95 within three standard errors of 300 trials
    assert np.mean([x.p < 0.05 for x in found]) <= 0.085


def test_groups_widen_the_interval_as_far_as_it_takes() -> None:
    rng, covered, blind = np.random.default_rng(3), 0, 0
    group = np.repeat(np.arange(30), 4)
    for _ in range(200):
        value = rng.standard_normal(30)[group][None] + 0.3 * rng.standard_normal((1, 120))
        for grouped in (True, False):
            x = interval(Values(value, group if grouped else None), "mean", rounds=300)
            hit = x.low <= 0 <= x.high
            covered, blind = covered + (hit and grouped), blind + (hit and not grouped)
    assert 0.90 <= covered / 200 <= 0.99
    assert blind / 200 < 0.80  # the same examples, taken for independent


def _alike(rng: np.random.Generator, items: int, seeds: int, lead: float = 0.0) -> tuple[Answers, Answers]:
    """Two variants that find the same items hard; the first is right on `lead` more of them."""
    hard = rng.random(items)
    gold = np.ones(items, np.int64)
    right = [(rng.random((seeds, items)) > np.clip(hard - more, 0, 1)).astype(np.int64) for more in (lead, 0.0)]
    return Answers(gold, right[0]), Answers(gold, right[1])


@pytest.mark.parametrize(("items", "seeds"), [(8, 1), (100, 1), (100, 3)])
def test_tests_keep_their_level_where_nothing_differs(items: int, seeds: int) -> None:
    rng, trials = np.random.default_rng(11), 160
    small: dict[str, float] = {"bootstrap": 0, "permutation": 0, "mcnemar": 0, "better or worse": 0}
    for _ in range(trials):
        d = quick(*_alike(rng, items, seeds))
        small["permutation"] += d.permutation < 0.05
        small["bootstrap"] += d.p < 0.05 and items > 50  # of eight items a bootstrap's p is no p
        small["mcnemar"] += d.mcnemar < 0.05
        small["better or worse"] += d.verdict(d.p) != "unclear"
    assert all(count / trials <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials) for count in small.values()), small


def test_a_difference_that_is_there_is_found_as_often_as_promised() -> None:
    rng, items, psi = np.random.default_rng(5), 300, 0.2
    lead = detectable(items, psi)
    gold, hits = np.ones(items, np.int64), 0
    for _ in range(200):
        kind = rng.choice(3, items, p=[(psi + lead) / 2, (psi - lead) / 2, 1 - psi])
        one, other = ((kind != wrong).astype(np.int64)[None] for wrong in (1, 0))
        hits += permutation(tally([Answers(gold, one), Answers(gold, other)]), 400) < 0.05
    assert 0.7 <= hits / 200 <= 0.9


def test_almost_order_is_sure_only_where_seeds_hardly_overlap() -> None:
    rng = np.random.default_rng(0)
    low, high = rng.normal(0.7, 0.01, 8), rng.normal(0.8, 0.01, 8)
    assert almost_order(high.tolist(), low.tolist()) == 0
    assert almost_order(low.tolist(), high.tolist()) == 1
    claims = [almost_order(rng.normal(0, 1, 5).tolist(), rng.normal(0, 1, 5).tolist(), 200) < 0.2 for _ in range(200)]
    assert np.mean(claims) <= 0.13
    assert almost_order([0.5] * 3, [0.5] * 3) == 0.5


# ---- corners


def test_three_items_never_make_anything_better() -> None:
    gold = np.ones(3, np.int64)
    d = difference(Answers(gold, np.ones((5, 3), np.int64)), Answers(gold, np.zeros((5, 3), np.int64)))
    assert (d.value, d.permutation, d.verdict(0.001)) == (1.0, 0.25, "unclear")
    assert "No difference" in told(Compared("a", "b", "accuracy", d, 0.001))
    assert d.detectable == 1.0


def test_the_permutation_test_tries_all_exchanges_where_few_items_differ() -> None:
    rng = np.random.default_rng(0)
    gold, one, other = np.ones(40, np.int64), np.ones((1, 40), np.int64), np.ones((1, 40), np.int64)
    one[0, :2], other[0, 2:12] = 0, 0
    exact = permutation(tally([Answers(gold, one), Answers(gold, other)]))
    assert exact == pytest.approx(mcnemar(one[0] == 1, other[0] == 1))
    value = rng.normal(0.4, 1, (1, 9))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 9)).reshape(9, -1).T
    far = (np.abs(signs @ value[0]) >= abs(value.sum()) - 1e-9).mean()
    assert permutation(tally([Values(value), Values(np.zeros((1, 9)))], "mean")) == pytest.approx(far)


def test_one_item_and_one_seed_are_no_error() -> None:
    d = difference(Answers(np.array([1]), np.array([[1]])), Answers(np.array([1]), np.array([[0]])))
    assert (d.value, d.delta, d.order, d.seeds) == (1.0, None, None, 1)
    found = resample(tally([Values(np.array([[2.0]]))], "mean"))
    assert (found.low, found.high, found.between) == (2.0, 2.0, 0.0)


def test_folds_that_share_their_training_data_are_worth_less_than_as_many_draws() -> None:
    values = [0.1, 0.2, 0.3, 0.15, 0.25]
    mean, half, p = corrected_interval(values, 1 / 4)
    assert mean == pytest.approx(0.2)
    assert half == pytest.approx(2.7764451 * np.sqrt((1 / 5 + 1 / 4) * np.var(values, ddof=1)), rel=1e-6)
    assert p > 0.0
    assert np.isnan(corrected_interval([0.5], 0.25)[1])
    assert corrected_interval([0.5, 0.5], 0.25)[1:] == (0.0, 0.0)

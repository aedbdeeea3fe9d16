"""Metrics, against scikit-learn and against their definitions written a second time."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from kgreason.data import Example
from kgreason.tasks.metrics import by_category, calibration_error, choices, classification, interval

LABELS = ("entailment", "neutral", "contradiction")


def test_classification_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    gold, probability = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    found = probability.argmax(1)
    scores = classification(gold, probability, LABELS)
    assert scores["accuracy"] == pytest.approx(accuracy_score(gold, found))
    assert scores["macro_f1"] == pytest.approx(f1_score(gold, found, average="macro"))
    recall = recall_score(gold, found, average=None)
    assert [scores[f"recall.{label}"] for label in LABELS] == pytest.approx(recall.tolist())
    assert scores["accuracy.low"] < scores["accuracy"] < scores["accuracy.high"]
    assert scores["log_loss"] == pytest.approx(-np.log(probability[np.arange(200), gold]).mean())


def test_always_answering_the_largest_class_has_high_accuracy_and_low_macro_f1() -> None:
    gold = np.array([2] * 87 + [0] * 12 + [1])
    probability = np.tile([0.1, 0.1, 0.8], (100, 1))
    scores = classification(gold, probability, LABELS)
    assert scores["accuracy"] == pytest.approx(0.87)
    assert scores["macro_f1"] == pytest.approx(f1_score(gold, [2] * 100, average="macro", zero_division=0))
    assert scores["macro_f1"] < 0.32


def test_calibration_error_is_the_gap_in_each_bin() -> None:
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    right = np.array([True] * 8 + [False] * 2 + [True] * 6 + [False] * 4)
    assert calibration_error(confidence, right) == pytest.approx(0.5 * abs(0.8 - 0.95) + 0.5 * abs(0.6 - 0.55))
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0.0


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng, inside = np.random.default_rng(0), 0
    for _ in range(300):
        low, high = interval(rng.random(500) < 0.7)
        inside += low <= 0.7 <= high
    assert 0.9 <= inside / 300 <= 0.99


def test_choices_of_different_numbers() -> None:
    probability = [np.array([0.7, 0.3]), np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.2, 0.3, 0.4])]
    scores = choices(np.array([0, 2, 0]), probability)
    assert scores["accuracy"] == pytest.approx(1 / 3)
    assert scores["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)


def test_accuracy_in_each_category() -> None:
    examples = [Example(str(i), ("a", "b"), ("premise", "hypothesis")) for i in range(4)]
    right = np.array([True, False, True, True])
    kinds = {"0": {"category": "colors"}, "1": {"category": "colors", "hops": "2"}, "2": {"category": "drinks"}}
    scores = by_category(examples, kinds, right)
    assert scores == {"category.colors": 0.5, "category.drinks": 1.0, "hops.2": 0.0}

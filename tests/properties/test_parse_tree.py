"""The best tree is a tree, and no tree is better."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kgreason.parse.sentence import is_tree
from kgreason.parse.tree import best_tree, best_trees

SCORES = st.integers(1, 4).flatmap(
    lambda n: hnp.arrays(np.float32, (n + 1, n + 1), elements=st.floats(-50, 50, width=32))
)


def total(scores: np.ndarray, governors: tuple[int, ...]) -> float:
    return float(sum(scores[d + 1, g] for d, g in enumerate(governors)))


@given(SCORES)
def test_no_tree_with_one_root_is_better(scores: np.ndarray) -> None:
    n = len(scores) - 1
    found = tuple(best_tree(scores)[1:].tolist())
    assert is_tree(found)
    best = max(total(scores, g) for g in itertools.product(range(n + 1), repeat=n) if is_tree(g))
    np.testing.assert_allclose(total(scores, found), best, atol=1e-3)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_a_batch_gives_the_trees_of_its_sentences(seed: int, lengths: list[int]) -> None:
    rng = np.random.default_rng(seed)
    size = max(lengths) + 1
    scores = rng.normal(size=(len(lengths), size, size)).astype(np.float32)
    # The likely case too: every other sentence is nearly a chain already.
    for b in range(0, len(lengths), 2):
        scores[b, np.arange(1, size), np.arange(size - 1)] += 20
    found = best_trees(scores, np.array(lengths) + 1)
    for b, n in enumerate(lengths):
        assert is_tree(found[b, 1 : n + 1].tolist())
        np.testing.assert_array_equal(found[b, : n + 1], best_tree(scores[b, : n + 1, : n + 1]))
        assert not found[b, n + 1 :].any()


def test_scores_that_are_no_numbers_still_give_a_tree() -> None:
    assert is_tree(best_tree(np.full((5, 5), np.nan))[1:].tolist())
    assert is_tree(best_tree(np.full((5, 5), -np.inf))[1:].tolist())


def test_a_long_sentence_of_cycles_is_solved() -> None:
    """Pairs of words that choose each other: as many contractions as a sentence can need."""
    n = 160
    scores = np.random.default_rng(0).normal(size=(n + 1, n + 1))
    for d in range(1, n, 2):
        scores[d, d + 1] = scores[d + 1, d] = 30
    assert is_tree(best_tree(scores)[1:].tolist())

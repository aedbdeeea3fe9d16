"""Ranks of right answers against counting, one question at a time."""

import numpy as np
import pytest
from numpy import ndarray

from kgreason.data import NONE, SHARES, UNKNOWN, Ranks
from kgreason.train.ranks import best_first, rank


def random_batch(seed: int, groups: int = 30) -> tuple[list[ndarray], list[ndarray], list[list[int]]]:
    """Candidates with many ties, probabilities, and right answers: some listed, some not, some unknown, some none."""
    rng = np.random.default_rng(seed)
    candidates, probabilities, rights = [], [], []
    for _ in range(groups):
        n = int(rng.integers(0, 12))
        candidates.append(rng.choice(np.arange(NONE, 25), n, replace=False))
        p = (rng.choice([1e-30, 0.001, 0.2, 0.2000001, 0.5], n) / 3).astype(np.float32)
        probabilities.append(p)
        rights.append([NONE] if rng.random() < 0.2 else [*rng.choice(25, rng.integers(0, 4), replace=False), UNKNOWN])
    return candidates, probabilities, rights


def ranked(candidates: list[ndarray], probabilities: list[ndarray], rights: list[list[int]]) -> Ranks:
    cuts = np.concatenate([[0], np.cumsum([len(c) for c in candidates])])
    question = np.repeat(np.arange(len(rights)), [len(r) for r in rights])
    flat = np.array([c for r in rights for c in r], np.int64)
    return rank(np.concatenate(candidates), np.concatenate(probabilities), cuts, question, flat)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_what_counting_finds(seed: int) -> None:
    batch = random_batch(seed)
    found, row = ranked(*batch), 0
    for g, (candidate, p, right) in enumerate(zip(*batch, strict=True)):
        entity, best = p[candidate != NONE], p[candidate != NONE].max(initial=0)
        assert found.touched[g] == len(entity)
        assert found.best[g] == best
        assert found.none[g] == p[candidate == NONE].sum()
        share = entity / best if len(entity) else entity
        assert found.size_at[g].tolist() == [(share >= t).sum() for t in SHARES]
        for answer in right:
            assert (found.question[row], found.right[row]) == (g, answer)
            mine = p[candidate == answer] if answer >= 0 else p[:0]
            if len(mine):
                assert found.better[row] == (entity > mine[0]).sum()
                assert found.equal[row] == (entity == mine[0]).sum()
                assert found.share[row] == pytest.approx(mine[0] / best)
            else:
                assert (found.better[row], found.equal[row], found.share[row]) == (-1, 0, 0)
            row += 1


def test_parts_are_joined_in_the_order_of_the_data_set() -> None:
    candidates, probabilities, rights = random_batch(7)
    order = np.random.default_rng(0).permutation(30)
    mixed = [[column[i] for i in order] for column in (candidates, probabilities, rights)]
    parts = [ranked(*(column[:11] for column in mixed)), ranked(*(column[11:] for column in mixed))]
    joined, whole = Ranks.join(parts, np.argsort(order)), ranked(candidates, probabilities, rights)
    for name in Ranks.__slots__:
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), err_msg=name)


def test_the_best_are_kept() -> None:
    p = np.random.default_rng(0).random(50).astype(np.float32)
    assert best_first(p, 50).tolist() == list(range(50))
    kept = best_first(p, 10)
    assert kept.tolist() == np.argsort(-p)[:10].tolist()

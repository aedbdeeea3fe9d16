"""Where right answers stand among many candidates, and which candidates are worth keeping."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from kgreason.data import NONE, Ranks, count_shares


def rank(
    candidate: Int[ndarray, " candidates"],
    probability: Float[ndarray, " candidates"],
    cuts: Int[ndarray, " bounds"],
    question: Int[ndarray, " answers"],
    right: Int[ndarray, " answers"],
) -> Ranks:
    """Count, over all candidates of a batch, what `Ranks` tells.

    Args:
        candidate: Of all groups, one after the other.
        probability: Of each.
        cuts: Group `g` has the candidates `cuts[g] : cuts[g + 1]`.
        question: The group of each right answer; ascending.
        right: The right answers.
    """
    groups = len(cuts) - 1
    group = np.repeat(np.arange(groups), np.diff(cuts))
    entity = candidate != NONE
    none, best = np.zeros(groups, np.float32), np.zeros(groups, np.float32)
    none[group[~entity]] = probability[~entity]
    group, candidate, probability = group[entity], candidate[entity], probability[entity]
    np.maximum.at(best, group, probability)
    share = probability / np.maximum(best[group], np.finfo(np.float32).tiny)
    better, equal, right_share = _find(group, candidate, share, question, right)
    return Ranks(
        question=question,
        right=right,
        better=better,
        equal=equal,
        share=right_share,
        touched=np.bincount(group, minlength=groups),
        best=best,
        none=none,
        size_at=count_shares(group, share, groups),
    )


def _find(
    group: ndarray, candidate: ndarray, share: ndarray, question: ndarray, right: ndarray
) -> tuple[Int[ndarray, " answers"], Int[ndarray, " answers"], Float[ndarray, " answers"]]:
    """Return how many candidates are better than each right answer, how many equal it, and its share."""
    many = len(right)
    better, equal, found = np.full(many, -1), np.zeros(many, np.int64), np.zeros(many, np.float32)
    if not many or not len(candidate):
        return better, equal, found
    width = int(max(candidate.max(), right.max())) + 3  # targets are counted from UNKNOWN, which is -2
    wanted = question * width + right + 2
    order = np.argsort(wanted, kind="stable")
    keys = group * width + candidate + 2
    place = np.searchsorted(wanted[order], keys).clip(max=many - 1)  # few are wanted, so this is quick
    hit = np.flatnonzero(wanted[order][place] == keys)
    at = order[place[hit]]
    found[at] = share[hit]
    least = np.full(int(group.max()) + 1, np.inf, np.float32)
    np.minimum.at(least, question[at], share[hit])
    kept = share >= least[group]  # the others are below every right answer of their group
    scale = np.sort(_falling(group[kept], share[kept]))
    mine = _falling(question[at], share[hit])
    above, upto = np.searchsorted(scale, mine, "left"), np.searchsorted(scale, mine, "right")
    before = np.searchsorted(scale, question[at].astype(np.int64) << 32)
    better[at], equal[at] = above - before, upto - above
    return better, equal, found


def _falling(group: ndarray, share: ndarray) -> Int[ndarray, " items"]:
    """Return one number for each: by group, and within it the higher share first.

    The bits of a float that is not negative, read as an integer, stand in its order: nothing is rounded.
    """
    bits = share.astype(np.float32).view(np.int32).astype(np.int64)
    out: ndarray = (group.astype(np.int64) << 32) + (np.iinfo(np.int32).max - bits)
    return out


def best_first(probability: Float[ndarray, " candidates"], keep: int) -> Int[ndarray, " kept"]:
    """Return where the `keep` best candidates stand, the best first; all of them, as they stand, if there are fewer."""
    if len(probability) <= keep:
        return np.arange(len(probability))
    top = np.argpartition(-probability, keep)[:keep]
    return top[np.argsort(-probability[top], kind="stable")]

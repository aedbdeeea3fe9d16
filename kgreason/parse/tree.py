"""The best dependency tree of a matrix of scores: Chu-Liu/Edmonds with exactly one root."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray


def best_trees(
    scores: Float[ndarray, "batch words words"], lengths: Int[ndarray, " batch"]
) -> Int[ndarray, "batch words"]:
    r"""Return the governor of every word in the best tree of every sentence of a padded batch.

    $$\hat g = \arg\max_{g \,\in\, \text{trees with one root}} \sum_{d=1}^{n} s_{d\,g(d)}$$

    Most sentences are a tree already when each word takes its best governor, which is seen for all of them at once;
    the others go through Chu-Liu/Edmonds one by one.

    Args:
        scores: `scores[b, d, g]`; position 0 is the root, row 0 is not read.
        lengths: Positions used by each sentence, the root included.

    Returns:
        Governors; 0 for the root's only child, and at position 0 and in the padding.
    """
    size = scores.shape[1]
    inside = np.arange(size)[None] < lengths[:, None]
    allowed = inside[:, None, :] & ~np.eye(size, dtype=bool)[None]
    masked = np.where(allowed, scores, -np.inf)
    governor = np.where(inside, masked.argmax(2), 0)
    governor[:, 0] = 0
    for b in np.flatnonzero(~_are_trees(governor, inside)):
        n = int(lengths[b])
        governor[b, :n] = best_tree(scores[b, :n, :n])
    return governor.astype(np.int64)


def _are_trees(governor: ndarray, inside: ndarray) -> ndarray:
    """Say for each sentence whether all words reach the root and the root has one child: pointers double each turn."""
    roots = ((governor == 0) & inside)[:, 1:].sum(1)
    reach = governor
    for _ in range(max(int(governor.shape[1] - 1).bit_length(), 1)):
        reach = np.take_along_axis(reach, reach, axis=1)
    tree: ndarray = (reach == 0).all(1) & ((roots == 1) | (inside.sum(1) <= 1))
    return tree


def best_tree(scores: Float[ndarray, "words words"]) -> Int[ndarray, " words"]:
    """Return the best tree with one root, by Chu-Liu/Edmonds, in O(n³) at worst.

    One root: every score of the root is lowered by more than all other scores could make up for, so the best tree
    takes as few children of the root as a tree can, which is one (Stanić and Cohen 2021, arXiv:2109.05977).

    Scores that are not numbers count as the worst; ties go to the lower position.
    """
    s = np.nan_to_num(scores.astype(np.float64), nan=-1e9, posinf=1e9, neginf=-1e9)
    n = len(s)
    if n <= 1:
        return np.zeros(n, np.int64)
    spread = float(s[1:].max() - s[1:].min()) + 1.0
    s[:, 0] -= spread * n
    np.fill_diagonal(s, -np.inf)
    s[0] = -np.inf
    return _edmonds(s)


def _edmonds(s: ndarray) -> ndarray:
    n = len(s)
    governor = np.zeros(n, np.int64)
    governor[1:] = s[1:].argmax(1)
    cycle = _cycle(governor)
    if cycle is None:
        return governor
    # Contract the cycle into one word, the last of a smaller problem.
    rest = np.setdiff1d(np.arange(n), cycle)
    kept = s[cycle, governor[cycle]]
    entering = s[np.ix_(cycle, rest)] - kept[:, None]
    leaving = s[np.ix_(rest, cycle)]
    small = np.full((len(rest) + 1, len(rest) + 1), -np.inf)
    small[:-1, :-1] = s[np.ix_(rest, rest)]
    small[-1, :-1] = entering.max(0)
    small[:-1, -1] = leaving.max(1)
    small[0] = -np.inf
    tree = _edmonds(small)
    # Expand: the cycle opens where the best edge enters it, and each child of the cycle hangs on its best member.
    for i, g in enumerate(tree[:-1].tolist()):
        governor[rest[i]] = cycle[leaving[i].argmax()] if g == len(rest) else rest[g]
    governor[cycle[entering[:, tree[-1]].argmax()]] = rest[tree[-1]]
    governor[0] = 0
    return governor


def _cycle(governor: ndarray) -> ndarray | None:
    state = np.zeros(len(governor), np.int64)
    state[0] = -1
    for start in range(1, len(governor)):
        at = start
        while state[at] == 0:
            state[at] = start
            at = int(governor[at])
        if state[at] == start:
            members = [at]
            while int(governor[members[-1]]) != at:
                members.append(int(governor[members[-1]]))
            return np.array(sorted(members))
    return None

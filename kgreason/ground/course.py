"""How far two texts run alongside each other, word for word: where they do, no parse has to tell what answers what."""

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Int64
from numba import njit
from numpy import ndarray

_LONGEST_GAP = 2


def side_by_side(
    first: Int64[ndarray, " words"], then: Int64[ndarray, " others"]
) -> tuple[Int64[ndarray, " others"], float]:
    """Return for each word of the second text the word of the first that it runs alongside, or -1; and how far they do.

    Words of the longest common subsequence run alongside each other, and so do words between them if there are as many
    on either side, two at most, and they stand nowhere else: one took the other's place.

    Args:
        first: The words of the one as numbers; equal words have equal numbers.
        then: Those of the other.

    Returns:
        The positions, and the share of common words, $2c / (m + n)$.

    >>> side_by_side(np.array([1, 2, 3, 4]), np.array([1, 5, 3, 4, 6]))[0].tolist()
    [0, 1, 2, 3, -1]
    """
    out = np.full(len(then), -1, np.int64)
    common = _common(first, then, out)
    _fill(out, len(first), np.isin(first, then), np.isin(then, first))
    return out, 2 * common / max(len(first) + len(then), 1)


@njit(cache=True)
@no_type_check
def _common(first, then, out):
    """Fill in the longest common subsequence, found from the end so that the earliest words are taken."""
    m, n = len(first), len(then)
    best = np.zeros((m + 1, n + 1), np.int32)
    for i in range(m - 1, -1, -1):
        for j in range(n - 1, -1, -1):
            if first[i] == then[j]:
                best[i, j] = best[i + 1, j + 1] + 1
            else:
                best[i, j] = max(best[i + 1, j], best[i, j + 1])
    i = j = 0
    while i < m and j < n:
        if first[i] == then[j] and best[i, j] == best[i + 1, j + 1] + 1:
            out[j] = i
            i += 1
            j += 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return best[0, 0]


def _fill(
    out: Int64[ndarray, " others"], size: int, again: Bool[ndarray, " words"], before_too: Bool[ndarray, " others"]
) -> None:
    """Join the words of short gaps that are as long on either side, unless they stand elsewhere in the other text."""
    at, before = 0, -1
    while at < len(out):
        if out[at] >= 0:
            before = int(out[at])
            at += 1
            continue
        end = at
        while end < len(out) and out[end] < 0:
            end += 1
        after = int(out[end]) if end < len(out) else size
        if end - at == after - before - 1 <= _LONGEST_GAP:
            moved = again[before + 1 : after] | before_too[at:end]
            out[at:end] = np.where(moved, -1, np.arange(before + 1, after))
        at = end

"""The chain of a story: of all ways from one person to another, the likeliest, where longer ones have a bonus."""

import numpy as np
from jaxtyping import Float64, Int8
from numpy import ndarray

#: More people than this, and there are too many sets of them to look at each.
MOST = 14


def best_chain(weight: Float64[ndarray, "people people"], start: int, end: int) -> tuple[int, ...]:
    r"""Return the simple path $s = v_0, \dots, v_n = t$ with the greatest $\sum_i w_{v_{i-1} v_i}$; `()` for none.

    Exact: for each set of people and each last one of them the best way through all of them (Held and Karp, 1962,
    doi:10.1137/0110015), $2^n n$ entries.

    Args:
        weight: Of each step; minus infinity where there is none.
        start: $s$.
        end: $t$.

    Raises:
        ValueError: If there are more people than `MOST`.
    """
    many = len(weight)
    if many > MOST:
        raise ValueError(f"a chain among {many} people; at most {MOST} can be looked at.")
    best = np.full((1 << many, many), -np.inf)
    came = np.full((1 << many, many), -1, np.int8)
    best[1 << start, start] = 0.0
    steps = [np.flatnonzero(np.isfinite(row)).tolist() for row in weight]
    for people in range(1 << start, 1 << many):
        for last in np.flatnonzero(np.isfinite(best[people])).tolist():
            for to in steps[last] if last != end else ():
                reached, more = best[people, last] + weight[last, to], people | 1 << to
                if not people >> to & 1 and reached > best[more, to]:
                    best[more, to], came[more, to] = reached, last
    people = int(np.argmax(best[:, end]))
    return _way_back(came, people, start, end) if np.isfinite(best[people, end]) else ()


def _way_back(came: Int8[ndarray, "sets people"], people: int, start: int, end: int) -> tuple[int, ...]:
    way = [end]
    while way[-1] != start:
        people, at = people ^ 1 << way[-1], int(came[people, way[-1]])
        way.append(at)
    return tuple(reversed(way))

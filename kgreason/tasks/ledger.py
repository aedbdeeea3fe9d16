"""Why an answer is wrong: at which room of the line a question was lost."""

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

#: What can become of a question; the first is that all is right.
FAILURES = ("", "not_linked", "not_retrieved", "not_reasoned", "not_decoded")


def failures(
    right: Bool[ndarray, " examples"],
    linked: Bool[ndarray, " examples"],
    retrieved: Bool[ndarray, " examples"],
    first: Bool[ndarray, " examples"],
    complete: Bool[ndarray, " examples"],
) -> Int[ndarray, " examples"]:
    """Return, for each question, the place in `FAILURES` of what went wrong first.

    - `not_linked`: no gold seed is among the entities that the walk started from.
    - `not_retrieved`: no right answer is among the entities that the walk touched; or the answer has all those that it
      touched and nothing else, and yet others were right, too.
    - `not_reasoned`: a right answer was touched, but a wrong one is ranked above it.
    - `not_decoded`: a right answer is ranked first, but the set is wrong: its threshold, or "none of these".

    Args:
        right: Whether the answer is right: the same set, or none where none is.
        linked: Whether a gold seed was found (True if there is none to find).
        retrieved: Whether a right answer was touched (True if there is none).
        first: Whether a right answer is ranked first, "none of these" left aside (True if there is none).
        complete: Whether the answer has exactly those right answers that were touched.
    """
    cases = [right, ~linked, ~retrieved, ~first, complete]
    return np.select(cases, [0, 1, 2, 3, 2], default=4).astype(np.int64)

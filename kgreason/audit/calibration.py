"""Is an answer that is 80 % sure right in 80 % of the cases?"""

from collections.abc import Sequence

import numpy as np

from kgreason.audit.intervals import rate_of
from kgreason.audit.parts import Bin, Calibration
from kgreason.audit.subject import Answers, Row
from kgreason.tasks.metrics import calibration_error

_BINS = 10


def calibration(test: str, rows: Sequence[Row]) -> Calibration:
    """Compare the confidence of the answers of a test with how often they are right.

    Args:
        test: What the test is called.
        rows: Of `predictions.jsonl`.
    """
    answers = Answers.of(rows)
    sure, right = answers.confidence, answers.right
    place = np.clip(np.ceil(sure * _BINS).astype(int) - 1, 0, _BINS - 1)
    bins = tuple(
        Bin(float(sure[place == i].mean()), rate_of(right[place == i])) for i in range(_BINS) if (place == i).any()
    )
    brier = float(((sure - right) ** 2).mean())
    return Calibration(test, calibration_error(sure, right), brier, float(sure.mean()), bins)

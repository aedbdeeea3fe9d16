"""Does a run favour a label?"""

from collections.abc import Sequence

import numpy as np

from kgreason.audit.intervals import gap
from kgreason.audit.parts import Bias
from kgreason.audit.subject import Row


def biases(test: str, rows: Sequence[Row], labels: Sequence[str]) -> tuple[Bias, ...]:
    """Compare how often each label is right with how often it is given.

    Args:
        test: What the test is called.
        rows: Of `predictions.jsonl`.
        labels: All that there are; those that neither occur nor are given are left out.
    """
    gold, given = (np.array([str(row[key]) for row in rows]) for key in ("gold", "answer"))
    return tuple(
        Bias(
            test,
            label,
            float((gold == label).mean()),
            float((given == label).mean()),
            gap(given == label, gold == label),
        )
        for label in labels
        if (gold == label).any() or (given == label).any()
    )

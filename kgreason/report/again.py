"""What runs reached when they were tested again with settings changed after training."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kgreason.audit.intervals import gap
from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.retest import TESTS
from kgreason.explain import Estimate, Quantity
from kgreason.report.result import Result, Study, is_right
from kgreason.report.tables import Table


def retests(study: Study) -> Table | None:
    """Return what the runs' weights reached with settings changed, on the same examples; None if there is nothing.

    What an ablation has as a row of its own is left out.
    """
    rows: list[list[object]] = []
    told = {run.folder.resolve() for runs in study.variants.values() for run in runs.values()}
    for name, runs in study.variants.items():
        for seed, run in sorted(runs.items()):
            found = sorted((run.folder / TESTS).glob(f"*/{record.METRICS}"))
            for path in (path for path in found if path.parent.resolve() not in told):
                rows += _again(f"{name}, seed {seed}", run, path.parent)
    if not rows:
        return None
    columns = ["run", "changed after training", "test", "examples", "as trained", "as changed", "lost by it"]
    note = (
        "The same weights; nothing was trained. Both scores are of the examples that were tested again, with Wilson's "
        "interval; lost: the first less the second in points, paired, with its exact 95 % interval."
    )
    return Table("tested again", columns, rows, note)


def _again(label: str, run: Result, folder: Path) -> list[list[object]]:
    try:
        found = Result.read(folder)
        changed = found.metrics.get("changed")
        rows = [[label, _written(changed), test, *_beside(run, found, test)] for test in found.tests]
    except StoreError as error:
        return [[label, f"{folder} cannot be read: {error}", None, None, None, None, None]]
    return rows


def _beside(run: Result, found: Result, test: str) -> list[object]:
    """Return on how many examples both can be compared, both scores there, and the difference."""
    before = {row.get("uid"): is_right(row) for row in run.rows(test)}
    pairs = [(before[row["uid"]], is_right(row)) for row in found.rows(test) if row.get("uid") in before]
    if not pairs:
        return [0, None, None, None]
    one, two = np.array(pairs, bool).T
    lost = gap(one, two)
    shares = (Estimate.of_share(int(right.sum()), len(right)) for right in (one, two))
    return [len(pairs), *shares, Quantity.points(lost.value, lost.low, lost.high)]


def _written(changed: Any) -> str:
    """Return overrides as they are given on the command line."""
    if not isinstance(changed, Mapping):
        return ""
    return ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in changed.items())

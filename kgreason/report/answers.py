"""What was answered instead of what, and how sure: confusion and calibration of a variant on a test."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from kgreason.errors import StoreError
from kgreason.explain import Bin, Quantity, escape
from kgreason.report.result import Answered, Study
from kgreason.report.scores import Line
from kgreason.report.tables import Table
from kgreason.tasks.metrics import calibration_error

#: More labels than this make no matrix; then the most frequent confusions are listed.
_LABELS, _LISTED = 10, 15
BINS = 10


def confusion(study: Study, test: str, line: Line) -> Table | None:
    """Return how often each answer was given where each was right, all seeds together; None where answers are sets.

    A row for each right answer, a column for each given one. Where there are many labels: the most frequent confusions.
    """
    pairs = _pairs(test, line)
    if not pairs:
        return None
    labels = sorted({label for pair in pairs for label in pair})
    name = f"confusion: {line.name} on {test}"
    seeds = "" if len(line.runs) == 1 else f" All {len(line.runs)} seeds together."
    if len(labels) <= _LABELS:
        rows: list[list[object]] = [[gold, *(pairs[gold, given] for given in labels)] for gold in labels]
        return Table(name, ["right ↓ given →", *labels], rows, f"Counts.{seeds}")
    wrong = [(pair, n) for pair, n in pairs.most_common() if pair[0] != pair[1]][:_LISTED]
    if not wrong:
        return None
    listed: list[list[object]] = [[gold, given, n] for (gold, given), n in wrong]
    return Table(name, ["right", "given", "times"], listed, f"The most frequent confusions.{seeds}")


def grid(table: Table) -> str:
    """Return a confusion matrix as markup, each cell shaded by its share of its row; a list as a plain table."""
    if table.columns[0] != "right ↓ given →":
        return table.html()
    return matrix(table.columns, table.rows, table.caption)


def matrix(columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> str:
    """Return a table of counts as markup, each cell shaded by its share of its row; the first cell names the row."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(_shaded(row) for row in rows)
    return (
        f'<div class="kgr-scroll"><table class="kgr-matrix"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _shaded(row: Sequence[object]) -> str:
    counts = [count for count in row[1:] if isinstance(count, int)]
    whole = max(sum(counts), 1)
    cells = "".join(
        f'<td style="background:rgba(var(--kgr-shade),{0.5 * count / whole:.2f})">{count:,}<br>'
        f'<span class="kgr-interval">{100 * count / whole:.0f} %</span></td>'
        for count in counts
    )
    return f'<tr><th scope="row">{escape(row[0])}</th>{cells}</tr>'


def _pairs(test: str, line: Line) -> Counter[tuple[str, str]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for run in line.runs:
        try:
            rows = run.rows(test)
        except StoreError:
            return Counter()
        if not all("gold_id" in row for row in rows):
            return Counter()  # answers are sets
        pairs.update((str(row["gold"]), str(row["answer"])) for row in rows)
    return pairs


def bins(line: Line) -> list[Bin]:
    """Return the answers of all seeds in ten bins of equal width by how sure they are; empty ones are left out."""
    if not line.answered:
        return []
    sure = np.concatenate([a.sure for a in line.answered])
    right = np.concatenate([a.right for a in line.answered])
    known = np.isfinite(sure)
    sure, right = sure[known], right[known]
    place = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    return [
        Bin(float(sure[place == i].mean()), float(right[place == i].mean()), int((place == i).sum()))
        for i in range(BINS)
        if (place == i).any()
    ]


def _error(answered: Answered) -> float:
    known = np.isfinite(answered.sure)
    return calibration_error(answered.sure[known], answered.right[known])


def calibration(test: str, lines: Sequence[Line]) -> Table | None:
    """Return how sure each variant is beside how often it is right, and the expected calibration error."""
    rows: list[list[object]] = []
    for line in lines:
        found = bins(line)
        if not found:
            continue
        whole = sum(b.count for b in found)
        sure = sum(b.confidence * b.count for b in found) / whole
        error = float(np.mean([_error(a) for a in line.answered if np.isfinite(a.sure).any()]))
        right = sum(b.right * b.count for b in found) / whole
        rows.append([line.name, *(Quantity(share, f"{100 * share:.1f} %") for share in (sure, right, error))])
    told = "ECE: the expected calibration error over 15 bins of equal width (Guo et al. 2017), mean over seeds."
    told += " Answers without a probability are left out."
    columns = ["variant", "mean sureness", "share right", "ECE"]
    return Table(f"calibration: {test}", columns, rows, told) if rows else None

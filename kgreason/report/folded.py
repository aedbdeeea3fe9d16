"""An ablation over folds in a report: what `*.folds.json` says, as tables and plots."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.folds import FoldRow
from kgreason.explain import Mark, Quantity, forest
from kgreason.report.tables import Table
from kgreason.statistics.means import deviation

#: How the file of results of an ablation over folds ends.
FOLDS = ".folds.json"
_TOLD = (
    "Each fold is the test once, and the rest is trained on. Mean over folds and seeds with its 95 % interval after "
    "Nadeau and Bengio (2003): folds share most of their training data, so that their scores are no independent draws. "
    "p: of the t-test with that variance, after Holm's correction for the number of variants."
)


@final
@dataclass(frozen=True, slots=True)
class Folded:
    """An ablation over folds.

    Args:
        title: One line.
        against: The row that the others are compared with.
        folds: How many.
        seeds: With which each was run.
        rows: The table.
        runs: The folders of its runs, as far as the file names them.
    """

    title: str
    against: str
    folds: int
    seeds: tuple[int, ...]
    rows: tuple[FoldRow, ...]
    runs: tuple[Path, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Folded":
        """Read the file of results.

        Raises:
            StoreError: If it is damaged.
        """
        told: Any = record.read_json(path)
        try:
            rows = tuple(FoldRow(**row | {"values": tuple(map(float, row["values"]))}) for row in told["rows"])
            runs = tuple(path.parent / str(folder) for folder in dict(told.get("runs", {})).values())
            seeds = tuple(map(int, told["seeds"]))
            return cls(str(told["title"]), str(told["against"]), int(told["folds"]), seeds, rows, runs)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"{path} is damaged: {error}. Give the command that made it again.") from error

    def by_metric(self) -> Iterator[tuple[str, list[FoldRow]]]:
        """Yield each metric with its rows, in the order of the file."""
        for metric in dict.fromkeys(row.metric for row in self.rows):
            yield metric, [row for row in self.rows if row.metric == metric]

    def table(self, metric: str, rows: Sequence[FoldRow]) -> Table:
        """Return the table of one metric."""
        compared = any(row.gap is not None for row in rows)
        columns = ["variant", metric, "sd", "lowest", "highest"]
        columns += [f"difference to {self.against}", "p (Holm)"] if compared else []
        cells = []
        for row in rows:
            line: list[object] = [row.variant, _mean(row), _points(deviation(row.values))]
            line += [_points(min(row.values)), _points(max(row.values))]
            if compared and row.gap is not None and row.gap_half is not None:
                line += [Quantity.points(row.gap, row.gap - row.gap_half, row.gap + row.gap_half)]
                line += [Quantity.chance(1.0 if row.p_holm is None else row.p_holm)]
            elif compared:
                line += [None, None]
            cells.append(line)
        return Table(f"folds: {metric}", columns, cells, _TOLD)

    def plots(self, metric: str, rows: Sequence[FoldRow]) -> list[str]:
        """Return the means, and the differences, of one metric as forest plots."""
        means = [_mark(row.variant, row.mean, row.half, row.variant == self.against) for row in rows]
        drawn = [forest(means, f"{metric} over {self.folds} folds", "%", "With corrected 95 % intervals.")]
        gaps = [_mark(row.variant, row.gap, row.gap_half) for row in rows if row.gap is not None]
        if gaps:
            title = f"Difference to {self.against}"
            drawn.append(forest(gaps, title, "points", "Right of the dashed line: better.", 0.0))
        return drawn

    def lead(self) -> str:
        """Return what the reader should know first."""
        many = len({row.variant for row in self.rows})
        seeds = f"seeds {', '.join(map(str, self.seeds))}" if len(self.seeds) > 1 else f"seed {self.seeds[0]}"
        return f"{many} {'variant' if many == 1 else 'variants'}, {self.folds} folds, {seeds}."


def _mark(name: str, value: float, half: float | None, against: bool = False) -> Mark:
    half = 0.0 if half is None else half
    return Mark(name, 100 * value, 100 * (value - half), 100 * (value + half), "against" if against else "other")


def _mean(row: FoldRow) -> Quantity:
    if row.half is None:
        return Quantity(row.mean, f"{100 * row.mean:.1f} %")
    low, high = row.mean - row.half, row.mean + row.half
    return Quantity(row.mean, f"{100 * row.mean:.1f} %", f"[{100 * low:.1f}, {100 * high:.1f}]", low, high)


def _points(share: float) -> Quantity | None:
    return None if share != share else Quantity(share, f"{100 * share:.1f}")

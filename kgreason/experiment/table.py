"""The table of an ablation: every row's scores, and how it differs from the row it is compared with."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import numpy as np

from kgreason.experiment import record
from kgreason.experiment.run import Run
from kgreason.statistics import Answers, Difference, Metric, difference, holm, mean_interval

#: What the table shows of each test, where the task has it.
_METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "hits@1")


@runtime_checkable
class Rows(Protocol):
    """What a table is made of: an ablation, or anything else with rows and seeds."""

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def seeds(self) -> tuple[int, ...]:
        """What every row was run with."""
        ...

    @property
    def against(self) -> str:
        """The row that the others are compared with."""
        ...

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Row to what it changes; the one that changes nothing comes first."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a variant on one test, in one metric."""

    variant: str
    test: str
    metric: str
    values: tuple[float, ...]
    mean: float
    half: float
    versus: Difference | None
    p_holm: float | None


def summarise(ablation: Rows, runs: Mapping[tuple[str, int], Run]) -> list[Row]:
    """Return the table: mean over seeds with its 95 % interval, and each row against the one it is compared with."""
    first = runs[ablation.against, ablation.seeds[0]].metrics["test"]
    rows = []
    for test, scores in first.items():
        for metric in (m for m in _METRICS if m in scores):
            answers = {row: _answers([runs[row, seed] for seed in ablation.seeds], test) for row in ablation.variants}
            rows += _compare(ablation, runs, answers, test, metric)
    return rows


def _compare(
    ablation: Rows, runs: Mapping[tuple[str, int], Run], answers: Mapping[str, Answers], test: str, metric: Metric
) -> list[Row]:
    against = answers[ablation.against]
    labels = int(max(a.found.max() for a in answers.values())) + 1
    others = [row for row in ablation.variants if row != ablation.against]
    versus = {
        row: difference(answers[row], against, metric, max(labels, int(against.gold.max()) + 1)) for row in others
    }
    corrected = dict(zip(others, holm([versus[row].p for row in others]), strict=True))
    out = []
    for row in ablation.variants:
        values = tuple(runs[row, seed].metrics["test"][test][metric] for seed in ablation.seeds)
        mean, half = mean_interval(values)
        out.append(Row(row, test, metric, values, mean, half, versus.get(row), corrected.get(row)))
    return out


def to_markdown(ablation: Rows, table: Sequence[Row]) -> str:
    """Return the table as Markdown, percentages with one decimal."""
    seeds = len(ablation.seeds)
    many = f"{seeds} seeds, mean ± 95 % interval" if seeds > 1 else "1 seed"
    lines = [f"# {ablation.title}", "", f"{many}; differences to *{ablation.against}*: paired bootstrap over seeds and"]
    lines += ["items with its 95 % interval, p after Holm; McNemar: the largest p of any seed.", ""]
    lines += ["| test | metric | variant | value | difference | p | McNemar |", "|---|---|---|---|---|---|---|"]
    for row in table:
        half = "" if math.isnan(row.half) else f" ± {100 * row.half:.1f}"
        d = row.versus
        gap = f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]" if d else "–"
        p = f"{row.p_holm:.2g} | {d.mcnemar:.2g}" if d and row.p_holm is not None else "– | –"
        lines.append(f"| {row.test} | {row.metric} | {row.variant} | {100 * row.mean:.1f}{half} | {gap} | {p} |")
    return "\n".join(lines) + "\n"


def _answers(runs: Sequence[Run], test: str) -> Answers:
    found, gold = [], np.zeros(0, np.int64)
    for run in runs:
        rows = [row for row in record.read_lines(run.folder / record.PREDICTIONS) if row["test"] == test]
        listed = bool(rows) and "gold_id" in rows[0]  # else answers are sets, and right or wrong is all that counts
        gold = np.array([row["gold_id"] if listed else 1 for row in rows], np.int64)
        found.append([row["answer_id"] if listed else int(row["right"]) for row in rows])
    return Answers(gold, np.array(found, np.int64))

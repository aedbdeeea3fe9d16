"""An ablation over folds: every row trained and tested once on each part of a small set."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from kgreason.errors import ConfigError
from kgreason.experiment import record
from kgreason.experiment.ablate import Ablation, inside
from kgreason.experiment.answered import METRICS
from kgreason.experiment.run import Run
from kgreason.statistics import ALPHA, corrected_interval, holm
from kgreason.tasks.folds import FOLD, Folds

#: The runs of one fold, by row and seed.
Runs = Mapping[tuple[str, int], Run]


@final
@dataclass(frozen=True, slots=True)
class FoldRow:
    """One line of the table over folds.

    Args:
        variant: The row's name.
        metric: What is measured.
        values: One per fold and seed.
        mean: Of the values.
        half: Half the width of its 95 % interval, corrected; None for one value.
        gap: Mean difference to the row it is compared with, over the same folds and seeds; None for that row.
        gap_half: Half the width of its interval.
        p: Two-sided, of the corrected t-test.
        p_holm: The same, corrected for how many rows are compared.
        told: What it says, in a sentence.
    """

    variant: str
    metric: str
    values: tuple[float, ...]
    mean: float
    half: float | None
    gap: float | None = None
    gap_half: float | None = None
    p: float | None = None
    p_holm: float | None = None
    told: str = ""


def folded(ablation: Ablation, count: int, by: str = "text") -> list[Ablation]:
    """Return the ablation of each fold. The tests that the file names are not read: the folds of train are the tests.

    Args:
        ablation: Over the whole set; its seeds are run in each fold.
        count: How many folds.
        by: What stays together; see `kgreason.tasks.folds.Folds`.

    Raises:
        ConfigError: If the setting makes no sense, or the experiment cuts its data in another way.
    """
    if ablation.base.task.get("folds"):
        raise ConfigError(
            "[task] folds stands in the experiment already, which runs one fold; leave it out for --folds."
        )
    Folds.of({"count": count, "by": by}, ablation.base.task)
    base = replace(ablation.base.with_overrides({"task.test": {}}), expected={})
    parts = [base.with_overrides({"task.folds": {"count": count, "fold": i, "by": by}}) for i in range(count)]
    return [replace(ablation, base=part, title=f"{ablation.title}, fold {i + 1}") for i, part in enumerate(parts)]


def summarise_folds(ablation: Ablation, folds: Sequence[Runs]) -> list[FoldRow]:
    r"""Return the table. A row with a run that is missing is left out.

    Scores of folds share most of their training data, so their variance is taken as
    $(1/J + n_{test}/n_{train})\, s^2$; see `kgreason.statistics.corrected_interval`.

    Args:
        ablation: Over the whole set.
        folds: The runs of each fold, in order.
    """
    wanted = [(i, seed) for i in range(len(folds)) for seed in ablation.seeds]
    rows = [row for row in ablation.variants if all((row, seed) in folds[i] for i, seed in wanted)]
    if not rows:
        return []
    scores = {row: [folds[i][row, seed].metrics["test"][FOLD] for i, seed in wanted] for row in rows}
    first = scores[rows[0]]
    whole = sum(score["size"] for score in first) / len(ablation.seeds)
    ratio = float(np.mean([score["size"] / (whole - score["size"]) for score in first]))
    out: list[FoldRow] = []
    for metric in (m for m in METRICS if all(m in score for of in scores.values() for score in of)):
        values = {row: tuple(float(score[metric]) for score in of) for row, of in scores.items()}
        out += _of_metric(ablation.against, metric, values, ratio)
    return out


def _of_metric(against: str, metric: str, values: Mapping[str, tuple[float, ...]], ratio: float) -> list[FoldRow]:
    gaps = {}
    for row, of in values.items():
        if against in values and row != against:
            gaps[row] = corrected_interval([a - b for a, b in zip(of, values[against], strict=True)], ratio)
    corrected = dict(zip(gaps, holm([p for _, _, p in gaps.values()]), strict=True))
    out = []
    for row, of in values.items():
        mean, half, _ = corrected_interval(of, ratio)
        line = FoldRow(row, metric, of, mean, None if math.isnan(half) else half)
        if row in gaps:
            gap, gap_half, p = gaps[row]
            line = replace(line, gap=gap, gap_half=gap_half, p=p, p_holm=corrected[row])
            line = replace(line, told=_told(line, against))
        out.append(line)
    return out


def _told(row: FoldRow, against: str) -> str:
    gap, half, p = row.gap or 0.0, row.gap_half or 0.0, 1.0 if row.p_holm is None else row.p_holm
    folds = f"over {len(row.values)} folds"
    if abs(gap) > half and p < ALPHA:
        does, to = ("adds", "to") if gap > 0 else ("takes", "from")
        ends = f"[{100 * (abs(gap) - half):.1f}, {100 * (abs(gap) + half):.1f}]"
        return f"{row.variant} {does} {100 * abs(gap):.1f} points of {row.metric} {ends} {to} {against}, {folds}."
    ends = f"{100 * gap:+.1f} [{100 * (gap - half):+.1f}, {100 * (gap + half):+.1f}]"
    return f"No difference between {row.variant} and {against} can be told: {ends} points of {row.metric}, {folds}."


def folds_to_markdown(ablation: Ablation, count: int, table: Sequence[FoldRow]) -> str:
    """Return the table over folds as Markdown, percentages with one decimal."""
    seeds = len(ablation.seeds)
    lines = [
        f"# {ablation.title}",
        "",
        f"{count} folds, {seeds} {'seed' if seeds == 1 else 'seeds'} each; 95 % intervals",
    ]
    lines += ["with the corrected variance of Nadeau and Bengio (2003); p of its t-test after Holm.", ""]
    lines += [f"| metric | variant | mean | lowest | highest | difference to {ablation.against} | p |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for row in table:
        half = "" if row.half is None else f" ± {100 * row.half:.1f}"
        gap, p = "–", "–"
        if row.gap is not None and row.gap_half is not None and row.p_holm is not None:
            gap, p = f"{100 * row.gap:+.1f} ± {100 * row.gap_half:.1f}", f"{row.p_holm:.2g}"
        ends = f"{100 * min(row.values):.1f} | {100 * max(row.values):.1f}"
        lines.append(f"| {row.metric} | {row.variant} | {100 * row.mean:.1f}{half} | {ends} | {gap} | {p} |")
    told = [f"- {row.told}" for row in table if row.told]
    return "\n".join([*lines, *([""] if told else []), *told]) + "\n"


def write_folds(ablation: Ablation, folds: Sequence[Runs], out: Path) -> list[FoldRow]:
    """Write the table to `<title>.folds.json` and `.md` in the folder of runs, and return it.

    Raises:
        StoreError: If it cannot be written.
    """
    table = summarise_folds(ablation, folds)
    stem = out / f"{record.slug(ablation.title)}.folds"
    told: dict[str, Any] = {"title": ablation.title, "against": ablation.against, "seeds": list(ablation.seeds)}
    told |= {"folds": len(folds), "rows": [asdict(row) for row in table]}
    named = [(f"{row}, fold {i + 1}, seed {s}", run) for i, of in enumerate(folds) for (row, s), run in of.items()]
    told |= {"runs": {name: inside(run.folder, out) for name, run in named}}
    record.write_json(Path(f"{stem}.json"), told)
    record.write_text(Path(f"{stem}.md"), folds_to_markdown(ablation, len(folds), table))
    return table

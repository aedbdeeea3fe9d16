"""Writes what an ablation found as one page: tables, plots, and a few examples cycle by cycle. Opens offline."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from kgreason.data import Example, Prediction
from kgreason.experiment import record
from kgreason.experiment.ablate import Ablation, Row, summarise
from kgreason.experiment.restore import load
from kgreason.experiment.run import Run
from kgreason.explain import Estimate, Section, bars, confusion, curves, escape, page, paragraph, table, to_html

Runs = Mapping[tuple[str, int], Run]
#: The four cells of the table of right and wrong, and what an example of each is called on the page.
_CELLS = {
    (True, False): "Right with {row}, wrong with {other}",
    (False, True): "Wrong with {row}, right with {other}",
    (True, True): "Right with both",
    (False, False): "Wrong with both",
}


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """An example that is shown cycle by cycle.

    Args:
        heading: Why it was picked.
        example: The example, with its right answer.
        prediction: What the first row of the ablation says to it, now.
        other: What the row it is compared with said.
        category: Of the example, if the data set names one.
    """

    heading: str
    example: Example
    prediction: Prediction
    other: str
    category: str


def write_report(path: Path, ablation: Ablation, runs: Runs, test: str, lead: str = "", shown: int = 2) -> list[Row]:
    """Write the page, at once.

    Args:
        path: Where.
        ablation: What was run.
        runs: Every row with every seed.
        test: The test whose examples are shown.
        lead: What the reader should know first, as plain text.
        shown: How many examples of each cell of the table of right and wrong.

    Returns:
        The table, for other uses.

    Raises:
        StoreError: If the page cannot be written or a run cannot be read.
    """
    rows = summarise(ablation, runs)
    examples = pick(ablation, runs, test, shown)
    sections = [
        Section("Results", _results(ablation, runs, rows), _told(ablation)),
        Section("Plots", f'<div class="kgr-plots">{_plots(ablation, runs, rows)}</div>'),
        Section("Cycle by cycle", "".join(map(_drawn, examples)), _how(ablation, test, shown)),
        *_categories(ablation, runs),
        Section("How to repeat this", _repeat(ablation, runs)),
    ]
    record.write_text(path, page(ablation.title, sections, lead))
    path.chmod(0o644)  # a page is for others, too
    return rows


def pick(ablation: Ablation, runs: Runs, test: str, count: int) -> list[Shown]:
    """Pick examples by rule: the first `count` of each cell of the table of right and wrong, of distinct categories.

    Args:
        ablation: Its first row is compared with `against`, with the first seed.
        runs: Every row with every seed.
        test: The test they are taken from.
        count: How many of each cell.
    """
    row, other, seed = _first(ablation), _other(ablation), ablation.seeds[0]
    mine, theirs = (_lines(runs[name, seed], test) for name in (row, other))
    chosen: dict[str, tuple[str, str, str]] = {}
    for cell, heading in _CELLS.items():
        categories: set[str] = set()
        for a, b in zip(mine, theirs, strict=True):
            if (_right(a), _right(b)) == cell and len(categories) < count:
                category = _kind(a) or a["uid"]
                if category not in categories:
                    categories.add(category)
                    chosen[a["uid"]] = (heading.format(row=row, other=other), b["answer"], _kind(a))
    pipeline = load(runs[row, seed].folder)
    split = pipeline.task.splits().test[test]
    examples = {example.uid: example for example in split.examples if example.uid in chosen}
    ordered = [examples[uid] for uid in chosen]
    found = pipeline.predict(ordered)
    return [
        Shown(chosen[e.uid][0], e, p, chosen[e.uid][1], chosen[e.uid][2]) for e, p in zip(ordered, found, strict=True)
    ]


def _first(ablation: Ablation) -> str:
    return next(row for row in ablation.variants if row != ablation.against)


def _other(ablation: Ablation) -> str:
    return ablation.against


def _lines(run: Run, test: str) -> list[dict[str, Any]]:
    return [line for line in record.read_lines(run.folder / record.PREDICTIONS) if line["test"] == test]


def _right(line: Mapping[str, Any]) -> bool:
    return bool(line["right"]) if "right" in line else bool(line["gold"] == line["answer"])


def _kind(line: Mapping[str, Any]) -> str:
    """Return what results are broken down by: the phenomenon, else the type of question, else how many hops."""
    return str(next((line[kind] for kind in ("category", "type", "hops") if kind in line), ""))


def _metric(runs: Runs) -> str:
    """Return what counts most: accuracy, or Hits@1 where answers are sets."""
    scores = next(iter(next(iter(runs.values())).metrics["test"].values()))
    return "accuracy" if "accuracy" in scores else "hits@1"


def _told(ablation: Ablation) -> str:
    many = len(ablation.seeds)
    spread = "examples (one seed)" if many == 1 else f"{many} seeds"
    return (
        f"The same model, trained on the same pairs; only the graph differs. Intervals are 95 % over {spread}; "
        f"differences are to '{ablation.against}', by a paired bootstrap, with McNemar's exact test beside."
    )


def _results(ablation: Ablation, runs: Runs, rows: Sequence[Row]) -> str:
    name = _metric(runs)
    columns = ["variant", name, "macro-F1" if name == "accuracy" else "F1 of sets", f"difference in {name}"]
    columns += ["McNemar p", "seconds"]
    parts = []
    for test, size in _sizes(ablation, runs).items():
        lines = [_line(ablation, runs, rows, test, name) for name in ablation.variants]
        parts.append(table(columns, lines, f"{test}, {size:,} examples. Seconds: of one run, preparation included."))
    return "".join(parts)


def _line(ablation: Ablation, runs: Runs, rows: Sequence[Row], test: str, name: str) -> list[object]:
    of = {row.metric: row for row in rows if row.test == test and row.variant == name}
    versus = of[_metric(runs)].versus
    difference = p = None
    if versus is not None:
        difference = f"{100 * versus.value:+.1f} [{100 * versus.low:+.1f}, {100 * versus.high:+.1f}]"
        p = f"{versus.mcnemar:.2g}" if versus.mcnemar >= 1e-4 else "< 0.0001"
    scores = [runs[name, seed].metrics["test"][test] for seed in ablation.seeds]
    f1 = next(
        (f"{100 * np.mean([s[key] for s in scores]):.1f} %" for key in ("macro_f1", "f1") if key in scores[0]), None
    )
    seconds = float(np.mean([runs[name, seed].metrics["seconds"] for seed in ablation.seeds]))
    return [name, _estimate(ablation, runs, rows, test, name), f1, difference, p, round(seconds)]


def _estimate(ablation: Ablation, runs: Runs, rows: Sequence[Row], test: str, name: str) -> Estimate:
    scores = [runs[name, seed].metrics["test"][test] for seed in ablation.seeds]
    metric = _metric(runs)
    values = [float(score[metric]) for score in scores]
    mean = float(np.mean(values))
    if len(values) == 1:
        return Estimate(mean, float(scores[0][f"{metric}.low"]), float(scores[0][f"{metric}.high"]))
    half = next(row.half for row in rows if (row.test, row.variant, row.metric) == (test, name, metric))
    return Estimate(mean, mean - half, mean + half)


def _sizes(ablation: Ablation, runs: Runs) -> dict[str, int]:
    tests = runs[ablation.against, ablation.seeds[0]].metrics["test"]
    return {test: int(scores["size"]) for test, scores in tests.items()}


def _plots(ablation: Ablation, runs: Runs, rows: Sequence[Row]) -> str:
    seed, metric = ablation.seeds[0], _metric(runs)
    plots = [
        bars({name: _estimate(ablation, runs, rows, test, name) for name in ablation.variants}, f"{metric} on {test}")
        for test in _sizes(ablation, runs)
    ]
    courses = {name: _course(runs[name, seed], metric) for name in ablation.variants}
    plots.append(curves(courses, f"{metric} on the dev split, %", "epoch", "The epoch that is best on dev is kept."))
    for test in _sizes(ablation, runs):
        for name in (_first(ablation), ablation.against):
            lines = _lines(runs[name, seed], test)
            if any("gold_id" not in line for line in lines):
                continue  # answers are sets
            labels = list(dict.fromkeys(answer for line in lines for answer in (line["gold"], line["answer"])))
            if len(labels) <= 4:
                plots.append(confusion(sorted(labels), _counts(lines, sorted(labels)), f"{name} on {test}"))
    return "".join(plots)


def _course(run: Run, metric: str) -> list[tuple[float, float]]:
    history = run.metrics["train"]["history"]
    return [(1.0 + row["epoch"], 100 * (row["metrics"][metric] or math.nan)) for row in history]


def _counts(lines: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list[list[int]]:
    return [[sum(x["gold"] == g and x["answer"] == a for x in lines) for a in labels] for g in labels]


def _categories(ablation: Ablation, runs: Runs) -> list[Section]:
    seed, sections = ablation.seeds[0], []
    for test in _sizes(ablation, runs):
        lines = {name: _lines(runs[name, seed], test) for name in ablation.variants}
        kinds = list(dict.fromkeys(kind for line in lines[ablation.against] if (kind := _kind(line))))
        if not kinds:
            continue
        rows = [
            [kind, sum(_kind(line) == kind for line in lines[ablation.against]), *_shares(lines, kind)]
            for kind in sorted(kinds)
        ]
        told = "Accuracy" if _metric(runs) == "accuracy" else "Share of first answers that are right"
        body = table(["phenomenon", "examples", *ablation.variants], rows, f"{told}, seed {seed}.")
        sections.append(Section(f"By phenomenon: {test}", body))
    return sections


def _shares(lines: Mapping[str, Sequence[Mapping[str, Any]]], kind: str) -> list[Estimate]:
    mine = {name: [_right(x) for x in of if _kind(x) == kind] for name, of in lines.items()}
    return [Estimate(share, share, share) for share in (float(np.mean(right)) for right in mine.values())]


def _how(ablation: Ablation, test: str, count: int) -> str:
    return (
        f"Examples of {test}, picked by rule and not by taste: the first {count} of each kind, of distinct phenomena, "
        f"in the order of the file. Drawn is '{_first(ablation)}'. Darker words had a larger share of the attention."
    )


def _drawn(shown: Shown) -> str:
    target = shown.example.target
    right = ", ".join(sorted(target)) if isinstance(target, frozenset) else target if isinstance(target, str) else ""
    facts = [f"right answer: {right}"] if right else []
    facts.append(f"the other model says: {shown.other}")
    if shown.category:
        facts.append(f"phenomenon: {shown.category}")
    head = f"<p><b>{escape(shown.heading)}</b><br>{escape('; '.join(facts))}</p>"
    return head + to_html(shown.prediction, shown.example.roles, style=False)


def _repeat(ablation: Ablation, runs: Runs) -> str:
    folders = "\n".join(f"{name}, seed {seed}: {run.folder}" for (name, seed), run in runs.items())
    return paragraph(
        "Each run folder holds the experiment in full, versions, seed, checksums of the data, every prediction and "
        "the trained weights."
    ) + (f"<pre>{escape(folders)}</pre>")

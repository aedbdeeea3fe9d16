"""The numbers of a study: every variant's score with its interval, and how it differs from what it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from kgreason.errors import DataError, StoreError
from kgreason.experiment.answered import in_both
from kgreason.experiment.controls import CONTROLS, PREFIX
from kgreason.explain import Estimate, Kind, Mark, Quantity
from kgreason.report.result import Answered, Metric, Result, Study
from kgreason.report.tables import Table
from kgreason.statistics import Answers, Compared, Difference, difference, holm, interval, told


@final
@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One variant on one test.

    Args:
        name: Of the variant.
        seeds: What it was run with.
        runs: One for each seed.
        answered: What they answered, in the order of `runs`; empty if a run has no predictions.
        score: The mean over the seeds with its 95 % interval over examples and seeds.
        f1: The mean of macro-F1, or of the F1 of sets; None if the task has neither.
        versus: The difference to what the study compares with; None for that one itself, or if `why` says so.
        p_holm: Its p, corrected for the number of variants.
        why: Why there is no difference; empty if there is one.
    """

    name: str
    seeds: Sequence[int]
    runs: Sequence[Result]
    answered: Sequence[Answered]
    score: Estimate
    f1: float | None
    versus: Difference | None = None
    p_holm: float | None = None
    why: str = ""

    @property
    def is_control(self) -> bool:
        return self.name.startswith(PREFIX)


def read_lines(study: Study, test: str) -> list[Line]:
    """Return every variant of a study on a test, in order.

    A difference is taken over the seeds that both variants have, and the examples of both if one was tested on some of
    the other's; otherwise there is none. Lines
    without predictions have the score and the interval that `metrics.json` gives.
    """
    metric = study.metric(test)
    lines = [_line(name, study.of(name, test), test, metric) for name in study.variants if study.of(name, test)]
    base = next((line for line in lines if line.name == study.against), None)
    if base is None:
        return lines
    compared = [line if line is base else _compared(line, base, metric) for line in lines]
    told = [line for line in compared if line.versus is not None]
    corrected = dict(zip([t.name for t in told], holm([t.versus.p for t in told if t.versus]), strict=True))
    return [replace(line, p_holm=corrected.get(line.name)) for line in compared]


def results(study: Study, test: str, lines: Sequence[Line]) -> Table:
    """Return the table of results of a test."""
    metric = study.metric(test)
    f1 = "macro-F1" if metric == "accuracy" else "F1 of sets"
    several = len({len(line.runs) for line in lines}) > 1
    columns = ["variant", *(["seeds"] if several else []), metric, f1]
    with_gap = any(line.versus or line.why for line in lines)
    if with_gap:
        columns += [f"difference to {study.against}", "p (Holm)", "McNemar p", "detectable"]
    rows = []
    for line in lines:
        gap = line.versus
        row: list[object] = [line.name, *([len(line.runs)] if several else []), line.score]
        row.append(None if line.f1 is None else _percent(line.f1))
        if with_gap and gap is not None:
            told = Quantity.points(gap.value, gap.low, gap.high)
            row += [told, Quantity.chance(line.p_holm or 0.0), Quantity.chance(gap.mcnemar), _points(gap.detectable)]
        elif with_gap:
            row += [line.why or None, None, None, None]
        rows.append(row)
    return Table(f"results: {test}", columns, rows, _told(study, test, lines, with_gap))


def by_test(lines: Mapping[str, Sequence[Line]]) -> Table:
    """Return the table of results of the first variant, a row for each test."""
    rows: list[list[object]] = []
    for test, (line, *_) in lines.items():
        scores = line.runs[0].tests[test]
        metric = "accuracy" if "accuracy" in scores else "hits@1"
        f1 = None if line.f1 is None else _percent(line.f1)
        rows.append([test, int(scores.get("size", 0)), metric, line.score, f1])
    told = "Score: mean over seeds with its 95 % interval over examples and seeds. F1: macro-F1, or that of sets."
    return Table("results", ["test", "examples", "metric", "score", "F1"], rows, told)


def _told(study: Study, test: str, lines: Sequence[Line], with_gap: bool) -> str:
    size = int(lines[0].runs[0].tests[test].get("size", 0))
    told = f"{size:,} examples. Score: mean over seeds with its 95 % interval over examples and seeds."
    if with_gap:
        told += (
            f" Difference in {study.metric(test)}, in points, to '{study.against}': paired bootstrap over examples and "
            "seeds; p after Holm's correction for the number of variants; McNemar: the largest p of any one seed; "
            "detectable: the smallest difference that this test finds four times in five."
        )
        some = [f"{line.name} ({d.items:,})" for line in lines if (d := line.versus) is not None and d.items < size]
        told += f" Compared on the part of the examples that it was tested on: {', '.join(some)}." * bool(some)
    return told


def sentences(study: Study, test: str, lines: Sequence[Line]) -> list[str]:
    """Return what the differences say, one sentence each, and whether a gain comes from the graph's facts."""
    metric = f"{study.metric(test)} on {test}"
    said = [
        Compared(line.name, study.against, metric, line.versus, line.p_holm)
        for line in lines
        if line.versus is not None and line.p_holm is not None
    ]
    return [told(compared) for compared in said] + list(study.claims.get(test, ()))


def marks(study: Study, lines: Sequence[Line]) -> list[Mark]:
    """Return the scores as a forest plot shows them, in percent."""
    return [
        Mark(line.name, 100 * line.score.value, 100 * line.score.low, 100 * line.score.high, kind_of(study, line))
        for line in lines
    ]


def gaps(study: Study, lines: Sequence[Line]) -> list[Mark]:
    """Return the differences as a forest plot shows them, in points."""
    return [
        Mark(line.name, 100 * d.value, 100 * d.low, 100 * d.high, kind_of(study, line))
        for line in lines
        if (d := line.versus) is not None
    ]


def kind_of(study: Study, line: Line) -> Kind:
    """Return how a plot draws a line."""
    if line.name == study.main:
        return "main"
    if line.name == study.beside:
        return "against"
    return "control" if line.is_control else "other"


def controls(study: Study, lines: Mapping[str, Sequence[Line]]) -> Table | None:
    """Return the controls beside the main score, and what each asks; None if there are none."""
    rows: list[list[object]] = []
    for test, of_test in lines.items():
        main = next((line for line in of_test if line.name == study.main), None)
        for line in (line for line in of_test if line.is_control):
            known = CONTROLS.get(line.name.removeprefix(PREFIX).removesuffix(", tested"))
            gap = None if main is None else _gap(main, line, study.metric(test))
            rows.append([line.name.removeprefix(PREFIX), known.question if known else None, test])
            rows[-1] += [None if main is None else main.score, line.score, gap]
    if not rows:
        return None
    columns = ["control", "what it asks", "test", study.main, "with the control", "lost by it"]
    told = (
        f"Each control is '{study.main}' with one thing taken away or spoilt. Lost: the score of '{study.main}' less "
        "that of the control, in points, paired; where the interval holds 0, the test cannot tell the two apart."
    )
    return Table("controls", columns, rows, told)


def _gap(main: Line, control: Line, metric: Metric) -> Quantity | None:
    found = _compared(main, control, metric).versus
    return None if found is None else Quantity.points(found.value, found.low, found.high)


def _line(name: str, by_seed: Mapping[int, Result], test: str, metric: Metric) -> Line:
    runs = list(by_seed.values())
    try:
        answered = [Answered.of(run.rows(test)) for run in runs]
    except (StoreError, KeyError, TypeError):
        answered = []
    known = answered if answered and all(len(a.uid) for a in answered) else []
    values = [float(run.tests[test][metric]) for run in runs]
    mean, scores = float(np.mean(values)), runs[0].tests[test]
    try:
        found = interval(_as_answers(known), metric)
        score = Estimate(mean, min(mean, max(0.0, found.low)), max(mean, min(1.0, found.high)))
        if score.low == score.high:  # all right or all wrong: drawing anew tells nothing, counting does
            score = Estimate.of_share(mean * len(known[0].uid), len(known[0].uid))
    except DataError:  # no predictions, or seeds that answered different examples
        low, high = float(scores.get(f"{metric}.low", mean)), float(scores.get(f"{metric}.high", mean))
        score = Estimate(mean, low, high) if len(runs) == 1 and low <= mean <= high else Estimate(mean, mean, mean)
        known = known if len(known) == len(runs) == 1 else []
    key = next((key for key in ("macro_f1", "f1") if all(key in run.tests[test] for run in runs)), None)
    f1 = None if key is None else float(np.mean([run.tests[test][key] for run in runs]))
    return Line(name, list(by_seed), runs, known, score, f1)


def _as_answers(answered: Sequence[Answered]) -> Answers:
    if not answered or any(a.uid != answered[0].uid for a in answered):
        raise DataError("The seeds answered different examples.")
    return Answers(answered[0].gold, np.array([a.given for a in answered], np.int64), answered[0].group)


def _compared(line: Line, base: Line, metric: Metric) -> Line:
    """Return a line with its difference to another one, over the seeds that both have."""
    common = [seed for seed in line.seeds if seed in base.seeds]
    if not line.answered or not base.answered:
        return replace(line, why="no predictions to compare")
    if not common:
        return replace(line, why="no seed in common")
    mine, theirs = ([of.answered[of.seeds.index(seed)] for seed in common] for of in (line, base))
    uids = in_both(mine[0].uid, theirs[0].uid)
    if uids is None:
        return replace(line, why="tested on other examples")
    if any(a.uid != b.uid for a, b in zip(mine, theirs, strict=True)):
        mine, theirs = ([answered.only(uids) for answered in of] for of in (mine, theirs))
    if any(a.uid != b.uid for a, b in zip(mine, theirs, strict=True)):
        return replace(line, why="tested on other examples")
    try:
        return replace(line, versus=difference(_as_answers(mine), _as_answers(theirs), metric))
    except DataError as error:
        return replace(line, why=str(error))


def _percent(share: float) -> Quantity:
    return Quantity(share, f"{100 * share:.1f} %")


def _points(share: float) -> Quantity:
    return Quantity(share, f"{100 * share:.1f}")

"""Courses of training: loss and dev score of every variant and seed, epoch by epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kgreason.explain import courses, svg
from kgreason.report.result import Result, Study
from kgreason.report.tables import Table

#: More variants than this in one plot cannot be told apart; each then has a plot of its own.
_TOGETHER = 5


def histories(study: Study) -> dict[str, list[list[dict[str, Any]]]]:
    """Return for each variant that was trained what was told of each epoch, one list for each seed."""
    found = {name: [_history(run) for _, run in sorted(runs.items())] for name, runs in study.variants.items()}
    kept = {name: [course for course in of if course] for name, of in found.items()}
    return {name: of for name, of in kept.items() if of}


def plots(study: Study) -> list[str]:
    """Return the plots of training as markup: the loss in training, and the score on the dev split."""
    found = histories(study)
    if not found:
        return []
    metric = study.metric(study.tests[0])
    losses = {name: [[_number(e.get("train_loss")) for e in run] for run in of] for name, of in found.items()}
    scores = {name: [[100 * _score(e, metric) for e in run] for run in of] for name, of in found.items()}
    drawn = []
    for title, up, series in (("Loss in training", "mean over the epoch", losses), ("Dev", f"{metric}, %", scores)):
        known = {name: of for name, of in series.items() if any(math.isfinite(v) for run in of for v in run)}
        drawn += _together(title, up, known) if len(known) <= _TOGETHER else _each(study, title, up, known)
    return drawn


def _together(title: str, up: str, series: Mapping[str, Sequence[Sequence[float]]]) -> list[str]:
    return [courses(series, title, up, "Thin: a seed; strong: their mean.")] if series else []


def _each(study: Study, title: str, up: str, series: Mapping[str, Sequence[Sequence[float]]]) -> list[str]:
    """Draw one plot for each variant, beside what it is compared with."""
    base = series.get(study.against)
    drawn = []
    for name, of in series.items():
        if name != study.against:
            both = {name: of} | ({} if base is None else {study.against: base})
            colours = [svg.SERIES[0], svg.GREY][: len(both)]
            drawn.append(courses(both, f"{title}: {name}", up, colours=colours))
    return drawn


def epochs(study: Study) -> Table | None:
    """Return for each run how long it trained and which epoch was kept; None if nothing was trained."""
    rows: list[list[object]] = []
    for name, runs in study.variants.items():
        for seed, run in sorted(runs.items()):
            told = run.metrics.get("train")
            course = _history(run)
            if not course or not isinstance(told, Mapping):
                continue
            last = course[-1].get("train_loss")
            loss = round(float(last), 4) if isinstance(last, int | float) else None
            rows.append([f"{name}, seed {seed}", len(course), told.get("best_epoch"), loss, _reason(told)])
    columns = ["run", "epochs", "kept", "last loss", "stopped because"]
    return Table("training", columns, rows, "The epoch that is best on the dev split is kept.") if rows else None


def _reason(told: Mapping[str, Any]) -> str:
    stopped = told.get("stopped")
    return "" if stopped in (None, False) else "no more gain" if stopped is True else str(stopped)


def _history(run: Result) -> list[dict[str, Any]]:
    told = run.metrics.get("train")
    found = told.get("history") if isinstance(told, Mapping) else None
    return [epoch for epoch in found if isinstance(epoch, dict)] if isinstance(found, list) else []


def _score(epoch: Mapping[str, Any], metric: str) -> float:
    metrics = epoch.get("metrics")
    return _number(metrics.get(metric)) if isinstance(metrics, Mapping) else math.nan


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan

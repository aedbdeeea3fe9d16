"""Where variants are strong and weak: the share of right answers on parts of a test."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.errors import StoreError
from kgreason.explain import Estimate, Mark
from kgreason.report.result import Study
from kgreason.report.scores import Line, kind_of
from kgreason.report.tables import Table

Row: TypeAlias = Mapping[str, Any]
#: From the name of a part to which examples are in it.
Parts: TypeAlias = dict[str, Bool[ndarray, " items"]]
#: Where counts are cut: up to each, and above the last.
_CUTS = {
    "words in the text": ("words", (8, 12, 16, 24, 32, 48, 96)),
    "linked entities": ("linked", (0, 1, 2, 3, 5, 10)),
    "facts of the graph": ("facts", (0, 1, 2, 4, 8, 16, 64)),
}
#: A slice by operator shows so many of them, the most frequent; a slice by right answer so many labels.
_OPERATORS, _LABELS = 24, 12
#: A plot shows so many parts, the largest; the table has them all.
PLOTTED = 24


def slices(study: Study, test: str, lines: Sequence[Line]) -> dict[str, Table]:
    """Return, for each way to cut a test, the share of right answers of every variant on each part, with intervals.

    Ways: what the data set says (phenomenon, type of question, hops), the operators that stand in the text, its length,
    linked entities, facts, cycles used, and the right label. A way that does not cut, or of which the runs say nothing,
    is left out. Several seeds count by their mean; the interval (Wilson) is over the examples of the part.
    """
    told = [line for line in lines if line.answered]
    if not told:
        return {}
    try:
        rows = told[0].runs[0].rows(test)
    except StoreError:
        return {}
    uids = told[0].answered[0].uid
    same = [line for line in told if line.answered[0].uid == uids]
    cut = _ways(rows)
    found = {way: _table(way, test, parts, same) for way, parts in cut.items()}
    if (by_cycles := _by_cycles(test, same)) is not None:
        found["cycles used"] = by_cycles
    return found


def _ways(rows: Sequence[Row]) -> dict[str, Parts]:
    ways = {
        "phenomenon": _named(rows, "category"),
        "type of question": _named(rows, "type"),
        "hops": _named(rows, "hops"),
        "operator": _operators(rows),
    }
    ways |= {way: _counted(rows, key, cuts) for way, (key, cuts) in _CUTS.items()}
    if all("gold_id" in row for row in rows):
        ways["right answer"] = _named(rows, "gold")
        if len(ways["right answer"]) > _LABELS:
            del ways["right answer"]
    return {way: parts for way, parts in ways.items() if _cuts(parts, len(rows))}


def _cuts(parts: Parts, size: int) -> bool:
    """Whether there are parts, and not only one that holds everything."""
    return bool(parts) and not (len(parts) == 1 and next(iter(parts.values())).sum() == size)


def _named(rows: Sequence[Row], key: str) -> Parts:
    values = np.array([str(row.get(key, "")) for row in rows])
    return {name: values == name for name in sorted(set(values.tolist()) - {""}, key=_natural)}


def _natural(name: str) -> tuple[int, float, str]:
    """Order numbers by their size, before names."""
    return (0, float(name), name) if name.replace(".", "", 1).isdigit() else (1, 0.0, name)


def _operators(rows: Sequence[Row]) -> Parts:
    if not any(row.get("operators") for row in rows):
        return {}
    has = [set(row.get("operators", ())) for row in rows]
    counts = {name: sum(name in of for of in has) for name in dict.fromkeys(n for of in has for n in sorted(of))}
    most = sorted(counts, key=lambda name: (-counts[name], name))[:_OPERATORS]
    parts = {name: np.array([name in of for of in has], bool) for name in most}
    return parts | {"(no operator)": np.array([not of for of in has], bool)}


def _counted(rows: Sequence[Row], key: str, cuts: Sequence[int]) -> Parts:
    if not all(isinstance(row.get(key), int) for row in rows):
        return {}
    values = np.array([row[key] for row in rows])
    parts: Parts = {}
    low = 0
    for high in cuts:
        name = str(high) if low == high else f"{low} to {high}"
        parts[name], low = (values >= low) & (values <= high), high + 1
    parts[f"{low} and more"] = values >= low
    return {name: mine for name, mine in parts.items() if mine.any()}


def _table(way: str, test: str, parts: Parts, lines: Sequence[Line]) -> Table:
    rows = [
        [name, int(mine.sum()), *(_share(line, [mine] * len(line.answered)) for line in lines)]
        for name, mine in parts.items()
    ]
    told = "Share of right answers, with Wilson's 95 % interval over the examples of the part; seeds by their mean."
    return Table(f"by {way}: {test}", [way, "examples", *(line.name for line in lines)], rows, told)


def _share(line: Line, mine: Sequence[ndarray]) -> Estimate | None:
    """Return the share of right answers, mean over the seeds; `mine` may differ from seed to seed."""
    shares = [float(a.right[m].mean()) for a, m in zip(line.answered, mine, strict=True) if m.any()]
    if not shares:
        return None
    size = round(float(np.mean([m.sum() for m in mine if m.any()])))
    return Estimate.of_share(float(np.mean(shares)) * size, size)


def _by_cycles(test: str, lines: Sequence[Line]) -> Table | None:
    """Cut by how many cycles an answer took. Variants think differently long, so each has parts of its own."""
    used = {line.name: [_cycles(run.rows(test)) for run in line.runs] for line in lines}
    counts = sorted({int(c) for runs in used.values() for run in runs for c in np.unique(run) if c >= 0})
    if len(counts) < 2:
        return None
    rows: list[list[object]] = []
    for count in counts:
        masks = {name: [run == count for run in runs] for name, runs in used.items()}
        first = round(float(np.mean([m.sum() for m in masks[lines[0].name]])))
        rows.append([str(count), first, *(_share(line, masks[line.name]) for line in lines)])
    told = f"Share of right answers among those that took so many cycles; examples: of {lines[0].name}, a seed's mean."
    return Table(f"by cycles used: {test}", ["cycles", "examples", *(line.name for line in lines)], rows, told)


def _cycles(rows: Sequence[Row]) -> ndarray:
    return np.array([row["cycles"] if isinstance(row.get("cycles"), int) else -1 for row in rows])


def plotted(study: Study, table: Table, lines: Sequence[Line]) -> tuple[dict[str, list[Mark]], dict[str, str]]:
    """Return what of a table of slices is drawn: the main variant and what stands beside it, in percent; and sizes."""
    shown = {line.name: kind_of(study, line) for line in lines if kind_of(study, line) in ("main", "against")}
    out: dict[str, list[Mark]] = {}
    order = sorted(range(len(table.rows)), key=lambda i: -_size(table.rows[i]))[:PLOTTED]
    kept = [table.rows[i] for i in sorted(order)]
    for part, _, *cells in kept:
        of_part = [
            Mark(name, 100 * cell.value, 100 * cell.low, 100 * cell.high, shown[name])
            for name, cell in zip(table.columns[2:], cells, strict=True)
            if name in shown and isinstance(cell, Estimate)
        ]
        if of_part:
            out[str(part)] = of_part
    return out, {str(row[0]): f"{_size(row):,}" for row in kept}


def _size(row: Sequence[object]) -> int:
    return row[1] if isinstance(row[1], int) else 0

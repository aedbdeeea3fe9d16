"""Where numbers come from: expected numbers, costs, versions, machines, how to repeat; as tables."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kgreason.errors import StoreError
from kgreason.experiment.provenance import read_provenance
from kgreason.explain import Quantity
from kgreason.report.result import Result, Study
from kgreason.report.scores import Line
from kgreason.report.tables import Table

#: What a run costs: its key, its heading, and how it is called in a plot.
COSTS = {
    "seconds": "seconds",
    "cpu_seconds": "seconds of the processor",
    "peak_memory_mb": "memory at its peak, MiB",
    "energy": "watt hours",
    "trainable": "numbers to train",
}


def expected(study: Study) -> Table | None:
    """Return what the files of the runs expect beside what was reached; None if they expect nothing."""
    rows: list[list[object]] = []
    for name, runs in study.variants.items():
        for seed, run in sorted(runs.items()):
            for key, told in _own_expectations(study, name, run).items():
                value, tolerance, reached = told
                within = reached is not None and abs(reached - value) <= tolerance
                off = None if reached is None else Quantity(reached - value, f"{reached - value:+.4f}")
                said = "within tolerance" if within else "not reached: no such number" if reached is None else "off"
                reached_cell = None if reached is None else Quantity(reached, f"{reached:.4f}")
                rows.append([f"{name}, seed {seed}", key, Quantity(value, f"{value:g}")])
                rows[-1] += [Quantity(tolerance, f"± {tolerance:g}"), reached_cell, off, said]
    if not rows:
        return None
    columns = ["run", "number", "expected", "tolerance", "reached", "off by", "verdict"]
    return Table("expected", columns, rows, "What [expected] in the experiment's file says, and what the run found.")


def missed(study: Study) -> list[str]:
    """Return a sentence for each expected number that was not reached."""
    table = expected(study)
    rows = [] if table is None else table.rows
    return [
        f"{study.title}: {row[0]}: {row[1]} is {row[4] or 'missing'}, expected {row[2]} {row[3]}"
        for row in rows
        if row[-1] != "within tolerance"
    ]


def _own_expectations(study: Study, name: str, run: Result) -> dict[str, tuple[float, float, float | None]]:
    """Return what a run expects. The variants of an ablation inherit what its base expects, and owe it nothing."""
    found, first = _expectations(run), next(iter(study.variants))
    if study.source is None or name == first:
        return found
    base = {key: told[:2] for key, told in _expectations(study.first).items()}
    return {key: told for key, told in found.items() if base.get(key) != told[:2]}


def _expectations(run: Result) -> dict[str, tuple[float, float, float | None]]:
    """Return value, tolerance and what was reached, from the run's config: what it says is compared anew."""
    named = run.config.get("expected")
    pairs = dict(named) if isinstance(named, Mapping) else {}
    stored = run.metrics.get("expected")
    if not pairs and isinstance(stored, Mapping):
        pairs = {k: (v["expected"], v["tolerance"]) for k, v in stored.items() if isinstance(v, Mapping)}
    out: dict[str, tuple[float, float, float | None]] = {}
    for key, pair in pairs.items():
        if isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(x, int | float) for x in pair):
            test, _, metric = str(key).partition(".")
            reached = run.tests.get(test, {}).get(metric)
            out[str(key)] = (float(pair[0]), float(pair[1]), None if reached is None else float(reached))
    return out


def cost_of(run: Result, key: str) -> float | None:
    """Return what a run cost, or None if it does not say."""
    found = run.metrics.get(key)
    if key == "energy" and isinstance(found, Mapping):
        found = found.get("watt_hours")
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def costs(study: Study, lines: Sequence[Line], test: str) -> Table:
    """Return what each variant costs, mean over its seeds, beside its score on a test."""
    said = {key: [_mean([cost_of(run, key) for run in line.runs]) for line in lines] for key in COSTS}
    shown = [key for key, values in said.items() if any(value is not None for value in values)]
    rows: list[list[object]] = []
    for i, line in enumerate(lines):
        row: list[object] = [line.name, line.score]
        rows.append(row + [_amount(said[key][i]) for key in shown])
    told = "Mean over seeds, preparation included; what an earlier run had prepared is not prepared again."
    return Table("cost", ["variant", f"{study.metric(test)} on {test}", *(COSTS[k] for k in shown)], rows, told)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _amount(value: float | None) -> Quantity | None:
    if value is None:
        return None
    return Quantity(value, f"{value:,.0f}" if value >= 100 else f"{value:.3g}")


def provenance(study: Study) -> Table:
    """Return what each run was made with."""
    rows: list[list[object]] = []
    for name, runs in study.variants.items():
        for seed, run in sorted(runs.items()):
            rows.append([f"{name}, seed {seed}", *_origin(run), str(run.folder)])
    columns = ["run", "begun", "kgreason", "commit", "Python", "machine", "parts", "folder"]
    return Table("provenance", columns, rows, "Each run's folder also holds the lock of installed packages.")


def _origin(run: Result) -> list[object]:
    try:
        parts = read_provenance(run.folder)["parts"]
        part, code, machine = parts[-1], parts[-1].get("code", {}), parts[-1].get("machine", {})
    except (StoreError, KeyError, IndexError, TypeError):
        return [None] * 6
    commit = str(code.get("commit", "")) + (" with changes" if code.get("changes") else "")
    where = _machine(machine) if isinstance(machine, Mapping) else str(machine)
    version = f"{code.get('version', '')} ({str(code.get('hash', ''))[:8]})"
    begun = str(part.get("started", "")).replace("T", " ")[:16]
    return [begun, version, commit, str(part.get("python", "")), where, len(parts)]


def _machine(machine: Mapping[str, Any]) -> str:
    """Return the machine in a few words."""
    cards = machine.get("cards")
    told = [str(machine.get("processor") or machine.get("system", ""))]
    told += [f"{machine['cores']} cores"] if machine.get("cores") else []
    told += [f"{machine['memory_gb']:g} GiB"] if isinstance(machine.get("memory_gb"), int | float) else []
    return ", ".join([*told, *(map(str, cards) if isinstance(cards, list) else ())])


def checksums(study: Study) -> Table | None:
    """Return the checksums of the data and the graph of each study, one row for each that occurs."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, runs in study.variants.items():
        for run in runs.values():
            try:
                told = read_provenance(run.folder).get("checksums", {})
            except StoreError:
                continue
            for file, value in told.items():
                names = found.setdefault((str(file), str(value)), [])
                names += [name] if name not in names else []
    if not found:
        return None
    whole = len(study.variants)
    rows = [[f, v, "all" if len(names) == whole else ", ".join(names)] for (f, v), names in sorted(found.items())]
    return Table("checksums", ["what", "sha256", "variants"], rows, "Of the data files and of the knowledge graph.")


def repeat(study: Study) -> list[str]:
    """Return the commands that run everything again and compare the numbers."""
    runs = [run for runs in study.variants.values() for run in runs.values()]
    return [f"kgreason reproduce {shlex.quote(str(run.folder))}" for run in runs]

"""Runs a run again, from its own config, and says of each number whether it came out the same."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

from kgreason.errors import ConfigError, StoreError
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.lock import read_lock
from kgreason.experiment.provenance import read_provenance
from kgreason.experiment.run import Options, run_experiment

Verdict = Literal["identical", "within", "differs"]
#: What is written beside a number of the other run that is not there.
_ABSENT = math.nan


@final
@dataclass(frozen=True, slots=True)
class Number:
    """One number, then and now.

    Args:
        name: `snli.accuracy`: the test, or `dev`, and the metric.
        before: What the run found.
        now: What came out this time; not a number if it is no longer told.
        verdict: `identical` to the last bit, `within` the tolerance, or `differs`.
    """

    name: str
    before: float
    now: float
    verdict: Verdict


@final
@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of running a run again.

    Args:
        before: The folder of the run.
        now: The folder of the new one.
        tolerance: How far a number may be off.
        numbers: All metrics of all tests, and of dev.
        examples: How many test examples were compared.
        answers: On how many of them the answer is another one.
        probability: The largest difference of a probability of an answer on any of them.
        changed: What is not as it was, in words: packages, code, machine; data and graph if it was run all the same.
    """

    before: Path
    now: Path
    tolerance: float
    numbers: tuple[Number, ...]
    examples: int
    answers: int
    probability: float
    changed: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the numbers' verdicts; `identical` only if all answers are, too."""
        found = {number.verdict for number in self.numbers}
        if "differs" in found:
            return "differs"
        return "within" if "within" in found or self.answers or self.probability else "identical"

    def as_table(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        told = asdict(self) | {"before": str(self.before), "now": str(self.now), "verdict": self.verdict}
        told["numbers"] = [asdict(n) | {"now": None if math.isnan(n.now) else n.now} for n in self.numbers]
        return told


def reproduce(
    folder: str | Path, options: Options | None = None, tolerance: float = 0.005, anyway: bool = False
) -> Reproduction:
    """Run a finished run again, into another folder, and compare all of its numbers and answers.

    The new run stands in `options.out`; a run of the same fingerprint that stands there is not run once more, unless
    `options.again` says so. Caches of prepared examples and of the language model's states are used; to do without
    them, set `KGREASON_CACHE` to an empty folder.

    Args:
        folder: The folder of a finished run.
        options: How to run; `out` must not be the folder of runs that the run is in.
        tolerance: How far a number may be off, in its own unit; an accuracy of 81.0 % is 0.81.
        anyway: Run even if the data or the graph are other ones than the run's.

    Raises:
        ConfigError: If the tolerance is negative, `out` holds the run itself, or the config is wrong.
        StoreError: If it is not the folder of a finished run; if the data or the graph have changed since.
        DataError: If the data are no longer there.
    """
    run, options = Path(folder), options or Options(out=Path(folder).parent / "reproduced")
    metrics, resolved = record.read_json(run / record.METRICS), record.read_json(run / record.RESOLVED)
    if not tolerance >= 0:
        raise ConfigError(f"tolerance = {tolerance} is no distance; give a number of at least 0.")
    if options.out.resolve() == run.resolve().parent:
        raise ConfigError(f"--out {options.out} holds the run itself; give another folder, so that both can be kept.")
    config = ExperimentConfig.from_toml(run / record.CONFIG)
    other = _other_data(resolved["checksums"], options.shelf.open(config).checksums)
    if other and not anyway:
        raise StoreError(
            f"{run} cannot be reproduced: {'; '.join(other)}. Bring back what it was run on, or compare all the same "
            "with: --anyway"
        )
    again = run_experiment(replace(config, expected={}), options)
    numbers = tuple(_numbers(metrics, again.metrics, tolerance))
    examples, answers, probability = _answers(run, again.folder)
    changed = (*other, *_changed(run, again.folder))
    return Reproduction(run, again.folder, tolerance, numbers, examples, answers, probability, changed)


def _numbers(before: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> list[Number]:
    out = []
    for name, value in _flat(before).items():
        found = _flat(now).get(name, _ABSENT)
        same = value == found or (math.isnan(value) and math.isnan(found))
        near = abs(value - found) <= tolerance
        out.append(Number(name, value, found, "identical" if same else "within" if near else "differs"))
    return out


def _flat(metrics: Mapping[str, Any]) -> dict[str, float]:
    parts = {"dev": metrics.get("dev", {}), **metrics["test"]}
    return {
        f"{part}.{name}": float(value)
        for part, scores in parts.items()
        for name, value in scores.items()
        if isinstance(value, int | float)
    }


def _answers(before: Path, now: Path) -> tuple[int, int, float]:
    """Return how many examples both runs answered, how many otherwise, and how far their probabilities are apart."""
    rows = {(row["test"], row["uid"]): row for row in record.read_lines(now / record.PREDICTIONS)}
    pairs = [
        (row, rows[row["test"], row["uid"]])
        for row in record.read_lines(before / record.PREDICTIONS)
        if (row["test"], row["uid"]) in rows
    ]
    apart = (abs(float(a.get("probability", 0)) - float(b.get("probability", 0))) for a, b in pairs)
    return len(pairs), sum(_answer(a) != _answer(b) for a, b in pairs), max(apart, default=0.0)


def _answer(row: Mapping[str, Any]) -> Any:
    return row.get("answers", row.get("answer"))


def _other_data(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    out = []
    for name in sorted(before.keys() | now.keys(), key=lambda name: (name != "knowledge", name)):
        what = "the knowledge graph" if name == "knowledge" else f"the data file {name}"
        if name not in now:
            out.append(f"{what} is no longer read")
        elif name not in before:
            out.append(f"{what} was not read then")
        elif before[name] != now[name]:
            out.append(f"{what} has the sha256 {now[name][:12]}…, the run's had {before[name][:12]}…")
    return out


def _changed(before: Path, now: Path) -> list[str]:
    """Return what differs between the last part of each run, in words."""
    one, other = read_provenance(before)["parts"], read_provenance(now)["parts"]
    then, today = one[-1], other[-1]
    out = [f"the run was interrupted and went on {len(one) - 1} times"] if len(one) > 1 else []
    code, code_now = then["code"], today["code"]
    for key, what in (("version", "kgreason"), ("commit", "commit"), ("hash", "code of the package")):
        out += _pair(what, str(code.get(key, ""))[:12], str(code_now.get(key, ""))[:12])
    changes = [str(c.get("changes", {}).get("sha256", "none"))[:12] for c in (code, code_now)]
    out += _pair("changes since the commit", *changes)
    out += _pair("Python", then["python"], today["python"])
    out += _packages(before, now, then, today)
    for table in ("machine", "computing"):
        old, new = then.get(table, {}), today.get(table, {})
        out += [line for key in new if key in old for line in _pair(f"{table}: {key}", old[key], new[key])]
    return out


def _packages(before: Path, now: Path, then: Mapping[str, Any], today: Mapping[str, Any]) -> list[str]:
    if "lock" not in then:
        return ["which packages were installed then was not written down"]
    try:
        old, new = (
            read_lock((folder / part["lock"]["file"]).read_text("utf-8"))
            for folder, part in ((before, then), (now, today))
        )
    except OSError as error:
        raise StoreError(f"{error.filename} cannot be read: {error.strerror}.") from error
    names = sorted(old.keys() | new.keys())
    return [line for name in names for line in _pair(name, old.get(name, "absent"), new.get(name, "absent"))]


def _pair(what: str, before: object, now: object) -> Sequence[str]:
    return [] if before == now else [f"{what} was {before}, is {now}"]

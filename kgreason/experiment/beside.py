"""A trained run tested with controls, each beside the run's own score on the same examples."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from kgreason.errors import KgreasonError
from kgreason.experiment import record
from kgreason.experiment.answered import groups_of
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.control import Control
from kgreason.experiment.controls import CONTROLS, fitting, named
from kgreason.experiment.retest import TESTS, retest
from kgreason.experiment.run import Options
from kgreason.statistics import Answers, difference, holm

#: What the table shows of a control besides, where it is told: ceilings, and whether answers followed changed facts.
MORE = ("ceiling.reached", "ceiling.coverage", "ceiling.path_recall", "follow", "stay")


@final
@dataclass(frozen=True, slots=True)
class Beside:
    """One control on one test.

    Args:
        control: Its name.
        test: Which test.
        items: How many examples both answered.
        own: The share of them that the run has right.
        score: The share that it has right with the control.
        change: `score` less `own`.
        low: Lower end of the 95 % interval of `change`: paired bootstrap over examples.
        high: Upper end.
        p: Two-sided, of the same bootstrap, after Holm over all rows.
        only_own: How many only the run has right.
        only_control: How many it has right only with the control.
        more: Those of `MORE` that were told.
        folder: Where the test stands, in the folder of the run.
    """

    control: str
    test: str
    items: int
    own: float
    score: float
    change: float
    low: float
    high: float
    p: float
    only_own: int
    only_control: int
    more: Mapping[str, float] = field(default_factory=dict)
    folder: str = ""


@final
@dataclass(frozen=True, slots=True)
class Tested:
    """A run beside itself with controls.

    Args:
        run: The name of its folder.
        rows: What was tested.
        skipped: What was not, and why.
    """

    run: str
    rows: tuple[Beside, ...]
    skipped: dict[str, str]


def beside_controls(
    folder: Path,
    names: Sequence[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    options: Options | None = None,
    tick: Callable[[str, int, int], None] = lambda name, done, whole: None,
) -> Tested:
    """Test a run with controls; nothing is trained, and what was tested before is not tested again.

    Args:
        folder: The folder of a finished run.
        names: Which controls; all that apply if not said.
        overrides: What else to change, for all of them, such as `{"task.limit": 500}`.
        options: See `retest`.
        tick: Is called before each with its name, how many are done, and how many there are.

    Returns:
        The table, which is also written to `controls.json` and `controls.md` in `RUN/tests`.

    Raises:
        ConfigError: If a control does not exist, or one that is named does not apply.
        StoreError: If the folder holds no finished run.
    """
    record.read_json(folder / record.METRICS)  # tells whether it is a finished run
    config = ExperimentConfig.from_toml(folder / record.CONFIG)
    if names is None:
        skipped = {name: why for name, why in fitting(config, "test").items() if why}
        chosen = [control for name, control in CONTROLS.items() if name not in skipped]
    else:
        skipped, chosen = {}, named(names)
    own = record.read_lines(folder / record.PREDICTIONS)
    rows: list[Beside] = []
    for i, control in enumerate(chosen):
        tick(control.name, i, len(chosen))
        changed = control.overrides(config, "test") | dict(overrides or {})
        try:
            rows += _tested(folder, control, changed, own, options)
        except KgreasonError as error:
            if names is not None:
                raise
            skipped[control.name] = str(error)
    p = holm([row.p for row in rows])
    found = Tested(folder.name, tuple(replace(row, p=q) for row, q in zip(rows, p, strict=True)), skipped)
    _write(folder, found)
    return found


def _tested(
    folder: Path,
    control: Control,
    changed: Mapping[str, Any],
    own: Sequence[Mapping[str, Any]],
    options: Options | None,
) -> Iterable[Beside]:
    run = retest(folder, changed, options)
    lines = record.read_lines(run.folder / record.PREDICTIONS)
    mine = {(row["test"], row["uid"]): bool(row["right"]) for row in own}
    for test, scores in run.metrics["test"].items():
        both = [row for row in lines if row["test"] == test and (test, row["uid"]) in mine]
        if not both:
            continue
        pairs = [(mine[test, row["uid"]], bool(row["right"])) for row in both]
        before, after = np.array(pairs, np.int64).T
        gold, group = np.ones(len(pairs), np.int64), groups_of(both)
        d = difference(Answers(gold, after[None], group), Answers(gold, before[None], group))
        yield Beside(
            control=control.name,
            test=test,
            items=len(pairs),
            own=float(before.mean()),
            score=float(after.mean()),
            change=d.value,
            low=d.low,
            high=d.high,
            p=d.p,
            only_own=int((before > after).sum()),
            only_control=int((after > before).sum()),
            more={name: scores[name] for name in MORE if name in scores and "task.shown" in changed},
            folder=str(run.folder.relative_to(folder)),
        )


def to_markdown(found: Tested) -> str:
    """Return the table as Markdown, percentages with one decimal."""
    lines = [f"# {found.run}: tested with controls", ""]
    lines += ["Trained without them. Change: paired bootstrap over examples with its 95 % interval, p after Holm.", ""]
    lines += ["| control | test | examples | run | with control | change | p | only run, only control | besides |"]
    lines += ["|---" * 9 + "|"]
    for row in found.rows:
        change = f"{_points(row.change)} [{_points(row.low)}, {_points(row.high)}]"
        more = ", ".join(f"{name} {100 * value:.1f}" for name, value in row.more.items())
        lines.append(
            f"| {row.control} | {row.test} | {row.items} | {100 * row.own:.1f} | {100 * row.score:.1f} | {change} "
            f"| {row.p:.2g} | {row.only_own}, {row.only_control} | {more} |"
        )
    if found.skipped:
        lines += ["", "Not tested:", ""]
        lines += [f"- {name}: {why}" for name, why in found.skipped.items()]
    return "\n".join(lines) + "\n"


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"  # no minus before 0


def _write(folder: Path, found: Tested) -> None:
    record.write_json(folder / TESTS / "controls.json", asdict(found))
    record.write_text(folder / TESTS / "controls.md", to_markdown(found))

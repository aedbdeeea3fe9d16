"""Audits a run: one card with everything that a sceptical reader would ask about it."""

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import final

from kgreason.audit.biases import biases
from kgreason.audit.calibration import calibration
from kgreason.audit.card import FILE, SCHEMA, Card, as_json
from kgreason.audit.contrasts import NEEDED, applying, tested, trained
from kgreason.audit.faithful import faith
from kgreason.audit.leakage import leakage
from kgreason.audit.parts import Contrast, Faith, Leak, Probe, Shortcut, Skip
from kgreason.audit.probes import Rewrite, Wanted, needless, probe, rewrites
from kgreason.audit.scores import scores
from kgreason.audit.shortcuts import shortcuts
from kgreason.audit.slices import slices
from kgreason.audit.subject import Subject
from kgreason.audit.verdict import Findings, verdict
from kgreason.errors import ConfigError
from kgreason.experiment import record
from kgreason.experiment.controls import Control
from kgreason.experiment.run import Options

#: Explanations are asked four times each, one by one: at most so many of a test.
_EXPLAINED = 200


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """How thorough an audit is.

    Args:
        limit: At most so many examples of each test for what is computed anew; 0 for all. The intervals say what that
            costs.
        budget: Seconds. When they are spent, no further part is begun, and the card says which are missing; a part
            that is begun is finished.
        seed: Of everything that is drawn.
        train: Train the controls that a claim about the graph needs, where no such run stands beside this one.

    Raises:
        ConfigError: If a number is below 0.
    """

    limit: int = 500
    budget: float | int = 900.0
    seed: int = 0
    train: bool = False

    def __post_init__(self) -> None:
        if self.limit < 0 or self.budget <= 0 or self.seed < 0:
            raise ConfigError(
                f"audit: limit = {self.limit}, budget = {self.budget}, seed = {self.seed}; expected a limit and a seed "
                "of at least 0, and a budget above 0."
            )


def audit(run: str | Path, plan: Plan | None = None, options: Options | None = None) -> Card:
    r"""Audit a finished run, and write the card to `audit.json` in its folder.

    ```python
    from kgreason.audit import audit

    card = audit("runs/my-run")
    print(*card.verdict, sep="\n")
    ```

    Everything that is drawn is drawn by the plan's seed: the same run and plan give the same card, but for the times.

    Args:
        run: The folder of a finished run.
        plan: How thorough.
        options: How to compute, and who is told of progress; `out` is not used.

    Raises:
        StoreError: If it is no finished run, or something cannot be written.
        ConfigError: If its config names something that is no longer there.
        DataError: If one of its data sets is missing or has changed.
    """
    plan, options = plan or Plan(), options or Options()
    subject = Subject(run, options.device)
    work = _Work(subject, plan, options, time.monotonic())
    jobs = list(work.jobs())
    for i, (name, do) in enumerate(jobs):
        options.step(f"audit: {name}", i, len(jobs))
        if time.monotonic() - work.begun > plan.budget:
            work.skipped.append(Skip(name, f"the budget of {plan.budget:.0f} s was spent; give more with --budget."))
        else:
            work.attempt(name, do)
    options.step("audit", len(jobs), len(jobs))
    card = work.card()
    record.write_json(subject.folder / FILE, as_json(card))
    return card


@final
@dataclass(slots=True)
class _Work:
    """A card in the making."""

    subject: Subject
    plan: Plan
    options: Options
    begun: float
    controls: list[Contrast] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    shortcuts: list[Shortcut] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    faith: list[Faith] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)

    def jobs(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Return what is to be done, what the verdict needs most first."""
        tests = list(self.subject.splits.test)
        controls, skipped = applying(self.subject)
        self.skipped += skipped
        needed = [control for control in controls if control.name in NEEDED]
        yield "leakage", self._leaks
        for control in needed:
            yield f"control {control.name}", partial(self._control, control)
        for test in tests:
            yield f"words alone: {test}", partial(self._shortcuts, test)
        for test in tests:
            yield f"explanations: {test}", partial(self._faith, test)
        for rewrite in rewrites(self.plan.seed, self.subject.task):
            for test in tests:
                yield f"{rewrite[0]}: {test}", partial(self._probe, test, rewrite)
        for control in controls:
            if control not in needed:
                yield f"control {control.name}", partial(self._control, control)

    def attempt(self, name: str, do: Callable[[], None]) -> None:
        """Do one part. One that fails is told and named on the card; hours of other parts are not lost with it."""
        try:
            do()
        except Exception as error:
            self.options.tell(traceback.format_exc())
            self.skipped.append(Skip(name, f"it failed, and that is a defect: {type(error).__name__}: {error}"))

    def card(self) -> Card:
        """Add what costs nothing, and the verdict."""
        subject, tests = self.subject, self.subject.splits.test
        reached = scores(subject)
        labels = subject.front.task.labels
        bias = tuple(b for test in tests for b in biases(test, subject.rows[test], labels))
        sure = tuple(calibration(test, subject.rows[test]) for test in tests)
        found = Findings(
            subject.metric,
            subject.is_trained,
            reached,
            self.controls,
            self.leaks,
            bias,
            self.shortcuts,
            self.probes,
            self.faith,
            sure,
        )
        return Card(
            schema=SCHEMA,
            run=subject.folder.name,
            title=subject.config.title,
            task=subject.task,
            trained=subject.is_trained,
            seed=self.plan.seed,
            limit=self.plan.limit,
            verdict=verdict(found),
            scores=reached,
            controls=tuple(self.controls),
            leaks=tuple(self.leaks),
            biases=bias,
            shortcuts=tuple(self.shortcuts),
            probes=tuple(self.probes),
            faith=tuple(self.faith),
            calibration=sure,
            slices=tuple(s for test, split in tests.items() for s in slices(test, split, subject.rows[test])),
            cost=self._cost(),
            skipped=tuple(_joined([*self.skipped, *self._needless()])),
        )

    def _needless(self) -> Iterator[Skip]:
        """Say what makes no sense for the task."""
        yield from needless(self.subject.task)
        if not self.subject.front.task.labels:
            yield Skip("labels", "the answers differ from example to example, so none can be favoured.")
        if all(s.ceiling is None for s in scores(self.subject)):
            retrieved = self.subject.task == "kgqa"
            why = (
                "the data do not say by which relations."
                if retrieved
                else "labels and choices are given, not looked for."
            )
            yield Skip("retrieval ceiling", why)

    def _leaks(self) -> None:
        found, skipped = leakage(self.subject)
        self.leaks += found
        self.skipped += skipped

    def _control(self, control: Control) -> None:
        for found, skipped in (
            trained(self.subject, control, self.plan.train, self.options),
            tested(self.subject, control, self.plan.limit, self.options),
        ):
            self.controls += found
            self.skipped += skipped

    def _shortcuts(self, test: str) -> None:
        found, skipped = shortcuts(self.subject, test, self.plan.limit)
        self.shortcuts += found
        self.skipped += skipped

    def _probe(self, test: str, rewrite: tuple[str, Wanted, Rewrite]) -> None:
        found = probe(self.subject, test, self.subject.sample(test, self.plan.limit), rewrite)
        self.skipped.append(found) if isinstance(found, Skip) else self.probes.append(found)

    def _faith(self, test: str) -> None:
        most = min(self.plan.limit or _EXPLAINED, _EXPLAINED)
        found = faith(self.subject, test, self.subject.sample(test, most), self.plan.seed)
        self.skipped.append(found) if isinstance(found, Skip) else self.faith.append(found)

    def _cost(self) -> dict[str, float]:
        told = self.subject.metrics
        cost = {name: float(told[name]) for name in ("seconds", "cpu_seconds", "peak_memory_mb") if name in told}
        trainable = sum(p.numel() for p in self.subject.reasoner.parameters() if p.requires_grad)
        return cost | {"trainable": float(trainable), "audit_seconds": round(time.monotonic() - self.begun, 1)}


def _joined(skipped: Sequence[Skip]) -> list[Skip]:
    """Tell each reason once, with all the parts that it keeps from the card."""
    parts: dict[str, list[str]] = {}
    for skip in skipped:
        parts.setdefault(skip.why, []).append(skip.part)
    return [Skip("; ".join(dict.fromkeys(of)), why) for why, of in parts.items()]

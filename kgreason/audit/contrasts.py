"""The run beside itself with the graph, the text or the cycles taken away or spoilt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kgreason.audit.intervals import gap
from kgreason.audit.parts import Contrast, How, Skip
from kgreason.audit.subject import Answers, Row, Subject
from kgreason.errors import KgreasonError
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.controls import CONTROLS, Control
from kgreason.experiment.retest import retest
from kgreason.experiment.run import Options, run_experiment

#: What a claim about the graph needs, and so what `--train` trains.
NEEDED = ("no-graph", "no-facts", "tails-shuffled")
#: Asked with a probe, which also tells how many answers change.
_PROBED = ("words-shuffled",)


def tested(subject: Subject, control: Control, limit: int, options: Options) -> tuple[list[Contrast], list[Skip]]:
    """Test the run's weights with a control; nothing is trained.

    Args:
        subject: The run.
        control: Which.
        limit: At most so many examples of each test; 0 for all.
        options: How to compute; `out` is not used.
    """
    if control.test is None:
        return [], []
    if why := control.fits(subject.config, "test"):
        return [], [Skip(f"control {control.name}, tested", why)]
    overrides = control.overrides(subject.config, "test")
    asked = int(subject.config.task.get("limit", 0))
    at_most = min(n for n in (limit, asked) if n) if limit or asked else 0
    overrides |= {"task.limit": at_most} if at_most else {}
    try:
        found = retest(subject.folder, overrides, options)
    except KgreasonError as error:
        return [], [Skip(f"control {control.name}, tested", f"it could not be done: {error}")]
    how: How = "test-time" if subject.is_trained else "untrained"
    return list(_beside(subject, control, how, record.read_lines(found.folder / record.PREDICTIONS))), []


def trained(subject: Subject, control: Control, train: bool, options: Options) -> tuple[list[Contrast], list[Skip]]:
    """Compare with a run that was trained with a control: one that stands beside this run, or a new one.

    Args:
        subject: The run.
        control: Which.
        train: Whether to train it if it is one of `NEEDED` and there is no such run.
        options: How to compute; new runs go to the folder in which the run stands.
    """
    if not subject.is_trained or control.fits(subject.config):
        return [], []
    config = subject.config.with_overrides(control.overrides(subject.config))
    folder = find_run(config, subject.folder.parent)
    if folder is None and train and control.name in NEEDED:
        told = replace(config, title=f"{subject.config.title}: control:{control.name}")
        folder = run_experiment(told, replace(options, out=subject.folder.parent)).folder
    if folder is None:
        if control.name not in NEEDED:
            return [], []
        return [], [Skip(f"control {control.name}, trained", "there is no such run beside this one; --train makes it.")]
    return list(_beside(subject, control, "trained", record.read_lines(folder / record.PREDICTIONS))), []


def find_run(config: ExperimentConfig, runs: Path) -> Path | None:
    """Return a finished run of an experiment, whatever its title, among the folders in `runs`."""
    wanted = _identity(config)
    for path in sorted(runs.glob(f"*/{record.CONFIG}")):
        if not (path.parent / record.METRICS).is_file():
            continue
        try:
            if _identity(ExperimentConfig.from_toml(path)) == wanted:
                return path.parent
        except KgreasonError:  # of another version
            continue
    return None


def _identity(config: ExperimentConfig) -> Mapping[str, object]:
    return replace(config, title="", source="", expected={}).as_tables()


def _beside(subject: Subject, control: Control, how: How, rows: Sequence[Row]) -> Iterator[Contrast]:
    for test in subject.splits.test:
        other = {row["uid"]: row for row in rows if row["test"] == test}
        pairs = [(row, other[row["uid"]]) for row in subject.rows[test] if row["uid"] in other]
        if pairs:
            one, two = (Answers.of(column).right for column in zip(*pairs, strict=True))
            yield Contrast(
                name=control.name,
                question=control.question,
                how=how,
                test=test,
                run=float(one.mean()),
                control=float(two.mean()),
                gap=gap(one, two),
                only_run=int((one & ~two).sum()),
                only_control=int((two & ~one).sum()),
                both=int((one & two).sum()),
                neither=int((~one & ~two).sum()),
            )


def applying(subject: Subject) -> tuple[list[Control], list[Skip]]:
    """Return the controls that can be tested or trained, those that a claim needs first; and why the others cannot."""
    found, skipped = [], []
    for name in (*NEEDED, *(name for name in CONTROLS if name not in NEEDED)):
        control = CONTROLS[name]
        why = control.fits(subject.config, "test") if control.test is not None else ""
        may_train = subject.is_trained and not control.fits(subject.config)
        if name in _PROBED:
            continue
        if (control.test is not None and not why) or may_train:
            found.append(control)
        elif why:
            skipped.append(Skip(f"control {name}", why))
    return found, skipped

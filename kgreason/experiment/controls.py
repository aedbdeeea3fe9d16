"""Controls beside an experiment: rows of an ablation, and further tests of a trained run."""

from collections.abc import Iterable
from dataclasses import replace

from kgreason.errors import ConfigError, near
from kgreason.experiment.ablate import Ablation
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.control import Control, Overrides, When
from kgreason.experiment.control_table import CONTROLS

__all__ = ["CONTROLS", "PREFIX", "Control", "Overrides", "When", "alone", "fitting", "named", "with_controls"]

#: What stands before a control's name in the name of its row.
PREFIX = "control:"


def named(names: Iterable[str]) -> list[Control]:
    """Return controls by name, each once.

    Raises:
        ConfigError: If there is none of a name.
    """
    found = {}
    for name in names:
        if name not in CONTROLS:
            raise ConfigError(f"there is no control '{name}'.{near(name, CONTROLS)} Known: {', '.join(CONTROLS)}.")
        found[name] = CONTROLS[name]
    return list(found.values())


def fitting(config: ExperimentConfig, when: When = "train") -> dict[str, str]:
    """Return for each control why it does not apply to an experiment, or nothing if it does."""
    return {name: control.fits(config, when) for name, control in CONTROLS.items()}


def alone(config: ExperimentConfig, seeds: Iterable[int] = ()) -> Ablation:
    """Return an experiment as an ablation of one row, `base`.

    Args:
        config: The experiment.
        seeds: Its own seed if there are none.
    """
    return Ablation(config.title, config, tuple(seeds) or (config.seed,), "base", {"base": {}})


def with_controls(ablation: Ablation, names: Iterable[str] | None = None, tested: Iterable[str] = ()) -> Ablation:
    """Add a row `control:NAME` for each control of its base that applies.

    A row is trained with its control; where that makes no sense, the weights of the base are tested with it. What a
    control makes of the base may be a row that is there already (`no-graph` is often written by hand), or what another
    control makes of it; no experiment stands in the table twice, and the first keeps its name.

    Args:
        ablation: What to add to; it is not changed. `alone` makes one of a single experiment.
        names: Which controls; all that apply if not said. One that is named and does not apply is an error.
        tested: Which of them are also tested only, each in a row `control:NAME, tested`.

    Raises:
        ConfigError: If there is no such control, or a named one does not apply.
    """
    base, again = ablation.base, {control.name for control in named(tested)}
    chosen = list(CONTROLS.values()) if names is None else named(names)
    rows: list[tuple[Control, When, str]] = []
    for control in chosen:
        when: When = "test" if control.train is None else "train"
        if names is not None or not control.fits(base, when):
            rows.append((control, when, PREFIX + control.name))
        if when == "train" and control.name in again and not control.fits(base, "test"):
            rows.append((control, "test", f"{PREFIX}{control.name}, tested"))
    return _add(ablation, rows)


def _add(ablation: Ablation, rows: Iterable[tuple[Control, When, str]]) -> Ablation:
    seed = ablation.seeds[0]
    seen = {(row in ablation.tests, ablation.config(row, seed).fingerprint()) for row in ablation.variants}
    for control, when, row in rows:
        variants = ablation.variants | {row: control.overrides(ablation.base, when)}
        tests = ablation.tests | ({row} if when == "test" else frozenset())
        grown = replace(ablation, variants=variants, tests=tests)
        mark = (when == "test", grown.config(row, seed).fingerprint())
        if mark not in seen:
            ablation = grown
            seen.add(mark)
    return ablation

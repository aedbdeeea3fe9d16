"""Controls beside an experiment: rows of an ablation, and further tests of a trained run."""

from collections.abc import Iterable
from dataclasses import replace

from kgreason.errors import ConfigError
from kgreason.experiment.ablate import Ablation
from kgreason.experiment.config import ExperimentConfig, near
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


def with_controls(ablation: Ablation, names: Iterable[str] | None = None) -> Ablation:
    """Add a row `control:NAME` for each control of its base that applies.

    What a control makes of the base may be a row that is there already (`no-graph` is often written by hand), or what
    another control makes of it; no experiment stands in the table twice, and the first keeps its name.

    Args:
        ablation: What to add to; it is not changed. `alone` makes one of a single experiment.
        names: Which controls; all that apply if not said. One that is named and does not apply is an error.

    Raises:
        ConfigError: If there is no such control, or a named one does not apply.
    """
    base, seed = ablation.base, ablation.seeds[0]
    chosen = list(CONTROLS.values()) if names is None else named(names)
    variants = dict(ablation.variants)
    seen = {ablation.config(row, seed).fingerprint() for row in variants}
    for control in chosen:
        if names is None and control.fits(base):
            continue
        row = PREFIX + control.name
        variants[row] = control.overrides(base)
        mark = replace(ablation, variants=variants).config(row, seed).fingerprint()
        if mark in seen:
            del variants[row]
        seen.add(mark)
    return replace(ablation, variants=variants)

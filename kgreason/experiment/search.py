"""What a file `*.search.toml` says: over which settings to search, by which number, and for how long."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

from kgreason.errors import ConfigError, near
from kgreason.experiment import record
from kgreason.experiment.choices import check_choices, filled
from kgreason.experiment.config import ExperimentConfig, load_toml
from kgreason.experiment.space import Range, read_space

SAMPLERS, PRUNE = ("tpe", "random"), ("median", "halving", "none")
_KEYS = ("title", "base", "search", "space")
#: Numbers of which less is better.
_LESS = ("loss", "log_loss", "ece")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long to search, and how: the section `[search]`.

    Args:
        metric: Of the dev split, by which trials are compared; the one that picks epochs if not said.
        trials: At most so many.
        minutes: Start no trial once all trials together took so long; 0 for no limit.
        prune: Which trials end early, by their dev metric after each epoch: `median`: those below the median of the
            earlier ones at the same epoch; `halving`: all but the best third, again and again; `none`.
        sampler: `tpe` learns from earlier trials (Bergstra et al., 2011), `random` does not.
        seed: Of the sampler. The experiment's own seed is the same in all trials.

    Raises:
        ConfigError: If a value makes no sense.
    """

    metric: str = ""
    trials: int = 20
    minutes: float = 0.0
    prune: str = "median"
    sampler: str = "tpe"
    seed: int = 0

    def __post_init__(self) -> None:
        if type(self.trials) is not int or self.trials < 1:
            raise ConfigError(f"[search] trials = {self.trials!r}, expected a whole number, at least 1.")
        if type(self.minutes) not in (int, float) or not 0 <= self.minutes < float("inf"):
            raise ConfigError(f"[search] minutes = {self.minutes!r}, expected a number, at least 0.")
        for name, known in (("prune", PRUNE), ("sampler", SAMPLERS)):
            if getattr(self, name) not in known:
                hint = near(str(getattr(self, name)), known)
                raise ConfigError(
                    f"[search] {name} = {getattr(self, name)!r} is not known.{hint} Known: {', '.join(known)}."
                )
        if type(self.seed) is not int or not isinstance(self.metric, str):
            raise ConfigError("[search] seed is a whole number, and metric the name of a number of the dev split.")


@final
@dataclass(frozen=True, slots=True)
class Search:
    """A search over the settings of an experiment.

    ```toml
    title = "How many cycles, how fast"
    base  = "base.toml"                             # the experiment
    [search]
    metric = "accuracy"                             # of the dev split; tests are not read
    trials = 30
    [space]
    "train.lr.other" = { log = [1e-4, 1e-2] }       # float, log, int: the lowest and the highest
    "decode.name"    = { choice = ["cycle", "pool"] }
    "decode.cycles"  = { int = [1, 6], when = { "decode.name" = "cycle" } }
    ```

    Args:
        title: One line.
        path: Of the experiment's file.
        base: The experiment, changed as the command line says.
        budget: The section `[search]`.
        space: The section `[space]`.
    """

    title: str
    path: Path
    base: ExperimentConfig
    budget: Budget
    space: tuple[Range, ...]

    @classmethod
    def from_toml(cls, path: Path, overrides: Mapping[str, Any] | None = None) -> "Search":
        """Read the file, and check every key and both ends of every range.

        Args:
            path: The file.
            overrides: Dotted keys to lay over the experiment first.

        Raises:
            ConfigError: If something in it is wrong.
        """
        tables = load_toml(path)
        try:
            return cls._read(path, tables, dict(overrides or {}))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    @classmethod
    def _read(cls, path: Path, tables: Mapping[str, Any], overrides: dict[str, Any]) -> "Search":
        for key in tables:
            if key not in _KEYS:
                raise ConfigError(f"there is no key '{key}'.{near(key, _KEYS)} Keys: {', '.join(_KEYS)}.")
        if not isinstance(tables.get("base"), str):
            raise ConfigError("'base' is missing; name the experiment file over whose settings to search.")
        budget, known = tables.get("search", {}), list(Budget.__dataclass_fields__)
        for key in budget if isinstance(budget, Mapping) else ["search"]:
            if key not in known:
                raise ConfigError(f"[search] has no '{key}'.{near(key, known)} It has: {', '.join(known)}.")
        under = path.parent / tables["base"]
        base = ExperimentConfig.from_toml(under).with_overrides(overrides)
        check_choices(base)
        title = str(tables.get("title", f"{base.title}, searched"))
        found = cls(title, under, base, Budget(**budget), read_space(untested(base), tables.get("space")))
        return replace(found, budget=replace(found.budget, metric=found.budget.metric or _select(base)))

    @property
    def minimise(self) -> bool:
        """Whether less of the metric is better."""
        return self.budget.metric in _LESS

    def folder(self, out: Path) -> Path:
        """Return where the search is kept: a longer budget goes on with the same search, all else is another."""
        tables: dict[str, Any] = {key: value for key, value in self.base.as_tables().items() if key != "title"}
        tables |= {"space": [[r.key, r.kind, r.values, r.when] for r in self.space], "version": version("kgreason")}
        tables |= {key: getattr(self.budget, key) for key in ("metric", "prune", "sampler", "seed")}
        mark = hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:12]
        return out / f"{record.slug(self.title)}-{mark}.search"


def untested(base: ExperimentConfig) -> ExperimentConfig:
    """Return an experiment without its tests: they are not even read."""
    without: dict[str, Any] = {"task.split.tested": False} if base.task.get("split") else {"task.test": {}}
    without |= {"task.folds.tested": False} if base.task.get("folds") else {}
    return replace(base.with_overrides(without), expected={})


def _select(base: ExperimentConfig) -> str:
    tables = filled(base)
    return str(base.train.get("select") or tables["task"].get("select") or "accuracy")

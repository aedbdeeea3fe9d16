"""Runs the variants of an experiment with several seeds, and tells whether they differ."""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from kgreason.errors import ConfigError
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig, near
from kgreason.experiment.run import Options, Run, run_experiment
from kgreason.experiment.table import Row, summarise, to_markdown

_KEYS = ("title", "base", "name", "seeds", "against", "variants")
#: The table is made elsewhere, and read from here as well.
__all__ = ["Ablation", "Row", "run_ablation", "summarise", "to_markdown"]


@final
@dataclass(frozen=True, slots=True)
class Ablation:
    """What a file `*.ablation.toml` says.

    ```toml
    title   = "What the graph adds"
    base    = "base.toml"      # the experiment
    name    = "wordnet"        # what its row is called
    seeds   = [0, 1, 2, 3, 4]
    against = "no-graph"       # the row that the others are compared with; the base if not said
    [variants]
    no-graph = { "ground.name" = "nothing" }
    ```

    Args:
        title: One line.
        base: The experiment.
        seeds: Every variant runs with each.
        against: A row's name.
        variants: Row to overrides; the base's row comes first and has none.
    """

    title: str
    base: ExperimentConfig
    seeds: tuple[int, ...]
    against: str
    variants: dict[str, dict[str, Any]]

    @classmethod
    def from_toml(cls, path: Path) -> "Ablation":
        """Read the file, and check every variant against the base.

        Raises:
            ConfigError: If a key does not exist, an override is no setting, or two rows are the same experiment.
        """
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(f"{path}: there is no such file.") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
        try:
            return cls._read(path, tables)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    @classmethod
    def _read(cls, path: Path, tables: Mapping[str, Any]) -> "Ablation":
        for key in tables:
            if key not in _KEYS:
                raise ConfigError(f"there is no key '{key}'.{near(key, _KEYS)} Keys: {', '.join(_KEYS)}.")
        if not isinstance(tables.get("base"), str):
            raise ConfigError("'base' is missing; name the experiment file whose variants these are.")
        base = ExperimentConfig.from_toml(path.parent / tables["base"])
        name, seeds = str(tables.get("name", "base")), tables.get("seeds", [base.seed])
        if not isinstance(seeds, list) or not seeds or not all(type(s) is int and s >= 0 for s in seeds):
            raise ConfigError(f"seeds = {seeds!r} is not a list of whole numbers.")
        variants: dict[str, dict[str, Any]] = {name: {}, **tables.get("variants", {})}
        against = str(tables.get("against", name))
        if against not in variants:
            raise ConfigError(f"against = '{against}' is no row.{near(against, variants)} Rows: {', '.join(variants)}.")
        found = cls(str(tables.get("title", base.title)), base, tuple(dict.fromkeys(seeds)), against, variants)
        found._check_rows()
        return found

    def _check_rows(self) -> None:
        seen: dict[str, str] = {}
        for row in self.variants:
            try:
                mark = self.config(row, self.seeds[0]).fingerprint()
            except ConfigError as error:
                raise ConfigError(f"[variants] {row}: {error}") from error
            if mark in seen:
                raise ConfigError(f"[variants] '{row}' is the same experiment as '{seen[mark]}'.")
            seen[mark] = row

    def config(self, row: str, seed: int) -> ExperimentConfig:
        """Return the experiment of one row with one seed."""
        return self.base.with_overrides(self.variants[row] | {"title": f"{self.base.title}: {row}", "seed": seed})

    def with_overrides(self, overrides: Mapping[str, Any]) -> "Ablation":
        """Return the ablation over a changed base; a variant's own overrides still come last."""
        base = self.base.with_overrides(overrides)
        return Ablation(self.title, base, self.seeds, self.against, self.variants)


def run_ablation(ablation: Ablation, options: Options, tick: Callable[[str, int, int], None]) -> list[Row]:
    """Run every variant with every seed, one after the other; what was run before is not run again.

    Args:
        ablation: What to run.
        options: See `run_experiment`.
        tick: Is called before each run with its name, how many are done, and how many there are.

    Returns:
        The table, which is also written to `<title>.ablation.json` and `.md` in the folder of runs.
    """
    todo = [(row, seed) for seed in ablation.seeds for row in ablation.variants]  # seeds first: an early look is fair
    runs: dict[tuple[str, int], Run] = {}
    for i, (row, seed) in enumerate(todo):
        tick(f"{row}, seed {seed}", i, len(todo))
        runs[row, seed] = run_experiment(ablation.config(row, seed), options)
    table = summarise(ablation, runs)
    stem = options.out / f"{record.slug(ablation.title)}.ablation"
    rows = [{key: _finite(value) for key, value in asdict(row).items()} for row in table]
    folders = {f"{row}, seed {seed}": str(run.folder.name) for (row, seed), run in runs.items()}
    told = {"title": ablation.title, "against": ablation.against, "seeds": list(ablation.seeds)}
    record.write_json(Path(f"{stem}.json"), told | {"rows": rows, "runs": folders})
    record.write_text(Path(f"{stem}.md"), to_markdown(ablation, table))
    return table


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

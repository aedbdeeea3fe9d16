"""Reads the variants of an experiment, and runs them one after the other; `sweep` runs them side by side."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, final

from kgreason.errors import ConfigError, near
from kgreason.experiment import record
from kgreason.experiment.choices import check_choices
from kgreason.experiment.config import ExperimentConfig, load_toml, sources_of
from kgreason.experiment.retest import retest
from kgreason.experiment.rows import read_rows
from kgreason.experiment.run import Options, Run, run_experiment
from kgreason.experiment.table import Row, summarise, to_markdown

#: The keys of a file `*.ablation.toml`.
KEYS = ("title", "base", "name", "seeds", "against", "grid", "variants", "tests")
#: The table is made elsewhere, and read from here as well.
__all__ = ["KEYS", "Ablation", "Row", "run_ablation", "run_row", "summarise", "to_markdown", "write_table"]

Runs = Mapping[tuple[str, int], Run]


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

    Sections `[grid]` and `[tests]`, lists and conditions: see `kgreason.experiment.rows.read_rows`.

    Args:
        title: One line.
        base: The experiment.
        seeds: Every variant runs with each.
        against: A row's name.
        variants: Row to overrides; the base's row comes first and has none.
        tests: The rows that are not trained: the weights of the base's run are tested with their overrides.
        skipped: Row to the reason why the file has it and the ablation has not.
        sources: Name to text of the files it was read from, comments and all; a run keeps them.
    """

    title: str
    base: ExperimentConfig
    seeds: tuple[int, ...]
    against: str
    variants: dict[str, dict[str, Any]]
    tests: frozenset[str] = frozenset()
    skipped: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, path: Path, overrides: Mapping[str, Any] | None = None) -> "Ablation":
        """Read the file, and check every row of it: names, keys and plain values, at any depth.

        Args:
            path: The file.
            overrides: Dotted keys to lay over its base first; a row's own still come last.

        Raises:
            ConfigError: If a key does not exist, an override is no setting or changes nothing, or two rows are the same
                experiment. (With `overrides`, such a row is skipped.)
        """
        tables = load_toml(path)
        try:
            return cls._read(path, tables, dict(overrides or {}))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error

    @classmethod
    def _read(cls, path: Path, tables: Mapping[str, Any], overrides: Mapping[str, Any]) -> "Ablation":
        for key in tables:
            if key not in KEYS:
                raise ConfigError(f"there is no key '{key}'.{near(key, KEYS)} Keys: {', '.join(KEYS)}.")
        if not isinstance(tables.get("base"), str):
            raise ConfigError("'base' is missing; name the experiment file whose variants these are.")
        under = path.parent / tables["base"]
        base = ExperimentConfig.from_toml(under).with_overrides(overrides)
        name, seeds = str(tables.get("name", "base")), tables.get("seeds", [base.seed])
        if not isinstance(seeds, list) or not seeds or not all(type(s) is int and s >= 0 for s in seeds):
            raise ConfigError(f"seeds = {seeds!r} is not a list of whole numbers.")
        rows = read_rows(base, name, tables, strict=not overrides)
        variants, against = rows.trained | rows.tested, str(tables.get("against", name))
        if against not in variants:
            gone = f" It was left out: {rows.skipped[against]}." if against in rows.skipped else near(against, variants)
            raise ConfigError(f"against = '{against}' is no row.{gone} Rows: {', '.join(variants)}.")
        title, files = str(tables.get("title", base.title)), {path.name: path.read_text("utf-8")} | sources_of(under)
        seeds = tuple(dict.fromkeys(seeds))
        found = cls(title, base, seeds, against, variants, frozenset(rows.tested), rows.skipped, files)
        found.check()
        return found

    def check(self) -> None:
        """Check every row's names, keys and plain values, without building anything.

        Raises:
            ConfigError: Names the row.
        """
        for row in self.variants:
            try:
                check_choices(self.config(row, self.seeds[0]))
            except ConfigError as error:
                raise ConfigError(f"row '{row}': {error}" if self.variants[row] else str(error)) from error

    def config(self, row: str, seed: int) -> ExperimentConfig:
        """Return the experiment of one row with one seed."""
        return self.base.with_overrides(self.variants[row] | {"title": f"{self.base.title}: {row}", "seed": seed})

    def trained(self, row: str) -> str:
        """Return the row whose weights a row tests: its own, or that of the base."""
        return next(iter(self.variants)) if row in self.tests else row

    def todo(self) -> list[tuple[str, int]]:
        """Return all rows with all seeds, in the order in which to run them.

        Seeds come first, so that an early look is fair; within one, what others' weights are needed for comes last.
        """
        rows = sorted(self.variants, key=lambda row: row in self.tests)
        return [(row, seed) for seed in self.seeds for row in rows]

    def with_overrides(self, overrides: Mapping[str, Any]) -> "Ablation":
        """Return the ablation over a changed base; a variant's own overrides still come last."""
        return replace(self, base=self.base.with_overrides(overrides))


def run_ablation(ablation: Ablation, options: Options, tick: Callable[[str, int, int], None]) -> list[Row]:
    """Run every variant with every seed, one after the other; what was run before is not run again.

    Args:
        ablation: What to run.
        options: See `run_experiment`.
        tick: Is called before each run with its name, how many are done, and how many there are.

    Returns:
        The table, which is also written to `<title>.ablation.json` and `.md` in the folder of runs.
    """
    todo = ablation.todo()
    runs: dict[tuple[str, int], Run] = {}
    for i, (row, seed) in enumerate(todo):
        tick(f"{row}, seed {seed}", i, len(todo))
        runs[row, seed] = run_row(ablation, row, seed, options)
    return write_table(ablation, runs, options.out)


def run_row(ablation: Ablation, row: str, seed: int, options: Options) -> Run:
    """Run one row with one seed, or find it done; a row of `[tests]` tests the run of the base, which it makes first.

    Raises:
        ConfigError: If the file is wrong.
        DataError: If a data set is.
        StoreError: If something cannot be read or written.
    """
    options = replace(options, sources=ablation.sources)
    run = run_experiment(ablation.config(ablation.trained(row), seed), options)
    return run if row not in ablation.tests else retest(run.folder, ablation.variants[row], options)


def write_table(ablation: Ablation, runs: Runs, out: Path) -> list[Row]:
    """Write the table to `<title>.ablation.json` and `.md`, and return it.

    Args:
        ablation: What was run.
        runs: Every row with every seed.
        out: The folder of all runs.

    Raises:
        StoreError: If it cannot be written, or a run cannot be read.
    """
    table = summarise(ablation, runs)
    stem = out / f"{record.slug(ablation.title)}.ablation"
    rows = [{key: _finite(value) for key, value in asdict(row).items()} for row in table]
    folders = {f"{row}, seed {seed}": inside(run.folder, out) for (row, seed), run in runs.items()}
    told: dict[str, Any] = {"title": ablation.title, "against": ablation.against, "seeds": list(ablation.seeds)}
    told |= {"rows": rows, "runs": folders, "skipped": ablation.skipped}
    record.write_json(Path(f"{stem}.json"), told)
    record.write_text(Path(f"{stem}.md"), to_markdown(ablation, table))
    return table


def inside(folder: Path, out: Path) -> str:
    """Return the name of a run's folder within the folder of all runs."""
    return folder.absolute().relative_to(out.absolute()).as_posix()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

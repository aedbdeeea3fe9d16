"""What a search leaves: a table of its trials, and the best of them as an experiment file."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from kgreason.errors import ConfigError
from kgreason.experiment import record
from kgreason.experiment.config import ROOMS, ExperimentConfig
from kgreason.experiment.search import Search
from kgreason.experiment.space import overrides_of

JOURNAL, BEST, TABLE = "study.journal", "best.toml", "trials"


@final
@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Args:
        number: Counted from 1.
        state: `complete`, `pruned`, `fail` or `running`.
        value: The dev metric; of a trial that was ended early, the last one it had.
        epochs: After how many epochs the metric was told.
        seconds: How long it took.
        values: Dotted key to value.
        run: Its run folder, below the search's.
        error: Why it failed.
    """

    number: int
    state: str
    value: float | None
    epochs: int
    seconds: float
    values: dict[str, Any]
    run: str
    error: str


@final
@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Args:
        folder: Where everything stands.
        trials: Best first; those without a value last.
        best: The best that ran to its end; None if there is none yet.
    """

    folder: Path
    trials: tuple[Trial, ...]
    best: Trial | None


def write_found(search: Search, folder: Path, trials: Sequence[Trial]) -> Found:
    """Write `trials.md`, `trials.json` and, if a trial ran to its end, `best.toml`.

    Raises:
        StoreError: If a file cannot be written.
    """
    sign = 1 if search.minimise else -1
    rank = {"complete": 0, "pruned": 1}
    ordered = sorted(trials, key=lambda t: (rank.get(t.state, 2), sign * (t.value or 0.0), t.number))
    best = next((trial for trial in ordered if trial.state == "complete"), None)
    told: dict[str, Any] = {"title": search.title, "metric": search.budget.metric, "base": str(search.path)}
    record.write_json(folder / f"{TABLE}.json", told | {"trials": [asdict(trial) for trial in ordered]})
    record.write_text(folder / f"{TABLE}.md", to_markdown(search, ordered))
    if best is not None:
        record.write_text(folder / BEST, best_file(search, folder, best, len(trials)))
    return Found(folder, tuple(ordered), best)


def to_markdown(search: Search, trials: Sequence[Trial]) -> str:
    """Return the table of trials, best first."""
    keys = [one.key for one in search.space]
    lines = [f"# {search.title}", "", f"Dev {search.budget.metric} of {len(trials)} trials; no test was read.", ""]
    lines += [f"| trial | dev {search.budget.metric} | state | {' | '.join(keys)} | epochs | seconds |"]
    lines += [f"|{'---|' * (len(keys) + 5)}"]
    for trial in trials:
        value = "–" if trial.value is None else f"{trial.value:.4f}"
        cells = [_cell(trial.values[key]) if key in trial.values else "–" for key in keys]
        lines.append(
            f"| {' | '.join([str(trial.number), value, trial.state, *cells])} | {trial.epochs} | {trial.seconds:.0f} |"
        )
    failed = [f"- trial {trial.number}: {trial.error}" for trial in trials if trial.error]
    return "\n".join([*lines, *([""] if failed else []), *failed]) + "\n"


def best_file(search: Search, folder: Path, best: Trial, many: int) -> str:
    """Return the best trial as an experiment file over the searched one: with its tests, which no trial has read.

    The search's number stands in a comment. It is the best of many on dev, so it is too high for what is to come.
    """
    config = search.base.with_overrides(overrides_of(search.base, best.values))
    config = replace(config, title=f"{search.title}: best of {many} trials", expected={})
    value = "none" if best.value is None else f"{best.value:.4f}"
    lead = f"# Trial {best.number} of {many}: dev {search.budget.metric} {value}.\n"
    text = lead + _over(search, folder, config)
    return text if _reads_as(text, search.path, config) else lead + record.to_toml(config.as_tables())


def _over(search: Search, folder: Path, config: ExperimentConfig) -> str:
    """Write what differs from the searched file: every argument that does, whole; a room of another name, whole."""
    below, above = ExperimentConfig.from_toml(search.path).as_tables(), config.as_tables()
    tables: dict[str, Any] = {"title": config.title, "base": Path(os.path.relpath(search.path, folder)).as_posix()}
    tables |= {"seed": config.seed} if config.seed != below["seed"] else {}
    for room in ROOMS:
        old, new = below[room], above[room]
        if old != new:
            other = old["name"] != new["name"]
            changed = {k: v for k, v in new.items() if other or k == "name" or old.get(k) != v}
            tables[room] = changed
    first, blank, rest = record.to_toml(tables).partition("\n\n")
    return first + ("\nexpected = {}" if search.base.expected else "") + blank + rest  # those of another experiment


def _reads_as(text: str, base: Path, config: ExperimentConfig) -> bool:
    """Whether the file, laid over its base, is the experiment it should be."""
    import tomllib

    from kgreason.experiment.config import lay_over, read_tables

    tables: Mapping[str, Any] = {key: value for key, value in tomllib.loads(text).items() if key != "base"}
    try:
        found = ExperimentConfig.from_dict(lay_over(read_tables(base), tables))
    except ConfigError:
        return False
    return replace(found, expected={}) == config


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)

"""What an ablation would run: which rows and seeds, what is there already, how long it takes, how much memory."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from kgreason.collate import Loader
from kgreason.errors import StoreError
from kgreason.experiment import record
from kgreason.experiment.build import build_reasoner
from kgreason.experiment.config import ROOMS, ExperimentConfig
from kgreason.experiment.cost import Meter, count_trainable
from kgreason.experiment.folders import folder_of
from kgreason.experiment.prepare import is_prepared, sizes_of
from kgreason.experiment.search import Search, untested
from kgreason.experiment.shelf import Opened, Shelf
from kgreason.experiment.trials import TABLE
from kgreason.reasoner import Reasoner
from kgreason.train import seed_everything, time_steps

#: Batches that are timed; the first is for warming up.
_BATCHES = 6


def plan_of(
    configs: Mapping[str, ExperimentConfig],
    seeds: Sequence[int],
    out: Path,
    data: bool = True,
    timed: bool = False,
    tests: frozenset[str] = frozenset(),
) -> Iterator[dict[str, Any]]:
    """Build every row and yield what there is to tell of it.

    Args:
        configs: Row to experiment.
        seeds: What each would be run with.
        out: The folder of all runs.
        data: Whether to read the data as well; without, nothing is known of sizes and of what is there.
        timed: Whether to time some steps on its first examples.
        tests: Rows that are only tested.

    Raises:
        ConfigError: If a name or an argument is wrong.
        DataError: If a data set is.
    """
    shelf = Shelf()
    for row, config in configs.items():
        seed_everything(config.seed)
        front = shelf.open(config).front if data else shelf.front(config)
        reasoner = build_reasoner(config, front)
        told: dict[str, Any] = {
            "variant": row,
            "title": config.title,
            "choices": {room: config.as_tables()[room]["name"] for room in ROOMS},
            "graph": repr(front.knowledge),
            "trainable": count_trainable(reasoner),
        }
        if data:
            opened = shelf.open(config)
            told |= {"sizes": sizes_of(opened.splits), "fingerprint": config.fingerprint(opened.checksums)}
            if row not in tests:
                told |= {"seeds": list(seeds), "there": _there(config, opened, seeds, out)}
            if timed and row not in tests:
                told["estimate"] = estimate(config, opened, reasoner)
        yield told


def plan_of_search(search: Search, out: Path, data: bool = True, timed: bool = False) -> dict[str, Any]:
    """Build what a search begins with, without its tests, and return what there is to tell of it.

    Args:
        search: What to search.
        out: The folder of all runs.
        data: Whether to read the data as well.
        timed: Whether to time some steps with the settings of its base.

    Raises:
        ConfigError: If a name or an argument is wrong.
        DataError: If a data set is.
    """
    base, budget, folder = untested(search.base), search.budget, search.folder(out)
    (told,) = plan_of({"": base}, (base.seed,), out, data, timed)
    told.pop("there", None)
    told |= {"title": search.title, "space": {one.key: one.told() for one in search.space}, "folder": str(folder)}
    told |= {"search": asdict(budget)}
    with contextlib.suppress(StoreError):
        states = [str(trial["state"]) for trial in record.read_json(folder / f"{TABLE}.json")["trials"]]
        told["trials"] = {state: states.count(state) for state in dict.fromkeys(states)}
    return told


def estimate(config: ExperimentConfig, opened: Opened, reasoner: Reasoner) -> dict[str, Any]:
    r"""Return how long one run of an experiment takes, extrapolated from a few batches of real examples.

    With $t_s$ seconds for a step of the optimiser, $t_f$ for a batch that is only looked at, $t_1$ for the first look
    at it, and $t_p$ to prepare an example:

    $$ t = E \, (S \, t_s + D \, t_f) + T \, t_f + (S + D + T) \max(0, t_1 - t_f) + N \, t_p $$

    for $E$ epochs of $S$ batches, $D$ batches of dev, $T$ of the tests, and $N$ examples that are not in the cache. The
    first batch warms up and is not counted. It is an upper bound as far as training goes, since `patience` may end it
    earlier. What is prepared, and the states of a frozen language model ($t_1 - t_f$), are paid for once and serve all
    seeds.

    Returns:
        `once` (preparation and states), `train` and `test` in seconds, `step_ms`, `memory_mb`, and `told`: one line,
        with what it rests on.
    """
    front, splits, meter = opened.front, opened.splits, Meter("cpu")
    size = front.train.batch_size
    part = splits.train.examples or next(iter(splits.test.values())).examples
    few = part[:: max(1, len(part) // (size * _BATCHES))][: size * _BATCHES]  # spread over the file
    begin = time.perf_counter()
    prepared = front.collate.prepare(few, front.ground(front.parse(few), front.knowledge))
    per_example = (time.perf_counter() - begin) / len(few)
    batches = list(Loader(prepared, size))
    step, first, look = time_steps(reasoner, batches, front.train)
    wanted = [splits.train, splits.dev, *splits.test.values()]
    missing = sum(len(split) for split in wanted if not is_prepared(front, config, split))
    steps, dev, *tests = (-(-len(split) // size) for split in wanted)
    once = missing * per_example + (steps + dev + sum(tests)) * max(0.0, first - look)
    train = front.train.epochs * (steps * step + dev * look)
    memory = meter.read()["peak_memory_mb"]
    told = (
        f"about {_clock(train + sum(tests) * look)} a run at most ({front.train.epochs} epochs × {steps} batches × "
        f"{1000 * step:.0f} ms), and once {_clock(once)} ({missing} examples to prepare, states of the language "
        f"model), {memory / 1000:.1f} GB of memory; timed on {len(few)} examples, {torch.get_num_threads()} threads"
    )
    found = {"once": once, "train": train, "test": sum(tests) * look, "step_ms": 1000 * step, "memory_mb": memory}
    return found | {"told": told}


def total(rows: Sequence[Mapping[str, Any]], seeds: int) -> str:
    """Return what all rows come to, in words: preparation is paid once for all seeds."""
    trained = [row for row in rows if "there" in row]
    missing = sum(len(row["seeds"]) - len(row["there"]) for row in trained)
    told = f"{len(rows)} rows × {seeds} seeds"
    if trained:
        told += f": {missing} runs to train, {sum(len(row['there']) for row in trained)} are there already"
    if tested := len(rows) - len(trained):
        told += f"; {tested} rows are tests of trained runs" if trained else ""
    if not trained or any("estimate" not in row for row in trained):
        return f"{told}."
    found = [(row["estimate"], len(row["seeds"]) - len(row["there"])) for row in trained]
    seconds = sum(e["once"] * (n > 0) + n * (e["train"] + e["test"]) for e, n in found)
    return f"{told}; at most about {_clock(seconds)} one after the other."


def _there(config: ExperimentConfig, opened: Opened, seeds: Sequence[int], out: Path) -> list[int]:
    folders = {seed: folder_of(config.with_seed(seed), opened.checksums, out) for seed in seeds}
    return [seed for seed, folder in folders.items() if (folder / record.METRICS).is_file()]


def _clock(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

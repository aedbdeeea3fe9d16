"""Tests what a run has trained once more, with other settings: on a spoilt graph, say, that it was not trained on."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kgreason.errors import ConfigError, StoreError
from kgreason.experiment import record
from kgreason.experiment.build import build_reasoner
from kgreason.experiment.code import code_of
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.cost import Meter
from kgreason.experiment.measure import evaluate
from kgreason.experiment.prepare import data_checksums, graph_checksum
from kgreason.experiment.reading import recall
from kgreason.experiment.run import Options, Run
from kgreason.train import WEIGHTS, load_weights, seed_everything

#: The folder inside a run's that holds its further tests, each in a folder of its own.
TESTS = "tests"


def retest(folder: str | Path, overrides: Mapping[str, Any], options: Options | None = None) -> Run:
    """Test the weights of a run with some settings changed; nothing is trained.

    What was calibrated on the run's dev split stays as it was. Into `RUN/tests/<fingerprint>-<code>` go the changed
    config, `metrics.json` and `predictions.jsonl`, which stand beside the run's own row by row. What was tested before
    is not tested again, unless `Options.again` says so.

    Args:
        folder: The folder of a finished run.
        overrides: Dotted keys, as for a run: `{"knowledge": {"name": "perturb", "around": "metaqa"}}`.
        options: How to do it; `out` is not used.

    Raises:
        ConfigError: If an override is wrong, or there is no test.
        DataError: If a data set is.
        StoreError: If the folder holds no finished run, or its weights do not fit what the overrides ask for.
    """
    options, run = options or Options(), Path(folder)
    trained = record.read_json(run / record.METRICS)  # also tells whether it is a finished run
    config = ExperimentConfig.from_toml(run / record.CONFIG).with_overrides(overrides)
    opened = options.shelf.open(config)
    front, splits = opened.front, opened.splits.test
    if not splits:
        raise ConfigError("there is no split to test on; give one with --set 'task.test={ NAME = \"SPLIT\" }'.")
    made_of = {"knowledge": graph_checksum(front.knowledge), "weights": _checksum(run)} | data_checksums(
        splits.values()
    )
    out = run / TESTS / f"{config.fingerprint(made_of)}-{code_of(config)}"
    if (out / record.METRICS).is_file() and not options.again:
        options.tell(f"Done before: {out}")
        return Run(out, record.read_json(out / record.METRICS), fresh=False)
    recall(front, run)
    meter = Meter(options.device)
    make = partial(options.shelf.prepare, config, step=options.step)
    seed_everything(config.seed)
    reasoner = build_reasoner(config, front)
    load_weights(reasoner, run / WEIGHTS)
    tests, lines = evaluate(reasoner.to(options.device), front, splits, make, trained["dev"], options.tell)
    metrics = {"title": config.title, "seed": config.seed, "run": run.name, "changed": dict(overrides), "test": tests}
    metrics |= meter.read()
    record.write_text(out / record.CONFIG, record.to_toml(replace(config, expected={}).as_tables()))
    record.write_json(out / record.VERSIONS, record.versions())
    record.write_bytes(out / record.PREDICTIONS, lines)
    record.write_json(out / record.METRICS, metrics)
    return Run(out, metrics, fresh=True)


def _checksum(run: Path) -> str:
    """Return a hash of the weights by name: files that hold the same numbers may list them in another order."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = load_file(run / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{run / WEIGHTS} cannot be read: {error}.") from error
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].dtype} {weights[name].shape}".encode() + weights[name].tobytes())
    return digest.hexdigest()

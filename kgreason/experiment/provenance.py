"""Where the numbers of a run come from: code, packages, machine, data, time, energy; each stretch of it by itself.

A run that was interrupted and went on later has several parts, perhaps on several machines. Files in the run's folder:

- `provenance.json`: `checksums` of the data and the graph, and `parts`, each with `started`, `code`, `python`, `lock`
  (the name of its file, and a hash of it), `machine`, `computing`; a part that was not interrupted also with `ended`,
  `seconds`, `cpu_seconds`, `peak_memory_mb` and `energy`;
- `requirements.lock`: every package that was installed, as pip takes it;
- `changes.diff`: what was changed in the checkout since its commit, if anything was and it is not large.

A part whose packages or changes are other than those of the first has files of its own (`requirements.2.lock`).
"""

import hashlib
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kgreason.experiment import record
from kgreason.experiment.checkout import read_checkout
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.lock import lock
from kgreason.experiment.machine import computing, hardware
from kgreason.experiment.prepare import sizes_of
from kgreason.tasks import Splits

PROVENANCE, LOCK, CHANGES = "provenance.json", "requirements.lock", "changes.diff"
#: A longer patch is not kept, only its hash.
_MOST = 2**20


def begin(
    config: ExperimentConfig, folder: Path, splits: Splits, checksums: Mapping[str, str], device: str, anew: bool
) -> None:
    """Write down what is known when a part of a run begins: its config, and where its numbers will come from.

    Args:
        config: The experiment.
        folder: Of the run.
        splits: What it draws from.
        checksums: Of the data and the graph.
        device: Where it computes.
        anew: Whether earlier parts were thrown away.

    Raises:
        StoreError: If the files cannot be written.
    """
    record.write_text(folder / record.CONFIG, record.to_toml(config.as_tables()))
    more = {"checksums": dict(checksums), "sizes": sizes_of(splits), "started": _now()}
    record.write_json(folder / record.RESOLVED, config.as_tables() | more)
    record.write_json(folder / record.VERSIONS, record.versions())
    path = folder / PROVENANCE
    parts: list[dict[str, Any]] = [] if anew or not path.is_file() else record.read_json(path)["parts"]
    part = {
        "started": more["started"],
        "code": _code(folder, parts),
        "python": platform.python_version(),
        "lock": _kept(folder, LOCK, lock().encode(), [earlier["lock"] for earlier in parts]),
        "machine": hardware(),
        "computing": computing(device),
    }
    record.write_json(path, {"checksums": dict(checksums), "parts": [*parts, part]})


def end(folder: Path, cost: Mapping[str, Any]) -> None:
    """Write down that the part that began last has ended, and what it cost (see `kgreason.experiment.cost.Meter`)."""
    path = folder / PROVENANCE
    found = record.read_json(path)
    found["parts"][-1] |= {"ended": _now(), **cost}
    record.write_json(path, found)


def read_provenance(folder: Path) -> dict[str, Any]:
    """Return what `provenance.json` says; for a run that is older than that file, what its other files say.

    Raises:
        StoreError: If it is not the folder of a run.
    """
    if (folder / PROVENANCE).is_file():
        return record.read_json(folder / PROVENANCE)
    told, resolved = record.read_json(folder / record.VERSIONS), record.read_json(folder / record.RESOLVED)
    code = {"version": told.get("kgreason", ""), "hash": told.get("code", ""), "commit": told.get("git", "")}
    part = {"started": resolved.get("started", ""), "code": code, "python": told.get("python", "")}
    part["machine"] = {"system": told.get("platform", "")}
    return {"checksums": resolved.get("checksums", {}), "parts": [part]}


def _code(folder: Path, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what code it is: `version`, `hash` of the package, and in a checkout `commit` and `changes`."""
    found = read_checkout()
    code: dict[str, Any] = {"version": version("kgreason"), "hash": record.code_hash(), "commit": found.commit}
    if found.diff:
        before = [earlier["code"]["changes"] for earlier in parts if "changes" in earlier["code"]]
        code["changes"] = _kept(folder, CHANGES, found.diff, before)
    return code


def _kept(folder: Path, name: str, content: bytes, before: list[dict[str, str]]) -> dict[str, str]:
    """Write a file, if no earlier part has the same; return its name and its hash."""
    digest = hashlib.sha256(content).hexdigest()
    for earlier in before:
        if earlier["sha256"] == digest:
            return earlier
    stem, _, ending = name.partition(".")
    name = f"{stem}.{len(before) + 1}.{ending}" if before else name
    if len(content) > _MOST:
        return {"file": "", "sha256": digest}
    record.write_bytes(folder / name, [content])
    return {"file": name, "sha256": digest}


def _now() -> str:
    return time.strftime("%FT%TZ", time.gmtime())

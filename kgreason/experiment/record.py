"""What a run leaves behind: a folder of plain files, each written whole or not at all."""

import contextlib
import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import kgreason
from kgreason.errors import StoreError
from kgreason.experiment.config import ROOMS
from kgreason.whole import new_file

CONFIG, RESOLVED, VERSIONS, METRICS = "config.toml", "resolved.json", "versions.json", "metrics.json"
PREDICTIONS, LOG = "predictions.jsonl", "log.txt"
_PACKAGES = ("kgreason", "torch", "torch-geometric", "transformers", "tokenizers", "numpy", "numba", "scikit-learn")
#: A bare key of TOML; any other is quoted.
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def slug(title: str) -> str:
    """Return a title as a folder name.

    >>> slug("SNLI, + WordNet (frozen)")
    'snli-wordnet-frozen'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].rstrip("-") or "run"


def write_text(path: Path, text: str) -> None:
    """Write a file at once: it appears whole, or what was there before stays.

    Raises:
        StoreError: If it cannot be written.
    """
    write_bytes(path, [text.encode()])


def write_bytes(path: Path, parts: Iterable[bytes]) -> None:
    """Write the parts of a file, one after the other, as `write_text` does."""
    try:
        with new_file(path) as file:
            file.writelines(parts)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"{path} could not be written: {reason}. Free some space or name another --out.") from error


def write_json(path: Path, value: object) -> None:
    """Write JSON that a person can read, at once."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines, at once."""
    write_bytes(path, as_lines(rows))


def as_lines(rows: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Return a line of JSON for each row, as `write_lines` writes it; it takes a tenth of the memory."""
    return [f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n".encode() for row in rows]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        StoreError: If it is missing or damaged.
    """
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise StoreError(f"{path} is missing; {path.parent} is not the folder of a finished run.") from error
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error}. Delete it and run the experiment again.") from error
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines.

    Raises:
        StoreError: If the file is missing or damaged.
    """
    try:
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}. Delete {path.parent} and run again.") from error


def to_toml(tables: Mapping[str, Any]) -> str:
    """Write an experiment's tables as TOML: one section per room, tables inside them on one line.

    >>> print(to_toml({"title": "t", "decode": {"name": "cycle", "halt": {"name": "act"}}}))
    title = "t"
    <BLANKLINE>
    [decode]
    name = "cycle"
    halt = { name = "act" }
    <BLANKLINE>
    """
    sections = [key for key in tables if isinstance(tables[key], Mapping) and (tables[key] or key in ROOMS)]
    lines = [f"{_key(k)} = {_value(v)}" for k, v in tables.items() if not isinstance(v, Mapping)]
    for name in sections:
        lines += ["", f"[{_key(name)}]", *(f"{_key(k)} = {_value(v)}" for k, v in tables[name].items())]
    return "\n".join(lines) + "\n"


def versions() -> dict[str, str]:
    """Return what the run was made with: packages, Python, machine, git commit, and a hash of this package's code."""
    found = {"python": platform.python_version(), "platform": platform.platform(), "machine": platform.machine()}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {"git": _commit(), "code": code_hash()}


def code_hash(folders: Iterable[str] = ("",)) -> str:
    """Return a hash of what stands in the package, or in some of its folders: code, and models that ship with it.

    Caches are keyed by it, so that an edited parser does not get the old parser's trees.
    """
    root, digest = Path(kgreason.__file__).parent, hashlib.sha256()
    files = sorted({p for folder in folders for p in (root / folder).rglob("*") if p.is_file()})
    for path in files:
        if "__pycache__" not in path.parts and not path.name.startswith("."):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _commit() -> str:
    """Return the git commit of the checkout that is running, or nothing outside of one."""
    root = Path(kgreason.__file__).parents[1]
    if not (root / ".git").exists():
        return ""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=root,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    return _string(value) if isinstance(value, str) else json.dumps(value)


def _string(text: str) -> str:
    """Return a basic string of TOML: JSON's, but for one character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

"""The version of the code that makes a run's numbers: a hash of the modules that its choices use, and of no others."""

import ast
import hashlib
import inspect
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import kgreason
from kgreason.experiment.choices import constructors
from kgreason.experiment.config import ExperimentConfig
from kgreason.places import shipped

_ROOT = Path(kgreason.__file__).parent
#: What every run goes through, besides what its file names.
_ALWAYS = ("kgreason.experiment.measure", "kgreason.experiment.prepare", "kgreason.experiment.build")
#: They write down, tell, or name what is chosen elsewhere; no number comes from them. Of the knowledge graph the
#: result counts, which is part of the fingerprint itself.
_APART = ("record", "cost", "energy", "config", "choices", "code", "features", "filelock")
_ELSEWHERE = tuple(
    f"kgreason.{name}" for name in ("errors", "registry", "places", "rooms", "knowledge", "explain", "pipeline")
)


def code_of(config: ExperimentConfig) -> str:
    """Return a hash of all code that can change an experiment's numbers.

    From the constructors of its choices, and from what trains and tests them, imports are followed through this
    package, name by name: an edited decoder changes the runs that use it and no others. Comments, docstrings and layout
    do not count; data files beside the modules (weights of the parser, tables of words) do. Of a class of the user's
    own, `module:Class`, the module it stands in counts, and no other.

    The code is what stood on disk when this process first asked (`snapshot`): an edit made while it runs has no effect
    on what it computes.
    """
    roots, digest = set(_ALWAYS), hashlib.sha256()
    for place, made in constructors(config):
        module = inspect.getmodule(made)
        name = module.__name__ if module else ""
        digest.update(f"{place} {name}:{getattr(made, '__qualname__', repr(made))}\n".encode())
        if name.partition(".")[0] == "kgreason":
            roots.add(name)
        elif module is not None and (file := inspect.getsourcefile(module)) is not None:
            digest.update(_code(Path(file).read_text("utf-8")).encode())
    used = _closure(frozenset(root for root in roots if not _apart(root)))
    for name in sorted(used):
        digest.update(f"{name} {_module(name)}\n".encode())
    for path in _tables(used):
        digest.update(f"{path.name} {_bytes(path, path.stat().st_mtime_ns)}\n".encode())
    return digest.hexdigest()[:6]


@lru_cache(1)
def snapshot() -> dict[str, str]:
    """Read all code of this package at once, by module, and keep it for as long as this process lives."""
    found = {}
    for path in sorted(_ROOT.rglob("*.py")):
        parts = path.relative_to(_ROOT).with_suffix("").parts
        name = ".".join(("kgreason", *parts))
        found[name] = path.read_text("utf-8")
    return found


def snapshot_hash() -> str:
    """Return a hash of the code that this process counts with."""
    return hashlib.sha256("\n".join(snapshot().values()).encode()).hexdigest()[:12]


@lru_cache(64)
def _closure(roots: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in found or _apart(name):
            continue
        found.add(name)
        todo += _imports(name)
    _tree.cache_clear()  # thirty megabytes, which nobody asks for again
    return frozenset(found)


def _apart(name: str) -> bool:
    inside = name.removeprefix("kgreason.experiment.")
    return inside in _APART or any(name == e or name.startswith(f"{e}.") for e in _ELSEWHERE)


@lru_cache(1024)
def _imports(name: str) -> tuple[str, ...]:
    """Return the modules of this package that one imports from, at whatever depth of its code."""
    found: list[str] = []
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith("kgreason.")]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "kgreason":
            for alias in node.names:
                found += _origin(str(node.module), alias.name)
    return tuple(found)


def _origin(module: str, name: str) -> Iterator[str]:
    """Yield the module in which a name that is imported from `module` is defined; none of a table of choices."""
    if _key(f"{module}.{name}"):
        yield f"{module}.{name}"
    elif _key(module).endswith(".__init__"):
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == name for a in node.names):
                yield from _origin(str(node.module), next(a.name for a in node.names if (a.asname or a.name) == name))
    elif _key(module):
        yield module


def _key(name: str) -> str:
    """Return what a module is called in the snapshot; nothing if there is none."""
    return next((key for key in (name, f"{name}.__init__") if key in snapshot()), "")


@lru_cache(1024)
def _tree(name: str) -> ast.Module:
    return ast.parse(snapshot().get(_key(name), ""))


@lru_cache(1024)
def _module(name: str) -> str:
    return hashlib.sha256(_code(snapshot().get(_key(name), "")).encode()).hexdigest()


def _code(text: str) -> str:
    """Return the code of a file without comments, docstrings and layout."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _tables(used: frozenset[str]) -> list[Path]:
    """Return the data files beside the modules in use, and the tables of words that ship with the graphs."""
    folders = {_ROOT / name.split(".")[1] for name in used if name.count(".") > 1}
    beside = [p for folder in folders for p in folder.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")]
    beside = [p for p in beside if "__pycache__" not in p.parts]  # numba's compiled kernels, too, stand there
    return sorted(p for p in beside if not p.name.startswith(".")) + sorted(shipped("graphs").glob("*.tsv"))


@lru_cache(256)
def _bytes(path: Path, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

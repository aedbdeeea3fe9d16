"""Say what is installed and what is missing."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, final

import typer

from kgreason.cli.console import EXIT_USER, print_json
from kgreason.errors import KgreasonError
from kgreason.places import cache_folder, shipped
from kgreason.registry import added_rooms

State: TypeAlias = Literal["ok", "absent", "broken"]
_SIGNS = {"ok": "ok     ", "absent": "absent ", "broken": "BROKEN "}
#: Set by some machines and read by the libraries below us.
_VARIABLES = ("KGREASON_DATA", "KGREASON_CACHE", "HF_HUB_OFFLINE", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "LD_PRELOAD")
_NEEDED_BYTES = 2**30


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        part: Under which heading it stands.
        name: What it is.
        state: `ok`; `absent` if it is optional and not there; `broken` if kgreason needs it and it is missing or wrong.
        detail: What was found.
        advice: What to do; empty if nothing need be done.
    """

    part: str
    name: str
    state: State
    detail: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""
    app.command()(doctor)


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what is installed, which defaults are in use, and what is missing.

    Exit code 0 if all that is needed is there (optional parts may be absent), else 2.
    """
    findings = list(examine())
    broken = [finding for finding in findings if finding.state == "broken"]
    if json:
        print_json({"ok": not broken, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if broken:
        raise typer.Exit(EXIT_USER)


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other; nothing is changed and nothing is fetched."""
    yield from _packages()
    yield from _extras()
    yield from _plugins()
    yield _language_model()
    yield _parser()
    yield _words()
    yield from _graphs()
    yield from _datasets()
    yield _wordnet_files()
    yield from _folders()
    yield from _machine()
    for name in _VARIABLES:
        yield Finding("environment", name, "ok", os.environ.get(name) or "not set")


def _print(findings: list[Finding]) -> None:
    part = ""
    for finding in findings:
        if finding.part != part:
            part = finding.part
            typer.echo(f"\n{part}" if finding is not findings[0] else part)
        typer.echo(f"  {_SIGNS[finding.state]}{finding.name}: {finding.detail}")
        if finding.advice:
            typer.echo(f"         → {finding.advice}")
    broken = sum(finding.state == "broken" for finding in findings)
    absent = sum(finding.state == "absent" for finding in findings)
    verdict = f"{broken} broken: see → above." if broken else "All that is needed is there."
    typer.echo(f"\n{verdict}{f' {absent} optional parts are absent.' if absent else ''}")


def _packages() -> Iterator[Finding]:
    yield Finding("packages", "Python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield Finding("packages", "kgreason", "ok", importlib.metadata.version("kgreason"))
    for name in _asked(None):
        version = _version(name)
        if version:
            yield Finding("packages", name, "ok", version)
        else:
            yield Finding("packages", name, "broken", "not installed", f"pip install {name}")


def _extras() -> Iterator[Finding]:
    for extra in importlib.metadata.metadata("kgreason").get_all("Provides-Extra") or ():
        versions = {name: _version(name) for name in _asked(extra)}
        missing = [name for name, version in versions.items() if not version]
        if missing:
            advice = f"pip install 'kgreason[{extra}]'"
            yield Finding("extras", extra, "absent", f"lacks {', '.join(missing)}", advice)
        else:
            yield Finding("extras", extra, "ok", ", ".join(f"{name} {version}" for name, version in versions.items()))


def _plugins() -> Iterator[Finding]:
    for room, names in sorted(added_rooms().items()):
        for name, points in sorted(names.items()):
            told = " and ".join(f"{p.value} of {p.dist.name} {p.dist.version}" if p.dist else p.value for p in points)
            advice = "Two packages add it: write 'module:Class' in its place." if len(points) > 1 else ""
            yield Finding("plugins", f"{room}.{name}", "ok", told, advice)


def _asked(extra: str | None) -> list[str]:
    """Return the packages that kgreason asks for: always (None), or for one of its extras."""
    names = []
    for line in importlib.metadata.requires("kgreason") or ():
        marker = re.search(r"extra == ['\"]([\w-]+)['\"]", line)
        if (marker[1] if marker else None) == extra:
            names.append(re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0])
    return names


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _language_model() -> Finding:
    from kgreason.errors import MissingExtraError
    from kgreason.pretrained import DEFAULT, locate

    try:
        folder = locate(DEFAULT)
    except MissingExtraError as error:
        return Finding("defaults", "language model", "absent", "the offline default is not installed", str(error))
    except KgreasonError as error:
        return Finding("defaults", "language model", "broken", "the offline default is damaged", str(error))
    return Finding("defaults", "language model", "ok", f"all-MiniLM-L6-v2, checksum right, in {folder}")


def _parser() -> Finding:
    from safetensors import SafetensorError, safe_open

    from kgreason.parse.dependency import SHIPPED

    try:
        with safe_open(SHIPPED, framework="numpy") as file:
            tensors = len(list(file.keys()))
    except (OSError, SafetensorError) as error:
        again = "Install kgreason again; the file ships with it."
        return Finding("defaults", "dependency parser", "broken", f"{SHIPPED}: {error}", again)
    size = SHIPPED.stat().st_size / 1e6
    return Finding("defaults", "dependency parser", "ok", f"{size:.1f} MB, {tensors} tensors in {SHIPPED}")


def _words() -> Finding:
    """Look for the table of words that proofs (`kgreason prove`) stand on, beside the graph."""
    path, name = shipped("graphs") / "english.tsv", "words for proofs"
    if not path.is_file():
        return Finding(
            "defaults", name, "broken", f"{path} is missing", "Install kgreason again; the file ships with it."
        )
    rows = sum(bool(line.strip()) and not line.startswith("#") for line in path.read_text("utf-8").splitlines())
    return Finding("defaults", name, "ok", f"{rows} lines in {path}; see: kgreason prove")


def _graphs() -> Iterator[Finding]:
    manifests = sorted(shipped("graphs").glob("*.toml"))
    if not manifests:
        where = shipped("graphs")
        yield Finding(
            "defaults", "graphs", "broken", f"none in {where}", "Install kgreason again; the folder ships with it."
        )
    for manifest in manifests:
        about = tomllib.loads(manifest.read_text("utf-8"))
        if "endpoint" in about:
            yield Finding("defaults", f"graph {manifest.stem}", "ok", f"at {about['endpoint']}; not asked")
            continue
        file, name = str(about["file"]), f"graph {manifest.stem}"
        described = "/" in file  # and not shipped: it is looked for below the folder with data sets
        path = Path(os.environ.get("KGREASON_DATA", "")) / file if described else manifest.parent / file
        if described and not path.is_file():
            advice = f"Only for experiments on it: get it from {about.get('url', 'its owners')}, and set KGREASON_DATA."
            yield Finding("defaults", name, "absent", f"no {file} below KGREASON_DATA", advice)
        else:
            yield _file("defaults", name, path, str(about["sha256"]))


def _file(part: str, name: str, path: Path, wanted: str) -> Finding:
    from kgreason.tasks.manifest import sha256

    again = "Install kgreason again; the file ships with it."
    if not path.is_file():
        return Finding(part, name, "broken", f"{path} is missing", again)
    if wanted and sha256(path) != wanted:
        return Finding(part, name, "broken", f"{path} is not the file that was shipped: its sha256 differs", again)
    return Finding(part, name, "ok", f"{path.stat().st_size / 1e6:.1f} MB, checksum {'right' if wanted else 'unknown'}")


def _datasets() -> Iterator[Finding]:
    from kgreason.tasks.manifest import Manifest, known_datasets

    away = []
    for path in known_datasets():
        manifest = Manifest.from_toml(path)
        beside = [file for file in manifest.files if (manifest.folder / file.path).is_file()]
        for file in beside:
            yield _file("defaults", f"data set {manifest.name}", manifest.folder / file.path, file.sha256)
        if not beside:
            away.append(manifest)
    named = os.environ.get("KGREASON_DATA", "")
    found = [m.name for m in away if named and all((Path(named) / file.path).is_file() for file in m.files)]
    if found:
        yield Finding("data sets of others", "found", "ok", f"{', '.join(found)} in {named}")
    missing = [manifest.name for manifest in away if manifest.name not in found]
    if missing:
        advice = "kgreason data fetch NAME --out FOLDER, then: export KGREASON_DATA=FOLDER"
        detail = f"{', '.join(missing)}; the demo needs none of them"
        yield Finding("data sets of others", "not found", "absent", detail, advice)


def _wordnet_files() -> Finding:
    folder, part = Path("/usr/share/wordnet"), "data sets of others"
    if (folder / "data.noun").is_file():
        return Finding(part, "WordNet database files", "ok", f"in {folder}")
    advice = "Only to compile the graph again. On Debian or Ubuntu: apt-get install wordnet-base"
    return Finding(part, "WordNet database files", "absent", f"not in {folder}", advice)


def _folders() -> Iterator[Finding]:
    cache = cache_folder()
    near = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    used = sum(file.stat().st_size for file in cache.rglob("*") if file.is_file()) if cache.is_dir() else 0
    if os.access(near, os.W_OK):
        yield Finding("folders", "cache", "ok", f"{cache}, {used / 1e6:,.0f} MB")
    else:
        advice = "Name a folder you may write to: export KGREASON_CACHE=FOLDER"
        yield Finding("folders", "cache", "broken", f"{cache} cannot be written", advice)
    free = shutil.disk_usage(near).free
    advice = "" if free >= _NEEDED_BYTES else "The demo needs about 1 GB; free some space or set KGREASON_CACHE."
    yield Finding("folders", "free disk", "ok" if free >= _NEEDED_BYTES else "absent", f"{free / 1e9:,.1f} GB", advice)


def _machine() -> Iterator[Finding]:
    yield Finding("machine", "system", "ok", f"{platform.platform()}, {os.cpu_count()} logical cores")
    if find_spec("torch") is None:
        return
    import torch

    from kgreason.runtime import has_bfloat16

    fast = "multiplied in hardware" if has_bfloat16("cpu") else "not in hardware (float32 is used)"
    yield Finding("machine", "CPU", "ok", f"{torch.backends.cpu.get_cpu_capability()}, bfloat16 {fast}")
    yield Finding("machine", "threads", "ok", f"{torch.get_num_threads()} for torch")
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    yield Finding("machine", "devices", "ok", ", ".join(["cpu", *names]))

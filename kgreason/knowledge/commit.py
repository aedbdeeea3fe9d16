"""Puts finished columns in place of a store: whole or not at all, whoever is killed, whoever else writes."""

import contextlib
import hashlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from kgreason.errors import StoreError
from kgreason.knowledge.checks import note_checked
from kgreason.knowledge.claims import alone, claimed, owner
from kgreason.knowledge.manifest import MANIFEST, Column, Manifest, read_manifest, write_manifest
from kgreason.whole import beside, write_whole

#: A store up to this many bytes is read through whenever it is opened, which takes some milliseconds.
SMALL = 2**23
#: The broken lines that a build has skipped, one JSON object a line, beside the manifest.
SKIPPED = "skipped.jsonl"
#: The folder for what a build has not finished.
UNFINISHED = ".build"
#: Seconds after which what may be another process's counts as left behind, where nobody can tell.
_STALE = 24 * 3600.0
#: What another process may be writing, under names of its own.
_UNDERWAY = (".columns-", f".{MANIFEST}-", f".{SKIPPED}-", f"{UNFINISHED}-")
_OURS = (*_UNDERWAY, "columns-", UNFINISHED, SKIPPED)


def check_target(folder: Path) -> None:
    """See that a store may be written to a folder.

    Raises:
        StoreError: If something else is there.
    """
    if folder.is_dir() and not (folder / MANIFEST).is_file():
        other = sorted(p.name for p in folder.iterdir() if not p.name.startswith(_OURS))
        if other:
            raise StoreError(
                f"{folder} exists and is not a graph store (it holds '{other[0]}'). Choose another folder."
            )
    elif folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; a graph store is a folder. Choose another name.")


def new_columns(folder: Path) -> contextlib.AbstractContextManager[Path]:
    """Make a temporary folder for the columns of a store, and remove what is left of it."""
    return own_folder(folder, ".columns-")


@contextlib.contextmanager
def own_folder(folder: Path, prefix: str) -> Iterator[Path]:
    """Make a folder in the folder of a store that is this process's alone; remove it in the end, if it is still there.

    What killed processes left behind there is removed first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{prefix}{secrets.token_hex(6)}"  # named first, so that an interrupt can remove it
    with contextlib.ExitStack() as claims:
        try:
            with alone(folder) as sure:  # so that nobody finds it before it is claimed
                _sweep(folder, sure)
                temporary.mkdir()
                claims.enter_context(claimed(temporary))
            yield temporary
        finally:
            try:
                shutil.rmtree(temporary, ignore_errors=True)
            finally:  # an interrupt while cleaning up, too, leaves nothing
                shutil.rmtree(temporary, ignore_errors=True)
            with contextlib.suppress(OSError):
                folder.rmdir()  # empty only if this was its first store and it failed


@final
@dataclass(frozen=True, slots=True)
class Said:
    """What a manifest says besides its columns.

    Args:
        about: Name, origin, licence, version: plain text.
        relation_labels: What relations are called.
        sources: The checksum of each file that the graph was built from.
        skipped: The broken lines that were left out, as JSON lines.
    """

    about: Mapping[str, str]
    relation_labels: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str] = field(default_factory=dict)
    skipped: str = ""


def commit(folder: Path, temporary: Path, table: Mapping[str, Column], said: Said) -> None:
    """Make finished columns the content of a store. Replacing the manifest is the last step, and atomic."""
    digest = hashlib.sha256("".join(f"{name} {c.sha256}\n" for name, c in table.items()).encode()).hexdigest()
    target = folder / f"columns-{digest[:24]}"
    about, called = dict(said.about), dict(said.relation_labels)
    manifest = Manifest(target.name, dict(table), _counts(table), about, called, dict(said.sources))
    with alone(folder) as sure:
        old = _named(folder)
        pending = beside(folder / MANIFEST)
        try:
            write_manifest(pending, manifest)
            (folder / SKIPPED).unlink(missing_ok=True)
            if said.skipped:
                write_whole(folder / SKIPPED, said.skipped.encode())
            _move(temporary, target, table)  # from here on nothing needs space
            pending.replace(folder / MANIFEST)
        finally:
            pending.unlink(missing_ok=True)
        _sweep(folder, sure, old)
    if sum(column.size for column in table.values()) > SMALL:
        note_checked(folder, [folder / MANIFEST, *{target / column.file for column in table.values()}])


def _move(temporary: Path, target: Path, table: Mapping[str, Column]) -> None:
    """Give the finished columns their name; what is there already has the same content, unless it is damaged."""
    try:
        temporary.rename(target)
    except OSError:
        try:
            for column in table.values():
                column.mapped(target)
                column.check(target)
        except (StoreError, FileNotFoundError):
            aside = Path(tempfile.mkdtemp(prefix=".columns-", dir=target.parent))
            target.rename(aside / "damaged")
            temporary.rename(target)
            shutil.rmtree(aside, ignore_errors=True)


def _counts(table: Mapping[str, Column]) -> dict[str, int]:
    return {
        "entities": table["entities.offsets"].length - 1,
        "relations": table["relations.offsets"].length - 1,
        "triples": table["tail"].length,
        "labels": table["labels.offsets"].length - 1,
        "senses": table["labels.entity"].length,
    }


def _named(folder: Path) -> str:
    try:
        return read_manifest(folder).data
    except StoreError:  # none yet, or damaged: it is being replaced
        return ""


def _sweep(folder: Path, sure: bool, old: str = "") -> None:
    """Remove older columns, and what a process that was killed left behind; never what one may be writing now.

    Args:
        folder: Of the store.
        sure: Whether this process is alone in it, so that nobody is between two steps of a commit.
        old: The columns that the store had until now.
    """
    named = _named(folder)
    for path in folder.iterdir():
        columns = path.name.startswith("columns-") and named not in ("", path.name)
        if columns or path.name.startswith(_UNDERWAY):
            with contextlib.suppress(OSError):
                whose = owner(path)
                known = path.name == old or (sure and path.is_file()) or time.time() - path.stat().st_mtime > _STALE
                if whose == "nobody" or (whose == "unknown" and known):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

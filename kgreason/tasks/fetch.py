"""Gets the files of a data set from where its manifest says they are."""

import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from kgreason.errors import DataError, StoreError
from kgreason.tasks.manifest import File, Manifest, sha256
from kgreason.whole import new_file

_TIMEOUT = 30.0


def fetch(manifest: Manifest, out: Path, tell: Callable[[str], None]) -> list[Path]:
    """Get every file of a data set; a file that is there already, with the right checksum, is left alone.

    Args:
        manifest: What to get.
        out: The folder that `KGREASON_DATA` names; files keep their path below it.
        tell: Gets a line per file.

    Returns:
        Where the files are.

    Raises:
        DataError: If a file cannot be fetched or is not the one the manifest describes; what came is not kept.
        StoreError: If it cannot be written.
    """
    if not manifest.files:
        raise DataError(
            f"The manifest of '{manifest.name}' names no files to fetch. See {manifest.url or 'its origin'}."
        )
    tell(f"{manifest.title or manifest.name}. Licence: {manifest.licence or 'not stated'}.")
    missing = []
    for file in manifest.files:
        target = out / file.path
        if target.is_file() and file.sha256 and sha256(target) == file.sha256:
            tell(f"{target} is there already")
        elif not file.url:
            missing.append(file.path)
        else:
            _get(manifest, file, target)
            tell(f"{target} fetched")
    if missing:
        raise DataError(
            f"'{manifest.name}': {', '.join(missing)} cannot be fetched file by file. "
            f"Get it from {manifest.url or 'its owners'} and put it below {out}."
        )
    return [out / file.path for file in manifest.files]


def _get(manifest: Manifest, file: File, target: Path) -> None:
    try:
        with new_file(target) as to:
            partial = Path(to.name)
            _download(file, partial)
            found = sha256(partial)
            if file.sha256 and found != file.sha256:
                raise DataError(
                    f"{file.url} gave a file with the sha256 {found}, the manifest of '{manifest.name}' says "
                    f"{file.sha256}. It was changed since; nothing was kept. See {manifest.url}."
                )
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(
            f"{file.url} could not be fetched: {reason}. Without a network, copy the file to {target} by hand."
        ) from error
    except OSError as error:
        raise StoreError(f"{target} could not be written: {error.strerror or error}. Name another --out.") from error


def _download(file: File, partial: Path) -> None:
    """Write the file, or the member of the archive, that a URL gives."""
    if not file.url.startswith(("https://", "http://")):
        raise DataError(f"{file.url} is no http address; a manifest may not name files of this machine.")
    with urllib.request.urlopen(file.url, timeout=_TIMEOUT) as answer, partial.open("wb") as to:
        shutil.copyfileobj(answer, to)
    if not file.member:
        return
    try:
        with zipfile.ZipFile(partial) as archive, archive.open(file.member) as member:
            content = member.read()
    except (zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{file.url} is no zip archive that holds {file.member}: {error}") from error
    partial.write_bytes(content)

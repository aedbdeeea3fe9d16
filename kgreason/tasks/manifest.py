"""Reads a file of datasets/: where a data set comes from, its licence, its files and their checksums, its splits."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from kgreason.errors import DataError, near
from kgreason.places import data_folder, shipped
from kgreason.tasks.rows import FORMS, form_of

#: What a column may be called in a file that has no manifest.
USUAL_COLUMNS = {
    "uid": ("uid", "id", "pairID"),
    "premise": ("premise", "sentence1"),
    "hypothesis": ("hypothesis", "sentence2"),
    "label": ("label", "gold_label"),
    "question": ("question",),
    "choices": ("choices",),
    "answer": ("answer", "answerKey"),
    "category": ("category",),
    "seeds": ("seeds",),
    "answers": ("answers",),
    "hops": ("hops",),
    "type": ("type",),
    "path": ("path",),
    "story": ("story",),
    "facts": ("facts",),
    "query": ("query",),
    "relation": ("relation",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a data set.

    Args:
        path: Below the folder of the manifest, or below `KGREASON_DATA`.
        sha256: Of its bytes.
        url: Where `kgreason data fetch` gets it; empty if it cannot be fetched file by file.
        member: The file's path inside, if `url` is a zip archive.
    """

    path: str
    sha256: str = ""
    url: str = ""
    member: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A data set, described. Written as `datasets/<name>.toml`.

    Args:
        name: What experiment files call it: `snli` in `snli:dev`.
        title: One line.
        task: The task its rows are of: `nli`, `choice`, `kgqa`, `relation`; empty for data of another kind (treebanks).
        origin: Who made it, and the paper.
        url: Its page.
        licence: As its owners state it.
        note: What a user must know before citing a number.
        form: See `read_rows`.
        columns: Our name to the field in the file; a dot goes into an object (`question.stem`).
        labels: Label as written to our label; `""` leaves the row out.
        paths: Question type to the relations that lead from its seeds to its answers; `^relation` goes from tail to
            head. What the ceiling of a question over a graph is computed from.
        files: All files with checksums.
        splits: Split to its files: `{file = PATH}`, or `{premise = PATH, …}` for `form = "lines"`; a number is a field
            that all rows share (`hops = 2`), `member` a file in an archive; besides, filters: `listed` or `unlisted`
            names a file of uids to keep or to leave out, `without` lists splits whose pairs are left out.
        folder: Where the manifest stands.
    """

    name: str
    title: str = ""
    task: str = ""
    origin: str = ""
    url: str = ""
    licence: str = ""
    note: str = ""
    form: str = "jsonl"
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    splits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folder: Path = Path()

    @classmethod
    def from_toml(cls, path: Path) -> "Manifest":
        """Read a manifest.

        Raises:
            DataError: If it is not TOML, has a key that does not exist, or lacks one that is needed.
        """
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is not valid TOML: {error}") from error
        known = [key for key in cls.__dataclass_fields__ if key != "folder"]
        for key in tables:
            if key not in known:
                raise DataError(f"{path}: there is no key '{key}'.{near(key, known)} Keys: {', '.join(known)}.")
        if tables.get("form", "jsonl") not in FORMS:
            raise DataError(f"{path}: form = '{tables['form']}' is not known. Known: {', '.join(FORMS)}.")
        tables["files"] = tuple(_file(path, table) for table in tables.get("files", ()))
        return cls(**({"name": path.stem} | tables), folder=path.parent)

    def locate(self, path: str) -> Path:
        """Return where a file of this data set is: beside the manifest, else below `KGREASON_DATA`.

        Raises:
            DataError: If it is in neither place.
        """
        beside = self.folder / path
        if beside.is_file():
            return beside
        below = data_folder() / path
        if not below.is_file():
            fetch = f"kgreason data fetch {self.name} --out {data_folder()}"
            raise DataError(f"The data set '{self.name}' lacks the file {path}. Get it with: {fetch}")
        return below

    def checksum(self, path: str) -> str:
        """Return the sha256 of a file of this data set, after comparing it with the manifest's.

        Raises:
            DataError: If they differ: a number from other data must not pass for a number from this.
        """
        where = self.locate(path)
        found = sha256(where)
        wanted = next((file.sha256 for file in self.files if file.path == path), "")
        if wanted and found != wanted:
            raise DataError(
                f"{where} has the sha256 {found}, the manifest of '{self.name}' says {wanted}. "
                f"The file was changed or is another version; get it again with: kgreason data fetch {self.name}"
            )
        return found


def sha256(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_datasets() -> list[Path]:
    """Return the manifests that ship with kgreason, by name."""
    return sorted(shipped("datasets").glob("*.toml"))


def open_manifest(name: str) -> Manifest:
    """Return the manifest called `name`, or the one at a path, or one made up for a bare data file.

    Args:
        name: The name of a file of `datasets/`, a path to a `.toml`, or a path to a `.jsonl`, `.tsv` or `.csv` file
            with the usual columns (`premise`, `hypothesis`, `label`; `question`, `choices`, `answer`; `question`,
            `seeds`, `answers`; `story` or `facts`, `query`, `relation`).

    Raises:
        DataError: If there is none.
    """
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return Manifest.from_toml(path)
    if path.is_file():
        splits = {"all": {"file": path.name}}
        return Manifest(name=name, form=form_of(path), splits=splits, folder=path.parent)
    known = {p.stem: p for p in known_datasets()}
    if name in known:
        return Manifest.from_toml(known[name])
    if path.suffix or len(path.parts) > 1:
        raise DataError(f"{name}: there is no such file (looked from {Path.cwd()}).")
    raise DataError(f"There is no data set '{name}'.{near(name, known)} Known: {', '.join(known) or 'none'}.")


def _file(path: Path, table: Mapping[str, str]) -> File:
    known = list(File.__dataclass_fields__)
    for key in table:
        if key not in known:
            raise DataError(f"{path}: a file has the key '{key}'.{near(key, known)} Keys: {', '.join(known)}.")
    if "path" not in table:
        raise DataError(f"{path}: a table in [[files]] has no 'path'.")
    return File(**table)

"""Draws a split of a data set as examples, and cuts a held-out part that shares no text with the rest."""

import difflib
import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kgreason.data import Example
from kgreason.errors import DataError
from kgreason.tasks.manifest import USUAL_COLUMNS, Manifest, open_manifest
from kgreason.tasks.rows import Row, read_rows
from kgreason.tasks.text import same_words

#: Keys of a split's table that are no files of rows.
_FILTERS = ("listed", "unlisted", "without", "member")
#: Fields by which results are broken down, each in its own way.
KINDS = ("category", "hops", "type")

ToExample = Callable[[str, Mapping[str, Any]], Example]
"""A task's way from `(uid, fields)` to an example; raises `DataError` without saying where."""


@dataclass(frozen=True, slots=True)
class Split:
    """Examples of one split, with what is known of them besides.

    Args:
        name: `dataset:split`, or the names of several joined by `+`.
        examples: In the order of the file.
        category: `Example.uid` to what results are broken down by, where the data set says: of `KINDS` (the phenomenon
            it tests, how many hops its answer is away, the type of question), the value of each that it has.
        checksum: File to sha256.
        path: `Example.uid` to the relations that lead from its seeds to its answers, where the data set says;
            `^relation` goes from tail to head.
    """

    name: str
    examples: tuple[Example, ...]
    category: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    checksum: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.examples)

    def keep(self, wanted: Callable[[Example], bool]) -> "Split":
        """Return the split with only the examples that `wanted` says yes to."""
        return replace(self, examples=tuple(e for e in self.examples if wanted(e)))

    def sample(self, limit: int) -> "Split":
        """Return `limit` examples drawn by the hash of their uid (always the same ones), in their order; 0: all."""
        if not limit or limit >= len(self.examples):
            return self
        drawn = sorted(self.examples, key=lambda e: _hash(e.uid))[:limit]
        uids = {e.uid for e in drawn}
        return self.keep(lambda e: e.uid in uids)


def read_split(spec: str, to_example: ToExample) -> Split:
    """Read a split.

    Args:
        spec: `dataset:split` (`snli:dev`), `path/to/manifest.toml:split`, or a path to a data file.
        to_example: The task's way from fields to an example.

    Raises:
        DataError: If the data set, the split or a file is missing, or a line is broken (named by file and number).
    """
    manifest, name = _find(spec)
    table = manifest.splits[name]
    paths = {key: value for key, value in table.items() if key not in _FILTERS and isinstance(value, str)}
    shared = {key: value for key, value in table.items() if isinstance(value, int)}
    files = {key: manifest.locate(value) / str(table.get("member", "")) for key, value in paths.items()}
    wanted = _by_uid(manifest, table)
    found: dict[str, Example] = {}
    category, path = {}, {}
    known: dict[Hashable, Any] = {}  # tens of thousands of questions have a handful of types and paths
    for row in read_rows(manifest.form, files):
        fields = _named(manifest, row, shared)
        if fields is None or not wanted(str(fields.get("uid"))):
            continue
        uid = f"{spec}:{fields.get('uid') or row.number}"
        example = _example(row, uid, fields, to_example)
        if uid in found:
            raise DataError(f"{row.place}: the uid '{fields['uid']}' stands in the file twice.")
        found[uid] = example
        if kinds := {kind: str(fields[kind]) for kind in KINDS if fields.get(kind)}:
            category[uid] = known.setdefault(tuple(kinds.items()), kinds)
        if relations := fields.get("path") or manifest.paths.get(str(fields.get("type"))):
            steps = _relations(row, relations)
            path[uid] = known.setdefault(steps, steps)
    named = [*paths.values(), *(table[key] for key in ("listed", "unlisted") if key in table)]
    checksum = {file: manifest.checksum(file) for file in named}
    split = Split(spec, tuple(found.values()), category, checksum, path)
    for other in table.get("without", ()):
        split = without_copies(split, read_split(other, to_example).examples)
    if not split.examples:
        raise DataError(f"The split '{spec}' holds no examples (files: {', '.join(map(str, files.values()))}).")
    return split


def row_fields(spec: str, field: str) -> dict[str, Any]:
    """Return a field of every row of a split as it stands in the file, by the uid that `read_split` gives the row.

    Args:
        spec: As for `read_split`.
        field: A column of the file; a dot goes into an object.

    Raises:
        DataError: If the data set is missing, or a row lacks the field.
    """
    manifest, name = _find(spec)
    table = manifest.splits[name]
    paths = {key: value for key, value in table.items() if key not in _FILTERS and isinstance(value, str)}
    files = {key: manifest.locate(value) / str(table.get("member", "")) for key, value in paths.items()}
    found = {}
    for row in read_rows(manifest.form, files):
        fields = _named(manifest, row, {})
        if fields is not None:
            found[f"{spec}:{fields.get('uid') or row.number}"] = _dig(row, field)
    return found


def join(splits: Sequence[Split]) -> Split:
    """Return several splits as one, in their order."""
    return Split(
        "+".join(s.name for s in splits),
        tuple(e for s in splits for e in s.examples),
        {uid: c for s in splits for uid, c in s.category.items()},
        {path: c for s in splits for path, c in s.checksum.items()},
        {uid: p for s in splits for uid, p in s.path.items()},
    )


def hold_out(split: Split, share: float) -> tuple[Split, Split]:
    """Cut a split in two; examples with the same first text (premise, question) stay together.

    An example is held out if the hash of its first text, read as a number in [0, 1), is below `share`: the cut does
    not depend on the order of the examples or on which others there are.

    Returns:
        The larger part and the held-out part.
    """
    first = {e.uid: int(_hash(same_words(e.texts[0]))[:13], 16) / 16**13 for e in split.examples}
    return split.keep(lambda e: first[e.uid] >= share), split.keep(lambda e: first[e.uid] < share)


def without_copies(split: Split, others: Iterable[Example]) -> Split:
    """Leave out every example whose texts, but for case, blanks and punctuation, are those of an example in `others`.

    Training on a pair that is in the test set makes the test a test of memory.
    """
    known = {_texts(e) for e in others}
    return split.keep(lambda e: _texts(e) not in known)


def _texts(example: Example) -> tuple[str, ...]:
    return tuple(map(same_words, example.texts))


def _find(spec: str) -> tuple[Manifest, str]:
    name, colon, split = spec.rpartition(":")
    if colon and "/" not in split and "\\" not in split:
        manifest = open_manifest(name)
    else:
        manifest, split = open_manifest(spec), ""
    splits = list(manifest.splits)
    if not split and len(splits) == 1:
        return manifest, splits[0]
    if split not in splits:
        near = difflib.get_close_matches(split, splits, n=1)
        hint = f" Did you mean '{name}:{near[0]}'?" if near else ""
        raise DataError(
            f"'{spec}' names no split of the data set '{manifest.name}'.{hint} Splits: {', '.join(splits) or 'none'}."
        )
    return manifest, split


def _example(row: Row, uid: str, fields: Mapping[str, Any], to_example: ToExample) -> Example:
    try:
        return to_example(uid, fields)
    except DataError as error:
        raise DataError(f"{row.place}: {error}") from error


def _relations(row: Row, given: object) -> tuple[str, ...]:
    steps = given.split() if isinstance(given, str) else given
    if not isinstance(steps, Sequence) or not all(isinstance(step, str) and step for step in steps):
        raise DataError(f"{row.place}: the path {given!r} is no list of relations.")
    return tuple(steps)


def _named(manifest: Manifest, row: Row, shared: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row's fields under our names; None if its label says to leave it out."""
    fields = dict(shared)
    for ours, usual in USUAL_COLUMNS.items():
        if ours in manifest.columns:
            fields[ours] = _dig(row, manifest.columns[ours])
        else:
            found = [name for name in usual if name in row.fields]
            fields |= {ours: row.fields[found[0]]} if found else {}
    label = fields.get("label")
    if isinstance(label, str) and label.strip() in manifest.labels:
        fields["label"] = manifest.labels[label.strip()]
        if not fields["label"]:
            return None
    return fields


def _dig(row: Row, path: str) -> Any:
    value: Any = row.fields
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise DataError(f"{row.place} has no field '{path}'. It has: {', '.join(row.fields)}.")
        value = value[part]
    return value


def _by_uid(manifest: Manifest, table: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return whether a row is wanted, by the lists of uids that the split names."""
    lists = {key: set(_words(manifest.locate(table[key]))) for key in ("listed", "unlisted") if key in table}
    return lambda uid: uid in lists.get("listed", {uid}) and uid not in lists.get("unlisted", ())


def _words(path: Path) -> list[str]:
    return path.read_text("utf-8").split()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Texts to tensors, once: parsed, grounded and tokenised examples, kept in the cache under what they are made of."""

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgreason.collate import Prepared
from kgreason.data import Example, KnowledgeGraph
from kgreason.errors import StoreError
from kgreason.experiment.columns import COLUMNS, Columns
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.parsed import CHUNK, parse_once
from kgreason.experiment.reading import identity
from kgreason.experiment.record import code_hash
from kgreason.places import cache_folder, shipped
from kgreason.tasks import Split, Splits
from kgreason.tasks.manifest import sha256
from kgreason.whole import new_file

if TYPE_CHECKING:
    from kgreason.experiment.build import Front

#: Called with the work (`"parse train"`), how much is done, and how much there is.
Step = Callable[[str, int, int], None]
#: Folders of the package that what is prepared depends on; and on the tables of words that ship with the graphs.
MADE_BY = ("data", "parse", "ground", "collate")


def prepare(front: "Front", config: ExperimentConfig, split: Split, what: str, step: Step) -> Sequence[Prepared]:
    """Parse, ground and tokenise a split, or take it from the cache.

    Args:
        front: The rooms that do it.
        config: Where they come from; part of the cache's key.
        split: The examples.
        what: What to call it in progress (`train`).
        step: Is told of progress.

    Raises:
        DataError: If an example cannot be prepared.
    """
    if not split.examples:  # a reasoner that is not trained has nothing to fit on
        return []
    path = _place(front, config, split)
    with contextlib.suppress(StoreError):
        found = load(path, split.examples)
        step(f"prepare {what} (from the cache)", len(found), len(found))
        return found
    parts: list[Columns] = []
    for start in range(0, len(split), CHUNK):
        part = split.examples[start : start + CHUNK]
        graphs = front.ground(parse_once(front.parse, config.parse, part), front.knowledge)
        parts.append(Columns.of(front.collate.prepare(part, graphs)))
        step(f"prepare {what}", start + len(part), len(split))
    out = Columns.joined(parts)
    with contextlib.suppress(StoreError):  # a full or read-only cache costs time, not results
        save(path, out)
    return out


def is_prepared(front: "Front", config: ExperimentConfig, split: Split) -> bool:
    """Return whether a split stands in the cache."""
    return not split.examples or _place(front, config, split).is_file()


def save(path: Path, prepared: Columns) -> None:
    """Write prepared examples to one file, at once: all rows of a column end to end, and how many each example has.

    Raises:
        StoreError: If it cannot be written.
    """
    try:
        with new_file(path) as file:
            np.savez(file, **prepared.arrays())  # type: ignore[arg-type]
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror or error}.") from error


def load(path: Path, examples: Sequence[Example]) -> Columns:
    """Read what `save` wrote.

    Raises:
        StoreError: If the file is missing or damaged, or is of other examples.
    """
    try:
        # opened here: of a damaged file numpy would leave its own handle open
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        if arrays["uid"].tolist() != [e.uid for e in examples]:
            raise StoreError(f"{path} holds other examples.")
        return Columns([e.uid for e in examples], arrays, {name: arrays[f"{name}.count"] for name in COLUMNS})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error


def graph_checksum(knowledge: KnowledgeGraph) -> str:
    """Return a hash of a graph: its names, its triples and what its entities are called."""
    digest = hashlib.sha256()
    labels = knowledge.labels
    for array in (knowledge.head_ptr, knowledge.relation, knowledge.tail, labels.ptr, labels.entity, labels.score):
        digest.update(np.ascontiguousarray(array).data)
    digest.update("\n".join(knowledge.relations).encode("utf-8", "surrogatepass"))
    sample = range(0, len(knowledge.entities), max(1, len(knowledge.entities) // 1000))
    digest.update("\n".join(knowledge.entities[i] for i in sample).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def word_checksums() -> dict[str, str]:
    """Return the sha256 of every table of words that ships with the graphs, by its name."""
    return {path.name: sha256(path) for path in sorted(shipped("graphs").glob("*.tsv"))}


def data_checksums(splits: Iterable[Split]) -> dict[str, str]:
    """Return the sha256 of every file that some splits were read from."""
    return {path: checksum for split in splits for path, checksum in split.checksum.items()}


def checksums_of(front: "Front", splits: Splits) -> dict[str, str]:
    """Return the hashes of all that a run reads: `knowledge`, the graph; and every file of its data by its name."""
    graph = {"knowledge": graph_checksum(front.knowledge)}
    return graph | data_checksums([splits.train, splits.dev, *splits.test.values()])


def sizes_of(splits: Splits) -> dict[str, int]:
    """Return how many examples each split has: `train`, `dev`, `test.<name>`."""
    tests = {f"test.{name}": len(split) for name, split in splits.test.items()}
    return {"train": len(splits.train), "dev": len(splits.dev)} | tests


def _place(front: "Front", config: ExperimentConfig, split: Split) -> Path:
    return cache_folder() / "prepared" / f"{_key(front, config, split)}.npz"


def _key(front: "Front", config: ExperimentConfig, split: Split) -> str:
    tables = config.as_tables()
    language = tables["encode"].get("language", {})
    made_of: dict[str, Any] = {room: tables[room] for room in ("parse", "ground", "collate")}
    made_of |= {"model": language.get("model", "") if isinstance(language, Mapping) else language}
    made_of |= {"graph": graph_checksum(front.knowledge), "labels": front.task.labels, "code": code_hash(MADE_BY)}
    made_of |= {"learned": identity(front.ground)} if identity(front.ground) else {}
    made_of |= {"words": word_checksums()}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode())
    for e in split.examples:
        target = sorted(e.target) if isinstance(e.target, frozenset) else e.target
        digest.update(json.dumps([e.uid, e.texts, e.roles, target, e.seeds, e.mentions]).encode())
    return digest.hexdigest()[:32]

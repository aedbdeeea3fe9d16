"""A graph as one small file, to be shipped: an `.npz` that numpy opens, with LZMA inside instead of deflate."""

import io
import json
import zipfile
from pathlib import Path
from typing import final

import numpy as np
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import StoreError
from kgreason.knowledge.store import columns_of
from kgreason.knowledge.strings import StringTable, offsets_of
from kgreason.knowledge.writing import writing
from kgreason.whole import write_whole


def pack(graph: KnowledgeGraph, path: Path | str) -> Path:
    """Write a graph into one file; the same graph gives the same bytes (with the same version of liblzma).

    Only what cannot be computed again is kept: triples by head, and lengths instead of offsets.

    Raises:
        StoreError: If the file cannot be written.
    """
    path, columns = Path(path), columns_of(graph)
    kept = {f"{part}_blob": columns[f"{part}.blob"] for part in ("entities", "relations", "labels")}
    kept |= {f"{part}_order": columns[f"{part}.order"] for part in ("entities", "relations", "labels")}
    kept |= {
        f"{part}_length": _small(np.diff(columns[f"{part}.offsets"])) for part in ("entities", "relations", "labels")
    }
    kept |= {
        "degree": _small(np.diff(graph.head_ptr)),
        "relation": _small(graph.relation),
        "tail": graph.tail,
        "senses": _small(np.diff(graph.labels.ptr)),
        "sense_entity": graph.labels.entity,
        "sense_score": graph.labels.score,
        "preferred": graph.labels.preferred,
        "pos": graph.labels.pos,
        "about": np.array([f"{key}\n{value}" for key, value in sorted(graph.about.items())], np.str_),
    }
    if graph.relation_labels:  # a file without them has the bytes it always had
        kept["relation_labels"] = np.array([json.dumps(dict(graph.relation_labels), sort_keys=True)], np.str_)
    with writing(path):
        write_whole(path, _zipped(kept))
    return path


def _small(numbers: ndarray) -> ndarray:
    """Return the same numbers in the smallest unsigned type that holds them."""
    return np.asarray(numbers).astype(np.min_scalar_type(int(numbers.max()) if len(numbers) else 0))


def _zipped(columns: dict[str, ndarray]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_LZMA) as archive:
        for name, column in columns.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(column), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue(), zipfile.ZIP_LZMA)
    return whole.getvalue()


@final
class PackedSource:
    """Reads a graph that `pack` wrote.

    Args:
        path: The `.npz` file.

    Raises:
        StoreError: If the file is missing, damaged or something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __call__(self) -> KnowledgeGraph:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror or error}.") from None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return _graph({name: file[name] for name in file.files})
        except Exception as error:  # a damaged archive fails in as many ways as it has parts
            raise StoreError(f"{self.path} is not a packed graph, or is damaged: {error}. Get it again.") from None


def _graph(columns: dict[str, ndarray]) -> KnowledgeGraph:
    entities, names = _table(columns, "entities"), _table(columns, "labels")
    degree = columns["degree"].astype(np.int64)
    triples, senses = len(columns["tail"]), len(columns["sense_entity"])
    if len(degree) != len(entities) or degree.sum() != triples or len(columns["relation"]) != triples:
        raise ValueError("its triples do not fit")
    if columns["senses"].sum() != senses or len(columns["sense_score"]) != senses:
        raise ValueError("its senses do not fit")
    heads = np.repeat(np.arange(len(degree), dtype=np.int32), degree)
    rows = np.stack([heads, columns["relation"].astype(np.int32), columns["tail"]], axis=1)
    labels = Labels(
        names=names,
        ptr=offsets_of(columns["senses"].astype(np.int64)),
        entity=columns["sense_entity"],
        score=columns["sense_score"],
        preferred=columns["preferred"],
        pos=columns["pos"],
    )
    about = dict(line.split("\n", 1) for line in columns["about"].tolist())
    called = json.loads(columns["relation_labels"].item()) if "relation_labels" in columns else {}
    return KnowledgeGraph.from_ids(entities, Vocab(_table(columns, "relations")), rows, labels, about, called)


def _table(columns: dict[str, ndarray], part: str) -> StringTable:
    offsets = offsets_of(columns[f"{part}_length"].astype(np.int64))
    if offsets[-1] != len(columns[f"{part}_blob"]):
        raise ValueError(f"the names of its {part} do not fit")
    return StringTable(columns[f"{part}_blob"], offsets, columns[f"{part}_order"])

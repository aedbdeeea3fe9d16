"""Triples in columns: TSV, CSV and JSON lines."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, final, get_args

import numpy as np
from jaxtyping import Int32, Integer
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.files import Paths, ending_of, paths_of
from kgreason.knowledge.labels import build_labels, own_labels, table_of
from kgreason.knowledge.rows import Row, read_rows
from kgreason.knowledge.strings import StringTable

if TYPE_CHECKING:
    import polars as pl

Form: TypeAlias = Literal["ending", "tsv", "csv", "jsonl"]
TRIPLE_FORMS = ("tsv", "csv", "jsonl")
_ENDINGS = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@final
class TriplesSource:
    """Reads one triple a line, at about a million lines a second; no Python object is made for a line.

    Names are taken as they stand. Empty lines are skipped, repeated triples are kept once, and the order of the lines
    does not matter. Every entity is labelled by its name, with spaces for underscores, or by what `names` says.

    Args:
        path: The file, or several; `.gz` is unpacked on the way.
        head: Which column holds the head: its number from 1, or its name in the first line. In JSON lines, a name is a
            key, and the numbers 1, 2, 3 stand for the keys `head`, `relation`, `tail` (or for places in a list).
        relation: Which column holds the relation.
        tail: Which column holds the tail.
        form: `tsv` (nothing is quoted), `csv` (with double quotes), `jsonl`, or what the file's `ending` says.
        names: A TSV file of entity (or relation) and label, one a line; the first label is the one that is shown.
            Lines about names that are in no triple are skipped. Empty: there is none.

    Raises:
        ConfigError: If the columns are partly numbers and partly names, or the form is unknown.
        DataError: If a line is broken; the message has its number.
    """

    def __init__(
        self,
        path: Paths,
        *,
        head: int | str = 1,
        relation: int | str = 2,
        tail: int | str = 3,
        form: Form = "ending",
        names: str | Path = "",
    ) -> None:
        self.path, self.form, self.names = path, form, names
        self.columns = (head, relation, tail)
        if form not in get_args(Form):
            raise ConfigError(f"[knowledge] form = '{form}' is not known. Known: {', '.join(get_args(Form))}.")
        if len({type(column) for column in self.columns}) > 1 or any(column in (0, "") for column in self.columns):
            raise ConfigError(
                f"[knowledge] head, relation, tail = {self.columns}: give three column numbers, counted from 1, "
                "or three column names."
            )

    def __call__(self) -> KnowledgeGraph:
        import polars as pl

        row = Row(("head", "relation", "tail"), self.columns)
        paths = paths_of(self.path)
        parts = [read_rows(path, _form(path, self.form), row) for path in paths]
        rows = pl.concat(parts) if len(parts) > 1 else parts[0]
        if not len(rows):
            raise DataError(f"{paths[0]} holds no triple; a graph needs at least one.")
        both, ids = number_names(pl.concat([rows["head"], rows["tail"]]))
        relations, kinds = number_names(rows["relation"])
        triples = np.stack([ids[: len(rows)], kinds, ids[len(rows) :]], axis=1)
        labels = self._labels(both, table_of(both))
        about = {"source": " ".join(path.name for path in paths)}
        kinds_of = Vocab(relations.to_list())
        return KnowledgeGraph.from_ids(table_of(both), kinds_of, triples, labels, about, self._called(relations))

    def _labels(self, entities: "pl.Series", table: StringTable) -> Labels:
        import polars as pl

        spaced = entities.str.replace_all("_", " ", literal=True)
        if not self.names and spaced.equals(entities):
            return own_labels(table)
        ids = pl.Series("entity", np.arange(len(entities), dtype=np.int32))
        labels = pl.DataFrame({"label": spaced, "entity": ids})
        if self.names:
            said = read_rows(paths_of(self.names)[0], "tsv", Row(("name", "label"), (1, 2)))
            known = said.join(pl.DataFrame({"name": entities, "entity": ids}), on="name", maintain_order="left")
            labels = pl.concat([known.select("label", "entity"), labels])
        none = np.full(len(entities), -1, np.int8)
        return build_labels(labels["label"], labels["entity"].to_numpy(), np.ones(len(labels)), none)

    def _called(self, relations: "pl.Series") -> dict[str, list[str]]:
        """Return what `names` says relations are called."""
        if not self.names:
            return {}
        said = read_rows(paths_of(self.names)[0], "tsv", Row(("name", "label"), (1, 2)))
        called: dict[str, list[str]] = {}
        for name, label in said.filter(said["name"].is_in(relations.implode())).unique(maintain_order=True).rows():
            called.setdefault(name, []).append(" ".join(label.split()))
        return called


def number_names(names: "pl.Series") -> tuple["pl.Series", Int32[ndarray, " names"]]:
    """Return the distinct names in the order of their bytes, and for each name its place among them."""
    import polars as pl

    codes: Integer[ndarray, " names"] = names.cast(pl.Categorical).to_physical().to_numpy()
    first = np.full(int(codes.max()) + 1, -1, np.int64)  # where each code was last seen; any place will do
    first[codes] = np.arange(len(codes))
    present = np.flatnonzero(first >= 0)
    distinct = names.gather(first[present])
    order = distinct.arg_sort().to_numpy()
    place = np.empty(len(first), np.int32)
    place[present[order]] = np.arange(len(order), dtype=np.int32)
    return distinct.gather(order), place[codes]


def _form(path: Path, form: Form) -> Literal["tsv", "csv", "jsonl"]:
    if form != "ending":
        return form
    found = _ENDINGS.get(ending_of(path), "")
    if found not in ("tsv", "csv", "jsonl"):
        raise ConfigError(
            f"{path}: the ending '{ending_of(path)}' names no form of triples. Say form = tsv, csv or jsonl."
        )
    return found  # type: ignore[return-value]

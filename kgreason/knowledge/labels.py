"""Builds the table of labels of a large graph, column by column."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int8, Int32, Int64
from numpy import ndarray

from kgreason.data.knowledge import Labels
from kgreason.knowledge.strings import StringTable, offsets_of

if TYPE_CHECKING:
    import polars as pl


def build_labels(
    names: "pl.Series",
    entity: Int32[ndarray, " rows"],
    weight: Float64[ndarray, " rows"],
    pos: Int8[ndarray, " entities"],
) -> Labels:
    r"""Build labels from rows "this name may mean this entity".

    The score of entity $e$ under name $n$ is its share of the name's weight, $w_{ne} / \sum_{e'} w_{ne'}$.

    Args:
        names: A name in each row. Rows with a name of nothing but blanks are left out; a repeated row counts once.
        entity: The entity it may mean. The first row of an entity has the name by which it is shown.
        weight: How much speaks for this meaning, above 0.
        pos: The part of speech of each entity, or -1.
    """
    import polars as pl

    rows = pl.DataFrame({"name": names, "entity": entity, "weight": weight}).with_row_index("row")
    rows = rows.filter(pl.col("name").str.strip_chars() != "")
    rows = rows.unique(["name", "entity"], keep="first", maintain_order=True)
    table, rows = _ranked(rows)
    rows = rows.sort(["label", "weight", "entity"], descending=[False, True, False])
    first = rows.group_by("entity").agg(pl.col("label").sort_by("row").first())
    preferred = np.full(len(pos), -1, np.int32)
    preferred[first["entity"].to_numpy()] = first["label"].to_numpy()
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    total = np.bincount(label, weight, minlength=len(table))
    return Labels(
        names=table,
        ptr=offsets_of(np.bincount(label, minlength=len(table)).astype(np.int64)),
        entity=rows["entity"].to_numpy().astype(np.int32),
        score=(weight / total[label]).astype(np.float32),
        preferred=preferred,
        pos=pos,
    )


def own_labels(entities: StringTable) -> Labels:
    """Label every entity by its own name alone; nothing is copied. The table must stand in the order of its names."""
    ids: Int32[ndarray, " entities"] = np.arange(len(entities), dtype=np.int32)
    ptr: Int64[ndarray, " offsets"] = np.arange(len(entities) + 1, dtype=np.int64)
    return Labels(entities, ptr, ids, np.ones(len(ids), np.float32), ids, np.full(len(ids), -1, np.int8))


def _ranked(rows: "pl.DataFrame") -> tuple[StringTable, "pl.DataFrame"]:
    """Return the distinct names in the order of their bytes, and the rows with the id of their name."""
    import polars as pl

    distinct = (
        rows.select(pl.col("name").unique()).sort("name").with_columns(label=pl.int_range(pl.len(), dtype=pl.Int32))
    )
    return table_of(distinct["name"]), rows.join(distinct, on="name", how="left")


def table_of(names: "pl.Series") -> StringTable:
    """Write distinct names, already in the order of their bytes, into a table."""
    blob = np.frombuffer(names.str.join("").item().encode(), np.uint8)
    return StringTable(blob, offsets_of(names.str.len_bytes().to_numpy().astype(np.int64)), np.zeros(0, np.int32))

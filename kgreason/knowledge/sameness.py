"""Makes one entity of several that are said to be the same."""

from dataclasses import replace
from typing import no_type_check

import numpy as np
from jaxtyping import Int32, Int64
from numba import njit
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.knowledge.labels import build_labels


def join_same(graph: KnowledgeGraph, pairs: Int32[ndarray, "pairs 2"], same: int) -> KnowledgeGraph:
    """Return the graph with one entity for all that are the same, of the first name, with the labels of all.

    Args:
        graph: The graph.
        pairs: Entities that are the same.
        same: The relation that says so; its triples fall away.
    """
    one_of = _together(pairs.astype(np.int64), np.arange(len(graph.entities), dtype=np.int64))
    kept = np.unique(one_of)
    number = np.searchsorted(kept, one_of).astype(np.int32)
    rows = graph.triples
    rows = np.stack([number[rows[:, 0]], rows[:, 1], number[rows[:, 2]]], axis=1).astype(np.int32)
    rows = rows[~((rows[:, 1] == same) & (rows[:, 0] == rows[:, 2]))]
    names = [graph.entities[i] for i in kept.tolist()]
    used = np.bincount(rows[:, 1], minlength=len(graph.relations)) > 0
    relations = [name for name, there in zip(graph.relations, used, strict=True) if there]
    rows[:, 1] = (np.cumsum(used) - 1)[rows[:, 1]]
    labels = _labels(graph, number, kept)
    made = KnowledgeGraph.from_ids(Vocab(names), Vocab(relations), rows, labels, graph.about, graph.relation_labels)
    return replace(made, rules=graph.rules)


@no_type_check
@njit(cache=True)
def _together(pairs, parent):
    """Return the smallest number that each one is joined with, over any chain of pairs."""
    for k in range(len(pairs)):
        a, b = pairs[k, 0], pairs[k, 1]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    for i in range(len(parent)):
        parent[i] = parent[parent[i]]
    return parent


def _labels(graph: KnowledgeGraph, number: Int32[ndarray, " entities"], kept: Int64[ndarray, " kept"]) -> Labels:
    import polars as pl

    labels = graph.labels
    of = np.repeat(np.arange(len(labels.names)), np.diff(labels.ptr))
    entity = np.asarray(labels.entity)
    # What the entity that is kept was shown by comes first, then what the others were shown by.
    shown = np.asarray(labels.preferred)[entity] == of
    own = kept[number[entity]] == entity
    order = np.lexsort((of, ~own, ~shown))
    texts = pl.Series([labels.names[i] for i in of[order].tolist()], dtype=pl.String)
    weight = np.asarray(labels.score, np.float64)[order]
    given = np.zeros(len(kept) if len(labels.given) else 0, np.uint8)
    if len(given):
        np.maximum.at(given, number, np.asarray(labels.given))
    return replace(build_labels(texts, number[entity[order]], weight, np.asarray(labels.pos)[kept]), given=given)

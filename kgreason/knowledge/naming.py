"""Turns facts that only say what things are called into labels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge.labels import build_labels
from kgreason.knowledge.strings import StringTable


def name_by(graph: KnowledgeGraph, relations: Sequence[str]) -> KnowledgeGraph:
    """Return the graph with the facts of some relations made labels of their heads: a name no longer is an entity.

    The first relation gives the name that is shown. Names that a head had before stay as further ones. An entity that
    stands in no other fact, and has no label, is left out.

    Args:
        graph: The graph.
        relations: The relations that lead to a name, the best first; those that it does not have are passed over.

    Raises:
        ConfigError: If it has no other facts.
    """
    import polars as pl

    rank = {graph.relations.id(name): i for i, name in enumerate(relations) if name in graph.relations}
    if not rank:
        return graph
    rows = graph.triples
    naming = np.isin(rows[:, 1], list(rank))
    facts, told = rows[~naming], rows[naming]
    if not len(facts):
        raise ConfigError(f"[names] relations: {', '.join(relations)} are all that the graph has; no fact is left.")
    kept = np.unique(np.concatenate([facts[:, 0], facts[:, 2], told[:, 0]]))
    place = np.full(len(graph.entities), -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    told = told[np.lexsort((told[:, 2], np.array([rank[r] for r in told[:, 1].tolist()], np.int64)))]
    said = np.repeat(np.arange(len(graph.labels.names)), np.diff(graph.labels.ptr))
    stays = place[graph.labels.entity] >= 0
    names = [graph.label(int(t)) for t in told[:, 2]] + [graph.labels.names[int(i)] for i in said[stays]]
    labels = build_labels(
        pl.Series(names, dtype=pl.String),
        np.concatenate([place[told[:, 0]], place[graph.labels.entity[stays]]]).astype(np.int32),
        np.ones(len(names)),
        graph.labels.pos[kept],
    )
    if len(graph.labels.given):
        given = np.asarray(graph.labels.given)[kept].copy()
        given[place[told[:, 0]]] = 1
        labels = replace(labels, given=given)
    facts = np.stack([place[facts[:, 0]], facts[:, 1], place[facts[:, 2]]], axis=1)
    table = StringTable.of([graph.entities[int(i)] for i in kept])
    named = KnowledgeGraph.from_ids(table, graph.relations, facts, labels, graph.about, graph.relation_labels)
    return replace(named, rules=graph.rules)

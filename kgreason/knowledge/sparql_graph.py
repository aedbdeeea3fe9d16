"""Puts a knowledge graph together from facts and names that came over the net."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.data.rules import Rules
from kgreason.knowledge.labels import build_labels
from kgreason.knowledge.sparql_terms import last_part
from kgreason.knowledge.strings import StringTable


def assemble(
    triples: Sequence[tuple[str, str, str]],
    relations: Sequence[str],
    names: Mapping[str, Sequence[str]],
    called: Mapping[str, Sequence[str]],
    about: Mapping[str, str],
    rules: Rules,
) -> KnowledgeGraph:
    """Return the graph of some facts.

    Args:
        triples: Head, relation, tail.
        relations: All relations, also those without a fact here, distinct: what is learnt about relations counts them.
        names: What entities are called, the name that is shown first; one that is not there is called by the last part
            of its IRI.
        called: What relations are called.
        about: What the graph is.
        rules: How it is used.
    """
    entities = sorted({end for h, _, t in triples for end in (h, t)}, key=str.encode)
    ids = {name: i for i, name in enumerate(entities)}
    kinds = Vocab(relations)
    rows = np.array([(ids[h], kinds.id(r), ids[t]) for h, r, t in triples], np.int32).reshape(-1, 3)
    labels = _labels(entities, names)
    graph = KnowledgeGraph.from_ids(StringTable.of(entities), kinds, rows, labels, about, called)
    return replace(graph, rules=rules)


def _labels(entities: Sequence[str], names: Mapping[str, Sequence[str]]) -> Labels:
    import polars as pl

    rows = [(name, i) for i, entity in enumerate(entities) for name in names.get(entity) or [last_part(entity)]]
    return build_labels(
        pl.Series([name for name, _ in rows], dtype=pl.String),
        np.array([i for _, i in rows], np.int32),
        np.ones(len(rows)),
        np.full(len(entities), -1, np.int8),
    )

"""Finds entities by what a person types, and tells what a graph says about them."""

import difflib
from dataclasses import dataclass
from typing import final

import numpy as np

from kgreason.data import UPOS, KnowledgeGraph
from kgreason.data.vocab import Names
from kgreason.errors import DataError


@final
@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that a name may mean.

    Args:
        entity: Its id.
        score: How likely the name means it; 1 if it is the entity's own name.
    """

    entity: int
    score: float


def find(graph: KnowledgeGraph, text: str) -> list[Candidate]:
    """Return the entities that `text` may mean, the likeliest first.

    The name of an entity means that entity. Else `text` is taken for a label: as it stands, with spaces for
    underscores, in lower case, capitalised, each word capitalised; the first that is a label decides.

    Raises:
        DataError: If it means nothing here; the message has the nearest names.
    """
    if text in graph.entities:
        return [Candidate(graph.entities.id(text), 1.0)]
    spaced = " ".join(text.replace("_", " ").split())
    for name in dict.fromkeys((text, spaced, spaced.lower(), spaced.capitalize(), spaced.title(), spaced.upper())):
        entity, score = graph.labels.senses(name)
        if len(entity):
            return [Candidate(int(e), round(float(s), 6)) for e, s in zip(entity, score, strict=True)]
    near = _nearest(graph.labels.names, spaced) or _nearest(graph.entities, text)
    hint = f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else " See: kgreason graph search"
    raise DataError(f"The graph has no entity and no label {text!r}.{hint}")


def describe(graph: KnowledgeGraph, candidate: Candidate, limit: int = 0) -> dict[str, object]:
    """Tell all that a graph says about an entity, as plain values.

    Args:
        graph: The graph.
        candidate: The entity.
        limit: At most so many triples in each direction; 0 for all. The counts are of all.
    """
    i = candidate.entity
    out, into = graph.out(graph.entities[i]), graph.into(graph.entities[i])
    pos = int(graph.labels.pos[i])
    return {
        "entity": graph.entities[i],
        "label": graph.label(i),
        "pos": UPOS[pos] if pos >= 0 else "",
        "score": candidate.score,
        "labels": labels_of(graph, i),
        "out": [_told(graph, r, t) for r, t in out[: limit or None]],
        "in": [_told(graph, r, h) for r, h in into[: limit or None]],
        "num_out": len(out),
        "num_in": len(into),
    }


def labels_of(graph: KnowledgeGraph, entity: int) -> list[str]:
    """Return everything an entity is called, the name that is shown first."""
    labels = graph.labels
    at = np.flatnonzero(labels.entity == entity)
    ids = np.searchsorted(labels.ptr, at, side="right") - 1
    shown = int(labels.preferred[entity])
    return [labels.names[i] for i in sorted(ids.tolist(), key=lambda i: (i != shown, i))]


def summary(graph: KnowledgeGraph) -> dict[str, object]:
    """Tell what a graph is and how large, as plain values."""
    counts = np.bincount(graph.relation, minlength=len(graph.relations))
    return {
        "about": dict(graph.about),
        "entities": len(graph.entities),
        "relations": {name: int(count) for name, count in zip(graph.relations, counts, strict=True)},
        "relation_labels": {name: list(texts) for name, texts in graph.relation_labels.items()},
        "triples": graph.num_triples,
        "labels": len(graph.labels.names),
        "senses": len(graph.labels.entity),
    }


def _told(graph: KnowledgeGraph, relation: str, other: str) -> dict[str, str]:
    return {"relation": relation, "entity": other, "label": graph.label(graph.entities.id(other))}


def _nearest(names: Names, text: str) -> list[str]:
    """Return up to three names like `text`, of about its length and with the same first or last letter."""
    if not text:
        return []
    low, ends = text.lower(), (text[0].lower(), text[-1].lower())
    close: dict[str, str] = {}
    for name in names:
        if abs(len(name) - len(text)) <= 2 and name and (name[0].lower() == ends[0] or name[-1].lower() == ends[1]):
            close.setdefault(name.lower(), name)
    return [close[name] for name in difflib.get_close_matches(low, close, n=3, cutoff=0.75)]

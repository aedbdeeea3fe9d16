"""Finds entities by what a person remembers of their names: exactly, in part, or with some letters wrong."""

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.data.vocab import Names
from kgreason.errors import DataError
from kgreason.knowledge.markup import page_of, row_of
from kgreason.knowledge.strings import StringTable

Match: TypeAlias = Literal["exact", "part", "like"]
#: A label must be so like what was typed, of 100, and differ in length by no more than a third.
_LIKE = 72
#: So many labels that hold the text are looked at.
_MOST = 2_000


@final
@dataclass(frozen=True, slots=True)
class Hit:
    """An entity that may be meant.

    Args:
        entity: Its name.
        label: The label that was found.
        shown: The label by which it is shown.
        match: `exact` (upper and lower case alike), `part` of the label, or `like` it.
        score: How near the label is, in [0, 1].
        facts: How many facts it has.
    """

    entity: str
    label: str
    shown: str
    match: str
    score: float
    facts: int

    def told(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in ("entity", "label", "shown", "match", "score", "facts")}


@final
@dataclass(frozen=True, slots=True)
class Hits:
    """What was found for a text, the nearest first."""

    text: str
    found: tuple[Hit, ...]

    def _repr_html_(self) -> str:
        rows = [row_of((f"{hit.score:.2f}", hit.label, hit.entity, f"{hit.facts:,} facts")) for hit in self.found]
        return page_of(f"'{self.text}'", rows)


def search(graph: KnowledgeGraph, text: str, limit: int = 20) -> Hits:
    """Return entities by their labels: those that read so; then those that hold the text; then those that are like it.

    Among entities whose labels are equally near, the likelier meaning comes first, then the one with more facts. Labels
    are read as one block of bytes, not one by one.

    Raises:
        DataError: If the text is blank.
    """
    wanted = " ".join(text.replace("_", " ").split())
    if not wanted:
        raise DataError("There is nothing to look for; give a name, or a part of one.")
    found: dict[int, tuple[str, Match, float, float]] = {}
    names = graph.labels.names
    if text in graph.entities:
        found[graph.entities.id(text)] = (text, "exact", 1.0, 1.0)
    for label, match, score in _labels(names, wanted, limit):
        part = slice(int(graph.labels.ptr[label]), int(graph.labels.ptr[label + 1]))
        senses = zip(graph.labels.entity[part].tolist(), graph.labels.score[part].tolist(), strict=True)
        for entity, share in senses:
            if entity not in found or found[entity][2] < score:
                found[entity] = (names[label], match, score, share)
    facts = {e: int(_facts(graph, e)) for e in found}
    order = sorted(found, key=lambda e: (-found[e][2], -found[e][3], -facts[e], found[e][0], e))[: limit or None]
    return Hits(text, tuple(Hit(graph.entities[e], *_told(graph, e, found[e]), facts[e]) for e in order))


def _told(graph: KnowledgeGraph, entity: int, how: tuple[str, Match, float, float]) -> tuple[str, str, str, float]:
    return how[0], graph.label(entity), how[1], round(how[2], 4)


def _facts(graph: KnowledgeGraph, e: int) -> int:
    out = graph.head_ptr[e + 1] - graph.head_ptr[e]
    return int(out + graph.tail_ptr[e + 1] - graph.tail_ptr[e])


def _labels(names: Names, wanted: str, limit: int) -> list[tuple[int, Match, float]]:
    table = names if isinstance(names, StringTable) else StringTable.of(names)
    inside = _holding(table, wanted)
    hits: list[tuple[int, Match, float]] = []
    size = max(1, len(wanted))
    for label in inside.tolist():
        told = table[label]
        if told.lower() == wanted.lower():
            hits.append((label, "exact", 1.0))
        else:
            begins = 0.05 * bool(re.search(rf"(?i)\b{re.escape(wanted)}", told))
            hits.append((label, "part", 0.9 * size / max(size, len(told)) + begins))
    if len(hits) < (limit or 1) and not any(match == "exact" for _, match, _ in hits):
        known = {label for label, _, _ in hits}
        hits += [hit for hit in _like(table, wanted, limit or 100) if hit[0] not in known]
    return hits


def _holding(table: StringTable, wanted: str) -> Int64[ndarray, " labels"]:
    """Return the labels that hold a text, upper and lower case alike (of letters outside of ASCII: as written)."""
    block = np.asarray(table.blob).tobytes().lower()
    sought = re.escape(wanted.lower().encode("utf-8", "replace"))
    starts: list[int] = []
    for match in re.finditer(sought, block):
        starts.append(match.start())
        if len(starts) >= 20 * _MOST:
            break
    at = np.array(starts, np.int64)
    label = np.searchsorted(table.offsets, at, side="right") - 1
    whole = at + len(wanted.lower().encode("utf-8", "replace")) <= np.asarray(table.offsets)[label + 1]
    labels = np.unique(label[whole]).astype(np.int64)
    length = np.diff(table.offsets)[labels]
    kept: Int64[ndarray, " labels"] = labels[np.argsort(length, kind="stable")[:_MOST]]
    return kept


def _like(table: StringTable, wanted: str, most: int) -> list[tuple[int, Match, float]]:
    """Return labels of about the same length with some letters wrong, accents and case aside."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    length = np.diff(np.asarray(table.offsets))
    size = len(wanted.encode("utf-8", "replace"))
    near = np.flatnonzero(np.abs(length - size) <= max(2, size // 3))
    labels = [table[int(i)].lower() for i in near]
    found = process.extract(
        wanted.lower(), labels, scorer=OSA.normalized_similarity, score_cutoff=_LIKE / 100, limit=most
    )
    return [(int(near[i]), "like", 0.85 * float(score)) for _, score, i in found]

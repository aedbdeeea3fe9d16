"""A knowledge graph as sorted integer columns, in memory or mapped from disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
from jaxtyping import Float32, Int8, Int32, Int64, Integer, UInt8
from numpy import ndarray

from kgreason.data.rules import Rules
from kgreason.data.vocab import Names, Vocab
from kgreason.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What entities are called, and which entities a name may mean.

    One name may mean several entities (senses) and one entity may have several names (aliases).

    Args:
        names: Distinct names, sorted by their UTF-8 bytes; the position is the label id. Written as in running
            text: spaces, not underscores; case is kept.
        ptr: The senses of label `l` are `entity[ptr[l] : ptr[l + 1]]`, the likeliest first.
        entity: Entity ids.
        score: How likely the label means this entity, in [0, 1]; the senses of one label sum to at most 1.
        preferred: The label id by which each entity is shown, or `-1` (then its name is shown).
        pos: The part of speech of each entity, a position in `UPOS`, or `-1` if the graph does not say.
        given: 1 for each entity that the source itself gives a name, 0 for one that is called by its id for want of a
            name; empty if nobody noted it.
    """

    names: Names
    ptr: Int64[ndarray, " offsets"]
    entity: Int32[ndarray, " senses"]
    score: Float32[ndarray, " senses"]
    preferred: Int32[ndarray, " entities"]
    pos: Int8[ndarray, " entities"]
    given: UInt8[ndarray, " noted"] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def senses(self, name: str) -> tuple[Int32[ndarray, " found"], Float32[ndarray, " found"]]:
        """Return the entities that `name` may mean and their scores, the likeliest first; empty if unknown."""
        try:
            i = self.names.id(name)
        except KeyError:
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        part = slice(int(self.ptr[i]), int(self.ptr[i + 1]))
        return self.entity[part], self.score[part]

    @classmethod
    def from_names(cls, entities: Names, names: Mapping[str, Iterable[str]] | None = None) -> "Labels":
        """Label every entity by its own name, and by the aliases in `names` (entity name to aliases).

        The first alias of an entity is its preferred label. Senses of one label share its score equally.
        """
        given = {e: list(dict.fromkeys([*(names or {}).get(e, ()), e])) for e in entities}
        rows = sorted(
            {(label, entities.id(e)) for e, labels in given.items() for label in labels},
            key=lambda row: (row[0].encode("utf-8", "surrogatepass"), row[1]),
        )
        table = Vocab(dict.fromkeys(label for label, _ in rows))
        counts = np.bincount([table.id(label) for label, _ in rows], minlength=len(table)).astype(np.int64)
        return cls(
            names=table,
            ptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            entity=np.array([entity for _, entity in rows], np.int32),
            score=np.repeat(1.0 / counts, counts).astype(np.float32),
            preferred=np.array([table.id(given[e][0]) for e in entities], np.int32),
            pos=np.full(len(entities), -1, np.int8),
        )


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class KnowledgeGraph:
    """A set of (head, relation, tail) triples, indexed from both ends so that a neighbourhood is one slice.

    Build one with `KnowledgeGraph.from_triples` or with a source of `kgreason.knowledge`; the constructor takes arrays
    that are already in order. All arrays may be memory-mapped and read-only.

    Args:
        entities: Entity names (ids of the source: an IRI, a synset); the position is the id.
        relations: Relation names; the position is the id.
        head_ptr: The triples with head `h` are rows `head_ptr[h] : head_ptr[h + 1]` of `tail` and `relation`.
        relation: The relation of each triple, sorted by (head, relation, tail).
        tail: The tail of each triple, in the same order.
        tail_ptr: The triples with tail `t` are rows `tail_ptr[t] : tail_ptr[t + 1]` of `head` and `inverse`.
        inverse: The relation of each triple once more, sorted by (tail, relation, head).
        head: The head of each triple, in the order of `inverse`. Both directions hold the same triples, but for what
            `kgreason.data.walked.walked` leaves out at hubs.
        labels: What entities are called.
        relation_labels: What relations are called, the name that is shown first; by relation, where the graph says it.
            `kgreason.data.relation_texts` gives texts for every relation.
        about: Origin, licence, version, counts: what the manifest says, as plain text values.
        rules: How its owner means it to be used; `kgreason.data.walked.walked` gives the part that is walked.
    """

    entities: Names
    relations: Vocab
    head_ptr: Int64[ndarray, " offsets"]
    relation: Integer[ndarray, " triples"]
    tail: Int32[ndarray, " triples"]
    tail_ptr: Int64[ndarray, " offsets"]
    inverse: Integer[ndarray, " backwards"]
    head: Int32[ndarray, " backwards"]
    labels: Labels
    about: Mapping[str, str] = field(default_factory=dict)
    relation_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)

    @classmethod
    def from_triples(
        cls,
        triples: Iterable[tuple[str, str, str]],
        names: Mapping[str, Iterable[str]] | None = None,
    ) -> "KnowledgeGraph":
        """Build a small graph in memory. Repeated triples are kept once; ids follow the sorted order of the names.

        Args:
            triples: `(head, relation, tail)` by name.
            names: What each entity is called besides its own name; the first is the one that is shown.

        >>> graph = KnowledgeGraph.from_triples([("dog", "is_a", "animal"), ("dog", "has_part", "tail")])
        >>> graph
        KnowledgeGraph(3 entities, 2 relations, 2 triples)
        >>> graph.out("dog")
        [('has_part', 'tail'), ('is_a', 'animal')]
        """
        named = sorted(set(triples))
        if not named:
            raise DataError("A knowledge graph needs at least one triple; got none.")
        entities = Vocab(sorted({name for h, _, t in named for name in (h, t)}))
        relations = Vocab(sorted({r for _, r, _ in named}))
        rows = np.array([(entities.id(h), relations.id(r), entities.id(t)) for h, r, t in named], np.int32)
        return cls.from_ids(entities, relations, rows, Labels.from_names(entities, names))

    @classmethod
    def from_ids(
        cls,
        entities: Names,
        relations: Vocab,
        rows: Int32[ndarray, "rows 3"],
        labels: Labels,
        about: Mapping[str, str] | None = None,
        relation_labels: Mapping[str, Iterable[str]] | None = None,
    ) -> "KnowledgeGraph":
        """Build a graph from id rows (head, relation, tail) in any order, repeats allowed. Vectorised."""
        rows = _sorted(rows, len(relations), len(entities))
        by_tail = _sorted(rows[:, ::-1], len(relations), len(entities))[:, ::-1]
        kind = np.uint16 if len(relations) <= np.iinfo(np.uint16).max else np.int32
        return cls(
            entities=entities,
            relations=relations,
            head_ptr=_offsets(rows[:, 0], len(entities)),
            relation=rows[:, 1].astype(kind),
            tail=np.ascontiguousarray(rows[:, 2], np.int32),
            tail_ptr=_offsets(by_tail[:, 2], len(entities)),
            inverse=by_tail[:, 1].astype(kind),
            head=np.ascontiguousarray(by_tail[:, 0], np.int32),
            labels=labels,
            about=dict(about or {}),
            relation_labels={name: tuple(texts) for name, texts in (relation_labels or {}).items()},
        )

    @property
    def num_triples(self) -> int:
        return len(self.tail)

    @property
    def triples(self) -> Int32[ndarray, "triples 3"]:
        """All triples as rows (head, relation, tail), sorted. Copies: for small graphs and tests."""
        heads = np.repeat(np.arange(len(self.entities), dtype=np.int32), np.diff(self.head_ptr))
        return np.stack([heads, self.relation.astype(np.int32), self.tail], axis=1)

    def out(self, entity: str) -> list[tuple[str, str]]:
        """Return the (relation, tail) pairs of `entity` by name."""
        h = self.entities.id(entity)
        part = slice(int(self.head_ptr[h]), int(self.head_ptr[h + 1]))
        pairs = zip(self.relation[part].tolist(), self.tail[part].tolist(), strict=True)
        return [(self.relations[r], self.entities[t]) for r, t in pairs]

    def into(self, entity: str) -> list[tuple[str, str]]:
        """Return the (relation, head) pairs of `entity` by name."""
        t = self.entities.id(entity)
        part = slice(int(self.tail_ptr[t]), int(self.tail_ptr[t + 1]))
        pairs = zip(self.inverse[part].tolist(), self.head[part].tolist(), strict=True)
        return [(self.relations[r], self.entities[h]) for r, h in pairs]

    def label(self, entity: int) -> str:
        """Return the name by which the entity with this id is shown."""
        preferred = int(self.labels.preferred[entity])
        return self.labels.names[preferred] if preferred >= 0 else self.entities[entity]

    def __repr__(self) -> str:
        e, r, t = len(self.entities), len(self.relations), self.num_triples
        return f"KnowledgeGraph({e} entities, {r} relations, {t} triples)"

    def _repr_html_(self) -> str:
        """Tell the counts, the origin and the most frequent relations; `kgreason.explore` tells more."""
        counts = np.bincount(self.relation, minlength=len(self.relations))
        top = [(f"{counts[r]:,}", self.relations[int(r)]) for r in np.argsort(-counts, kind="stable")[:10]]
        rows = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in [*top, *self.about.items()])
        e, r, t = len(self.entities), len(self.relations), self.num_triples
        return f"<strong>{e:,} entities, {r:,} relations, {t:,} triples</strong><table>{rows}</table>"


def _sorted(rows: Int32[ndarray, "rows 3"], middle: int, last: int) -> Int32[ndarray, "sorted 3"]:
    """Return the distinct rows in order; `middle` and `last` are above every number in those columns."""
    if (int(rows[:, 0].max(initial=0)) + 1) * middle * last >= np.iinfo(np.int64).max:
        return np.unique(rows, axis=0)
    # One number a row, which numpy sorts 20 times as fast as the rows.
    key = (rows[:, 0].astype(np.int64) * middle + rows[:, 1]) * last + rows[:, 2]
    key.sort()
    key = key[np.flatnonzero(np.diff(key, prepend=-1))]
    rest, third = np.divmod(key, max(last, 1))
    first, second = np.divmod(rest, max(middle, 1))
    return np.stack([first, second, third], axis=1).astype(np.int32)


def _offsets(sorted_ids: Int32[ndarray, " rows"], size: int) -> Int64[ndarray, " offsets"]:
    counts = np.bincount(sorted_ids, minlength=size)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

"""A knowledge graph, prepared for comparing the senses of two words in the terms of natural logic."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.ground.lexical import closure, information
from kgreason.ground.sense_pairs import EVIDENCE, compare
from kgreason.ground.word_facts import ConceptLine, WordFacts

#: Which relations of a graph say what. A name is that of the relation, or what follows the last `/` or `#` in it, so
#: `subClassOf` is rdfs:subClassOf. Keys: the natural-logic relations; `opposite`, of which a graph does not say
#: whether one of the two must hold; `near`, from a quality to its neighbours on a scale; `attribute`, to the scale;
#: `part`, from part to whole; `related`, in some other way.
MAPPING: Mapping[str, tuple[str, ...]] = {
    "equivalence": ("sameAs", "equivalentClass", "equivalentProperty", "exactMatch", "Synonym", "synonym"),
    "forward": (
        *("hypernym", "instance_hypernym", "entailment", "is_a", "IsA", "isA", "InstanceOf", "MannerOf", "Entails"),
        *("subClassOf", "subPropertyOf", "type", "broader", "broaderTransitive", "broadMatch", "narrowerOf"),
    ),
    "reverse": ("narrower", "narrowerTransitive", "narrowMatch", "hyponym"),
    "negation": ("complementOf", "datatypeComplementOf"),
    "alternation": ("disjointWith", "propertyDisjointWith", "differentFrom", "DistinctFrom"),
    "opposite": ("antonym", "Antonym", "opposite"),
    "near": ("similar", "SimilarTo"),
    "attribute": ("attribute",),
    "part": ("part_holonym", "member_holonym", "substance_holonym", "PartOf", "partOf", "part_of", "isPartOf"),
    "whole": ("HasA", "HasPart", "hasPart", "MadeOf"),
    "related": ("derivation", "pertainym", "participle", "also_see", "verb_group", "cause", "RelatedTo", "related"),
}
_LINKS = ("opposite", "near", "negation", "alternation", "part", "related", "attribute")
_LANGUAGE = "http://www.w3.org/"  # owl:Class is above every class and says nothing


@dataclass(frozen=True, slots=True, eq=False)
class SenseEvidence:
    """What the senses of pairs of words say; see `kgreason.ground.sense_pairs.EVIDENCE`.

    Args:
        strength: How strong the evidence of each kind is, in [0, 1].
        witness: What shows it: the number of steps, the concept where both meet, or -2 - the number of a line.
    """

    strength: Float32[ndarray, "pairs kinds"]
    witness: Int32[ndarray, "pairs kinds"]


@final
class SenseGraph:
    r"""Compares the senses $s, t$ of two words, of weights $w_s, w_t \le 1$; the best of each kind of evidence counts.

    - `synonym`: $w_s w_t$ for one sense of both. `forward`, `reverse`: $w_s w_t / (1 + 0.05 (d - 1))$, $d$ steps up.
    - `exclusive`: both meet in a concept $c$, the most telling one above both, and
      $w_s w_t \, \sigma(\mathrm{logit}\,\pi_c + 7 (\mathrm{lin}(s, t) - 0.75))$, where $\pi_c$ says how often two
      things of the kind of $c$ exclude each other (`WordFacts.kinds`), and Lin's similarity how narrow it is.
      `alike` is $w_s w_t \, \mathrm{lin}(s, t)$.
    - `apart`: the graph says of something above $s$ that it is disjoint with something above $t$. `disjoint`: a line of
      `WordFacts.concepts` has both as different members, or what they stand below.
    - `opposite` directly; `far_opposite` by way of a neighbour on the scale ("chilly" is near "cold", which is opposed
      to "hot"), or two steps up at most. `negation`: a complement.
    - `stronger`: the first is a neighbour of the second, which heads the scale ("freezing", "cold"); `milder`: the
      other way about; `beside`: neighbours of one head; `attribute`: qualities of one scale.
    - `part`: one is part of the other, or what it is is part of what the other is. `related`: some other link.

    Args:
        knowledge: The graph.
        mapping: Which of its relations say what; see `MAPPING`.
        facts: What concepts are to one another besides.
    """

    def __init__(self, knowledge: KnowledgeGraph, mapping: Mapping[str, tuple[str, ...]], facts: WordFacts) -> None:
        self.mapping, self.facts = mapping, facts
        size = len(knowledge.entities)
        triples = _Triples(knowledge, mapping)
        up_ptr, up, steps = closure(*_csr(size, triples.taxonomy(facts.edges)))
        content = information(up, size)
        kind = _kinds(knowledge, facts, (up_ptr, up, steps))
        self._taxonomy = (up_ptr, up, steps, content, kind)
        self._marks = _marks(knowledge, facts.concepts, up_ptr, up)
        self._alike = _csr(size, triples.both_ways("equivalence"))
        links = {role: _csr(size, triples.both_ways(role)) for role in _LINKS if role != "part"}
        links["part"] = _csr(size, triples.parts())
        self._links = tuple(links[role] for role in _LINKS)
        self._satellite = np.fromiter((".s." in name for name in knowledge.entities), np.bool_, size)

    def compare(
        self,
        senses: tuple[Int64[ndarray, " offsets"], Int32[ndarray, " senses"], Float32[ndarray, " senses"]],
        left: Int64[ndarray, " pairs"],
        right: Int64[ndarray, " pairs"],
    ) -> SenseEvidence:
        """Compare pairs of words.

        Args:
            senses: Of all words, laid end to end: where those of each word begin, the entities, their weights.
            left: The first word of each pair.
            right: The second.
        """
        strength = np.zeros((len(left), len(EVIDENCE)), np.float32)
        witness = np.full((len(left), len(EVIDENCE)), -1, np.int32)
        links = (self._alike, *self._links)
        compare(senses, (left, right), self._taxonomy, self._marks, links, self._satellite, strength, witness)
        return SenseEvidence(strength, witness)


class _Triples:
    """The triples of a graph by the role of their relations."""

    def __init__(self, knowledge: KnowledgeGraph, mapping: Mapping[str, tuple[str, ...]]) -> None:
        self.knowledge, self.mapping = knowledge, mapping
        self.head = np.repeat(np.arange(len(knowledge.entities), dtype=np.int32), np.diff(knowledge.head_ptr))
        self.local = [name.replace("#", "/").rsplit("/", 1)[-1] for name in knowledge.relations]

    def of(self, role: str) -> Int32[ndarray, "2 found"]:
        """Return heads and tails."""
        names = set(self.mapping.get(role, ()))
        ids = [i for i, name in enumerate(self.knowledge.relations) if name in names or self.local[i] in names]
        keep = np.isin(self.knowledge.relation, ids)
        return np.stack([self.head[keep], np.asarray(self.knowledge.tail[keep], np.int32)])

    def taxonomy(self, edges: Sequence[tuple[str, str]]) -> Int32[ndarray, "2 found"]:
        """Return what is below and what is above, without the concepts of the ontology language itself."""
        names = self.knowledge.entities
        further = [(names.id(low), names.id(high)) for low, high in edges if low in names and high in names]
        more = np.array(further, np.int32).reshape(-1, 2).T
        pairs = np.hstack([self.of("forward"), self.of("reverse")[::-1], more])
        above = {int(e) for e in np.unique(pairs[1]) if self.knowledge.entities[int(e)].startswith(_LANGUAGE)}
        return pairs[:, ~np.isin(pairs[1], list(above))] if above else pairs

    def both_ways(self, role: str) -> Int32[ndarray, "2 found"]:
        pairs = self.of(role)
        return np.hstack([pairs, pairs[::-1]])

    def parts(self) -> Int32[ndarray, "2 found"]:
        return np.hstack([self.of("part"), self.of("whole")[::-1]])


def _csr(size: int, pairs: Int32[ndarray, "2 found"]) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " kept"]]:
    distinct = np.unique(pairs[0].astype(np.int64) * max(size, 1) + pairs[1])
    head, tail = np.divmod(distinct, max(size, 1))
    ptr = np.concatenate([[0], np.cumsum(np.bincount(head, minlength=size))]).astype(np.int64)
    return ptr, np.ascontiguousarray(tail, np.int32)


def _kinds(
    knowledge: KnowledgeGraph,
    facts: WordFacts,
    above: tuple[Int64[ndarray, " offsets"], Int32[ndarray, " found"], Int32[ndarray, " found"]],
) -> Float32[ndarray, " entities"]:
    """Return the log-odds of exclusion in every concept: those of the nearest above it that has some; 0 if none."""
    up_ptr, up, steps = above
    own = np.full(len(knowledge.entities), np.nan, np.float32)
    for name, (sure, _) in facts.kinds.items():
        if name in knowledge.entities:
            own[knowledge.entities.id(name)] = np.log(sure / (1 - sure))
    entity = np.repeat(np.arange(len(own)), np.diff(up_ptr))
    has = ~np.isnan(own[up])
    entity, value, far = entity[has], own[up[has]], steps[has]
    order = np.lexsort((far, entity))
    nearest, first = np.unique(entity[order], return_index=True)
    out = np.zeros(len(own), np.float32)
    out[nearest] = value[order][first]
    return out


def _marks(
    knowledge: KnowledgeGraph,
    lines: Sequence[ConceptLine],
    up_ptr: Int64[ndarray, " offsets"],
    up: Int32[ndarray, " found"],
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " rows"], Int32[ndarray, " rows"], Float32[ndarray, " lines"]]:
    """Return which member of which line each concept is or stands below."""
    rows = [
        (knowledge.entities.id(name), group, member)
        for group, line in enumerate(lines)
        for member, names in enumerate(line.members)
        for name in names
        if name in knowledge.entities
    ]
    marked = np.array(sorted(rows), np.int64).reshape(-1, 3)
    size = len(knowledge.entities)
    count = np.bincount(marked[:, 0], minlength=size)
    start = np.concatenate([[0], np.cumsum(count)])
    entity = np.repeat(np.arange(size), np.diff(up_ptr))
    many = count[up]
    owner = np.repeat(entity, many)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
    which = np.repeat(start[up], many) + offset
    table = np.unique(np.stack([owner, marked[which, 1], marked[which, 2]], 1), axis=0)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(table[:, 0], minlength=size))]).astype(np.int64)
    sure = np.array([line.sure for line in lines], np.float32)
    return ptr, table[:, 1].astype(np.int32), table[:, 2].astype(np.int32), sure


_KEPT: "weakref.WeakKeyDictionary[KnowledgeGraph, list[SenseGraph]]" = weakref.WeakKeyDictionary()


def sense_graph(knowledge: KnowledgeGraph, mapping: Mapping[str, tuple[str, ...]], facts: WordFacts) -> SenseGraph:
    """Return what is derived from a graph, once for the same mapping and facts as long as the graph lives."""
    for kept in _KEPT.setdefault(knowledge, []):
        if kept.facts is facts and kept.mapping == mapping:
            return kept
    made = SenseGraph(knowledge, mapping, facts)
    _KEPT[knowledge].append(made)
    return made

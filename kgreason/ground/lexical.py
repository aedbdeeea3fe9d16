"""The lexical relation that a knowledge graph knows between two words."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from kgreason.data import ALIGN_RELATIONS, KnowledgeGraph
from kgreason.data.rules import Rules
from kgreason.ground.taxonomy import relate, walk_up

#: Which relations of a graph carry which lexical relation. Names that a graph does not have are passed over.
ROLES: Mapping[str, tuple[str, ...]] = {
    "taxonomy": (
        "hypernym",
        "instance_hypernym",
        "is_a",
        "IsA",
        "subClassOf",
        "http://www.w3.org/2000/01/rdf-schema#subClassOf",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
        "http://www.w3.org/2004/02/skos/core#broader",
    ),
    "opposite": ("antonym", "Antonym", "http://www.w3.org/2002/07/owl#disjointWith"),
    "near": ("similar", "also_see", "SimilarTo"),
    "alike": ("http://www.w3.org/2002/07/owl#sameAs", "Synonym", "http://www.w3.org/2004/02/skos/core#exactMatch"),
    "related": ("derivation", "pertainym", "verb_group", "entailment", "cause", "RelatedTo"),
}

#: Which role a relation plays by what the rules of a graph say of it (`kgreason.data.rules.LEXICAL`).
_PLAYS: Mapping[str, str] = {
    "forward": "taxonomy",
    "reverse": "below",
    "equivalence": "alike",
    "near": "near",
    **dict.fromkeys(("negation", "alternation", "opposite"), "opposite"),
    **dict.fromkeys(("attribute", "part", "whole", "related"), "related"),
}

#: The columns of `LexicalRelations.between`: what the graph can say of two different words.
KINDS = ("synonym", "hypernym", "hyponym", "antonym", "co_hyponym", "co_similar", "related")
KIND_IDS = np.array([ALIGN_RELATIONS.id(kind) for kind in KINDS], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Senses:
    """The senses of several words, laid end to end: word `w` has rows `ptr[w] : ptr[w + 1]`.

    `weight` is relative to the word's likeliest sense, which has 1.
    """

    ptr: Int64[ndarray, " offsets"]
    entity: Int32[ndarray, " senses"]
    weight: Float32[ndarray, " senses"]


@final
class LexicalRelations:
    r"""Finds synonyms, hypernyms, hyponyms, antonyms, co-hyponyms and related words by walking the graph.

    For two words with senses $s$ and $t$ of relative weights $w_s, w_t \le 1$, the score of a relation is

    $$\max_{s, t} \; w_s w_t \, n(s, t)$$

    over the sense pairs in which it holds. The nearness $n = 1 / (1 + d)$ falls with the distance $d$: 0 for a shared
    sense; the number of steps up for a hypernym; 1 for an antonym and one more for each `near` step before it ("damp"
    is near "wet", which is opposed to "dry"); 2 for two senses near the same concept; 1 for other relations.

    Co-hyponyms meet in a concept $c$ at most `max_meet` steps up. How far up says little (a dog is seven steps from a
    horse, a step from an entity is seven from anything), so their nearness is Lin's similarity,

    $$n = \frac{2\,\mathrm{ic}(c)}{\mathrm{ic}(s) + \mathrm{ic}(t)}, \qquad
      \mathrm{ic}(c) = 1 - \frac{\log (1 + |\mathrm{below}(c)|)}{\log N}$$

    and $\mathrm{ic}(c)$ must reach `min_content`, for everything is a co-hyponym of everything under "entity".

    Args:
        knowledge: The graph. What is derived from it is kept with it and shared.
        roles: Which relations of the graph play which role; see `ROLES`. Those of the role `below` lead down the
            taxonomy.
        max_meet: The most steps up on either side to where co-hyponyms meet.
        min_content: See above.

    Reference:
        Similarity: Lin (1998, ICML). Information content from the taxonomy alone: Seco, Veale and Hayes (2004, ECAI).
    """

    def __init__(
        self,
        knowledge: KnowledgeGraph,
        roles: Mapping[str, tuple[str, ...]] = ROLES,
        max_meet: int = 5,
        min_content: float = 0.2,
    ) -> None:
        up = _above(knowledge, roles.get("taxonomy", ()), roles.get("below", ()))
        self._up_ptr, self._up, self._steps = closure(*up)
        self._content = information(self._up, len(knowledge.entities))
        self._opposite = _both_ways(knowledge, roles.get("opposite", ()))
        self._near = _both_ways(knowledge, roles.get("near", ()))
        self._alike = _both_ways(knowledge, roles.get("alike", ()))
        self._related = _both_ways(knowledge, roles.get("related", ()))
        self.max_meet, self.min_content = max_meet, min_content

    def between(
        self, senses: Senses, left: Int64[ndarray, " pairs"], right: Int64[ndarray, " pairs"]
    ) -> Float32[ndarray, "pairs 7"]:
        """Return the score of each of `KINDS` for pairs of words; 0 where the relation does not hold.

        Args:
            senses: The senses of all words in play.
            left: The first word of each pair: "dog" is a hypernym pair with "animal" on the right.
            right: The second word of each pair.
        """
        out = np.zeros((len(left), len(KINDS)), np.float32)
        relate(
            (senses.ptr, senses.entity, senses.weight),
            (left, right),
            (self._up_ptr, self._up, self._steps, self._content),
            (self._opposite, self._near, self._alike, self._related),
            (self.max_meet, np.float32(self.min_content)),
            out,
        )
        return out

    def reaches(self, low: Int32[ndarray, " a"], high: Int32[ndarray, " b"]) -> bool:
        """Whether some entity of `low` is, or stands below, some entity of `high` in the taxonomy."""
        above = [self._up[self._up_ptr[e] : self._up_ptr[e + 1]] for e in low.tolist()]
        return bool(len(above) and np.isin(np.concatenate(above), high).any())


_KEPT: "weakref.WeakKeyDictionary[KnowledgeGraph, LexicalRelations]" = weakref.WeakKeyDictionary()


def lexical_relations(knowledge: KnowledgeGraph) -> LexicalRelations:
    """Return the relations of a graph as its rules, or else the usual names, tell them; derived once for each graph."""
    if knowledge not in _KEPT:
        _KEPT[knowledge] = LexicalRelations(knowledge, _roles_by(knowledge.rules) or ROLES)
    return _KEPT[knowledge]


def _roles_by(rules: Rules) -> dict[str, tuple[str, ...]]:
    """Return the roles of relations by what rules say of them; empty if they say nothing."""
    said: dict[str, tuple[str, ...]] = {}
    for meaning, names in rules.by_meaning.items():
        role = _PLAYS[meaning]
        said[role] = said.get(role, ()) + names
    return said


def _relation_ids(knowledge: KnowledgeGraph, names: Sequence[str]) -> Int64[ndarray, " found"]:
    return np.array([knowledge.relations.id(name) for name in names if name in knowledge.relations], np.int64)


def _rows_of(
    knowledge: KnowledgeGraph, names: Sequence[str]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " kept"]]:
    """Return the CSR of the triples with these relations only, by head."""
    keep = np.isin(knowledge.relation, _relation_ids(knowledge, names))
    ptr = np.concatenate([[0], np.cumsum(keep)])[knowledge.head_ptr].astype(np.int64)
    return ptr, np.ascontiguousarray(knowledge.tail[keep], np.int32)


def _above(
    knowledge: KnowledgeGraph, up: Sequence[str], down: Sequence[str]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " kept"]]:
    """Return the CSR of what stands directly above each entity: tails of relations up, heads of relations down."""
    ptr, tail = _rows_of(knowledge, up)
    if not down:
        return ptr, tail
    below = np.isin(knowledge.inverse, _relation_ids(knowledge, down))
    low = np.repeat(np.arange(len(ptr) - 1, dtype=np.int32), np.diff(knowledge.tail_ptr))[below]
    heads = np.concatenate([np.repeat(np.arange(len(ptr) - 1, dtype=np.int32), np.diff(ptr)), low])
    tails = np.concatenate([tail, knowledge.head[below].astype(np.int32)])
    order = np.lexsort((tails, heads))
    counts = np.bincount(heads, minlength=len(ptr) - 1)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), np.ascontiguousarray(tails[order], np.int32)


def _both_ways(
    knowledge: KnowledgeGraph, names: Sequence[str]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " kept"]]:
    """Return the CSR of these relations with every triple in both directions."""
    ptr, tail = _rows_of(knowledge, names)
    heads = np.repeat(np.arange(len(ptr) - 1, dtype=np.int32), np.diff(ptr))
    pairs = np.unique(np.hstack([np.stack([heads, tail]), np.stack([tail, heads])]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(ptr) - 1)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), np.ascontiguousarray(pairs[1], np.int32)


def information(up: Int32[ndarray, " rows"], size: int) -> Float32[ndarray, " entities"]:
    """Return the information content of each of `size` entities, from how often they stand in the closures `up`."""
    below = np.bincount(up, minlength=size)  # every entity stands in its own closure, too
    content: Float32[ndarray, " entities"] = 1.0 - np.log(np.maximum(below, 1)) / np.log(max(size, 2))
    return content.astype(np.float32)


def closure(
    ptr: Int64[ndarray, " offsets"], parent: Int32[ndarray, " rows"]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " found"], Int32[ndarray, " found"]]:
    """Return what stands above each entity, itself included, in ascending order with the fewest steps to it."""
    counts = walk_up(ptr, parent, np.zeros(len(ptr), np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
    up_ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    up, steps = np.empty(up_ptr[-1], np.int32), np.empty(up_ptr[-1], np.int32)
    walk_up(ptr, parent, up_ptr, up, steps)
    return up_ptr, up, steps

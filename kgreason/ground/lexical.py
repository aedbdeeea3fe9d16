"""The lexical relation that a knowledge graph knows between two words."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numba import njit
from numpy import ndarray

from kgreason.data import ALIGN_RELATIONS, KnowledgeGraph

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

#: The columns of `LexicalRelations.between`: what the graph can say of two different words.
KINDS = ("synonym", "hypernym", "hyponym", "antonym", "co_hyponym", "co_similar", "related")
KIND_IDS = np.array([ALIGN_RELATIONS.id(kind) for kind in KINDS], np.int32)
_FURTHEST = 12  # how far up a taxonomy is followed; WordNet is 19 deep, and what is further says little


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

    $$\max_{s, t} \; w_s w_t \, \frac{1}{1 + d(s, t)}$$

    over the sense pairs in which it holds. The distance $d$ is 0 for a shared sense; the number of steps up for a
    hypernym; 1 for an antonym and one more for each `near` step before it ("damp" is near "wet", which is opposed to
    "dry"); and $d_s + d_t - 1$ for co-hyponyms that meet $d_s$ and $d_t$ steps up. Two senses meet only in a concept
    that is specific enough: its intrinsic information content

    $$\mathrm{ic}(c) = 1 - \frac{\log (1 + |\mathrm{below}(c)|)}{\log N}$$

    must reach `min_content`, for everything is a co-hyponym of everything under "entity".

    Args:
        knowledge: The graph. What is derived from it is kept with it and shared.
        roles: Which relations of the graph play which role; see `ROLES`.
        max_meet: The most steps up on either side to where co-hyponyms meet.
        min_content: See above.

    Reference:
        Information content from the taxonomy alone: Seco, Veale and Hayes (2004, ECAI).
    """

    def __init__(
        self,
        knowledge: KnowledgeGraph,
        roles: Mapping[str, tuple[str, ...]] = ROLES,
        max_meet: int = 3,
        min_content: float = 0.2,
    ) -> None:
        self._up_ptr, self._up, self._steps = _closure(*_rows_of(knowledge, roles.get("taxonomy", ())))
        self._content = _information(self._up, len(knowledge.entities))
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
        _relate(
            (senses.ptr, senses.entity, senses.weight),
            (left, right),
            (self._up_ptr, self._up, self._steps, self._content),
            (self._opposite, self._near, self._alike, self._related),
            (self.max_meet, np.float32(self.min_content)),
            out,
        )
        return out


_KEPT: "weakref.WeakKeyDictionary[KnowledgeGraph, LexicalRelations]" = weakref.WeakKeyDictionary()


def lexical_relations(knowledge: KnowledgeGraph) -> LexicalRelations:
    """Return the relations of a graph under the default settings, derived once for as long as the graph lives."""
    if knowledge not in _KEPT:
        _KEPT[knowledge] = LexicalRelations(knowledge)
    return _KEPT[knowledge]


def _relation_ids(knowledge: KnowledgeGraph, names: Sequence[str]) -> Int64[ndarray, " found"]:
    return np.array([knowledge.relations.id(name) for name in names if name in knowledge.relations], np.int64)


def _rows_of(
    knowledge: KnowledgeGraph, names: Sequence[str]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " kept"]]:
    """Return the CSR of the triples with these relations only, by head."""
    keep = np.isin(knowledge.relation, _relation_ids(knowledge, names))
    ptr = np.concatenate([[0], np.cumsum(keep)])[knowledge.head_ptr].astype(np.int64)
    return ptr, np.ascontiguousarray(knowledge.tail[keep], np.int32)


def _both_ways(
    knowledge: KnowledgeGraph, names: Sequence[str]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " kept"]]:
    """Return the CSR of these relations with every triple in both directions."""
    ptr, tail = _rows_of(knowledge, names)
    heads = np.repeat(np.arange(len(ptr) - 1, dtype=np.int32), np.diff(ptr))
    pairs = np.unique(np.hstack([np.stack([heads, tail]), np.stack([tail, heads])]), axis=1)
    counts = np.bincount(pairs[0], minlength=len(ptr) - 1)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), np.ascontiguousarray(pairs[1], np.int32)


def _information(up: Int32[ndarray, " rows"], size: int) -> Float32[ndarray, " entities"]:
    below = np.bincount(up, minlength=size)  # every entity stands in its own closure, too
    return (1.0 - np.log(np.maximum(below, 1)) / np.log(max(size, 2))).astype(np.float32)


def _closure(
    ptr: Int64[ndarray, " offsets"], parent: Int32[ndarray, " rows"]
) -> tuple[Int64[ndarray, " offsets"], Int32[ndarray, " found"], Int32[ndarray, " found"]]:
    """Return what stands above each entity, itself included, in ascending order with the fewest steps to it."""
    counts = _walk_up(ptr, parent, np.zeros(len(ptr), np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
    up_ptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    up, steps = np.empty(up_ptr[-1], np.int32), np.empty(up_ptr[-1], np.int32)
    _walk_up(ptr, parent, up_ptr, up, steps)
    return up_ptr, up, steps


@njit(cache=True)
def _walk_up(ptr, parent, up_ptr, up, steps):  # type: ignore[no-untyped-def]
    """Breadth first from every entity; counts where `up` is empty, fills it otherwise."""
    size = len(ptr) - 1
    counts = np.zeros(size, np.int64)
    seen = np.full(size, -1, np.int32)
    queue, depth = np.empty(size, np.int32), np.empty(size, np.int32)
    for e in range(size):
        queue[0], depth[0], seen[e] = e, 0, e
        first, last = 0, 1
        while first < last:
            if depth[first] < _FURTHEST:
                for row in range(ptr[queue[first]], ptr[queue[first] + 1]):
                    if seen[parent[row]] != e:
                        seen[parent[row]] = e
                        queue[last], depth[last] = parent[row], depth[first] + 1
                        last += 1
            first += 1
        counts[e] = last
        if len(up):
            order = np.argsort(queue[:last])
            for k in range(last):
                up[up_ptr[e] + k], steps[up_ptr[e] + k] = queue[order[k]], depth[order[k]]
    return counts


@njit(cache=True)
def _joined(csr, a, b):  # type: ignore[no-untyped-def]
    """Whether `b` is among the neighbours of `a`; the rows of one entity are ascending."""
    ptr, tail = csr
    low, high = ptr[a], ptr[a + 1]
    while low < high:
        middle = (low + high) // 2
        if tail[middle] < b:
            low = middle + 1
        else:
            high = middle
    return low < ptr[a + 1] and tail[low] == b


@njit(cache=True)
def _share(csr, a, b):  # type: ignore[no-untyped-def]
    """Whether `a` and `b` have a neighbour in common."""
    ptr, tail = csr
    i, j = ptr[a], ptr[b]
    while i < ptr[a + 1] and j < ptr[b + 1]:
        if tail[i] == tail[j]:
            return True
        if tail[i] < tail[j]:
            i += 1
        else:
            j += 1
    return False


@njit(cache=True)
def _opposed(opposite, near, a, b):  # type: ignore[no-untyped-def]
    """The distance of an antonym: 1 directly, 2 with a `near` step on one side, 3 with one on both; 0 if none."""
    if _joined(opposite, a, b):
        return 1
    near_ptr, near_tail = near
    best = 0
    for i in range(near_ptr[a], near_ptr[a + 1]):
        if _joined(opposite, near_tail[i], b):
            return 2
        for j in range(near_ptr[b], near_ptr[b + 1]):
            if _joined(opposite, near_tail[i], near_tail[j]):
                best = 3
    for j in range(near_ptr[b], near_ptr[b + 1]):
        if _joined(opposite, a, near_tail[j]):
            return 2
    return best


@njit(cache=True)
def _meet(taxonomy, limits, a, b):  # type: ignore[no-untyped-def]
    """The steps from `a` and from `b` to their nearest common concept; (-1, -1) if there is none within limits."""
    up_ptr, up, steps, content = taxonomy
    max_meet, min_content = limits
    i, j, best_a, best_b = up_ptr[a], up_ptr[b], -1, -1
    while i < up_ptr[a + 1] and j < up_ptr[b + 1]:
        if up[i] < up[j]:
            i += 1
        elif up[i] > up[j]:
            j += 1
        else:
            da, db = steps[i], steps[j]
            lineal = da == 0 or db == 0
            siblings = da <= max_meet and db <= max_meet and content[up[i]] >= min_content
            if (lineal or siblings) and (best_a < 0 or da + db < best_a + best_b):
                best_a, best_b = da, db
            i += 1
            j += 1
    return best_a, best_b


@njit(cache=True)
def _relate(senses, pairs, taxonomy, links, limits, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the best score of each kind over all sense pairs."""
    ptr, entity, weight = senses
    opposite, near, alike, related = links
    for p in range(len(out)):
        left, right = pairs[0][p], pairs[1][p]
        for i in range(ptr[left], ptr[left + 1]):
            for j in range(ptr[right], ptr[right + 1]):
                a, b, w = entity[i], entity[j], weight[i] * weight[j]
                if a == b or _joined(alike, a, b):
                    out[p, 0] = max(out[p, 0], w)
                    continue
                up_a, up_b = _meet(taxonomy, limits, a, b)
                if up_b == 0:
                    out[p, 1] = max(out[p, 1], w / (1 + up_a))
                elif up_a == 0:
                    out[p, 2] = max(out[p, 2], w / (1 + up_b))
                elif up_a > 0:
                    out[p, 4] = max(out[p, 4], w / (up_a + up_b))
                apart = _opposed(opposite, near, a, b)
                if apart > 0:
                    out[p, 3] = max(out[p, 3], w / (1 + apart))
                if _share(near, a, b):
                    out[p, 5] = max(out[p, 5], w / 3)
                if _joined(near, a, b) or _joined(related, a, b):
                    out[p, 6] = max(out[p, 6], w / 2)

"""Says outright what the vocabulary of a graph implies: OWL, RDFS and SKOS, as far as triples go.

An ontology says much in a roundabout way: "every pizza has some base" is four triples around a blank node, "is part of"
is only half of a pair of relations, sixty classes exclude each other in one list. What walks over a graph sees triples,
so these are added; nothing is taken away but what `same` joins.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import final, no_type_check

import numpy as np
from jaxtyping import Int32
from numba import njit
from numpy import ndarray

from kgreason.data import KnowledgeGraph, Vocab
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.sameness import join_same
from kgreason.rooms import Source

_RDF, _RDFS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/01/rdf-schema#"
_OWL, _SKOS = "http://www.w3.org/2002/07/owl#", "http://www.w3.org/2004/02/skos/core#"
_SYMMETRIC = (_OWL + "disjointWith", _OWL + "sameAs", _OWL + "differentFrom", _OWL + "inverseOf", _SKOS + "related")
_TRANSITIVE = (_RDFS + "subClassOf", _RDFS + "subPropertyOf", _SKOS + "broaderTransitive")
_INVERSE = ((_SKOS + "broader", _SKOS + "narrower"),)
_MOST_PAIRS, _MOST = 1000, 50_000_000

Rows = Int32[ndarray, "rows 3"]


@final
class _Facts:
    """The triples of a graph by id, to be looked up and added to; a relation may be one that had no triple yet."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self.graph, self.relations = graph, list(graph.relations)
        self.rows: Rows = graph.triples

    def entity(self, name: str) -> int:
        try:
            return self.graph.entities.id(name)
        except KeyError:
            return -1

    def relation(self, name: str, new: bool = False) -> int:
        if new and name not in self.relations:
            self.relations.append(name)
        return self.relations.index(name) if name in self.relations else -1

    def pairs(self, relation: str) -> Int32[ndarray, "pairs 2"]:
        """Return head and tail of the triples of a relation."""
        rows: Rows = self.rows[self.rows[:, 1] == self.relation(relation)]
        return rows[:, [0, 2]]

    def of_type(self, kind: str) -> list[str]:
        """Return what is of an OWL type."""
        pairs, wanted = self.pairs(_RDF + "type"), self.entity(_OWL + kind)
        return [self.graph.entities[int(h)] for h in pairs[pairs[:, 1] == wanted][:, 0]]

    def add(self, heads: ndarray, relation: str, tails: ndarray) -> None:
        """Add triples."""
        if len(heads):
            kind = np.full(len(heads), self.relation(relation, new=True))
            self.rows = np.concatenate([self.rows, np.stack([heads, kind, tails], axis=1).astype(np.int32)])

    def map_of(self, relation: str) -> dict[int, int]:
        """Return the tail of each head of a relation that has one."""
        return dict(self.pairs(relation).tolist())

    def lists(self, relation: str) -> dict[int, list[int]]:
        """Return the members of the RDF list that each head of a relation has."""
        first, rest = self.map_of(_RDF + "first"), self.map_of(_RDF + "rest")
        found: dict[int, list[int]] = {}
        for head, node in self.pairs(relation).tolist():
            members, seen = found.setdefault(head, []), set[int]()
            while node in first and node not in seen:
                seen.add(node)
                members.append(first[node])
                node = rest.get(node, -1)
        return found


def _restrictions(facts: _Facts) -> None:
    """Add (class, property, filler) for "class is a subclass of, or the same as, something with some filler"."""
    on, fillers = facts.map_of(_OWL + "onProperty"), dict[int, int]()
    for kind in ("someValuesFrom", "hasValue", "allValuesFrom", "onClass"):
        fillers = {**facts.map_of(_OWL + kind), **fillers}
    parts = facts.lists(_OWL + "intersectionOf")
    found: dict[str, list[tuple[int, int]]] = {}
    above = [facts.pairs(_RDFS + "subClassOf"), facts.pairs(_OWL + "equivalentClass")]
    for head, node in np.concatenate(above).tolist():
        for member in parts.get(node, [node]):
            if member in on and member in fillers:
                found.setdefault(facts.graph.entities[on[member]], []).append((head, fillers[member]))
            elif member != node:
                found.setdefault(_RDFS + "subClassOf", []).append((head, member))
    for name, pairs in sorted(found.items()):
        rows = np.array(pairs)
        facts.add(rows[:, 0], name, rows[:, 1])


def _disjoint(facts: _Facts) -> None:
    """Add `owl:disjointWith` between all members of each list of classes that exclude each other."""
    for _, members in sorted(facts.lists(_OWL + "members").items()):
        if len(members) > _MOST_PAIRS:
            raise DataError(
                f"A list of {len(members):,} disjoint classes would make too many triples; leave 'disjoint' out."
            )
        both = np.array([(a, b) for a in members for b in members if a != b]).reshape(-1, 2)
        facts.add(both[:, 0], _OWL + "disjointWith", both[:, 1])


def _subproperty(facts: _Facts) -> None:
    """Add each triple with the relations above its own, too."""
    above: dict[str, set[str]] = {}
    for low, high in facts.pairs(_RDFS + "subPropertyOf").tolist():
        above.setdefault(facts.graph.entities[low], set()).add(facts.graph.entities[high])
    for low in sorted(above):
        reached, edge = set[str](), {low}
        while edge:
            edge = {high for name in edge for high in above.get(name, ())} - reached
            reached |= edge
        pairs = facts.pairs(low)
        for high in sorted(reached - {low}):
            facts.add(pairs[:, 0], high, pairs[:, 1])


def _inverse(facts: _Facts) -> None:
    """Add each triple of a relation that has an inverse the other way round."""
    names = facts.graph.entities
    stated = [(names[a], names[b]) for a, b in facts.pairs(_OWL + "inverseOf").tolist()]
    both = {pair for a, b in (*stated, *_INVERSE) for pair in ((a, b), (b, a)) if not pair[0].startswith("_:")}
    found = [(other, facts.pairs(one)) for one, other in sorted(both) if not other.startswith("_:")]
    for other, pairs in found:
        facts.add(pairs[:, 1], other, pairs[:, 0])


def _symmetric(facts: _Facts) -> None:
    """Add each triple of a symmetric relation the other way round."""
    for name in sorted({*facts.of_type("SymmetricProperty"), *_SYMMETRIC}):
        pairs = facts.pairs(name)
        facts.add(pairs[:, 1], name, pairs[:, 0])


def _transitive(facts: _Facts) -> None:
    """Add a triple for every chain of triples of a transitive relation."""
    for name in sorted({*facts.of_type("TransitiveProperty"), *_TRANSITIVE}):
        pairs = facts.pairs(name)
        if len(pairs):
            heads, tails = _closure(pairs, len(facts.graph.entities), name)
            facts.add(heads, name, tails)


def _closure(pairs: Int32[ndarray, "pairs 2"], size: int, name: str) -> tuple[ndarray, ndarray]:
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    ptr = np.searchsorted(pairs[:, 0], np.arange(size + 1)).astype(np.int64)
    tails = np.ascontiguousarray(pairs[:, 1])
    starts = np.unique(pairs[:, 0])
    counts = _reach(ptr, tails, starts, np.zeros(0, np.int32))
    if counts.sum() > _MOST:
        raise DataError(f"All chains of {name} are {int(counts.sum()):,} triples; leave 'transitive' out.")
    out = np.empty(int(counts.sum()), np.int32)
    _reach(ptr, tails, starts, out)
    return np.repeat(starts, counts), out


@no_type_check
@njit(cache=True)
def _reach(ptr, tails, starts, out):
    """Count what each start leads to; write it, if there is room."""
    seen = np.full(len(ptr) - 1, -1, np.int64)
    stack = np.empty(len(ptr), np.int32)
    counts, at = np.zeros(len(starts), np.int64), 0
    for k in range(len(starts)):
        stack[0], top = starts[k], 1
        while top:
            top -= 1
            node = stack[top]
            for i in range(ptr[node], ptr[node + 1]):
                other = tails[i]
                if seen[other] != k:
                    seen[other] = k
                    stack[top] = other
                    top += 1
                    counts[k] += 1
                    if len(out):
                        out[at] = other
                        at += 1
    return counts


#: What can be said outright, in the order in which it is done.
STEPS: dict[str, Callable[[_Facts], None]] = {
    "restrictions": _restrictions,
    "disjoint": _disjoint,
    "subproperty": _subproperty,
    "inverse": _inverse,
    "symmetric": _symmetric,
    "transitive": _transitive,
}
_SAME = "same"


def infer(graph: KnowledgeGraph, steps: Iterable[str]) -> KnowledgeGraph:
    """Return a graph to which the triples are added that its vocabulary implies. It is made in memory.

    Args:
        graph: A graph read from RDF, with the IRIs of OWL, RDFS and SKOS.
        steps: Which kinds. `same`: entities joined by `owl:sameAs` become one, of the first name, with the labels of
            all. `restrictions`: a class with a restriction gets a triple to what it is restricted to. `disjoint`: the
            members of a list of disjoint classes exclude each other. `subproperty`: what holds for a relation holds
            for those above it. `inverse`: what holds one way holds the other way by the inverse relation.
            `symmetric`, `transitive`: as the relations are declared (`rdfs:subClassOf` is transitive by itself).

    Raises:
        ConfigError: If there is no such step.
        DataError: If more than 50 million triples would be added.
    """
    wanted = list(steps)
    unknown = [step for step in wanted if step not in STEPS and step != _SAME]
    if unknown:
        raise ConfigError(f"infer: '{unknown[0]}' is not known. Known: {_SAME}, {', '.join(STEPS)}.")
    if _SAME in wanted:
        pairs = _Facts(graph).pairs(_OWL + "sameAs")
        graph = join_same(graph, pairs, graph.relations.id(_OWL + "sameAs")) if len(pairs) else graph
    facts = _Facts(graph)
    for name, step in STEPS.items():
        if name in wanted:
            step(facts)
    return _made(graph, facts)


def _made(graph: KnowledgeGraph, facts: _Facts) -> KnowledgeGraph:
    order = sorted(range(len(facts.relations)), key=lambda i: facts.relations[i].encode())
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    rows = facts.rows.copy()
    rows[:, 1] = place[rows[:, 1]]
    names = [facts.relations[i] for i in order]
    called = dict(graph.relation_labels)
    for name in set(names) - set(graph.relations):  # a property that had no triple of its own was only an entity
        i = facts.entity(name)
        if i >= 0 and graph.label(i) != name:
            called[name] = (graph.label(i),)
    made = KnowledgeGraph.from_ids(graph.entities, Vocab(names), rows, graph.labels, graph.about, called)
    return replace(made, rules=graph.rules)


@final
class InferredSource:
    """Reads the graph of another source and says outright what its vocabulary implies.

    In an experiment file:

        [knowledge]
        name   = "infer"
        around = { name = "rdf", path = "pizza.owl" }
        steps  = ["restrictions", "inverse", "transitive"]

    Args:
        around: Where the graph comes from.
        steps: See `infer`.

    Raises:
        ConfigError: If there is no such step.
    """

    def __init__(self, around: Source, steps: Sequence[str] = tuple(STEPS)) -> None:
        self.around, self.steps = around, list(steps)

    def __call__(self) -> KnowledgeGraph:
        return infer(self.around(), self.steps)

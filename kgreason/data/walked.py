"""The part of a graph that is walked: what its rules leave of its facts."""

import weakref
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from kgreason.data.knowledge import KnowledgeGraph
from kgreason.data.rules import Rules

_KEPT: "weakref.WeakKeyDictionary[KnowledgeGraph, KnowledgeGraph]" = weakref.WeakKeyDictionary()


def walked(knowledge: KnowledgeGraph) -> KnowledgeGraph:
    """Return the graph with those facts alone that may be walked; the graph itself if all may.

    Ids of entities and relations, and all labels, stay as they are. Facts of relations that are not walked are left out
    in both directions. A run (one entity, one relation, one direction) of more than `hub_limit` facts is left out in
    its direction only: `country` leads from each town to its country, but not from a country to all its towns. So the
    columns by head and by tail may have different lengths. Derived once for as long as the graph lives, in about
    40 ns a triple.
    """
    if not knowledge.rules.limits_walks:
        return knowledge
    if knowledge not in _KEPT:
        _KEPT[knowledge] = _walked(knowledge)
    return _KEPT[knowledge]


def masked(knowledge: KnowledgeGraph, out: Bool[ndarray, " outward"], into: Bool[ndarray, " inward"]) -> KnowledgeGraph:
    """Return a graph with some of its triples alone; ids of entities and relations, and all labels, stay.

    Args:
        knowledge: The graph.
        out: Which rows are kept by head: those of `relation` and `tail`.
        into: Which are kept by tail: those of `inverse` and `head`.
    """
    return replace(
        knowledge,
        head_ptr=_counted(knowledge.head_ptr, out),
        relation=knowledge.relation[out],
        tail=knowledge.tail[out],
        tail_ptr=_counted(knowledge.tail_ptr, into),
        inverse=knowledge.inverse[into],
        head=knowledge.head[into],
    )


def _walked(knowledge: KnowledgeGraph) -> KnowledgeGraph:
    rules = knowledge.rules
    allowed = _allowed(knowledge, rules)
    out = _kept(knowledge.head_ptr, knowledge.relation, allowed, rules.hub_limit)
    into = _kept(knowledge.tail_ptr, knowledge.inverse, allowed, rules.hub_limit)
    return replace(masked(knowledge, out, into), rules=Rules(rules.lexical))


def _allowed(knowledge: KnowledgeGraph, rules: Rules) -> Bool[ndarray, " relations"]:
    names = knowledge.relations
    allowed = np.full(len(names), not rules.only)
    allowed[[names.id(name) for name in rules.only if name in names]] = True
    allowed[[names.id(name) for name in rules.stop if name in names]] = False
    return allowed


def _kept(ptr: ndarray, relation: ndarray, allowed: ndarray, limit: int) -> Bool[ndarray, " triples"]:
    """Return which triples of one direction are walked; a run is ended by another relation or another entity."""
    kept: Bool[ndarray, " triples"] = allowed[relation]
    if limit and len(relation):
        begins = np.diff(relation.astype(np.int64), prepend=-1) != 0
        begins[ptr[:-1][np.diff(ptr) > 0]] = True
        starts = np.flatnonzero(begins)
        lengths = np.diff(starts, append=len(relation))
        kept &= np.repeat(lengths <= limit, lengths)
    return kept


def _counted(ptr: ndarray, kept: Bool[ndarray, " triples"]) -> Int64[ndarray, " offsets"]:
    ends: Int64[ndarray, " offsets"] = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)[ptr]
    return ends

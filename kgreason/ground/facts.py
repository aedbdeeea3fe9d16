"""From linked texts to seeds, and from chosen entities to facts in the logic graph."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int8, Int32, Int64
from numpy import ndarray

from kgreason.data import EdgeType, KnowledgeGraph, LogicGraph
from kgreason.data.walked import walked
from kgreason.errors import ConfigError
from kgreason.ground import kernels
from kgreason.ground.attach import add_edges, add_entities, entity_nodes
from kgreason.ground.inside import induce

_log = logging.getLogger("kgreason.ground")
_BUDGETS = {kernels.MET_NODES: "max_nodes", kernels.MET_FAN: "fan", kernels.MET_EDGES: "max_edges"}


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Entities chosen for each text of a batch: text `g` has the rows `ptr[g] : ptr[g + 1]`, distinct, the best first.

    `met` holds which budgets cut the choice short (`kernels.MET_NODES`, `MET_FAN`, `MET_EDGES`, added up).
    """

    ptr: Int64[ndarray, " offsets"]
    entity: Int32[ndarray, " rows"]
    score: Float64[ndarray, " rows"]
    met: Int8[ndarray, " texts"]


def seeds_of(graphs: Sequence[LogicGraph]) -> Chosen:
    """Return the entities that have a node in each graph, by score, then id."""
    found = [entity_nodes(graph) for graph in graphs]
    text = np.repeat(np.arange(len(graphs)), [len(entity) for _, entity in found])
    entity = np.concatenate([np.zeros(0, np.int32), *(e for _, e in found)])
    nodes = (graph.node_score[at] for graph, (at, _) in zip(graphs, found, strict=True))
    score = np.concatenate([np.zeros(0), *nodes]).astype(np.float64)
    order = np.lexsort((entity, -score, text))
    ptr = np.concatenate([[0], np.cumsum(np.bincount(text, minlength=len(graphs)))]).astype(np.int64)
    return Chosen(ptr, entity[order].astype(np.int32), score[order], np.zeros(len(graphs), np.int8))


def add_facts(
    graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph, chosen: Chosen, max_edges: int, grounder: str
) -> list[LogicGraph]:
    """Give the chosen entities nodes, and add all triples among them as KNOWLEDGE edges.

    Args:
        graphs: Linked texts.
        knowledge: Where entities and triples are from.
        chosen: The entities for each text; new nodes stand in their order.
        max_edges: How many triples to add to a text. Those among the best entities go first.
        grounder: Its name, for the report of budgets met (logger `kgreason.ground`, level INFO).
    """
    knowledge = walked(knowledge)
    place = kernels.scratch(len(knowledge.entities))[0]
    edge_ptr, edges, met = induce(knowledge, chosen.ptr, chosen.entity, max_edges, place)
    _report(chosen.met | met, grounder)
    relation = knowledge.relation[edges[:, 2]].astype(np.int32)
    done = []
    for g, graph in enumerate(graphs):
        own = slice(int(chosen.ptr[g]), int(chosen.ptr[g + 1]))
        if own.start == own.stop:
            done.append(graph)
            continue
        grown, node = add_entities(graph, knowledge, chosen.entity[own], chosen.score[own].astype(np.float32))
        new = slice(int(edge_ptr[g]), int(edge_ptr[g + 1]))
        done.append(add_edges(grown, node[edges[new, :2].T], EdgeType.KNOWLEDGE, relation[new]))
    return done


def check_budgets(grounder: str, budgets: dict[str, int]) -> None:
    """Raise ConfigError if a budget is not a positive number."""
    for name, value in budgets.items():
        if value < 1:
            raise ConfigError(f"[ground] {grounder}: {name} = {value}, but it must be at least 1.")


def _report(met: Int8[ndarray, " texts"], grounder: str) -> None:
    for budget, name in _BUDGETS.items():
        texts = int(np.count_nonzero(met & budget))
        if texts:
            _log.info("%s: %s was met in %d of %d texts", grounder, name, texts, len(met))

"""Adds entities and edges to a logic graph, each once."""

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from kgreason.data import EdgeType, KnowledgeGraph, LogicGraph, NodeType


def add_entities(
    graph: LogicGraph,
    knowledge: KnowledgeGraph,
    entity: Int32[ndarray, " entities"],
    score: Float32[ndarray, " entities"],
) -> tuple[LogicGraph, Int64[ndarray, " entities"]]:
    """Give each entity an ENTITY node and return the graph and these nodes.

    An entity that has a node keeps it, and its score.

    Args:
        graph: The logic graph.
        knowledge: Where the entities are from; their nodes get their labels as text.
        entity: Distinct entity ids; new nodes stand in their order.
        score: The `node_score` of new nodes.
    """
    at, there = entity_nodes(graph)
    node = np.full(len(entity), -1, np.int64)
    if len(there):
        place = np.minimum(np.searchsorted(there, entity), len(there) - 1)
        node = np.where(there[place] == entity, at[place], -1)
    new = np.flatnonzero(node < 0)
    if not len(new):
        return graph, node
    node[new] = graph.num_nodes + np.arange(len(new))
    text = tuple(knowledge.label(e) for e in entity[new].tolist())
    return graph.with_entities(entity[new], text, score[new]), node


def entity_nodes(graph: LogicGraph) -> tuple[Int64[ndarray, " entities"], Int32[ndarray, " entities"]]:
    """Return the ENTITY nodes of a graph and their entities, each entity once and in ascending order."""
    at = np.flatnonzero(graph.node_type == NodeType.ENTITY)
    there, place = np.unique(graph.node_entity[at], return_index=True)
    return at[place], there


def add_edges(
    graph: LogicGraph,
    edge_index: Int64[ndarray, "2 new"],
    edge_type: EdgeType,
    edge_relation: Int32[ndarray, " new"],
    edge_score: Float32[ndarray, " new"] | None = None,
) -> LogicGraph:
    """Append those edges of one type that the graph does not have yet; the new ones must be distinct."""
    old = np.flatnonzero(graph.edge_type == edge_type)
    if len(old):
        known = _key(graph, graph.edge_index[:, old], graph.edge_relation[old])
        fresh = ~np.isin(_key(graph, edge_index, edge_relation), known)
        edge_index, edge_relation = edge_index[:, fresh], edge_relation[fresh]
        edge_score = None if edge_score is None else edge_score[fresh]
    if not len(edge_relation):
        return graph
    return graph.with_edges(edge_index.astype(np.int32), edge_type, edge_relation.astype(np.int32), edge_score)


def _key(graph: LogicGraph, edge_index: ndarray, relation: Int32[ndarray, " edges"]) -> Int64[ndarray, " edges"]:
    """One number per edge: a logic graph is small, so that nodes and relation fit in 63 bits."""
    source, target = edge_index.astype(np.int64)
    return np.asarray((relation.astype(np.int64) * graph.num_nodes + source) * graph.num_nodes + target)

"""How well linking finds the seeds that people marked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgreason.data import KnowledgeGraph, LogicGraph, NodeType
from kgreason.ground.names import resolve


@dataclass(frozen=True, slots=True)
class LinkRecall:
    """Linking beside gold seeds; every number but the first is a share.

    Args:
        questions: How many texts have gold seeds.
        known: Texts whose gold seeds are all in the knowledge graph: the ceiling of what follows.
        first: Texts whose likeliest entity is a gold seed.
        found: Texts that have all their gold seeds among their entities.
        precision: Entities that are gold seeds, among all that were linked.
        nothing: Texts without any entity.
    """

    questions: int
    known: float
    first: float
    found: float
    precision: float
    nothing: float


def link_recall(graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> LinkRecall:
    """Compare the ENTITY nodes of grounded graphs with `LogicGraph.seeds`.

    Ground with `SeedsGrounder(link, given="ignore")`, so that the seeds are there to compare with and not to use. A
    gold name that may mean several entities counts as found if one of them is.

    Args:
        graphs: Grounded texts; those without seeds are passed over.
        knowledge: What they were grounded in.
    """
    asked = [graph for graph in graphs if graph.seeds]
    meaning = resolve((name for graph in asked for name in graph.seeds), knowledge, len(knowledge.entities))
    gold = {name: frozenset(found.entity.tolist()) for name, found in meaning.items()}
    known = first = found = right = linked = nothing = 0
    for graph in asked:
        wanted = [gold.get(name, frozenset()) for name in graph.seeds]
        every = frozenset().union(*wanted)
        nodes = np.flatnonzero(graph.node_type == NodeType.ENTITY)
        entities = graph.node_entity[nodes].tolist()
        known += all(wanted)
        found += all(not one.isdisjoint(entities) for one in wanted)
        first += bool(entities) and entities[int(graph.node_score[nodes].argmax())] in every
        right += sum(entity in every for entity in entities)
        linked += len(entities)
        nothing += not entities
    many = max(len(asked), 1)
    return LinkRecall(len(asked), known / many, first / many, found / many, right / max(linked, 1), nothing / many)

"""What lies between the entities a text names."""

from collections.abc import Sequence
from typing import final

import numpy as np

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.data.walked import walked
from kgreason.ground import kernels
from kgreason.ground.facts import Chosen, add_facts, check_budgets, seeds_of
from kgreason.ground.link import LinkGrounder


@final
class BetweenGrounder:
    r"""Links the text, then adds what lies on paths of two triples between linked entities.

    All triples among these are added too. With the linked entities $S$, and $N(s)$ what is joined to $s$ by a triple in
    either direction, what lies between is

    $$\Big( \bigcup_{s \ne t \in S} N(s) \cap N(t) \Big) \setminus S$$

    If there are more than `max_nodes`, those with the highest $1 - \prod_{s : v \in N(s)} (1 - \tfrac12 a_s)$ stay,
    where $a_s$ is the score of the link; of equals those with the fewest triples.

    Args:
        max_nodes: How many entities a text gets at most; the linked ones count, and always stay.
        max_edges: How many triples a text gets at most; those among the best entities go first.
        max_senses: As for `LinkGrounder`.
        pos: As for `LinkGrounder`.

    Reference:
        The subgraph of QA-GNN (Yasunaga et al., 2021, arXiv:2104.06378, section 3.1), node for node and edge for edge
        (inverse edges are added by the encoder). Unlike there, a surplus is cut without a pass of a language model per
        entity.
    """

    def __init__(self, max_nodes: int = 200, max_edges: int = 2000, max_senses: int = 3, pos: str = "strict") -> None:
        check_budgets("between", {"max_nodes": max_nodes, "max_edges": max_edges})
        self.max_nodes, self.max_edges = max_nodes, max_edges
        self._link = LinkGrounder(max_senses, pos)

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        linked = self._link(graphs, knowledge)
        chosen = entities_between(knowledge, seeds_of(linked), self.max_nodes)
        return add_facts(linked, knowledge, chosen, self.max_edges, "between")


def entities_between(knowledge: KnowledgeGraph, seeds: Chosen, max_nodes: int) -> Chosen:
    """Return the seeds of each text and what lies on paths of two triples between two of them."""
    knowledge = walked(knowledge)
    size = len(knowledge.entities)
    marks = (
        np.zeros(size, np.int32),
        np.empty(size, np.float64),
        np.empty(size, np.int32),
        np.zeros(size, np.bool_),
    )
    ptr, entity, score, met = kernels.between(
        kernels.csr(knowledge), (seeds.ptr, seeds.entity, seeds.score), max_nodes, marks
    )
    return Chosen(ptr, entity, score, met)

"""What an explanation names, and a way to take it out of the graph of an example or to leave nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from kgreason.audit.subject import Row
from kgreason.data import ALIGN_RELATIONS, EDGE_RELATIONS, EdgeType, Entailment, KnowledgeGraph, LogicGraph, Prediction

_SAME, _OTHER = ALIGN_RELATIONS.id("same"), ALIGN_RELATIONS.id("other")


@final
@dataclass(frozen=True, slots=True)
class Named:
    """What can be taken out of one example.

    Args:
        named: What the explanation names: positions of edges or of edits, ascending.
        others: Of the same kind, what it does not name.
        without: From positions to the graph without them.
        told: What it names, in words.
    """

    named: Int[ndarray, " named"]
    others: Int[ndarray, " others"]
    without: Callable[[Int[ndarray, " some"]], LogicGraph]
    told: str


def named_facts(graph: LogicGraph, found: Prediction, knowledge: KnowledgeGraph) -> Named:
    """Return the facts in the graph of a text that an explanation names, and all others.

    It names those of `Prediction.path`, and what each cycle of the trace gives as its evidence.

    Facts are the edges of type KNOWLEDGE, and the alignments that the knowledge graph gave: not those of a word with
    itself, and not `other`, between which it knows nothing. Without a fact, an edge of knowledge is gone, and two
    aligned words are left side by side as `other`.
    """
    kind, relation = graph.edge_type, graph.edge_relation
    lexical = (kind == EdgeType.ALIGN) & (relation != _SAME) & (relation != _OTHER)
    facts = np.flatnonzero((kind == EdgeType.KNOWLEDGE) | lexical)
    said = {_worded(_forward(fact)) for fact in found.path} | {cycle.evidence for cycle in found.trace}
    worded = [_worded(_fact(graph, int(e), knowledge)) for e in facts]
    mine = np.array([fact in said for fact in worded], bool)
    told = "; ".join(dict.fromkeys(fact for fact in worded if fact in said))
    return Named(facts[mine], facts[~mine], lambda gone: _without_edges(graph, gone), told)


def named_steps(graph: LogicGraph, row: Row) -> Named:
    """Return the steps of a proof that say something (that are no equivalence), and all others.

    Without a step, the proof knows nothing of its words: the relation is independence. An answer of *neutral* rests on
    just that, so there a step is taken out by making it an equivalence, as if its words were the same.
    """
    edits = graph.edits
    likeliest = edits.relation.argmax(0) if len(edits) else np.zeros(0, np.int64)
    speaks = likeliest != Entailment.EQUIVALENCE
    blank = Entailment.EQUIVALENCE if row["answer"] == "neutral" else Entailment.INDEPENDENCE
    told = "; ".join(edits.reason[i] for i in np.flatnonzero(speaks).tolist())
    return Named(np.flatnonzero(speaks), np.flatnonzero(~speaks), lambda gone: _blanked(graph, gone, blank), told)


def _fact(graph: LogicGraph, edge: int, knowledge: KnowledgeGraph) -> tuple[str, str, str]:
    head, tail = map(int, graph.edge_index[:, edge])
    kind, relation = EdgeType(int(graph.edge_type[edge])), int(graph.edge_relation[edge])
    names: Sequence[str] = list(knowledge.relations) if kind == EdgeType.KNOWLEDGE else list(EDGE_RELATIONS[kind])
    return graph.node_text[head], names[relation], graph.node_text[tail]


def _worded(fact: tuple[str, str, str]) -> str:
    return "{} —{}→ {}".format(*fact)


def _forward(fact: tuple[str, str, str]) -> tuple[str, str, str]:
    head, relation, tail = fact
    return (tail, relation[1:], head) if relation.startswith("^") else fact


def _without_edges(graph: LogicGraph, gone: Int[ndarray, " some"]) -> LogicGraph:
    dropped = np.zeros(graph.num_edges, bool)
    dropped[gone] = True
    aligned = dropped & (graph.edge_type == EdgeType.ALIGN)
    kept: Bool[ndarray, " edges"] = ~dropped | aligned
    relation = np.where(aligned, _OTHER, graph.edge_relation)
    score = np.where(aligned, 1.0, graph.edge_score)
    return replace(
        graph,
        edge_index=graph.edge_index[:, kept],
        edge_type=graph.edge_type[kept],
        edge_relation=relation[kept].astype(np.int32),
        edge_score=score[kept].astype(np.float32),
    )


def _blanked(graph: LogicGraph, gone: Int[ndarray, " some"], blank: Entailment) -> LogicGraph:
    relation = graph.edits.relation.copy()
    relation[:, gone] = 0
    relation[blank, gone] = 1
    return replace(graph, edits=replace(graph.edits, relation=relation))

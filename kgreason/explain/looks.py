"""A batch's scores and trace in words: what each cycle looked at, and the facts that an answer rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from kgreason.data import (
    ALIGN_RELATIONS,
    EDGE_RELATIONS,
    NONE,
    Cycle,
    EdgeType,
    KnowledgeGraph,
    LogicGraph,
    Look,
    Step,
    relation_text,
)
from kgreason.data.walked import walked
from kgreason.explain.derivations import Derivations
from kgreason.explain.proofs import Proofs
from kgreason.explain.walks import RowWalk
from kgreason.segments import segment_softmax
from kgreason.tensors import GraphBatch, Scores, Trace, Walk

#: A cycle tells of so many nodes, and a prediction of so many facts; shares of attention below `_LEAST` are not told.
_LOOKS, _FACTS, _LEAST = 8, 6, 0.02
#: Joins two aligned words between which the graph knows nothing: no fact.
_OTHER = ALIGN_RELATIONS.id("other")


_Fact = tuple[str, str, str]


@final
@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A batch's scores and trace as numpy arrays."""

    group: ndarray
    candidate: ndarray
    probability: ndarray
    cycles: ndarray
    row_group: ndarray
    node_row: ndarray
    edge_row: ndarray
    attention: ndarray
    edges: ndarray
    running: ndarray
    weight: ndarray
    walk: Walk | None
    proofs: Proofs | None
    derivations: Derivations | None

    @classmethod
    def of(cls, batch: GraphBatch, scores: Scores, trace: Trace) -> "View":
        many = batch.num_groups
        each = scores.value[None] if scores.cycle is None else scores.cycle
        if scores.cycle is None:
            each = each.expand(len(trace.output), -1)
        shares = torch.stack([segment_softmax(s, scores.group, many) for s in each])
        edges = trace.attention.new_zeros(len(trace.output), batch.edge_index.shape[1])
        columns = {
            "group": scores.group,
            "candidate": scores.candidate,
            "probability": segment_softmax(scores.value, scores.group, many),
            "cycles": shares,
            "row_group": batch.group,
            "node_row": batch.node_graph,
            "edge_row": batch.node_graph[batch.edge_index[0]] if len(batch.node_graph) else batch.edge_index[0],
            "attention": trace.attention,
            "edges": edges if trace.edges is None else trace.edges,
            "running": trace.running,
            "weight": trace.weight,
        }
        proofs = None if trace.proof is None else Proofs.of(batch, trace.proof)
        derivations = None if trace.chart is None else Derivations.of(trace.chart)
        arrays = {name: _numpy(column) for name, column in columns.items()}
        return cls(**arrays, walk=trace.walk, proofs=proofs, derivations=derivations)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the decoder did in one row, in words."""

    knowledge: KnowledgeGraph
    graph: LogicGraph
    nodes: ndarray
    edges: ndarray
    view: View
    row: int

    def ran(self) -> list[int]:
        """Return the cycles that this row ran."""
        return [int(i) for i in np.flatnonzero(self.view.running[:, self.row])]

    def walk(self) -> RowWalk | None:
        """Return the row's walk over the knowledge graph, if it took one."""
        walk = self.view.walk
        return None if walk is None else RowWalk.of(walked(self.knowledge), walk, self.view.weight, self.row)

    def proof(self) -> tuple[Step, ...]:
        """Return the steps of the row's proof; none if it was not to be proved."""
        proofs = self.view.proofs
        return () if proofs is None else proofs.steps(self.graph, self.nodes, self.row)

    def notes(self) -> tuple[str, ...]:
        """Say what is to be said of the answer: that nothing was proved, and why."""
        return () if self.view.proofs is None else self.view.proofs.notes(self.row)

    def gate(self) -> float | None:
        """Return how much the proof counted beside what was learned; None if there were not both."""
        return None if self.view.proofs is None else self.view.proofs.gate_of(self.row)

    def cycle(self, i: int, answers: Sequence[str], probability: ndarray) -> Cycle:
        """Tell one cycle of a decoder that stays in the logic graph.

        Args:
            i: Which cycle, counted from 0.
            answers: What could be answered.
            probability: Of each, after this cycle.
        """
        return Cycle(
            looks=self._looks(i),
            answer=answers[int(probability.argmax())],
            probability={answer: float(p) for answer, p in zip(answers, probability, strict=True)},
            halt=self._halt(i),
            evidence=self._evidence(i),
        )

    def hop(self, i: int, walk: RowWalk, answers: Sequence[str], entities: Sequence[int]) -> Cycle:
        """Tell one cycle of a walk: the relations it followed, and where that led.

        Args:
            i: Which cycle, counted from 0.
            walk: The walk.
            answers: The names of the best answers.
            entities: Their ids.
        """
        best = walk.best(i)
        followed = ", ".join(f"{relation} {weight:.2f}" for relation, weight in walk.followed(i))
        return Cycle(
            looks=self._looks(i),
            answer="nothing" if best is None else self.knowledge.label(best),
            probability=dict(zip(answers, walk.after(i, entities), strict=True)),
            halt=self._halt(i),
            evidence=f"{followed or 'no relation'} → {len(walk.entity[i + 1])} entities",
        )

    def paths(self, walk: RowWalk, answers: Sequence[str], entities: Sequence[int]) -> dict[str, tuple[_Fact, ...]]:
        """Return, for each answer, the facts that carried the most score to it."""
        graph = self.knowledge
        return {
            answer: tuple((graph.label(h), relation_text(graph, r), graph.label(t)) for h, r, t in walk.path(entity))
            for answer, entity in zip(answers, entities, strict=True)
            if entity != NONE
        }

    def _halt(self, i: int) -> float | None:
        weight = self.view.weight[:, self.row]
        fixed = weight[self.ran()[-1]] >= 1 - 1e-6 and self.view.walk is None
        return None if fixed else float(weight[i])

    def _looks(self, i: int) -> tuple[Look, ...]:
        attention = self.view.attention[i, self.view.node_row == self.row]
        looks = [self._look(int(n), float(attention[n])) for n in np.argsort(-attention, kind="stable")[:_LOOKS]]
        return tuple(look for look in looks if look.weight >= _LEAST)

    def path(self) -> tuple[tuple[str, str, str], ...]:
        """Return the facts that the answer rests on: knowledge and alignments, those that counted most first.

        A fact counts by its share of what each cycle looked at, and a cycle by what it has to do with the answer
        (`credit`). What was composed of facts rests on those of its best path, in their order.
        """
        if self.view.derivations is not None:
            return self.view.derivations.facts(self.row, self._called, self.knowledge)
        view, mine = self.view, self.view.group == self.view.row_group[self.row]
        counted = credit(view.weight[:, self.row], view.running[:, self.row], view.cycles[:, mine])
        used = counted @ view.edges[:, view.edge_row == self.row]
        facts = [self._fact(int(e)) for e in self._facts(used) if used[e] >= _LEAST]
        return tuple(fact for fact in facts if fact[1] != "same")[:_FACTS]

    def _called(self, node: int) -> str:
        """Return the words of a node that is counted through the batch."""
        return self.graph.node_text[int(self.nodes[node - int(np.searchsorted(self.view.node_row, self.row))])]

    def _evidence(self, i: int) -> str:
        if self.view.derivations is not None:
            return self.view.derivations.used(self.row, i, self._called, self.knowledge)
        looked = self.view.edges[i, self.view.edge_row == self.row]
        told = [self._fact(int(e)) for e in self._facts(looked) if looked[e] >= _LEAST]
        told.sort(key=lambda fact: fact[1] == "same")  # stable: that two words are the same one says the least
        return "{} —{}→ {}".format(*told[0]) if told else ""

    def _facts(self, share: ndarray) -> ndarray:
        """Return the edges that come from the knowledge graph, the most looked at first."""
        kind, relation = self.graph.edge_type[self.edges], self.graph.edge_relation[self.edges]
        told = (kind == EdgeType.ALIGN) & (relation != _OTHER)
        known = np.flatnonzero((kind == EdgeType.KNOWLEDGE) | told)
        order: ndarray = known[np.argsort(-share[known], kind="stable")]
        return order

    def _look(self, n: int, weight: float) -> Look:
        node = int(self.nodes[n])
        text, start, end = map(int, self.graph.node_span[node])
        return Look(self.graph.node_text[node], weight, (text, start, end) if text >= 0 else None)

    def _fact(self, e: int) -> tuple[str, str, str]:
        edge = int(self.edges[e])
        source, target = map(int, self.graph.edge_index[:, edge])
        kind, relation = EdgeType(int(self.graph.edge_type[edge])), int(self.graph.edge_relation[edge])
        names = self.knowledge.relations if kind == EdgeType.KNOWLEDGE else EDGE_RELATIONS[kind]
        return self.graph.node_text[source], names[relation], self.graph.node_text[target]


def credit(
    weight: Float[ndarray, " cycles"], running: Bool[ndarray, " cycles"], told: Float[ndarray, "cycles answers"]
) -> Float[ndarray, " cycles"]:
    r"""Return how much each cycle of a row has to do with its answer.

    $$ c_i \propto \lVert p_i - p_{i-1} \rVert_1 \sum_{k \ge i} w_k $$

    with the probabilities $p_i$ of the answers after cycle $i$, $p_0$ all alike: an answer that is read after cycle $k$
    rests on all cycles up to it, and most on those that changed it.

    Args:
        weight: $w_k$, how much each cycle counts in the answer.
        running: Whether the row ran it.
        told: $p_i$; if no two cycles differ (the head answers once, at the end), $c = w$.
    """
    before = np.concatenate([np.full_like(told[:1], 1 / max(told.shape[1], 1)), told[:-1]])
    changed = np.abs(told - before).sum(1) * running * weight[::-1].cumsum()[::-1]
    if not changed.sum() or (told == told[:1]).all():
        return weight
    share: ndarray = changed / changed.sum()
    return share


def _numpy(tensor: torch.Tensor) -> ndarray:
    array: ndarray = tensor.detach().float().cpu().numpy() if tensor.is_floating_point() else tensor.cpu().numpy()
    return array

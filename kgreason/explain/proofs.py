"""A proof by natural logic, told: its steps in words."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy import ndarray

from kgreason.data import POLARITY, EditKind, Entailment, LogicGraph, NodeType, Step
from kgreason.tensors import GraphBatch, Proof

_ARROWS = "↑↓="
#: What is said of an answer that rests on no proof. No such answer is surer than a half (`ProofHead`).
NOTHING = "nothing was proved: no edit leads from the one text to the other"
ENDLESS = "nothing was proved: the texts differ in more than a proof can hold"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Proofs:
    """The proofs of a batch as numpy arrays; row `i` of `relation`, `projected` and `row` is edit `i`."""

    state: ndarray
    edit: ndarray
    relation: ndarray
    projected: ndarray
    row: ndarray
    proved: ndarray
    gate: ndarray | None

    @classmethod
    def of(cls, batch: GraphBatch, proof: Proof) -> "Proofs":
        columns = (proof.state, proof.edit, proof.relation, proof.projected, batch.edit_graph, proof.proved)
        state, edit, relation, projected, row, proved = (column.detach().cpu().numpy() for column in columns)
        gate = None if proof.gate is None else proof.gate.detach().cpu().numpy()
        return cls(state, edit, relation, projected, row, proved, gate)

    def steps(self, graph: LogicGraph, nodes: ndarray, row: int) -> tuple[Step, ...]:
        """Tell the proof of one row.

        Args:
            graph: Its whole logic graph.
            nodes: Which of its nodes the row keeps.
            row: Which row.
        """
        mine = np.flatnonzero(self.row == row)
        kept = kept_edits(graph, nodes)
        made = self.edit[:, row]
        return tuple(
            self._step(graph, int(kept[edit - mine[0]]), int(edit), self.state[cycle, row])
            for cycle, edit in enumerate(made.tolist())
            if edit >= 0
        )

    def gate_of(self, row: int) -> float | None:
        """Return how much a row's proof counted beside what was learned."""
        return None if self.gate is None else float(self.gate[row])

    def notes(self, row: int) -> tuple[str, ...]:
        """Say why nothing was proved, if so."""
        if self.proved[row]:
            return ()
        return (ENDLESS if (self.row == row).any() else NOTHING,)

    def _step(self, graph: LogicGraph, number: int, edit: int, state: ndarray) -> Step:
        edits = graph.edits
        first, then = (_words(graph, int(node)) for node in edits.nodes[:, number])
        likeliest = int(self.relation[edit].argmax())
        before, after = (_ARROWS[int(POLARITY[s])] for s in edits.polarity[:, number])
        return Step(
            kind=EditKind(int(edits.kind[number])).name.lower(),
            premise=first,
            hypothesis=then,
            relation=Entailment(likeliest).symbol,
            probability=float(self.relation[edit, likeliest]),
            polarity=(before, after),
            projected=Entailment(int(self.projected[edit].argmax())).symbol,
            state={relation.symbol: float(state[relation]) for relation in Entailment},
            reason=edits.reason[number],
        )


def kept_edits(graph: LogicGraph, nodes: ndarray) -> ndarray:
    """Return which edits of a graph a row keeps that has some of its nodes: those that exchange no other."""
    there = np.zeros(graph.num_nodes + 1, bool)
    there[nodes] = True
    there[-1] = True  # serves edits without a node (-1)
    return np.flatnonzero(there[graph.edits.nodes].all(axis=0))


def _words(graph: LogicGraph, node: int) -> str:
    return graph.node_text[node] if node >= 0 and graph.node_type[node] != NodeType.ENTITY else ""

"""A proof by natural logic, told: its steps in words, as lines of text and as a table of HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy import ndarray

from kgreason.data import POLARITY, EditKind, Entailment, LogicGraph, NodeType, Step
from kgreason.explain.markup import escape
from kgreason.tensors import GraphBatch, Proof

_ARROWS = "↑↓="
#: A state is told without what is less likely than this.
_LEAST = 0.02
#: What is said of an answer that rests on no proof. No such answer is surer than a half (`ProofHead`).
NOTHING = "nothing was proved: no edit leads from the one text to the other"
ENDLESS = "nothing was proved: the texts differ in more than a proof can hold"
_COLUMNS = ("", "edit", "premise", "hypothesis", "relation", "place", "projected", "state after it", "why")


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


def told_state(step: Step) -> str:
    """Return the likely relations of a state, the likeliest first: `⊏ 0.90, # 0.08`."""
    order = sorted(step.state.items(), key=lambda item: -item[1])
    shown = [(symbol, share) for i, (symbol, share) in enumerate(order) if share >= _LEAST or not i]
    return ", ".join(f"{symbol} {share:.2f}" for symbol, share in shown[:3])


def proof_rows(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    """Return a proof as a table of text, its heading first."""
    told = [
        (
            str(i),
            step.kind,
            step.premise or "–",
            step.hypothesis or "–",
            f"{step.relation} {step.probability:.2f}",
            "".join(dict.fromkeys(step.polarity)),
            step.projected,
            told_state(step),
            step.reason,
        )
        for i, step in enumerate(steps, start=1)
    ]
    return [_COLUMNS, *told]


def proof_table(steps: Sequence[Step], notes: Sequence[str], gate: float | None) -> str:
    """Return a proof, and what is to be said of it, as HTML; nothing if there is neither."""
    told = "".join(f'<div class="kgr-small">{escape(note)}</div>' for note in notes)
    if not steps:
        return told
    head, *rows = proof_rows(steps)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    columns = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    counted = "" if gate is None else f'<div class="kgr-small">the proof counts by {100 * gate:.0f} %</div>'
    return (
        '<div class="kgr-proof"><span class="kgr-small">proof</span><div class="kgr-scroll"><table>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>{counted}{told}</div>"
    )

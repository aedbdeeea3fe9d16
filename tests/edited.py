"""Hand-made edits as batches and states, for all tests of proofs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from kgreason.data import EditKind
from kgreason.data.entailment import signature
from kgreason.tensors import GraphBatch, States
from tests.conftest import random_states

SYMBOLS = "≡⊏⊐^|⌣#"


class Edit(NamedTuple):
    """An edit in a few words: `Edit("substitute", "⊏", "upward", "no")`.

    Args:
        kind: The name of an `EditKind`, lower case.
        relation: A symbol, or how sure each symbol is.
        premise: The operator whose argument the place is, in the premise.
        hypothesis: In the hypothesis; the same if empty.
        nodes: Counted within the row; -1 for none.
    """

    kind: str
    relation: str | Mapping[str, float]
    premise: str = "upward"
    hypothesis: str = ""
    nodes: tuple[int, int] = (-1, -1)


def with_edits(batch: GraphBatch, rows: Sequence[Sequence[Edit]]) -> GraphBatch:
    """Return the batch with the edits of each row."""
    flat = [(row, edit) for row, edits in enumerate(rows) for edit in edits]
    first = torch.searchsorted(batch.node_graph, torch.arange(len(rows))).tolist()
    relation = torch.zeros(len(flat), 7)
    for i, (_, edit) in enumerate(flat):
        shares = {edit.relation: 1.0} if isinstance(edit.relation, str) else edit.relation
        for symbol, share in shares.items():
            relation[i, SYMBOLS.index(symbol)] = share
    nodes = [[node + first[row] if node >= 0 else -1 for node in edit.nodes] for row, edit in flat]
    places = [[signature(e.premise), signature(e.hypothesis or e.premise)] for _, e in flat]
    return replace(
        batch,
        edit_graph=torch.tensor([row for row, _ in flat], dtype=torch.long),
        edit_kind=torch.tensor([EditKind[edit.kind.upper()] for _, edit in flat], dtype=torch.long),
        edit_nodes=torch.tensor(nodes, dtype=torch.long).reshape(-1, 2).T,
        edit_relation=relation,
        edit_polarity=torch.tensor(places, dtype=torch.long).reshape(-1, 2).T,
    )


def edited_states(rows: Sequence[Sequence[Edit]], dim: int = 8, nodes: int = 4) -> States:
    """Random states of rows of `nodes` nodes, with edits."""
    states = random_states([nodes] * len(rows), dim)
    return replace(states, batch=with_edits(states.batch, rows))

"""Two decoders over the same states: one that proves, one that has learned, and a gate between them."""

import math
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kgreason.errors import ConfigError
from kgreason.rooms import Decoder
from kgreason.segments import segment_mean
from kgreason.tensors import GraphBatch, Proof, States, Trace

_KINDS, _UNKNOWN = 5, 6  # len(EditKind), Entailment.INDEPENDENCE; the symbol side is out of reach here
#: What the gate sees of a proof: the state, and the numbers of `certainty`.
_SEEN = 7 + 8 + _KINDS
_TINY = 1e-6


@final
class BesideDecoder(nn.Module):
    r"""Lets a proof and a learned decoder look at the same example, and says how much the proof counts.

    $$g = \sigma\big(w^\top f + v^\top y + b\big), \qquad y = \textstyle\sum_i w_i\, y_i$$

    with the learned decoder's outputs $y_i$ and weights $w_i$, and $f$ what can be seen of how sure the proof is: its
    final state $s$, the entropy and the maximum of $s$, whether anything was proved, the number of edits
    ($\log(1 + n)$) and the share of each kind, and of the edits' relations the mean entropy, the largest entropy, and
    the mean and largest share of $\#$. At first $g = 1/2$.

    The trace is the learned decoder's, and has the proof with its gate beside it. `GatedHead` mixes what they answer.

    Args:
        dim: Width of the states.
        proof: A decoder whose trace has a proof: `{name = "natural_logic"}`.
        learned: Any other: `{name = "edits"}`, `{name = "cycle"}`.

    Raises:
        ConfigError: If the first of them proves nothing.
    """

    def __init__(self, dim: int, proof: Decoder, learned: Decoder) -> None:
        super().__init__()
        self.proof, self.learned = proof, learned
        self.gate = nn.Linear(_SEEN + dim, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def forward(self, states: States) -> Trace:
        proof = self.proof(states).proof
        if proof is None:
            raise ConfigError("[decode] beside: proof is a decoder that proves nothing; write name = 'natural_logic'.")
        trace = self.learned(states)
        y = (trace.weight[..., None] * trace.output).sum(0)
        gate = self.gate(torch.cat([certainty(proof, states.batch), y], dim=-1))[:, 0].sigmoid()
        return replace(trace, proof=replace(proof, gate=gate))


def certainty(proof: Proof, batch: GraphBatch) -> Float[Tensor, "batch seen"]:
    """Return what can be seen of how sure each row's proof is; `BesideDecoder` lists it."""
    state, relation, row, rows = proof.state[-1], proof.relation, batch.edit_graph, batch.num_graphs
    count = torch.bincount(row, minlength=rows)
    kinds = torch.nn.functional.one_hot(batch.edit_kind, _KINDS).to(state.dtype)
    doubts = torch.stack([_entropy(relation), relation[:, _UNKNOWN]], dim=-1)
    worst = doubts.new_zeros(rows, 2).scatter_reduce(0, row[:, None].expand_as(doubts), doubts, "amax")
    return torch.cat(
        [
            state,
            torch.stack([_entropy(state), state.amax(-1), proof.proved.to(state.dtype), count.log1p()], dim=-1),
            segment_mean(doubts, row, rows),
            worst,
            segment_mean(kinds, row, rows),
        ],
        dim=-1,
    )


def _entropy(p: Float[Tensor, "items 7"]) -> Float[Tensor, " items"]:
    """Return the entropy, as a share of the largest possible."""
    return -(p * p.clamp_min(_TINY).log()).sum(-1) / math.log(p.shape[-1])

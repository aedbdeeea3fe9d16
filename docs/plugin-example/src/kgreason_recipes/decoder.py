"""A decoder: one look, at the node that is nearest to the question."""

from typing import final

import torch
from torch import Tensor, nn

from kgreason.segments import segment_softmax, segment_sum
from kgreason.tensors import States, Trace


@final
class NearestDecoder(nn.Module):
    r"""Looks once, and the more sharply the colder it is: $p_v = \mathrm{softmax}_v(q^\top h_v / t)$.

    Args:
        dim: Width of the states; kgreason gives it.
        temperature: $t$.
    """

    def __init__(self, dim: int, temperature: float = 0.1) -> None:
        super().__init__()
        self.read, self.temperature = nn.Linear(dim, dim), temperature

    def forward(self, states: States) -> Trace:
        rows, batch = states.batch.node_graph, len(states.query)
        near: Tensor = (states.query[rows] * states.nodes).sum(-1) / self.temperature
        p = segment_softmax(near, rows, batch)
        y = self.read(segment_sum(p[:, None] * states.nodes, rows, batch))
        weight = torch.ones_like(y[None, :, 0])
        return Trace(y[None], p[None], weight > 0, weight)

"""One of several choices, each with a row of its own."""

from typing import final

import torch
from torch import nn

from kgreason.answer.label import features, scorer
from kgreason.tensors import Scores, States, Trace


@final
class ChoiceHead(nn.Module):
    r"""Gives each row one score; the rows of one group compete.

    $$s_{bi} = f\big([\,q_b \,;\, y_{bi} \,;\, q_b \odot y_{bi}\,]\big), \qquad
      \mathrm{value}_b = \sum_i w_{bi}\, s_{bi}$$

    Scores are mixed and not probabilities, since every row of a group spreads its weight $w$ over the cycles in its
    own way. The candidate is the position of the row in its group.

    Args:
        dim: Width of the states.
        hidden: Width of a hidden layer (GELU) in $f$; 0 makes $f$ linear.
        dropout: Share of the inputs of $f$, and of its hidden units, that are dropped in training.
    """

    def __init__(self, dim: int, hidden: int = 0, dropout: float = 0.1) -> None:
        super().__init__()
        self.score = scorer(3 * dim, hidden, 1, dropout)

    def forward(self, states: States, trace: Trace) -> Scores:
        s = self.score(features(states, trace))[..., 0]  # (cycles, batch)
        group = states.batch.group
        first = torch.searchsorted(group, group)  # ascending: the first row of each row's group
        candidate = torch.arange(len(group), device=group.device) - first
        return Scores((trace.weight * s).sum(0), group, candidate, s)

"""The relation that holds between two nodes, by name."""

from collections.abc import Sequence
from typing import final

import torch
from torch import nn

from kgreason.answer.label import mix
from kgreason.errors import ConfigError
from kgreason.tensors import Scores, States, Trace

#: What a relation counts of which nothing was found.
_FLOOR = 1e-6


@final
class RelationHead(nn.Module):
    r"""Reads the answer off what the decoder says of relations: a label is the relation of the same name.

    $$s_{il} = \log\big(\max(0, y_i(r_l)) + \delta\big), \qquad
      \mathrm{value} = \log \sum_i w_i\, \mathrm{softmax}(s_i), \qquad \delta = 10^{-6}$$

    where $y_i(r)$ is number $r$ of the output, which `compose` makes the score of relation $r$, and $r_l$ the relation
    called $l$. Nothing is learned here. So what was found about `aunt` as an answer is known about `aunt` as a fact.

    Args:
        dim: Width of the outputs.
        num_labels: How many labels there are.
        label_relations: The relation of each label, -1 for a label that is no relation of the graph; by default the
            labels are the first relations.
        tie: What joins labels to relations: `names`; `random`: another relation for each label, at random, a control;
            `learned`: a linear map of $y_i$ in place of all this, another control.
        seed: Of `random`.

    Raises:
        ConfigError: If a label is no relation of the graph, or `tie` is none of the above.
    """

    def __init__(
        self,
        dim: int,
        num_labels: int,
        label_relations: Sequence[int] | None = None,
        tie: str = "names",
        seed: int = 0,
    ) -> None:
        super().__init__()
        if tie not in ("names", "random", "learned"):
            raise ConfigError(f"[answer] relation: tie = '{tie}' is not known. Known: names, random, learned.")
        if num_labels < 2:
            raise ConfigError(f"[answer] relation: num_labels = {num_labels}; a choice needs at least 2.")
        ids = list(range(num_labels)) if label_relations is None else list(label_relations)
        if tie == "names" and not all(0 <= i < dim for i in ids):
            lost = next(n for n, i in enumerate(ids) if not 0 <= i < dim)
            raise ConfigError(
                f"[answer] relation: label {lost} (counted from 0) is no relation of the knowledge graph. Take a graph "
                "that has all of them in [knowledge], or tie = 'learned'."
            )
        if tie == "random":
            ids = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed)).tolist()
        self.register_buffer("place", torch.tensor(ids), persistent=False)
        self.place: torch.Tensor
        self.learned = nn.Linear(dim, num_labels) if tie == "learned" else None
        self.num_labels = num_labels

    def forward(self, states: States, trace: Trace) -> Scores:
        if self.learned is not None:
            s = self.learned(trace.output)
        else:
            s = (trace.output[..., self.place].clamp_min(0.0) + _FLOOR).log()  # (cycles, batch, labels)
        value = mix(s.log_softmax(-1), trace.weight[..., None])
        labels = torch.arange(self.num_labels, device=s.device)
        group = states.batch.group.repeat_interleave(self.num_labels)
        return Scores(value.flatten(), group, labels.repeat(s.shape[1]), s.flatten(1))

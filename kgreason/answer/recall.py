"""Any entity of the graph, from the question alone: what memory answers."""

from typing import final

import torch
from jaxtyping import Int
from torch import Tensor, nn

from kgreason.answer.label import mix
from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch, Scores, States, Trace


@final
class RecallHead(nn.Module):
    r"""Scores every entity by the question, without a fact: the control of heads that score what a walk reached.

    $$s_{iv} = (W\,[\,q \,;\, y_i\,])^\top e_v + b_v, \qquad \mathrm{value} = \log \sum_i w_i\, \mathrm{softmax}(s_i)$$

    with a learned vector $e_v$ and prior $b_v$ for each entity. In training the candidates are the right answers of the
    batch and `negatives` entities at random (a sampled softmax); else all.

    Args:
        dim: Width of the states.
        num_entities: How many entities the graph has.
        width: Of $e_v$.
        negatives: See above.

    Raises:
        ConfigError: If there is no entity, or a number is less than 1.

    Reference:
        Closed-book question answering (Roberts et al., 2020, arXiv:2002.08910): what is right here was learned from
        the training questions, or known to the language model, and owes nothing to the graph.
    """

    def __init__(self, dim: int, num_entities: int, width: int = 64, negatives: int = 1000) -> None:
        super().__init__()
        if min(width, negatives, num_entities) < 1:
            raise ConfigError(
                f"[answer] recall: width = {width}, negatives = {negatives}, entities = {num_entities}; "
                "all must be at least 1."
            )
        self.negatives = negatives
        self.ask = nn.Linear(2 * dim, width)
        self.vectors, self.prior = nn.Embedding(num_entities, width), nn.Embedding(num_entities, 1)
        nn.init.normal_(self.vectors.weight, std=width**-0.5)
        nn.init.zeros_(self.prior.weight)

    def forward(self, states: States, trace: Trace) -> Scores:
        query = states.query.expand_as(trace.output)
        asked = self.ask(torch.cat([query, trace.output], dim=-1))
        entity = self._candidates(states.batch)
        s = asked @ self.vectors(entity).T + self.prior(entity)[:, 0]  # (cycles, batch, candidates)
        value = mix(s.log_softmax(-1), trace.weight[..., None])
        group = states.batch.group.repeat_interleave(len(entity))
        return Scores(value.flatten(), group, entity.repeat(len(value)), s.flatten(1), partial=True)

    def _candidates(self, batch: GraphBatch) -> Int[Tensor, " candidates"]:
        entities, device = self.vectors.num_embeddings, batch.group.device
        if not self.training or batch.target is None or entities <= self.negatives:
            return torch.arange(entities, device=device)
        drawn = torch.randint(entities, (self.negatives,), device=device)
        kept: Tensor = torch.unique(torch.cat([batch.target[1][batch.target[1] >= 0], drawn]))
        return kept

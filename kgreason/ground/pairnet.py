"""Which relation a text states between any two people it mentions, by a language model that is tuned for it.

Loads torch; only a grounder that was asked for a language model imports it.
"""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kgreason.ground.tales import Pieces
from kgreason.pretrained import load_model

#: Layers of the language model that stay as they are, after the embeddings, which do too.
_FROZEN = 1
_HEADS, _WIDTH, _DROPOUT = 4, 256, 0.2
#: Mentions further apart than this many pieces state nothing together.
_REACH = 80
#: Distances are told apart by powers of two, and by direction.
_FAR = 8
#: The score of a pair of which no two mentions are near each other, and the first one of any relation (none: 0).
_NOBODY, _FIRST = -30.0, -3.0


@final
class PairNet(nn.Module):
    r"""Scores each relation for each two people, by all mentions of the two that stand near each other.

    $$\begin{aligned}
      h &= \mathrm{LM}(\text{text}) && \text{one state for each piece} \\
      a_{ij} &= \mathrm{softmax}_t\big(\tfrac{1}{10}\,(Q h_i + Q' h_j)^\top K h_t\big), \quad
      c_{ij} = \textstyle\sum_t a_{ijt} V h_t && \text{what the text says of mentions } i \text{ and } j \\
      s_{ij} &= \mathrm{MLP}\big(A h_i + B h_j + C c_{ij} + D h_i \odot D' h_j + f_{j-i}\big) \\
      S_{xz}(r) &= \log \textstyle\sum_{i \in x,\, j \in z} \exp s_{ij}(r), \qquad S_{xz}(\varnothing) = 0
    \end{aligned}$$

    with four heads of attention. A softmax over $S_{xz}$ is how sure each relation is, or none, from $x$ to $z$. Two
    near mentions are enough to state something, and mentions elsewhere take nothing away from it.

    Args:
        relations: How many relations there are.
        model: What `kgreason.pretrained.load_model` takes. Its embeddings and first layer stay as they are.

    Reference:
        Pairs of people pooled over mentions, with a context of their own, are ATLOP's (Zhou et al., 2021,
        arXiv:2010.11304); here mentions are paired before they are pooled, and attention is learned for it.
    """

    def __init__(self, relations: int, model: str = "minilm") -> None:
        super().__init__()
        self.lm = load_model(model)
        d = int(self.lm.config.hidden_size)
        self.query, self.query_too = nn.Linear(d, d), nn.Linear(d, d, bias=False)
        self.key, self.value = nn.Linear(d, d), nn.Linear(d, d)
        self.head, self.tail, self.said = (nn.Linear(d, _WIDTH) for _ in range(3))
        self.head_by, self.tail_by = nn.Linear(d, _WIDTH), nn.Linear(d, _WIDTH)
        self.far = nn.Embedding(2 * _FAR, _WIDTH)
        nn.init.normal_(self.far.weight, std=0.1)
        inner = (nn.GELU(), nn.Dropout(_DROPOUT), nn.Linear(_WIDTH, _WIDTH), nn.GELU(), nn.Dropout(_DROPOUT))
        last = nn.Linear(_WIDTH, relations)
        nn.init.constant_(last.bias, _FIRST)
        self.out = nn.Sequential(*inner, last)
        frozen = [self.lm.embeddings, *self.lm.encoder.layer[:_FROZEN]] if hasattr(self.lm, "encoder") else []
        for part in frozen:
            part.requires_grad_(False)

    def forward(self, texts: Sequence[Pieces], people: Sequence[int]) -> list[Float[Tensor, "people people classes"]]:
        """Return $S$ for each text, no relation first.

        Args:
            texts: In word pieces.
            people: How many people each text has.
        """
        width = max(len(text.ids) for text in texts)
        ids = torch.tensor([text.ids + [0] * (width - len(text.ids)) for text in texts])
        mask = torch.tensor([[1] * len(text.ids) + [0] * (width - len(text.ids)) for text in texts])
        states = self.lm(input_ids=ids, attention_mask=mask).last_hidden_state
        return [self._pairs(states[b, : len(t.ids)], t, n) for b, (t, n) in enumerate(zip(texts, people, strict=True))]

    def _pairs(self, h: Float[Tensor, "pieces dim"], text: Pieces, people: int) -> Tensor:
        place, who = torch.tensor(text.place, dtype=torch.long), torch.tensor(text.who, dtype=torch.long)
        near = (place[:, None] - place).abs() <= _REACH
        i, j = ((who[:, None] != who) & near).nonzero().T
        at = h[place]
        x = self.head(at)[i] + self.tail(at)[j] + self.said(self._context(h, at, i, j))
        x = x + self.head_by(at)[i] * self.tail_by(at)[j] + self.far(_distance(place[j] - place[i]))
        return _pool(self.out(x).float(), who[i] * people + who[j], people)

    def _context(self, h: Tensor, at: Tensor, i: Tensor, j: Tensor) -> Float[Tensor, "pairs dim"]:
        """Return $c$: each head attends by the sum of what the two mentions ask for."""

        def heads(x: Tensor) -> Tensor:
            return x.view(len(x), _HEADS, -1).transpose(0, 1)

        key, value = heads(self.key(h)), heads(self.value(h))
        ask, ask_too = (heads(query(at)) @ key.transpose(1, 2) / 10 for query in (self.query, self.query_too))
        weight = (ask[:, i] + ask_too[:, j]).float().softmax(-1).to(value.dtype)
        found: Tensor = (weight @ value).transpose(0, 1).reshape(len(i), -1)
        return found


def _distance(gap: Int[Tensor, " pairs"]) -> Int[Tensor, " pairs"]:
    size = gap.abs().clamp_min(1).float().log2().clamp_max(_FAR - 1).long()
    return size + _FAR * (gap > 0).long()


def _pool(
    score: Float[Tensor, "pairs relations"], cell: Int[Tensor, " pairs"], people: int
) -> Float[Tensor, "people people classes"]:
    """Return the log of the summed exponentials of all that falls into a cell; none is 0."""
    wide = cell[:, None].expand_as(score)
    empty = score.new_full((people * people, score.shape[1]), _NOBODY)
    top = empty.scatter_reduce(0, wide, score.detach(), "amax")
    whole = torch.zeros_like(empty).index_add(0, cell, (score - top[cell]).exp())
    pooled = whole.clamp_min(1.0).log() + top  # 1 at least where there is anything: the best one itself
    return torch.cat([torch.zeros_like(pooled[:, :1]), pooled], -1).view(people, people, -1)

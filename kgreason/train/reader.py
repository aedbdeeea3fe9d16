"""Teaches a reader which statements a text makes: a small network over signs, by what texts are known to say."""

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional

#: Statements in one step; groups stay whole.
_STEP = 1500
_WIDTH = 64
#: Share of the signs that is hidden in each step, and of the units.
_HIDDEN, _DROPOUT = 0.1, 0.3
_DECAY = 1e-4


@runtime_checkable
class Signs(Protocol):
    """Statements as numbers; see `kgreason.ground.reader.Lessons`."""

    sign: ndarray
    start: ndarray
    group: ndarray
    right: ndarray


class _Net(nn.Module):
    def __init__(self, signs: int, width: int) -> None:
        super().__init__()
        self.embed = nn.EmbeddingBag(signs, width, mode="sum")
        self.linear = nn.EmbeddingBag(signs, 1, mode="sum")
        nn.init.normal_(self.embed.weight, std=0.1)
        nn.init.zeros_(self.linear.weight)
        self.bias = nn.Parameter(torch.zeros(width))
        self.hidden, self.out = nn.Linear(width, width), nn.Linear(width, 1, bias=False)
        self.nobody = nn.Parameter(torch.zeros(1))

    def forward(self, sign: Int[Tensor, " signs"], start: Int[Tensor, " statements"]) -> Float[Tensor, " statements"]:
        kept = (torch.rand(len(sign)) > _HIDDEN).float() / (1 - _HIDDEN)
        h = functional.dropout(torch.relu(self.embed(sign, start, per_sample_weights=kept) + self.bias), _DROPOUT)
        h = functional.dropout(torch.relu(self.hidden(h)), _DROPOUT)
        found: Tensor = (self.out(h) + self.linear(sign, start, per_sample_weights=kept))[:, 0]
        return found


def teach_reader(lessons: Signs, signs: int, epochs: int = 5, rate: float = 2e-3, seed: int = 0) -> dict[str, ndarray]:
    r"""Return the tables of a reader that makes $-\log \sum_{h \text{ right}} p(h)$ small, nobody where none is right.

    Args:
        lessons: What to learn from, with `right`.
        signs: How many signs there are.
        epochs: How often all is read.
        rate: Of AdamW; falls to 0 in a straight line.
        seed: Of the first weights, the order and what is hidden.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _Net(signs, _WIDTH)
        optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=_DECAY)
        cuts = _cuts(lessons.group)
        steps = epochs * (len(cuts) - 1)
        taken = 0
        for _ in range(epochs):
            for i in torch.randperm(len(cuts) - 1).tolist():
                for group in optimiser.param_groups:
                    group["lr"] = rate * (1 - taken / steps)
                taken += 1
                optimiser.zero_grad()
                _loss(net, lessons, cuts[i], cuts[i + 1]).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
    return _tables(net)


def _loss(net: _Net, lessons: Signs, first: int, last: int) -> Float[Tensor, ""]:
    low, high = lessons.start[first], lessons.start[last]
    score = net(
        torch.from_numpy(lessons.sign[low:high].astype(np.int64)),
        torch.from_numpy(lessons.start[first:last] - low),
    )
    right = torch.from_numpy(lessons.right[first:last].astype(np.float32))
    names, group = np.unique(lessons.group[first:last], return_inverse=True)
    at, many = torch.from_numpy(group), len(names)
    top = net.nobody.detach().expand(many).scatter_reduce(0, at, score.detach(), "amax")
    each, none = (score - top[at]).exp(), (net.nobody - top).exp()
    whole = none.index_add(0, at, each)
    meant = torch.zeros(many).index_add(0, at, each * right)
    said = torch.zeros(many).index_add(0, at, right) > 0
    loss: Tensor = (whole.log() - torch.where(said, meant, none).clamp_min(1e-20).log()).mean()
    return loss


def _cuts(group: ndarray) -> list[int]:
    """Return where to cut so that no group is cut in two."""
    last = np.zeros(int(group.max()) + 1, np.int64)
    np.maximum.at(last, group, np.arange(len(group)))
    reach = np.maximum.accumulate(last[group])
    cuts = [0]
    for end in (np.flatnonzero(reach == np.arange(len(group))) + 1).tolist():
        if end - cuts[-1] >= _STEP or end == len(group):
            cuts.append(end)
    return cuts


def _tables(net: _Net) -> dict[str, ndarray]:
    parts = {
        "embed": net.embed.weight,
        "bias": net.bias,
        "hidden": net.hidden.weight,
        "hidden_bias": net.hidden.bias,
        "out": net.out.weight[0],
        "linear": net.linear.weight[:, 0],
        "nobody": net.nobody,
    }
    return {name: part.detach().numpy().copy() for name, part in parts.items()}

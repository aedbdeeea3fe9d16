"""What a decoder that follows instructions has in sight, and how one instruction moves it."""

from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kgreason import frontier
from kgreason.arrivals import Arrivals, around, arrive
from kgreason.frontier import Facts
from kgreason.segments import segment_softmax
from kgreason.tensors import Frontier


@final
class InSight(NamedTuple):
    """The entities in sight of each row.

    Args:
        frontier: They, and a distribution over them: their scores sum to 1 in each row that has any.
        state: A vector of each; of none before the first cycle.
    """

    frontier: Frontier
    state: Tensor

    @classmethod
    def at(cls, begin: Frontier, like: Tensor) -> "InSight":
        """Stand at the entities of a frontier, with its scores brought to sum 1. `like` tells device and width."""
        total = torch.zeros(begin.num_rows).index_add(0, begin.row, begin.score).clamp_min(1e-12)
        p = (begin.score / total[begin.row]).to(like)
        return cls(begin.with_score(p), like.new_zeros(0, like.shape[1]))

    def only(self, rows: Bool[Tensor, " batch"]) -> "InSight":
        """Return the same for some rows; the others see nothing."""
        kept = rows.cpu()[self.frontier.row]
        count = torch.where(rows.cpu(), self.frontier.ptr.diff(), 0)
        ptr = torch.cat([count.new_zeros(1), count.cumsum(0)])
        there = kept.to(self.state.device)
        front = Frontier(ptr, self.frontier.entity[kept], self.frontier.score[there])
        return InSight(front, self.state[there] if len(self.state) else self.state)


class Moved(NamedTuple):
    """How a cycle came to where it is: shares of relations, whether it got anywhere, facts touched."""

    relation: Float[Tensor, "batch directed"]
    open: Float[Tensor, " batch"]
    touched: Int[Tensor, " batch"]


@final
class Propagate(nn.Module):
    """Moves a distribution over entities one hop, as an instruction says; `InstructDecoder` has the equations.

    Args:
        dim: Width of the states.
        facts: The knowledge graph.
        budget: How many facts a row may touch; 0 for any number.
        keep: From how many entities a row may go on; 0 for all.
    """

    def __init__(self, dim: int, facts: Facts, budget: int, keep: int) -> None:
        super().__init__()
        self.facts, self.budget, self.keep = facts, budget, keep
        self.message, self.around = nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.before, self.came = nn.Linear(dim, dim), nn.Linear(dim, dim, bias=False)
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(
        self, sight: InSight, instruction: Float[Tensor, "batch dim"], relation: Float[Tensor, "directed dim"]
    ) -> tuple[InSight, Moved]:
        arrived = arrive(self.facts, sight.frontier, self.budget, self.keep)
        m = (instruction[:, None] * self.message(relation)).relu()
        # W_2 is applied to the messages: there are fewer relations than entities
        e = (self.before(self._before(sight, arrived, relation)) + arrived.counts.times(self.came(m))).relu()
        row = arrived.frontier.row.to(e.device)
        p = segment_softmax(self.score(e)[:, 0], row, len(instruction))
        here = InSight(arrived.frontier.with_score(p), e)
        return here, _moved(arrived, p.detach(), relation.shape[0])

    def _before(self, sight: InSight, arrived: Arrivals, relation: Tensor) -> Float[Tensor, "reached dim"]:
        """Return the states that entities had, or begin with."""
        fresh = around(self.facts, arrived.frontier).times(self.around(relation)[None]).relu()
        if not len(sight.state):
            return fresh
        place = frontier.find(self.facts, arrived.frontier, sight.frontier).to(fresh.device)
        return torch.where((place >= 0)[:, None], sight.state[place.clamp_min(0)], fresh)


def _moved(arrived: Arrivals, p: Tensor, directed: int) -> Moved:
    counts, rows = arrived.counts, arrived.frontier.num_rows
    place = counts.place
    share = counts.value.detach().to(p) * p[place.to(p.device)]
    at = (counts.row[place] * directed + counts.relation).to(p.device)
    relation = p.new_zeros(rows * directed).index_add(0, at, share).view(rows, directed)
    total = relation.sum(1, keepdim=True)
    reached = arrived.frontier.ptr.diff() > 0
    return Moved(relation / total.clamp_min(1e-30), reached.to(p), arrived.touched)

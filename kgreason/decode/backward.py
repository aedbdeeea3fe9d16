"""The teacher of a decoder that follows instructions: it walks back from the answers."""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kgreason import frontier
from kgreason.decode.sight import InSight, Propagate
from kgreason.frontier import Facts
from kgreason.tensors import Frontier, GraphBatch


@final
class BackwardTeacher(nn.Module):
    r"""Walks from the answers to the seeds with the instructions in reverse, and asks both walks to meet.

    With $n$ the number of cycles that explains a row's answers best, $n = \arg\max_k w_k \sum_{v \in A} p^k_v$, and
    $b^j$ the backward distribution after $j$ cycles, $b^0$ even over the answers $A$, instruction $x_{n-j+1}$ in cycle
    $j$ and every relation read as its inverse:

    $$\mathrm{loss} = \mathrm{KL}\big(p^0 \,\|\, b^n\big) + \textstyle\sum_{j=1}^{n-1}
      \mathrm{JS}\big(b^j, p^{n-j}\big), \qquad \text{mean over the rows}$$

    The cycles between, for which there are no answers, are so taught where to stand. Its weights are its own; it is
    there in training only.

    Args:
        dim: Width of the states.
        facts: The knowledge graph.
        budget: How many facts a row may touch in a cycle; 0 for any number.
        keep: From how many entities a row may go on; 0 for all.

    Reference:
        NSM's parallel bidirectional reasoning (He et al., 2021, arXiv:2101.03737, section 4.2). There a teacher is
        trained first and a student then learns from it; here both learn at once, and $n$ is not fixed.
    """

    def __init__(self, dim: int, facts: Facts, budget: int, keep: int) -> None:
        super().__init__()
        self.facts, self.propagate = facts, Propagate(dim, facts, budget, keep)

    def forward(
        self,
        batch: GraphBatch,
        ahead: Sequence[InSight],
        weight: Float[Tensor, "cycles batch"],
        instruction: Float[Tensor, "cycles batch dim"],
        relation: Float[Tensor, "directed dim"],
    ) -> Float[Tensor, ""]:
        """Return the loss; `ahead` is what the walk had in sight before the first cycle and after each."""
        right = answers(batch)
        n = self._length(right, ahead, weight)
        rows = torch.arange(len(n), device=weight.device)
        back, inverse = InSight.at(right, instruction[0]), relation.roll(self.facts.num_relations, 0)
        loss = instruction.new_zeros(())
        for j in range(1, len(ahead)):
            runs = n >= j
            x = instruction[(n - j).clamp_min(0).to(rows.device), rows]
            back, _ = self.propagate(back.only(runs), x, inverse)
            for k in range(len(ahead) - j):
                here = runs & (n - j == k)
                if here.any():
                    loss = loss + self._apart(back.only(here).frontier, ahead[k].only(here).frontier, last=k == 0)
        return loss / max(len(n), 1)

    def _apart(self, back: Frontier, ahead: Frontier, last: bool) -> Float[Tensor, ""]:
        return cross(self.facts, ahead, back) if last else jensen_shannon(self.facts, back, ahead)

    def _length(self, right: Frontier, ahead: Sequence[InSight], weight: Tensor) -> Int[Tensor, " batch"]:
        """Return how many cycles explain the answers of each row best; 0 where it has none."""
        mass = []
        for w, sight in zip(weight, ahead[1:], strict=True):
            front = sight.frontier
            hit = frontier.find(self.facts, front, right) >= 0
            on = torch.zeros(len(w)).index_add(0, front.row[hit], front.score.detach().cpu()[hit])
            mass.append(w.detach().cpu() * (on + 1e-6))  # where none is reached yet, the halting decides
        return torch.where(right.ptr.diff() > 0, torch.stack(mass).argmax(0) + 1, 0)


def answers(batch: GraphBatch) -> Frontier:
    """Return the right answers of each row that are entities, all alike."""
    assert batch.target is not None
    rows = torch.arange(batch.num_graphs)
    group, entity = batch.target.cpu()
    known: Bool[Tensor, " answers"] = entity >= 0
    wanted = (batch.group.cpu()[:, None] == group[known][None]).nonzero()
    row, which = wanted[:, 0], wanted[:, 1]
    return frontier.seeds(row, entity[known][which], torch.ones(len(row)), len(rows))


def cross(facts: Facts, wanted: Frontier, found: Frontier) -> Float[Tensor, ""]:
    r"""Return $\mathrm{KL}(p \,\|\, b)$, summed over rows, less what does not depend on $b$.

    Entities of $p$ out of the sight of $b$ are left out.
    """
    place = frontier.find(facts, wanted, found)
    met = place >= 0
    return -(wanted.score[met] * found.score[place[met]].clamp_min(1e-12).log()).sum()


def jensen_shannon(facts: Facts, one: Frontier, other: Frontier) -> Float[Tensor, ""]:
    r"""Return $\frac12 \mathrm{KL}(p \,\|\, m) + \frac12 \mathrm{KL}(b \,\|\, m)$, $m = \frac12 (p + b)$, summed."""
    joined, places = frontier.unite(facts, [one, other])
    device = one.score.device
    each = [
        torch.zeros(len(joined.entity), device=device).index_add(0, place.to(device), f.score)
        for place, f in zip(places, (one, other), strict=True)
    ]
    log_m = ((each[0] + each[1]) / 2).clamp_min(1e-12).log()
    total: Tensor = sum(((p * (p.clamp_min(1e-12).log() - log_m)).sum() for p in each), torch.zeros((), device=device))
    return total / 2

"""The decoder that walks the whole knowledge graph, one hop per cycle."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kgreason import frontier
from kgreason.decode.control import CONTROLS, Control, Wanted
from kgreason.decode.course import Course
from kgreason.decode.halt import HALTS, Halt, looks_ahead
from kgreason.decode.relations import RELATION_SCORES, RelationScores
from kgreason.errors import ConfigError
from kgreason.frontier import Facts, Hops
from kgreason.tensors import Frontier, GraphBatch, States, Trace

#: PonderNet without its prior: nothing says beforehand how many hops a question takes.
PONDER: Mapping[str, Any] = MappingProxyType({"name": "ponder", "strength": 0.0})
STEPS: Mapping[str, Any] = MappingProxyType({"name": "steps"})
IDS: Mapping[str, Any] = MappingProxyType({"name": "ids"})
HOPS = Hops()
#: The log of the weight of going on where nothing leaves: a row stops there.
_NO_MORE = -20.0


@final
class TransferDecoder(nn.Module):
    r"""Moves a score from the seed entities along relations that the question chooses, one hop per cycle.

    $$\begin{aligned}
      x_i &= \mathrm{control}_i(q, H) && \text{what to look for now, in the question} \\
      w_i &= \mathrm{softmax}_{r \in L_i}\big(f(x_i)_r\big) && \text{over the relations that leave where it stands} \\
      e_i[o] &= \textstyle\sum_{(s, r, o)} e_{i-1}[s]\, w_i[r] - \beta_i[o], \qquad e_i \leftarrow e_i / \max(1, e_i)
            && \text{one hop in the graph} \\
      y_i &= c_i + x_i && \text{what halting reads, or with } \texttt{halt.ahead} \\
      \lambda_i &= \sigma\big(v^\top y_{i+1} + b - \log \textstyle\sum_{r \in L_{i+1}} e^{f(x_{i+1})_r}\big)
            && \text{stopping against all that could follow}
    \end{aligned}$$

    $e_0$ holds the scores of the seeds. Both directions of every triple are followed; relations with $w_i[r] < \theta$
    are not, so that early in training, when all weights are alike, the walk is wide, and later it is narrow.
    $\beta$ is what would come back by the very fact it left by two hops before (`kgreason.frontier.returning`); the
    factor $1 / \max(1, e)$ has no gradient. $L_i$ are the relations with at least one fact at the frontier: a softmax
    over all could spend its weight, at no cost, on relations that lead nowhere, and the walk would die of it. With
    `halt = { name = "ponder", strength = 0.0, ahead = true }` a row stops where the next cycle finds no relation that
    outweighs stopping, as a sequence ends by a symbol of its own; where nothing leaves, it stops. With
    `walk = { threshold = 0.0, budget = 0, returns = true, closed = true }` this is the paper's model.

    Args:
        dim: Width of the states.
        facts: The knowledge graph.
        relation_vectors: Gives a vector for the text of each relation; asked only by `relations` that read texts.
        cycles: How many hops a row may go.
        control: How the question is read, from the table `CONTROLS`.
        relations: How relations are scored, $f$, from the table `RELATION_SCORES`.
        halt: How much each cycle counts in the answer, from the table `HALTS`.
        walk: How the walk goes; see `Hops`.

    Raises:
        ConfigError: If a number is out of range or a choice is not known.

    Reference:
        TransferNet (Shi et al., 2021, arXiv:2104.07302, equations 1 to 6). Ours: $L$, $\beta$ (there, what two hops of
        opposite relations bring back is set to 0 for one data set), the halting, and the sparse frontier.
    """

    def __init__(
        self,
        dim: int,
        facts: Facts,
        relation_vectors: Callable[[], Tensor],
        cycles: int = 3,
        control: Control | Mapping[str, Any] = STEPS,
        relations: RelationScores | Mapping[str, Any] = IDS,
        halt: Halt | Mapping[str, Any] = PONDER,
        walk: Hops | Mapping[str, Any] = HOPS,
    ) -> None:
        super().__init__()
        if cycles < 1:
            raise ConfigError(f"[decode] transfer: cycles = {cycles}, expected at least 1.")
        self.facts, self.cycles, self.walk = facts, cycles, Hops.of(walk)
        context = {"dim": dim, "num_relations": facts.num_relations, "relation_vectors": relation_vectors}
        self.relations = RELATION_SCORES.build(relations, **context) if isinstance(relations, Mapping) else relations
        self.control = CONTROLS.build(control, dim=dim, cycles=cycles) if isinstance(control, Mapping) else control
        self.halt = HALTS.build(halt, dim=dim) if isinstance(halt, Mapping) else halt

    def forward(self, states: States) -> Trace:
        course = Course(states, self.control, self.halt, self.cycles)
        path = Path(self.facts, self.walk, start(states.batch))
        for cycle in range(1, self.cycles + 1):
            wanted, runs = course.look(), course.runs[:, None]
            w, share = path.weigh(self.relations(wanted.read))
            touched = path.hop(w.masked_fill(~runs, -1.0))  # a row that has halted touches nothing more
            ahead = self._ahead(course.peek(wanted), path) if looks_ahead(self.halt) and cycle < self.cycles else None
            course.tell(wanted, w * runs, share, touched, ahead)
        return course.trace(path.steps)

    def _ahead(self, then: Wanted, path: "Path") -> tuple[Wanted, Float[Tensor, " batch"]]:
        """Return what the next cycle would look for, and the log of the weight of all it could follow."""
        logits = self.relations(then.read)
        there = frontier.leaving(self.facts, path.steps[-1]).to(logits.device)
        return then, logits.masked_fill(~there, torch.finfo(logits.dtype).min).logsumexp(-1).clamp_min(_NO_MORE)


@final
class Path:
    """A walk under way: where each row stood before the first hop and after each."""

    def __init__(self, facts: Facts, walk: Hops, begin: Frontier) -> None:
        self.facts, self.walk, self.steps = facts, walk, [begin]
        self._weights: list[Tensor] = []
        self._factor = torch.ones_like(begin.score)

    def weigh(
        self, logits: Float[Tensor, "batch directed"]
    ) -> tuple[Float[Tensor, "batch directed"], Float[Tensor, " batch"]]:
        """Return the weights of the relations that leave the frontier, and what share of all weight these have."""
        w = logits.softmax(-1)
        there = frontier.leaving(self.facts, self.steps[-1]).to(w.device)
        share = (w * there).sum(-1)
        if self.walk.closed:
            return w, share
        return logits.masked_fill(~there, torch.finfo(logits.dtype).min).softmax(-1) * there, share

    def take(self, rows: Int[Tensor, " rows"]) -> "Path":
        """Return the walk under way with other rows of it, some of them several times."""
        chosen = Path(self.facts, self.walk, self.steps[-1])
        chosen.steps = [step.take(rows) for step in self.steps[-2:]]
        chosen._weights = [w[rows] for w in self._weights[-1:]]
        chosen._factor = self.steps[-1].with_score(self._factor).take(rows).score
        return chosen

    def hop(self, w: Float[Tensor, "batch directed"]) -> Tensor:
        """Go one hop along relations of these weights; return how many facts each row touched."""
        found, touched = frontier.hop(self.facts, self.steps[-1], w, self.walk.threshold, self.walk.budget)
        score = found.score
        if self._weights and not self.walk.returns:
            score = self._without_returns(found, self._weights[-1], w)
        self._weights.append(w)
        self._factor = 1 / score.detach().clamp_min(1)
        self.steps.append(found.with_score(score * self._factor))
        return touched

    def _without_returns(self, found: Frontier, before: Tensor, w: Tensor) -> Tensor:
        """Return the scores less what came back by the fact it had left by."""
        back = w.roll(self.facts.num_relations, dims=1)  # the weight of each relation's inverse
        both = (before >= self.walk.threshold) & (back >= self.walk.threshold)
        home = frontier.returning(
            self.facts, self.steps[-2], torch.where(both, before * back, 0.0), self.steps[-1], self._factor
        )
        place = frontier.find(self.facts, self.steps[-2], found)
        met = place >= 0
        return found.score.index_add(0, place[met], -home[met]).clamp_min(0)


def start(batch: GraphBatch) -> Frontier:
    """Return the entities in the batch, each with its score."""
    node = (batch.node_entity >= 0).nonzero()[:, 0].cpu()
    row, entity, score = (column.cpu()[node] for column in (batch.node_graph, batch.node_entity, batch.node_score))
    return frontier.seeds(row, entity, score.float(), len(batch.input_ids))

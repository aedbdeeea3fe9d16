"""The decoder that composes relations: what two facts in a row come to, over and over, until nothing new follows."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kgreason.decode.places import Places, lay_out
from kgreason.errors import ConfigError
from kgreason.frontier import Facts
from kgreason.segments import segment_sum
from kgreason.tensors import Chart, States, Trace

#: A table of more symbols than this has more entries (64 million) than memory should be spent on.
_MOST_SYMBOLS = 400
#: A chart counts as still if no entry rises by more than this.
_STILL = 1e-5
#: What an entity that no walk reaches counts, beside one that is what was asked for (1).
_UNREACHED = 1e-4


@final
class ComposeDecoder(nn.Module):
    r"""Composes relations along all paths of the graph at once; each cycle sees what all earlier ones have found.

    A chart holds, for each pair of nodes, how sure each relation is to hold between them. It starts from the edges, and
    every cycle composes each two neighbouring entries by one learned table:

    $$\begin{aligned}
      C_{pq} &= \mathrm{softmax}\big([\,W_{pq1} \dots W_{pqS},\, w_\varnothing\,]\big)
            && \text{what } p \text{ followed by } q \text{ comes to; } \varnothing\text{: nothing with a name} \\
      E^0_{xz} &= \text{the scores of the edges from } x \text{ to } z \\
      F^i_{xz}(r) &= \max_y \sum_{p,q} E^{i-1}_{xy}(p)\, E^{i-1}_{yz}(q)\, C_{pq}(r)
            && \text{the best of all ways to cut the path in two} \\
      E^i_{xz} &= \max\big(E^{i-1}_{xz},\, \min(1, F^i_{xz})\big), \qquad E^i_{xx} = 0 \\
      \rho_i &= \textstyle\sum_z p_{iz}\, E^i_{sz}, \qquad
      y_i = \big[\,\rho_i \,;\, U \textstyle\sum_z p_{iz} h_z\,\big]
    \end{aligned}$$

    so that the first $S$ numbers of $y_i$ are relations, and $\rho_i$ is what holds between what was asked about. The
    weights are shared by all cycles. Pairs that compose to nothing known end in $\varnothing$ or stay spread out, and
    lose against orders of reduction that go through pairs that are known: no order is given, and none is preferred.
    $E$ only rises and stays below 1, so a cycle in the graph adds nothing and there is a fixed point. A row halts where
    nothing changes any more; how many cycles that takes follows from how long its chains are.

    **Which relation?** Where a SENTENCE node has an `agent` and a `patient` (SEMANTIC edges), these are the source $s$
    and the target $z$, and $p$ lies on the target. Edges that lie on no path between them are left out: they cannot
    matter. **Which entity?** Elsewhere the sources are the entities that the text names (LINK edges; without any, all
    entities), a relation is wanted, $w = \mathrm{softmax}(W_q q)$, and

    $$p_{iz} \propto \delta + \textstyle\sum_r w_r\, \max_s E^i_{sz}(r)$$

    over the nodes of the row, with $\delta = 10^{-4}$.

    Args:
        dim: Width of the states; at least the number $S$ of symbols.
        facts: The knowledge graph, whose relations the symbols are.
        cycles: The most cycles that a row runs.
        until: `settled`: a row runs until nothing changes; `all`: every row runs all cycles.
        directions: `forward`: edges are taken from source to target; `both`: also back, as relations of their own, so
            that $S$ counts inverses too.
        latent: How many symbols without a name are added, for what the graph has no relation for.
        nothing: The first value of $w_\varnothing$. The higher, the less a pair that was never seen comes to.

    Raises:
        ConfigError: If a number is out of range, a choice is none of those above, or `dim` is too small.

    Reference:
        A chart parser (Kasami 1965; Younger 1967) in the max-product semiring (Goodman 1999, J99-4004) whose grammar is
        learned from the labels of whole paths, on a graph in place of a sentence. Composition tables for kinship:
        Neural LP, CTP (Minervini et al., 2020, arXiv:2007.06477), R5 (Lu et al., 2022, arXiv:2205.06454).
    """

    def __init__(
        self,
        dim: int,
        facts: Facts,
        cycles: int = 16,
        until: str = "settled",
        directions: str = "forward",
        latent: int = 0,
        nothing: float = 4.0,
    ) -> None:
        super().__init__()
        if cycles < 1 or latent < 0:
            raise ConfigError(f"[decode] compose: cycles = {cycles}, latent = {latent}; expected at least 1 and 0.")
        for name, value, known in (
            ("until", until, ("settled", "all")),
            ("directions", directions, ("forward", "both")),
        ):
            if value not in known:
                raise ConfigError(f"[decode] compose: {name} = '{value}' is not known. Known: {', '.join(known)}.")
        self.relations, self.latent = facts.num_relations, latent
        self.symbols = facts.num_relations * (2 if directions == "both" else 1) + latent
        if not 0 < self.symbols <= min(dim, _MOST_SYMBOLS):
            raise ConfigError(
                f"[decode] compose: the graph's relations come to {self.symbols} symbols; expected at least 1, and at "
                f"most {min(dim, _MOST_SYMBOLS)} (the width of the states is {dim}). Set a larger dim in [encode]."
            )
        self.cycles, self.until, self.directions = cycles, until, directions
        weight = torch.randn(self.symbols, self.symbols, self.symbols + 1) * 0.1
        weight[..., -1] += nothing
        self.weight = nn.Parameter(weight)
        self.wanted = nn.Linear(dim, self.symbols)
        self.read = nn.Linear(dim, dim - self.symbols, bias=False) if dim > self.symbols else None

    @property
    def table(self) -> Float[Tensor, "symbols symbols symbols"]:
        """What each relation (first) followed by another (second) comes to; what is missing to 1 is nothing."""
        return self.weight.softmax(-1)[..., :-1]

    def forward(self, states: States) -> Trace:
        places = lay_out(states.batch, self.relations, self.symbols, self.directions)
        table, e = self.table, places.edges
        runs = torch.ones(len(states.query), dtype=torch.bool, device=e.device)
        steps: list[tuple[Tensor, ...]] = []
        charts = [e]
        while len(steps) < self.cycles:
            new = torch.maximum(e, compose(e, table))
            moved = (new - e).detach().flatten(1).amax(1) > _STILL if e.numel() else torch.zeros_like(runs)
            runs = runs & (moved | (not steps) | (self.until == "all"))
            if not runs.any():
                break
            e = torch.where(runs[:, None, None, None], new, e)
            charts.append(e)
            steps.append((*self._look(e, places, states), runs))
        output, attention, running = self._filled(steps)
        last = running.sum(0) - 1
        weight = torch.arange(len(running), device=last.device)[:, None] == last
        pair = self._pair(e, places, attention[-1], states)
        chart = Chart(torch.stack(charts), table, places.node, pair, self.symbols - self.latent)
        return Trace(output, attention, running, weight.to(output.dtype), chart=chart)

    def _look(self, e: Tensor, places: Places, states: States) -> tuple[Tensor, Tensor]:
        """Return $y_i$ and $p_i$."""
        reached = (e * places.source[:, :, None, None]).amax(1) if e.shape[1] else e.sum(1)  # (batch, places, symbols)
        wanted = self.wanted(states.query).softmax(-1)
        fits = (reached * wanted[:, None]).sum(-1)
        score = torch.full_like(states.batch.node_score, _UNREACHED).index_add(0, places.nodes, fits[places.at])
        row = states.batch.node_graph
        share = score / segment_sum(score, row, len(wanted)).clamp_min(_UNREACHED)[row]
        asked = places.asked[row]
        p = torch.where(asked, places.is_target, share)
        held = p.new_zeros(fits.shape).index_put(places.at, p[places.nodes])
        relation = (held[..., None] * reached).sum(1)
        if self.read is None:
            return relation, p
        return torch.cat([relation, self.read(segment_sum(p[:, None] * states.nodes, row, len(wanted)))], -1), p

    def _pair(self, e: Tensor, places: Places, p: Tensor, states: States) -> Tensor:
        """Return what each row asks about; where that is an entity, what its answer so far rests on."""
        if not e.shape[1]:
            return places.pair
        looked = torch.full(places.node.shape, -1.0).to(p).index_put(places.at, p[places.nodes])
        target = looked.argmax(1)
        ways = (e * self.wanted(states.query).softmax(-1)[:, None, None]).sum(-1) * places.source[:, :, None]
        source = ways[torch.arange(len(target)), :, target].argmax(1)
        found = torch.stack([source, target]).masked_fill(places.source.sum(1) == 0, -1)
        return torch.where(places.asked, places.pair, found)

    def _filled(self, steps: list[tuple[Tensor, ...]]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the columns of the trace, each with all cycles: where nobody ran, the last one stands on."""
        y, p, runs = steps[-1]
        steps = steps + [(y, p, torch.zeros_like(runs))] * (self.cycles - len(steps))
        output, attention, running = (torch.stack(column) for column in zip(*steps, strict=True))
        return output, attention, running


def compose(
    e: Float[Tensor, "batch places places symbols"], table: Float[Tensor, "symbols symbols symbols"]
) -> Float[Tensor, "batch places places symbols"]:
    r"""Return $\min(1, F)$ for a chart: what each two neighbouring entries come to, the best over the place between.

    The cost is $N^2 S^3 + N^3 S^2$ for $N$ places and $S$ symbols: first the left entry is put into the table, then one
    matrix product for each place between.
    """
    batch, n, _, s = e.shape
    if not n:
        return e
    left = (e.reshape(-1, s) @ table.reshape(s, s * s)).view(batch, n, n, s, s)  # x, y, q, r
    left = left.permute(0, 2, 1, 4, 3).reshape(batch, n, n * s, s)  # y, (x, r), q
    right = e.transpose(-1, -2)  # y, q, z
    whole = (left @ right).view(batch, n, n, s, n).amax(1)  # x, r, z
    found = whole.permute(0, 1, 3, 2).clamp_max(1.0)
    here = torch.eye(n, dtype=torch.bool, device=e.device)[None, :, :, None]
    return found.masked_fill(here, 0.0)

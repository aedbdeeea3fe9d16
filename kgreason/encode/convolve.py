"""Layers that average over neighbours: R-GCN and CompGCN, with sums moved in front of matrix products."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from kgreason.encode.graph import BothWays, GraphStack
from kgreason.segments import Flow


@final
@dataclass(frozen=True, slots=True, eq=False)
class KindPlan:
    """The edges of each (kind, target) put together: what they sum to, and where that goes.

    Args:
        gather: From nodes to (kind, target) segments: the weighted mean, or sum, of the sources.
        spread: From segments to targets.
        kind: The kind of each segment; ascending.
        kinds: The kinds that occur.
        sizes: How many segments each of them has.
    """

    gather: Flow
    spread: Flow
    kind: Int[Tensor, " segments"]
    kinds: Int[Tensor, " present"]
    sizes: tuple[int, ...]


@final
class RGCNLayer(nn.Module):
    r"""Relational graph convolution, with basis decomposition.

    $$h'_i = W_0 h_i + b + \sum_r \frac{1}{|N_r(i)|} \sum_{j \in N_r(i)} s_{ji}\, W_r h_j,
      \qquad W_r = \textstyle\sum_b a_{rb} V_b$$

    Computed as $W_r (\sum_j s_{ji} h_j / |N_r(i)|)$: a sparse sum to (relation, target), then one product per relation
    that occurs in the batch. The numbers are those of PyG's `RGCNConv`, whose cost is one product of *all* nodes per
    relation.

    Args:
        dim: Width.
        num_kinds: How many relations, inverses included.
        bases: How many matrices $V_b$; 0 for one matrix per relation.

    Reference:
        Schlichtkrull et al., 2018, arXiv:1703.06103, equations 2 and 3. The edge score $s$ is ours.
    """

    def __init__(self, dim: int, num_kinds: int, bases: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.empty(bases or num_kinds, dim, dim))
        nn.init.uniform_(self.basis, -math.sqrt(3 / dim), math.sqrt(3 / dim))
        self.mix = nn.Parameter(torch.randn(num_kinds, bases) / math.sqrt(bases)) if bases else None
        self.root = nn.Linear(dim, dim)

    def plan(self, edges: BothWays) -> KindPlan:
        key = edges.kind * edges.num_nodes + edges.target
        segments, which, size = torch.unique(key, return_inverse=True, return_counts=True)
        kind, target = segments // max(edges.num_nodes, 1), segments % max(edges.num_nodes, 1)
        kinds, sizes = torch.unique_consecutive(kind, return_counts=True)
        weight = edges.score / size[which]
        return KindPlan(
            gather=Flow.between(edges.source, which, weight, edges.num_nodes, len(segments)),
            spread=_spread(target, edges.score.new_ones(len(segments)), edges.num_nodes),
            kind=kind,
            kinds=kinds,
            sizes=tuple(sizes.tolist()),
        )

    def forward(self, x: Float[Tensor, "nodes dim"], plan: KindPlan) -> Float[Tensor, "nodes dim"]:
        weights = self._weights(plan.kinds)
        parts = torch.split(plan.gather(x), list(plan.sizes))
        messages = torch.cat([x[:0], *[part @ w for part, w in zip(parts, weights, strict=False)]])
        return self.root(x) + plan.spread(messages)  # type: ignore[no-any-return]

    def _weights(self, kinds: Int[Tensor, " present"]) -> Float[Tensor, "present dim dim"]:
        if self.mix is None:
            return self.basis.index_select(0, kinds)
        mix = self.mix.index_select(0, kinds)
        return (mix @ self.basis.flatten(1)).view(-1, *self.basis.shape[1:])


@final
class CompGCNLayer(nn.Module):
    r"""Composition-based convolution: a relation is a vector, and a message is node times relation.

    $$h'_i = W_S (h_i \circ z_S) + b + \sum_{D \in \{O, I\}} W_D \frac{1}{|N_D(i)|}
             \sum_{(j, r) \in N_D(i)} s_{ji}\,(h_j \circ z_r)$$

    where $O$ are the edges as they are and $I$ their inverses. The sum over the neighbours of one relation is taken
    before the product with $z_r$, and the sum over relations before the product with $W_D$.

    Args:
        dim: Width.
        num_kinds: How many relations, inverses included.

    Reference:
        Vashishth et al., 2020, arXiv:1911.03082, equation 3 with the composition "mult". Here a layer has its own
        relation vectors (theirs come from the layer below by a linear map), and the mean replaces their symmetric norm.
    """

    def __init__(self, dim: int, num_kinds: int) -> None:
        super().__init__()
        self.relation = nn.Parameter(1 + torch.randn(num_kinds, dim) / math.sqrt(dim))
        self.loop = nn.Parameter(torch.ones(dim))
        self.out, self.into = nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.root = nn.Linear(dim, dim)

    def plan(self, edges: BothWays) -> KindPlan:
        nodes = max(edges.num_nodes, 1)
        inverse = (edges.kind >= edges.num_relations).long()
        degree = torch.bincount(inverse * nodes + edges.target, minlength=2 * nodes)
        segments, which = torch.unique(edges.kind * nodes + edges.target, return_inverse=True)
        kind, target = segments // nodes, segments % nodes
        place = (kind >= edges.num_relations).long() * edges.num_nodes + target
        kinds, sizes = torch.unique_consecutive(kind, return_counts=True)
        weight = edges.score / degree[inverse * nodes + edges.target]
        return KindPlan(
            gather=Flow.between(edges.source, which, weight, edges.num_nodes, len(segments)),
            spread=_spread(place, edges.score.new_ones(len(segments)), 2 * edges.num_nodes),
            kind=kind,
            kinds=kinds,
            sizes=tuple(sizes.tolist()),
        )

    def forward(self, x: Float[Tensor, "nodes dim"], plan: KindPlan) -> Float[Tensor, "nodes dim"]:
        relation = self.relation.index_select(0, plan.kinds).repeat_interleave(
            torch.tensor(plan.sizes, device=x.device, dtype=torch.long), dim=0
        )
        out, into = torch.tensor_split(plan.spread(plan.gather(x) * relation), 2)
        return self.root(x * self.loop) + self.out(out) + self.into(into)  # type: ignore[no-any-return]


def rgcn(dim: int, num_relations: int, layers: int = 2, bases: int = 8, dropout: float = 0.1) -> GraphStack:
    """Build a stack of `RGCNLayer`.

    Args:
        dim: Width of the node vectors.
        num_relations: How many relations `edge_type` counts in.
        layers: How many layers, that is, how many hops a node sees.
        bases: How many matrices the relations share; 0 for one each.
        dropout: Probability.
    """
    stack = (RGCNLayer(dim, 2 * num_relations, bases) for _ in range(layers))
    return GraphStack(stack, dim, num_relations, dropout)


def compgcn(dim: int, num_relations: int, layers: int = 2, dropout: float = 0.1) -> GraphStack:
    """Build a stack of `CompGCNLayer`. Arguments as in `rgcn`."""
    stack = (CompGCNLayer(dim, 2 * num_relations) for _ in range(layers))
    return GraphStack(stack, dim, num_relations, dropout)


def _spread(place: Tensor, weight: Tensor, num_places: int) -> Flow:
    return Flow.between(torch.arange(len(place), device=place.device), place, weight, len(place), num_places)

"""Relational message passing: a stack of one kind of layer over the edges, both ways."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kgreason.errors import ConfigError


@runtime_checkable
class GraphLayers(Protocol):
    """What `encode` asks of message passing: new node vectors from old ones and the edges."""

    def __call__(
        self,
        x: Float[Tensor, "nodes dim"],
        edge_index: Int[Tensor, "2 edges"],
        edge_type: Int[Tensor, " edges"],
        edge_score: Float[Tensor, " edges"],
    ) -> Float[Tensor, "nodes dim"]: ...


@final
@dataclass(frozen=True, slots=True, eq=False)
class BothWays:
    """The edges of a batch and their inverses.

    Args:
        source: Where each edge starts.
        target: Where it ends.
        kind: Its relation; an inverse edge has `num_relations` added.
        score: In [0, 1]; what travels along the edge is multiplied by it.
        num_nodes: How many nodes there are.
        num_relations: How many relations there are, inverses not counted.
    """

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    kind: Int[Tensor, " edges"]
    score: Float[Tensor, " edges"]
    num_nodes: int
    num_relations: int

    def with_loops(self) -> "BothWays":
        """Add an edge from each node to itself, of the kind after all others, with score 1."""
        here = torch.arange(self.num_nodes, device=self.source.device)
        return BothWays(
            source=torch.cat([self.source, here]),
            target=torch.cat([self.target, here]),
            kind=torch.cat([self.kind, torch.full_like(here, 2 * self.num_relations)]),
            score=torch.cat([self.score, self.score.new_ones(self.num_nodes)]),
            num_nodes=self.num_nodes,
            num_relations=self.num_relations,
        )


class Layer(Protocol):
    """One layer: `plan` sorts the edges once per batch, and all layers of a stack share what it returns."""

    def plan(self, edges: BothWays) -> Any: ...

    def __call__(self, x: Float[Tensor, "nodes dim"], plan: Any) -> Float[Tensor, "nodes dim"]: ...


@final
class GraphStack(nn.Module):
    r"""Several layers of one kind, each with a residual connection.

    $$x^{\ell+1} = \mathrm{LN}\big(x^\ell + \mathrm{Dropout}(\mathrm{GELU}(\mathrm{layer}_\ell(x^\ell)))\big)$$

    Args:
        layers: At least one; all of the same class.
        dim: Width of the node vectors.
        num_relations: How many relations `edge_type` counts in; inverse edges are added here.
        dropout: Probability.
    """

    def __init__(self, layers: Iterable[nn.Module], dim: int, num_relations: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if not self.layers:
            raise ConfigError("[encode.graph] layers must be at least 1; for no layers take name = 'none'.")
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in self.layers)
        self.num_relations, self.dropout = num_relations, dropout

    def forward(
        self,
        x: Float[Tensor, "nodes dim"],
        edge_index: Int[Tensor, "2 edges"],
        edge_type: Int[Tensor, " edges"],
        edge_score: Float[Tensor, " edges"],
    ) -> Float[Tensor, "nodes dim"]:
        edges = BothWays(
            source=torch.cat([edge_index[0], edge_index[1]]),
            target=torch.cat([edge_index[1], edge_index[0]]),
            kind=torch.cat([edge_type, edge_type + self.num_relations]),
            score=torch.cat([edge_score, edge_score]),
            num_nodes=len(x),
            num_relations=self.num_relations,
        )
        plan = self.layers[0].plan(edges)  # type: ignore[operator]  # every layer has one, see Layer
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(x + functional.dropout(functional.gelu(layer(x, plan)), self.dropout, self.training))
        return x


@final
class NoGraph(nn.Module):
    """Returns the nodes as they are. With it, an experiment measures what message passing adds."""

    def forward(
        self,
        x: Float[Tensor, "nodes dim"],
        edge_index: Int[Tensor, "2 edges"],
        edge_type: Int[Tensor, " edges"],
        edge_score: Float[Tensor, " edges"],
    ) -> Float[Tensor, "nodes dim"]:
        return x

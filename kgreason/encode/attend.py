"""Layers that attend to neighbours: GATv2 and QA-GNN's relational attention, with linear maps done per node."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kgreason.encode.graph import BothWays, GraphStack
from kgreason.errors import ConfigError
from kgreason.segments import Flow, segment_softmax


@final
@dataclass(frozen=True, slots=True, eq=False)
class EdgePlan:
    """Edges with a loop at every node, and the ways to gather rows for them.

    Args:
        edges: Both ways, with loops.
        from_source: The row of each edge's source.
        source_kind: That row plus the row of its kind, from the table `[nodes; kinds]`.
        target_kind: The row of its target plus the row of its kind, from the same.
        all_three: The rows of its source, target and kind together, from `[nodes; nodes; kinds]`.
        to_target: From edges to the nodes they end in.
        degree: How many edges leave the source of each edge.
    """

    edges: BothWays
    from_source: Flow
    source_kind: Flow
    target_kind: Flow
    all_three: Flow
    to_target: Flow
    degree: Float[Tensor, " edges"]

    @classmethod
    def of(cls, edges: BothWays) -> "EdgePlan":
        """Add the loops and sort."""
        edges = edges.with_loops()
        nodes, kinds = edges.num_nodes, 2 * edges.num_relations + 1
        source, target, kind = edges.source, edges.target, edges.kind
        out = torch.bincount(source, minlength=nodes).to(edges.score.dtype)
        return cls(
            edges=edges,
            from_source=_rows([source], nodes, edges.score),
            source_kind=_rows([source, nodes + kind], nodes + kinds, edges.score),
            target_kind=_rows([target, nodes + kind], nodes + kinds, edges.score),
            all_three=_rows([source, nodes + target, 2 * nodes + kind], 2 * nodes + kinds, edges.score),
            to_target=Flow.between(
                torch.arange(len(target), device=target.device),
                target,
                torch.ones_like(edges.score),
                len(target),
                nodes,
            ),
            degree=out.index_select(0, source),
        )


@final
class GATv2Layer(nn.Module):
    r"""Graph attention whose scores depend on source, target and relation together.

    $$e_{ji} = a^\top \mathrm{LeakyReLU}(W_l h_j + W_r h_i + z_{r(ji)}), \qquad
      \alpha_{ji} = \mathrm{softmax}_{j \in N(i)}(e_{ji}), \qquad
      h'_i = b + \sum_j \alpha_{ji}\, s_{ji}\, W_l h_j$$

    per head, the heads side by side. Every node is its own neighbour, by a relation of its own. The relation decides
    how much of a neighbour counts and not what it says; where that matters take `rgcn` or `rgat`. The numbers are those
    of PyG's `GATv2Conv(edge_dim=…)` with the relation vector as the edge feature; the relation enters as a table row
    and not as a product per edge.

    Args:
        dim: Width.
        num_relations: How many relations, inverses not counted.
        heads: How many heads; divides `dim`.

    Reference:
        Brody et al., 2022, arXiv:2105.14491, equation 7. The relation vector and the edge score $s$ are additions.
    """

    def __init__(self, dim: int, num_relations: int, heads: int) -> None:
        super().__init__()
        self.heads = check_heads(dim, heads)
        self.left, self.right = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.relation = nn.Parameter(torch.randn(2 * num_relations + 1, dim) / math.sqrt(dim))
        self.score = nn.Parameter(torch.randn(heads, dim // heads) / math.sqrt(dim // heads))
        self.bias = nn.Parameter(torch.zeros(dim))

    def plan(self, edges: BothWays) -> EdgePlan:
        return EdgePlan.of(edges)

    def forward(self, x: Float[Tensor, "nodes dim"], plan: EdgePlan) -> Float[Tensor, "nodes dim"]:
        edges, left = plan.edges, self.left(x)
        mixed = functional.leaky_relu(plan.all_three(torch.cat([left, self.right(x), self.relation])), 0.2)
        e = (mixed.view(-1, self.heads, x.shape[1] // self.heads) * self.score).sum(-1)
        alpha = segment_softmax(e, edges.target, edges.num_nodes) * edges.score[:, None]
        messages = plan.from_source(left).view(-1, self.heads, x.shape[1] // self.heads) * alpha[..., None]
        return plan.to_target(messages.flatten(1)) + self.bias


@final
class RGATLayer(nn.Module):
    r"""The relational attention of QA-GNN, its linear maps factored.

    $$\begin{aligned}
      q_{ji} &= W_q h_j / \sqrt{d/H}, \quad k_{ji} = W_k [h_i ; z_{r(ji)}], \quad m_{ji} = W_m [h_j ; z_{r(ji)}] \\
      \alpha_{ji} &= \deg(j)\; \mathrm{softmax}_{i : j \to i}\,(q_{ji}^\top k_{ji}), \qquad
      h'_i = \mathrm{MLP}\Big(\sum_j \alpha_{ji}\, s_{ji}\, m_{ji}\Big)
    \end{aligned}$$

    per head. The softmax runs over the edges that *leave* a node, as in the authors' code; $\deg(j)$ counts them.
    $W_k [h ; z] = W_{k1} h + W_{k2} z$, so the maps run once per node and once per relation, not once per edge.

    Args:
        dim: Width $d$.
        num_relations: How many relations, inverses not counted.
        heads: How many heads $H$; divides `dim`.

    Reference:
        Yasunaga et al., 2021, arXiv:2104.06378, section 3.3, and `GATConvE` of their code. Theirs encodes an edge by an
        MLP of its relation and the types of both ends, with batch norm; here the types are in $h$, the relation is a
        learned vector $z$, and layer norm stands in the MLP (batch norm would let the examples of a batch see each
        other). The edge score $s$ is ours.
    """

    def __init__(self, dim: int, num_relations: int, heads: int) -> None:
        super().__init__()
        self.heads = check_heads(dim, heads)
        self.relation = nn.Parameter(torch.randn(2 * num_relations + 1, dim) / math.sqrt(dim))
        self.query = nn.Linear(dim, dim)
        self.key, self.message = nn.Linear(2 * dim, dim), nn.Linear(2 * dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.LayerNorm(dim), nn.ReLU(), nn.Linear(dim, dim))

    def plan(self, edges: BothWays) -> EdgePlan:
        return EdgePlan.of(edges)

    def forward(self, x: Float[Tensor, "nodes dim"], plan: EdgePlan) -> Float[Tensor, "nodes dim"]:
        edges, width = plan.edges, x.shape[1] // self.heads
        q = plan.from_source(self.query(x) / math.sqrt(width))
        k = plan.target_kind(self._factored(self.key, x))
        m = plan.source_kind(self._factored(self.message, x))
        scores = (q * k).view(-1, self.heads, x.shape[1] // self.heads).sum(-1)
        alpha = segment_softmax(scores, edges.source, edges.num_nodes) * (plan.degree * edges.score)[:, None]
        messages = m.view(-1, self.heads, x.shape[1] // self.heads) * alpha[..., None]
        return self.mlp(plan.to_target(messages.flatten(1)))  # type: ignore[no-any-return]

    def _factored(self, linear: nn.Linear, x: Float[Tensor, "nodes dim"]) -> Float[Tensor, "rows dim"]:
        """Return $W_1 h$ for every node, then $W_2 z + b$ for every relation."""
        of_node, of_relation = torch.tensor_split(linear.weight, 2, dim=1)
        return torch.cat([x @ of_node.T, functional.linear(self.relation, of_relation, linear.bias)])


def gatv2(dim: int, num_relations: int, layers: int = 2, heads: int = 4, dropout: float = 0.1) -> GraphStack:
    """Build a stack of `GATv2Layer`.

    Args:
        dim: Width of the node vectors.
        num_relations: How many relations `edge_type` counts in.
        layers: How many layers, that is, how many hops a node sees.
        heads: How many heads; divides `dim`.
        dropout: Probability.
    """
    stack = (GATv2Layer(dim, num_relations, heads) for _ in range(layers))
    return GraphStack(stack, dim, num_relations, dropout)


def rgat(dim: int, num_relations: int, layers: int = 2, heads: int = 4, dropout: float = 0.1) -> GraphStack:
    """Build a stack of `RGATLayer`. Arguments as in `gatv2`."""
    stack = (RGATLayer(dim, num_relations, heads) for _ in range(layers))
    return GraphStack(stack, dim, num_relations, dropout)


def _rows(parts: list[Int[Tensor, " edges"]], num_rows: int, score: Tensor) -> Flow:
    """The sum of one row per part, for every edge."""
    edges = torch.arange(len(parts[0]), device=score.device).repeat(len(parts))
    return Flow.between(torch.cat(parts), edges, score.new_ones(len(edges)), num_rows, len(parts[0]))


def check_heads(dim: int, heads: int) -> int:
    """Return `heads`, if it divides `dim`; raise `ConfigError` if not."""
    if heads < 1 or dim % heads:
        raise ConfigError(f"[encode] heads = {heads} does not divide dim = {dim}; pick a divisor.")
    return heads

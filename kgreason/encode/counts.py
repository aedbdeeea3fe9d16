"""Two baselines that count: edges by their kind (GSC), and paths of relations (SAFE). No node says anything."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kgreason.encode.fuse import Fused, masked_mean
from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch

_LINK, _KNOWLEDGE, _ALIGN = 3, 4, 5  # EdgeType; the symbol side is out of reach here
#: Node types with a place for none, and texts (none, first, second, later): what an end of an edge is.
_TYPES, _TEXTS = 5, 4
_ENDS = _TYPES * _TEXTS


@final
class CountFusion(nn.Module):
    r"""Counts edges: the graph adds one number to the query.

    $$\begin{aligned}
      e_{ji} &= \sigma\big(w^\top \mathrm{GELU}(A_{t(j)} + B_{r(ji)} + C_{t(i)}) + b\big)
             && \text{one number per kind of edge} \\
      v_i^0 &= 0, \qquad v_i^{\ell + 1} = \textstyle\sum_{j \to i} \big(v_j^\ell + e_{ji}\big), \qquad
      c = \textstyle\sum_i v_i^L \\
      q' &= q + u \log(1 + c)
    \end{aligned}$$

    over the edges that grounding brought in (LINK, KNOWLEDGE, ALIGN), both ways. $t(i)$ is the type of a node and the
    text it stands in, $r$ the relation; neither the words of a node nor its entity count. With `layers = 1`, $c$ is the
    number of edges, each kind with a weight of its own; every further layer lets edges count that follow on each other.
    $e$ is computed once for each kind that occurs. A row without such edges keeps its query.

    Args:
        dim: Width of the query.
        num_relations: How many relations `GraphBatch.edge_type` counts in.
        layers: $L$.
        hidden: Width of $A$, $B$, $C$.

    Raises:
        ConfigError: If a number is less than 1.

    Reference:
        GSC (Wang et al., 2022, arXiv:2110.03192, section 4): the graph soft counter, two layers of one number per node
        and edge. There the count is read at a node that is joined to all linked concepts, and added to the score as it
        is; here it is summed over all nodes, and its logarithm added to the query, since head and task may be any.
    """

    def __init__(self, dim: int, num_relations: int, layers: int = 2, hidden: int = 32) -> None:
        super().__init__()
        if min(layers, hidden) < 1:
            raise ConfigError(f"[encode.fuse] count: layers = {layers}, hidden = {hidden}; both must be at least 1.")
        self.layers, self.num_relations = layers, num_relations
        self.source, self.target = nn.Embedding(_ENDS, hidden), nn.Embedding(_ENDS, hidden)
        self.relation = nn.Embedding(2 * num_relations, hidden)
        self.weigh = nn.Sequential(nn.GELU(), nn.Linear(hidden, 1), nn.Sigmoid())
        self.out = nn.Parameter(torch.randn(dim) * dim**-0.5)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        count = self.count(batch)
        return Fused(
            tokens, masked_mean(tokens, batch) + torch.log1p(count)[:, None] * self.out, {"count": count.mean()}
        )

    def count(self, batch: GraphBatch) -> Float[Tensor, " batch"]:
        """Return $c$ of each row."""
        edges = Brought.of(batch, self.num_relations)
        e = self._edges(edges, ends_of(batch))
        v = e.new_zeros(len(batch.node_graph))
        for _ in range(self.layers):
            v = torch.zeros_like(v).index_add(0, edges.target, v.index_select(0, edges.source) + e)
        return e.new_zeros(batch.num_graphs).index_add(0, batch.node_graph, v)

    def _edges(self, edges: "Brought", end: Int[Tensor, " nodes"]) -> Float[Tensor, " edges"]:
        kinds = 2 * self.num_relations
        key = (end[edges.source] * kinds + edges.kind) * _ENDS + end[edges.target]
        kind, which = torch.unique(key, return_inverse=True)
        there, relation, here = kind // (kinds * _ENDS), kind // _ENDS % kinds, kind % _ENDS
        e = self.weigh(self.source(there) + self.relation(relation) + self.target(here))
        weights: Tensor = e[:, 0].float()
        return weights.index_select(0, which)


@final
class PathFusion(nn.Module):
    r"""Counts the paths of relations between two texts: the graph adds one number to the query.

    $$s = \sum_{\pi} n_\pi\, f(\pi), \qquad f(r_1 r_2) = w^\top \mathrm{GELU}(A_{r_1} + B_{r_2}) + b, \qquad
      q' = q + u\,\mathrm{asinh}(s)$$

    over the kinds $\pi$ of paths of up to two facts (KNOWLEDGE and ALIGN edges, either way) from what the first text
    names to what the others name; $n_\pi$ is how many there are in the row. A text names its words and the entities
    they are linked to. $B$ has a row for the paths of one fact, and $A$ and $B$ one more for what both texts name. No
    path turns back to where it began. Neither words nor entities count.

    Args:
        dim: Width of the query.
        num_relations: How many relations `GraphBatch.edge_type` counts in.
        hidden: Width of $A$ and $B$.

    Raises:
        ConfigError: If `hidden` is less than 1.

    Reference:
        After SAFE (Jiang et al., 2022, arXiv:2205.01841): a two-layer perceptron over counts of relation paths between
        the concepts of question and answer is all of its graph encoder. The asinh, which tames large counts, and adding
        to the query and not the score, are ours.
    """

    def __init__(self, dim: int, num_relations: int, hidden: int = 32) -> None:
        super().__init__()
        if hidden < 1:
            raise ConfigError(f"[encode.fuse] paths: hidden = {hidden}; it must be at least 1.")
        self.num_relations = num_relations
        self.first, self.second = (nn.Embedding(2 * num_relations + 1, hidden) for _ in range(2))
        self.weigh = nn.Sequential(nn.GELU(), nn.Linear(hidden, 1))
        self.out = nn.Parameter(torch.randn(dim) * dim**-0.5)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        row, kind, many = count_paths(batch, self.num_relations)
        kinds = 2 * self.num_relations + 1
        f = self.weigh(self.first(kind // kinds) + self.second(kind % kinds))[:, 0].float()
        s = f.new_zeros(batch.num_graphs).index_add(0, row, many * f)
        return Fused(tokens, masked_mean(tokens, batch) + torch.asinh(s)[:, None] * self.out, {})


def count_paths(
    batch: GraphBatch, num_relations: int
) -> tuple[Int[Tensor, " kinds"], Int[Tensor, " kinds"], Int[Tensor, " kinds"]]:
    """Count the paths of up to two facts between the first text of each row and the others.

    Nothing is listed path by path: at each node in the middle, the kinds of edges that lead in are joined with the
    kinds that lead out.

    Args:
        batch: Several rows.
        num_relations: How many relations there are, inverses not counted.

    Returns:
        Row, kind and number. With `n = 2 * num_relations + 1`, the kind is `r1 * n + r2`, inverse relations counted
        after the others; `r2 = n - 1` for paths of one fact, and `r1 = n - 1` too for what both texts name.
    """
    edges, near, far = Brought.of(batch, num_relations, what="facts"), *_named(batch)
    n, nodes = 2 * num_relations + 1, len(near)
    out, into = near[edges.source], far[edges.target]
    both = (near & far).nonzero()[:, 0]
    direct = out & into
    # of two facts: what leads to each middle, by kind, and what leads on
    a = torch.unique((edges.target * n + edges.kind)[out], return_counts=True)
    b = torch.unique((edges.source * n + edges.kind)[into], return_counts=True)
    left, right = _join(a[0] // n, b[0] // n)
    # less those that turn back to where they began
    home, back = out & far[edges.source], into & near[edges.target]
    there, again = (edges.source * nodes + edges.target)[home], (edges.target * nodes + edges.source)[back]
    i, j = _join(there, again)
    kind = torch.cat(
        [
            torch.full_like(both, n * n - 1),
            edges.kind[direct] * n + n - 1,
            a[0][left] % n * n + b[0][right] % n,
            edges.kind[home][i] * n + edges.kind[back][j],
        ]
    )
    ones = (torch.ones_like(both), torch.ones_like(edges.kind[direct]), a[1][left] * b[1][right], -torch.ones_like(i))
    at = torch.cat([both, edges.source[direct], a[0][left] // n, edges.target[home][i]])
    key, which = torch.unique(batch.node_graph[at] * (n * n) + kind, return_inverse=True)
    many = torch.zeros_like(key).index_add(0, which, torch.cat(ones))
    key, many = key[many > 0], many[many > 0]
    return key // (n * n), key % (n * n), many


@final
@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """The edges that grounding brought in, both ways; the inverse of a relation has `num_relations` added."""

    source: Int[Tensor, " edges"]
    target: Int[Tensor, " edges"]
    kind: Int[Tensor, " edges"]

    @classmethod
    def of(cls, batch: GraphBatch, num_relations: int, what: str = "all") -> "Brought":
        """Take them from a batch: links, facts and alignments; `what = "facts"` leaves out the links."""
        kept = (batch.edge_kind == _KNOWLEDGE) | (batch.edge_kind == _ALIGN)
        if what == "all":
            kept |= batch.edge_kind == _LINK
        (source, target), kind = batch.edge_index[:, kept], batch.edge_type[kept]
        return cls(torch.cat([source, target]), torch.cat([target, source]), torch.cat([kind, kind + num_relations]))


def ends_of(batch: GraphBatch) -> Int[Tensor, " nodes"]:
    """Return what each node is as the end of an edge: its type, and which text it stands in."""
    return (batch.node_type + 1) * _TEXTS + batch.node_text.clamp(-1, _TEXTS - 2) + 1


def _named(batch: GraphBatch) -> tuple[Bool[Tensor, " nodes"], Bool[Tensor, " nodes"]]:
    """Return which nodes the first text of their row names, and which the others."""
    source, target = batch.edge_index[:, batch.edge_kind == _LINK]
    sides = []
    for side in (batch.node_text == 0, batch.node_text > 0):
        linked = side.clone()
        linked[target[side[source]]] = True
        sides.append(linked)
    return sides[0], sides[1]


def _join(
    left: Int[Tensor, " left"], right: Int[Tensor, " right"]
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """Return all pairs of places at which two columns of keys have the same key."""
    order = right.argsort(stable=True)
    sorted_right = right[order]
    begin = torch.searchsorted(sorted_right, left)
    size = torch.searchsorted(sorted_right, left, right=True) - begin
    i = torch.repeat_interleave(torch.arange(len(left), device=left.device), size)
    within = torch.arange(len(i), device=left.device) - torch.repeat_interleave(size.cumsum(0) - size, size)
    return i, order[begin[i] + within]

"""How the graph reaches the tokens: not at all, late, or by soft attention."""

from typing import NamedTuple, Protocol, final, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kgreason.encode.attend import check_heads
from kgreason.segments import segment_softmax, segment_sum
from kgreason.tensors import GraphBatch


class Fused(NamedTuple):
    """What a fusion returns.

    Args:
        tokens: A vector per token.
        query: A vector per row.
        parts: Scalars worth a look, such as a gate.
    """

    tokens: Float[Tensor, "batch tokens dim"]
    query: Float[Tensor, "batch dim"]
    parts: dict[str, Tensor]


@runtime_checkable
class Fusion(Protocol):
    """What `encode` asks of a fusion."""

    def __call__(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused: ...


def masked_mean(tokens: Float[Tensor, "batch tokens dim"], batch: GraphBatch) -> Float[Tensor, "batch dim"]:
    """Average the tokens of each row, special tokens included, padding not."""
    mask = batch.token_mask.to(tokens.dtype)
    return torch.einsum("btd,bt->bd", tokens, mask) / mask.sum(1, keepdim=True).clamp_min(1)


@final
class NoFusion(nn.Module):
    """Tokens as they are, and their mean as the query: what the language model says alone."""

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        return Fused(tokens, masked_mean(tokens, batch), {})


@final
class LateFusion(nn.Module):
    r"""The query looks at the graph once, at the end.

    $$\alpha_v = \mathrm{softmax}_v\big((W_q\, q)^\top W_k\, x_v / \sqrt{d/H}\big), \qquad
      q' = q + W_o\,[\,q \,;\, \textstyle\sum_v \alpha_v W_v x_v\,]$$

    per head; the sum is 0 in a row without nodes.

    Args:
        dim: Width $d$.
        heads: How many heads $H$; divides `dim`.

    Reference:
        QA-GNN (Yasunaga et al., 2021, arXiv:2104.06378, section 3.4) pools the nodes so. There the parts go to the head
        side by side; here they are added to $q$, whose width does not change.
    """

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = check_heads(dim, heads)
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.out = nn.Linear(2 * dim, dim)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        q = masked_mean(tokens, batch)
        asked = self.query(q).index_select(0, batch.node_graph)
        scores = (asked * self.key(nodes)).view(-1, self.heads, nodes.shape[1] // self.heads).sum(-1)
        alpha = segment_softmax(scores / (q.shape[1] // self.heads) ** 0.5, batch.node_graph, len(q))
        seen = self.value(nodes).view(-1, self.heads, nodes.shape[1] // self.heads) * alpha[..., None]
        pooled = segment_sum(seen.flatten(1), batch.node_graph, len(q))
        return Fused(tokens, q + self.out(torch.cat([q, pooled], 1)), {})


@final
class SoftAttention(nn.Module):
    r"""Every token looks at the nodes of its row; a gate says how much of it counts.

    $$H' = H + \tanh(\gamma)\; \mathrm{MHA}\big(\mathrm{LN}(H),\, X,\, X\big), \qquad q = \mathrm{mean}(H')$$

    With $\gamma = 0$ at the start, training begins exactly at the language model alone; $\tanh(\gamma)$ is reported as
    `gate`, the use that is made of the graph. Among the nodes stands an empty one (score 0, value 0), so a token can
    look at nothing; a row without nodes is the language model alone whatever the gate.

    Args:
        dim: Width.
        heads: How many heads; divides `dim`.

    Reference:
        The gate is that of Flamingo (Alayrac et al., 2022, arXiv:2204.14198, section 2.2), without its feed-forward
        layer.
    """

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = check_heads(dim, heads)
        self.norm = nn.LayerNorm(dim)
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        self.out = nn.Linear(dim, dim, bias=False)  # looking at nothing must add nothing
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        key, value, there = _dense(self.key(nodes), self.value(nodes), batch)
        q, k, v = (_heads(part, self.heads) for part in (self.query(self.norm(tokens)), key, value))
        # written out: torch's own attention takes ten times as long backward for so few keys on a CPU
        scores = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).masked_fill(~there[:, None, None], -torch.inf)
        read = scores.softmax(-1) @ v
        gate = self.gamma.tanh()
        tokens = (tokens + gate * self.out(read.transpose(1, 2).flatten(2))) * batch.token_mask[..., None]
        return Fused(tokens, masked_mean(tokens, batch), {"gate": gate.detach()})


@final
class RelationBiased(nn.Module):
    r"""One more self-attention layer over the tokens, told what the graph knows about each pair of words.

    $$\begin{aligned}
      A_{ij} &= \mathrm{softmax}_j\big(q_i^\top k_j / \sqrt{d/H} + \textstyle\sum_{r \in R(i,j)} b_r\big) \\
      H' &= H + \tanh(\gamma)\; W_o \textstyle\sum_j A_{ij}\big(v_j + \sum_{r \in R(i,j)} z_r\big),
        \qquad q = \mathrm{mean}(H')
    \end{aligned}$$

    per head, where $R(i, j)$ are the lexical relations that join tokens $i$ and $j$ (`GraphBatch.pair_index`): $b_r$
    draws attention to the pair, $z_r$ says which relation was found there. $\gamma = 0$ at the start; $\tanh(\gamma)$
    is reported as `pair_gate`.

    Args:
        dim: Width $d$.
        heads: How many heads $H$; divides `dim`.
        num_pair_types: Room for the relations $r$, both directions counted.

    Reference:
        KIM (Chen et al., 2018, arXiv:1711.04289, equations 4 to 7): $e_{ij} = a_i^\top b_j + \lambda\,1[r_{ij} \ne 0]$
        and the summary $\sum_j A_{ij} r_{ij}$. Here inside a Transformer layer, where attention also stays within a
        text; $b$ and $z$ are learned.
    """

    def __init__(self, dim: int, heads: int = 4, num_pair_types: int = 64) -> None:
        super().__init__()
        self.heads = check_heads(dim, heads)
        self.norm = nn.LayerNorm(dim)
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))
        # from a head that ignores the graph to one that hardly looks anywhere else
        self.bias = nn.Parameter(torch.linspace(0, 4, heads).repeat(num_pair_types, 1))
        self.relation = nn.Parameter(torch.randn(num_pair_types, dim) / dim**0.5)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        rows, width = batch.input_ids.shape
        x = self.norm(tokens)
        q, k, v = (_heads(part, self.heads) for part in (self.query(x), self.key(x), self.value(x)))
        source, target = batch.pair_index
        cell = source * width + target % width  # of the (rows × width, width) table of all pairs
        bias = segment_sum(self.bias[batch.pair_type], cell, rows * width * width)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + bias.view(rows, width, width, -1).permute(0, 3, 1, 2)
        a = scores.masked_fill(~batch.token_mask[:, None, None], -torch.inf).softmax(-1)
        of_pair = a.permute(0, 2, 3, 1).flatten(0, 2).index_select(0, cell)  # (pairs, heads)
        found = self.relation[batch.pair_type].view(-1, self.heads, nodes.shape[1] // self.heads) * of_pair[..., None]
        summary = segment_sum(found.flatten(1), source, rows * width).view(rows, width, -1)
        read = (a @ v).transpose(1, 2).flatten(2) + summary
        gate = self.gamma.tanh()
        tokens = (tokens + gate * self.out(read)) * batch.token_mask[..., None]
        return Fused(tokens, masked_mean(tokens, batch), {"pair_gate": gate.detach()})


@final
class BothFusions(nn.Module):
    """First `RelationBiased`, then `SoftAttention` on its tokens.

    Args:
        dim: Width.
        heads: How many heads; divides `dim`.
        num_pair_types: As in `RelationBiased`.
    """

    def __init__(self, dim: int, heads: int = 4, num_pair_types: int = 64) -> None:
        super().__init__()
        self.pairs, self.nodes = RelationBiased(dim, heads, num_pair_types), SoftAttention(dim, heads)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        first = self.pairs(tokens, nodes, batch)
        then = self.nodes(first.tokens, nodes, batch)
        return Fused(then.tokens, then.query, first.parts | then.parts)


def _heads(x: Float[Tensor, "batch items dim"], heads: int) -> Float[Tensor, "batch heads items part"]:
    return x.view(*x.shape[:2], heads, x.shape[2] // heads).transpose(1, 2)


def _dense(
    key: Float[Tensor, "nodes dim"], value: Float[Tensor, "nodes dim"], batch: GraphBatch
) -> tuple[Tensor, Tensor, Tensor]:
    """Lay the nodes of each row side by side, (batch, 1 + most, dim), the empty node first."""
    counts = torch.bincount(batch.node_graph, minlength=batch.num_graphs)
    room = 1 + int(counts.max())
    first = counts.cumsum(0) - counts
    here = torch.arange(len(key), device=key.device)
    place = batch.node_graph * room + 1 + here - first.index_select(0, batch.node_graph)
    dense = [
        x.new_zeros(len(counts) * room, x.shape[1]).index_copy(0, place, x).view(len(counts), room, -1)
        for x in (key, value)
    ]
    return dense[0], dense[1], torch.arange(room, device=key.device) <= counts[:, None]

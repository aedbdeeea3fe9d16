"""What relation an edit has: as the grounder says, or learned from there on."""

from typing import Protocol, final, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kgreason.data.entailment import SIGNATURES
from kgreason.errors import ConfigError
from kgreason.registry import Registry
from kgreason.tensors import GraphBatch, States

#: Sizes of the small vocabularies; those that may say "none" (`-1`) have a place for it in front.
_KINDS, _POS, _SIGNATURES, _DEPENDENCIES = 5, 17, len(SIGNATURES), 38
_DEPENDENCY = 0  # EdgeType.DEPENDENCY; the symbol side is out of reach here
#: No relation is quite impossible: a graph and an alignment may be wrong.
_LEAST = 1e-4


@runtime_checkable
class Judge(Protocol):
    """Says how sure each of the seven relations is to hold for each edit of a batch."""

    def __call__(self, states: States) -> Float[Tensor, "edits 7"]: ...


@final
class GivenRelations(nn.Module):
    r"""Takes what the grounder says, $r = (1 - 7\epsilon)\,\hat r + \epsilon$ with $\epsilon = 10^{-4}$.

    Has no parameters and does not look at the states.
    """

    def forward(self, states: States) -> Float[Tensor, "edits 7"]:
        return _smooth(states.batch.edit_relation)


@final
class LearnedRelations(nn.Module):
    r"""Starts from what the grounder says, and learns where that is wrong or not sure.

    $$\begin{aligned}
      r &= \mathrm{softmax}\big(\log \bar r / \tau_k + W_3\, x\big), \qquad
      \bar r = (1 - 7\epsilon)\,\hat r + \epsilon \\
      x &= \mathrm{GELU}\big(\mathrm{LN}(W_1 [\,h_u - h_v \,;\, h_u \odot h_v\,] + W_2\, \bar r
           + k + t_u + t'_v + g_u + g'_v + z_\pi + z'_{\pi'})\big)
    \end{aligned}$$

    with the states $h$ of the node $u$ that an edit takes away and the node $v$ that it puts there (0 for none), and
    vectors of its kind $k$, the parts of speech $t$ and the dependencies $g$ of both nodes, and its signatures in both
    sentences $z$. $\tau_k$ is a temperature for each kind. At first $W_3 = 0$ and $\tau = 1$: what the grounder says.

    In training the states of an edit are hidden, $h_u = h_v = 0$, with probability `word_dropout`: then the graph must
    tell, and cannot be ignored where the language model knows the training pairs by heart.

    Args:
        dim: Width $d$ of the states.
        hidden: Width of $x$.
        word_dropout: See above.
        dropout: Share of $x$ that is dropped in training.

    Raises:
        ConfigError: If a number is out of range.
    """

    def __init__(self, dim: int, hidden: int = 128, word_dropout: float = 0.3, dropout: float = 0.1) -> None:
        super().__init__()
        if hidden < 1 or not 0 <= word_dropout < 1 or not 0 <= dropout < 1:
            raise ConfigError(
                f"[decode] judge learned: hidden = {hidden} must be at least 1, word_dropout = {word_dropout} and "
                f"dropout = {dropout} shares in [0, 1)."
            )
        self.word_dropout = word_dropout
        self.pair, self.said = nn.Linear(2 * dim, hidden), nn.Linear(7, hidden, bias=False)
        self.kind = nn.Embedding(_KINDS, hidden)
        self.pos, self.dependency = (nn.Embedding(2 * (size + 1), hidden) for size in (_POS, _DEPENDENCIES))
        self.place = nn.Embedding(2 * _SIGNATURES, hidden)
        for table in (self.kind, self.pos, self.dependency, self.place):
            nn.init.normal_(table.weight, std=hidden**-0.5)
        self.norm, self.drop = nn.LayerNorm(hidden), nn.Dropout(dropout)
        self.correct = nn.Linear(hidden, 7)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)
        self.log_temperature = nn.Parameter(torch.zeros(_KINDS))

    def forward(self, states: States) -> Float[Tensor, "edits 7"]:
        batch = states.batch
        said = _smooth(batch.edit_relation)
        scale = self.log_temperature.exp()[batch.edit_kind]
        correction: Tensor = self.correct(self.drop(self._read(states, said)))
        return (said.log() / scale[:, None] + correction).softmax(-1)

    def _read(self, states: States, said: Float[Tensor, "edits 7"]) -> Float[Tensor, "edits hidden"]:
        batch = states.batch
        h_u, h_v = (_take(states.nodes, node) for node in batch.edit_nodes)
        if self.training and self.word_dropout:
            seen = (torch.rand(len(said), 1, device=said.device) >= self.word_dropout).to(said.dtype)
            h_u, h_v = h_u * seen, h_v * seen
        x = self.pair(torch.cat([h_u - h_v, h_u * h_v], dim=-1)) + self.said(said) + self.kind(batch.edit_kind)
        dependency = _dependencies(batch)
        for side, (node, place) in enumerate(zip(batch.edit_nodes, batch.edit_polarity, strict=True)):
            pos, relation = (_take(column + 1, node) for column in (batch.node_pos, dependency))
            x = x + self.pos(pos + side * (_POS + 1)) + self.dependency(relation + side * (_DEPENDENCIES + 1))
            x = x + self.place(place + side * _SIGNATURES)
        found: Tensor = functional.gelu(self.norm(x))
        return found


def _smooth(relation: Float[Tensor, "edits 7"]) -> Float[Tensor, "edits 7"]:
    return (1 - 7 * _LEAST) * relation + _LEAST


def _take(rows: Tensor, node: Int[Tensor, " edits"]) -> Tensor:
    """Return the row of each node, and zeros for none."""
    if not len(rows):
        return rows.new_zeros(len(node), *rows.shape[1:])
    there = (node >= 0).view(-1, *[1] * (rows.ndim - 1))
    found: Tensor = rows[node.clamp_min(0)] * there
    return found


def _dependencies(batch: GraphBatch) -> Int[Tensor, " nodes"]:
    """Return the relation by which each node hangs on its governor; -1 for none."""
    kept = batch.edge_kind == _DEPENDENCY
    none = torch.full_like(batch.node_graph, -1)
    return none.scatter_reduce(0, batch.edge_index[1, kept], batch.edge_relation[kept], "amax")


JUDGES: Registry[Judge] = Registry("decode.judge", given=GivenRelations, learned=LearnedRelations)

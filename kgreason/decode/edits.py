"""The decoder that goes through a hypothesis word by word and looks at what each was in the premise."""

from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from kgreason.decode.cycle import attend
from kgreason.errors import ConfigError
from kgreason.segments import segment_softmax, segment_sum
from kgreason.tensors import GraphBatch, States, Trace

_WORD, _ALIGN = 0, 5  # NodeType.WORD and EdgeType.ALIGN; the symbol side is out of reach here


@final
class EditDecoder(nn.Module):
    r"""Reads a premise and a hypothesis as a list of edits, and looks at one edit per cycle.

    An edit is a word $v$ of the last text, in reading order, with its counterparts in the first text: the sources of
    its ALIGN edges $t$, each of a relation $\rho_t$ and a score $s_t$. Cycle $i$ looks at the $i$-th edit:

    $$\begin{aligned}
      a_i &= W_a h_v && \text{the word, as the language model reads it in its pair of texts} \\
      c_i &= W_c \begin{cases}
               \mathrm{mean}_{t \to v}\, h_{\mathrm{from}(t)} & \text{if } v \text{ has a counterpart} \\
               \sum_u \mathrm{softmax}_u\big((W_m h_v)^\top h_u / \sqrt d\big)\, h_u
                 & \text{else, over the words } u \text{ of the first text}
             \end{cases} \\
      k_i &= W_k\,[\,m \,;\, \mathbb 1[m > 0] \,;\, \mathbb 1[m = 0]\,], \quad
      m_\rho = \max_{t \to v,\ \rho_t = \rho} s_t && \text{what the graph says of the pair} \\
      y_i &= \mathrm{GELU}\big(W_y\, \mathrm{LN}[\,a_i + k_i \,;\, c_i + k_i \,;\, a_i \odot c_i \,;\, k_i\,]\big)
    \end{aligned}$$

    A row halts when its edits are used up, so a longer hypothesis gets more cycles. What the edits come to is for the
    head to say (`EntailmentHead`): there the answer after cycle $i$ is a function of $y_i, y_{i-1}, \dots, y_1$. Words
    beyond `cycles` are not looked at. A row without edits runs one cycle, in which it reads all its nodes by its query.

    In training whole words are hidden from the language model's side, $a_i = c_i = 0$, with probability
    `word_dropout`: then the graph alone must tell, and cannot be ignored where the language model knows the training
    pairs by heart.

    Args:
        dim: Width $d$ of the states, and of $y_i$.
        num_align: How many relations an ALIGN edge may have.
        cycles: The most edits a row looks at.
        hidden: Width of $a_i$, $c_i$ and $k_i$.
        word_dropout: See above.
        dropout: Share of the inputs of $W_y$ that are dropped in training.

    Raises:
        ConfigError: If a number is out of range.

    Reference:
        One verdict per span, joined by logic: Stacey, Minervini, Dubossarsky and Rei (2022, arXiv:2205.11432). Lexical
        relations as features of aligned words: KIM (Chen et al., 2018, arXiv:1711.04289). Both are within one edit
        here, and the edits are the cycles of the decoder.
    """

    def __init__(
        self,
        dim: int,
        num_align: int = 9,
        cycles: int = 48,
        hidden: int = 128,
        word_dropout: float = 0.3,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if min(cycles, hidden) < 1:
            raise ConfigError(f"[decode] edits: cycles = {cycles}, hidden = {hidden}; both must be at least 1.")
        if not 0 <= word_dropout < 1:
            raise ConfigError(f"[decode] edits: word_dropout = {word_dropout}, expected a share in [0, 1).")
        self.cycles, self.num_align, self.word_dropout = cycles, num_align, word_dropout
        self.word, self.counterpart = nn.Linear(dim, hidden), nn.Linear(dim, hidden)
        self.seek = nn.Linear(dim, dim, bias=False)
        self.known = nn.Linear(2 * num_align + 1, hidden)
        self.norm, self.drop = nn.LayerNorm(4 * hidden), nn.Dropout(dropout)
        self.write = nn.Linear(4 * hidden, dim)

    def forward(self, states: States) -> Trace:
        batch = states.batch
        node, row, turn = edits_of(batch, self.cycles)
        y = self._look(states, node)
        rows, last = len(states.query), max(int(turn.max()) + 1 if len(turn) else 1, 1)
        output = y.new_zeros(last, rows, y.shape[1]).index_put((turn, row), y)
        attention = y.new_zeros(last, batch.node_graph.shape[0])
        attention[turn, node] = 1.0
        running = torch.zeros(last, rows, dtype=torch.bool, device=y.device)
        running[turn, row] = True
        if not running[0].all():  # rows without edits
            output, attention = self._read_all(states, ~running[0], output, attention)
            running[0] = True
        return _trace(batch, output, attention, running, self.cycles)

    def _look(self, states: States, node: Int[Tensor, " edits"]) -> Float[Tensor, "edits dim"]:
        batch, h = states.batch, states.nodes
        source, target, relation, score = _aligned(batch)
        place = torch.full_like(batch.node_graph, -1)
        place[node] = torch.arange(len(node), device=node.device)
        kept = place[target] >= 0
        edit, source, relation, score = place[target][kept], source[kept], relation[kept], score[kept]
        m = h.new_zeros(len(node) * self.num_align)
        m = m.scatter_reduce(0, edit * self.num_align + relation, score.to(m.dtype), "amax").view(-1, self.num_align)
        has = (m > 0).any(-1, keepdim=True)
        k = self.known(torch.cat([m, (m > 0).to(m.dtype), (~has).to(m.dtype)], dim=-1))
        count = torch.bincount(edit, minlength=len(node)).clamp_min(1)[:, None]
        found = segment_sum(h[source], edit, len(node)) / count
        a, c = self.word(h[node]), self.counterpart(torch.where(has, found, self._sought(states, node)))
        if self.training and self.word_dropout:
            seen = (torch.rand(len(node), 1, device=h.device) >= self.word_dropout).to(h.dtype)
            a, c = a * seen, c * seen
        x = self.drop(self.norm(torch.cat([a + k, c + k, a * c, k], dim=-1)))
        return functional.gelu(self.write(x))

    def _sought(self, states: States, node: Int[Tensor, " edits"]) -> Float[Tensor, "edits dim"]:
        """Read the first text by soft attention, for every edit."""
        batch, h = states.batch, states.nodes
        first = ((batch.node_type == _WORD) & (batch.node_text == 0)).nonzero()[:, 0]
        count = torch.bincount(batch.node_graph[first], minlength=len(states.query))
        begin = count.cumsum(0) - count
        size = count[batch.node_graph[node]]
        edit = torch.repeat_interleave(torch.arange(len(node), device=node.device), size)
        within = torch.arange(len(edit), device=node.device) - (size.cumsum(0) - size)[edit]
        other = first[begin[batch.node_graph[node]][edit] + within]
        scores = (self.seek(h[node])[edit] * h[other]).sum(-1) / h.shape[-1] ** 0.5
        p = segment_softmax(scores, edit, len(node))
        return segment_sum(p[:, None] * h[other], edit, len(node))

    def _read_all(
        self,
        states: States,
        empty: Bool[Tensor, " batch"],
        output: Float[Tensor, "cycles batch dim"],
        attention: Float[Tensor, "cycles nodes"],
    ) -> tuple[Float[Tensor, "cycles batch dim"], Float[Tensor, "cycles nodes"]]:
        row = states.batch.node_graph
        p = attend(states.query, states.nodes, row) * empty[row]
        read = segment_sum(p[:, None] * states.nodes, row, len(empty))
        first = torch.where(empty[:, None], read, output[0])
        return torch.cat([first[None], output[1:]]), torch.cat([(attention[0] + p)[None], attention[1:]])


def edits_of(
    batch: GraphBatch, most: int
) -> tuple[Int[Tensor, " edits"], Int[Tensor, " edits"], Int[Tensor, " edits"]]:
    """Return the node, the row and the cycle of every edit: the words of each row's last text in reading order.

    Words that no token of the language model covers (cut off, or white space to it) are left out.
    """
    row, nodes = batch.node_graph, len(batch.node_graph)
    far = batch.input_ids.numel()
    begin = torch.full((nodes,), far, dtype=torch.long, device=row.device)
    begin = begin.scatter_reduce(0, batch.link_index[0], batch.link_index[1], "amin")
    last = torch.zeros(batch.num_graphs, dtype=torch.long, device=row.device)
    last = last.scatter_reduce(0, row, batch.node_text, "amax")
    wanted = (batch.node_type == _WORD) & (batch.node_text == last[row]) & (batch.node_text > 0) & (begin < far)
    node = wanted.nonzero()[:, 0]
    node = node[begin[node].argsort(stable=True)]  # tokens are counted through the batch, so rows stay together
    count = torch.bincount(row[node], minlength=batch.num_graphs)
    turn = torch.arange(len(node), device=row.device) - (count.cumsum(0) - count)[row[node]]
    kept = turn < most
    return node[kept], row[node][kept], turn[kept]


def _aligned(
    batch: GraphBatch,
) -> tuple[Int[Tensor, " aligned"], Int[Tensor, " aligned"], Int[Tensor, " aligned"], Float[Tensor, " aligned"]]:
    kept = batch.edge_kind == _ALIGN
    source, target = batch.edge_index[:, kept]
    return source, target, batch.edge_relation[kept], batch.edge_score[kept]


def _trace(
    batch: GraphBatch,
    output: Float[Tensor, "some batch dim"],
    attention: Float[Tensor, "some nodes"],
    running: Bool[Tensor, "some batch"],
    cycles: int,
) -> Trace:
    """Let halted rows stand still, and fill up to `cycles`; all weight lies on a row's last cycle."""
    last = running.sum(0) - 1
    at = torch.minimum(torch.arange(cycles, device=last.device)[:, None], last[None, :])  # (cycles, batch)
    output = output.gather(0, at[..., None].expand(*at.shape, output.shape[-1]))
    attention = attention.gather(0, at[:, batch.node_graph])
    weight = functional.one_hot(last, cycles).T.to(output.dtype)
    target = batch.edge_index[1]
    looked = (batch.edge_kind == _ALIGN).to(output.dtype)
    into = torch.zeros(len(batch.node_graph), device=output.device).index_add(0, target, looked).clamp_min(1)
    edges = attention[:, target] * (looked / into[target])
    arange = torch.arange(cycles, device=last.device)[:, None]
    return Trace(output, attention, arange <= last[None, :], weight, edges)

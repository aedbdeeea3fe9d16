"""What a cycle looks for in the question: the control of the decoders that walk a knowledge graph."""

from typing import NamedTuple, Protocol, final, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kgreason.errors import ConfigError
from kgreason.registry import Registry
from kgreason.segments import segment_sum
from kgreason.tensors import GraphBatch, States


class Wanted(NamedTuple):
    """What one cycle looks for.

    Args:
        control: The state of the control, $c_i$.
        read: What it reads in the question, $x_i$.
        attention: Where: a distribution over the tokens of each row.
    """

    control: Float[Tensor, "batch dim"]
    read: Float[Tensor, "batch dim"]
    attention: Float[Tensor, "batch tokens"]


@runtime_checkable
class Control(Protocol):
    """Reads the question once per cycle."""

    def __call__(self, cycle: int, states: States, before: Wanted | None) -> Wanted:
        """Return what cycle `cycle` looks for, given what the one before looked for (None in the first)."""
        ...


@final
class StepControl(nn.Module):
    r"""A matrix of its own for each cycle.

    $$c_i = \tanh(W_i\, q), \qquad a_i = \mathrm{softmax}_t(c_i^\top h_t), \qquad x_i = \textstyle\sum_t a_{it}\, h_t$$

    Args:
        dim: Width of the states.
        cycles: How many there are.
        dropout: Share of $h$ that is dropped in training.
        order: `given`; or `shuffled`: cycle $i$ looks for what cycle $i + 1$ is for, and the last for what the first
            is. The control of the order of the cycles.

    Raises:
        ConfigError: If there is no such order.

    Reference:
        TransferNet (Shi et al., 2021, arXiv:2104.07302), equations 1 to 3.
    """

    def __init__(self, dim: int, cycles: int, dropout: float = 0.3, order: str = "given") -> None:
        super().__init__()
        self.shift = _shift(order)
        self.steps = nn.ModuleList(nn.Linear(dim, dim) for _ in range(cycles))
        self.drop = nn.Dropout(dropout)

    def forward(self, cycle: int, states: States, before: Wanted | None) -> Wanted:
        return _read(
            torch.tanh(self.steps[(cycle + self.shift) % len(self.steps)](states.query)),
            states,
            self.drop(states.tokens),
        )


@final
class RecurrentControl(nn.Module):
    r"""One cell for all cycles, so that what was trained on few can run on more.

    $$c_i = \mathrm{GRU}(x_{i-1}, c_{i-1}), \qquad c_0 = q, \quad x_0 = 0$$

    with $a_i$ and $x_i$ as in `StepControl`.

    Args:
        dim: Width of the states.
        dropout: Share of $h$ that is dropped in training.
    """

    def __init__(self, dim: int, dropout: float = 0.3) -> None:
        super().__init__()
        self.cell = nn.GRUCell(dim, dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, cycle: int, states: States, before: Wanted | None) -> Wanted:
        c, x = (states.query, torch.zeros_like(states.query)) if before is None else (before.control, before.read)
        return _read(self.cell(x, c), states, self.drop(states.tokens))


@final
class ChainedControl(nn.Module):
    r"""Each instruction follows from the one before and from the question.

    $$q_i = W_i\, q, \qquad a_i = \mathrm{softmax}_t\big(w^\top (W_c [x_{i-1} ; q_i] \odot h_t)\big), \qquad
      x_i = \textstyle\sum_t a_{it}\, h_t$$

    $x_0 = 0$; $c_i$ is $W_c [x_{i-1} ; q_i]$.

    Args:
        dim: Width of the states.
        cycles: How many there are.
        dropout: Share of $h$ that is dropped in training.
        order: See `StepControl`.

    Raises:
        ConfigError: If there is no such order.

    Reference:
        NSM (He et al., 2021, arXiv:2101.03737), equations 1 to 3.
    """

    def __init__(self, dim: int, cycles: int, dropout: float = 0.3, order: str = "given") -> None:
        super().__init__()
        self.shift = _shift(order)
        self.steps = nn.ModuleList(nn.Linear(dim, dim) for _ in range(cycles))
        self.join, self.weigh = nn.Linear(2 * dim, dim), nn.Linear(dim, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, cycle: int, states: States, before: Wanted | None) -> Wanted:
        x = torch.zeros_like(states.query) if before is None else before.read
        c = self.join(torch.cat([x, self.steps[(cycle + self.shift) % len(self.steps)](states.query)], dim=-1))
        tokens = self.drop(states.tokens)
        return _attend(c, self.weigh(c[:, None] * tokens)[..., 0], states, tokens)


CONTROLS: Registry[Control] = Registry(
    "decode.control", steps=StepControl, recurrent=RecurrentControl, chained=ChainedControl
)


def _shift(order: str) -> int:
    if order not in ("given", "shuffled"):
        raise ConfigError(f"[decode.control] order = '{order}' is not known. Known: given, shuffled.")
    return int(order == "shuffled")


def _read(c: Float[Tensor, "batch dim"], states: States, tokens: Float[Tensor, "batch tokens dim"]) -> Wanted:
    return _attend(c, (tokens @ c[:, :, None])[..., 0], states, tokens)


def _attend(
    c: Float[Tensor, "batch dim"],
    scores: Float[Tensor, "batch tokens"],
    states: States,
    tokens: Float[Tensor, "batch tokens dim"],
) -> Wanted:
    a = scores.masked_fill(~states.batch.token_mask, -torch.inf).softmax(1)
    return Wanted(c, torch.einsum("bt,btd->bd", a, tokens), a)


def hold(new: Wanted, before: Wanted | None, runs: Bool[Tensor, " batch"]) -> Wanted:
    """Return what rows that run look for now, and what rows that have halted looked for last."""
    if before is None:
        return new
    return Wanted(*(torch.where(runs[:, None], now, last) for now, last in zip(new, before, strict=True)))


def on_nodes(attention: Float[Tensor, "batch tokens"], batch: GraphBatch) -> Float[Tensor, " nodes"]:
    """Share the attention on tokens among the words that cover them; sums to 1 in a row with such words."""
    node, token = batch.link_index
    word = batch.node_type[node] == 0  # NodeType.WORD: the tensor side does not import the symbol side
    node, token = node[word], token[word]
    flat = attention.flatten()
    covers = torch.bincount(token, minlength=len(flat)).clamp_min(1)
    on = segment_sum(flat[token] / covers[token], node, len(batch.node_graph))
    whole = segment_sum(on, batch.node_graph, len(batch.input_ids))[batch.node_graph]
    return torch.where(whole > 0, on / whole.clamp_min(1e-12), 0.0)

"""Message passing without messages, and without learning: what a graph network has to beat."""

from collections.abc import Mapping
from typing import Any, final

from jaxtyping import Float, Int
from torch import Tensor, nn

from kgreason.encode.graph import BothWays, GraphLayers, GraphStack
from kgreason.errors import ConfigError


@final
class MlpLayer(nn.Module):
    r"""One hidden layer per node, $h'_i = W_2\,\mathrm{GELU}(W_1 h_i + b_1) + b_2$; the edges are not read.

    Args:
        dim: Width.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim))

    def plan(self, edges: BothWays) -> None:
        return None

    def forward(self, x: Float[Tensor, "nodes dim"], plan: None) -> Float[Tensor, "nodes dim"]:
        return self.net(x)  # type: ignore[no-any-return]


def mlp(dim: int, num_relations: int, layers: int = 2, dropout: float = 0.1) -> GraphStack:
    """Build a stack of `MlpLayer`: as deep as a graph network, and no node sees another.

    Args:
        dim: Width of the node vectors.
        num_relations: How many relations `edge_type` counts in; not used.
        layers: How many layers.
        dropout: Probability.
    """
    return GraphStack((MlpLayer(dim) for _ in range(layers)), dim, num_relations, dropout)


@final
class FrozenGraph(nn.Module):
    """Passes messages with the weights it was drawn with: the structure is there, and nothing of it is learned.

    Args:
        around: The message passing; its weights are not trained, and nothing of it is dropped.

    Raises:
        ConfigError: If it has no weights, or is still a table.
    """

    def __init__(self, around: GraphLayers) -> None:
        super().__init__()
        if (
            isinstance(around, Mapping)
            or not isinstance(around, nn.Module)
            or not any(True for _ in around.parameters())
        ):
            raise ConfigError(f"[encode.graph] frozen: {_told(around)} has no weights that could be frozen.")
        self.around = around.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "FrozenGraph":
        """Stay as in use: dropout belongs to learning."""
        super().train(mode)
        self.around.eval()
        return self

    def forward(
        self,
        x: Float[Tensor, "nodes dim"],
        edge_index: Int[Tensor, "2 edges"],
        edge_type: Int[Tensor, " edges"],
        edge_score: Float[Tensor, " edges"],
    ) -> Float[Tensor, "nodes dim"]:
        return self.around(x, edge_index, edge_type, edge_score)  # type: ignore[no-any-return]


def _told(around: Any) -> str:
    return str(around) if isinstance(around, Mapping) else type(around).__name__

"""What computes nothing: an encoder for decoders that prove and do not look, and a language model that says nothing."""

from typing import final

from torch import Tensor, nn

from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch, States


@final
class NoEncoding(nn.Module):
    """Gives every row, token, node and edge the zero vector; no language model is run, or even loaded.

    Args:
        dim: Width of the vectors, and of what the decoder makes of them.

    Raises:
        ConfigError: If `dim` is less than 1.
    """

    def __init__(self, dim: int = 8) -> None:
        super().__init__()
        if dim < 1:
            raise ConfigError(f"[encode] nothing: dim = {dim}, expected at least 1.")
        self.dim = dim

    def forward(self, batch: GraphBatch) -> States:
        def zeros(*size: int) -> Tensor:
            return batch.node_score.new_zeros(*size, self.dim)

        rows, tokens = batch.input_ids.shape
        return States(
            zeros(rows), zeros(rows, tokens), zeros(len(batch.node_graph)), zeros(len(batch.edge_kind)), batch
        )


@final
class NoLanguage(nn.Module):
    """Gives every token the zero vector: what is left is the graph alone, its node types, relations and entities.

    Args:
        model: Whose tokens the texts are cut into.
        width: Of the vectors.

    Raises:
        ConfigError: If `width` is less than 1.
    """

    def __init__(self, model: str = "minilm", width: int = 128) -> None:
        super().__init__()
        if width < 1:
            raise ConfigError(f"[encode.language] nothing: width = {width}, expected at least 1.")
        self.model, self.width = model, width

    def forward(self, batch: GraphBatch) -> Tensor:
        return batch.node_score.new_zeros(*batch.input_ids.shape, self.width)

"""A second, trained reading of the question, over the states of a frozen language model."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from kgreason.encode.fuse import Fused
from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch


@final
class RereadFusion(nn.Module):
    r"""Reads the tokens once more from both sides; the graph is not looked at.

    $$h_t = [\overrightarrow{\mathrm{GRU}}(\mathrm{drop}(H))_t \,;\, \overleftarrow{\mathrm{GRU}}(\mathrm{drop}(H))_t],
      \qquad q = [\overrightarrow{h}_{\mathrm{last}} \,;\, \overleftarrow{h}_{\mathrm{first}}]$$

    For decoders that walk the whole knowledge graph: where a relation stands in the question (before or after another)
    says in which cycle to follow it, and a mean over frozen states knows little of order.

    Args:
        dim: Width; even.
        dropout: Share of the states that is dropped in training.

    Raises:
        ConfigError: If `dim` is odd.

    Reference:
        The question encoder of TransferNet (Shi et al., 2021, arXiv:2104.07302, section 3.2), on frozen states.
    """

    def __init__(self, dim: int, dropout: float = 0.3) -> None:
        super().__init__()
        if dim % 2:
            raise ConfigError(f"[encode] dim = {dim}; reread needs an even number, half for each direction.")
        self.gru = nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True)
        self.drop = nn.Dropout(dropout)

    def forward(
        self, tokens: Float[Tensor, "batch tokens dim"], nodes: Float[Tensor, "nodes dim"], batch: GraphBatch
    ) -> Fused:
        length = batch.token_mask.sum(1).clamp_min(1).cpu()  # padding stands after the last token
        packed = pack_padded_sequence(self.drop(tokens), length, batch_first=True, enforce_sorted=False)
        read, last = self.gru(packed)
        found, _ = pad_packed_sequence(read, batch_first=True, total_length=tokens.shape[1])
        return Fused(found, torch.cat([last[0], last[1]], dim=-1), {})

"""A small recurrent network in place of a language model: it starts from nothing."""

from typing import final

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch


@final
class RecurrentLanguage(nn.Module):
    r"""A bidirectional LSTM over the tokens, trained with the rest: a baseline without pretraining.

    $$H = [\,\overrightarrow{\mathrm{LSTM}}(E) \,;\, \overleftarrow{\mathrm{LSTM}}(E)\,], \qquad
      E_t = e_{\,\mathrm{id}_t \bmod V}$$

    Token ids are folded into $V$ rows, so that a task of few words needs no table of thirty thousand.

    Args:
        width: Width of the vectors; even.
        layers: How many layers.
        vocabulary: $V$.

    Shapes:
        (batch, tokens) token ids → (batch, tokens, width); 0 where there is padding.

    Raises:
        ConfigError: If a number is less than 1, or `width` is odd.

    Reference:
        Hochreiter and Schmidhuber, 1997, doi:10.1162/neco.1997.9.8.1735.
    """

    def __init__(self, width: int = 64, layers: int = 1, vocabulary: int = 4096) -> None:
        super().__init__()
        for key, number in (("width", width), ("layers", layers), ("vocabulary", vocabulary)):
            if number < 1:
                raise ConfigError(f"[encode.language] recurrent: {key} = {number}, expected at least 1.")
        if width % 2:
            raise ConfigError(f"[encode.language] recurrent: width = {width} is odd; both directions share it.")
        self.width = width
        self.embed = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width // 2, layers, batch_first=True, bidirectional=True)

    def forward(self, batch: GraphBatch) -> Float[Tensor, "batch tokens width"]:
        length = batch.token_mask.sum(1).cpu()
        ids = batch.input_ids % self.embed.num_embeddings
        packed = pack_padded_sequence(self.embed(ids), length, batch_first=True, enforce_sorted=False)
        found: Tensor = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=ids.shape[1])[0]
        return found

"""The language model's state of every word; the only file of this room, with `biaffine` and `fit`, that loads torch."""

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kgreason.pretrained import load_model, load_tokenizer

#: A word longer than this many pieces is cut: its first pieces say what the parser needs.
MAX_PIECES_PER_WORD = 8
#: What the model can read at once, without its two special tokens.
MAX_PIECES = 510
_NO_WORD = 1 << 20


@final
class WordStates:
    r"""The states of words in a frozen language model: the mean over a word's pieces, in every layer.

    $$h_{w\ell} = \frac{1}{|P_w|} \sum_{p \in P_w} \mathrm{LM}_\ell(p), \qquad \ell = 0 \dots L-1$$

    Layer 0 is the embedding layer. Row 0 of every sentence is the model's first special token; the parser takes it
    as the root. Words are cut into pieces one by one, so the pieces of a word do not depend on its neighbours.

    Args:
        model: What `kgreason.pretrained.load_model` takes.
        layers: How many layers $L$ to return, the embedding layer included; the model's upper layers are not run.
        device: Where to compute.
    """

    def __init__(self, model: str, layers: int, device: torch.device | None = None) -> None:
        self.tokenizer = load_tokenizer(model)
        self.layers = layers
        self.device = device or torch.device("cpu")
        self.lm = load_model(model).requires_grad_(False).to(self.device)
        stack = getattr(getattr(self.lm, "encoder", None), "layer", None)
        if stack is not None:
            del stack[max(layers - 1, 0) :]
        self.dim = int(self.lm.config.hidden_size)
        self._first, self._last = self._special()
        self._pieces: dict[str, tuple[int, ...]] = {}

    def _special(self) -> tuple[int, int]:
        ids = self.tokenizer.encode("a").ids
        return ids[0], ids[-1]

    def pieces(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the piece ids of each word, at least one; remembers every word it has seen."""
        new = list(dict.fromkeys(word for word in words if word not in self._pieces))
        if new:
            if len(self._pieces) > 500_000:
                self._pieces.clear()
                new = list(dict.fromkeys(words))
            unknown = self.tokenizer.token_to_id("[UNK]") or self._first
            for word, found in zip(new, self.tokenizer.encode_batch(new, add_special_tokens=False), strict=True):
                self._pieces[word] = tuple(found.ids[:MAX_PIECES_PER_WORD]) or (unknown,)
        return [self._pieces[word] for word in words]

    def __call__(self, sentences: Sequence[Sequence[str]]) -> Float[Tensor, "batch words layers dim"]:
        """Run the model over sentences of similar length.

        Args:
            sentences: Words; each sentence at most `MAX_PIECES` pieces.

        Returns:
            The states in every layer, row 0 of each sentence the root; zero where a sentence is shorter than the
            longest.
        """
        ids, owner = self._lay_out(sentences)
        states = torch.stack([layer.float() for layer in self._run(ids, owner)], dim=2)
        return _pool(states, owner, max(map(len, sentences)) + 1)

    def mixed(
        self, sentences: Sequence[Sequence[str]], mix: Float[Tensor, " layers"]
    ) -> Float[Tensor, "batch words dim"]:
        """Return the sum over layers with weights `mix`: `einsum("bwld,l->bwd", self(sentences), mix)`, but faster."""
        ids, owner = self._lay_out(sentences)
        layers = self._run(ids, owner)
        states = mix[0] * layers[0].float()
        for weight, layer in zip(mix[1:], layers[1:], strict=True):
            states = torch.addcmul(states, layer.float(), weight)
        return _pool(states[:, :, None], owner, max(map(len, sentences)) + 1)[:, :, 0]

    def _run(self, ids: Tensor, owner: Tensor) -> tuple[Tensor, ...]:
        output = self.lm(input_ids=ids, attention_mask=(owner >= 0).long(), output_hidden_states=True)
        hidden: tuple[Tensor, ...] = output.hidden_states[: self.layers]
        return hidden

    def _lay_out(self, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Return piece ids and, for each piece, the row of its word; `_NO_WORD` for the last token, -1 for padding."""
        rows = []
        for words in sentences:
            pieces = self.pieces(words)
            ids = [self._first, *(p for word in pieces for p in word), self._last]
            owner = np.repeat(np.arange(len(pieces) + 1), [1, *map(len, pieces)])
            rows.append((ids, np.append(owner, _NO_WORD)))
        longest = max(len(ids) for ids, _ in rows)
        table = np.zeros((2, len(rows), longest), np.int64)
        table[1] = -1
        for i, (ids, owner) in enumerate(rows):
            table[0, i, : len(ids)], table[1, i, : len(ids)] = ids, owner
        return torch.from_numpy(table[0]).to(self.device), torch.from_numpy(table[1]).to(self.device)


def _pool(
    states: Float[Tensor, "batch pieces layers dim"], owner: Tensor, words: int
) -> Float[Tensor, "batch words layers dim"]:
    batch, _, layers, dim = states.shape
    # What belongs to no word falls into one spare row.
    row = torch.where((owner < 0) | (owner >= words), words, owner) + torch.arange(batch, device=owner.device)[
        :, None
    ] * (words + 1)
    total = states.new_zeros(batch * (words + 1), layers, dim).index_add_(0, row.flatten(), states.flatten(0, 1))
    count = states.new_zeros(batch * (words + 1)).index_add_(0, row.flatten(), states.new_ones(row.numel()))
    mean = total / count.clamp(min=1)[:, None, None]
    return mean.view(batch, words + 1, layers, dim)[:, :words]

"""A deep biaffine dependency parser and tagger over the states of a language model."""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

#: How many buckets each spelling feature is hashed into: whole word, ends of 2 and 3 letters, start of 3, shape.
BUCKETS = (6144, 1024, 3072, 1024, 128)
#: Width of the vector of each spelling feature.
WIDTHS = (40, 12, 24, 12, 12)
UNKNOWN, ROOT = 0, 1
"""The first two buckets of the word are kept for words left out on purpose and for the root."""


class Sizes(NamedTuple):
    """What the head is made of; written into the weights file."""

    layers: int = 7
    dim: int = 384
    reduced: int = 224
    hidden: int = 200
    arc: int = 200
    label: int = 72
    labels: int = 38
    upos: int = 17
    xpos: int = 50


class Parse(NamedTuple):
    """What the head says of a padded batch, before a tree is chosen. Row 0 of every sentence is the root."""

    arc: Float[Tensor, "batch words words"]
    """The score of each word (row) having each word (column) as its governor; the log of a probability."""
    source: Float[Tensor, "batch words label"]
    target: Float[Tensor, "batch words label"]
    upos: Float[Tensor, "batch words upos"]
    xpos: Float[Tensor, "batch words xpos"]


@lru_cache(maxsize=200_000)
def spelling(word: str) -> tuple[int, ...]:
    """Return the bucket of each spelling feature of a word. The language model is uncased; the shape says what it lost.

    >>> spelling("the") == spelling("the"), len(spelling("the"))
    (True, 5)
    """
    low = word.lower()
    shape = (
        word[:1].isupper()
        | (word.isupper() << 1)
        | (any(map(str.isdigit, word)) << 2)
        | (("-" in word) << 3)
        | (word.isalpha() << 4)
        | (min(len(word) - 1, 3) << 5)
    )
    keys = (low, low[-2:], low[-3:], low[:3])
    hashed = [2 + _hash(key) % (size - 2) for key, size in zip(keys, BUCKETS, strict=False)]
    return (*hashed, shape)


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def spell(sentences: Sequence[Sequence[str]]) -> Int[Tensor, "batch words features"]:
    """Return the spelling features of a padded batch; row 0 of each sentence is the root."""
    longest = max(map(len, sentences)) + 1
    nothing = (UNKNOWN,) * len(BUCKETS)
    root = (ROOT,) * len(BUCKETS)
    rows = [[root, *map(spelling, words), *[nothing] * (longest - 1 - len(words))] for words in sentences]
    return torch.tensor(rows)


@final
class BiaffineHead(nn.Module):
    r"""Scores every pair of words as governor and dependent, and tags every word.

    $$\begin{aligned}
      x_w &= \big[\, W_x \textstyle\sum_\ell \mathrm{softmax}(\lambda)_\ell\, h_{w\ell} \,;\,
             e(\text{spelling of } w) \,\big] \\
      r_{1 \dots n} &= \mathrm{BiLSTM}(x_{1 \dots n}) \\
      s_{dg} &= [f_D(r_d); 1]^\top U\, f_G(r_g) \qquad
      s^k_{dg} = [f'_D(r_d); 1]^\top U_k\, [f'_G(r_g); 1] \\
      p(\text{tag of } w) &= \mathrm{softmax}(W_t\, f_T(r_w))
    \end{aligned}$$

    where every $f$ is one ReLU layer, $g$ ranges over the words and the root, and $k$ over the relations.

    Args:
        sizes: The widths, and how many relations and tags there are.
        dropout: The rate at which inputs of the LSTM and outputs of every $f$ are dropped in training.

    Reference:
        Dozat and Manning, *Deep Biaffine Attention for Neural Dependency Parsing*, ICLR 2017, arXiv:1611.01734. Here
        the words are states of a frozen language model instead of trained vectors, the tags are learned beside the
        tree instead of read by it, and the root is the model's own first token.
    """

    def __init__(self, sizes: Sizes, dropout: float = 0.33) -> None:
        super().__init__()
        self.sizes = sizes
        self.mix = nn.Parameter(torch.zeros(sizes.layers))
        self.scale = nn.Parameter(torch.ones(1))
        self.reduce = nn.Linear(sizes.dim, sizes.reduced)
        self.spelling = nn.ModuleList(nn.Embedding(b, w) for b, w in zip(BUCKETS, WIDTHS, strict=True))
        width = sizes.reduced + sum(WIDTHS)
        self.lstm = nn.ModuleList(
            nn.LSTM(w, sizes.hidden, batch_first=True) for w in (width, width, 2 * sizes.hidden, 2 * sizes.hidden)
        )
        out = 2 * sizes.hidden
        self.faces = nn.ModuleList(nn.Linear(out, w) for w in (sizes.arc, sizes.arc, sizes.label, sizes.label))
        self.arc = nn.Parameter(torch.zeros(sizes.arc + 1, sizes.arc))
        self.label = nn.Parameter(torch.zeros(sizes.labels, sizes.label + 1, sizes.label + 1))
        self.tags = nn.Linear(out, sizes.upos + sizes.xpos)
        self.dropout = dropout
        for embedding in self.spelling:
            nn.init.normal_(embedding.weight, std=0.3)  # type: ignore[arg-type]

    def weights(self) -> Float[Tensor, " layers"]:
        """Return how much each layer of the language model counts."""
        return self.scale * torch.softmax(self.mix, 0)

    def forward(
        self,
        states: Float[Tensor, "batch words dim"],
        spelled: Int[Tensor, "batch words features"],
        mask: Bool[Tensor, "batch words"],
    ) -> Parse:
        """Score a padded batch.

        Args:
            states: The mixed state of every word, the root first.
            spelled: What `spell` gives.
            mask: False where a sentence is shorter than the longest.
        """
        spelled_out = [e(spelled[..., i]) for i, e in enumerate(self.spelling)]
        r = self._drop(torch.cat([self.reduce(states), *spelled_out], dim=-1))
        flip = _flip(mask)
        for forwards, backwards in zip(self.lstm[::2], self.lstm[1::2], strict=True):
            there = forwards(r)[0]
            back = backwards(r.gather(1, flip.expand_as(r)))[0]
            r = self._drop(torch.cat([there, back.gather(1, flip.expand_as(back))], dim=-1))
        d, g, target, source = (self._drop(torch.relu(face(r))) for face in self.faces)
        arc = (_one(d) @ self.arc @ g.transpose(1, 2)).float()
        arc = torch.log_softmax(arc.masked_fill(~mask[:, None, :], -1e4), dim=-1)
        upos, xpos = self.tags(r).float().split([self.sizes.upos, self.sizes.xpos], dim=-1)
        return Parse(arc=arc, source=source, target=target, upos=upos, xpos=xpos)

    def relations(self, parse: Parse, governor: Int[Tensor, "batch words"]) -> Float[Tensor, "batch words labels"]:
        """Score every relation between each word and its chosen governor."""
        index = governor[..., None].expand(-1, -1, parse.source.shape[-1])
        source = _one(parse.source.gather(1, index))
        # (words, labels, source) first: the table of relations meets each word once.
        mixed = torch.einsum("bni,kij->bnkj", _one(parse.target), self.label)
        return torch.einsum("bnkj,bnj->bnk", mixed, source).float()

    def _drop(self, x: Tensor) -> Tensor:
        """Drop the same positions of a vector in every word of a sentence."""
        if not self.training or not self.dropout:
            return x
        keep = torch.empty(x.shape[0], 1, x.shape[2], device=x.device).bernoulli_(1 - self.dropout)
        return x * (keep / (1 - self.dropout)).to(x.dtype)


def _one(x: Tensor) -> Tensor:
    return torch.cat([x, x.new_ones(*x.shape[:-1], 1)], dim=-1)


def _flip(mask: Bool[Tensor, "batch words"]) -> Int[Tensor, "batch words one"]:
    """Return where each word goes when every sentence is read backwards; padding stays at the end."""
    place = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    return torch.where(mask, mask.sum(1, keepdim=True) - 1 - place, place)[..., None]

"""Cut texts into tokens with their characters, and lay several texts out in one sequence."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

from kgreason.errors import ConfigError
from kgreason.pretrained import load_tokenizer

#: A character that no tokenizer takes; one for one, so that character offsets stay right.
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHUNK = 4096


@final
@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The tokens of one text, without special tokens.

    Args:
        ids: Token ids.
        start: The first character of each token; never falls.
        end: One past its last character; never falls.
    """

    ids: Int32[ndarray, " tokens"]
    start: Int32[ndarray, " tokens"]
    end: Int32[ndarray, " tokens"]


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """Where the special tokens of a language model go: `first text1 between text2 between text3 last`.

    It is read off the model's own way to encode a pair: `[CLS] a [SEP] b [SEP]` for BERT, `<s> a </s></s> b </s>`
    for RoBERTa. A third text goes on in the same way.
    """

    first: tuple[int, ...]
    between: tuple[int, ...]
    last: tuple[int, ...]

    def num_special(self, num_texts: int) -> int:
        """Count the special tokens of a sequence of `num_texts` texts."""
        return len(self.first) + len(self.last) + len(self.between) * (num_texts - 1)


@final
class Tokeniser:
    """Cuts texts with the tokenizer of a language model.

    Args:
        model: `minilm`, a folder, or a Hub name; see `kgreason.pretrained`.

    Raises:
        ConfigError: If there is no such model, or its tokenizer does not mark special tokens.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self._tokenizer = load_tokenizer(model)
        self.layout = self._read_layout()

    def __call__(self, texts: Iterable[str]) -> dict[str, Tokens]:
        """Return the tokens of each distinct text. Any text will do: empty, NUL, lone surrogates."""
        todo = list(dict.fromkeys(texts))
        found: dict[str, Tokens] = {}
        for at in range(0, len(todo), _CHUNK):  # in chunks: the tokenizer's own objects are large
            part = todo[at : at + _CHUNK]
            clean = [_SURROGATE.sub("\ufffd", text) for text in part]
            for text, encoding in zip(part, self._tokenizer.encode_batch(clean, add_special_tokens=False), strict=True):
                span = np.array(encoding.offsets, np.int32).reshape(-1, 2)
                found[text] = Tokens(np.array(encoding.ids, np.int32), span[:, 0], span[:, 1])
        return found

    @property
    def mask(self) -> str:
        """The mask token as it stands in a text; where a tokenizer has none, a word that says as little."""
        known = self._tokenizer.get_vocab(with_added_tokens=True)
        return next((mask for mask in ("[MASK]", "<mask>") if mask in known), "something")

    def _read_layout(self) -> Layout:
        encoding = self._tokenizer.encode("a", "b")
        text, ids = encoding.sequence_ids, encoding.ids
        if 0 not in text or 1 not in text:
            raise ConfigError(f"The tokenizer of '{self.model}' drops plain letters; pick another model.")
        last_a, first_b = len(text) - 1 - text[::-1].index(0), text.index(1)
        last_b = len(text) - 1 - text[::-1].index(1)
        return Layout(tuple(ids[: text.index(0)]), tuple(ids[last_a + 1 : first_b]), tuple(ids[last_b + 1 :]))


def keep_lengths(lengths: Sequence[int], budget: int) -> list[int]:
    """Return how many tokens of each text to keep so that all together fit: the longest is cut first.

    >>> keep_lengths([100, 10, 30], 60)
    [25, 10, 25]
    """
    room, kept = max(budget, 0), list(lengths)
    for done, i in enumerate(sorted(range(len(lengths)), key=lengths.__getitem__)):
        kept[i] = min(lengths[i], room // (len(lengths) - done))
        room -= kept[i]
    return kept


@final
@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One sequence for the language model.

    Args:
        ids: Token ids, special tokens included.
        text: Which text of the row each token belongs to; `-1` for a special token.
        start: First character of each token in its text (0 for a special token).
        end: One past the last.
    """

    ids: Int32[ndarray, " tokens"]
    text: Int32[ndarray, " tokens"]
    start: Int64[ndarray, " tokens"]
    end: Int64[ndarray, " tokens"]


def lay_out(texts: Sequence[Tokens], layout: Layout, max_tokens: int) -> Row:
    """Put several texts in one sequence, cut to `max_tokens`."""
    keep = keep_lengths([len(t.ids) for t in texts], max_tokens - layout.num_special(len(texts)))
    special = [layout.first, *[layout.between] * (len(texts) - 1), layout.last]
    parts: list[tuple[ndarray, int, ndarray, ndarray]] = []
    for i, ids in enumerate(special):
        none = np.zeros(len(ids), np.int32)
        parts.append((np.array(ids, np.int32), -1, none, none))
        if i < len(texts):
            t, n = texts[i], keep[i]
            parts.append((t.ids[:n], i, t.start[:n], t.end[:n]))
    return Row(
        ids=np.concatenate([p[0] for p in parts]).astype(np.int32),
        text=np.repeat(np.array([p[1] for p in parts], np.int32), [len(p[0]) for p in parts]),
        start=np.concatenate([p[2] for p in parts]).astype(np.int64),
        end=np.concatenate([p[3] for p in parts]).astype(np.int64),
    )

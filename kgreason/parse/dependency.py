"""Universal Dependencies from a small model that ships with the package."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, final

import numpy as np

from kgreason.data import Example, LogicGraph
from kgreason.errors import ConfigError
from kgreason.parse.memory import ParseMemory
from kgreason.parse.sentence import Parsed, Sentence, build_graph, clean
from kgreason.parse.split import split
from kgreason.parse.tokenise import Tokeniser
from kgreason.runtime import Precision

Cache: TypeAlias = Literal["none", "disk"]

#: The parser that ships with the package; English, UD EWT.
SHIPPED = Path(__file__).parent / "weights" / "english.safetensors"


@final
class DependencyParser:
    """Words, sentences, lemmas, parts of speech and a Universal Dependencies tree for every sentence.

    Every sentence is one tree with one root. Sentences of all examples are parsed together, the long with the long,
    and equal ones once. A sentence of more than 160 words, or more than the language model reads at once, is cut.
    NUL and lone surrogates become U+FFFD in the words; spans count characters of the text as it was given. A text
    without words gives no nodes.

    This is the one component left of `collate` that loads torch, when it is made.

    Args:
        weights: A file made by `kgreason parser train`; `english` is the one that ships.
        cache: `disk` keeps parses in the cache folder by content, so that an experiment parses its texts once.
        precision: `bfloat16` or `float32`; `auto` takes bfloat16 where the processor computes in it.
        device: Where to compute, as torch names it.
        pieces_per_batch: Word pieces (with padding) to parse at once.

    Raises:
        StoreError: If the weights are missing or damaged.
        MissingExtraError: If the language model they stand on is not installed.
        ConfigError: If an argument is none of its choices.
    """

    def __init__(
        self,
        weights: str = "english",
        cache: Cache = "none",
        precision: Precision = "auto",
        device: str = "cpu",
        pieces_per_batch: int = 1024,
    ) -> None:
        from kgreason.parse.neural import NeuralParser

        if cache not in {"none", "disk"}:
            raise ConfigError(f"[parse] cache = '{cache}'; expected none or disk.")
        if pieces_per_batch < 1:
            raise ConfigError(f"[parse] pieces_per_batch = {pieces_per_batch}; expected at least 1.")
        self.neural = NeuralParser(
            SHIPPED if weights == "english" else Path(weights), precision, device, pieces_per_batch
        )
        self.tokenise = Tokeniser()
        self.memory = ParseMemory(f"{self.neural.fingerprint}-{self.neural.half}") if cache == "disk" else None

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        parsed = self.parse_texts(dict.fromkeys(text for example in examples for text in example.texts))
        return [build_graph(example, [parsed[text] for text in example.texts]) for example in examples]

    def parse_texts(self, texts: Iterable[str]) -> dict[str, list[Sentence]]:
        """Parse each distinct text; return its sentences, with spans in the text."""
        wanted = list(dict.fromkeys(texts))
        found = self.memory.get(wanted) if self.memory else {}
        new = [text for text in wanted if text not in found]
        fresh = self._parse(new)
        if self.memory and fresh:
            self.memory.put(fresh)
        return found | fresh

    def parse_words(self, sentences: Sequence[Sequence[str]]) -> list[Sentence]:
        """Parse sentences that are cut into words already; their spans count as if words stood one space apart."""
        parsed = self.neural([tuple(map(clean, words)) for words in sentences])
        ends = [np.cumsum([len(word) + 1 for word in words]) - 1 for words in sentences]
        spans = [np.column_stack([e - list(map(len, ws)), e]) for e, ws in zip(ends, sentences, strict=True)]
        rows = zip(sentences, spans, parsed, strict=True)
        return [_sentence(tuple(words), np.asarray(span, np.int32), p) for words, span, p in rows]

    def _parse(self, texts: Sequence[str]) -> dict[str, list[Sentence]]:
        cut = {text: self._cut(clean(text)) for text in texts}
        distinct = list(dict.fromkeys(words for sentences in cut.values() for words, _ in sentences))
        parsed = dict(zip(distinct, self.neural(distinct), strict=True))
        return {
            text: [_sentence(words, spans, parsed[words]) for words, spans in sentences]
            for text, sentences in cut.items()
        }

    def _cut(self, text: str) -> list[tuple[tuple[str, ...], np.ndarray]]:
        spans = self.tokenise(text)
        table = np.array(spans, np.int32).reshape(-1, 2)
        found = []
        for first, last in split(text, spans):
            words = tuple(text[a:b] for a, b in spans[first:last])
            while words:
                n = self.neural.fit_length(words)
                found.append((words[:n], table[first : first + n]))
                words, first = words[n:], first + n
        return found


def _sentence(words: tuple[str, ...], spans: np.ndarray, parsed: Parsed) -> Sentence:
    return Sentence(words, spans, *parsed)

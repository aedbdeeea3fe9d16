"""Parses that exist already, in CoNLL-U files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias, final

import numpy as np
from numpy import ndarray

from kgreason.data import Example, LogicGraph
from kgreason.errors import ConfigError, DataError
from kgreason.parse.conllu import Entry, read
from kgreason.parse.sentence import Sentence, build_graph, clean

Match: TypeAlias = Literal["text", "order"]


@final
class ConlluParser:
    """Takes the parses of texts from CoNLL-U files, made by any parser or by hand.

    A text is one sentence of the files or several in a row. Only the characters that are not white space are
    compared, so line breaks and spacing may differ; spans count in the text of the example.

    Args:
        files: Paths of CoNLL-U files.
        match: `text` looks each text up, the longest sentence first; `order` takes the sentences one after another,
            beginning at the top of the first file in every call, and refuses a text that is not what comes next.

    Raises:
        DataError: If a file is missing or broken, or a text has no parse there; the message names the example.
    """

    def __init__(self, files: Sequence[str], match: Match = "text") -> None:
        if match not in {"text", "order"}:
            raise ConfigError(f"[parse] match = '{match}'; expected text or order.")
        paths = [files] if isinstance(files, str) else list(files)
        if not paths:
            raise ConfigError("[parse] files is empty; give at least one CoNLL-U file.")
        self.match = match
        self.shown = ", ".join(map(str, paths))
        self.entries = [entry for path in paths for entry in read(path)]
        self._by_start: dict[str, list[Entry]] = {}
        for entry in self.entries:
            self._by_start.setdefault(_squeeze(entry.text)[:_KEY], []).append(entry)
        for candidates in self._by_start.values():
            candidates.sort(key=lambda entry: -len(_squeeze(entry.text)))

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]:
        coming = iter(self.entries)
        return [
            build_graph(example, [self._find(example, text, coming) for text in example.texts]) for example in examples
        ]

    def _find(self, example: Example, text: str, coming: Iterator[Entry]) -> list[Sentence]:
        wanted, places = _squeeze(clean(text)), _places(clean(text))
        found: list[Sentence] = []
        at = 0
        while at < len(wanted):
            entry = next(coming, None) if self.match == "order" else self._look_up(wanted, at)
            if entry is None or not wanted.startswith(_squeeze(entry.text), at):
                raise self._missing(example, text[int(places[at]) :], entry)
            found.append(_move(entry, places[at:]))
            at += len(_squeeze(entry.text))
        return found

    def _look_up(self, wanted: str, at: int) -> Entry | None:
        for length in range(min(_KEY, len(wanted) - at), 0, -1):
            for entry in self._by_start.get(wanted[at : at + length], ()):
                if wanted.startswith(_squeeze(entry.text), at):
                    return entry
        return None

    def _missing(self, example: Example, rest: str, entry: Entry | None) -> DataError:
        instead = f"; what comes next there is: {entry.text[:60]}" if entry else ""
        return DataError(
            f"Example '{example.uid}': no parse in {self.shown} for the text that begins: {rest[:60]}{instead}. "
            "Parse this text too, or take match = 'text', or another parser."
        )


#: How many characters of a sentence it is looked up by.
_KEY = 12


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _places(text: str) -> ndarray:
    """Return where each character that is no white space stands."""
    return np.array([i for i, character in enumerate(text) if not character.isspace()], np.int32)


def _move(entry: Entry, places: ndarray) -> Sentence:
    """Return the sentence with its spans counted in another text, in which its characters stand at `places`."""
    before = np.cumsum([0, *(not character.isspace() for character in entry.text)])
    spans = entry.sentence.spans
    start = places[before[spans[:, 0]]]
    end = places[before[spans[:, 1]] - 1] + 1
    return replace(entry.sentence, spans=np.column_stack([start, end]).astype(np.int32))

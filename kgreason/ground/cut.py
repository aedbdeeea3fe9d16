"""Cuts the texts of logic graphs as labels are cut: into runs of letters and digits, and single other characters."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import LogicGraph, NodeType

_UNIT = re.compile(r"[^\W_]+|[^\w\s]")


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The units of all texts of a batch, in reading order.

    Words of a parser that touch are cut anew as one, for labels know nothing of its rules: "Do" and "n't" are "Don",
    "'", "t", as in the label "Don't Look Now".

    Args:
        text: Each unit, as written.
        other: Its lemma where it is a word of the parser and has another one, else `""`.
        graph: The position of its graph in the batch; ascending.
        place: `(text, start, end)` of each, in characters.
        segment: A number that changes from text to text.
    """

    text: list[str]
    other: list[str]
    graph: Int64[ndarray, " units"]
    place: Int64[ndarray, "units 3"]
    segment: Int64[ndarray, " units"]

    def __len__(self) -> int:
        return len(self.text)


def cut(graphs: Sequence[LogicGraph]) -> Cut:
    """Cut the words of all graphs into units."""
    text: list[str] = []
    other: list[str] = []
    rows: list[tuple[int, int, int, int]] = []
    for g, graph in enumerate(graphs):
        for t, start, chunk, lemma in _chunks(graph):
            if chunk.isalnum():
                text.append(chunk)
                other.append(lemma)
                rows.append((g, t, start, start + len(chunk)))
                continue
            for match in _UNIT.finditer(chunk):
                text.append(match.group())
                other.append("")
                rows.append((g, t, start + match.start(), start + match.end()))
    table = np.array(rows, np.int64).reshape(-1, 4)
    change = (np.diff(table[:, :2], axis=0, prepend=-1) != 0).any(axis=1)
    return Cut(text, other, table[:, 0].copy(), table[:, 1:].copy(), np.cumsum(change))


def _chunks(graph: LogicGraph) -> Iterator[tuple[int, int, str, str]]:
    """Yield `(text, start, characters, lemma)` of every run of words that touch; the lemma of a run of one alone."""
    last, chunk, lemma = (-1, -1, -1), "", ""
    word = NodeType.WORD.value
    rows = zip(graph.node_type.tolist(), graph.node_span.tolist(), graph.node_text, graph.node_lemma, strict=True)
    for kind, (t, start, end), written, form in rows:
        if kind != word:
            continue
        if t == last[0] and start == last[2]:
            chunk, lemma = chunk + written, ""
            last = (t, last[1], end)
            continue
        if chunk:
            yield last[0], last[1], chunk, lemma
        last, chunk, lemma = (t, start, end), written, form if form != written.lower() else ""
    if chunk:
        yield last[0], last[1], chunk, lemma

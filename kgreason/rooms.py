"""The architecture on one screen: seven rooms, in the order data flows.

    texts  ─▶ parse     ─▶ LogicGraph        words, phrases, sentences and how they hang together
    files  ─▶ knowledge ─▶ KnowledgeGraph    entities, relations, triples
    both   ─▶ ground    ─▶ LogicGraph        the same, with entities and facts added
           ─▶ collate   ─▶ GraphBatch        symbols end here, tensors begin
           ─▶ encode    ─▶ States            a vector for every row, node and edge
           ─▶ decode    ─▶ Trace             y_i = g(x_i, y_{i-1}, …, y_1), one y per cycle
           ─▶ answer    ─▶ Scores            one score for every answer that could be given

A room is a folder of the same name. It may import the nouns (`kgreason.data`, `kgreason.tensors`) and the tools
(`kgreason.registry`, `kgreason.segments`, `kgreason.pretrained`), and no other room. `reasoner.py` joins encode, decode
and answer; `pipeline.py` joins all seven.
Left of `collate` there is no torch; right of it there is no text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # names only: this file has no code that runs
    from collections.abc import Sequence

    from kgreason.data import Example, KnowledgeGraph, LogicGraph
    from kgreason.tensors import GraphBatch, Scores, States, Trace


@runtime_checkable
class Source(Protocol):
    """`knowledge`: files in, a knowledge graph out."""

    def __call__(self) -> KnowledgeGraph: ...


@runtime_checkable
class Parser(Protocol):
    """`parse`: texts in, logic graphs out, one for each example and in the same order, with its seeds and mentions."""

    def __call__(self, examples: Sequence[Example]) -> list[LogicGraph]: ...


@runtime_checkable
class Grounder(Protocol):
    """`ground`: adds entities, phrases that name them, and edges. Keeps every node and edge given, at its index."""

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]: ...


@runtime_checkable
class Collator(Protocol):
    """`collate`: lays graphs end to end and tokenises their texts."""

    def __call__(self, examples: Sequence[Example], graphs: Sequence[LogicGraph]) -> GraphBatch: ...


@runtime_checkable
class Encoder(Protocol):
    """`encode`: a vector for every example, node and edge."""

    def __call__(self, batch: GraphBatch) -> States: ...


@runtime_checkable
class Decoder(Protocol):
    """`decode`: walks over the graph, cycle by cycle. The last output is what the head reads."""

    def __call__(self, states: States) -> Trace: ...


@runtime_checkable
class Head(Protocol):
    """`answer`: a score for every answer that could be given."""

    def __call__(self, states: States, trace: Trace) -> Scores: ...

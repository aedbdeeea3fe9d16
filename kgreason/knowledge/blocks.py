"""What a reader hands to a build: stretches of bytes, and where in them the names stand. No object for a name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, final, runtime_checkable

import numpy as np
from jaxtyping import Int32, Integer, UInt8
from numpy import ndarray

from kgreason.knowledge.feeds import Place, Reading
from kgreason.knowledge.limits import BadLines, Limits

#: Blank nodes of a document begin with this until the build numbers them; no file can hold such a name.
FRESH = b"_:\x01"


@final
@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A few thousand triples and labels, as spans of one stretch of bytes.

    Args:
        text: UTF-8.
        triples: Where head, relation and tail of each triple begin and end in `text`.
        named: Where an entity (or a relation) and a text that it is called by begin and end.
        rank: How good a name each of those texts is, from 0; the best name of an entity is the one that is shown.
        place: How far the files are read with this block.
        counts: What was left out, by what is said about it in `KnowledgeGraph.about`.
        fresh: Where in `text` the blank nodes stand that the build shall number; they begin with `FRESH`.
    """

    text: UInt8[ndarray, " bytes"]
    triples: Int32[ndarray, "rows 3 2"]
    named: Int32[ndarray, "named 2 2"]
    rank: Int32[ndarray, " named"]
    place: Place
    counts: Mapping[str, int] = field(default_factory=dict)
    fresh: int = 2**31 - 1


#: What an entity is called besides what `named` says: its own name with spaces for underscores, or the last part of
#: its IRI.
Own: TypeAlias = Literal["spaced", "last part"]


@final
@dataclass(frozen=True, slots=True)
class Naming:
    """How the labels of a graph are made.

    Args:
        own: What an entity is called by its own name.
        every: Whether every entity gets it, or only those that nobody named.
        lonely: Whether an entity that is named but in no triple is kept (unless it is a relation).
        shown: Ranks from here on are names in another language, by which relations are not called.
    """

    own: Own = "spaced"
    every: bool = True
    lonely: bool = False
    shown: int = 2**31 - 1


@runtime_checkable
class Stream(Protocol):
    """A source that can be read in blocks, and so built into a store in bounded memory.

    Attributes:
        limits: What the files may ask for.
        bad_lines: What becomes of broken lines.
        naming: How the labels are made.
        counted: What it counts, in `Block.counts`; said in `about` even if it is 0.
    """

    limits: Limits
    bad_lines: BadLines
    naming: Naming
    counted: tuple[str, ...]

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        ...

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        ...


def joined(columns: Sequence[tuple[bytes, Integer[ndarray, " rows"]]]) -> tuple[UInt8[ndarray, " bytes"], ndarray]:
    """Lay columns of strings end to end.

    Args:
        columns: For each, its bytes end to end, and the length of each string.

    Returns:
        All the bytes, and where each string begins and ends, `(rows, columns, 2)`.
    """
    spans = np.empty((len(columns[0][1]), len(columns), 2), np.int32)
    base = 0
    for k, (blob, lengths) in enumerate(columns):
        ends = base + np.cumsum(lengths, dtype=np.int64)
        spans[:, k, 0], spans[:, k, 1] = ends - lengths, ends
        base += len(blob)
    return np.frombuffer(bytearray().join(blob for blob, _ in columns), np.uint8), spans


def column_of(strings: Sequence[str]) -> tuple[bytes, Integer[ndarray, " rows"]]:
    """Return strings as a column for `joined`."""
    encoded = [text.encode() for text in strings]
    return b"".join(encoded), np.fromiter(map(len, encoded), np.int64, len(encoded))


def block_of(
    triples: Sequence[tuple[str, str, str]],
    named: Sequence[tuple[str, int, str]],
    place: Place,
    counts: Mapping[str, int] | None = None,
) -> Block:
    """Make a block of Python strings: triples, and rows of entity, rank and label."""
    heads, relations, tails = zip(*triples, strict=True) if triples else ((), (), ())
    entities, ranks, labels = zip(*named, strict=True) if named else ((), (), ())
    text, spans = joined([column_of(heads), column_of(relations), column_of(tails)])
    more, spans_of_names = joined([column_of(entities), column_of(labels)])
    return Block(
        text=np.concatenate([text, more]),
        triples=spans,
        named=spans_of_names + np.int32(len(text)),
        rank=np.array(ranks, np.int32),
        place=place,
        counts=counts or {},
    )

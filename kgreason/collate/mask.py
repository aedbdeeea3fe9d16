"""Put a mask in the place of what names an entity, so that a question reads alike whoever it is about."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.data import EdgeType, LogicGraph, NodeType


def mask_mentions(texts: Sequence[str], graph: LogicGraph, mask: str) -> tuple[list[str], Int32[ndarray, "nodes 3"]]:
    """Replace every mention of an entity by the mask token, and move the spans of all nodes along.

    A mention is the span of a node from which a LINK edge runs to an ENTITY node; of mentions that overlap, the longest
    is replaced. A node inside a mention covers the mask. 39,000 questions about films are some 500 once their film is
    masked, so that a frozen language model reads few texts, and a reasoner cannot learn what is asked by whom it is
    asked about.

    Args:
        texts: The texts of an example.
        graph: Its logic graph, grounded.
        mask: The mask token, as the tokenizer writes it.
    """
    span = graph.node_span.copy()
    linked = graph.edge_type == EdgeType.LINK
    source, target = graph.edge_index[:, linked]
    named = np.unique(source[graph.node_type[target] == NodeType.ENTITY])
    found = sorted(map(tuple, span[named].tolist()), key=lambda s: (s[0], s[1], -s[2]))
    masked = list(texts)
    for text, start, end in reversed(_apart(found)):
        masked[text] = masked[text][:start] + mask + masked[text][end:]
        here = span[:, 0] == text
        for column in (1, 2):
            at = span[:, column]
            after, inside = here & (at >= end), here & (at > start) & (at < end)
            span[after, column] += len(mask) - (end - start)
            span[inside, column] = start if column == 1 else start + len(mask)
    return masked, span


def _apart(spans: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return spans that do not overlap: the longest of those that begin first."""
    kept: list[tuple[int, ...]] = []
    for text, start, end in spans:
        if text >= 0 and end > start and not (kept and kept[-1][0] == text and start < kept[-1][2]):
            kept.append((text, start, end))
    return kept

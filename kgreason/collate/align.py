"""Which tokens each node covers."""

import numpy as np
from jaxtyping import Int, Int64
from numpy import ndarray

from kgreason.collate.tokens import Row


def cover(row: Row, node_span: Int[ndarray, "nodes 3"]) -> tuple[Int64[ndarray, " nodes"], Int64[ndarray, " nodes"]]:
    r"""Find the tokens that overlap the characters of each node, in two binary searches for all nodes at once.

    Token $k$ covers characters $[s_k, e_k)$. Both ends never fall along a text, so the tokens that overlap a node
    $[s, e)$ are a run: from the first with $e_k > s$ to the last with $s_k < e$. Texts are kept apart by adding
    `text × longest` to both sides.

    Args:
        row: The sequence. Special tokens cover nothing.
        node_span: `(text, start, end)` of each node, the text counted within the row; `-1` for no text.

    Returns:
        The position of the first token of each node in the row, and how many it covers (0 where it has no
        characters, or the text was cut before it).
    """
    where = np.flatnonzero(row.text >= 0)
    text, start, end = node_span.astype(np.int64).T
    longest = int(max(row.end.max(initial=0), end.max(initial=0))) + 1
    shift = row.text[where] * longest
    first = np.searchsorted(shift + row.end[where], text * longest + start, side="right")
    last = np.searchsorted(shift + row.start[where], text * longest + end, side="left")
    count = np.where((text >= 0) & (end > start), np.maximum(last - first, 0), 0)
    # a text's tokens are contiguous, so the run of positions is as long as the run of ranks
    position = where[np.minimum(first, len(where) - 1)] if len(where) else np.zeros(len(text), np.int64)
    return position, count


def links(first: Int64[ndarray, " nodes"], count: Int64[ndarray, " nodes"]) -> Int64[ndarray, "2 links"]:
    """List every `(node, token)` pair, given the first token of each node and how many it covers.

    >>> links(np.array([4, 0, 7]), np.array([2, 0, 1])).tolist()
    [[0, 0, 2], [4, 5, 7]]
    """
    node = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(node)) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([node, first[node] + within])


def pairs(
    first: Int64[ndarray, " nodes"],
    count: Int64[ndarray, " nodes"],
    joined: Int64[ndarray, "2 aligned"],
    relation: Int64[ndarray, " aligned"],
    num_relations: int,
) -> tuple[Int64[ndarray, "2 pairs"], Int64[ndarray, " pairs"]]:
    """List the first tokens of both ends of each alignment, and then the same the other way round.

    An alignment with an end that covers no token is left out.

    Args:
        first: First token of each node.
        count: How many tokens each node covers.
        joined: The two nodes of each ALIGN edge.
        relation: Its relation.
        num_relations: What is added to the relation for the inverse direction.
    """
    whole = (count[joined] > 0).all(axis=0)
    ends, kind = first[joined[:, whole]], relation[whole]
    return np.hstack([ends, ends[::-1]]), np.concatenate([kind, kind + num_relations])

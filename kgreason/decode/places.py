"""Which nodes of a batch take part in the composition of relations, and what is asked about them."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch

#: As in `kgreason.data`, whose symbols end at collate: SENTENCE; SEMANTIC, LINK, KNOWLEDGE; agent, patient.
_SENTENCE, _SEMANTIC, _LINK, _KNOWLEDGE, _AGENT, _PATIENT = 2, 2, 3, 4, 0, 1
#: A chart of this many entries (a gigabyte) is more than a batch should need.
_MOST_ENTRIES = 2**28


@final
@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The nodes of each row that relations join or that are asked about, counted within the row.

    Args:
        nodes: These nodes, in the batch.
        at: The row and the place of each.
        node: The node at each place of each row; -1 where there is none.
        edges: How sure each relation is to hold from one place to another, as the edges say.
        source: 1 at the places that paths start from.
        pair: The places of the source and the target that a row asks about; -1 where it asks for entities.
        asked: Whether a row asks for the relation between a pair.
        is_target: 1 for the nodes that are the target of their row.
    """

    nodes: Int[Tensor, " involved"]
    at: tuple[Int[Tensor, " involved"], Int[Tensor, " involved"]]
    node: Int[Tensor, "batch places"]
    edges: Float[Tensor, "batch places places symbols"]
    source: Float[Tensor, "batch places"]
    pair: Int[Tensor, "2 batch"]
    asked: Bool[Tensor, " batch"]
    is_target: Float[Tensor, " nodes"]


def lay_out(batch: GraphBatch, relations: int, symbols: int, directions: str) -> Places:
    """Give a place to every node at an end of a KNOWLEDGE edge, and to what is asked about; enter the edges.

    Args:
        batch: The graphs.
        relations: How many relations `edge_relation` counts for KNOWLEDGE edges.
        symbols: How many entries a pair of places has.
        directions: `both` enters every edge the other way round as well, `relations` further on.

    Raises:
        ConfigError: If a row has so many places that the chart would not fit into memory.
    """
    asked, source_node, target_node = _asked(batch)
    start = _starts(batch, asked, source_node)
    known = batch.edge_kind == _KNOWLEDGE
    ends = batch.edge_index[:, known]
    nodes: Tensor = torch.unique(torch.cat([ends.flatten(), start, target_node[asked]]))
    row = batch.node_graph[nodes]
    rank = torch.arange(len(nodes), device=row.device) - torch.searchsorted(row, row)
    rows, many = batch.num_graphs, int(rank.max()) + 1 if len(rank) else 0
    _check(rows, many, symbols)
    place = torch.full_like(batch.node_graph, -1).index_put((nodes,), rank)
    source = batch.node_score.new_zeros(rows, many)
    source[batch.node_graph[start], place[start]] = 1.0
    pair = row.new_full((2, rows), -1)
    pair[:, asked] = place[torch.stack([source_node[asked], target_node[asked]])]
    found = _enter(batch, place, (relations, symbols, directions), many)
    return Places(
        nodes=nodes,
        at=(row, rank),
        node=row.new_full((rows, many), -1).index_put((row, rank), nodes),
        edges=_between(found, source, pair, asked),
        source=source,
        pair=pair,
        asked=asked,
        is_target=torch.zeros_like(batch.node_score).index_fill(0, target_node[asked], 1.0),
    )


def _enter(
    batch: GraphBatch, place: Int[Tensor, " nodes"], sizes: tuple[int, int, str], many: int
) -> Float[Tensor, "batch places places symbols"]:
    """Write the scores of the edges into an empty chart; of several edges for one entry the highest."""
    relations, symbols, directions = sizes
    known = batch.edge_kind == _KNOWLEDGE
    (source, target), relation, score = batch.edge_index[:, known], batch.edge_relation[known], batch.edge_score[known]
    row = batch.node_graph[source]
    cell = ((row * many + place[source]) * many + place[target]) * symbols + relation
    if directions == "both":
        back = ((row * many + place[target]) * many + place[source]) * symbols + relation + relations
        cell, score = torch.cat([cell, back]), torch.cat([score, score])
    empty = score.new_zeros(batch.num_graphs * many * many * symbols)
    return empty.scatter_reduce(0, cell, score, "amax").view(batch.num_graphs, many, many, symbols)


def _asked(batch: GraphBatch) -> tuple[Bool[Tensor, " batch"], Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """Return which rows ask about a pair, and the source and the target node of each (0 where it does not)."""
    none = batch.node_graph.new_full((batch.num_graphs,), -1)
    whole = (batch.edge_kind == _SEMANTIC) & (batch.node_type[batch.edge_index[0]] == _SENTENCE)
    found = []
    for role in (_AGENT, _PATIENT):
        end = batch.edge_index[1, whole & (batch.edge_relation == role)]
        found.append(none.index_put((batch.node_graph[end],), end))
    asked = (found[0] >= 0) & (found[1] >= 0)
    return asked, found[0].clamp_min(0), found[1].clamp_min(0)


def _starts(batch: GraphBatch, asked: Tensor, source_node: Tensor) -> Int[Tensor, " starts"]:
    """Return the nodes that paths start from: the source of a pair; else what the text names; else all entities."""
    free = ~asked[batch.node_graph]
    linked = torch.zeros_like(free).index_fill(0, batch.edge_index[1, batch.edge_kind == _LINK], True) & free
    has = torch.zeros_like(asked).index_fill(0, batch.node_graph[linked], True)
    every = (batch.node_entity >= 0) & free & ~has[batch.node_graph]
    return torch.cat([source_node[asked], (linked | every).nonzero()[:, 0]])


def _between(
    found: Tensor, source: Tensor, pair: Tensor, asked: Tensor
) -> Float[Tensor, "batch places places symbols"]:
    """Leave out the edges that lie on no path from a source (to the target, where there is one), and loops."""
    many = found.shape[1]
    if not many:
        return found
    step = (found.amax(-1) > 0).to(found.dtype)
    target = torch.zeros_like(source)
    target[asked, pair[1, asked]] = 1.0
    forward, back = _reach(source, step), _reach(target, step.transpose(1, 2))
    back = torch.where(asked[:, None], back, torch.ones_like(back))
    loops = torch.eye(many, dtype=found.dtype, device=found.device)
    keep = forward[:, :, None] * back[:, None, :] * (1 - loops)
    return found * keep[..., None]


def _reach(start: Tensor, step: Tensor) -> Float[Tensor, "batch places"]:
    """Return 1 at the places that some path leads to, the places it starts from included."""
    at = start
    for _ in range(step.shape[1]):
        further = torch.maximum(at, (at[:, None] @ step)[:, 0].clamp_max(1.0))
        if torch.equal(further, at):
            break
        at = further
    return at


def _check(rows: int, many: int, symbols: int) -> None:
    if rows * many**2 * symbols > _MOST_ENTRIES:
        raise ConfigError(
            f"[decode] compose: relations join {many} nodes of one graph, and {rows} rows of {symbols} symbols make a "
            "chart that does not fit into memory. Bring in fewer facts ([ground] max_nodes, hops), or set a "
            "smaller [train] batch_size."
        )

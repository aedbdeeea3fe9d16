"""What grounding brought in, taken away in part or put in the wrong place: controls around any grounder."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

from kgreason.data import EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.data.edits import no_edits
from kgreason.data.perturbed import PerturbMode, checked_mode
from kgreason.rooms import Grounder

_NOWHERE = (-1, -1, -1)


@final
class SwapGrounder:
    """Gives each text what was brought in for another text of its batch: a subgraph that has nothing to do with it.

    Entities and facts are those of the other; they hang on the words of this one that stand where the other's words
    stand in theirs, counted within a text and from the start again where it is shorter. Edits, which are made of the
    words of a pair, are not taken over. A text that comes alone gets nothing.

    Args:
        around: The grounder to wrap.
        seed: Who gets whose; nobody keeps their own.

    Reference:
        Aglionby and Teufel (2022), "Faithful Knowledge Graph Explanations in Commonsense Question Answering", EMNLP.
    """

    def __init__(self, around: Grounder, seed: int = 0) -> None:
        self.around, self.seed = around, seed

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        if len(graphs) < 2:
            return list(graphs)
        grown = self.around(graphs, knowledge)
        order = np.random.default_rng(self.seed).permutation(len(graphs))
        other = np.empty_like(order)
        other[order] = np.roll(order, 1)
        return [_moved(graph, graphs[p], grown[p]) for graph, p in zip(graphs, other.tolist(), strict=True)]


def _moved(graph: LogicGraph, bare: LogicGraph, grown: LogicGraph) -> LogicGraph:
    """Return a graph with what `grown` has over `bare`, another text's."""
    old, fresh = bare.num_nodes, slice(bare.num_nodes, None)
    place = _places(graph, bare)
    out = graph.with_nodes(
        grown.node_type[fresh],
        grown.node_text[fresh],
        _spans(graph, grown.node_span[fresh]),
        grown.node_entity[fresh],
        grown.node_score[fresh],
    )
    place = np.concatenate([place, graph.num_nodes + np.arange(grown.num_nodes - old)])
    edges = slice(bare.num_edges, None)
    ends = place[grown.edge_index[:, edges]]
    column = np.vstack([ends, grown.edge_type[edges], grown.edge_relation[edges]])
    first = np.unique(column, axis=1, return_index=True)[1]  # two words of theirs may be one word here
    kept = np.isin(np.arange(ends.shape[1]), first) & (ends >= 0).all(0)
    return replace(
        out,
        edge_index=np.hstack([out.edge_index, ends[:, kept]]).astype(np.int32),
        edge_type=np.append(out.edge_type, grown.edge_type[edges][kept]),
        edge_relation=np.append(out.edge_relation, grown.edge_relation[edges][kept]),
        edge_score=np.append(out.edge_score, grown.edge_score[edges][kept]),
        edits=no_edits(),
    )


def _places(graph: LogicGraph, other: LogicGraph) -> Int64[ndarray, " nodes"]:
    """Return for each node of another graph the node of the same type and text that stands where it does, or -1."""
    place = np.full(other.num_nodes, -1, np.int64)
    mine, theirs = (g.node_type.astype(np.int64) * 1024 + g.node_span[:, 0] for g in (graph, other))
    for kind in np.unique(theirs):
        here, there = np.flatnonzero(mine == kind), np.flatnonzero(theirs == kind)
        if len(here):
            place[there] = here[np.arange(len(there)) % len(here)]
    return place


def _spans(graph: LogicGraph, span: Int32[ndarray, "nodes 3"]) -> Int32[ndarray, "nodes 3"]:
    """Give nodes that stand in another text the spans of words of this one."""
    out = np.full_like(span, -1)
    words = graph.node_type == NodeType.WORD
    for text in np.unique(span[span[:, 0] >= 0, 0]):
        own, there = graph.node_span[words & (graph.node_span[:, 0] == text)], np.flatnonzero(span[:, 0] == text)
        out[there] = own[np.arange(len(there)) % len(own)] if len(own) else _NOWHERE
    return out


@final
class BlankGrounder:
    """Takes the text off every node that was brought in: what is left of the graph is its shape and its relations.

    Such a node covers no token and is called nothing; an entity keeps its id, so that it can be the answer. Vectors of
    entities are none of this room: with this, write `entities = { name = "none" }` in `[encode]`.

    Args:
        around: The grounder to wrap.
    """

    def __init__(self, around: Grounder) -> None:
        self.around = around

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        grown = self.around(graphs, knowledge)
        return [_blank(graph, bare.num_nodes) for graph, bare in zip(grown, graphs, strict=True)]


def _blank(graph: LogicGraph, old: int) -> LogicGraph:
    span = graph.node_span.copy()
    span[old:, 1:] = np.where(span[old:, :1] >= 0, 0, -1)
    fresh = graph.num_nodes - old
    return replace(graph, node_text=(*graph.node_text[:old], *[""] * fresh), node_span=span)


@final
class EdgelessGrounder:
    """Keeps the nodes that were brought in and none of the edges: a bag of entities.

    Args:
        around: The grounder to wrap.
    """

    def __init__(self, around: Grounder) -> None:
        self.around = around

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        grown = self.around(graphs, knowledge)
        return [_first_edges(graph, bare.num_edges) for graph, bare in zip(grown, graphs, strict=True)]


def _first_edges(graph: LogicGraph, many: int) -> LogicGraph:
    return _edges(graph, np.arange(graph.num_edges) < many)


def _edges(graph: LogicGraph, kept: ndarray) -> LogicGraph:
    return replace(
        graph,
        edge_index=graph.edge_index[:, kept],
        edge_type=graph.edge_type[kept],
        edge_relation=graph.edge_relation[kept],
        edge_score=graph.edge_score[kept],
    )


@final
class ScrambleGrounder:
    """Spoils the facts of each text by themselves: for facts that come with the text, and from no graph.

    - `tails`: the tails of one relation change places; `relations`: the relations change places; `rewire`: first all
      tails, then all relations; `drop`: a share is removed. What a text has one of cannot change places.

    Args:
        around: The grounder to wrap.
        mode: See above.
        share: For `drop`.
        seed: Another seed, another draw.

    Raises:
        ConfigError: For an unknown mode or a share outside of [0, 1].
    """

    def __init__(self, around: Grounder, mode: str = "relations", share: float = 0.5, seed: int = 0) -> None:
        self.around, self.mode, self.share, self.seed = around, checked_mode(mode, share), share, seed

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        grown = self.around(graphs, knowledge)
        return [_scrambled(graph, self.mode, self.share, self._draw(graph.uid)) for graph in grown]

    def _draw(self, uid: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(uid.encode("utf-8", "surrogatepass"))])


def _scrambled(graph: LogicGraph, mode: PerturbMode, share: float, draw: np.random.Generator) -> LogicGraph:
    facts = np.flatnonzero(graph.edge_type == EdgeType.KNOWLEDGE)
    if mode == "drop":
        gone = draw.permutation(facts)[: round(share * len(facts))]
        return _edges(graph, ~np.isin(np.arange(graph.num_edges), gone))
    ends, relation = graph.edge_index.copy(), graph.edge_relation.copy()
    if mode == "tails":
        for one in np.unique(relation[facts]):
            mine = facts[relation[facts] == one]
            ends[1, mine] = ends[1, _turned(mine, draw)]
    if mode == "rewire":
        ends[1, facts] = ends[1, _turned(facts, draw)]
    if mode != "tails":
        relation[facts] = relation[_turned(facts, draw)]
    return replace(graph, edge_index=ends, edge_relation=relation)


def _turned(places: Int64[ndarray, " places"], draw: np.random.Generator) -> Int64[ndarray, " places"]:
    """Return the places in another order, in which none (of two or more) is where it was."""
    order = draw.permutation(len(places))
    out = np.empty_like(places)
    out[order] = places[np.roll(order, 1)]
    return out

"""The logic graph: what a text says, as typed nodes and typed edges."""

from collections.abc import Sized
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from jaxtyping import Float32, Int8, Int32
from numpy import ndarray

from kgreason.data.edits import Edits, no_edits
from kgreason.errors import DataError


class NodeType(IntEnum):
    """What a node stands for."""

    WORD = 0
    PHRASE = 1
    SENTENCE = 2
    ENTITY = 3


class EdgeType(IntEnum):
    """Where an edge comes from. Its exact relation is `LogicGraph.edge_relation`."""

    DEPENDENCY = 0
    SPAN = 1
    SEMANTIC = 2
    LINK = 3
    KNOWLEDGE = 4
    ALIGN = 5


@dataclass(frozen=True, slots=True, eq=False)
class LogicGraph:
    """What one example says, as a graph: nodes are pieces of text or entities, edges are typed relations.

    Columns, not objects: row `i` of every `node_*` column is node `i`, and likewise for edges. An edge runs from
    `edge_index[0]` to `edge_index[1]`; no inverse edges are stored (the encoder adds them).

    A dependency runs from the governor (source) to the dependent (target); the root of a sentence has no incoming
    dependency. WORD nodes stand in reading order, all words of a text together.

    Args:
        uid: The `Example.uid` this graph was parsed from.
        node_type: A `NodeType` per node.
        node_text: The words a node covers, or the label of its entity.
        node_lemma: The dictionary form, lower case (of a phrase: of its head word); `""` if unknown.
        node_pos: A position in `UPOS`, or `-1` if unknown.
        node_span: `(text, start, end)`: which text of the example, and the character range. `-1` for an `ENTITY`.
        node_entity: The id in the knowledge graph, or `-1`.
        node_score: How sure the parser or the linker is, in [0, 1].
        node_polarity: How the place of a word projects what is exchanged there: a position in
            `kgreason.data.entailment.SIGNATURES`; 0 (upward) where no parser has told.
        edge_index: Source and target node of each edge.
        edge_type: An `EdgeType` per edge.
        edge_relation: The relation id of each edge, in the vocabulary of its `EdgeType` (`EDGE_RELATIONS`).
        edge_score: How sure or how near, in [0, 1]: of an alignment, 1 / (1 + distance); 1 where nothing is said.
        seeds: The `Example.seeds` this graph was parsed with: names of entities that are known to be in the text.
        mentions: The `Example.mentions`: `(text, start, end)` of each seed, or empty.
        edits: The edits that lead from the first text to the last, if a grounder has found them.
    """

    uid: str
    node_type: Int8[ndarray, " nodes"]
    node_text: tuple[str, ...]
    node_lemma: tuple[str, ...]
    node_pos: Int8[ndarray, " nodes"]
    node_span: Int32[ndarray, "nodes 3"]
    node_entity: Int32[ndarray, " nodes"]
    node_score: Float32[ndarray, " nodes"]
    node_polarity: Int8[ndarray, " nodes"]
    edge_index: Int32[ndarray, "2 edges"]
    edge_type: Int8[ndarray, " edges"]
    edge_relation: Int32[ndarray, " edges"]
    edge_score: Float32[ndarray, " edges"]
    seeds: tuple[str, ...] = field(default=())
    mentions: tuple[tuple[int, int, int], ...] = field(default=())
    edits: Edits = field(default_factory=no_edits)

    def __post_init__(self) -> None:
        self._check_lengths()
        nodes = self.num_nodes
        if self.num_edges and not 0 <= self.edge_index.min() <= self.edge_index.max() < nodes:
            outside = self.edge_index[(self.edge_index < 0) | (self.edge_index >= nodes)]
            raise DataError(
                f"LogicGraph '{self.uid}': edge_index points to node {outside[0]}, but the nodes are 0 to {nodes - 1}."
            )
        if len(self.edits) and not -1 <= self.edits.nodes.min() <= self.edits.nodes.max() < nodes:
            raise DataError(
                f"LogicGraph '{self.uid}': an edit points to node {self.edits.nodes.max()}, but the nodes are 0 to "
                f"{nodes - 1}."
            )
        stray = np.flatnonzero((self.node_type == NodeType.ENTITY) & (self.node_entity < 0))
        if len(stray):
            raise DataError(
                f"LogicGraph '{self.uid}': node {stray[0]} ('{self.node_text[stray[0]]}') is an ENTITY without an id."
            )
        if self.mentions and len(self.mentions) != len(self.seeds):
            raise DataError(
                f"LogicGraph '{self.uid}': mentions has {len(self.mentions)} rows, seeds has {len(self.seeds)}; "
                "give one mention per seed, or none at all."
            )

    def _check_lengths(self) -> None:
        """Compare all columns, in the quick way first: linking makes two graphs for each question."""
        nodes, edges = self.num_nodes, self.num_edges
        rows: list[Sized] = [self.node_type, self.node_lemma, self.node_pos, self.node_span, self.node_entity]
        more: list[Sized] = [self.node_score, self.node_polarity]
        ends: list[Sized] = [self.edge_type, self.edge_relation, self.edge_score]
        if {*map(len, rows), *map(len, more)} == {nodes} and {*map(len, ends)} == {edges}:
            return
        for name in ("node_type", "node_lemma", "node_pos", "node_span", "node_entity", "node_score", "node_polarity"):
            if len(getattr(self, name)) != nodes:
                raise DataError(
                    f"LogicGraph '{self.uid}': {name} has {len(getattr(self, name))} rows, node_text has {nodes}."
                )
        for name in ("edge_type", "edge_relation", "edge_score"):
            if len(getattr(self, name)) != edges:
                raise DataError(
                    f"LogicGraph '{self.uid}': {name} has {len(getattr(self, name))} rows, edge_index has {edges}."
                )

    @property
    def num_nodes(self) -> int:
        return len(self.node_text)

    @property
    def num_edges(self) -> int:
        return int(self.edge_index.shape[1])

    def with_edges(
        self,
        edge_index: Int32[ndarray, "2 new"],
        edge_type: EdgeType,
        edge_relation: Int32[ndarray, " new"],
        edge_score: Float32[ndarray, " new"] | None = None,
    ) -> "LogicGraph":
        """Return the graph with edges of one type appended; old edges keep their index. Scores default to 1."""
        new = int(edge_index.shape[1])
        score = np.ones(new, np.float32) if edge_score is None else edge_score
        return replace(
            self,
            edge_index=np.hstack([self.edge_index, edge_index]).astype(np.int32),
            edge_type=np.append(self.edge_type, np.full(new, edge_type, np.int8)),
            edge_relation=np.append(self.edge_relation, edge_relation).astype(np.int32),
            edge_score=np.append(self.edge_score, score).astype(np.float32),
        )

    def with_entities(
        self,
        entity: Int32[ndarray, " new"],
        text: tuple[str, ...],
        score: Float32[ndarray, " new"] | None = None,
    ) -> "LogicGraph":
        """Return the graph with ENTITY nodes appended; old nodes keep their index. Scores default to 1."""
        new = len(entity)
        return self.with_nodes(
            np.full(new, NodeType.ENTITY, np.int8),
            text,
            np.full((new, 3), -1, np.int32),
            entity,
            np.ones(new, np.float32) if score is None else score,
        )

    def with_nodes(
        self,
        kind: Int8[ndarray, " new"],
        text: tuple[str, ...],
        span: Int32[ndarray, "new 3"],
        entity: Int32[ndarray, " new"],
        score: Float32[ndarray, " new"],
    ) -> "LogicGraph":
        """Return the graph with nodes appended, of which no parser knows lemma or part of speech; old ones stay."""
        new = len(kind)
        return replace(
            self,
            node_type=np.concatenate([self.node_type, kind]),
            node_text=self.node_text + text,
            node_lemma=self.node_lemma + ("",) * new,
            node_pos=np.concatenate([self.node_pos, np.full(new, -1, np.int8)]),
            node_span=np.concatenate([self.node_span, span]),
            node_entity=np.concatenate([self.node_entity, entity]),
            node_score=np.concatenate([self.node_score, score]),
            node_polarity=np.concatenate([self.node_polarity, np.zeros(new, np.int8)]),
        )

    def __repr__(self) -> str:
        return f"LogicGraph('{self.uid}': {self.num_nodes} nodes, {self.num_edges} edges)"

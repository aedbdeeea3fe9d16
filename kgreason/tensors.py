"""The nouns on the tensor side: what flows from collate to answer.

Axis names, used in every annotation of the library: `batch`, `tokens`, `nodes`, `edges`, `links`, `pairs`, `cycles`,
`candidates`, `dim`.
"""

from dataclasses import dataclass, field, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class GraphBatch:
    """Several logic graphs laid end to end, with the tokens of their texts.

    A row is one reading of one question: NLI has one row per example, multiple choice one row per choice.

    Args:
        input_ids: Token ids of the language model, special tokens included: all texts of a row in one sequence.
        token_mask: True where there is a token, False where there is padding.
        token_text: Which text of the row each token belongs to (0 premise, 1 hypothesis …); `-1` for special
            tokens and padding.
        group: Which example each row belongs to; ascending. Rows of one group compete.
        node_graph: Which row each node belongs to; ascending.
        node_type: See `NodeType`.
        node_text: Which text of the row each node belongs to; `-1` for an ENTITY.
        node_pos: Position in `UPOS`, or `-1`.
        node_entity: Row in the entity table, or `-1`.
        node_score: How sure the parser or the linker is, in [0, 1].
        edge_index: Source and target; both within the same row.
        edge_kind: See `EdgeType`.
        edge_type: Relation id, after the relations of all edge types are put in one vocabulary, one after the other.
        edge_relation: Relation id within its own edge type.
        edge_score: How sure or how near, in [0, 1].
        link_index: `(node, token)` pairs: node `link_index[0]` covers token `link_index[1]`, where a token
            is counted as `row * tokens + position`.
        pair_index: Two tokens (counted the same way, of one row) that an ALIGN edge joins, first pieces only;
            every alignment stands here in both directions.
        pair_type: The relation of each pair in `ALIGN_RELATIONS`; the inverse direction has
            `len(ALIGN_RELATIONS)` added.
        example: The position of each group's example in the data set the batch was drawn from.
        target: For each right answer, its `(group, candidate)`; None at prediction time. See `Scores`. Candidate -1 is
            "none of these", -2 an answer that is not in the knowledge graph: it cannot be learnt, and it counts.
        edit_graph: Which row each edit belongs to; ascending, and within a row in the order in which edits are made.
        edit_kind: See `EditKind`.
        edit_nodes: The node of the premise and of the hypothesis that an edit exchanges; -1 for none.
        edit_relation: How sure each relation of `Entailment` is to hold, before projection; rows sum to 1.
        edit_polarity: The signature of the place in the premise's sentence and in the hypothesis'.
    """

    input_ids: Int[Tensor, "batch tokens"]
    token_mask: Bool[Tensor, "batch tokens"]
    token_text: Int[Tensor, "batch tokens"]
    group: Int[Tensor, " batch"]
    node_graph: Int[Tensor, " nodes"]
    node_type: Int[Tensor, " nodes"]
    node_text: Int[Tensor, " nodes"]
    node_pos: Int[Tensor, " nodes"]
    node_entity: Int[Tensor, " nodes"]
    node_score: Float[Tensor, " nodes"]
    edge_index: Int[Tensor, "2 edges"]
    edge_kind: Int[Tensor, " edges"]
    edge_type: Int[Tensor, " edges"]
    edge_relation: Int[Tensor, " edges"]
    edge_score: Float[Tensor, " edges"]
    link_index: Int[Tensor, "2 links"]
    pair_index: Int[Tensor, "2 pairs"]
    pair_type: Int[Tensor, " pairs"]
    example: Int[Tensor, " groups"]
    target: Int[Tensor, "2 answers"] | None = None
    edit_graph: Int[Tensor, " edits"] = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    edit_kind: Int[Tensor, " edits"] = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    edit_nodes: Int[Tensor, "2 edits"] = field(default_factory=lambda: torch.zeros(2, 0, dtype=torch.long))
    edit_relation: Float[Tensor, "edits 7"] = field(default_factory=lambda: torch.zeros(0, 7))
    edit_polarity: Int[Tensor, "2 edits"] = field(default_factory=lambda: torch.zeros(2, 0, dtype=torch.long))

    @property
    def num_graphs(self) -> int:
        return int(self.input_ids.shape[0])

    @property
    def num_groups(self) -> int:
        return int(self.example.shape[0])

    def to(self, device: torch.device | str) -> "GraphBatch":
        """Return the batch on `device`."""
        moved = {f.name: v.to(device) for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)}
        return replace(self, **moved)


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What the encoder knows: a vector for each row, token, node and edge, and where each belongs.

    Args:
        query: A vector for the whole row.
        tokens: A vector per token.
        nodes: A vector per node.
        edges: A vector per edge (of its relation and what it joins).
        batch: The batch it was computed from: `group`, `node_graph`, `edge_index`, masks and types.
        parts: Scalars worth a look by name, such as the gate tanh(γ) of the fusion; for logs and traces.
    """

    query: Float[Tensor, "batch dim"]
    tokens: Float[Tensor, "batch tokens dim"]
    nodes: Float[Tensor, "nodes dim"]
    edges: Float[Tensor, "edges dim"]
    batch: GraphBatch
    parts: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """The entities of the knowledge graph that each row has reached, each once, with their scores.

    Args:
        ptr: Row `b` has the entries `ptr[b] : ptr[b + 1]`.
        entity: Entity ids.
        score: Their scores, at least 0; differentiable.
    """

    ptr: Int[Tensor, " offsets"]
    entity: Int[Tensor, " reached"]
    score: Float[Tensor, " reached"]

    @property
    def num_rows(self) -> int:
        return len(self.ptr) - 1

    @property
    def row(self) -> Int[Tensor, " reached"]:
        """The row of each entry."""
        return torch.repeat_interleave(torch.arange(self.num_rows), self.ptr.diff())

    def with_score(self, score: Float[Tensor, " reached"]) -> "Frontier":
        """Return the same entities with other scores."""
        return Frontier(self.ptr, self.entity, score)

    def take(self, rows: Int[Tensor, " rows"]) -> "Frontier":
        """Return other rows of it, some of them several times."""
        length = self.ptr.diff()[rows]
        ptr = torch.cat([length.new_zeros(1), length.cumsum(0)])
        first = torch.repeat_interleave(self.ptr[rows] - ptr[:-1], length)
        at = first + torch.arange(int(ptr[-1]))
        return Frontier(ptr, self.entity[at], self.score[at])


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """A walk over the whole knowledge graph, one hop per cycle.

    Args:
        frontiers: Where each row stood: before the first cycle, and after each. They are on the CPU, as the graph is.
        relation: How much each directed relation was followed in each cycle; `r + relations` is the inverse of `r`.
        open: How much of that weight fell on relations that had a fact to follow, before what did not was left out.
        touched: How many facts each cycle touched.
        nothing: How likely it is that nothing in the graph answers; None if the decoder does not say.
    """

    frontiers: tuple[Frontier, ...]
    relation: Float[Tensor, "cycles batch directed"]
    open: Float[Tensor, "cycles batch"]
    touched: Int[Tensor, "cycles batch"]
    nothing: Float[Tensor, " batch"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """A proof by natural logic: one edit per cycle, and what the edits so far come to.

    Args:
        state: How sure each relation of `Entailment` is to hold between the premise and what the edits have made of
            it, after each cycle; a distribution. A row whose edits are used up stands still.
        edit: The edit of the batch that each cycle makes; -1 for none.
        relation: What the decoder takes each edit's relation to be, before projection; rows sum to 1.
        projected: What it is after projection.
        proved: False where there is nothing to go by: no edits, or more than there are cycles.
        gate: How much the proof counts beside what was learned, in [0, 1]; None if there is nothing beside it.
    """

    state: Float[Tensor, "cycles batch 7"]
    edit: Int[Tensor, "cycles batch"]
    relation: Float[Tensor, "edits 7"]
    projected: Float[Tensor, "edits 7"]
    proved: Bool[Tensor, " batch"]
    gate: Float[Tensor, " batch"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """How sure each relation is to hold between each two nodes, before the first cycle and after each.

    Args:
        score: In [0, 1]; a row that has halted stands still. There are no entries for cycles that no row ran.
        table: What a relation followed by another comes to; what the last axis lacks to 1 is nothing known.
        node: The node of the batch at each place of each row, -1 where there is none.
        pair: The places of the source and the target that a row asks about; where it asks for an entity, the one that
            is looked at most, and the source it is best reached from. -1 where there are none.
        directed: How many symbols are relations of the graph, inverses included; those after them have no name.
    """

    score: Float[Tensor, "steps batch places places symbols"]
    table: Float[Tensor, "symbols symbols symbols"]
    node: Int[Tensor, "batch places"]
    pair: Int[Tensor, "2 batch"]
    directed: int


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What the decoder did, cycle by cycle; enough to draw the path it took.

    Args:
        output: The result $y_i$ of each cycle.
        attention: Where it looked: a distribution over the nodes of each row, per cycle (all 0 in a row without
            nodes).
        running: False from the cycle in which a row has halted.
        weight: How much each cycle counts in the answer; sums to 1 over the cycles of a row. A decoder with a fixed
            number of cycles puts all of it on the last.
        edges: Where it looked among the edges, per cycle; None if it does not look at edges.
        loss: What the decoder adds to the loss (ponder cost, halting prior), a scalar; None for nothing.
        walk: Where it went in the knowledge graph; None if it stayed in the logic graph.
        proof: What it proved, and how; None if it proves nothing. Of two decoders side by side, the proof has its own
            number of cycles.
        chart: The relations it has composed; None if it composes none.
    """

    output: Float[Tensor, "cycles batch dim"]
    attention: Float[Tensor, "cycles nodes"]
    running: Bool[Tensor, "cycles batch"]
    weight: Float[Tensor, "cycles batch"]
    edges: Float[Tensor, "cycles edges"] | None = None
    loss: Float[Tensor, ""] | None = None
    walk: Walk | None = None
    proof: Proof | None = None
    chart: Chart | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """A score for every answer that could be given. Every task is a choice among candidates.

    NLI has three candidates per group (its labels), multiple choice one per choice, a question over a knowledge graph
    one per entity in sight, free text one per sentence that was generated. Groups may differ in size.

    Args:
        value: The score; a softmax within the group makes it a probability.
        group: Which example each candidate belongs to; ascending.
        candidate: What is scored: a label, the position of a choice, an entity of the knowledge graph (-1: none of
            them), or a generated text.
        cycle: The score each cycle alone would have given, `value` being what they come to; for the trace and for
            losses that look at every cycle. None if there is nothing to tell.
        partial: Whether only some of all candidates are listed, such as the entities that a walk touched. A right
            answer that is not listed is then out of reach, and no error.
    """

    value: Float[Tensor, " candidates"]
    group: Int[Tensor, " candidates"]
    candidate: Int[Tensor, " candidates"]
    cycle: Float[Tensor, "cycles candidates"] | None = None
    partial: bool = False

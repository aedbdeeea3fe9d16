"""The encoder: a language model for the tokens, message passing for the nodes, and a fusion of both."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kgreason.encode.entities import EntityVectors
from kgreason.encode.fuse import Fusion
from kgreason.encode.graph import GraphLayers
from kgreason.encode.language import Language
from kgreason.segments import segment_mean
from kgreason.tensors import GraphBatch, States

#: Sizes of the small vocabularies of the nodes, each with a place for "none" (`-1`) in front.
_NODE_TYPES, _POS, _TEXTS = 4, 17, 3


@final
class FusedEncoder(nn.Module):
    r"""Tokens from the language model, nodes from their tokens, messages along the edges, and back to the tokens.

    $$\begin{aligned}
      H &= P\,\mathrm{LM}(\text{row}) \\
      x_v &= \mathrm{LN}\big(\mathrm{mean}_{t \in \mathrm{link}(v)} H_t + t_{\mathrm{type}(v)} + t_{\mathrm{pos}(v)}
             + t_{\mathrm{text}(v)} + s_v\, \mathrm{entity}_v\big) \\
      X &= \mathrm{graph}(x), \qquad (H', q) = \mathrm{fuse}(H, X) \\
      e_{ij} &= z_{r} + s_{ij}\, w + A X_i + B X_j
    \end{aligned}$$

    With `fuse = none` and `graph = none` the tokens and the query are those of the language model alone; a node that
    covers no token has 0 for their mean, and a row without nodes is a row like any other.

    Args:
        language: See `LANGUAGES`.
        graph: See `GRAPHS`; built for the same `dim` and `num_relations`.
        fuse: See `FUSIONS`; built for the same `dim`.
        entities: See `ENTITIES`; built for the same `dim`.
        dim: Width of all states. If it is the language model's own width, $P$ is left out.
        num_relations: How many relations `GraphBatch.edge_type` counts in (`Collate.num_relations`).
    """

    def __init__(
        self,
        language: Language,
        graph: GraphLayers,
        fuse: Fusion,
        entities: EntityVectors,
        dim: int,
        num_relations: int,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.language, self.graph, self.fuse, self.entities = language, graph, fuse, entities
        self.project = nn.Identity() if language.width == dim else nn.Linear(language.width, dim)
        self.node_type, self.node_pos, self.node_text = (
            nn.Embedding(size + 1, dim) for size in (_NODE_TYPES, _POS, _TEXTS)
        )
        self.relation = nn.Embedding(num_relations, dim)
        for table in (self.node_type, self.node_pos, self.node_text, self.relation):
            nn.init.normal_(table.weight, std=dim**-0.5)
        self.norm = nn.LayerNorm(dim)
        self.source, self.target = nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim, bias=False)
        self.edge_score = nn.Parameter(torch.zeros(dim))

    def forward(self, batch: GraphBatch) -> States:
        tokens = self.project(self.language(batch)) * batch.token_mask[..., None]
        nodes = self.graph(self._nodes(tokens, batch), batch.edge_index, batch.edge_type, batch.edge_score)
        fused = self.fuse(tokens, nodes, batch)
        source, target = batch.edge_index
        edges = (
            self.relation(batch.edge_type)
            + batch.edge_score[:, None] * self.edge_score
            + self.source(nodes).index_select(0, source)
            + self.target(nodes).index_select(0, target)
        )
        return States(fused.query, fused.tokens, nodes, edges, batch, fused.parts)

    def _nodes(self, tokens: Float[Tensor, "batch tokens dim"], batch: GraphBatch) -> Float[Tensor, "nodes dim"]:
        node, token = batch.link_index
        covered = tokens.flatten(0, 1).index_select(0, token)
        text = batch.node_text.clamp_max(_TEXTS - 1)
        named: Tensor = (
            self.node_type(batch.node_type + 1) + self.node_pos(batch.node_pos + 1) + self.node_text(text + 1)
        )
        known = self.entities(batch.node_entity) * batch.node_score[:, None]
        found: Tensor = self.norm(segment_mean(covered, node, len(named)) + named + known)
        return found

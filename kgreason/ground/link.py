"""Entities that a text names."""

from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import LINK_RELATIONS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError
from kgreason.ground.attach import add_edges, add_entities
from kgreason.ground.mentions import POS_RULES, Mentions, PosRule, link_spans

_NAMES = LINK_RELATIONS.id("names")


@final
class LinkGrounder:
    """Adds the entities that the text names, with all their senses, and LINK edges to them.

    Every candidate of every mention (`link_spans`) gets one ENTITY node, shared by all mentions of it; its score is
    that of its likeliest mention. The LINK edge carries the score of its own mention. It starts at the PHRASE node that
    covers just the mention if there is one, else at the mention's head word.

    Args:
        max_senses: How many senses of a mention are kept, the likeliest first.
        pos: How parts of speech count: `strict`, `prefer` or `ignore`; see `link_spans`.
    """

    def __init__(self, max_senses: int = 8, pos: str = "strict") -> None:
        if max_senses < 1:
            raise ConfigError(f"[ground] link: max_senses = {max_senses}, but a mention needs at least 1.")
        self.max_senses, self.pos = max_senses, _rule(pos)

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        found = link_spans(graphs, knowledge, self.max_senses, self.pos)
        return [_link(graph, knowledge, mentions) for graph, mentions in zip(graphs, found, strict=True)]


def _rule(name: str) -> PosRule:
    for rule in POS_RULES:
        if rule == name:
            return rule
    raise ConfigError(f"[ground] pos = '{name}' is not known. Choose one of: {', '.join(POS_RULES)}.")


def _link(graph: LogicGraph, knowledge: KnowledgeGraph, mentions: Mentions) -> LogicGraph:
    if not len(mentions):
        return graph
    entity, which = np.unique(mentions.entity, return_inverse=True)
    score = np.zeros(len(entity), np.float32)
    np.maximum.at(score, which, mentions.score)
    linked, node = add_entities(graph, knowledge, entity, score)
    source = np.repeat(_sources(graph, mentions), np.diff(mentions.ptr))
    relation = np.full(len(source), _NAMES, np.int32)
    return add_edges(linked, np.stack([source, node[which]]), EdgeType.LINK, relation, mentions.score)


def _sources(graph: LogicGraph, mentions: Mentions) -> Int64[ndarray, " mentions"]:
    """Return the node that stands for each mention."""
    source = mentions.head.astype(np.int64)
    several = np.flatnonzero(mentions.first != mentions.last)
    phrases = np.flatnonzero(graph.node_type == NodeType.PHRASE)
    if not len(several) or not len(phrases):
        return source
    spans = {tuple(span): node for span, node in zip(graph.node_span[phrases].tolist(), phrases.tolist(), strict=True)}
    for m in several.tolist():
        text, start, _ = graph.node_span[mentions.first[m]].tolist()
        source[m] = spans.get((text, start, int(graph.node_span[mentions.last[m], 2])), source[m])
    return source

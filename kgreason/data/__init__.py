"""The nouns on the symbol side: plain numpy and Python, no torch."""

from kgreason.data.edits import EditKind, Edits, no_edits
from kgreason.data.entailment import COMPOSE, CONJOIN, JOIN, POLARITY, SIGNATURES, Entailment, Polarity, signature
from kgreason.data.example import Example, Role, Target
from kgreason.data.knowledge import KnowledgeGraph
from kgreason.data.logic import EdgeType, LogicGraph, NodeType
from kgreason.data.prediction import Cycle, Look, Prediction, Step
from kgreason.data.predictions import NONE, SHARES, UNKNOWN, Predictions, Ranks, count_shares
from kgreason.data.relations import (
    ALIGN_RELATIONS,
    DEPENDENCY_RELATIONS,
    EDGE_RELATIONS,
    LINK_RELATIONS,
    SEMANTIC_RELATIONS,
    SPAN_RELATIONS,
    UPOS,
)
from kgreason.data.resolve import entities_of
from kgreason.data.vocab import Vocab
from kgreason.data.wording import relation_text, relation_texts

__all__ = [
    "ALIGN_RELATIONS",
    "COMPOSE",
    "CONJOIN",
    "DEPENDENCY_RELATIONS",
    "EDGE_RELATIONS",
    "JOIN",
    "LINK_RELATIONS",
    "NONE",
    "POLARITY",
    "SEMANTIC_RELATIONS",
    "SHARES",
    "SIGNATURES",
    "SPAN_RELATIONS",
    "UNKNOWN",
    "UPOS",
    "Cycle",
    "EdgeType",
    "EditKind",
    "Edits",
    "Entailment",
    "Example",
    "KnowledgeGraph",
    "LogicGraph",
    "Look",
    "NodeType",
    "Polarity",
    "Prediction",
    "Predictions",
    "Ranks",
    "Role",
    "Step",
    "Target",
    "Vocab",
    "count_shares",
    "entities_of",
    "no_edits",
    "relation_text",
    "relation_texts",
    "signature",
]

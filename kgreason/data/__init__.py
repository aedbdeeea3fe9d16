"""The nouns on the symbol side: plain numpy and Python, no torch."""

from kgreason.data.example import Example, Role, Target
from kgreason.data.knowledge import KnowledgeGraph
from kgreason.data.logic import EdgeType, LogicGraph, NodeType
from kgreason.data.prediction import Cycle, Look, Prediction
from kgreason.data.relations import (
    ALIGN_RELATIONS,
    DEPENDENCY_RELATIONS,
    EDGE_RELATIONS,
    LINK_RELATIONS,
    SEMANTIC_RELATIONS,
    SPAN_RELATIONS,
    UPOS,
)
from kgreason.data.vocab import Vocab

__all__ = [
    "ALIGN_RELATIONS",
    "DEPENDENCY_RELATIONS",
    "EDGE_RELATIONS",
    "LINK_RELATIONS",
    "SEMANTIC_RELATIONS",
    "SPAN_RELATIONS",
    "UPOS",
    "Cycle",
    "EdgeType",
    "Example",
    "KnowledgeGraph",
    "LogicGraph",
    "Look",
    "NodeType",
    "Prediction",
    "Role",
    "Target",
    "Vocab",
]

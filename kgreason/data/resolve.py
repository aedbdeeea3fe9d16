"""From the name of an entity to its id."""

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.data.knowledge import KnowledgeGraph


def entities_of(knowledge: KnowledgeGraph, name: str) -> Int32[ndarray, " found"]:
    """Return the entities that `name` stands for: the one of this very name, else all that it labels; may be empty.

    Answers and gold seeds of a data set are meant to be written as the graph writes them, so nothing is guessed here:
    case and punctuation count.
    """
    if name in knowledge.entities:
        return np.array([knowledge.entities.id(name)], np.int32)
    return np.asarray(knowledge.labels.senses(name)[0], np.int32)

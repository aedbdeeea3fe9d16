"""From the names of seed entities to their ids."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float64, Int32
from numpy import ndarray

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.errors import DataError
from kgreason.ground.index import label_index
from kgreason.ground.reading import Meaning, best_senses, senses_of
from kgreason.ground.search import linker


def resolve(names: Iterable[str], knowledge: KnowledgeGraph, max_senses: int) -> dict[str, Meaning]:
    r"""Return which entities each name means, and how surely; names that mean nothing are left out.

    A name is looked up as the name of an entity, which means that one alone; then as a label as it is written; then as
    a label in whatever case and punctuation. The scores of the senses of one name sum to 1:

    $$\mathrm{score}(e) = \frac{p(e \mid \mathrm{label})}{\sum_{e'} p(e' \mid \mathrm{label})}$$

    Args:
        names: What the seeds are called.
        knowledge: Where they are looked up.
        max_senses: How many entities of a name are kept, the likeliest first.
    """
    found: dict[str, Meaning] = {}
    unknown = []
    for name in dict.fromkeys(names):
        entity, score = _as_written(name, knowledge)
        if len(entity):
            found[name] = best_senses(entity, score, max_senses)
        else:
            unknown.append(name)
    if unknown:
        found |= _read_alike(unknown, knowledge, max_senses)
    return found


def check_seeds(graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> None:
    """Refuse seeds that the graph does not know: what one who asks is told, where training only counts them.

    Raises:
        DataError: Names the example, the seed, and labels that are near to it.
    """
    found = resolve((name for graph in graphs for name in graph.seeds), knowledge, 1)
    for graph in graphs:
        for name in graph.seeds:
            if name not in found:
                near = linker(knowledge).fuzzy(knowledge).near(name, 3)
                hint = f" Did you mean {' or '.join(repr(label) for label in near)}?" if near else ""
                raise DataError(
                    f"Example '{graph.uid}': the seed '{name}' is no entity of the knowledge graph, neither by name "
                    f"nor by label ({len(knowledge.entities):,} entities).{hint} Give a name or a label of the graph, "
                    "or leave the seeds out to have them linked from the text."
                )


def _as_written(name: str, knowledge: KnowledgeGraph) -> tuple[Int32[ndarray, " senses"], Float64[ndarray, " senses"]]:
    if name in knowledge.entities:
        return np.array([knowledge.entities.id(name)], np.int32), np.ones(1)
    entity, score = knowledge.labels.senses(name)
    return np.asarray(entity), np.asarray(score, np.float64)


def _read_alike(names: Sequence[str], knowledge: KnowledgeGraph, max_senses: int) -> dict[str, Meaning]:
    """Look names up whatever their case and punctuation, all at once: each is one word of a text of its own."""
    rows = label_index(knowledge).find(names, [""] * len(names), np.arange(len(names)))
    of, entity, score = senses_of(rows[:, 2], knowledge.labels)
    at = rows[of, 0]
    return {names[i]: best_senses(entity[at == i], score[at == i], max_senses) for i in np.unique(at).tolist()}

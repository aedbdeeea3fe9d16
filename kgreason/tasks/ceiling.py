"""What a perfect reasoner would reach on a graph that lacks facts: the gold relation path, executed."""

from collections.abc import Collection
from typing import final

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from kgreason.data import KnowledgeGraph, entities_of
from kgreason.errors import DataError
from kgreason.tasks.metrics import kinds_of
from kgreason.tasks.split import Split

_CHUNK = 2048


def ceiling(split: Split, knowledge: KnowledgeGraph) -> dict[str, float]:
    r"""Execute the gold path of every question that has one (`Split.path`) from its seeds.

    With $S$ the entities that the path leads to and $A$ the right ones, a uniform pick in $S$ is right with the
    probability $|S \cap A| / |S|$, or 0 if $S$ is empty.

    Returns:
        `ceiling.hits@1` (the mean of that), `ceiling.found` (share of the questions whose $S$ is not empty),
        `ceiling.exact` (share with $S = A$), `ceiling.size` (questions with a path and answers); the same as
        `ceiling.hops.H.…` and `ceiling.type.T.…`.

    Raises:
        DataError: If a path names a relation that the graph does not have.
    """
    chosen = [
        i for i, e in enumerate(split.examples) if e.uid in split.path and isinstance(e.target, frozenset) and e.target
    ]
    examples = [split.examples[i] for i in chosen]
    hit, size = np.zeros(len(chosen)), np.zeros(len(chosen), np.int64)
    exact = np.zeros(len(chosen), bool)
    by_path: dict[tuple[str, ...], list[int]] = {}
    ids_of = _Ids(knowledge)
    for i, example in enumerate(examples):
        by_path.setdefault(split.path[example.uid], []).append(i)
    for path, members in by_path.items():
        for start in range(0, len(members), _CHUNK):
            part = members[start : start + _CHUNK]
            seeds = [ids_of(examples[i].seeds) for i in part]
            row, entity = execute(knowledge, seeds, path)
            answers = [ids_of(examples[i].target) for i in part]  # type: ignore[arg-type]
            right = _among(row, entity, answers, len(knowledge.entities))
            many, reached = np.bincount(row, right, len(part)), np.bincount(row, minlength=len(part))
            wanted = np.array([len(examples[i].target) for i in part])  # type: ignore[arg-type]
            hit[part], size[part] = many / np.maximum(reached, 1), reached
            exact[part] = (many == reached) & (reached == wanted)
    columns = {"hits@1": hit, "found": size > 0, "exact": exact}
    parts = {"": np.ones(len(chosen), bool)}
    parts |= {f"{kind}.{name}.": mine for (kind, name), mine in kinds_of(examples, split.category).items()}
    told = {
        f"ceiling.{p}{name}": float(column[mine].mean())
        for p, mine in parts.items()
        for name, column in columns.items()
    }
    return told | {f"ceiling.{p}size": float(mine.sum()) for p, mine in parts.items()}


def execute(
    knowledge: KnowledgeGraph, seeds: list[Int[ndarray, " _"]], path: tuple[str, ...]
) -> tuple[Int[ndarray, " found"], Int[ndarray, " found"]]:
    """Follow a path of relations from the seeds of many questions at once.

    Where the second hop goes against the direction of the first (from a film to its director, from there to films), it
    does not come back to the seed: "the other films of its director" is what such questions mean. Later hops, and hops
    in one direction (spouse, spouse), may go anywhere.

    Args:
        knowledge: The graph.
        seeds: Of each question, the entities it starts from.
        path: Relations by name, `^relation` from tail to head; the same for all questions.

    Returns:
        Question and entity of all that is reached: distinct pairs, sorted.

    Raises:
        DataError: If the graph does not have a relation.
    """
    entities = len(knowledge.entities)
    row = np.repeat(np.arange(len(seeds)), [len(s) for s in seeds])
    entity = start = np.concatenate([*seeds, np.zeros(0, np.int64)])
    for step, relation in enumerate(path):
        inverse, name = relation.startswith("^"), relation.removeprefix("^")
        if name not in knowledge.relations:
            raise DataError(
                f"The path {' → '.join(path)} names the relation '{name}', which the graph does not have. It has: "
                f"{', '.join(list(knowledge.relations)[:20])}."
            )
        source, reached = _follow(knowledge, entity, knowledge.relations.id(name), inverse)
        if step == 1 and inverse != path[0].startswith("^"):
            away = reached != start[source]
            source, reached = source[away], reached[away]
        row, entity = row[source], reached
        if step == 0:
            start = start[source]  # distinct already, and it matters where each came from
        else:
            row, entity = np.divmod(np.unique(row * entities + entity), entities)
    row, entity = np.divmod(np.unique(row * entities + entity), entities)
    return row, entity


def _follow(
    knowledge: KnowledgeGraph, entity: Int[ndarray, " here"], relation: int, inverse: bool
) -> tuple[Int[ndarray, " there"], Int[ndarray, " there"]]:
    """Return, for each fact of a relation at each entity, the place of the entity in `entity` and the other end."""
    ptr = knowledge.tail_ptr if inverse else knowledge.head_ptr
    kind, other = (knowledge.inverse, knowledge.head) if inverse else (knowledge.relation, knowledge.tail)
    start, count = ptr[entity], ptr[entity + 1] - ptr[entity]
    source = np.repeat(np.arange(len(entity)), count)
    fact = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(start, count)
    keep = kind[fact] == relation
    return source[keep], other[fact[keep]].astype(np.int64)


@final
class _Ids:
    """Names to ids; a name that comes again is not looked up again."""

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self._knowledge = knowledge
        self._known: dict[str, list[int]] = {}

    def __call__(self, names: Collection[str]) -> ndarray:
        for name in names:
            if name not in self._known:
                self._known[name] = entities_of(self._knowledge, name).tolist()
        return np.array(sorted({i for name in names for i in self._known[name]}), np.int64)


def _among(row: ndarray, entity: ndarray, answers: list[ndarray], entities: int) -> ndarray:
    wanted = np.concatenate([a + i * entities for i, a in enumerate(answers)])
    found: ndarray = np.isin(row * entities + entity, wanted)
    return found

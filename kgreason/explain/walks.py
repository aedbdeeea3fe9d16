"""What a walk over the knowledge graph did, read back: which facts carried the score of an answer, cycle by cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from kgreason.data import KnowledgeGraph, relation_text
from kgreason.tensors import Frontier, Walk

#: A search back from an answer follows so many entities at once, the likeliest.
_BRANCHES = 5000


class Fact(NamedTuple):
    """A triple, by ids."""

    head: int
    relation: int
    tail: int


@final
@dataclass(frozen=True, slots=True, eq=False)
class RowWalk:
    r"""The walk of one row, as numpy arrays.

    Args:
        knowledge: The graph it walked.
        entity: For each cycle, and before the first, the entities reached; ascending.
        score: Their scores.
        relation: The weight of each directed relation in each cycle.
        weight: How much each cycle counts in the answer.
    """

    knowledge: KnowledgeGraph
    entity: Sequence[ndarray]
    score: Sequence[ndarray]
    relation: Float[ndarray, "cycles directed"]
    weight: Float[ndarray, " cycles"]

    @classmethod
    def of(cls, knowledge: KnowledgeGraph, walk: Walk, weight: Float[ndarray, "cycles batch"], row: int) -> "RowWalk":
        """Cut the walk of one row out of that of a batch."""
        steps = [_row(frontier, row) for frontier in walk.frontiers]
        relation = walk.relation[:, row].detach().cpu().numpy()
        return cls(knowledge, [e for e, _ in steps], [s for _, s in steps], relation, weight[:, row])

    def path(self, entity: int) -> list[Fact]:
        r"""Return the facts that carried the most score to an entity, from a seed on; empty if it was not reached.

        From the cycle with the largest $w_i\, e_i[v]$ back: the fact $(s, r, v)$ with the largest
        $e_{i-1}[s]\, w_i[r]$, then the same for $s$. A fact is not walked back at once, as the walk itself does not.
        Where the frontiers do not hang together (a mixture of paths of different lengths), the path of the largest
        $\prod_i w_i[r_i]$ that leads back to a seed.
        """
        shares = [w * self._at(i + 1, entity) for i, w in enumerate(self.weight)]
        cycle = int(np.argmax(shares)) + 1 if max(shares, default=0.0) > 0 else 0
        facts: list[Fact] = []
        here = entity
        for i in range(cycle, 0, -1):
            found = self._best(i, here, facts[-1] if facts else None)
            if found is None:
                return self._likeliest(cycle, entity)
            here, fact = found
            facts.append(fact)
        return facts[::-1]

    def after(self, cycle: int, entities: Sequence[int]) -> list[float]:
        """Return the share of some entities in all the score after a cycle (counted from 0)."""
        total = float(self.score[cycle + 1].sum())
        return [self._at(cycle + 1, e) / total if total else 0.0 for e in entities]

    def best(self, cycle: int) -> int | None:
        """Return the entity with the highest score after a cycle (counted from 0); None if none was reached."""
        score = self.score[cycle + 1]
        return int(self.entity[cycle + 1][score.argmax()]) if len(score) and score.max() > 0 else None

    def followed(self, cycle: int, least: float = 0.05) -> list[tuple[str, float]]:
        """Return the directed relations followed in a cycle with their weights, the strongest first.

        They are named by their first text; the inverse of a relation has a `^` before it.
        """
        weights, many = self.relation[cycle], len(self.knowledge.relations)
        order = [int(r) for r in np.argsort(-weights, kind="stable")[:5] if weights[r] >= least]
        return [("^" * (r >= many) + relation_text(self.knowledge, r % many), float(weights[r])) for r in order]

    def _likeliest(self, cycle: int, entity: int) -> list[Fact]:
        """Search back from an entity for the likeliest path of `cycle` facts from a seed; all branches at once."""
        levels: list[tuple[ndarray, ndarray]] = []  # the facts taken, and which of the level after each leads on to
        here, gain, via = np.array([entity]), np.ones(1), np.full((1, 3), -1)
        for i in range(cycle, 0, -1):
            after, before, facts, weight = self._into(here, self.relation[i - 1])
            value = gain[after] * weight * (facts != via[after]).any(axis=1)  # not back along the fact it came by
            order = np.argsort(-value, kind="stable")
            _, first = np.unique(before[order], return_index=True)
            best = order[np.sort(first)][:_BRANCHES]  # the best fact of each entity, and the best entities
            best = best[value[best] > 0]
            levels.append((facts[best], after[best]))
            here, gain, via = before[best], value[best], facts[best]
        gain = gain * self._scores(0, here)
        if not len(gain) or gain.max() <= 0:
            return []
        at, path = int(gain.argmax()), []
        for facts, after in reversed(levels):
            path.append(Fact(*map(int, facts[at])))
            at = int(after[at])
        return path

    def _into(self, entities: ndarray, weight: ndarray) -> tuple[ndarray, ndarray, ndarray, ndarray]:
        """Return all facts that lead to some entities: to which, from where, the facts, and their weights."""
        graph, many = self.knowledge, len(self.knowledge.relations)
        place, row = _slices(graph.tail_ptr, entities)
        other, back = _slices(graph.head_ptr, entities)
        head = np.concatenate([graph.head[place], entities[back]]).astype(np.int64)
        tail = np.concatenate([entities[row], graph.tail[other]]).astype(np.int64)
        relation = np.concatenate([graph.inverse[place], graph.relation[other]]).astype(np.int64)
        directed = relation + many * (np.arange(len(relation)) >= len(row))
        before = np.where(np.arange(len(relation)) < len(row), head, tail)
        return np.concatenate([row, back]), before, np.stack([head, relation, tail], axis=1), weight[directed]

    def _at(self, step: int, entity: int) -> float:
        return float(self._scores(step, np.array([entity]))[0])

    def _scores(self, step: int, entities: ndarray) -> ndarray:
        known, score = self.entity[step], self.score[step]
        if not len(known):
            return np.zeros(len(entities), np.float32)
        place = np.minimum(np.searchsorted(known, entities), len(known) - 1)
        found: ndarray = np.where(known[place] == entities, score[place], 0.0)
        return found

    def _best(self, step: int, entity: int, after: Fact | None) -> tuple[int, Fact] | None:
        """Return where the most score came from in a step, and the fact it came by."""
        _, before, facts, weight = self._into(np.array([entity]), self.relation[step - 1])
        moved = self._scores(step - 1, before) * weight
        if after is not None:
            moved[(facts == after).all(axis=1)] = 0
        if not len(moved) or moved.max() <= 0:
            return None
        i = int(moved.argmax())
        return int(before[i]), Fact(*map(int, facts[i]))


def _slices(ptr: ndarray, entities: ndarray) -> tuple[ndarray, ndarray]:
    """Return the rows of several entities laid end to end, and whose each is."""
    start, count = ptr[entities], ptr[entities + 1] - ptr[entities]
    whose = np.repeat(np.arange(len(entities)), count)
    return np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count) + start[whose], whose


def _row(frontier: Frontier, row: int) -> tuple[ndarray, ndarray]:
    part = slice(int(frontier.ptr[row]), int(frontier.ptr[row + 1]))
    entity, score = frontier.entity[part].numpy().astype(np.int64), frontier.score[part].detach().cpu().numpy()
    order = np.argsort(entity)
    return entity[order], score[order]

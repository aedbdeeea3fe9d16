"""The facts that a question needs: those on the way from its seeds to its answers."""

from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import Example, KnowledgeGraph, entities_of
from kgreason.tasks.split import Split

Triples = Int64[ndarray, "_ 3"]


@final
class Evidence:
    """Finds the facts on the gold paths of questions.

    Where the data set tells the path of a question (`Split.path`), its facts are those that the relations of the path
    lead along, from the seeds to what they reach; else those on all shortest ways, in either direction, from the seeds
    to the answers.

    Args:
        knowledge: The graph.
        hops: How long a way may be that nobody has told.
    """

    def __init__(self, knowledge: KnowledgeGraph, hops: int = 3) -> None:
        self.knowledge, self.hops = knowledge, hops

    def steps(self, split: Split, example: Example) -> list[Triples]:
        """Return the facts of each hop, as rows of head, relation, tail; nothing if no way is known.

        Of a told path, the last step holds all that the path ends in; of one that was found, what leads to answers.
        """
        seeds = self.ids(example.seeds)
        answers = self.ids(example.target if isinstance(example.target, frozenset) else ())
        if not len(seeds) or not len(answers):
            return []
        path = split.path.get(example.uid)
        return self.along(seeds, path) if path else self.between(seeds, answers)

    def ids(self, names: Sequence[str] | frozenset[str]) -> Int64[ndarray, " found"]:
        """Return the entities of names."""
        found = [entities_of(self.knowledge, name) for name in sorted(names)]
        return np.unique(np.concatenate([*found, np.zeros(0, np.int32)])).astype(np.int64)

    def along(self, seeds: Int64[ndarray, " seeds"], path: Sequence[str]) -> list[Triples]:
        """Follow the relations of a path, one seed at a time, and keep what leads to its end."""
        each = [self._from(seed, path) for seed in seeds.tolist()]
        whole = [distinct(self.knowledge, np.concatenate(parts)) for parts in zip(*each, strict=True)]
        return whole if whole and len(whole[-1]) else []

    def _from(self, seed: int, path: Sequence[str]) -> list[Triples]:
        here, taken, turned = np.array([seed]), list[Triples](), list[bool]()
        for step, name in enumerate(path):
            relation, inverse = name.removeprefix("^"), name.startswith("^")
            known = relation in self.knowledge.relations
            facts = around(self.knowledge, here, backwards=inverse)
            facts = facts[facts[:, 1] == self.knowledge.relations.id(relation)] if known else facts[:0]
            if step == 1 and inverse != turned[0]:  # not back to the seed; as `ceiling.execute` has it
                facts = facts[facts[:, 0 if inverse else 2] != seed]
            taken.append(facts)
            turned.append(inverse)
            here = np.unique(facts[:, 0 if inverse else 2])
        for step in range(len(path) - 2, -1, -1):
            ahead = taken[step + 1][:, 2 if turned[step + 1] else 0]
            taken[step] = taken[step][np.isin(taken[step][:, 0 if turned[step] else 2], ahead)]
        return taken

    def between(self, seeds: Int64[ndarray, " seeds"], answers: Int64[ndarray, " answers"]) -> list[Triples]:
        """Go out from the seeds until an answer is met, and keep what lies on the way to it."""
        seen, here, levels, ways = seeds, seeds, [seeds], list[Triples]()
        while len(ways) < self.hops and len(here) and not np.isin(here, answers).any():
            facts = both_ways(self.knowledge, here)
            here = np.setdiff1d(facts[:, [0, 2]], seen)
            seen = np.union1d(seen, here)
            levels.append(here)
            ways.append(facts)
        wanted = np.intersect1d(here, answers)
        if not ways or not len(wanted):
            return []
        for step in range(len(ways) - 1, -1, -1):
            facts, before = ways[step], levels[step]
            on = np.isin(facts[:, 0], before) & np.isin(facts[:, 2], wanted)
            on |= np.isin(facts[:, 2], before) & np.isin(facts[:, 0], wanted)
            ways[step] = facts[on]
            wanted = np.intersect1d(before, ways[step][:, [0, 2]])
        return ways


def reaches(
    knowledge: KnowledgeGraph, seeds: Int64[ndarray, " seeds"], answers: Int64[ndarray, " answers"], hops: int
) -> bool:
    """Return whether an answer can be reached from a seed in one to `hops` hops, in either direction of a fact."""
    goal, seen = np.zeros(len(knowledge.entities), bool), np.zeros(len(knowledge.entities), bool)
    goal[_beside(knowledge, answers)] = True  # the last hop is taken from behind, where there is less to look at
    here = seeds
    for _ in range(hops):
        if goal[here].any():
            return True
        seen[here] = True
        there = np.zeros_like(seen)
        there[_beside(knowledge, here)] = True
        here = np.flatnonzero(there & ~seen)
    return False


def _beside(knowledge: KnowledgeGraph, entities: Int64[ndarray, " entities"]) -> Int64[ndarray, " neighbours"]:
    """Return what some entities have facts with, as often as they have."""
    ends = []
    for ptr, other in ((knowledge.head_ptr, knowledge.tail), (knowledge.tail_ptr, knowledge.head)):
        begin, count = ptr[entities], ptr[entities + 1] - ptr[entities]
        rows = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
        ends.append(other[rows])
    return np.concatenate(ends).astype(np.int64)


def around(knowledge: KnowledgeGraph, entities: Int64[ndarray, " entities"], backwards: bool) -> Triples:
    """Return the facts that start at some entities, or (`backwards`) that end there."""
    ptr = knowledge.tail_ptr if backwards else knowledge.head_ptr
    kind, other = (knowledge.inverse, knowledge.head) if backwards else (knowledge.relation, knowledge.tail)
    begin, count = ptr[entities], ptr[entities + 1] - ptr[entities]
    rows = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    own = np.repeat(entities, count)
    ends = (other[rows], own) if backwards else (own, other[rows])
    return np.stack([ends[0], kind[rows], ends[1]], axis=1).astype(np.int64)


def both_ways(knowledge: KnowledgeGraph, entities: Int64[ndarray, " entities"]) -> Triples:
    """Return the facts at some entities, each once."""
    there = [around(knowledge, entities, backwards=way) for way in (False, True)]
    return distinct(knowledge, np.concatenate(there))


def distinct(knowledge: KnowledgeGraph, facts: Triples) -> Triples:
    """Return facts by head, relation, tail, each once."""
    return facts[np.unique(key(knowledge, facts), return_index=True)[1]]


def key(knowledge: KnowledgeGraph, facts: Triples) -> Int64[ndarray, " keys"]:
    """Return one number per fact, which ascends by head, relation, tail."""
    relations, entities = len(knowledge.relations), len(knowledge.entities)
    number: Int64[ndarray, " keys"] = (facts[:, 0] * relations + facts[:, 1]) * entities + facts[:, 2]
    return number

"""Questions that a knowledge graph asks about itself: paths drawn from its facts, said in words. No human question."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.tasks.keys import check_keys
from kgreason.tasks.phrases import Phrases
from kgreason.tasks.split import Split, ToExample

#: In so many questions, what the seed is stands before it.
_NAMED = 0.15
#: In so many questions, a word in eight is left out.
_WORN = 0.15


@final
@dataclass(frozen=True, slots=True)
class Asking:
    """How many questions to make, and which: what stands in `[task] train = { generate = … }`.

    Args:
        generate: How many.
        hops: Of how many hops, at most.
        seed: Another seed, other questions.
        most: No question has more answers than this.
        through: No path leads through more entities than this before its last hop: people ask by what narrows down.

    Raises:
        ConfigError: If a number is out of range.
    """

    generate: int
    hops: int = 3
    seed: int = 0
    most: int = 150
    through: int = 40

    def __post_init__(self) -> None:
        for name, least in (("generate", 1), ("hops", 1), ("seed", 0), ("most", 1), ("through", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ConfigError(f"[task] train.{name} = {value!r}; expected a whole number of at least {least}.")

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Asking":
        """Read the table.

        Raises:
            ConfigError: If a key does not exist or a value is wrong.
        """
        check_keys("[task] train", table, cls.__dataclass_fields__)
        if "generate" not in table:
            raise ConfigError("[task] train is a table without 'generate': how many questions the graph is to ask.")
        return cls(**table)


def ask(knowledge: KnowledgeGraph, phrases: Phrases, asking: Asking, to_example: ToExample) -> Split:
    """Return questions about a graph, with the entities that their path leads to as answers.

    Questions of two hops are twice as frequent as those of one, and so on: there are more of them to tell apart. Then
    the first directed relation is drawn among all, a seed among the entities that have it, and each next relation among
    those that leave where the path has come to, but for a walk back by the very fact it came by. So every relation is
    asked about as often as any other, however many facts it has. A question that names one of its answers, or whose
    seed is one of them, is drawn again.

    Raises:
        DataError: If the graph has too few paths to ask about.
    """
    rng, facts = random.Random(f"asked {asking.seed}"), _Facts(knowledge)
    rows = _questions(facts, phrases, asking, rng)
    examples, category, path = {}, {}, {}
    for number in range(asking.generate):
        row = next(rows, None)
        if row is None:
            raise DataError(
                f"The graph has too few paths of {asking.hops} hops to ask about: {number} questions found."
            )
        uid = f"asked-{asking.seed}-{number:06d}"
        examples[uid] = to_example(uid, row)
        path[uid] = tuple(row["path"])
        category[uid] = {"hops": str(len(row["path"])), "type": " > ".join(row["path"])}
    return Split(f"asked:{asking.seed}", tuple(examples.values()), category, {}, path)


def _questions(facts: "_Facts", phrases: Phrases, asking: Asking, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Yield questions; stops if a thousand draws in a row find none."""
    lost, lengths = 0, list(range(1, asking.hops + 1))
    hops = rng.choices(lengths, lengths)[0]
    while lost < 1000:
        lost += 1
        drawn = facts.walk(hops, asking, rng)
        if drawn is None:
            continue
        seed, path, answers = drawn
        name = facts.knowledge.label(seed)
        names = [facts.knowledge.label(int(a)) for a in answers]
        if seed in answers or name in names or any(mark in name for mark in "[]"):
            continue
        x = f"[{name}]"
        if rng.random() < _NAMED:
            x = phrases.named(path[0], x, rng)
        question = _worn(phrases.question(path, x, rng), x, rng)
        told = question.replace(f"[{name}]", "").lower()
        if any(len(answer) > 2 and answer.lower() in told for answer in names):
            continue
        lost, hops = 0, rng.choices(lengths, lengths)[0]
        yield {
            "question": question,
            "answers": [facts.knowledge.entities[int(a)] for a in answers],
            "seeds": [facts.knowledge.entities[seed]],
            "path": [facts.name(step) for step in path],
        }


def _worn(question: str, x: str, rng: random.Random) -> str:
    """Leave out a word in eight of some questions, as people do who type in haste; never a part of the seed."""
    if rng.random() >= _WORN:
        return question
    before, seed, after = question.partition(x)
    parts = [" ".join(w for w in part.split(" ") if not w or rng.random() > 0.125) for part in (before, after)]
    return f"{parts[0]}{'' if parts[0].endswith(' ') or not parts[0] else ' '}{seed}{parts[1]}"


@final
class _Facts:
    """A graph from both ends, as one draws walks from it."""

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self.knowledge, self.relations = knowledge, len(knowledge.relations)
        heads = np.repeat(np.arange(len(knowledge.entities)), np.diff(knowledge.head_ptr))
        ends = [np.unique(heads[knowledge.relation == r]) for r in range(self.relations)]
        ends += [np.unique(knowledge.tail[knowledge.relation == r]) for r in range(self.relations)]
        self.starts = [(step, found) for step, found in enumerate(ends) if len(found)]

    def name(self, step: int) -> str:
        r = self.knowledge.relations[step % self.relations]
        return r if step < self.relations else f"^{r}"

    def walk(
        self, hops: int, asking: Asking, rng: random.Random
    ) -> tuple[int, list[int], Int[ndarray, " answers"]] | None:
        """Draw a seed, a path and where it leads; None if it led nowhere, or to too many."""
        step, seeds = rng.choice(self.starts)
        seed = int(seeds[rng.randrange(len(seeds))])
        here, path = self.follow(np.array([seed]), step, None), [step]
        before = np.array([seed])
        for _ in range(hops - 1):
            if len(here) > asking.through:
                return None
            leaving = self.leaving(here)
            rng.shuffle(leaving)
            for then in leaving:
                reached = self.follow(here, then, before if abs(then - path[-1]) == self.relations else None)
                if len(reached):
                    break
            else:
                return None
            before, here = here, reached
            path.append(then)
        return (seed, path, here) if 0 < len(here) <= asking.most else None

    def leaving(self, here: Int[ndarray, " here"]) -> list[int]:
        """Return the directed relations that leave at least one of the entities."""
        graph, found = self.knowledge, set[int]()
        for e in here.tolist():
            found |= set(graph.relation[graph.head_ptr[e] : graph.head_ptr[e + 1]].tolist())
            found |= {r + self.relations for r in graph.inverse[graph.tail_ptr[e] : graph.tail_ptr[e + 1]].tolist()}
        return sorted(found)

    def follow(
        self, here: Int[ndarray, " here"], step: int, before: Int[ndarray, " before"] | None
    ) -> Int[ndarray, " reached"]:
        """Return where a directed relation leads from some entities: each once, sorted.

        Args:
            here: Where to start, each once.
            step: The relation.
            before: Where the walk was before it came here by the inverse of `step`: what is reached only by the fact it
                came by is left out. None if it came another way.
        """
        graph, r = self.knowledge, step % self.relations
        ptr, relation, other = (
            (graph.head_ptr, graph.relation, graph.tail)
            if step < self.relations
            else (graph.tail_ptr, graph.inverse, graph.head)
        )
        reached = []
        came = set() if before is None else set(before.tolist())
        for e in here.tolist():
            ends = other[ptr[e] : ptr[e + 1]][relation[ptr[e] : ptr[e + 1]] == r]
            if came:
                sources = [v for v in ends.tolist() if v in came]
                if len(sources) == 1:  # who came here alone goes anywhere but back
                    ends = ends[ends != sources[0]]
            reached.append(ends)
        return np.unique(np.concatenate(reached)) if reached else np.zeros(0, np.int64)

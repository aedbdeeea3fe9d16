"""The shortest way from one entity to another."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, final

import numpy as np

from kgreason.data import KnowledgeGraph, relation_text
from kgreason.data.walked import walked
from kgreason.errors import DataError
from kgreason.knowledge import tracing
from kgreason.knowledge.markup import page_of, row_of

#: Beyond, anything is near anything.
LONGEST = 12


@final
@dataclass(frozen=True, slots=True)
class Step:
    """One fact of a path, as it stands in the graph, and what its ends are called."""

    head: str
    relation: str
    tail: str
    called: tuple[str, str, str]


@final
@dataclass(frozen=True, slots=True)
class Path:
    """A shortest path: facts that join two entities, each walked in either direction.

    Args:
        start: The first entity.
        end: The last one.
        steps: The facts, from the first entity on; empty if both are the same.
    """

    start: str
    end: str
    steps: tuple[Step, ...]

    def told(self) -> dict[str, Any]:
        """Return it as plain values."""
        facts = [{"head": s.head, "relation": s.relation, "tail": s.tail, "called": list(s.called)} for s in self.steps]
        return {"start": self.start, "end": self.end, "length": len(self.steps), "steps": facts}

    def __str__(self) -> str:
        if not self.steps:
            return f"{self.start} is {self.end}."
        return "\n".join(f"{step.called[0]} —{step.called[1]}→ {step.called[2]}" for step in self.steps)

    def _repr_html_(self) -> str:
        rows = [row_of(step.called) for step in self.steps]
        return page_of(f"From {self.start} to {self.end}: {len(self.steps)} steps", rows)


def path_between(graph: KnowledgeGraph, start: int, end: int, most: int = 6) -> Path | None:
    """Return a shortest path between two entities over facts in either direction; None if there is none so short.

    Facts are those of relations that may be walked (`Rules`); through a hub, too. Both ends are widened in turn, the
    smaller frontier first.

    Raises:
        DataError: If `most` is not from 1 to 12.
    """
    if not 1 <= most <= LONGEST:
        raise DataError(f"A path of at most {most} steps was asked for; expected 1 to {LONGEST}.")
    names = graph.entities[start], graph.entities[end]
    if start == end:
        return Path(*names, ())
    may = walked(replace(graph, rules=replace(graph.rules, hub_limit=0)))
    columns = tuple(np.asarray(column) for column in (may.head_ptr, may.tail, may.tail_ptr, may.head))
    line = tracing.meet(columns, start, end, most).tolist()
    if not line:
        return None
    return Path(*names, tuple(_step(may, a, b) for a, b in pairwise(line)))


def _step(graph: KnowledgeGraph, a: int, b: int) -> Step:
    """Return a fact that joins two entities, preferably from the first to the second."""
    for head, tail in ((a, b), (b, a)):
        part = slice(int(graph.head_ptr[head]), int(graph.head_ptr[head + 1]))
        at = np.flatnonzero(graph.tail[part] == tail)
        if len(at):
            return step_of(graph, head, int(graph.relation[part][at[0]]), tail)
    raise AssertionError  # pragma: no cover - the search came by this fact


def step_of(graph: KnowledgeGraph, head: int, relation: int, tail: int) -> Step:
    """Return a fact by names."""
    called = graph.label(head), relation_text(graph, relation), graph.label(tail)
    return Step(graph.entities[head], graph.relations[relation], graph.entities[tail], called)

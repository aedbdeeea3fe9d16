"""Tests that show each question a graph of its own: only what it needs, without what it needs, or with it changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray
from torch import nn

from kgreason.collate import Collate, Loader, Prepared
from kgreason.data import Example, KnowledgeGraph, Predictions
from kgreason.data.walked import walked
from kgreason.errors import ConfigError, DataError
from kgreason.experiment.overlay import Overlay
from kgreason.frontier import Facts
from kgreason.reasoner import Reasoner
from kgreason.rooms import Grounder, Parser
from kgreason.tasks import Split
from kgreason.tasks.evidence import Evidence, Triples, both_ways, distinct, key, reaches
from kgreason.tasks.keys import table_of_how
from kgreason.tensors import GraphBatch
from kgreason.train import Precision, predict

_HOW = ("oracle", "noise", "random", "gold_removed", "counterfactual")
#: How many other entities are tried in the place of an answer.
_TRIES = 20
_NONE: Triples = np.zeros((0, 3), np.int64)


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """What each question is shown of the graph: the key `shown` of the section `[task]`, for tests alone.

    Args:
        how: `oracle`: the facts on its gold paths, and no others (see `kgreason.tasks.evidence`); `noise`: these, and
            `facts` others from around its seeds; `random`: as many from around its seeds, gold or not;
            `gold_removed`: the whole graph without the facts on its gold paths; `counterfactual`: the whole graph with
            the facts of the last hop of its path changed, each to an entity that the same relation leads to elsewhere;
            right is then what the path leads to there.
        facts: How many facts `noise` adds and `random` has.
        questions: At most so many questions of each test, drawn by their uid; 0 for all. Those without a known way
            from seeds to answers are left out.
        seed: Another seed, another draw.

    Raises:
        ConfigError: If a value is none of the above.
    """

    how: str
    facts: int = 100
    questions: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.how not in _HOW:
            raise ConfigError(f"[task] shown = '{self.how}' is not known. Known: {', '.join(_HOW)}.")
        if self.facts < 0 or self.questions < 0:
            raise ConfigError(f"[task] shown: facts = {self.facts}, questions = {self.questions}; give 0 or more.")

    @classmethod
    def of(cls, given: str | Mapping[str, Any]) -> "Shown":
        """Read what a file says: how, or a table of it and its arguments.

        Raises:
            ConfigError: If a key does not exist.
        """
        return cls(**table_of_how("[task] shown", given, cls.__dataclass_fields__, _HOW))

    def views(self, split: Split, knowledge: KnowledgeGraph) -> "Views":
        """Make the graph of each question of a split.

        Raises:
            DataError: If of no question a way from its seeds to its answers is known.
        """
        graph = walked(knowledge)
        evidence, overlay, found = Evidence(graph), Overlay(graph), list[View]()
        for example in split.sample(2 * self.questions).examples:
            steps = evidence.steps(split, example)
            view = self._view(split, example, steps, (evidence, overlay)) if steps else None
            found += [] if view is None else [view]
            if self.questions and len(found) == self.questions:
                break
        if not found:
            raise DataError(
                f"No question of '{split.name}' can be shown a graph of its own ({self.how}): a way from its seeds to "
                "its answers must stand in the graph, and for 'counterfactual' in the data set."
            )
        return Views(replace(split, examples=tuple(view.example for view in found)), tuple(found), overlay)

    def _view(
        self, split: Split, example: Example, steps: list[Triples], of: tuple[Evidence, Overlay]
    ) -> "View | None":
        evidence, overlay = of
        draw = np.random.default_rng([self.seed, *example.uid.encode("utf-8", "surrogatepass")])
        gold = distinct(overlay.graph, np.concatenate(steps))
        if self.how == "gold_removed":
            return View(example, gold, removed=gold, hops=len(steps))
        if self.how == "counterfactual":
            path = split.path.get(example.uid, ())
            return _changed(example, steps, path, (evidence, overlay, draw)) if path else None
        if self.how == "oracle":
            return View(example, gold, only=gold, hops=len(steps))
        near = _near(overlay.graph, evidence.ids(example.seeds), self.facts, draw)
        if self.how == "noise":
            near = near[~np.isin(key(overlay.graph, near), key(overlay.graph, gold))]
        near = near[draw.permutation(len(near))[: self.facts]]
        near = np.concatenate([gold, near]) if self.how == "noise" else near
        return View(example, gold, only=near, hops=len(steps))


@final
@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One question and its graph, which is made when it is needed: 500 copies of a graph are too many.

    Args:
        example: The question, with the answers that are right in its graph.
        gold: The facts on its gold paths, in the whole graph.
        hops: How many hops they take.
        only: Its facts, if these are all; None for the whole graph with some removed and some added.
        removed: See above.
        added: See above.
        old: The answers that the whole graph has, if others are right here.
    """

    example: Example
    gold: Triples
    hops: int
    only: Triples | None = None
    removed: Triples = field(default_factory=lambda: _NONE)
    added: Triples = field(default_factory=lambda: _NONE)
    old: Int64[ndarray, " answers"] = field(default_factory=lambda: np.zeros(0, np.int64))

    def graph(self, overlay: Overlay) -> KnowledgeGraph:
        """Make its graph."""
        return overlay.edited(self.removed, self.added) if self.only is None else overlay.only(self.only)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """The questions of a split, each with a graph of its own.

    Args:
        split: The questions, with the answers that are right in their graphs.
        views: One for each, in the same order.
        overlay: What their graphs are made from.
    """

    split: Split
    views: tuple[View, ...]
    overlay: Overlay

    def prepare(self, parse: Parser, ground: Grounder, collate: Collate) -> list[Prepared]:
        """Ground each question in its graph: for decoders that see what grounding brings in, and no more."""
        graphs = parse(self.split.examples)
        out: list[Prepared] = []
        for graph, view in zip(graphs, self.views, strict=True):
            out += collate.prepare([view.example], ground([graph], view.graph(self.overlay)))
        return out

    def predict(self, reasoner: Reasoner, prepared: Sequence[Prepared], precision: Precision) -> Predictions:
        """Answer each question, one at a time; what walks the graph walks that of the question."""
        walkers = _walkers(reasoner)
        whole = [m.facts for m in walkers]
        try:
            return predict(reasoner, self._batches(walkers, prepared), precision=precision)
        finally:
            for module, facts in zip(walkers, whole, strict=True):
                module.facts = facts

    def _batches(self, walkers: Sequence[nn.Module], prepared: Sequence[Prepared]) -> Iterator[GraphBatch]:
        for batch in Loader(prepared, 1):
            facts = Facts.of(self.views[int(batch.example[0])].graph(self.overlay))
            for module in walkers:
                module.facts = facts  # type: ignore[assignment]  # no parameter and no module
            yield batch

    def score(self, scores: Mapping[str, float], found: Predictions) -> dict[str, float]:
        """Add to the scores what the graphs held, and whether answers followed what was changed in them.

        What was said of the ceiling of the whole graph is left out.

        Args:
            scores: What the task says.
            found: The answers.

        Returns:
            The scores, and
            `ceiling.path_recall`: the share of a question's gold facts that it was shown; `ceiling.coverage`: the share
            of its right answers that stand in a fact there; `ceiling.reached`: whether a right one can be reached from
            its seeds in as many hops as its gold paths have; `shown.facts`: how many facts it was shown. All are means
            over the questions. Of a changed graph: `follow`, the share of first answers that are right in it; `stay`,
            of those that were right before; `other`.
        """
        columns = [self._held(view) for view in self.views]
        names = ("ceiling.path_recall", "ceiling.coverage", "ceiling.reached", "shown.facts")
        told = {name: value for name, value in scores.items() if not name.startswith("ceiling.")}
        told |= {name: float(np.mean(column)) for name, column in zip(names, zip(*columns, strict=True), strict=True)}
        if not len(self.views[0].old):
            return told
        first = [
            int(c[np.argmax(p)]) if len(p) else -1 for c, p in zip(found.candidate, found.probability, strict=True)
        ]
        pairs = list(zip(first, found.right, self.views, strict=True))
        follow = float(np.mean([answer in right for answer, right, _ in pairs]))
        stay = float(np.mean([answer in view.old for answer, _, view in pairs]))
        return told | {"follow": follow, "stay": stay, "other": 1 - follow - stay}

    def _held(self, view: View) -> tuple[float, float, float, float]:
        graph = view.graph(self.overlay)
        evidence = Evidence(graph)
        target = view.example.target if isinstance(view.example.target, frozenset) else frozenset()
        seeds, answers = evidence.ids(view.example.seeds), evidence.ids(target)
        degree = np.diff(graph.head_ptr)[answers] + np.diff(graph.tail_ptr)[answers]
        gold = key(graph, view.gold)
        there = np.isin(gold, key(graph, view.removed), invert=True)
        there = there if view.only is None else np.isin(gold, key(graph, view.only))
        reached = reaches(graph, seeds, answers, view.hops)
        return float(there.mean()), float((degree > 0).mean()), float(reached), float(graph.num_triples)


def walks(reasoner: Reasoner) -> bool:
    """Return whether the decoder walks the graph by itself, and does not live on what grounding brings in."""
    return isinstance(reasoner.decode, nn.Module) and bool(_walkers(reasoner.decode))


def _walkers(module: nn.Module) -> list[nn.Module]:
    return [m for m in module.modules() if isinstance(getattr(m, "facts", None), Facts)]


def _near(graph: KnowledgeGraph, seeds: ndarray, most: int, draw: np.random.Generator) -> Triples:
    """Return facts from around some entities: theirs, and those of what they lead to."""
    first = both_ways(graph, seeds)
    ends = np.unique(first[:, [0, 2]])
    then = both_ways(graph, draw.permutation(ends)[:most])
    return distinct(graph, np.concatenate([first, then]))


def _changed(
    example: Example,
    steps: list[Triples],
    path: Sequence[str],
    of: tuple[Evidence, Overlay, np.random.Generator],
) -> View | None:
    """Change what the last hop leads to; None if nothing else could stand there, or an old answer stays right."""
    evidence, overlay, draw = of
    graph, end = overlay.graph, 0 if path[-1].startswith("^") else 2
    last, seeds = steps[-1], evidence.ids(example.seeds)
    old = np.union1d(last[:, end], evidence.ids(example.target if isinstance(example.target, frozenset) else ()))
    relation = graph.relation if end else graph.inverse
    others = (graph.tail if end else graph.head)[relation == last[0, 1]]
    added = last.copy()
    for answer in np.unique(last[:, end]).tolist():
        mine = added[:, end] == answer
        for other in others[draw.integers(len(others), size=_TRIES)].tolist():
            added[mine, end] = other
            facts = map(tuple, added[mine].tolist())
            if other not in old and other not in seeds and not any(fact in overlay for fact in facts):
                break
        else:
            return None
    added = distinct(graph, added)
    found = Evidence(overlay.edited(last, added)).along(seeds, path)
    right = np.unique(found[-1][:, end]) if found else old
    if np.isin(right, old).any():
        return None
    target = frozenset(graph.entities[i] for i in right.tolist())
    gold = distinct(graph, np.concatenate(found))
    return View(replace(example, target=target), gold, len(steps), removed=last, added=added, old=old)

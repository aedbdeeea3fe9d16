"""A walk asked again on a graph without the facts of its path, or with no others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray
from torch import nn

from kgreason.audit.subject import Row, Subject
from kgreason.collate import Loader, Prepared
from kgreason.data import NONE, KnowledgeGraph, relation_text
from kgreason.data.walked import masked, walked
from kgreason.explain.looks import View
from kgreason.explain.walks import Fact, RowWalk
from kgreason.frontier import Facts
from kgreason.tasks import Split
from kgreason.train import predict

WALKING = "facts of the path"
_Triples: TypeAlias = Int[ndarray, "some 3"]


def walks(reasoner: nn.Module) -> bool:
    """Return whether a reasoner walks over the knowledge graph by itself."""
    return any(isinstance(getattr(module, "facts", None), Facts) for module in reasoner.modules())


def ask_walks(subject: Subject, split: Split, seed: int) -> tuple[list[str], list[int], dict[str, dict[int, Row]]]:
    """Ask each question again on four graphs: see `kgreason.audit.faithful.faith`.

    Args:
        subject: A run whose decoder walks.
        split: The questions.
        seed: Of the random facts.

    Returns:
        The facts of each answer's path in words (`""` if there are none), how many they are, and the rows of each case.
    """
    graph = walked(subject.front.knowledge)
    ready = subject.front.collate.prepare(split.examples, subject.graphs(split.examples))
    told, size = [], []
    asked: dict[str, dict[int, Row]] = {"removed": {}, "removed_random": {}, "kept": {}, "kept_random": {}}
    for i, one in enumerate(ready):
        path = _path(subject, graph, one)
        told.append("; ".join(_words(graph, fact) for fact in path))
        size.append(len(path))
        if not path:
            continue
        named = np.unique(np.array(path, np.int64), axis=0)
        drawn = _beside(graph, named, np.random.default_rng((seed, i)))
        graphs = {"removed": without(graph, named), "kept": only(graph, named)}
        if len(drawn) == len(named):
            graphs |= {"removed_random": without(graph, drawn), "kept_random": only(graph, drawn)}
        for case, spoilt in graphs.items():
            asked[case][i] = _answer(subject, Split("changed", split.examples[i : i + 1]), one, spoilt)
    return told, size, asked


def without(graph: KnowledgeGraph, gone: _Triples) -> KnowledgeGraph:
    """Return a graph without some triples; ids stay."""
    return masked(graph, *(~among for among in _among(graph, gone)))


def only(graph: KnowledgeGraph, kept: _Triples) -> KnowledgeGraph:
    """Return a graph with some of its triples alone; ids stay."""
    return masked(graph, *_among(graph, kept))


def _among(graph: KnowledgeGraph, triples: _Triples) -> tuple[ndarray, ndarray]:
    """Return which rows of both directions are some triples."""
    out, back = np.zeros(len(graph.tail), bool), np.zeros(len(graph.head), bool)
    for head, relation, tail in triples.tolist():
        a, b = graph.head_ptr[head : head + 2]
        out[a:b] |= (graph.tail[a:b] == tail) & (graph.relation[a:b] == relation)
        a, b = graph.tail_ptr[tail : tail + 2]
        back[a:b] |= (graph.head[a:b] == head) & (graph.inverse[a:b] == relation)
    return out, back


def _beside(graph: KnowledgeGraph, named: _Triples, draw: np.random.Generator) -> _Triples:
    """Draw as many other facts that touch what the path touches; fewer if there are no more."""
    near = []
    for entity in np.unique(named[:, [0, 2]]).tolist():
        a, b = graph.head_ptr[entity : entity + 2]
        near.append(np.stack([np.full(b - a, entity), graph.relation[a:b], graph.tail[a:b]], axis=1))
        a, b = graph.tail_ptr[entity : entity + 2]
        near.append(np.stack([graph.head[a:b], graph.inverse[a:b], np.full(b - a, entity)], axis=1))
    there = np.unique(np.concatenate(near).astype(np.int64), axis=0)
    known = {tuple(fact) for fact in named.tolist()}
    others = np.array([fact for fact in there.tolist() if tuple(fact) not in known], np.int64).reshape(-1, 3)
    return others[draw.choice(len(others), min(len(others), len(named)), replace=False)]


def _path(subject: Subject, graph: KnowledgeGraph, one: Prepared) -> list[Fact]:
    """Return the facts that carried the answer of one question."""
    (batch,) = Loader([one], 1)
    with torch.inference_mode():
        scores, trace = subject.reasoner(batch.to(subject.device))
        view = View.of(batch, scores, trace)
    if view.walk is None or not len(view.candidate):
        return []
    best = int(view.candidate[view.probability.argmax()])
    return [] if best == NONE else RowWalk.of(graph, view.walk, view.weight, 0).path(best)


def _answer(subject: Subject, split: Split, one: Prepared, graph: KnowledgeGraph) -> Row:
    front = subject.front
    with _walking_on(subject.reasoner, Facts.of(graph)):
        found = predict(subject.reasoner, Loader([one], 1), precision=front.train.precision)
    scores = front.task.score(split, found, front.knowledge, subject.metrics["dev"])
    return front.task.rows(split, found, front.knowledge, scores)[0]


@contextmanager
def _walking_on(reasoner: nn.Module, facts: Facts) -> Iterator[None]:
    """Let a reasoner walk on other facts for a while."""
    own = {module: module.facts for module in reasoner.modules() if isinstance(getattr(module, "facts", None), Facts)}
    try:
        for module in own:
            module.facts = facts  # type: ignore[assignment]  # torch declares the attributes of modules
        yield
    finally:
        for module, kept in own.items():
            module.facts = kept


def _words(graph: KnowledgeGraph, fact: Fact) -> str:
    return f"{graph.label(fact.head)} —{relation_text(graph, fact.relation)}→ {graph.label(fact.tail)}"

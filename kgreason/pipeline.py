"""All seven rooms in a line: texts in, predictions out, each with the walk that led to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from numpy import ndarray

from kgreason.collate import Loader, Prepared
from kgreason.data import (
    ALIGN_RELATIONS,
    EDGE_RELATIONS,
    Cycle,
    EdgeType,
    Example,
    KnowledgeGraph,
    LogicGraph,
    Look,
    Prediction,
)
from kgreason.errors import DataError
from kgreason.reasoner import Reasoner
from kgreason.rooms import Grounder, Parser
from kgreason.segments import segment_softmax
from kgreason.tasks import Task
from kgreason.tensors import GraphBatch, Scores, Trace

#: A cycle tells of so many nodes, and a prediction of so many facts; shares of attention below `_LEAST` are not told.
_LOOKS, _FACTS, _LEAST = 8, 6, 0.02
#: A ranking has so many answers; a walk over a whole graph touches thousands.
_ANSWERS = 100
#: Joins two aligned words between which the graph knows nothing: no fact.
_OTHER = ALIGN_RELATIONS.id("other")


@runtime_checkable
class Preparer(Protocol):
    """A collator that can stop before the batch is laid out, and says which part of a graph each row keeps."""

    def prepare(self, examples: Sequence[Example], graphs: Sequence[LogicGraph]) -> list[Prepared]: ...

    def kept(self, example: Example, graph: LogicGraph) -> list[tuple[ndarray, ndarray]]: ...


@final
class Pipeline:
    """Answers questions with a trained reasoner. Made by `kgreason.load("runs/…")`.

    ```python
    pipeline = kgreason.load("runs/my-run")
    prediction = pipeline("A man is asleep.", "A man is awake.")
    prediction.answer, prediction.probability
    ```

    Args:
        task: Names the answers and makes examples of fields.
        parse, knowledge, ground, collate, reasoner: What stands in each room.
        device: Where the reasoner computes.
    """

    def __init__(
        self,
        task: Task,
        parse: Parser,
        knowledge: KnowledgeGraph,
        ground: Grounder,
        collate: Preparer,
        reasoner: Reasoner,
        device: str = "cpu",
    ) -> None:
        self.task, self.parse, self.knowledge, self.ground, self.collate = task, parse, knowledge, ground, collate
        self.reasoner, self.device = reasoner.to(device).eval(), device

    def __call__(self, first: str, second: str | Sequence[str] | None = None) -> Prediction:
        """Answer one question.

        Args:
            first: The premise, or the question.
            second: The hypothesis, or the choices; nothing for a question over the knowledge graph.

        Raises:
            DataError: If a text is empty or the task asks for something else.
        """
        if second is None:
            return self.predict([self.task.example("1", {"question": first})])[0]
        names = ("premise", "hypothesis") if isinstance(second, str) else ("question", "choices")
        return self.predict([self.task.example("1", dict(zip(names, (first, second), strict=True)))])[0]

    def predict(self, examples: Sequence[Example | Mapping[str, Any]], batch_size: int = 32) -> list[Prediction]:
        """Answer many questions; predictions come in the order of the examples.

        Args:
            examples: Examples, or mappings with the task's fields (`premise` and `hypothesis`; `question` and
                `choices`) and, if wanted, `uid`.
            batch_size: How many the reasoner sees at once.

        Raises:
            DataError: If one of them is not what the task asks for; it is named by its uid or its number.
        """
        asked = [self._example(i, example) for i, example in enumerate(examples)]
        if not asked:
            return []
        graphs = self.ground(self.parse(asked), self.knowledge)
        loader = Loader(self.collate.prepare(asked, graphs), batch_size)
        found: dict[int, Prediction] = {}
        with torch.inference_mode():
            for batch in loader:
                scores, trace = self.reasoner(batch.to(self.device))
                view = _View.of(batch, scores, trace)
                for group, at in enumerate(batch.example.tolist()):
                    found[at] = self._tell(asked[at], graphs[at], view, group)
        return [found[i] for i in range(len(asked))]

    def _example(self, number: int, given: Example | Mapping[str, Any]) -> Example:
        if isinstance(given, Example):
            return given
        uid = str(given.get("uid", number + 1))
        try:
            return self.task.example(uid, given)
        except DataError as error:
            raise DataError(f"Example '{uid}': {error}") from error

    def _tell(self, example: Example, graph: LogicGraph, view: "_View", group: int) -> Prediction:
        """Put one group's numbers into words."""
        mine = np.flatnonzero(view.group == group)
        order = mine[np.argsort(-view.probability[mine], kind="stable")[:_ANSWERS]]
        if not len(order):
            raise DataError(f"Example '{example.uid}' has no candidate: nothing was found to answer it with.")
        probability = view.probability[order]
        answers = [self.task.name(example, int(c), self.knowledge) for c in view.candidate[order]]
        rows = np.flatnonzero(view.row_group == group)
        which = int(view.candidate[order[0]]) if len(rows) > 1 else 0  # of choices, each row reads one
        nodes, edges = self.collate.kept(example, graph)[which]
        walk = _Walk(self.knowledge, graph, nodes, edges, view, int(rows[which]))
        return Prediction(
            uid=example.uid,
            answer=answers[0],
            probability=float(probability[0]),
            ranking=tuple(zip(answers, probability.tolist(), strict=True)),
            texts=example.texts,
            path=walk.path(),
            trace=tuple(walk.cycle(i, answers, view.cycles[i, order]) for i in walk.ran()),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A batch's scores and trace as numpy arrays."""

    group: ndarray
    candidate: ndarray
    probability: ndarray
    cycles: ndarray
    row_group: ndarray
    node_row: ndarray
    edge_row: ndarray
    attention: ndarray
    edges: ndarray
    running: ndarray
    weight: ndarray

    @classmethod
    def of(cls, batch: GraphBatch, scores: Scores, trace: Trace) -> "_View":
        many = batch.num_groups
        each = scores.value[None] if scores.cycle is None else scores.cycle
        if scores.cycle is None:
            each = each.expand(len(trace.output), -1)
        shares = torch.stack([segment_softmax(s, scores.group, many) for s in each])
        edges = trace.attention.new_zeros(len(trace.output), batch.edge_index.shape[1])
        columns = {
            "group": scores.group,
            "candidate": scores.candidate,
            "probability": segment_softmax(scores.value, scores.group, many),
            "cycles": shares,
            "row_group": batch.group,
            "node_row": batch.node_graph,
            "edge_row": batch.node_graph[batch.edge_index[0]] if len(batch.node_graph) else batch.edge_index[0],
            "attention": trace.attention,
            "edges": edges if trace.edges is None else trace.edges,
            "running": trace.running,
            "weight": trace.weight,
        }
        return cls(**{name: _numpy(column) for name, column in columns.items()})


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """What the decoder did in one row, in words."""

    knowledge: KnowledgeGraph
    graph: LogicGraph
    nodes: ndarray
    edges: ndarray
    view: _View
    row: int

    def ran(self) -> list[int]:
        """Return the cycles that this row ran."""
        return [int(i) for i in np.flatnonzero(self.view.running[:, self.row])]

    def cycle(self, i: int, answers: Sequence[str], probability: ndarray) -> Cycle:
        attention = self.view.attention[i, self.view.node_row == self.row]
        looks = [self._look(int(n), float(attention[n])) for n in np.argsort(-attention, kind="stable")[:_LOOKS]]
        weight = self.view.weight[:, self.row]
        fixed = weight[self.ran()[-1]] >= 1 - 1e-6
        return Cycle(
            looks=tuple(look for look in looks if look.weight >= _LEAST),
            answer=answers[int(probability.argmax())],
            probability={answer: float(p) for answer, p in zip(answers, probability, strict=True)},
            halt=None if fixed else float(weight[i]),
            evidence=self._evidence(i),
        )

    def path(self) -> tuple[tuple[str, str, str], ...]:
        """Return the facts that the answer rests on: knowledge and alignments, the most looked at first."""
        weight = self.view.weight[:, self.row]
        used = weight @ self.view.edges[:, self.view.edge_row == self.row]
        facts = [self._fact(int(e)) for e in self._facts(used) if used[e] >= _LEAST]
        return tuple(fact for fact in facts if fact[1] != "same")[:_FACTS]

    def _evidence(self, i: int) -> str:
        looked = self.view.edges[i, self.view.edge_row == self.row]
        told = [self._fact(int(e)) for e in self._facts(looked) if looked[e] >= _LEAST]
        told.sort(key=lambda fact: fact[1] == "same")  # stable: that two words are the same one says the least
        return "{} —{}→ {}".format(*told[0]) if told else ""

    def _facts(self, share: ndarray) -> ndarray:
        """Return the edges that come from the knowledge graph, the most looked at first."""
        kind, relation = self.graph.edge_type[self.edges], self.graph.edge_relation[self.edges]
        told = (kind == EdgeType.ALIGN) & (relation != _OTHER)
        known = np.flatnonzero((kind == EdgeType.KNOWLEDGE) | told)
        order: ndarray = known[np.argsort(-share[known], kind="stable")]
        return order

    def _look(self, n: int, weight: float) -> Look:
        node = int(self.nodes[n])
        text, start, end = map(int, self.graph.node_span[node])
        return Look(self.graph.node_text[node], weight, (text, start, end) if text >= 0 else None)

    def _fact(self, e: int) -> tuple[str, str, str]:
        edge = int(self.edges[e])
        source, target = map(int, self.graph.edge_index[:, edge])
        kind, relation = EdgeType(int(self.graph.edge_type[edge])), int(self.graph.edge_relation[edge])
        names = self.knowledge.relations if kind == EdgeType.KNOWLEDGE else EDGE_RELATIONS[kind]
        return self.graph.node_text[source], names[relation], self.graph.node_text[target]


def _numpy(tensor: torch.Tensor) -> ndarray:
    array: ndarray = tensor.detach().float().cpu().numpy() if tensor.is_floating_point() else tensor.cpu().numpy()
    return array

"""All seven rooms in a line: texts in, predictions out, each with the walk that led to it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from numpy import ndarray

from kgreason.collate import Loader, Prepared
from kgreason.data import NONE, Cycle, EdgeType, Example, KnowledgeGraph, LogicGraph, Prediction
from kgreason.errors import DataError
from kgreason.explain.looks import Told, View
from kgreason.reasoner import Reasoner
from kgreason.rooms import Grounder, Parser
from kgreason.tasks import Task

#: A ranking has so many answers, and of a walk so many are told cycle by cycle; a walk touches thousands.
_ANSWERS, _TOLD = 100, 5


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

    def ask(self, question: str, seeds: Sequence[str] = ()) -> Prediction:
        """Answer one question over the knowledge graph.

        Args:
            question: In plain words; an entity may stand in [brackets].
            seeds: The names of the entities it starts from; if none is given, they are looked for.

        Raises:
            DataError: If the question is empty, or names nothing that the graph has.
        """
        given = {"seeds": list(seeds)} if seeds else {}
        return self.predict([self.task.example("1", {"question": question} | given)])[0]

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
                view = View.of(batch, scores, trace)
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

    def _tell(self, example: Example, graph: LogicGraph, view: View, group: int) -> Prediction:
        """Put one group's numbers into words."""
        mine = np.flatnonzero(view.group == group)
        order = mine[np.argsort(-view.probability[mine], kind="stable")[:_ANSWERS]]
        lost = bool((view.candidate[mine] == NONE).all())  # "none of these" is all that is left, or nothing is
        if not len(order) or (lost and not (graph.node_entity >= 0).any()):
            raise DataError(f"Example '{example.uid}': {_why_nothing(example, graph)}")
        probability = view.probability[order]
        answers = [self.task.name(example, int(c), self.knowledge) for c in view.candidate[order]]
        rows = np.flatnonzero(view.row_group == group)
        which = int(view.candidate[order[0]]) if len(rows) > 1 else 0  # of choices, each row reads one
        nodes, edges = self.collate.kept(example, graph)[which]
        told = Told(self.knowledge, graph, nodes, edges, view, int(rows[which]))
        walk, paths = told.walk(), {}
        trace: tuple[Cycle, ...]
        if walk is None:
            path = told.path()
            trace = tuple(told.cycle(i, answers, view.cycles[i, order]) for i in told.ran())
        else:
            entities = view.candidate[order].tolist()
            paths = told.paths(walk, answers, entities)
            path = paths.get(answers[0], ())
            trace = tuple(told.hop(i, walk, answers[:_TOLD], entities[:_TOLD]) for i in told.ran())
        return Prediction(
            uid=example.uid,
            answer=answers[0],
            probability=float(probability[0]),
            ranking=tuple(zip(answers, probability.tolist(), strict=True)),
            texts=example.texts,
            path=path,
            paths=paths,
            trace=trace,
            proof=told.proof(),
            gate=told.gate(),
            notes=told.notes() if walk is None else self._noted(example, graph, lost),
        )

    def _noted(self, example: Example, graph: LogicGraph, lost: bool) -> tuple[str, ...]:
        """Say which names a walk took for others, and why it found nothing, if it did."""
        taken = _taken(graph, self.knowledge)
        if not lost:
            return taken
        why = _why_nothing(example, graph)
        return (*taken, why[:1].upper() + why[1:])


def _taken(graph: LogicGraph, knowledge: KnowledgeGraph) -> tuple[str, ...]:
    """Say which names of a question were taken for entities that are not written so."""
    links = graph.edge_index[:, graph.edge_type == EdgeType.LINK].T.tolist()
    meant: dict[str, list[int]] = {}
    for source, target in links:
        meant.setdefault(graph.node_text[source], []).append(int(graph.node_entity[target]))
    return tuple(
        f"'{written}' was taken for {' or '.join(knowledge.label(e) for e in entities[:3])}."
        for written, entities in meant.items()
        if not set(entities) & set(knowledge.labels.senses(written)[0].tolist())
        and written.casefold() not in [knowledge.label(e).casefold() for e in entities]
    )


def _why_nothing(example: Example, graph: LogicGraph) -> str:
    if (graph.node_entity >= 0).any():
        return "no fact of the knowledge graph leads on from what the question names, so there is no answer to choose."
    named = f"the seeds {', '.join(map(repr, example.seeds))} are" if example.seeds else "nothing that it names is"
    return (
        f"{named}{' not' * bool(example.seeds)} in the knowledge graph, so there is nowhere to start. Write the name "
        "of an entity in [brackets], or give it as a seed, as the graph has it (kgreason graph show looks for one)."
    )

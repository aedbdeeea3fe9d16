"""Questions over a graph that stays at an endpoint: what they need of it is fetched, then they are answered as any."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from kgreason.data import Example, Prediction
from kgreason.errors import DataError
from kgreason.knowledge import Texts
from kgreason.pipeline import Pipeline
from kgreason.tasks import Task


@final
class RemotePipeline:
    """Answers questions as a `Pipeline` does, each batch over what the endpoint knows about the things it names.

    Made by `kgreason.over("https://…/sparql")`. The last neighbourhood is kept, so that some of the same questions cost
    nothing more; what the endpoint said is kept in the cache anyway. What is fetched for one question of a batch can be
    walked by the others, too, as in a graph that is here; for each by itself, ask them one by one.

    Args:
        task: Names the answers and makes examples of fields.
        open_around: Makes the pipeline for what some texts need.
    """

    def __init__(self, task: Task, open_around: Callable[[Texts], Pipeline]) -> None:
        self.task, self._open = task, open_around
        self._last: tuple[frozenset[tuple[str, tuple[str, ...]]], Pipeline] | None = None

    def __call__(self, question: str) -> Prediction:
        """Answer one question; see `ask`."""
        return self.ask(question)

    def ask(self, question: str, seeds: Sequence[str] = ()) -> Prediction:
        """Answer one question over the knowledge graph; see `Pipeline.ask`.

        Raises:
            DataError: If the question is empty, or names nothing that the graph has.
            StoreError: If the endpoint fails.
        """
        return self.predict([{"question": question} | ({"seeds": list(seeds)} if seeds else {})])[0]

    def predict(self, examples: Sequence[Example | Mapping[str, Any]], batch_size: int = 32) -> list[Prediction]:
        """Answer many questions; see `Pipeline.predict`. Each batch is fetched at once.

        Raises:
            DataError: If one of them is not what the task asks for, or names nothing that the graph has.
            StoreError: If the endpoint fails.
        """
        asked = [self._example(i, example) for i, example in enumerate(examples)]
        found: list[Prediction] = []
        for start in range(0, len(asked), batch_size):
            part = asked[start : start + batch_size]
            found += self._around(part).predict(part, batch_size)
        return found

    def _around(self, examples: Sequence[Example]) -> Pipeline:
        texts = tuple((text, tuple(example.seeds)) for example in examples for text in example.texts)
        if self._last is None or not self._last[0].issuperset(texts):
            self._last = frozenset(texts), self._open(lambda: texts)
        return self._last[1]

    def _example(self, number: int, given: Example | Mapping[str, Any]) -> Example:
        if isinstance(given, Example):
            return given
        uid = str(given.get("uid", number + 1))
        try:
            return self.task.example(uid, given)
        except DataError as error:
            raise DataError(f"Example '{uid}': {error}") from error

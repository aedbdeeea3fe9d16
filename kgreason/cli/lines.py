"""Answers lines of input in batches; a bad line harms no other."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from kgreason.errors import DataError, KgreasonError

if TYPE_CHECKING:
    from kgreason.data import Prediction
    from kgreason.tasks import Task

Lines: TypeAlias = list[tuple[int, dict[str, Any] | DataError]]


@runtime_checkable
class Answers(Protocol):
    """What answers: a pipeline, or one whose graph is far away."""

    @property
    def task(self) -> "Task": ...

    def predict(self, examples: "Sequence[Any]", batch_size: int = 32) -> "list[Prediction]": ...


def answer_lines(
    pipeline: "Answers",
    lines: Lines,
    batch_size: int,
    tell: Callable[["Prediction"], dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """Answer some lines of input, in order; a bad one gets an error in its place.

    Args:
        pipeline: What answers.
        lines: Numbered fields, or what is wrong with the line.
        batch_size: How many are answered together.
        tell: From a prediction to what is printed of it.
    """
    results: dict[int, dict[str, Any]] = {}
    examples = {}
    for number, fields in lines:
        try:
            if isinstance(fields, DataError):
                raise fields
            examples[number] = pipeline.task.example(str(fields.get("uid", number)), fields)
        except DataError as error:
            results[number] = {"line": number, "error": str(error)}
    for number, found in _predict_each(pipeline, examples, batch_size):
        told = {"error": str(found)} if isinstance(found, KgreasonError) else tell(found)
        told.pop("uid", None)
        results[number] = told
    for number, fields in lines:
        uid = {"uid": fields["uid"]} if isinstance(fields, dict) and "uid" in fields else {}
        yield uid | results[number]


def _predict_each(
    pipeline: "Answers", examples: dict[int, Any], batch_size: int
) -> "list[tuple[int, Prediction | KgreasonError]]":
    """Predict together; if one of them breaks the batch, one by one, so that only that one fails."""
    try:
        return list(zip(examples, pipeline.predict(list(examples.values()), batch_size), strict=True))
    except KgreasonError as error:
        if len(examples) == 1:
            return [(number, error) for number in examples]
    return [pair for n, example in examples.items() for pair in _predict_each(pipeline, {n: example}, 1)]

"""Questions over a knowledge graph: which of its entities answer the question, or none?"""

from collections.abc import Callable, Mapping, Sequence
from sys import intern
from typing import Any, final

from kgreason.data import NONE, Example, KnowledgeGraph, Predictions
from kgreason.errors import ConfigError, DataError
from kgreason.tasks.asked import Asking
from kgreason.tasks.cut import Cut, draw_cut
from kgreason.tasks.questions import read_question
from kgreason.tasks.retrieval import retrieval, retrieval_rows
from kgreason.tasks.split import Split, ToExample
from kgreason.tasks.task import Splits, draw
from kgreason.tasks.text import clean

#: What the candidate `NONE` is called.
NOTHING = "none of these"


@final
class KgqaTask:
    """A question, the entities it starts from if they are known, and a set of entities that answer it.

    Args:
        train: Splits to fit on, such as `["metaqa:1-hop-dev", "metaqa:2-hop-dev"]`; or a table such as
            `{ generate = 20000, hops = 3 }`: the knowledge graph asks the questions itself, and no human question is
            used (see `kgreason.tasks.asked`).
        test: What each test is called in the results, to its split.
        dev: A share of `train` to hold out (the same question stays together), or a list of splits.
        select: The dev metric by which a checkpoint is picked.
        limit: Use at most so many questions of each split; 0 for all.
        threshold: An entity is in the answer if its probability is at least this share of the best one's; rounded to
            the nearest of `kgreason.data.SHARES`. 0: the share that gives the best mean F1 on the dev split.
        split: Cut `train` into train, dev and test instead, no group of rows in two of them: `by` what rows are grouped
            (`random`: each on its own; `path`; `subject_path`; `type`), `seed`, `shares` of the three. See `Cut`.
        generate: Makes the questions that the graph asks itself; not in the file.

    Raises:
        ConfigError: If `split` makes no sense, stands beside `test`, or `threshold` is no share.
    """

    labels: tuple[str, ...] = ()

    def __init__(
        self,
        train: Sequence[str] | Mapping[str, Any] = (),
        test: Mapping[str, str] | None = None,
        dev: float | Sequence[str] = 0.1,
        select: str = "hits@1",
        limit: int = 0,
        threshold: float = 0.0,
        split: Mapping[str, Any] | None = None,
        generate: Callable[[Asking, ToExample], Split] | None = None,
    ) -> None:
        if not 0 <= threshold <= 1:
            raise ConfigError(f"[task] threshold = {threshold} is no share; give one above 0, or 0 to calibrate it.")
        if split and test:
            raise ConfigError("[task] split cuts the test out of train, but test is given, too; give one of them.")
        self.asking = Asking.from_table(train) if isinstance(train, Mapping) else None
        self.train = () if isinstance(train, Mapping) else tuple(train)
        self.dev, self.test, self.generate = dev, dict(test or {}), generate
        self.select, self.limit, self.threshold = select, limit, threshold
        self.cut = Cut.from_table(split) if split else None

    def splits(self) -> Splits:
        if self.cut:
            return draw_cut(self.example, self.train, self.cut, self.limit)
        asked = None
        if self.asking:
            if self.generate is None:
                raise ConfigError("[task] train = { generate = … } needs a knowledge graph to ask about.")
            asked = self.generate(self.asking, self.example)
        return draw(self.example, self.train, self.dev, self.test, self.limit, asked)

    def example(self, uid: str, fields: Mapping[str, Any]) -> Example:
        """Make an example from `question` and, if given, `seeds` and `answers`.

        Seed entities stand in the question in [brackets], or are given by name as `seeds`; with neither they are
        unknown, and grounding looks for them. `answers` are names; an empty list means that the graph has no answer, a
        missing one that it is not known. A text in place of a list holds names parted by `|`.

        Raises:
            DataError: If the question is missing or empty, its brackets mark nothing, or a list holds no names.
        """
        if "question" not in fields:
            given = ", ".join(fields) or "nothing"
            raise DataError(f"'question' is missing; got {given}. Give 'question' and, if known, 'seeds', 'answers'.")
        text = clean(fields["question"], "the question")
        question = read_question(text, _names(fields, "seeds"))
        answers = _names(fields, "answers")
        target = None if answers is None else frozenset(answers)
        return Example(uid, (question.text,), ("question",), target, question.seeds, question.mentions)

    def name(self, example: Example, candidate: int, knowledge: KnowledgeGraph) -> str:
        return NOTHING if candidate == NONE else knowledge.label(candidate)

    def score(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, dev: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Return what `retrieval` does."""
        given = self.threshold if self.threshold or dev is None else dev.get("threshold", 0.0)
        return retrieval(split, found, knowledge, given, final=dev is not None)

    def rows(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, scores: Mapping[str, float]
    ) -> list[dict[str, Any]]:
        """Return each question's answers, best first, whether the first is right, and what failed if one is wrong."""
        return retrieval_rows(split, found, knowledge, scores["threshold"])


def _names(fields: Mapping[str, Any], key: str) -> list[str] | None:
    """Return a list of names, or None if there is no such field."""
    given = fields.get(key)
    if given is None:
        return None
    if isinstance(given, str):
        given = given.split("|") if given.strip() else []
    if not isinstance(given, Sequence) or not all(isinstance(name, str) and name.strip() for name in given):
        raise DataError(f"'{key}' is {given!r}, expected a list of names of entities.")
    # the same names answer thousands of questions: each stands in memory once
    return [intern(name.strip()) for name in given]

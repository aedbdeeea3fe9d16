"""How are two people, or any two things, of a story related? The graph comes from the text itself."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np

from kgreason.data import Example, KnowledgeGraph, Predictions
from kgreason.errors import ConfigError, DataError
from kgreason.tasks.metrics import by_category, classification
from kgreason.tasks.questions import Mention, read_question
from kgreason.tasks.split import Split
from kgreason.tasks.task import Splits, draw, gold_of, listed_rows
from kgreason.tasks.text import clean

#: The relations that CLUTRR asks for.
KIN = tuple(
    f"{kin}{more}"
    for kin, more in (
        *((kin, "") for kin in ("father", "mother", "son", "daughter", "brother", "sister")),
        *((f"grand{kin}", "") for kin in ("father", "mother", "son", "daughter")),
        *((kin, "") for kin in ("uncle", "aunt", "nephew", "niece")),
        *((kin, "-in-law") for kin in ("father", "mother", "son", "daughter")),
    )
)
_GIVEN = ("facts", "story", "path")


@final
class RelationTask:
    """A story, or facts, and two names in it: what is the second to the first?

    Args:
        train: Splits to fit on, such as `["clutrr:k23-train"]`.
        test: What each test is called in the results, to its split.
        dev: A share of `train` to hold out (the same story stays together), or a list of splits.
        given: Which field of a row is read: `facts`: each is written out as a sentence ("Ann's father is Bob."), which
            `ground = stated` reads back; `story`: the text as people wrote it; `path`: the names of the relations in
            the order of the facts and nothing else, for readers of sequences.
        labels: The relations that may be answered, in the order of the head's candidates; by default the 18 of CLUTRR.
        select: The dev metric by which a checkpoint is picked.
        limit: Use at most so many rows of each split; 0 for all.

    Raises:
        ConfigError: If `given` is none of the above, or the labels are not two or more distinct ones.
    """

    def __init__(
        self,
        train: Sequence[str] = (),
        test: Mapping[str, str] | None = None,
        dev: float | Sequence[str] = 0.1,
        given: str = "facts",
        labels: Sequence[str] = KIN,
        select: str = "accuracy",
        limit: int = 0,
    ) -> None:
        if given not in _GIVEN:
            raise ConfigError(f"[task] relation: given = '{given}' is not known. Known: {', '.join(_GIVEN)}.")
        if len(set(labels)) != len(labels) or len(labels) < 2:
            raise ConfigError(f"[task] labels = {list(labels)} needs two or more distinct labels.")
        self.train, self.dev, self.test, self.given = tuple(train), dev, dict(test or {}), given
        self.labels, self.select, self.limit = tuple(labels), select, limit

    def splits(self) -> Splits:
        return draw(self.example, self.train, self.dev, self.test, self.limit)

    def example(self, uid: str, fields: Mapping[str, Any]) -> Example:
        """Make an example from `query`, and `facts` or `story`, and, if given, `relation`.

        `query` is two names: what is the second to the first? `facts` is a list of (head, relation, tail), read "the
        head's relation is the tail"; beside a story they are what a reader learns from, and need not be there. In a
        story people may stand in [brackets]; of a story without any, the names of the query are looked for. `seeds` are
        all that are marked, in reading order, then the two of the question.

        Raises:
            DataError: If a field is missing or is not what is said above, a name of the query stands nowhere in the
                facts or the story, or there is no such label.
        """
        wanted = "story" if self.given == "story" else "facts"
        for name in ("query", wanted):
            if name not in fields:
                given = ", ".join(fields) or "nothing"
                raise DataError(f"'{name}' is missing; got {given}. Give 'query' and '{wanted}'.")
        query = _pair(fields["query"])
        if self.given == "story":
            text, names, mentions = _story(fields["story"], query)
        else:
            text, names, mentions = _facts(fields["facts"], self.given == "path")
        if self.given != "path":
            _check_query(query, names, wanted)
        question, asked = _question(query, marked=self.given != "path")
        label = fields.get("relation", fields.get("label"))
        target = None if label is None else self._label(label)
        seeds, places = (*names, *(query[::-1] if asked else ())), (*mentions, *asked)
        stated = _stated(fields.get("facts", ())) if self.given == "story" else ()
        return Example(uid, (text, question), ("context", "question"), target, seeds, places, stated)

    def answers(self, example: Example) -> tuple[str, ...]:
        return self.labels

    def gold(self, example: Example) -> int:
        if not isinstance(example.target, str):
            raise DataError(f"Example '{example.uid}' has no relation, and one is needed to train or to test.")
        return self.labels.index(example.target)

    def name(self, example: Example, candidate: int, knowledge: KnowledgeGraph) -> str:
        return self.labels[candidate]

    def score(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, dev: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Return what `classification` does, accuracy by number of facts, and two more.

        These are the mean number of `cycles`, and `likelihood`: the geometric mean of what the right answers were
        given, which still tells epochs apart when all answers are right.
        """
        gold, given = gold_of(self, split), np.stack(found.probability)
        scores = classification(gold, given, self.labels)
        more = {"cycles": float(found.cycles.mean()), "likelihood": float(np.exp(-scores["log_loss"]))}
        return scores | by_category(split.examples, split.category, given.argmax(1) == gold) | more

    def rows(
        self, split: Split, found: Predictions, knowledge: KnowledgeGraph, scores: Mapping[str, float]
    ) -> list[dict[str, Any]]:
        return listed_rows(self, split, found)

    def _label(self, given: object) -> str:
        name = given.strip() if isinstance(given, str) else given
        if name not in self.labels:
            near = difflib.get_close_matches(str(name), self.labels, n=1, cutoff=0.5)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise DataError(f"there is no relation '{name}'.{hint} Relations: {', '.join(self.labels)}.")
        return str(name)


def _pair(given: object) -> tuple[str, str]:
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise DataError(f"'query' is {given!r}, expected two names: what is the second to the first?")
    first, second = (clean(name, "a name of the query") for name in given)
    if first == second:
        raise DataError(f"'query' names '{first}' twice; give two different names.")
    return first, second


def _facts(given: object, path: bool) -> tuple[str, tuple[str, ...], tuple[Mention, ...]]:
    """Return facts written out as sentences, the names in them, and where these stand."""
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise DataError(f"'facts' is {given!r}, expected a list of (head, relation, tail), one or more.")
    text, names, mentions = "", [], []
    for fact in given:
        if not isinstance(fact, Sequence) or isinstance(fact, str) or len(fact) != 3:
            raise DataError(f"the fact {fact!r} is no (head, relation, tail).")
        head, relation, tail = (
            clean(part, f"the {what} of a fact") for part, what in zip(fact, ("head", "relation", "tail"), strict=True)
        )
        if path:
            text += f"{' ' * bool(text)}{relation}"
            continue
        for name, before in ((head, " " * bool(text)), (tail, f"'s {relation} is ")):
            text += before
            names.append(name)
            mentions.append((0, len(text), len(text) + len(name)))
            text += name
        text += "."
    return text, tuple(names), tuple(mentions)


def _stated(given: object) -> tuple[tuple[str, str, str], ...]:
    """Return the facts beside a story, which a reader learns from."""
    if not given:
        return ()
    _facts(given, path=False)  # says what is wrong with them
    return tuple((head, relation, tail) for head, relation, tail in given)  # type: ignore[attr-defined]


def _story(given: object, query: tuple[str, str]) -> tuple[str, tuple[str, ...], tuple[Mention, ...]]:
    """Return a story without brackets, the people in it, and where they stand."""
    try:
        story = read_question(clean(given, "the story"))
    except DataError as error:
        raise DataError(str(error).replace("the question has", "the story has")) from error
    if story.mentions:
        return story
    found = sorted((*span, name) for name in query for span in _places(name, story.text))
    return story.text, tuple(name for *_, name in found), tuple((0, a, b) for a, b, _ in found)


def _places(name: str, text: str) -> list[tuple[int, int]]:
    import re

    return [m.span() for m in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def _check_query(query: tuple[str, str], names: Sequence[str], where: str) -> None:
    for name in query:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise DataError(f"the query names '{name}', who is not in the {where}.{hint}")


def _question(query: tuple[str, str], marked: bool) -> tuple[str, tuple[Mention, ...]]:
    """Return what is asked, and where the two stand in it: first the one that the relation leads to."""
    if not marked:
        return "What is that?", ()
    source, target = query
    text = f"Who is {target} to {source}?"
    return text, ((1, 7, 7 + len(target)), (1, len(text) - 1 - len(source), len(text) - 1))

"""Proves or refutes a statement from another by natural logic, with no training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

from kgreason.data import Example, Prediction
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.restore import assemble
from kgreason.experiment.sentences import attempts, best, together
from kgreason.knowledge import table_of
from kgreason.pipeline import Pipeline
from kgreason.tasks import Task

Reading: TypeAlias = Literal["specific", "existential"]

#: What proves without training. `decode` and `answer` have no parameters that are learned, `encode` computes nothing.
UNTRAINED: dict[str, dict[str, Any]] = {
    "task": {"name": "nli"},
    "parse": {"name": "semantic", "around": {"name": "dependency"}},
    "ground": {"name": "edits"},
    "collate": {"name": "default"},
    "encode": {"name": "nothing"},
    "decode": {"name": "natural_logic"},
    "answer": {"name": "proof"},
    "train": {"name": "none"},
}
#: What is said of a text that is no statement to go by. No answer about it is surer than a half.
QUESTION = "it says nothing that could follow or be denied"
FOREIGN = "there is no English word in it to go by"
#: How much an answer counts of which that must be said; the rest is an even guess.
_DOUBTED = 0.25


@final
class Prover:
    """Says whether a hypothesis follows from a premise, and shows the proof. Made by `kgreason.prover()`.

    ```python
    prover = kgreason.prover()
    prediction = prover("A man plays the piano.", "A man plays an instrument.")
    prediction.answer, prediction.probability, prediction.proof
    ```

    A premise of several sentences is read as a whole, if it is short, and each of its sentences is tried; a hypothesis
    of several sentences follows if each of them does. Where there is little to go by (no edits, a question, no English)
    the answer is unsure, and `Prediction.notes` says why.

    Args:
        pipeline: What parses, grounds and proves a pair of sentences.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    @property
    def task(self) -> Task:
        return self.pipeline.task

    def __call__(self, premise: str, hypothesis: str) -> Prediction:
        """Prove or refute one hypothesis.

        Raises:
            DataError: If a text is empty, or the hypothesis is not one statement.
        """
        return self.predict([{"premise": premise, "hypothesis": hypothesis}])[0]

    def predict(self, examples: Sequence[Example | Mapping[str, Any]], batch_size: int = 32) -> list[Prediction]:
        """Prove or refute many; predictions come in the order of the examples.

        Args:
            examples: Examples, or mappings with `premise` and `hypothesis` and, if wanted, `uid`.
            batch_size: How many are proved at once.

        Raises:
            DataError: If one of them is not what a proof needs.
        """
        asked = [self._example(i, given) for i, given in enumerate(examples)]
        tried = [attempts(*example.texts) for example in asked]
        pairs = [attempt for statements in tried for one in statements for attempt in one]
        fields = [{"premise": a.premise.text, "hypothesis": a.hypothesis.text} for a in pairs]
        found = iter(self.pipeline.predict(fields, batch_size))
        answers = []
        for example, statements in zip(asked, tried, strict=True):
            chosen = [best([(attempt, next(found)) for attempt in one]) for one in statements]
            told = replace(together(chosen), uid=example.uid, texts=example.texts)
            open_part = len(chosen) > 1 and any(part.notes for _, part in chosen)
            answers.append(_doubted(told, open_part))
        return answers

    def _example(self, number: int, given: Example | Mapping[str, Any]) -> Example:
        return given if isinstance(given, Example) else self.task.example(str(given.get("uid", number + 1)), given)


def prover(graph: str | Path = "wordnet", reading: Reading = "specific", device: str = "cpu") -> Prover:
    """Open a prover over a knowledge graph.

    Args:
        graph: The name of a graph, the folder of a store, or a file in any known form.
        reading: `specific`: both texts speak of one scene, and "a man" is a particular man, so that words which
            exclude each other make statements that do. `existential`: "a man" is some man or other.
        device: Where the parser and the reasoner compute.

    Raises:
        ConfigError: If there is no such graph or reading.
        DataError: If the graph's file is broken.
    """
    choices = UNTRAINED | {
        "parse": {**UNTRAINED["parse"], "indefinites": reading},
        "ground": {**UNTRAINED["ground"], "reading": reading},
    }
    config = ExperimentConfig.from_dict({"title": "proved", "knowledge": table_of(str(graph))} | choices)
    opened = Prover(assemble(config, None, device))
    opened("A dog sleeps.", "An animal sleeps.")  # what is compiled or indexed on first use is so now
    return opened


def prove(premise: str, hypothesis: str, graph: str | Path = "wordnet", reading: Reading = "specific") -> Prediction:
    """Prove or refute a hypothesis; a notebook shows the proof.

    ```python
    kgreason.prove("No animal sleeps.", "No dog sleeps.")
    ```

    The prover is opened once; for more than a few pairs use `prover`, which proves them in batches.

    Args:
        premise: What is given.
        hypothesis: What may follow, or be excluded.
        graph: See `prover`.
        reading: See `prover`.

    Raises:
        ConfigError: If there is no such graph or reading.
        DataError: If a text is empty, or the hypothesis is not one statement.
    """
    return _opened(str(graph), reading)(premise, hypothesis)


@lru_cache(2)
def _opened(graph: str, reading: Reading) -> Prover:
    return prover(graph, reading)


def _doubted(found: Prediction, open_part: bool) -> Prediction:
    """Make an answer unsure where a text is no statement to go by, or a part of it was not proved, and say why."""
    notes = []
    for name, text in zip(("premise", "hypothesis"), found.texts, strict=True):
        if text.rstrip("\"'”’»)*_ ").endswith(("?", "？")):
            notes.append(f"the {name} is a question: {QUESTION}")
        if not any("a" <= letter <= "z" for letter in text.lower()):
            notes.append(f"the {name}: {FOREIGN}")
    if not notes and not open_part:
        return found
    ranking = tuple((label, _DOUBTED * p + (1 - _DOUBTED) / 3) for label, p in found.ranking)
    return replace(found, probability=ranking[0][1], ranking=ranking, notes=(*found.notes, *notes))

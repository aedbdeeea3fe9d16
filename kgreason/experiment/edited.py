"""Pairs with one word exchanged, made from an experiment's sentences and proved from its graph; kept on disk."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from kgreason.data import UPOS, Example
from kgreason.errors import ConfigError, StoreError
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.english import lexicon
from kgreason.experiment.prepare import MADE_BY, graph_checksum, word_checksums
from kgreason.ground.term import Term
from kgreason.ground.word_facts import word_facts
from kgreason.pipeline import Pipeline
from kgreason.places import cache_folder
from kgreason.reasoner import Reasoner
from kgreason.tasks import Split
from kgreason.tasks.edited import Edited, Editing, Proved
from kgreason.tasks.split import ToExample
from kgreason.tasks.substitutes import Substitutes

if TYPE_CHECKING:
    from kgreason.experiment.build import Front

_BATCH = 64


def edit(
    config: ExperimentConfig,
    front: "Front",
    build_reasoner: "Callable[[ExperimentConfig, Front], Reasoner]",
    split: Split,
    editing: Editing,
    labels: Sequence[str],
    to_example: ToExample,
) -> Split:
    """Return the pairs that an experiment's prover makes from its sentences; from the cache, if they were made before.

    Args:
        config: The experiment; its graph proves, so a perturbed graph makes other pairs.
        front: Its front.
        build_reasoner: Builds the prover over that front.
        split: Whose sentences are taken.
        editing: How many pairs.
        labels: Of the task.
        to_example: The task's way from fields to an example.

    Raises:
        ConfigError: If the experiment's rooms cannot prove.
        DataError: If there are too few sentences.
    """
    _check(config)
    path = cache_folder() / "edited" / f"{_key(config, front, split, editing)}.jsonl"
    with contextlib.suppress(StoreError):
        rows = record.read_lines(path)
        return Split(f"edited:{editing.seed}", tuple(to_example(row["uid"], row) for row in rows))
    # what proves, with no training
    exact = replace(config, encode={"name": "nothing"}, decode={"name": "natural_logic"}, answer={"name": "proof"})
    pipeline = Pipeline(
        front.task, front.parse, front.knowledge, front.ground, front.collate, build_reasoner(exact, front)
    )

    def prove(pairs: Sequence[Mapping[str, str]]) -> list[Proved]:
        return [Proved(found.answer, found.probability) for found in pipeline.predict(pairs, _BATCH)]

    made = Edited(front.parse, prove, Substitutes(lexicon("minilm"), _facts))(split, editing, labels, to_example)
    with contextlib.suppress(StoreError):  # a full or read-only cache costs time, not results
        record.write_lines(path, map(_row, made.examples))
    return made


def _check(config: ExperimentConfig) -> None:
    rooms = {room: _innermost(getattr(config, room)) for room in ("parse", "ground")}
    if config.parse.get("name") != "semantic" or rooms["ground"] != "edits":
        raise ConfigError(
            "[task] edited: pairs are proved by natural logic, which needs [parse] name = 'semantic' and [ground] "
            f"name = 'edits'; here they are '{config.parse.get('name')}' and '{rooms['ground']}'."
        )


def _innermost(table: Mapping[str, Any]) -> str:
    around = table.get("around")
    if table.get("name") == "perturb" and around is not None:
        return _innermost({"name": around} if isinstance(around, str) else around)
    return str(table.get("name"))


def _facts(text: str, lemma: str, pos: str) -> tuple[str, ...]:
    return word_facts("english").beside(Term(text, lemma, UPOS.id(pos)))


def _row(example: Example) -> dict[str, Any]:
    premise, hypothesis = example.texts
    return {"uid": example.uid, "premise": premise, "hypothesis": hypothesis, "label": example.target}


def _key(config: ExperimentConfig, front: "Front", split: Split, editing: Editing) -> str:
    made_of: dict[str, Any] = {room: getattr(config, room) for room in ("parse", "ground")}
    made_of |= {"editing": asdict(editing), "graph": graph_checksum(front.knowledge)}
    made_of |= {"code": record.code_hash((*MADE_BY, "tasks", "decode", "answer"))}
    made_of |= {"words": word_checksums()}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode())
    for example in split.examples:
        digest.update(example.texts[0].encode() + b"\0")
    return digest.hexdigest()[:32]

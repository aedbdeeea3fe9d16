"""Turns the names in an experiment file into objects. The only place that does."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, final

import torch
from torch import Tensor

from kgreason.answer import HEADS
from kgreason.collate import COLLATORS, Collate
from kgreason.data import ALIGN_RELATIONS, EdgeType, KnowledgeGraph, entities_of, relation_texts
from kgreason.data.walked import walked
from kgreason.decode import DECODERS, HALTS, JUDGES
from kgreason.encode import ENCODERS, ENTITIES, FUSIONS, GRAPHS, LANGUAGES, embed_texts
from kgreason.errors import ConfigError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.edited import edit
from kgreason.experiment.english import phrases
from kgreason.experiment.senses import WordSenses
from kgreason.experiment.shown import Shown
from kgreason.frontier import Facts
from kgreason.ground import GROUNDERS
from kgreason.knowledge import SOURCES, Texts, open_built
from kgreason.parse import PARSERS
from kgreason.reasoner import Reasoner
from kgreason.registry import Registry
from kgreason.rooms import Encoder, Grounder, Parser, Source
from kgreason.segments import segment_mean
from kgreason.tasks import TASKS, Split, Splits, Spoil, Task
from kgreason.tasks.asked import Asking, ask
from kgreason.tasks.edited import Editing
from kgreason.tasks.folds import Folds
from kgreason.tasks.split import ToExample
from kgreason.train import TRAINERS, TrainSettings

#: A table inside a section is a choice of its own, from the registry that stands here.
NESTED: dict[str, Registry[Any]] = {
    "parse.around": PARSERS,
    "ground.around": GROUNDERS,
    "encode.language": LANGUAGES,
    "encode.graph": GRAPHS,
    "encode.around": GRAPHS,
    "encode.fuse": FUSIONS,
    "encode.entities": ENTITIES,
    "decode.halt": HALTS,
    "decode.judge": JUDGES,
    "decode.proof": DECODERS,
    "decode.learned": DECODERS,
    "answer.learned": HEADS,
}


#: What a file may give where a constructor states one of these types.
PLAIN: dict[Any, tuple[type, ...]] = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}


@final
@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """What turns texts into tensors, and how to train on them."""

    task: Task
    parse: Parser
    knowledge: KnowledgeGraph
    ground: Grounder
    collate: Collate
    train: TrainSettings
    spoil: Spoil | None = None
    folds: Callable[[Splits], Splits] | None = None
    shown: Shown | None = None

    def splits(self) -> Splits:
        """Read all splits of the run, cut into folds and spoilt if the section `[task]` says so."""
        splits = self.task.splits()
        splits = splits if self.folds is None else self.folds(splits)
        return splits if self.spoil is None else self.spoil(splits)


def build_front(config: ExperimentConfig, texts: Texts | None = None, knowledge: KnowledgeGraph | None = None) -> Front:
    """Build everything left of the reasoner.

    Args:
        config: The experiment.
        texts: What a remote graph is asked about; None for all examples of the run.
        knowledge: The graph of the section `[knowledge]`, if it is open already.

    Raises:
        ConfigError: If a name or an argument is wrong.
        StoreError: If the knowledge graph cannot be opened.
    """
    model = _language_model(config.encode)
    task_table = dict(config.task)
    spoil, shown, folds = (task_table.pop(key, None) for key in ("spoil", "shown", "folds"))
    fronts: list[Front] = []  # what the task draws from the graph is drawn once this is built
    made = {
        "generate": partial(_generate, fronts, model or "minilm"),
        "edit": partial(_edit, fronts, config),
    }
    task = build(TASKS, "task", task_table, **made)
    if knowledge is None:
        knowledge = build_knowledge(config.knowledge, texts or partial(_texts, task))
    sizes = {EdgeType.KNOWLEDGE: len(knowledge.relations)}
    train = build(TRAINERS, "train", {"select": task.select} | config.train)
    context = {
        "num_relations": sizes,
        "labels": task.labels,
        "entity_ids": lru_cache(2**16)(partial(entities_of, knowledge)),
    }
    context |= {"model": model} if model else {}
    front = Front(
        task=task,
        parse=build(PARSERS, "parse", config.parse),
        knowledge=knowledge,
        ground=build(GROUNDERS, "ground", config.ground),
        collate=build(COLLATORS, "collate", config.collate, **context),
        train=train,
        spoil=None if spoil is None else Spoil.of(spoil),
        folds=None if folds is None else partial(Folds.of(folds, task_table), task=task_table),
        shown=None if shown is None else Shown.of(shown),
    )
    fronts.append(front)
    return front


def build_reasoner(config: ExperimentConfig, front: Front) -> Reasoner:
    """Build the trainable part. Seed first: this draws the first weights.

    Raises:
        ConfigError: If a name or an argument is wrong, or the language model cannot be loaded.
    """
    model = _language_model(config.encode) or "minilm"
    context: dict[str, Any] = {
        "num_relations": front.collate.num_relations,
        "num_entities": len(front.knowledge.entities),
        "num_labels": len(front.task.labels),
        "label_relations": _label_relations(front),
        "entity_labels": _EntityLabels(front.knowledge),
        "facts": Facts.of(walked(front.knowledge)),
        "relation_vectors": partial(_relation_vectors, front.knowledge, model),
        "senses": partial(WordSenses, front.knowledge, model),
        "num_align": len(ALIGN_RELATIONS),
        "num_pair_types": 2 * len(ALIGN_RELATIONS),  # every alignment stands in a batch in both directions
    }
    encode, context["dim"] = _build_encoder(config.encode, context)
    decode = build(DECODERS, "decode", config.decode, **context)
    return Reasoner(encode, decode, build(HEADS, "answer", config.answer, **context))


def _label_relations(front: Front) -> tuple[int, ...]:
    """Return the relation of the knowledge graph that each label names; -1 where it names none."""
    known = front.knowledge.relations
    return tuple(known.id(label) if label in known else -1 for label in front.task.labels)


def _generate(fronts: Sequence[Front], model: str, asking: Asking, to_example: ToExample) -> Split:
    """Return the questions that a graph asks about itself."""
    knowledge = walked(_built(fronts, "train = { generate = … }").knowledge)
    return ask(knowledge, phrases(knowledge, model), asking, to_example)


def _edit(
    fronts: Sequence[Front],
    config: ExperimentConfig,
    split: Split,
    editing: Editing,
    labels: Sequence[str],
    to_example: ToExample,
) -> Split:
    """Return the pairs that an experiment's prover makes."""
    return edit(config, _built(fronts, "edited"), build_reasoner, split, editing, labels, to_example)


def _built(fronts: Sequence[Front], key: str) -> Front:
    """Return the front of a run, once it is built; a remote graph is opened for what the task draws, so before it."""
    if not fronts:
        raise ConfigError(
            f"[task] {key} needs the whole graph, and an endpoint is asked for a part. Have it here first: "
            "kgreason graph build ENDPOINT --out FOLDER"
        )
    return fronts[0]


def _texts(task: Task) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what all examples of a run say, each text with the entities it is known to be about."""
    splits = task.splits()
    for split in (splits.train, splits.dev, *splits.test.values()):
        for example in split.examples:
            yield from ((text, example.seeds) for text in example.texts)


def _relation_vectors(knowledge: KnowledgeGraph, model: str) -> Tensor:
    """Return the mean of the language model's vectors of all that a relation is called, (relations, width)."""
    texts = relation_texts(knowledge)
    vectors = embed_texts([text for of_one in texts for text in of_one], model)
    owner = torch.repeat_interleave(torch.arange(len(texts)), torch.tensor([len(of_one) for of_one in texts]))
    return segment_mean(vectors, owner, len(texts))


def _build_encoder(table: Mapping[str, Any], context: Mapping[str, Any]) -> tuple[Encoder, int]:
    """Build the language model first: its width is the width of all else, unless `[encode]` names another `dim`."""
    name = table["name"]
    if name not in ENCODERS or "language" not in inspect.signature(ENCODERS.get(name)).parameters:
        # of the user's own, or none: it may need none of the parts
        encode = build(ENCODERS, "encode", table, **context)
        return encode, int(encode.dim)
    parts = {"graph": {"name": "none"}, "fuse": {"name": "none"}, "entities": {"name": "none"}} | dict(table)
    if "language" not in parts:
        raise ConfigError('[encode] has no language model; write: language = { name = "pretrained" }.')
    parts["language"] = build(LANGUAGES, "encode.language", _table(parts["language"]), **context)
    dim = parts.get("dim", parts["language"].width)
    if not isinstance(dim, int) or dim < 1:
        raise ConfigError(f"[encode] dim = {dim!r} is not a whole number above 0.")
    return build(ENCODERS, "encode", parts, **context, dim=dim), dim


def _table(value: Any) -> Any:
    """Return a choice that is written as its name alone as a table."""
    return {"name": value} if isinstance(value, str) else value


@final
class _EntityLabels(Sequence[str]):
    """The labels of a graph's entities, read when they are asked for."""

    def __init__(self, knowledge: KnowledgeGraph) -> None:
        self._knowledge = knowledge

    def __getitem__(self, i: int) -> str:  # type: ignore[override]  # ids only, no slices
        return self._knowledge.label(i)

    def __len__(self) -> int:
        return len(self._knowledge.entities)


def build_knowledge(table: Mapping[str, Any], texts: Texts | None = None) -> KnowledgeGraph:
    """Open the graph of the section `[knowledge]`: one that ships (`name` alone), or a source with its arguments.

    A source around another has that one's table, or its name alone, as `around`. `texts` tells a remote graph what it
    is needed for.

    Raises:
        ConfigError: If a name or an argument is wrong.
        StoreError: If the graph cannot be opened.
    """
    if isinstance(inner := _table(table.get("around")), Mapping):
        given = {**table, "around": partial(build_knowledge, inner, texts)}
        source: Source = build(SOURCES, "knowledge", given)
        return source()
    return open_built(table, texts=texts)


def build(registry: Registry[Any], place: str, table: Mapping[str, Any], **context: Any) -> Any:
    """Build a choice, and before it the choices that stand in tables inside its own.

    Args:
        registry: Where the name is looked up.
        place: The dotted path of the table, for messages and for `NESTED`.
        table: The table in the file.
        **context: What the file cannot know.

    Raises:
        ConfigError: With the place of the table that is wrong.
    """
    room = place.partition(".")[0]
    given = dict(table)
    for key, value in table.items():
        inner = NESTED.get(f"{room}.{key}")
        if inner is not None and isinstance(_table(value), Mapping):
            given[key] = build(inner, f"{place}.{key}", _table(value), **context)
    _check_kinds(registry, place, given)
    return registry.build(given, **context)


def _check_kinds(registry: Registry[Any], place: str, table: Mapping[str, Any]) -> None:
    """Compare values with the plain types that the constructor states: `cycles = "4"` would fail far from here."""
    if not isinstance(table.get("name"), str):
        raise ConfigError(f"[{place}] has no name. Known: {', '.join(registry)}.")
    for key, parameter in inspect.signature(registry.get(table["name"])).parameters.items():
        allowed = PLAIN.get(parameter.annotation)
        if key in table and allowed and type(table[key]) not in allowed:
            kind, wanted = type(table[key]).__name__, parameter.annotation.__name__
            raise ConfigError(f"[{place}] {table['name']}: {key} = {table[key]!r} is a {kind}, expected a {wanted}.")


def _language_model(encode: Mapping[str, Any]) -> str:
    """Return the model whose tokenizer the collator must use."""
    language = encode.get("language", {})
    return str(language.get("model", "")) if isinstance(language, Mapping) else ""

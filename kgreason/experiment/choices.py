"""What an experiment file may say, read off the constructors: every key is checked before anything is built."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, cast, get_args, get_origin

from kgreason.answer import HEADS
from kgreason.collate import COLLATORS
from kgreason.decode import DECODERS
from kgreason.decode.alignment import Prices
from kgreason.decode.control import CONTROLS
from kgreason.decode.instruct import Reach
from kgreason.decode.relations import RELATION_SCORES, RELATION_VECTORS
from kgreason.encode import ENCODERS
from kgreason.errors import ConfigError, near
from kgreason.experiment.build import NESTED, PLAIN
from kgreason.experiment.config import ROOMS, ExperimentConfig
from kgreason.experiment.shown import Shown
from kgreason.frontier import Hops
from kgreason.ground import GROUNDERS
from kgreason.knowledge import SOURCES
from kgreason.knowledge.catalogue import known_graphs
from kgreason.knowledge.remote import TABLES
from kgreason.parse import PARSERS
from kgreason.registry import Registry
from kgreason.tasks import TASKS, Spoil
from kgreason.tasks.asked import Asking
from kgreason.tasks.cut import Cut
from kgreason.tasks.folds import Folds
from kgreason.train import TRAINERS

#: The choices of each section.
SECTIONS: dict[str, Registry[Any]] = {
    "task": TASKS,
    "parse": PARSERS,
    "knowledge": SOURCES,
    "ground": GROUNDERS,
    "collate": COLLATORS,
    "encode": ENCODERS,
    "decode": DECODERS,
    "answer": HEADS,
    "train": TRAINERS,
}
#: Tables inside a section: choices of their own, or plain tables whose keys are the fields of a class. The longest
#: place that fits counts: `decode.transfer.walk` is the table `walk` of the choice `transfer`.
INNER: dict[str, Registry[Any] | type] = {
    **NESTED,
    "knowledge.around": SOURCES,
    "decode.control": CONTROLS,
    "decode.transfer.relations": RELATION_SCORES,
    "decode.instruct.relations": RELATION_VECTORS,
    "decode.transfer.walk": Hops,
    "decode.similar.walk": Hops,
    "decode.instruct.walk": Reach,
    "decode.similar.prices": Prices,
    "task.split": Cut,
    "task.train": Asking,
    "task.folds": Folds,
    "task.spoil": Spoil,
    "task.shown": Shown,
    **{f"knowledge.sparql.{key}": cast("type", table.get(key)) for key, table in TABLES.items()},
}
#: Arguments that the program gives, not a file; `dim` and `model` may be in either.
GIVEN = frozenset(
    {
        "num_relations",
        "num_entities",
        "num_labels",
        "num_align",
        "num_pair_types",
        "label_relations",
        "entity_labels",
        "entity_ids",
        "facts",
        "relation_vectors",
        "senses",
        "texts",
        "generate",
    }
)
#: What every task takes, whatever its constructor: see `build_front`.
ALWAYS = {"task": {"folds": Folds, "spoil": Spoil, "shown": Shown}}


def check_choices(config: ExperimentConfig) -> None:
    """Check every name, every key and every plain value of an experiment, at any depth.

    Raises:
        ConfigError: Names the first that is wrong, with the nearest that is right.
    """
    for room in ROOMS:
        _filled(room, SECTIONS[room], config.as_tables()[room], strict=True)


def filled(config: ExperimentConfig) -> dict[str, Any]:
    """Return an experiment's tables with all defaults written out; what is wrong in them stays as it is."""
    tables = config.as_tables()
    return tables | {room: _filled(room, SECTIONS[room], tables[room], strict=False) for room in ROOMS}


def constructors(config: ExperimentConfig) -> Iterator[tuple[str, Any]]:
    """Yield the place and the constructor of every choice of an experiment, those inside others included.

    A knowledge graph that is named by its name alone has no constructor here.
    """
    tables = filled(config)
    for room in ROOMS:
        yield from _constructors(room, room, SECTIONS[room], tables[room])


def _constructors(place: str, room: str, registry: Registry[Any], table: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(table, Mapping) or (room == "knowledge" and table["name"] not in registry):
        return
    yield place, registry.get(table["name"])
    for key, value in table.items():
        inner = inner_of(room, table["name"], key)
        if isinstance(inner, Registry):
            yield from _constructors(f"{place}.{key}", room, inner, value)
        elif isinstance(inner, type) and isinstance(value, Mapping):
            yield f"{place}.{key}", inner


def arguments(constructor: Any, given: frozenset[str] = GIVEN) -> dict[str, inspect.Parameter]:
    """Return what a file may give to a constructor; `given` is what the program gives."""
    wanted = inspect.signature(constructor).parameters
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {key: p for key, p in wanted.items() if p.kind in plain and key not in given}


def inner_of(room: str, choice: str, key: str) -> Registry[Any] | type | None:
    """Return what stands in the table `key` of a choice: a registry, a class with fields, or nothing that is known."""
    return INNER.get(f"{room}.{choice}.{key}", INNER.get(f"{room}.{key}"))


def _filled(place: str, registry: Registry[Any], table: Any, strict: bool) -> Any:
    table = {"name": table} if isinstance(table, str) else table
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        if strict:
            raise ConfigError(f"[{place}] has no name. Known: {', '.join(registry.known())}.")
        return table
    room, name = place.partition(".")[0], table["name"]
    if room == "knowledge" and len(table) == 1 and name in known_graphs():
        return dict(table)
    try:
        wanted = arguments(registry.get(name))
    except ConfigError:
        if strict:
            raise
        return dict(table)
    if strict:
        _check_keys(place, name, table, [*wanted, *ALWAYS.get(room if place == room else "", ())])
        _check_values(place, name, table, wanted)
    made = registry.get(name)
    defaults = {key: _plain(p.default) for key, p in wanted.items() if p.default is not p.empty}
    defaults |= dict(_defaults(made)) if isinstance(made, type) and is_dataclass(made) else {}
    return {key: _inside(place, room, name, key, value, strict) for key, value in (defaults | dict(table)).items()}


def _inside(place: str, room: str, name: str, key: str, value: Any, strict: bool) -> Any:
    inner = inner_of(room, name, key)
    if isinstance(inner, Registry) and isinstance(value, Mapping | str):
        return _filled(f"{place}.{key}", inner, value, strict)
    if isinstance(inner, type) and isinstance(value, Mapping):
        known = {f.name: f for f in fields(inner)}
        if strict:
            for k in value:
                if k not in known:
                    raise ConfigError(f"[{place}] {key} has no '{k}'.{near(k, known)} It has: {', '.join(known)}.")
            _check_values(f"{place}.{key}", key, value, arguments(inner, frozenset()))
        return dict(_defaults(inner)) | dict(value)
    return value


def _check_keys(place: str, name: str, table: Mapping[str, Any], known: list[str]) -> None:
    for key in table:
        if key != "name" and key not in known:
            told = ", ".join(known) or "nothing"
            raise ConfigError(f"[{place}] {name} does not take '{key}'.{near(key, known)} It takes: {told}.")


def _check_values(place: str, name: str, table: Mapping[str, Any], wanted: Mapping[str, inspect.Parameter]) -> None:
    for key, parameter in wanted.items():
        if key not in table:
            continue
        value, kind = table[key], parameter.annotation
        allowed = PLAIN.get(kind)
        if allowed and type(value) not in allowed:
            hint = " For a row of each write { each = [ … ] }." if isinstance(value, list) else ""
            raise ConfigError(
                f"[{place}] {name}: {key} = {value!r} is a {type(value).__name__}, expected a {kind.__name__}.{hint}"
            )
        if get_origin(kind) is Literal and value not in get_args(kind):
            known = [str(choice) for choice in get_args(kind)]
            raise ConfigError(
                f"[{place}] {name}: {key} = {value!r} is not known.{near(str(value), known)} Known: {', '.join(known)}."
            )


def _defaults(kind: type) -> Iterator[tuple[str, Any]]:
    for f in fields(kind):
        if f.default is not MISSING:
            yield f.name, _plain(f.default)
        elif f.default_factory is not MISSING:
            yield f.name, _plain(f.default_factory())


def _plain(value: Any) -> Any:
    """Return a default as a file would have it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(v) for key, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value

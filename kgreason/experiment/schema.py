"""A JSON schema of experiment files, of ablations and of searches, for editors, read off the constructors."""

import inspect
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from kgreason.experiment.ablate import KEYS
from kgreason.experiment.choices import ALWAYS, GIVEN, SECTIONS, arguments, inner_of
from kgreason.experiment.config import ROOMS
from kgreason.experiment.search import PRUNE, SAMPLERS, Budget
from kgreason.knowledge import graph_notice
from kgreason.knowledge.catalogue import known_graphs
from kgreason.registry import Registry

_DRAFT = "http://json-schema.org/draft-07/schema#"
_PLAIN: dict[Any, str] = {int: "integer", float: "number", str: "string", bool: "boolean", Path: "string"}
#: A class of the user's own, whose arguments nobody knows.
_OWN = {"properties": {"name": {"pattern": "^[\\w.]+:\\w+$"}}, "required": ["name"]}
_TEXTS = {
    "title": "One line for the report.",
    "source": "The paper and table the setting comes from, or 'own'.",
    "seed": "Of Python, numpy and torch.",
    "base": "Another experiment file; only what differs from it need be written.",
    "expected": "What the run should reach: '<test>.<metric>' = [value, tolerance].",
}

Schema = dict[str, Any]


def experiment_schema() -> Schema:
    """Return the schema of an experiment file (draft 7): every section, its choices, and their arguments."""
    properties: Schema = {key: {"type": "string", "description": _TEXTS[key]} for key in ("title", "source", "base")}
    properties["seed"] = {"type": "integer", "minimum": 0, "description": _TEXTS["seed"]}
    properties["expected"] = {"type": "object", "description": _TEXTS["expected"]}
    properties |= {room: _section(room) for room in ROOMS}
    return {
        "$schema": _DRAFT,
        "title": "kgreason experiment",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "anyOf": [{"required": ["title", *ROOMS]}, {"required": ["base"]}],
    }


def ablation_schema() -> Schema:
    """Return the schema of an ablation file (draft 7); the keys of overrides are completed, their values are not."""
    keys = sorted({"seed", *_dotted()})
    when = {"type": "object", "description": "Settings that the row needs to make sense."}
    override: Schema = {"type": "object", "properties": {key: {} for key in keys} | {"when": when}}
    told = {
        "title": {"type": "string"},
        "base": {"type": "string", "description": "The experiment file."},
        "name": {"type": "string", "description": "What the base's own row is called."},
        "seeds": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        "against": {"type": "string", "description": "The row that the others are compared with."},
        "grid": {
            "type": "object",
            "description": "Dotted key to a list of values, or to names and values: every combination is a row.",
            "properties": {key: {"type": ["array", "object"]} for key in keys},
        },
        "variants": {"type": "object", "description": "Row to overrides.", "additionalProperties": override},
        "tests": {
            "type": "object",
            "description": "Row to overrides with which the base's trained weights are tested.",
            "additionalProperties": override,
        },
    }
    return {
        "$schema": _DRAFT,
        "title": "kgreason ablation",
        "type": "object",
        "additionalProperties": False,
        "required": ["base"],
        "properties": {key: told[key] for key in KEYS},
    }


def search_schema() -> Schema:
    """Return the schema of a search file (draft 7): the keys of `[space]` are completed, and their ranges checked."""
    pair = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    kinds: Schema = {
        "float": pair | {"description": "The lowest and the highest."},
        "log": pair | {"description": "The lowest and the highest, above 0; drawn by the logarithm."},
        "int": pair | {"items": {"type": "integer"}, "description": "The lowest and the highest whole number."},
        "choice": {"type": "array", "minItems": 1, "description": "All values."},
    }
    when = {"type": "object", "description": "Dotted key to value: what must hold for the key to be set."}
    one = {
        "type": "object",
        "additionalProperties": False,
        "properties": kinds | {"when": when},
        "oneOf": [{"required": [kind]} for kind in kinds],
    }
    budget = _arguments("search", "search", "search", Budget, (), frozenset())
    budget["sampler"] |= {"enum": list(SAMPLERS)}
    budget["prune"] |= {"enum": list(PRUNE)}
    told = {
        "title": {"type": "string"},
        "base": {"type": "string", "description": "The experiment file."},
        "search": {"type": "object", "additionalProperties": False, "properties": budget},
        "space": {
            "type": "object",
            "description": "Dotted key to a range, or to all values.",
            "minProperties": 1,
            "properties": dict.fromkeys(sorted(_dotted()), one),
            "additionalProperties": one,
        },
    }
    return {
        "$schema": _DRAFT,
        "title": "kgreason search",
        "type": "object",
        "additionalProperties": False,
        "required": ["base", "space"],
        "properties": told,
    }


def _section(room: str) -> Schema:
    found = _choice(room, room, SECTIONS[room], (), ALWAYS.get(room, {}))
    if room == "knowledge":
        shipped = [
            {
                "properties": {"name": {"const": name, "description": str(graph_notice(name).get("title", ""))}},
                "required": ["name"],
                "additionalProperties": False,
            }
            for name in known_graphs()
        ]
        found["properties"]["name"] = {"type": "string", "examples": [*SECTIONS[room].known(), *known_graphs()]}
        found["anyOf"] = [*shipped, *found["anyOf"]]
    return found


def _choice(
    place: str, room: str, registry: Registry[Any], above: tuple[str, ...], more: Mapping[str, Any] | None = None
) -> Schema:
    """Return the schema of a table that names a choice; of one inside itself (`around`) only the name is checked."""
    if place.count(".") > 2 or registry.room in above[:-1]:
        return {"type": ["object", "string"]}
    options: list[Schema] = []
    for name in registry.known():
        made = registry.get(name)
        told = _arguments(place, room, name, made, (*above, registry.room))
        told |= {key: _value(room, name, key, kind, None, "", above) for key, kind in (more or {}).items()}
        told = {"name": {"const": name, "description": _first_line(made)}} | told
        options.append({"properties": told, "additionalProperties": False})
    # a file that stands on another need not name the choice again
    return {
        "type": "object",
        "properties": {"name": {"type": "string", "examples": list(registry.known())}},
        "anyOf": [*options, _OWN],
    }


def _arguments(
    place: str, room: str, name: str, made: Any, above: tuple[str, ...], given: frozenset[str] = GIVEN
) -> Schema:
    texts = _described(made)
    return {
        key: _value(room, name, key, parameter.annotation, parameter, texts.get(key, ""), above, place)
        for key, parameter in arguments(made, given).items()
    }


def _value(
    room: str,
    name: str,
    key: str,
    kind: Any,
    parameter: inspect.Parameter | None,
    text: str,
    above: tuple[str, ...],
    place: str = "",
) -> Schema:
    inner = inner_of(room, name, key)
    if isinstance(inner, Registry):
        table = _choice(f"{place or room}.{key}", room, inner, above)
        found: Schema = {"anyOf": [table, {"type": "string"}]}
    elif isinstance(inner, type):
        table = {
            "type": "object",
            "additionalProperties": False,
            "properties": _arguments(f"{place or room}.{key}", room, name, inner, above, frozenset()),
        }
        rest = _kind(kind).get("type") if kind is not inner else "string"
        found = {"anyOf": [table, {"type": rest or ["string", "array"]}]}
    else:
        found = _kind(kind)
    default = parameter.default if parameter is not None else None
    if isinstance(default, str | int | float):
        found["default"] = default
    return found | ({"description": text} if text else {})


def _kind(kind: Any) -> Schema:
    """Return the schema of a type that a constructor states; of one that is none of the plain ones, anything."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if origin is Literal:
        return {"enum": list(inside)}
    if origin in (Union, types.UnionType):
        parts = [_kind(part) for part in inside if part is not type(None)]
        return {"anyOf": parts} if all(parts) else {}
    if origin in (Sequence, list, tuple) or kind in (Sequence, list, tuple):
        items = _kind(inside[0]) if inside else {}
        return {"type": "array"} | ({"items": items} if items else {})
    if origin in (Mapping, dict) or kind in (Mapping, dict):
        return {"type": "object"}
    return {}


def _described(made: Any) -> dict[str, str]:
    """Return what the docstring says of each argument, its first sentence."""
    text = inspect.getdoc(made) or ""
    _, _, rest = text.partition("Args:\n")
    told = re.split(r"\n(?=    \w[\w, ]*: )", "\n" + rest.split("\n\n")[0])
    found: dict[str, str] = {}
    for part in told:
        names, colon, said = part.strip().partition(": ")
        if colon:
            first = re.split(r"(?<=[.;])\s", " ".join(said.split()))[0]
            found |= dict.fromkeys((name.strip() for name in names.split(",")), first)
    return found


def _first_line(made: Any) -> str:
    return (inspect.getdoc(made) or "").partition("\n")[0]


def _dotted() -> set[str]:
    """Return all dotted keys that an override may have: of every choice of every section."""
    found = set()
    for room, registry in SECTIONS.items():
        found |= {room, f"{room}.name"}
        for key, kind in ALWAYS.get(room, {}).items():
            found |= {f"{room}.{key}", *(f"{room}.{key}.{f.name}" for f in fields(kind))}
        for name in registry.known():
            for key in arguments(registry.get(name)):
                found.add(f"{room}.{key}")
                inner = inner_of(room, name, key)
                if isinstance(inner, Registry):
                    found |= {f"{room}.{key}.name"}
                    found |= {f"{room}.{key}.{k}" for n in inner.known() for k in arguments(inner.get(n))}
                elif isinstance(inner, type):
                    found |= {f"{room}.{key}.{f.name}" for f in fields(inner)}
    return found

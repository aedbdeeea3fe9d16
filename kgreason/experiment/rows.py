"""The rows of an ablation: what a file's `[grid]`, `[variants]` and `[tests]` come to over one base."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, final

from kgreason.errors import ConfigError
from kgreason.experiment.choices import filled
from kgreason.experiment.config import ExperimentConfig

#: In a variant, and in an axis of a grid: the settings that the row needs to make sense.
WHEN = "when"
#: In the place of a value: one row for each value of a list, or of a table of names.
EACH = "each"
_SHORT = 40

Overrides = dict[str, Any]


@final
@dataclass(slots=True)
class Rows:
    """What the file says, with every list written out.

    Args:
        trained: Row to overrides; the base comes first and has none.
        tested: Row to overrides: of a run of the base that is only tested with them.
        skipped: Row to the reason why it is none of them.
    """

    trained: dict[str, Overrides] = field(default_factory=dict)
    tested: dict[str, Overrides] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def read_rows(base: ExperimentConfig, name: str, tables: Mapping[str, Any], strict: bool = True) -> Rows:
    """Write out the rows of a file.

    ```toml
    [grid]                                    # every combination is a row
    "decode.cycles"     = [1, 2, 4]           # named after the value: cycles=1
    "encode.graph.name" = { relational = "rgcn", without = "none" }           # named by hand
    "encode.graph.layers" = { each = [1, 2], when = { "encode.graph.name" = "rgcn" } }
    [variants]
    no-graph = { "ground.name" = "nothing" }
    split    = { "task.split.seed" = { each = [1, 2, 3] } }                   # split 1, split 2, split 3
    walks    = { "decode.walk" = { returns = true }, when = { "decode.name" = ["transfer", "similar"] } }
    [tests]                                   # the base's weights, tested with other settings
    wrong-at-test = { "ground" = { name = "perturb", around = { name = "align" }, mode = "tails" } }
    ```

    Args:
        base: The experiment.
        name: What its own row is called.
        tables: The file.
        strict: Whether a row that equals another, or an override that changes nothing, is an error; else such a row is
            skipped. In a file as it stands it is a mistake; where the command line changed the base it is not.

    Raises:
        ConfigError: If an override is no setting, changes nothing, or two rows are the same experiment.
    """
    rows = Rows(trained={name: {}})
    seen = {_mark(base): name}
    for row, overrides in _grid(base, _table(tables, "grid")):
        _add(rows.trained, rows, seen, base, (row, overrides), ("[grid]", False))
    for row, overrides in _variants(base, _table(tables, "variants"), "[variants]", rows.skipped):
        _add(rows.trained, rows, seen, base, (row, overrides), ("[variants]", strict))
    tested = {_mark(base): name}
    for row, overrides in _variants(base, _table(tables, "tests"), "[tests]", rows.skipped):
        if row in rows.trained:
            raise ConfigError(f"[tests] '{row}' is a row that is trained as well. Give it another name.")
        _add(rows.tested, rows, tested, base, (row, overrides), ("[tests]", strict))
    return rows


def unmet(config: ExperimentConfig, conditions: Any) -> str:
    """Return which of some conditions a config does not meet, or nothing if it meets all.

    Args:
        config: The experiment; an argument that it does not give has its default.
        conditions: Dotted key to a value, or to a list of values one of which it must be.

    Raises:
        ConfigError: If they are no table.
    """
    if not isinstance(conditions, Mapping) or not conditions:
        raise ConfigError(f'when = {conditions!r}, expected a table such as {{ "decode.name" = "cycle" }}.')
    for key, wanted in conditions.items():
        found = _look_up(filled(config), key)
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if found not in allowed:
            return f"it is for {key} = {' or '.join(map(_text, allowed))}, and here it is {_text(found)}"
    return ""


def _add(
    to: dict[str, Overrides],
    rows: Rows,
    seen: dict[str, str],
    base: ExperimentConfig,
    row: tuple[str, Overrides],
    rule: tuple[str, bool],
) -> None:
    (name, overrides), (place, strict) = row, rule
    if name in rows.trained or name in rows.tested:
        raise ConfigError(f"{place} '{name}' stands in the file twice. Give the two rows different names.")
    try:
        mark = _mark(base.with_overrides(overrides))
        if strict:
            _check_each_override(base, overrides)
    except ConfigError as error:
        raise ConfigError(f"{place} {name}: {error}") from error
    if mark not in seen:
        seen[mark], to[name] = name, overrides
    elif strict:
        raise ConfigError(f"{place} '{name}' is the same experiment as '{seen[mark]}'.")
    else:
        rows.skipped[name] = f"it is the same experiment as '{seen[mark]}'"


def _check_each_override(base: ExperimentConfig, overrides: Mapping[str, Any]) -> None:
    """An override that changes nothing is a mistake even beside one that does: the row is not what one thinks."""
    mark = _mark(base.with_overrides(overrides))
    for key in overrides if len(overrides) > 1 else ():
        try:
            without = _mark(base.with_overrides({k: v for k, v in overrides.items() if k != key}))
        except ConfigError:  # the others cannot stand without it
            continue
        if without == mark:
            raise ConfigError(f"'{key}' = {_text(overrides[key])} changes nothing here; leave it out.")


def _grid(base: ExperimentConfig, table: Mapping[str, Any]) -> Iterator[tuple[str, Overrides]]:
    """Yield every combination; an axis whose condition is not met by the axes before it does not vary."""
    axes = {key: _axis(key, value) for key, value in table.items()}
    shorts = [_short(key) for key in axes]
    labels = {key: _short(key) if shorts.count(_short(key)) == 1 else key for key in axes}
    done: list[tuple[str, Overrides]] = [("", {})]
    for key, (values, when) in axes.items():
        grown: list[tuple[str, Overrides]] = []
        for name, overrides in done:
            if when is not None and unmet(base.with_overrides(overrides), when):
                grown.append((name, overrides))
                continue
            for told, value in values.items():
                part = told if not told.startswith("=") else labels[key] + told
                grown.append((f"{name}, {part}" if name else part, overrides | {key: value}))
        done = grown
    yield from ((name, overrides) for name, overrides in done if overrides)


def _axis(key: str, value: Any) -> tuple[dict[str, Any], Any]:
    if isinstance(value, dict) and EACH in value:
        if extra := sorted(set(value) - {EACH, WHEN}):
            raise ConfigError(f"[grid] '{key}' has no '{extra[0]}'. Beside 'each' it may have 'when'.")
        return _values(f"[grid] '{key}'", value[EACH]), value.get(WHEN)
    return _values(f"[grid] '{key}'", value), None


def _values(place: str, value: Any) -> dict[str, Any]:
    """Return the values of an axis by name; `=4` where the name is made of the value."""
    if isinstance(value, dict) and value:
        return {str(name): v for name, v in value.items()}
    if not isinstance(value, list) or not value:
        raise ConfigError(f"{place} is {_text(value)}; expected a list of values, or a table of names and values.")
    named = {f"={_name(place, v)}": v for v in value}
    if len(named) < len(value):
        raise ConfigError(f"{place} has two values of the same name; name them: {{ NAME = VALUE, … }}.")
    return named


def _name(place: str, value: Any) -> str:
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and len(value) == 1:
            return str(value["name"])
        raise ConfigError(f"{place}: {_text(value)} has no short name; give it one: {{ NAME = VALUE, … }}.")
    told = value if isinstance(value, str) else json.dumps(value)
    if len(told) > _SHORT:
        raise ConfigError(f"{place}: '{told}' is long for a name; give it one: {{ NAME = VALUE, … }}.")
    return told


def _variants(
    base: ExperimentConfig, table: Mapping[str, Any], place: str, skipped: dict[str, str]
) -> Iterator[tuple[str, Overrides]]:
    for row, given in table.items():
        if not isinstance(given, dict):
            raise ConfigError(f'{place} {row} = {_text(given)}, expected a table such as {{ "decode.cycles" = 1 }}.')
        overrides = {key: value for key, value in given.items() if key != WHEN}
        if WHEN in given and (reason := _reason(base, place, row, given[WHEN])):
            skipped[row] = reason
            continue
        lists = {k: _values(f"{place} {row}: '{k}'", v[EACH]) for k, v in overrides.items() if _is_each(v)}
        for values in product(*(named.items() for named in lists.values())):
            chosen = dict(zip(lists, values, strict=True))
            shorts = {key: "" if len(lists) == 1 else _short(key) for key in chosen}  # one list needs no name
            parts = [(shorts[k] + told).lstrip("=") if told[0] == "=" else told for k, (told, _) in chosen.items()]
            yield " ".join([row, *parts]), overrides | {key: value for key, (_, value) in chosen.items()}


def _reason(base: ExperimentConfig, place: str, row: str, conditions: Any) -> str:
    try:
        return unmet(base, conditions)
    except ConfigError as error:
        raise ConfigError(f"{place} {row}: {error}") from error


def _is_each(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {EACH}


def _table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tables.get(key, {})
    if not isinstance(found, dict):
        raise ConfigError(f"[{key}] is {_text(found)}, expected a table.")
    return found


def _short(key: str) -> str:
    """Return the part of a dotted key that tells most: `cycles` of `decode.cycles`, `graph` of `encode.graph.name`."""
    parts = key.split(".")
    return parts[-2] if parts[-1] == "name" and len(parts) > 1 else parts[-1]


def _look_up(tables: Any, key: str) -> Any:
    for part in key.split("."):
        if not isinstance(tables, Mapping) or part not in tables:
            return None
        tables = tables[part]
    return tables


def _mark(config: ExperimentConfig) -> str:
    """Return what two rows have in common if they are the same experiment: all settings, defaults written out."""
    tables = {key: value for key, value in filled(config).items() if key not in ("title", "source", "expected", "seed")}
    return json.dumps(tables, sort_keys=True, default=repr)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr) if value is not None else "not set"

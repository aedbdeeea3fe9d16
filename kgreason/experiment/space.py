"""What a search may change: dotted keys, each with a range or a list of values."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from kgreason.errors import ConfigError, KgreasonError, near
from kgreason.experiment.choices import check_choices, filled
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.rows import unmet

_KINDS = ("float", "log", "int", "choice")
#: What decides on what is compared: trials that differ in it could not be.
_FIXED = ("task.test", "task.dev", "task.limit", "task.split", "task.folds", "task.select", "train.select")


@final
@dataclass(frozen=True, slots=True)
class Range:
    """The values of one key.

    Args:
        key: Dotted.
        kind: `float`, `log` (a float, drawn by its logarithm), `int` or `choice`.
        values: Of a `choice`, all of them; else the lowest and the highest.
        when: Dotted key to value: what must hold for the key to be set at all.
    """

    key: str
    kind: str
    values: tuple[Any, ...]
    when: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, table: Any) -> "Range":
        """Read one line of `[space]`.

        Raises:
            ConfigError: If it is no range.
        """
        expected = 'expected such as { log = [1e-4, 1e-2] }, { int = [1, 6] } or { choice = ["cycle", "pool"] }'
        if not isinstance(table, Mapping):
            raise ConfigError(f"[space] '{key}' = {table!r}; {expected}.")
        kinds = [kind for kind in table if kind in _KINDS]
        for name in table:
            if name not in (*_KINDS, "when"):
                raise ConfigError(f"[space] '{key}' has no '{name}'.{near(name, _KINDS)} Kinds: {', '.join(_KINDS)}.")
        if len(kinds) != 1:
            raise ConfigError(f"[space] '{key}' has {len(kinds) or 'no'} kinds of range; {expected}.")
        values = table[kinds[0]]
        fewest = 1 if kinds[0] == "choice" and "when" in table else 2  # a value that goes with another one is no choice
        if not isinstance(values, list) or len(values) < fewest or (kinds[0] != "choice" and len(values) > 2):
            many = "a list of two or more values" if kinds[0] == "choice" else "[lowest, highest]"
            raise ConfigError(f"[space] '{key}': {kinds[0]} = {values!r}, expected {many}.")
        if kinds[0] != "choice":
            _check_ends(key, kinds[0], values)
        elif len({json.dumps(value, sort_keys=True) for value in values}) < len(values):
            raise ConfigError(f"[space] '{key}': choice = {values!r} holds a value twice.")
        return cls(key, kinds[0], tuple(values), dict(table.get("when", {})))

    def told(self) -> str:
        """Return it in words: `0.0001 to 0.01, by its logarithm`; `cycle or pool, when decode.name = "x"`."""
        if self.kind == "choice":
            found = " or ".join(v if isinstance(v, str) else json.dumps(v) for v in self.values)
        else:
            found = f"{self.values[0]:g} to {self.values[1]:g}" + (", by its logarithm" if self.kind == "log" else "")
        when = " and ".join(f"{key} = {json.dumps(value)}" for key, value in self.when.items())
        return f"{found}, when {when}" if when else found

    def draw(self, trial: Any) -> Any:
        """Ask an Optuna trial for a value."""
        if self.kind == "choice":  # as text: tables and lists are values, too
            named = {json.dumps(value, sort_keys=True): value for value in self.values}
            return named[trial.suggest_categorical(self.key, list(named))]
        low, high = self.values
        if self.kind == "int":
            return trial.suggest_int(self.key, low, high)
        return trial.suggest_float(self.key, float(low), float(high), log=self.kind == "log")


def read_space(base: ExperimentConfig, table: Any) -> tuple[Range, ...]:
    """Read the section `[space]`, and check the ends of every range, or all its choices, against the experiment.

    Raises:
        ConfigError: If a key is no setting, must not be searched, or does not take a value of its range.
    """
    if not isinstance(table, Mapping) or not table:
        raise ConfigError(
            "the section [space] is missing; write what to search over, such as:\n[space]\n"
            '"train.lr.other" = { log = [1e-4, 1e-2] }'
        )
    space: list[Range] = []
    for key, value in table.items():
        _check_key(base, key)
        found = Range.of(key, value)
        for end in found.values:
            _check_value(base, space, found, end)
        space.append(found)
    return tuple(space)


def overrides_of(base: ExperimentConfig, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return overrides for some values; a default table of which one key is set keeps its other keys."""
    tables, defaults, out = base.as_tables(), filled(base.with_overrides(_names(values))), dict(values)
    for key in values:
        room, _, rest = key.partition(".")
        argument, dot, _ = rest.partition(".")
        inside = defaults.get(room, {}).get(argument)
        if dot and argument not in tables.get(room, {}) and isinstance(inside, Mapping) and "name" not in inside:
            out.setdefault(f"{room}.{argument}", dict(inside))
    return out


def draw_values(base: ExperimentConfig, space: Sequence[Range], draw: Callable[[Range], Any]) -> dict[str, Any]:
    """Draw a value for each key whose condition is met by those before it."""
    values: dict[str, Any] = {}
    for one in space:
        if not one.when or not unmet(base.with_overrides(overrides_of(base, values)), one.when):
            values[one.key] = draw(one)
    return values


def _names(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key.endswith(".name")}


def _check_key(base: ExperimentConfig, key: str) -> None:
    if key in ("seed", "title"):
        raise ConfigError(f"[space] '{key}' cannot be searched: the best seed is chance, and no setting.")
    fixed = next((name for name in _FIXED if key == name or key.startswith(f"{name}.")), "")
    if fixed or (key.startswith("task.train") and isinstance(filled(base)["task"].get("dev"), float)):
        raise ConfigError(
            f"[space] '{key}' cannot be searched: trials are compared on one dev split, and it decides "
            "on that, or on what is measured there."
        )


def _check_ends(key: str, kind: str, values: Sequence[Any]) -> None:
    low, high = values
    kinds = (int,) if kind == "int" else (int, float)
    if any(type(end) not in kinds or not math.isfinite(end) for end in values) or low >= high:
        what = "whole numbers" if kind == "int" else "numbers"
        raise ConfigError(f"[space] '{key}': {kind} = {list(values)!r}, expected two {what}, the lower one first.")
    if kind == "log" and low <= 0:
        raise ConfigError(f"[space] '{key}': log = {list(values)!r}, expected numbers above 0.")


def _check_value(base: ExperimentConfig, before: Sequence[Range], one: Range, value: Any) -> None:
    """Try a value where its condition holds: with it, and with the first choices that make it hold."""
    given = {key: wanted[0] if isinstance(wanted, list) else wanted for key, wanted in one.when.items()}
    for earlier in before:
        if earlier.key in given and earlier.kind == "choice" and given[earlier.key] not in earlier.values:
            raise ConfigError(
                f"[space] '{one.key}': when '{earlier.key}' = {given[earlier.key]!r}, which is none of its choices."
            )
    try:
        config = base.with_overrides(
            overrides_of(base, given | {one.key: float(value) if one.kind in ("float", "log") else value})
        )
        check_choices(config)
    except KgreasonError as error:
        raise ConfigError(f"[space] '{one.key}' = {json.dumps(value)}: {error}") from error

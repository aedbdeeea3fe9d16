"""The manifest of a graph, in TOML: what it is, where it is, how it is read, and how it is meant to be used."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from kgreason.data import KnowledgeGraph, relation_texts
from kgreason.data.rules import Rules
from kgreason.data.wording import spell_out
from kgreason.errors import ConfigError

#: What tells a reader about the graph, and goes into `KnowledgeGraph.about`.
PROSE = ("title", "version", "origin", "url", "licence", "changes", "note", "exceptions")
_COUNTS = ("entities", "relations", "triples", "labels", "senses")
#: The keys that stand before the first table, and what each may be.
_PLAIN: Mapping[str, type] = {
    **dict.fromkeys(PROSE, str),
    **dict.fromkeys(("file", "form", "sha256", "endpoint", "graph"), str),
    **dict.fromkeys((*_COUNTS, "hops"), int),
}
_TABLES: Mapping[str, tuple[str, ...]] = {
    "names": ("relations", "language"),
    "walk": ("only", "stop", "hub_limit"),
    "lexical": (),  # any relation
    "read": (),  # any argument of the source
    "access": ("auth", "secret", "timeout", "retries", "wait", "most_bytes", "parallel"),
    "limits": ("facts", "hub", "days"),
}
_REMOTE = ("graph", "hops", "access", "limits")


@final
@dataclass(frozen=True, slots=True)
class Notice:
    """What a manifest says.

    Args:
        path: The manifest itself.
        said: All it says, checked: known keys, of the right kind.
        rules: Its tables `walk` and `lexical`, with the names of relations as they are written there.
    """

    path: Path
    said: Mapping[str, Any]
    rules: Rules = field(default_factory=Rules)

    @property
    def remote(self) -> bool:
        """Whether the graph stays at an endpoint."""
        return "endpoint" in self.said

    @property
    def about(self) -> dict[str, str]:
        """What it tells a reader, as `KnowledgeGraph.about`."""
        plain = {key: str(value).strip() for key, value in self.said.items() if key in _PLAIN and key != "endpoint"}
        return {"name": self.path.stem, **plain}

    def table(self, key: str) -> dict[str, Any]:
        """Return one of its tables; empty if it has none."""
        return dict(self.said.get(key, {}))

    def bind(self, graph: KnowledgeGraph) -> Rules:
        """Return the rules with the full names of relations, as this graph has them.

        A relation may be given by its name, by what it is called, or by the last part of its IRI.

        Raises:
            ConfigError: If the graph has no such relation, or several are called so.
        """
        if not (self.rules.limits_walks or self.rules.lexical):
            return self.rules
        known = _by_name(graph)

        def full(names: Iterable[str], table: str) -> list[str]:
            return [self._one(known, name, table) for name in names]

        said = zip(full(self.rules.lexical, "lexical"), self.rules.lexical.values(), strict=True)
        only, stop = full(self.rules.only, "walk"), full(self.rules.stop, "walk")
        return Rules(dict(said), tuple(only), tuple(stop), self.rules.hub_limit)

    def _one(self, known: Mapping[str, list[str]], name: str, table: str) -> str:
        found = known.get(name) or known.get(name.lower()) or []
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigError(
                f"{self.path}, [{table}]: '{name}' is what {' and '.join(found[:3])} are called; say which."
            )
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"{self.path}, [{table}] names the relation '{name}', which the graph does not have.{hint}")


def read_notice(path: Path) -> Notice:
    """Read a manifest.

    Raises:
        ConfigError: If it is missing, is not TOML, or says what no manifest says.
    """
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. A new one is written by: kgreason graph init") from None
    for key, value in said.items():
        _check(path, key, value)
    if ("file" in said) == ("endpoint" in said):
        raise ConfigError(f"{path} says where the graph is with either 'file' or 'endpoint'; it has both or neither.")
    if "file" in said and (wrong := next((key for key in _REMOTE if key in said), None)):
        raise ConfigError(f"{path}: '{wrong}' is for an endpoint, but the graph is a file.")
    if "endpoint" in said and (wrong := next((key for key in ("read", "form", "sha256") if key in said), None)):
        raise ConfigError(f"{path}: '{wrong}' is for a file, but the graph is at an endpoint.")
    walk = said.get("walk", {})
    lexical: dict[str, str] = said.get("lexical", {})
    only, stop = tuple(walk.get("only", ())), tuple(walk.get("stop", ()))
    try:
        return Notice(path, said, Rules(lexical, only, stop, walk.get("hub_limit", 0)))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _check(path: Path, key: str, value: Any) -> None:
    known = (*_PLAIN, *_TABLES)
    if key not in known or (key == "labels" and isinstance(value, dict)):
        near = difflib.get_close_matches("names" if key == "labels" else key, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"{path}: '{key}' is nothing that a manifest says.{hint} Known: {', '.join(known)}.")
    wanted: type = dict if key in _TABLES else _PLAIN[key]
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise ConfigError(f"{path}: {key} = {value!r} is no {wanted.__name__}.")
    if isinstance(value, dict):
        _check_table(path, key, value)


def _check_table(path: Path, key: str, value: Mapping[str, Any]) -> None:
    for inner in value:
        if _TABLES[key] and inner not in _TABLES[key]:
            near = difflib.get_close_matches(inner, _TABLES[key], n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ConfigError(f"{path}: [{key}] has no '{inner}'.{hint} Known: {', '.join(_TABLES[key])}.")
        _check_value(path, f"[{key}] {inner}", inner, value[inner])


def _check_value(path: Path, place: str, key: str, value: Any) -> None:
    if key in ("relations", "only", "stop"):
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise ConfigError(f"{path}: {place} = {value!r}, expected a list of names of relations.")
    elif key == "hub_limit" and (not isinstance(value, int) or isinstance(value, bool)):
        raise ConfigError(f"{path}: {place} = {value!r}, expected a whole number.")


def _by_name(graph: KnowledgeGraph) -> dict[str, list[str]]:
    """Return the relations of a graph by everything they may be called; full names first of all."""
    called: dict[str, list[str]] = {}
    for name, texts in zip(graph.relations, relation_texts(graph), strict=True):
        last = name.rstrip("/#").replace("#", "/").rpartition("/")[2]
        for text in dict.fromkeys((last, last.lower(), spell_out(name), *texts, *(text.lower() for text in texts))):
            called.setdefault(text, []).append(name)
    return called | {name: [name] for name in graph.relations}

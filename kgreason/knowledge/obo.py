"""Ontologies in OBO, the form of the Gene Ontology and its relatives."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias, final, get_args

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.blocks import Block, Naming, block_of
from kgreason.knowledge.build import build_graph
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.files import Paths, paths_of
from kgreason.knowledge.limits import BadLines, Limits, checked_bad_lines
from kgreason.knowledge.stretches import Stretches

Synonyms: TypeAlias = Literal["exact", "all"]
_AT_ONCE = 20_000
#: Tags whose value is one identifier; the tag is the relation.
_PLAIN = ("is_a", "disjoint_from", "equivalent_to", "union_of", "replaced_by", "instance_of", "inverse_of")
#: Tags whose value is a relation and an identifier.
_PAIRED = ("relationship", "intersection_of", "property_value")
_STANZAS = ("Term", "Instance", "Typedef")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*([A-Z]*)')
_ESCAPED = re.compile(r"\\(.)")
_BEHIND = re.compile(r"(?<!\\)(?:\s*!|\s*\{).*$")
_SPELLED = {"n": "\n", "W": " ", "t": "\t"}


@final
class OboSource:
    """Reads OBO 1.2 and 1.4. Definitions and cross references are left out and counted.

    Entities are named by their identifiers (`GO:0008150`), labelled by their names and synonyms. The relations are
    `is_a`, what `relationship` and `intersection_of` say (`part_of`), `disjoint_from`, `equivalent_to`, `union_of`,
    `instance_of`, `replaced_by` and, between relations, `inverse_of`. Obsolete terms keep only `replaced_by`.

    Args:
        path: The file, or several, or `-`; packed files and archives are unpacked on the way.
        synonyms: Which synonyms become labels: the `exact` ones, or `all` (wider, narrower and related ones are shown
            last, and mislead a linker).
        bad_lines: Whether a broken line is an error or is skipped and counted.
        limits: What to change in `kgreason.knowledge.limits.Limits`.

    Raises:
        ConfigError: If a choice is unknown.
        DataError: If a line is broken; the message has its number.
    """

    naming = Naming(every=False, lonely=True)
    counted: tuple[str, ...] = ("tags_left_out",)

    def __init__(
        self,
        path: Paths,
        *,
        synonyms: Synonyms = "exact",
        bad_lines: BadLines = "refuse",
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.path, self.synonyms = path, synonyms
        self.bad_lines, self.limits = checked_bad_lines(bad_lines), Limits.of(limits or {})
        if synonyms not in get_args(Synonyms):
            raise ConfigError(f"[knowledge] synonyms = '{synonyms}' is not known. Known: exact, all.")

    def __call__(self) -> KnowledgeGraph:
        return build_graph(self)

    def files(self) -> tuple[Path, ...]:
        """Return all files that are read, in order."""
        return paths_of(self.path)

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """Yield what the files hold, from `reading.start` on."""
        for start, feed in reading.feeds(self.files()):
            yield from _Document(feed, reading, self.synonyms).blocks(start)


@final
@dataclass(slots=True)
class _Stanza:
    """What is said about one thing."""

    kind: str
    name: str = ""
    obsolete: bool = False
    triples: list[tuple[str, str]] = field(default_factory=list)
    labels: list[tuple[int, str]] = field(default_factory=list)


@final
class _Document:
    """One file, stanza by stanza."""

    def __init__(self, feed: Feed, reading: Reading, synonyms: Synonyms) -> None:
        self.feed, self.reading, self.synonyms = feed, reading, synonyms
        self.triples: list[tuple[str, str, str]] = []
        self.named: list[tuple[str, int, str]] = []
        self.relations: dict[str, list[tuple[int, str]]] = {}
        self.used: set[str] = set()
        self.left = 0

    def blocks(self, start: Place) -> Iterator[Block]:
        here = replace(start, offset=0, line=0, sure=False)
        lines, stanza = Stretches(self.feed, self.reading, start), _Stanza("")
        whole = lines.whole()
        while True:
            for raw in whole.splitlines(keepends=True):
                stanza = self._line(raw, lines, stanza)
                lines.step(len(raw), 1)
                if len(self.triples) + len(self.named) > _AT_ONCE:
                    yield self._block(here)
            if lines.over:
                break
            whole = lines.more()
        self._close(stanza)
        # A relation is called something only if there is a triple with it; else it would be an entity without one.
        self.named += [
            (name, *label) for name in sorted(self.used & set(self.relations)) for label in self.relations[name]
        ]
        yield self._block(Place(start.path, start.member + 1))

    def _block(self, place: Place) -> Block:
        block = block_of(self.triples, self.named, place, {"tags_left_out": self.left})
        self.triples, self.named, self.left = [], [], 0
        return block

    def _line(self, raw: bytes, lines: Stretches, stanza: _Stanza) -> _Stanza:
        try:
            text = raw.decode().strip()
            if text.startswith("["):
                self._close(stanza)
                return _Stanza(text.strip("[]") if text.strip("[]") in _STANZAS else "")
            if text and not text.startswith("!") and stanza.kind:
                self._tag(text, stanza)
        except UnicodeDecodeError as error:
            lines.broken(DataError(f"{lines.where} is not UTF-8: {error}. Convert the file to UTF-8."), raw)
        except ValueError as error:
            lines.broken(DataError(f"{lines.where} is not OBO: {error}."), raw)
        return stanza

    def _tag(self, text: str, stanza: _Stanza) -> None:
        tag, colon, value = text.partition(":")
        value = value.strip()
        if not colon or not value:
            raise ValueError(f"expected 'tag: value', found {text[:60]!r}")
        if len(value.encode()) > self.reading.limits.field and tag not in ("def", "comment"):
            raise ValueError(f"the value of '{tag}' is longer than the limit 'field'")
        if tag == "id":
            stanza.name = _plain(value)
        elif tag == "name":
            stanza.labels.append((0, _plain(value)))
        elif tag == "synonym":
            self._synonym(value, stanza)
        elif tag == "is_obsolete":
            stanza.obsolete = value.startswith("true")
        elif tag in _PLAIN:
            stanza.triples.append((tag, _plain(value)))
        elif tag in _PAIRED:
            self._pair(tag, value, stanza)
        else:
            self.left += 1

    def _synonym(self, value: str, stanza: _Stanza) -> None:
        found = _QUOTED.match(value)
        if not found:
            raise ValueError(f"expected a synonym in double quotes, found {value[:60]!r}")
        exact = found[2] in ("EXACT", "")
        if exact or self.synonyms == "all":
            stanza.labels.append((1 if exact else 2, _unescaped(found[1])))

    def _pair(self, tag: str, value: str, stanza: _Stanza) -> None:
        words = _plain(value).split()
        if tag == "property_value" and (len(words) != 2 or words[1].startswith('"')):
            self.left += 1
        elif len(words) == 1 and tag == "intersection_of":
            stanza.triples.append(("is_a", words[0]))
        elif len(words) >= 2:
            stanza.triples.append((words[0], words[1]))
        else:
            raise ValueError(f"expected a relation and an identifier, found {value[:60]!r}")

    def _close(self, stanza: _Stanza) -> None:
        if not stanza.kind:
            return
        if not stanza.name:
            raise DataError(f"{self.feed.name} is not OBO: a stanza [{stanza.kind}] has no id.")
        labels = [(rank, " ".join(text.split())) for rank, text in stanza.labels if text.strip()]
        if stanza.kind == "Typedef":
            self.relations.setdefault(stanza.name, []).extend(labels)
        elif not stanza.obsolete:
            self.named += [(stanza.name, rank, text) for rank, text in labels]
        for relation, other in stanza.triples:
            if not stanza.obsolete or relation == "replaced_by":
                self.triples.append((stanza.name, relation, other))
                self.used.add(relation)


def _plain(value: str) -> str:
    """Return a value without the comment and the qualifiers behind it."""
    return _unescaped(_BEHIND.sub("", value)).strip()


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: _SPELLED.get(found[1], found[1]), value) if "\\" in value else value

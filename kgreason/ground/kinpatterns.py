"""Stories about families from patterns of our own (`graphs/kin-statements.txt`), with the kinship that they state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from kgreason.ground.kinwords import INVERSE, NUMBER, Kin, words_for
from kgreason.ground.tales import Right, Tale
from kgreason.places import shipped

_SLOT = re.compile(r"\[(\w)\]|\{([^}]*)\}|'s|\w+|[^\w\s]")
_PRONOUNS = {"he": "he she", "him": "him her", "his": "his her", "himself": "himself herself", "boyish": "boy girl"}
#: How often each kind is drawn where any may stand.
_OFTEN = {"parent": 2, "child": 2, "sibling": 2, "spouse": 2}
#: How often a husband or a wife is of the other gender, and a word that leaves the gender open is taken.
_OTHER, _OPEN = 0.95, 0.05
_UNKNOWN = "?"


@final
@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern: its words and slots, who is in it, what it states beside its slots, and what genders it wants."""

    parts: tuple[tuple[str, str], ...]
    people: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    genders: Mapping[str, str]


@lru_cache(1)
def _read() -> tuple[tuple[_Pattern, ...], dict[str, tuple[str, ...]]]:
    """Read the file: patterns, and lists of what stands for a slot."""
    patterns, lists = [], {}
    for line in (shipped("graphs") / "kin-statements.txt").read_text("utf-8").splitlines():
        name, colon, values = line.partition(": ")
        if not line or line.startswith("#"):
            continue
        if colon and name.isalpha():
            lists[name] = tuple(values.split(", "))
        else:
            patterns.append(_pattern(line))
    return tuple(patterns), lists


def _pattern(line: str) -> _Pattern:
    text, _, more = line.partition(" | ")
    parts = tuple(("[", m[1]) if m[1] else ("{", m[2]) if m[2] else ("", m[0]) for m in _SLOT.finditer(text))
    said = [each.strip() for each in more.split(",") if each.strip()]
    facts = tuple((fact[0], fact[1]) for each in said if len(fact := each.split()) == 2)
    genders = dict(each.split("=") for each in said if "=" in each)
    people = tuple(dict.fromkeys(value for kind, value in parts if kind == "["))
    return _Pattern(parts, people, facts, genders)


def made_up(draw: np.random.Generator, many: int) -> list[tuple[Tale, Right]]:
    """Return stories with the relations they state; relations are numbered from 1, see `NUMBER`."""
    patterns, lists = _read()
    return [_Telling(draw, patterns[int(draw.integers(len(patterns)))], lists).story() for _ in range(many)]


@final
class _Telling:
    """One story from one pattern."""

    def __init__(self, draw: np.random.Generator, pattern: _Pattern, lists: Mapping[str, Sequence[str]]) -> None:
        self.draw, self.pattern, self.lists = draw, pattern, lists
        self.number = {name: i for i, name in enumerate(pattern.people)}
        self.kinds: dict[int, str] = {}
        self.facts: list[tuple[str, str, str]] = []
        for i, (kind, value) in enumerate(pattern.parts):
            if kind == "{" and ":" in value:
                self._state(i, value)
        for pair, kind in pattern.facts:
            self._add(pair, kind)
        self.gender = {name: "mf"[int(draw.integers(2))] for name in pattern.people} | dict(pattern.genders)
        for x, kind, z in self.facts:
            if kind == "spouse" and not {x, z} & set(pattern.genders) and draw.random() < _OTHER:
                self.gender[z] = "f" if self.gender[x] == "m" else "m"

    def _state(self, at: int, slot: str) -> None:
        pair, _, kinds = slot.partition(" ")
        allowed = kinds.split("|") if kinds else list(INVERSE)
        often = np.array([_OFTEN.get(kind, 1) for kind in allowed], float)
        back = next((k for x, k, z in self.facts if f"{z}:{x}" == pair), "")
        self.kinds[at] = INVERSE[back] if back else str(self.draw.choice(allowed, p=often / often.sum()))
        self._add(pair, self.kinds[at])

    def _add(self, pair: str, kind: str) -> None:
        heads, _, tails = pair.partition(":")
        self.facts += [(x, kind, z) for x in heads for z in tails]
        if kind in ("child", "sibling"):  # "his sons, [B] and [C]" are brothers
            self.facts += [(x, "sibling", z) for x in tails for z in tails if x < z]

    def story(self) -> tuple[Tale, Right]:
        words: list[str] = []
        who: list[int] = []
        for i, (kind, value) in enumerate(self.pattern.parts):
            new = [value] if kind in ("", "[") else self._slot(i, value).split()
            start = not words or words[-1] in ".!?"
            words += [new[0][:1].upper() + new[0][1:], *new[1:]] if start and new else new
            who += [self.number[value] if kind == "[" else -1] * len(new)
        female = tuple(float(self.gender[name] == "f") for name in self.pattern.people)
        return Tale(tuple(words), tuple(who), female), self._right()

    def _slot(self, at: int, value: str) -> str:
        head, _, rest = value.partition(" ")
        if ":" in head:
            return self._kin(self.kinds[at], head.partition(":")[2])
        if head.lower() in _PRONOUNS:
            return _PRONOUNS[head.lower()].split()[self.gender[rest] == "f"]
        if head in self.lists:
            return str(self.draw.choice(self.lists[head]))
        many = head.endswith("+")
        return self._kin(head.rstrip("+"), rest, many)

    def _kin(self, kind: str, people: str, many: bool = False) -> str:
        """Return a word for someone, or the words for two."""
        genders = ["mf"[int(self.draw.integers(2))] if name == _UNKNOWN else self.gender[name] for name in people]
        if len(set(genders)) > 1:
            opened = words_for(Kin(kind, "")) and self.draw.random() < 0.7
            return self._word(kind, "", True) if opened else " and ".join(words_for(Kin(kind, g))[0] for g in genders)
        return self._word(kind, genders[0], many or len(people) > 1)

    def _word(self, kind: str, gender: str, many: bool = False) -> str:
        given = words_for(Kin(kind, "" if self.draw.random() < _OPEN else gender)) or words_for(Kin(kind, gender))
        if not given:
            return f"{self._word(kind, 'f', many)} and {self._word(kind, 'm', many)}"
        word = given[0] if self.draw.random() < 0.7 else str(self.draw.choice(given))
        return _plural(word) if many else word

    def _right(self) -> Right:
        found: dict[tuple[int, int], tuple[int, ...]] = {}
        for x, kind, z in self.facts:
            for a, k, b in ((x, kind, z), (z, INVERSE[kind], x)):
                found[self.number[a], self.number[b]] = (NUMBER[Kin(k, self.gender[b])],)
        return found


def _plural(word: str) -> str:
    if word.endswith("child"):
        return f"{word}ren"
    if word.endswith("fe"):
        return f"{word[:-2]}ves"
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return word + ("es" if word.endswith("s") else "s")

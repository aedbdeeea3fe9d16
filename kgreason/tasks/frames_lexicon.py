"""The words that fill the slots of the sentence frames, and what WordNet knows between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

from kgreason.data import UPOS, KnowledgeGraph
from kgreason.errors import DataError

_POS = {"n": "NOUN", "v": "VERB", "a": "ADJ"}


@dataclass(frozen=True, kw_only=True)
class Words:
    """One category as written in `lexicon.toml`; the head of that file says what the keys mean."""

    pos: str
    words: str
    root: str = ""
    exclusive: bool = False
    complementary: bool = False
    mass: bool = False
    counted: str = ""
    extreme: str = ""


@final
@dataclass(frozen=True)
class Category:
    """The fillers of a slot.

    Args:
        name: Its key in `lexicon.toml`.
        about: What is written there.
        sense: Word to the entity it means.
        above: Entity to all entities above it: its hypernyms, or the adjectives it is similar to.
        opposite: Entity to its antonyms.
    """

    name: str
    about: Words
    sense: Mapping[str, int]
    above: Mapping[int, frozenset[int]] = field(repr=False)
    opposite: Mapping[int, frozenset[int]] = field(repr=False)

    @cached_property
    def words(self) -> list[str]:
        """The fillers, in the order of the file."""
        return list(self.sense)

    def takes_article(self, word: str) -> bool:
        """Say whether a word of a mass category stands with an article all the same: "a sport", but "golf"."""
        return word in self.about.counted.split()

    def relation(self, word: str, other: str) -> str | None:
        """Return what `other` is to `word`, a key of `LEXICAL`; None if that cannot be told.

        `hypernym` means that `other` is the more general word.
        """
        a, b = self.sense[word], self.sense[other]
        if word == other:
            return "same"
        if a == b:
            return "synonym"
        if b in self.above[a]:
            return "hypernym"
        if a in self.above[b]:
            return "hyponym"
        if self.about.pos == "a":
            opposed = any(y in self.opposite[x] for x in self.above[a] | {a} for y in self.above[b] | {b})
            return ("complement" if self.about.complementary else "antonym") if opposed else None
        return "co_hyponym" if self.about.exclusive else "other"


def read_category(name: str, table: Mapping[str, Any], knowledge: KnowledgeGraph) -> Category:
    """Look a category up in WordNet.

    Raises:
        DataError: If a word is not in WordNet or not below the root.
    """
    about = Words(**table)
    words = [word.replace("_", " ") for word in about.words.split()]
    senses = {word: _senses(word, about.pos, knowledge) for word in words}
    for word, found in senses.items():
        if not found:
            raise DataError(f"lexicon.toml, {name}: WordNet has no '{word}' with pos = '{about.pos}'. Correct it.")
    relation = "similar" if about.pos == "a" else "hypernym"
    above = {s: _above(s, relation, knowledge) for found in senses.values() for s in found}
    if about.pos == "a":
        sense = {word: found[0] for word, found in senses.items()}
    else:
        sense = _below(name, about, senses, above, knowledge)
    used = set(sense.values()) | {up for s in sense.values() for up in above[s]}
    opposite = {s: frozenset(_tails(s, "antonym", knowledge)) for s in used}
    return Category(name, about, sense, above, opposite)


def _below(
    name: str,
    about: Words,
    senses: Mapping[str, Sequence[int]],
    above: Mapping[int, frozenset[int]],
    knowledge: KnowledgeGraph,
) -> dict[str, int]:
    """Return each word's first sense below the root, in that sense of the root which has most of the words below it."""
    fits = [
        {word: next((s for s in found if root in above[s] | {s}), -1) for word, found in senses.items()}
        for root in _senses(about.root.replace("_", " "), about.pos, knowledge)
    ]
    best = max(fits, key=lambda fit: sum(s >= 0 for s in fit.values()), default={})
    outside = [word for word in senses if best.get(word, -1) < 0]
    if outside:
        raise DataError(f"lexicon.toml, {name}: not below '{about.root}' in WordNet: {', '.join(outside)}. Drop them.")
    return best


def _senses(word: str, pos: str, knowledge: KnowledgeGraph) -> list[int]:
    """Return the synsets of a word with one part of speech, the most frequent first; "cognac" is "Cognac" there."""
    wanted = UPOS.id(_POS[pos])
    written = [word, word.capitalize()] if word[0].islower() else [word]
    found = [int(s) for name in written for s in knowledge.labels.senses(name)[0]]
    return [s for s in dict.fromkeys(found) if knowledge.labels.pos[s] == wanted]


def _above(entity: int, relation: str, knowledge: KnowledgeGraph) -> frozenset[int]:
    """Return all that lies above an entity: the whole chain of hypernyms, but one step of similarity only."""
    seen: set[int] = set()
    front = [entity]
    while front:
        front = [t for s in front for t in _tails(s, relation, knowledge) if t not in seen]
        seen.update(front)
        if relation == "similar":
            # "similar" joins a head adjective and its satellites both ways; only satellite to head leads upward
            return frozenset(t for t in seen if ".s." in knowledge.entities[entity])
    return frozenset(seen)


def _tails(entity: int, relation: str, knowledge: KnowledgeGraph) -> list[int]:
    rows = slice(int(knowledge.head_ptr[entity]), int(knowledge.head_ptr[entity + 1]))
    wanted = knowledge.relations.id(relation)
    return [int(t) for r, t in zip(knowledge.relation[rows], knowledge.tail[rows], strict=True) if r == wanted]

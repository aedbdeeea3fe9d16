"""A story as its readers see it: words in sentences, how they hang together, who is named, and the words for kin."""

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, LogicGraph, NodeType
from kgreason.ground.kinwords import Kin, kin_of
from kgreason.ground.people import Cast

#: Longer ways between two words than this are not told apart.
_FAR = 5


@final
@dataclass(frozen=True)
class Told:
    """The first text of an example; words are counted from 0.

    Args:
        words, lemmas, pos: Of each word.
        governor: The word that each hangs on, -1 for a root.
        relation: How it hangs there.
        sentence: The sentence of each word: words under one root.
        mentions: (first word, name) of each mention, in reading order.
        who: Whose name each word belongs to, or empty.
    """

    words: tuple[str, ...]
    lemmas: tuple[str, ...]
    pos: tuple[str, ...]
    governor: tuple[int, ...]
    relation: tuple[str, ...]
    sentence: tuple[int, ...]
    mentions: tuple[tuple[int, str], ...]
    who: tuple[str, ...]
    _paths: dict[tuple[int, int], str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, graph: LogicGraph, cast: Cast) -> "Told":
        """Read a parsed story; the two of the question count as people of the story where they stand in it."""
        here = np.flatnonzero((graph.node_type == NodeType.WORD) & (graph.node_span[:, 0] == 0)).tolist()
        place = {node: i for i, node in enumerate(here)}
        governor, relation = [-1] * len(here), ["root"] * len(here)
        for e in np.flatnonzero(graph.edge_type == EdgeType.DEPENDENCY).tolist():
            a, b = (place.get(int(end), -1) for end in graph.edge_index[:, e])
            if a >= 0 and b >= 0:
                governor[b], relation[b] = a, DEPENDENCY_RELATIONS[int(graph.edge_relation[e])]
        spans = [tuple(graph.node_span[i, 1:].tolist()) for i in here]
        who, mentions = [""] * len(here), []
        for name, (text, start, end) in zip(cast.names, cast.places, strict=True):
            inside = [i for i, (a, b) in enumerate(spans) if a < end and b > start] if text == 0 else []
            if inside:
                mentions.append((inside[0], name))
            for i in inside:
                who[i] = name
        return cls(
            words=tuple(graph.node_text[i] for i in here),
            lemmas=tuple(graph.node_lemma[i] for i in here),
            pos=tuple(UPOS[p] if (p := int(graph.node_pos[i])) >= 0 else "" for i in here),
            governor=tuple(governor),
            relation=tuple(relation),
            sentence=_sentences(governor),
            mentions=tuple(mentions),
            who=tuple(who),
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everyone, each once, in the order in which they are first named."""
        return tuple(dict.fromkeys(name for _, name in self.mentions))

    @cached_property
    def kin(self) -> tuple[tuple[int, Kin], ...]:
        """The words for kin that are no part of a name."""
        found = (
            (i, kin_of(self.words, self.lemmas, self.pos[i], i)) for i in range(len(self.words)) if not self.who[i]
        )
        return tuple((i, kin) for i, kin in found if kin is not None)

    @cached_property
    def children(self) -> dict[int, list[int]]:
        """The words that hang on each word."""
        found: dict[int, list[int]] = defaultdict(list)
        for i, governor in enumerate(self.governor):
            if governor >= 0:
                found[governor].append(i)
        return found

    def places(self, name: str) -> list[int]:
        """Return where someone is named."""
        return [at for at, who in self.mentions if who == name]

    def path(self, start: int, end: int, most: int = _FAR) -> str:
        """Return how two words hang together: up (`^`) and down (`.`) by the relations between; `long`, or `none`."""
        if (start, end) not in self._paths:
            self._paths[start, end] = self._way(start, end)
        way = self._paths[start, end]
        return "long" if way != "none" and way.count(">") >= most else way

    def _way(self, start: int, end: int) -> str:
        up, down = self._to_root(start), self._to_root(end)
        step = {word: i for i, word in enumerate(up)}
        for j, word in enumerate(down):
            if word in step:
                climbed = [f"^{self.relation[w]}" for w in up[: step[word]]]
                return ">".join(climbed + [f".{self.relation[w]}" for w in reversed(down[:j])])
        return "none"

    def _to_root(self, at: int) -> list[int]:
        way = [at]
        while self.governor[way[-1]] >= 0 and len(way) < 30:
            way.append(self.governor[way[-1]])
        return way


def _sentences(governor: list[int]) -> tuple[int, ...]:
    """Number the sentences: words whose governors end in the same root."""
    roots: dict[int, int] = {}
    found = []
    for i in range(len(governor)):
        at, steps = i, 0
        while governor[at] >= 0 and steps < 200:
            at, steps = governor[at], steps + 1
        found.append(roots.setdefault(at, len(roots)))
    return tuple(found)

"""The words of a logic graph and their dependency trees, as plain lists: what rules over trees read."""

from typing import Final, final

import numpy as np

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, LogicGraph, NodeType

#: Parts of speech that can head a noun phrase.
NOMINAL: Final = frozenset({"NOUN", "PROPN", "PRON", "NUM", "SYM", "X"})
_RELATIONS: Final = tuple(DEPENDENCY_RELATIONS)
_TAGS: Final = (*UPOS, "")
_NEXT: Final = DEPENDENCY_RELATIONS.id("next")
_CLAUSE: Final = frozenset({"nsubj", "aux", "cop", "csubj"})
_IN_NOUN_PHRASE: Final = frozenset({"ADJ", "ADV", "NUM", "DET", "PRON", "NOUN", "PROPN", "X"})
_LONGEST = 6  # words from a determiner to its noun


@final
class Words:
    """Columns of the WORD nodes of a graph.

    Args:
        graph: The graph. Word order (`next`) is no government: its words are all roots.
        lower: The words in lower case, apostrophes made plain.

    Attributes:
        head: The governor of each word, or -1.
        rel: Its dependency relation; `root` without governor.
        kids: The dependents of each word, in reading order.
    """

    def __init__(self, graph: LogicGraph, lower: list[str]) -> None:
        self.lower = lower
        self.lemma = graph.node_lemma
        self.pos = [_TAGS[p] for p in graph.node_pos[: len(lower)].tolist()]
        self.head = [-1] * len(lower)
        self.rel = ["root"] * len(lower)
        self.kids: list[list[int]] = [[] for _ in lower]
        keep = (graph.edge_type == EdgeType.DEPENDENCY) & (graph.edge_relation != _NEXT)
        source, target = graph.edge_index[:, keep].tolist()
        for s, t, r in zip(source, target, graph.edge_relation[keep].tolist(), strict=True):
            self.head[t] = s
            self.rel[t] = _RELATIONS[r]
        for w, s in enumerate(self.head):
            if s >= 0:
                self.kids[s].append(w)
                if lower[w] == "that" and self.rel[w] == "mark" and self.rel[s] == "parataxis":
                    self.rel[s] = "ccomp"  # parsers take a complement for another sentence, never the reverse

    def __len__(self) -> int:
        return len(self.lower)

    def hang(self, word: int, head: int, rel: str) -> None:
        """Hang a word on another, or make it a root (-1); nothing is done if that would close a circle."""
        at = head
        while at >= 0 and at != word:
            at = self.head[at]
        if at == word:
            return
        if self.head[word] >= 0:
            self.kids[self.head[word]].remove(word)
        self.head[word], self.rel[word] = head, rel if head >= 0 else "root"
        if head >= 0:
            self.kids[head] = sorted([*self.kids[head], word])

    def take(self, noun: int, relations: set[str]) -> None:
        """Hang on a noun the phrase with a preposition that follows it at once ("everyone | in the tent")."""
        follows = (k for k in self.kids[self.head[noun]] if k > noun and self.rel[k] in relations)
        kid = next(follows, -1) if self.head[noun] >= 0 else -1
        if kid >= 0 and any(k == noun + 1 and self.rel[k] == "case" for k in self.kids[kid]):
            self.hang(kid, noun, "nmod")

    def is_clause(self, word: int) -> bool:
        """Whether a word is the head of a clause: a verb, or what has a subject, an auxiliary or a copula."""
        return self.pos[word] in {"VERB", "AUX"} or any(self.rel[k] in _CLAUSE for k in self.kids[word])

    def opens(self, word: int, mark: str) -> bool:
        """Whether a clause or a noun phrase is opened by a word, as "to" opens an infinitive."""
        return any(self.lower[k] == mark and self.rel[k] in {"mark", "case", "aux", "advmod"} for k in self.kids[word])

    def near(self, place: int) -> str:
        """Return a word in lower case; nothing outside the text."""
        return self.lower[place] if 0 <= place < len(self.lower) else ""

    def outside(self, first: int, last: int) -> int:
        """Return the word of a phrase that hangs on something outside it: the last of them, or the last word."""
        for w in range(last, first - 1, -1):
            if not first <= self.head[w] <= last:
                return w
        return last

    def noun_after(self, place: int) -> int:
        """Return the last noun of the noun phrase that begins right of a word, by parts of speech alone; -1 if none."""
        found = -1
        for at in range(place + 1, min(place + _LONGEST + 1, len(self.lower))):
            if self.pos[at] in {"NOUN", "PROPN"}:
                found = at
            elif found >= 0 or self.pos[at] not in _IN_NOUN_PHRASE:
                break
        return found


def lower_words(graph: LogicGraph) -> list[str]:
    """Return the words of a graph in lower case, apostrophes made plain."""
    count = int(np.count_nonzero(graph.node_type == NodeType.WORD))
    return [word.lower().replace("’", "'") for word in graph.node_text[:count]]

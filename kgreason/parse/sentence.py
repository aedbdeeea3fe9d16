"""A parsed sentence, and how parsed sentences become a logic graph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32
from numpy import ndarray

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, Example, LogicGraph, NodeType
from kgreason.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """The words of one sentence and how they hang together; one entry per word in every column.

    Args:
        words: The words, as written.
        spans: The first character of each word and the one after its last, in the text the sentence stands in.
        lemmas: Dictionary forms, lower case; `""` if unknown.
        upos: Universal parts of speech; `""` if unknown.
        xpos: Penn Treebank tags; `""` if unknown.
        governors: The position of each word's governor counted from 1; 0 for the root.
        relations: Universal dependency relations, with or without subtype.
    """

    words: tuple[str, ...]
    spans: Int32[ndarray, "words 2"]
    lemmas: tuple[str, ...]
    upos: tuple[str, ...]
    xpos: tuple[str, ...]
    governors: tuple[int, ...]
    relations: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("spans", "lemmas", "upos", "xpos", "governors", "relations"):
            if len(getattr(self, name)) != len(self.words):
                raise DataError(
                    f"A sentence of {len(self.words)} words has {len(getattr(self, name))} {name}; "
                    f"give one for each word. It begins: {' '.join(self.words[:5])}"
                )
        wrong = next((g for g in self.governors if not 0 <= g <= len(self.words)), None)
        if wrong is not None:
            raise DataError(f"A word is governed by word {wrong}, in a sentence of {len(self.words)} words.")

    def __len__(self) -> int:
        return len(self.words)


class Parsed(NamedTuple):
    """What a model says of a sentence that was cut into words; the columns of `Sentence` but words and spans."""

    lemmas: tuple[str, ...]
    upos: tuple[str, ...]
    xpos: tuple[str, ...]
    governors: tuple[int, ...]
    relations: tuple[str, ...]


def is_tree(governors: Sequence[int]) -> bool:
    """Say whether governors (counted from 1, 0 the root) form one tree with exactly one root.

    >>> is_tree([2, 0, 2]), is_tree([0, 0]), is_tree([2, 1, 0])
    (True, False, False)
    """
    if sum(g == 0 for g in governors) != 1:
        return False
    safe = [True] + [False] * len(governors)
    for start in range(1, len(safe)):
        path: list[int] = []
        at = start
        while not safe[at] and len(path) <= len(governors):
            path.append(at)
            at = governors[at - 1]
        if not safe[at]:
            return False
        for step in path:
            safe[step] = True
    return True


def build_graph(example: Example, texts: Sequence[Sequence[Sentence]]) -> LogicGraph:
    """Lay the sentences of an example's texts end to end, as one logic graph of WORD nodes and DEPENDENCY edges.

    Args:
        example: Whose texts were parsed.
        texts: The sentences of each text, with spans in that text.
    """
    rows = [(i, sentence) for i, sentences in enumerate(texts) for sentence in sentences]
    spans = [np.column_stack([np.full(len(s), i), s.spans]) for i, s in rows]
    source, target, relation, first = [], [], [], 0
    for _, sentence in rows:
        for w, (governor, name) in enumerate(zip(sentence.governors, sentence.relations, strict=True)):
            if governor:
                source.append(first + governor - 1)
                target.append(first + w)
                relation.append(relation_id(name))
        first += len(sentence)
    return LogicGraph(
        uid=example.uid,
        node_type=np.full(first, NodeType.WORD, np.int8),
        node_text=tuple(clean(word) for _, s in rows for word in s.words),
        node_lemma=tuple(clean(lemma).lower() for _, s in rows for lemma in s.lemmas),
        node_pos=np.array([upos_id(tag) for _, s in rows for tag in s.upos], np.int8),
        node_span=np.vstack([np.zeros((0, 3), np.int32), *spans]).astype(np.int32),
        node_entity=np.full(first, -1, np.int32),
        node_score=np.ones(first, np.float32),
        node_polarity=np.zeros(first, np.int8),
        edge_index=np.array([source, target], np.int32).reshape(2, -1),
        edge_type=np.full(len(source), EdgeType.DEPENDENCY, np.int8),
        edge_relation=np.array(relation, np.int32),
        edge_score=np.ones(len(source), np.float32),
        seeds=example.seeds,
        mentions=example.mentions,
    )


def relation_id(name: str) -> int:
    """Return the id of a dependency relation; its subtype is cut off, and what is no relation of UD v2 is `dep`."""
    main = name.partition(":")[0].lower()
    return DEPENDENCY_RELATIONS.id(main if main in DEPENDENCY_RELATIONS else "dep")


def upos_id(tag: str) -> int:
    """Return the id of a universal part of speech, or -1 if it is none."""
    return UPOS.id(tag) if tag in UPOS else -1


_REPLACED = dict.fromkeys([0, *range(0xD800, 0xE000)], "\ufffd")


def clean(text: str) -> str:
    """Replace NUL and lone surrogates by U+FFFD, one for one, so that spans keep their meaning.

    Neither can be written as UTF-8 text that other programs read, and tokenizers refuse the second.
    """
    return text if text.isascii() and "\0" not in text else text.translate(_REPLACED)

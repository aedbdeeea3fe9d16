"""Which words of a text name which entities of a knowledge graph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int8, Int32, Int64
from numpy import ndarray

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.data.function_words import FUNCTION_WORDS
from kgreason.ground.index import label_index
from kgreason.ground.reading import senses_of

PosRule: TypeAlias = Literal["strict", "prefer", "ignore"]
"""What to do where the part of speech of a word and of an entity do not agree. See `link_spans`."""

POS_RULES: tuple[PosRule, ...] = ("strict", "prefer", "ignore")

#: For each part of speech of an entity, those of a word that may name it, besides its own and `X`.
ALLOWED: dict[str, tuple[str, ...]] = {
    "NOUN": ("PROPN", "NUM", "SYM"),
    "PROPN": ("NOUN",),
    "VERB": ("AUX",),
    "AUX": ("VERB",),
    "ADJ": ("NUM",),
    "NUM": ("NOUN", "ADJ"),
}

_OTHER_CASE = 0.5  # "ate" is hardly Ate the goddess, yet "paris" may be Paris
_SENTENCE_ENDS = frozenset(".!?")
#: What a function word is taken for where no parser has said what it is: then "a" is not the ångström, "in" no inch.
_FUNCTION = UPOS.id("DET")
_OPEN_CLASS = np.append([pos in "ADJ ADV INTJ NOUN NUM PROPN VERB X".split() for pos in UPOS], True)  # noqa: SIM905
_NEXT = DEPENDENCY_RELATIONS.id("next")


@dataclass(frozen=True, slots=True, eq=False)
class Mentions:
    """The mentions of one text, in reading order and without overlap.

    Args:
        first: The WORD node with which each mention begins.
        last: The WORD node with which it ends; the same for a single word.
        head: The WORD node that the others depend on; the last word where nobody has parsed.
        ptr: The candidates of mention `m` are `entity[ptr[m] : ptr[m + 1]]`; each mention has at least one.
        entity: Entity ids, the likeliest first.
        score: How likely the mention means this entity, in [0, 1].
    """

    first: Int32[ndarray, " mentions"]
    last: Int32[ndarray, " mentions"]
    head: Int32[ndarray, " mentions"]
    ptr: Int64[ndarray, " offsets"]
    entity: Int32[ndarray, " candidates"]
    score: Float32[ndarray, " candidates"]

    def __len__(self) -> int:
        return len(self.first)


def link_spans(
    graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph, max_senses: int = 8, pos: PosRule = "strict"
) -> list[Mentions]:
    r"""Find the labels of the knowledge graph in the words of each graph: leftmost, longest, whole words.

    A word matches as it is written or by its lemma, so "hot dogs" finds "hot dog". Upper and lower case are kept apart
    where a label is written just so ("turkey" finds the bird, "Turkey" the country), and fall together where none is,
    at half the score; the first word of a sentence is also read in lower case.

    Of the senses of a label those stay whose part of speech agrees with the word's (`ALLOWED`), and the score of the
    others goes to them:

    $$\mathrm{score}(e) = p(e \mid \mathrm{label}) \;
      \frac{\sum_{e'} p(e' \mid \mathrm{label})}{\sum_{e' \text{ agrees}} p(e' \mid \mathrm{label})}$$

    Unknown parts of speech agree with all. What a mention of several words is says little about its head word, so
    there the senses that do not agree are left out only if others do.

    Args:
        graphs: Parsed texts.
        knowledge: What to link to. Its index is built on the first call and kept.
        max_senses: How many candidates to keep for a mention.
        pos: `strict`: as above; `prefer`: a single noun, verb, adjective or adverb, too, keeps senses that do not
            agree if none does (for taggers that err); `ignore`: all senses stay.

    Returns:
        The mentions of each graph, in the order of `graphs`.
    """
    words = _words(graphs)
    rows = _as_written(label_index(knowledge).find(words.text, words.other, words.segment))
    begins = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
    mention = np.cumsum(np.diff(rows[:, 0], prepend=-1) != 0) - 1
    first, last = words.node[rows[begins, 0]], words.node[rows[begins, 1]]
    head = _heads(graphs, words.offset, first, last)
    of_row, entity, score = senses_of(rows[:, 2], knowledge.labels)
    score = score * np.where(rows[of_row, 3] == 1, 1.0, _OTHER_CASE)
    word_pos = _word_pos(words, head, first == last)
    agrees = _agree(word_pos, knowledge.labels.pos[entity], mention[of_row], first == last, pos)
    total, kept = (np.bincount(of_row, weights, len(rows)) for weights in (score, score * agrees))
    score = score * (total / np.where(kept > 0, kept, 1.0))[of_row]
    of, entity, score = _best(mention[of_row][agrees], entity[agrees], score[agrees], max_senses)
    named, ptr = np.unique(of, return_index=True)
    whole = Mentions(
        first=first[named].astype(np.int32),
        last=last[named].astype(np.int32),
        head=head[named].astype(np.int32),
        ptr=np.append(ptr, len(of)).astype(np.int64),
        entity=entity.astype(np.int32),
        score=score.astype(np.float32),
    )
    return _split(whole, words.offset)


@dataclass(frozen=True, slots=True, eq=False)
class _Words:
    """The words of all graphs, the nodes of all graphs being counted on; graph `g` begins at `offset[g]`.

    `other` is another form that may match, or `""`; `segment` changes from text to text; `pos` is there for every node.
    """

    offset: Int64[ndarray, " offsets"]
    node: Int64[ndarray, " words"]
    text: list[str]
    other: list[str]
    segment: Int64[ndarray, " words"]
    pos: Int8[ndarray, " nodes"]


def _words(graphs: Sequence[LogicGraph]) -> _Words:
    offset = np.concatenate([[0], np.cumsum([graph.num_nodes for graph in graphs])]).astype(np.int64)
    kind = np.concatenate([np.zeros(0, np.int8), *(graph.node_type for graph in graphs)])
    text = np.concatenate([np.zeros(0, np.int32), *(graph.node_span[:, 0] for graph in graphs)])
    node = np.flatnonzero(kind == NodeType.WORD)
    graph_of = np.searchsorted(offset, node, side="right")
    change = (np.diff(graph_of, prepend=-1) != 0) | (np.diff(text[node], prepend=-1) != 0)
    surface = [word for graph in graphs for word in graph.node_text]
    lemma = [word for graph in graphs for word in graph.node_lemma]
    at = node.tolist()
    words = [surface[i] for i in at]
    return _Words(
        offset=offset,
        node=node,
        text=words,
        other=list(_other_forms(words, [lemma[i] for i in at], change.tolist())),
        segment=np.cumsum(change),
        pos=np.concatenate([np.zeros(0, np.int8), *(graph.node_pos for graph in graphs)]),
    )


def _other_forms(words: list[str], lemmas: list[str], starts: list[bool]) -> Iterator[str]:
    before = "."
    for word, lemma, start in zip(words, lemmas, starts, strict=True):
        lower = word.lower()
        if lemma and lemma != lower:
            yield lemma
        elif lower != word and (start or before in _SENTENCE_ENDS):
            yield lower
        else:
            yield ""
        before = word


def _as_written(rows: Int32[ndarray, "rows 4"]) -> Int32[ndarray, "kept 4"]:
    """Drop labels in another case from a match that also has one written just so, and repeated labels."""
    if not len(rows):
        return rows
    rows = np.unique(rows, axis=0)
    exact = np.bincount(rows[:, 0], rows[:, 3]) > 0
    return np.asarray(rows[(rows[:, 3] == 1) | ~exact[rows[:, 0]]])


def _heads(
    graphs: Sequence[LogicGraph],
    offset: Int64[ndarray, " offsets"],
    first: Int64[ndarray, " mentions"],
    last: Int64[ndarray, " mentions"],
) -> Int64[ndarray, " mentions"]:
    """Return the word of each mention whose governor stands outside of it; the last word if there is not just one."""
    head = last.copy()
    several = np.flatnonzero(first != last).tolist()
    if not several:
        return head
    governor = np.full(int(offset[-1]), -1, np.int64)
    for graph, start in zip(graphs, offset.tolist(), strict=False):
        governed = (graph.edge_type == EdgeType.DEPENDENCY) & (graph.edge_relation != _NEXT)
        governor[graph.edge_index[1, governed] + start] = graph.edge_index[0, governed] + start
    for m in several:
        inside = governor[first[m] : last[m] + 1]
        outside = np.flatnonzero((inside < first[m]) | (inside > last[m]))
        if len(outside) == 1:
            head[m] = first[m] + outside[0]
    return head


def _word_pos(
    words: _Words, head: Int64[ndarray, " mentions"], single: Bool[ndarray, " mentions"]
) -> Int8[ndarray, " mentions"]:
    pos = words.pos[head]  # a copy
    unknown = np.flatnonzero((pos < 0) & single)
    for m, w in zip(unknown.tolist(), np.searchsorted(words.node, head[unknown]).tolist(), strict=True):
        if words.text[w].lower() in FUNCTION_WORDS:
            pos[m] = _FUNCTION
    return np.asarray(pos)


def _table() -> Bool[ndarray, "entity word"]:
    """Return whether an entity's part of speech (row) agrees with a word's (column); the last of each is unknown."""
    table = np.eye(len(UPOS) + 1, dtype=np.bool_)
    table[-1], table[:, -1], table[:, UPOS.id("X")] = True, True, True
    for entity, words in ALLOWED.items():
        for word in words:
            table[UPOS.id(entity), UPOS.id(word)] = True
    return table


_AGREE = _table()


def _agree(
    word_pos: Int8[ndarray, " mentions"],
    entity_pos: Int8[ndarray, " senses"],
    mention: Int64[ndarray, " senses"],
    single: Bool[ndarray, " mentions"],
    rule: PosRule,
) -> Bool[ndarray, " senses"]:
    if rule == "ignore":
        return np.ones(len(mention), np.bool_)
    agrees = _AGREE[entity_pos, word_pos[mention]]
    some = np.bincount(mention, agrees, len(word_pos)) > 0
    lenient = ~single if rule == "strict" else ~single | _OPEN_CLASS[word_pos]
    return np.asarray(agrees | (lenient & ~some)[mention])


def _best(
    mention: Int64[ndarray, " senses"],
    entity: Int32[ndarray, " senses"],
    score: Float64[ndarray, " senses"],
    max_senses: int,
) -> tuple[Int64[ndarray, " kept"], Int32[ndarray, " kept"], Float64[ndarray, " kept"]]:
    """Return each entity of a mention once, with its best score, the likeliest first, at most `max_senses`."""
    order = np.lexsort((-score, entity, mention))
    mention, entity, score = mention[order], entity[order], score[order]
    fresh = (np.diff(mention, prepend=-1) != 0) | (np.diff(entity, prepend=-1) != 0)
    mention, entity, score = mention[fresh], entity[fresh], score[fresh]
    order = np.lexsort((entity, -score, mention))
    mention, entity, score = mention[order], entity[order], score[order]
    rank = np.arange(len(mention)) - np.searchsorted(mention, mention)
    return mention[rank < max_senses], entity[rank < max_senses], score[rank < max_senses]


def _split(whole: Mentions, offset: Int64[ndarray, " offsets"]) -> list[Mentions]:
    """Cut the mentions of a batch into those of each graph, with nodes counted from its own first."""
    cuts = np.searchsorted(whole.first, offset).tolist()
    found = []
    for g, start in enumerate(offset[:-1].tolist()):
        own = slice(cuts[g], cuts[g + 1])
        ptr = whole.ptr[cuts[g] : cuts[g + 1] + 1]
        part = slice(int(ptr[0]), int(ptr[-1]))
        found.append(
            Mentions(
                first=whole.first[own] - np.int32(start),
                last=whole.last[own] - np.int32(start),
                head=whole.head[own] - np.int32(start),
                ptr=ptr - ptr[0],
                entity=whole.entity[part],
                score=whole.score[part],
            )
        )
    return found

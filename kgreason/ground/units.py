"""Cuts texts into units that a knowledge graph may know: words, and labels of several words."""

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Int64
from numpy import ndarray

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.data.function_words import FUNCTION_WORDS
from kgreason.ground.lexical import Senses, lexical_relations
from kgreason.ground.word_facts import word_facts

#: Parts of speech whose words carry content; adpositions are looked up only as adverbs and adjectives.
_CONTENT = frozenset(UPOS.id(pos) for pos in ("ADJ", "ADV", "NOUN", "NUM", "PROPN", "VERB"))
_ADP = UPOS.id("ADP")
_NEXT = DEPENDENCY_RELATIONS.id("next")  # word order is no government
#: What a part of speech may be in a lexicon that knows only nouns, verbs, adjectives and adverbs.
_MEANT = {"PROPN": ("NOUN",), "NUM": ("NOUN", "ADJ"), "ADP": ("ADV", "ADJ"), "AUX": ("VERB",)}
_MISMATCH = 0.4  # a sense of another part of speech: taggers err, and "red" is both
_LONGEST = 4  # words in a label
#: What has names that exclude each other: a living room is a room, but "living" is nothing that one could be told of.
_NAMED = ("artifact", "location", "food")
#: Beside these a thing is what it is called, unless that is the first of its names: a "black cat" is seldom a fisher.
_COLOURS = frozenset("black white red blue green brown yellow grey gray pink orange purple".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one logic graph, in reading order.

    `head` is the word node an edge attaches to, `word` the row in the lexicon, `lemma` an id that is equal for equal
    words, `content` whether the unit carries content.
    """

    text: Int64[ndarray, " units"]
    head: Int64[ndarray, " units"]
    word: Int64[ndarray, " units"]
    lemma: Int64[ndarray, " units"]
    pos: Int64[ndarray, " units"]
    content: Bool[ndarray, " units"]


@final
class Lexicon:
    """Gathers the words of a batch and their senses, each distinct (lemma, part of speech) once.

    Args:
        knowledge: The graph whose labels are looked up.
        max_senses: How many senses of a word are kept, the likeliest first.
        facts: Which facts about words tell names of places, see `word_facts`.
    """

    def __init__(self, knowledge: KnowledgeGraph, max_senses: int, facts: str = "english") -> None:
        self.knowledge, self.max_senses, self.facts = knowledge, max_senses, facts
        self._rows: dict[tuple[str, int], int] = {}
        self._lemmas: dict[str, int] = {}
        self._known: dict[str, bool] = {}
        self._as_one: dict[tuple[str, str], bool] = {}
        self._lexical = lexical_relations(knowledge)
        self._named: tuple[ndarray, frozenset[str]] | None = None
        self._of_row: list[int] = []
        self._entities: list[ndarray] = []
        self._weights: list[ndarray] = []
        self._packed: Senses | None = None

    def knows(self, label: str) -> bool:
        """Whether the graph has an entity of this name; remembered, for the look-up may go to disk."""
        if label not in self._known:
            self._known[label] = label in self.knowledge.labels.names
        return self._known[label]

    def knows_as_one(self, label: str, last: str) -> bool:
        """Whether a label of several words means more than its last word says: "hot dog", but not "little girl".

        What a label means by composition ("a little girl is a girl") is left to its words, so that each of them can
        be aligned; not so the names of places and things that facts about words list: "dining room".
        """
        if not self.knows(label):
            return False
        if (label, last) not in self._as_one:
            whole, _ = self.knowledge.labels.senses(label)
            part, _ = self.knowledge.labels.senses(last)
            composed = not self.names(label) or self._lexical.reaches(whole, part)
            self._as_one[label, last] = not composed or self._is_listed(label, whole)
        return self._as_one[label, last]

    def names(self, label: str) -> bool:
        """Whether a label is known, and no rare one of a thing that is usually called otherwise: a "black cat"."""
        if not self.knows(label) or label.partition(" ")[0] not in _COLOURS:
            return self.knows(label)
        whole, _ = self.knowledge.labels.senses(label)
        return not len(whole) or self.knowledge.label(int(whole[0])).lower() == label

    def _is_listed(self, label: str, senses: ndarray) -> bool:
        if self._named is None:
            labels = self.knowledge.labels
            known = [labels.senses(name)[0][:1] for name in _NAMED if self.knows(name)]
            self._named = np.concatenate([_NONE, *known]), frozenset(word_facts(self.facts).places())
        kinds, listed = self._named
        return label in listed and self._lexical.reaches(senses[:1], kinds)

    def add(self, forms: tuple[str, ...], lemma: str, pos: int, looked_up: bool) -> tuple[int, int]:
        """Return the row of a word and the id of its lemma, entering them if they are new.

        Args:
            forms: What to look up: the first that the graph knows counts.
            lemma: What makes two words the same.
            pos: A position in `UPOS`, or -1.
            looked_up: False for function words: they have no senses here.
        """
        key = (lemma, pos if looked_up else -2)
        if key not in self._rows:
            self._rows[key] = len(self._rows)
            self._of_row.append(self._lemmas.setdefault(lemma, len(self._lemmas)))
            form = next((f for f in forms if self.knows(f)), None) if looked_up else None
            entity, weight = self._senses(form, pos) if form is not None else (_NONE, _NO_WEIGHT)
            self._entities.append(entity)
            self._weights.append(weight)
            self._packed = None
        row = self._rows[key]
        return row, self._of_row[row]

    def _senses(self, form: str, pos: int) -> tuple[ndarray, ndarray]:
        """Return the likeliest senses of a label, those of another part of speech at a discount.

        The weight is the square root of the share: counts come from one small corpus and are steeper than usage.
        """
        labels = self.knowledge.labels
        entity, score = labels.senses(form)
        name = UPOS[pos] if pos >= 0 else ""
        meant = [UPOS.id(p) for p in _MEANT.get(name, (name,))] if name else range(len(UPOS))
        kind = labels.pos[entity]
        fits = (kind < 0) | np.isin(kind, list(meant))
        top = np.zeros(len(UPOS) + 1)
        np.maximum.at(top, kind, score)  # the likeliest sense of each part of speech; the last row is "unknown"
        rival = np.where(fits, top[kind], top.max())
        weight = np.where(fits, 1.0, _MISMATCH) * np.sqrt(score / np.maximum(rival, 1e-9))
        weight[~fits & (name == "ADP")] = 0  # "in" is no inch
        best = np.argsort(-weight, kind="stable")[: self.max_senses]
        best = best[weight[best] > 0]
        return entity[best].astype(np.int32), weight[best].astype(np.float32)

    @property
    def lemma_id(self) -> Int64[ndarray, " words"]:
        return np.array(self._of_row, np.int64)

    @property
    def senses(self) -> Senses:
        """The senses of all words so far, laid end to end."""
        if self._packed is None:
            counts = [len(e) for e in self._entities]
            self._packed = Senses(
                np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
                np.concatenate([_NONE, *self._entities]).astype(np.int32),
                np.concatenate([_NO_WEIGHT, *self._weights]).astype(np.float32),
            )
        return self._packed


_NONE, _NO_WEIGHT = np.zeros(0, np.int32), np.zeros(0, np.float32)


def units_of(graph: LogicGraph, lexicon: Lexicon) -> Units:
    """Cut the texts of a graph into units: the longest label of up to four words that the graph knows, else a word."""
    words = np.flatnonzero(graph.node_type == NodeType.WORD)
    rows: list[tuple[int, int, int, int, int, bool]] = []
    at, governor = 0, _governors(graph)
    while at < len(words):
        length = _label_length(graph, words[at : at + _LONGEST], governor, lexicon)
        span = words[at : at + length].tolist()
        rows.append(_unit(graph, span, governor, lexicon))
        at += length
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    return Units(columns[0], columns[1], columns[2], columns[3], columns[4], columns[5].astype(bool))


def _governors(graph: LogicGraph) -> ndarray:
    governor = np.full(graph.num_nodes, -1, np.int64)
    dependency = (graph.edge_type == EdgeType.DEPENDENCY) & (graph.edge_relation != _NEXT)
    governor[graph.edge_index[1, dependency]] = graph.edge_index[0, dependency]
    return governor


def _unit(
    graph: LogicGraph, span: list[int], governor: ndarray, lexicon: Lexicon
) -> tuple[int, int, int, int, int, bool]:
    parsed = bool((governor[span] >= 0).any())
    head = next((n for n in span if governor[n] not in span), span[-1]) if parsed else span[-1]
    surface = " ".join(graph.node_text[n] for n in span)
    lemma = " ".join([graph.node_text[n].lower() for n in span[:-1]] + [_lemma(graph, span[-1])])
    pos = int(graph.node_pos[head])
    content = pos in _CONTENT if pos >= 0 else lemma not in FUNCTION_WORDS and lemma[:1].isalnum()
    looked_up = content or pos == _ADP or len(span) > 1
    row, lemma_id = lexicon.add((lemma, surface, surface.lower()), lemma, pos, looked_up)
    return int(graph.node_span[head, 0]), head, row, lemma_id, pos, content or len(span) > 1


def _lemma(graph: LogicGraph, node: int) -> str:
    return graph.node_lemma[node] or graph.node_text[node].lower()


def _label_length(graph: LogicGraph, words: ndarray, governor: ndarray, lexicon: Lexicon) -> int:
    """The number of words of the longest known label of several words that starts here; 1 if there is none."""
    text = graph.node_span[words[0], 0]
    nodes = [n for n in words.tolist() if graph.node_span[n, 0] == text]
    for length in range(len(nodes), 1, -1):
        forms = [graph.node_text[n].lower() for n in nodes[: length - 1]]
        last = _lemma(graph, nodes[length - 1])
        if lexicon.knows_as_one(" ".join([*forms, last]), last) and _hangs_together(nodes[:length], forms, governor):
            return length
    return 1


def _hangs_together(span: list[int], forms: list[str], governor: ndarray) -> bool:
    """Whether the words are one phrase: "a little" is a label, but no part of "a little boy"."""
    if (governor[span] < 0).all():  # not parsed
        return forms[0] not in FUNCTION_WORDS
    return sum(governor[n] not in span for n in span) == 1

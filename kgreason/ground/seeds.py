"""Seed entities: given by name, or found in the text."""

import logging
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import final, get_args

import numpy as np

from kgreason.data import LINK_RELATIONS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError
from kgreason.ground.attach import add_edges
from kgreason.ground.names import resolve
from kgreason.ground.reading import NOWHERE, Seed
from kgreason.ground.search import Finder, Link, linker

_log = logging.getLogger("kgreason.ground")
_NAMES = LINK_RELATIONS.id("names")
_WORD, _PHRASE, _ENTITY = int(NodeType.WORD), int(NodeType.PHRASE), int(NodeType.ENTITY)


@final
class SeedsGrounder:
    """Adds the seed entities of each text and nothing else: a decoder that walks the whole graph starts from them.

    Every seed gets one ENTITY node for each entity that its name may mean; `node_score` is how sure that is, and sums
    to 1 over the entities of the surest mention of a text. A LINK edge (relation `names`) runs to it from the one node
    that covers just the mention: the WORD or PHRASE node that is there, else a new PHRASE node.

    Names that come with the example (`Example.seeds`) are taken first: the name of an entity means that one, a label
    shares its score among the entities it may mean (`names.resolve`). If nobody says where a seed stands, it is looked
    for; one that stands nowhere gets no edge. A name that the graph does not know gives no node; how many there were is
    logged (logger `kgreason.ground`, level WARNING), and `names.check_seeds` refuses them.

    Texts without given seeds are linked, by `link`:

    - `given`: not at all.
    - `exact`: spans of whole words that read as a label does, upper and lower case alike if need be (`Evidence` says
      which of them is meant: the longest, what is written as names are, the rarest).
    - `lemma`: the same, and words may also be read by the lemma that the parser gave them.
    - `fuzzy`: the same, and spans that are like a label up to some letters, accents and punctuation (`FuzzyIndex`).
    - `dense`: as `lemma`, and spans whose vector in the language model is near that of a label (`DenseIndex`).
    - `auto`: `lemma`; where it finds nothing, or leaves names or strange words over, `fuzzy`; where that finds nothing,
      `dense` (in graphs of up to 100,000 labels). The language model is loaded only then.

    Every text is linked by itself: what stands in the other questions of a batch does not matter.

    Args:
        link: Where seeds come from if they are not given.
        given: `use` or `ignore` those that are given; the second measures how good linking is.
        max_seeds: How many linked mentions are kept in a text, the surest first; all are at least three quarters as
            sure as that one.
        max_senses: How many entities of a mention are kept, the likeliest first.
        model: The language model of `dense` and `auto`.

    Raises:
        ConfigError: If an argument is none of its choices.
        MissingExtraError: If the language model is needed and not installed.
    """

    def __init__(
        self, link: str = "given", given: str = "use", max_seeds: int = 3, max_senses: int = 8, model: str = "minilm"
    ) -> None:
        for name, value in (("max_seeds", max_seeds), ("max_senses", max_senses)):
            if value < 1:
                raise ConfigError(f"[ground] seeds: {name} = {value}, but it must be at least 1.")
        if given not in {"use", "ignore"}:
            raise ConfigError(f"[ground] seeds: given = '{given}'; expected use or ignore.")
        self.link, self.given = _link(link), given
        self.max_seeds, self.max_senses, self.model = max_seeds, max_senses, model
        self._indices: weakref.WeakKeyDictionary[KnowledgeGraph, Finder] = weakref.WeakKeyDictionary()
        self._vectors: Callable[[KnowledgeGraph], Finder] | None = None
        if self.link == "dense":
            self._vectors = _load(model)

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        if self.given == "use":
            found = self._given(graphs, knowledge)
            alone = [i for i, graph in enumerate(graphs) if not graph.seeds]
        else:
            found, alone = [[] for _ in graphs], list(range(len(graphs)))
        if self.link != "given" and alone:
            budget = (self.max_seeds, self.max_senses)
            linked = linker(knowledge)([graphs[i] for i in alone], knowledge, self.link, budget, self._dense)
            for i, seeds in zip(alone, linked, strict=True):
                found[i] = seeds
        return [add_seeds(graph, knowledge, seeds) for graph, seeds in zip(graphs, found, strict=True)]

    def _given(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[list[Seed]]:
        known = resolve((name for graph in graphs for name in graph.seeds), knowledge, self.max_senses)
        found, lost = [], []
        for graph in graphs:
            places = graph.mentions or (NOWHERE,) * len(graph.seeds)
            pairs = list(zip(graph.seeds, places, strict=True))
            found.append([Seed(place, known[name]) for name, place in pairs if name in known])
            lost += [(graph.uid, name) for name in graph.seeds if name not in known]
        if lost:
            _log.warning(
                "seeds: %d of %d given seeds are not in the knowledge graph; the first is '%s' of example '%s'",
                len(lost),
                sum(len(graph.seeds) for graph in graphs),
                *reversed(lost[0]),
            )
        nowhere = [i for i, seeds in enumerate(found) if any(seed.span == NOWHERE for seed in seeds)]
        if nowhere:
            placed = linker(knowledge).locate([graphs[i] for i in nowhere], knowledge, [found[i] for i in nowhere])
            for i, seeds in zip(nowhere, placed, strict=True):
                found[i] = seeds
        return found

    def _dense(self, knowledge: KnowledgeGraph) -> Finder:
        if knowledge not in self._indices:
            self._vectors = self._vectors or _load(self.model)
            self._indices[knowledge] = self._vectors(knowledge)
        return self._indices[knowledge]


def _load(model: str) -> Callable[[KnowledgeGraph], Finder]:
    from kgreason.ground.dense import DenseIndex, TextVectors

    return partial(DenseIndex, TextVectors(model))


def _link(name: str) -> Link:
    for link in get_args(Link):
        if link == name:
            return link  # type: ignore[no-any-return]
    raise ConfigError(f"[ground] seeds: link = '{name}' is not known. Choose one of: {', '.join(get_args(Link))}.")


def add_seeds(graph: LogicGraph, knowledge: KnowledgeGraph, seeds: Sequence[Seed]) -> LogicGraph:
    """Give the entities of seeds nodes, and LINK edges from the nodes that cover just their mentions.

    The score of a node is the share of its entity in the meaning of the mention, times how sure the mention is beside
    the surest of the text: linked seeds weigh as much as given ones. The edge's is the share times how sure the mention
    is by itself. An entity that several seeds mean has one node, with its best score; one that was there keeps its own.
    """
    if not seeds:
        return graph
    surest = max(seed.score for seed in seeds)
    at = _nodes_by_span(graph)
    phrases = [span for span in dict.fromkeys(seed.span for seed in seeds) if span != NOWHERE and span not in at]
    at |= {span: graph.num_nodes + i for i, span in enumerate(phrases)}
    best: dict[int, float] = {}
    edges: dict[tuple[int, int], float] = {}
    for seed in seeds:
        for entity, share in zip(seed.meaning.entity.tolist(), seed.meaning.score.tolist(), strict=True):
            best[entity] = max(best.get(entity, 0.0), share * seed.score / surest)
            if seed.span != NOWHERE:
                edges.setdefault((at[seed.span], entity), share * seed.score)
    nodes = np.flatnonzero(graph.node_type == _ENTITY)
    node = dict(zip(graph.node_entity[nodes].tolist(), nodes.tolist(), strict=True))
    fresh = [entity for entity in sorted(best) if entity not in node]
    node |= {entity: graph.num_nodes + len(phrases) + i for i, entity in enumerate(fresh)}
    grown = graph.with_nodes(
        np.array([_PHRASE] * len(phrases) + [_ENTITY] * len(fresh), np.int8),
        (*(_words_in(graph, span) for span in phrases), *(knowledge.label(entity) for entity in fresh)),
        np.array([*phrases, *[NOWHERE] * len(fresh)], np.int32).reshape(-1, 3),
        np.array([-1] * len(phrases) + fresh, np.int32),
        np.array([1.0] * len(phrases) + [best[entity] for entity in fresh], np.float32),
    )
    if not edges:
        return grown
    ends = np.array([(source, node[entity]) for source, entity in edges], np.int64).T
    names = np.full(len(edges), _NAMES, np.int32)
    return add_edges(grown, ends, EdgeType.LINK, names, np.array(list(edges.values()), np.float32))


def _nodes_by_span(graph: LogicGraph) -> dict[tuple[int, int, int], int]:
    """Return the WORD and PHRASE nodes by what they cover; of several with one span the first."""
    nodes = np.flatnonzero((graph.node_type == _WORD) | (graph.node_type == _PHRASE))[::-1]
    return dict(zip(map(tuple, graph.node_span[nodes].tolist()), nodes.tolist(), strict=True))


def _words_in(graph: LogicGraph, span: tuple[int, int, int]) -> str:
    """Return the characters of a span as far as words tell them: the graph does not hold the text itself."""
    text, start, end = graph.node_span.T
    inside = (graph.node_type == _WORD) & (text == span[0]) & (start < span[2]) & (end > span[1])
    told, at = "", span[1]
    for i in np.flatnonzero(inside).tolist():
        first, last = max(int(start[i]), span[1]), min(int(end[i]), span[2])
        told += " " * (first - at) + graph.node_text[i][first - int(start[i]) : last - int(start[i])]
        at = last
    return told

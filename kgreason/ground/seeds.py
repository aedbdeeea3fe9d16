"""Seed entities: given by name, or found in the text."""

import logging
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import final, get_args

import numpy as np

from kgreason.data import LINK_RELATIONS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError
from kgreason.ground.attach import add_edges, add_entities
from kgreason.ground.names import resolve
from kgreason.ground.reading import NOWHERE, Seed
from kgreason.ground.search import Finder, Link, linker

_log = logging.getLogger("kgreason.ground")
_NAMES = LINK_RELATIONS.id("names")


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
    graph, source = _mention_nodes(graph, seeds)
    sizes = [len(m.meaning.entity) for m in seeds]
    entity, which = np.unique(np.concatenate([m.meaning.entity for m in seeds]), return_inverse=True)
    share = np.concatenate([m.meaning.score for m in seeds])
    sure = np.repeat(np.array([m.score for m in seeds], np.float32), sizes)
    best = np.zeros(len(entity), np.float32)
    np.maximum.at(best, which, share * sure / np.float32(surest))
    grown, node = add_entities(graph, knowledge, entity.astype(np.int32), best)
    start = np.repeat(source, sizes)
    ends = np.stack([start, node[which]])
    keep = np.flatnonzero(start >= 0)
    keep = keep[np.sort(np.unique(ends[:, keep], axis=1, return_index=True)[1])]  # a seed may be given twice
    relation = np.full(len(keep), _NAMES, np.int32)
    return add_edges(grown, ends[:, keep], EdgeType.LINK, relation, (share * sure)[keep])


def _mention_nodes(graph: LogicGraph, seeds: Sequence[Seed]) -> tuple[LogicGraph, np.ndarray]:
    """Return the graph with a node for each mention, and these nodes; -1 for a seed that stands nowhere."""
    texts = np.flatnonzero((graph.node_type == NodeType.WORD) | (graph.node_type == NodeType.PHRASE))
    spans = graph.node_span[texts].tolist()
    place = {tuple(span): node for span, node in zip(reversed(spans), reversed(texts.tolist()), strict=True)}
    wanted = dict.fromkeys(m.span for m in seeds if m.span != NOWHERE and m.span not in place)
    if wanted:
        place |= {span: graph.num_nodes + i for i, span in enumerate(wanted)}
        text = tuple(_words_in(graph, span) for span in wanted)
        graph = graph.with_phrases(np.array(list(wanted), np.int32), text, np.ones(len(wanted), np.float32))
    return graph, np.array([place.get(m.span, -1) for m in seeds], np.int64)


def _words_in(graph: LogicGraph, span: tuple[int, int, int]) -> str:
    """Return the characters of a span as far as words tell them: the graph does not hold the text itself."""
    text, start, end = graph.node_span.T
    inside = (graph.node_type == NodeType.WORD) & (text == span[0]) & (start < span[2]) & (end > span[1])
    told, at = "", span[1]
    for i in np.flatnonzero(inside).tolist():
        first, last = max(int(start[i]), span[1]), min(int(end[i]), span[2])
        told += " " * (first - at) + graph.node_text[i][first - int(start[i]) : last - int(start[i])]
        at = last
    return told

"""Seed entities: given by name, or found in the text."""

import logging
from collections.abc import Sequence
from typing import Literal, TypeAlias, final, get_args

import numpy as np

from kgreason.data import LINK_RELATIONS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError
from kgreason.ground.attach import add_edges, add_entities
from kgreason.ground.names import resolve
from kgreason.ground.reading import NOWHERE, Seed

Link: TypeAlias = Literal["given"]
"""Where seeds come from. See `SeedsGrounder`."""

_log = logging.getLogger("kgreason.ground")
_NAMES = LINK_RELATIONS.id("names")


@final
class SeedsGrounder:
    """Adds the seed entities of each text and nothing else: a decoder that walks the whole graph starts from them.

    Every seed gets one ENTITY node for each entity that its name may mean; `node_score` is how sure that is. A LINK
    edge (relation `names`) runs to it from the one node that covers just the mention: the WORD or PHRASE node that is
    there, else a new PHRASE node. A seed whose mention is not known gets no edge.

    `given` takes the names that come with the example (`Example.seeds`): the name of an entity means that one, a label
    shares its score among the entities it may mean (`names.resolve`). A name that the graph does not know gives no
    node; how many there were is logged (logger `kgreason.ground`, level WARNING), and `names.check_seeds` refuses them.

    Args:
        link: Where seeds come from.
        max_seeds: How many mentions are kept in a text, the likeliest first; those that are given are all kept.
        max_senses: How many entities of a mention are kept, the likeliest first.
    """

    def __init__(self, link: str = "given", max_seeds: int = 1, max_senses: int = 8) -> None:
        for name, value in (("max_seeds", max_seeds), ("max_senses", max_senses)):
            if value < 1:
                raise ConfigError(f"[ground] seeds: {name} = {value}, but it must be at least 1.")
        self.link, self.max_seeds, self.max_senses = _link(link), max_seeds, max_senses

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        found = self._given(graphs, knowledge)
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
        return found


def _link(name: str) -> Link:
    for link in get_args(Link):
        if link == name:
            return link  # type: ignore[no-any-return]
    raise ConfigError(f"[ground] seeds: link = '{name}' is not known. Choose one of: {', '.join(get_args(Link))}.")


def add_seeds(graph: LogicGraph, knowledge: KnowledgeGraph, seeds: Sequence[Seed]) -> LogicGraph:
    """Give the entities of seeds nodes, and LINK edges from the nodes that cover just their mentions.

    An entity that several seeds mean has one node, with its best score; so has an entity that was there, whose
    score stays.
    """
    if not seeds:
        return graph
    graph, source = _mention_nodes(graph, seeds)
    sizes = [len(m.meaning.entity) for m in seeds]
    entity, which = np.unique(np.concatenate([m.meaning.entity for m in seeds]), return_inverse=True)
    score = np.concatenate([m.meaning.score * np.float32(m.score) for m in seeds])
    best = np.zeros(len(entity), np.float32)
    np.maximum.at(best, which, score)
    grown, node = add_entities(graph, knowledge, entity.astype(np.int32), best)
    start = np.repeat(source, sizes)
    ends = np.stack([start, node[which]])
    keep = np.flatnonzero(start >= 0)
    keep = keep[np.sort(np.unique(ends[:, keep], axis=1, return_index=True)[1])]  # a seed may be given twice
    relation = np.full(len(keep), _NAMES, np.int32)
    return add_edges(grown, ends[:, keep], EdgeType.LINK, relation, score[keep])


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

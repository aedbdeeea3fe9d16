"""Knowledge that is wrong on purpose: the controls of the room `ground`."""

import weakref
from collections.abc import Sequence
from typing import Literal, TypeAlias, final

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.errors import ConfigError
from kgreason.ground import swaps
from kgreason.rooms import Grounder

PerturbMode: TypeAlias = Literal["tails", "relations", "rewire", "drop"]
_MODES: tuple[PerturbMode, ...] = ("tails", "relations", "rewire", "drop")
_ROUNDS = 10  # swaps tried per triple; ten mix well (Milo et al. 2003, arXiv:cond-mat/0312028)


@final
class PerturbGrounder:
    """Grounds as another grounder would, in a graph whose facts have been spoilt.

    A model that does as well with it as with the real graph has not used what the graph says. What is spoilt is chosen
    by `mode`; see `perturb_graph`. Entities and their labels stay, so linking is the same. Each graph is spoilt once
    and then kept.

    Args:
        around: The grounder to wrap.
        mode: `tails`, `relations`, `rewire` or `drop`.
        share: For `drop`: the share of the triples that is removed.
        seed: Which of the many spoilt graphs.
    """

    def __init__(self, around: Grounder, mode: str = "tails", share: float = 0.5, seed: int = 0) -> None:
        self.around, self.mode, self.share, self.seed = around, _checked(mode, share), share, seed
        self._kept: weakref.WeakKeyDictionary[KnowledgeGraph, KnowledgeGraph] = weakref.WeakKeyDictionary()

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        if knowledge not in self._kept:
            self._kept[knowledge] = perturb_graph(knowledge, self.mode, self.share, self.seed)
        return self.around(graphs, self._kept[knowledge])


def perturb_graph(knowledge: KnowledgeGraph, mode: str, share: float = 0.5, seed: int = 0) -> KnowledgeGraph:
    """Return a graph with the same entities, relations and labels, and other triples.

    - `tails`: tails change places within each relation. Every entity keeps, for each relation, the number of its
      triples as head and as tail.
    - `relations`: relations change places over all triples. What is joined to what stays, and how many triples each
      relation has.
    - `rewire`: first tails, then relations change places over all triples: a random graph in which every entity keeps
      its number of triples as head and as tail, and every relation its number of triples.
    - `drop`: `round(share * triples)` triples, chosen at random, are removed.

    The first three swap random pairs, ten per triple, and pass over swaps that would repeat a triple or join an entity
    to itself; so the counts hold exactly, and no triple gets lost. Where no swap is possible (a relation with one
    triple) all stays as it is.

    Args:
        knowledge: The graph; it is not changed.
        mode: See above.
        share: For `drop`.
        seed: Equal seeds give equal graphs.

    Raises:
        ConfigError: For an unknown mode or a share outside of [0, 1].
    """
    _checked(mode, share)
    rows = np.ascontiguousarray(knowledge.triples)
    everything = np.arange(len(rows), dtype=np.int64)
    if mode == "drop":
        keep = np.random.default_rng(seed).permutation(len(rows))[round(share * len(rows)) :]
        rows = rows[keep]
    elif mode == "tails":
        order = np.argsort(rows[:, 1], kind="stable")
        counts = np.bincount(rows[:, 1], minlength=len(knowledge.relations))
        _swap(rows, order, np.concatenate([[0], np.cumsum(counts)]), 2, seed)
    else:
        whole = np.array([0, len(rows)])
        if mode == "rewire":
            _swap(rows, everything, whole, 2, seed)
        _swap(rows, everything, whole, 1, seed + 1)
    about = {**knowledge.about, "perturbed": f"{mode}, seed {seed}" + (f", share {share}" if mode == "drop" else "")}
    called = knowledge.relation_labels
    return KnowledgeGraph.from_ids(knowledge.entities, knowledge.relations, rows, knowledge.labels, about, called)


def _swap(
    rows: Int32[ndarray, "rows 3"],
    members: Int64[ndarray, " rows"],
    ptr: Int64[ndarray, " offsets"],
    column: int,
    seed: int,
) -> None:
    swaps.swap(rows, members, ptr.astype(np.int64), column, _ROUNDS, np.uint64(seed))


def _checked(mode: str, share: float) -> PerturbMode:
    if not 0 <= share <= 1:
        raise ConfigError(f"[ground] perturb: share = {share}, but a share lies in [0, 1].")
    for known in _MODES:
        if known == mode:
            return known
    raise ConfigError(f"[ground] perturb: mode = '{mode}' is not known. Choose one of: {', '.join(_MODES)}.")

"""A graph that is wrong on purpose: the control of everything that reads one."""

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

from kgreason.data import swaps
from kgreason.data.knowledge import KnowledgeGraph
from kgreason.errors import ConfigError

PerturbMode: TypeAlias = Literal["tails", "relations", "rewire", "drop"]
_MODES: tuple[PerturbMode, ...] = ("tails", "relations", "rewire", "drop")
_ROUNDS = 10  # swaps tried per triple; ten mix well (Milo et al. 2003, arXiv:cond-mat/0312028)


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
    checked_mode(mode, share)
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
    spoilt = KnowledgeGraph.from_ids(knowledge.entities, knowledge.relations, rows, knowledge.labels, about, called)
    return replace(spoilt, rules=knowledge.rules)


def _swap(
    rows: Int32[ndarray, "rows 3"],
    members: Int64[ndarray, " rows"],
    ptr: Int64[ndarray, " offsets"],
    column: int,
    seed: int,
) -> None:
    swaps.swap(rows, members, ptr.astype(np.int64), column, _ROUNDS, np.uint64(seed))


def checked_mode(mode: str, share: float) -> PerturbMode:
    """Return `mode`, known to be one.

    Raises:
        ConfigError: For an unknown mode or a share outside of [0, 1].
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"perturb: share = {share}, but a share lies in [0, 1].")
    for known in _MODES:
        if known == mode:
            return known
    raise ConfigError(f"perturb: mode = '{mode}' is not known. Choose one of: {', '.join(_MODES)}.")

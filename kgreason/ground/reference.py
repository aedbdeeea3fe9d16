"""What the kernels compute, said once more in plain Python and numpy, for one text. Slow, short, and tested equal."""

import math

import numpy as np
from jaxtyping import Float64, Int32, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.ground.kernels import DECAY


def walk(
    knowledge: KnowledgeGraph, seeds: dict[int, float], hops: int, max_nodes: int, fan: int
) -> tuple[Int32[ndarray, " nodes"], Float64[ndarray, " nodes"]]:
    """Return the nodes within `hops` of the seeds and their scores; see `kernels.walk`."""
    score = dict(seeds)
    frontier = list(seeds)
    for _ in range(hops):
        left: dict[int, float] = {}
        for e in frontier:
            for row in (_row(knowledge.head_ptr, knowledge.tail, e), _row(knowledge.tail_ptr, knowledge.head, e)):
                steps = min(len(row), fan)
                for v in (int(row[i * len(row) // steps]) for i in range(steps)):
                    if v not in score:
                        left[v] = left.get(v, 1.0) * (1.0 - DECAY * score[e])
        room = max(0, max_nodes - len(score))
        frontier = sorted(left, key=lambda v: (left[v], v))[:room]
        score |= {v: 1.0 - left[v] for v in frontier}
    return np.array(list(score), np.int32), np.array(list(score.values()), np.float64)


def between(
    knowledge: KnowledgeGraph, seeds: dict[int, float], max_nodes: int
) -> tuple[Int32[ndarray, " nodes"], Float64[ndarray, " nodes"]]:
    """Return the seeds and what lies between two of them, with scores; see `kernels.between`."""
    near = {e: set(_neighbours(knowledge, e)) for e in seeds}
    found = {v for a in seeds for b in seeds if a < b for v in near[a] & near[b]} - set(seeds)
    left = {v: math.prod(1.0 - DECAY * s for e, s in seeds.items() if v in near[e]) for v in found}
    degree = {v: len(_neighbours(knowledge, v)) for v in found}
    extra = sorted(found, key=lambda v: (left[v], degree[v], v))[: max(0, max_nodes - len(seeds))]
    score = seeds | {v: 1.0 - left[v] for v in extra}
    return np.array(list(score), np.int32), np.array(list(score.values()), np.float64)


def induce(knowledge: KnowledgeGraph, nodes: Int32[ndarray, " nodes"], max_edges: int) -> Int64[ndarray, "edges 3"]:
    """Return the triples among `nodes` as rows (source, target, triple); see `inside.induce`."""
    place = {e: i for i, e in enumerate(nodes.tolist())}
    triples = knowledge.triples.tolist()
    edges = [(place[h], place[t], row) for row, (h, _, t) in enumerate(triples) if h in place and t in place]
    edges.sort(key=lambda edge: (edge[0], edge[2]))
    kept = set(sorted(edges, key=lambda edge: max(edge[:2]))[:max_edges])
    return np.array([edge for edge in edges if edge in kept], np.int64).reshape(-1, 3)


def _row(ptr: Int64[ndarray, " offsets"], other: Int32[ndarray, " triples"], entity: int) -> Int32[ndarray, " row"]:
    return np.asarray(other[ptr[entity] : ptr[entity + 1]])


def _neighbours(knowledge: KnowledgeGraph, entity: int) -> list[int]:
    out = _row(knowledge.head_ptr, knowledge.tail, entity)
    return [*out.tolist(), *_row(knowledge.tail_ptr, knowledge.head, entity).tolist()]

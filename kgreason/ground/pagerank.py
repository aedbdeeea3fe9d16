"""Triples among the entities that a random walk from what a text names comes by most."""

from collections.abc import Sequence
from typing import final, no_type_check

import numpy as np
from numba import njit
from numpy import ndarray

from kgreason.data import KnowledgeGraph, LogicGraph
from kgreason.data.walked import walked
from kgreason.errors import ConfigError
from kgreason.ground import kernels
from kgreason.ground.facts import Chosen, add_facts, check_budgets, seeds_of
from kgreason.ground.link import LinkGrounder


@final
class PageRankGrounder:
    r"""Links the text, then adds the entities of the highest personalised PageRank, and all triples among these.

    The walk starts at a linked entity, chosen by the scores $s$ of the links, follows triples in both directions, and
    starts again with probability $\alpha$ at every step:

    $$p = \alpha\, \hat s + (1 - \alpha)\, P^\top p, \qquad P_{uv} = \frac{n_{uv}}{d_u}$$

    where $n_{uv}$ is the number of triples between two entities, and $d_u$ that of all triples of one. Forward push
    computes it as exactly as asked, whatever the size of the graph: it follows no more than $1 / (\alpha \varepsilon)$
    triples, and leaves rests $r_u \le \varepsilon\, d_u$ that it does not hand on. Of a rest,
    $\alpha r_u$ stays where it is; the others are added as if they had gone a long way, which comes by an
    entity as often as it has triples:

    $$\hat p_v = \text{push}_v + \alpha\, r_v + (1 - \alpha) \Big(\sum_u r_u\Big) \frac{d_v}{\sum_u d_u}$$

    for all entities that the push came by. So $|\hat p_v - p_v| \le (1 - \alpha)\, \varepsilon\, d_v$, and hubs, of
    which the push misses most, are not ranked too low. The score of an entity that is added is $\hat p_v$.

    Args:
        alpha: $\alpha$, how likely the walk starts again.
        epsilon: $\varepsilon$. Smaller is more exact and slower.
        max_nodes: How many entities a text gets at most; the linked ones count, and always stay.
        max_edges: How many triples a text gets at most; those among the best entities go first.
        max_senses: As for `LinkGrounder`.
        pos: As for `LinkGrounder`.

    Reference:
        Andersen, Chung and Lang, 2006, Local graph partitioning using PageRank vectors, section 3.
        The last term is ours.
    """

    def __init__(
        self,
        alpha: float = 0.2,
        epsilon: float = 1e-5,
        max_nodes: int = 64,
        max_edges: int = 256,
        max_senses: int = 3,
        pos: str = "strict",
    ) -> None:
        check_budgets("pagerank", {"max_nodes": max_nodes, "max_edges": max_edges})
        if not 0 < alpha < 1 or not 0 < epsilon < 1:
            raise ConfigError(
                f"[ground] pagerank: alpha = {alpha}, epsilon = {epsilon}; expected both between 0 and 1."
            )
        self.alpha, self.epsilon, self.max_nodes, self.max_edges = alpha, epsilon, max_nodes, max_edges
        self._link = LinkGrounder(max_senses, pos)

    def __call__(self, graphs: Sequence[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
        linked = self._link(graphs, knowledge)
        chosen = ranked(knowledge, seeds_of(linked), self.alpha, self.epsilon, self.max_nodes)
        return add_facts(linked, knowledge, chosen, self.max_edges, "pagerank")


def ranked(knowledge: KnowledgeGraph, seeds: Chosen, alpha: float, epsilon: float, max_nodes: int) -> Chosen:
    """Return the seeds of each text, and the entities of the highest PageRank; see `PageRankGrounder`."""
    knowledge = walked(knowledge)
    size = len(knowledge.entities)
    # Pages of these that no walk comes by are never touched.
    space = np.zeros((size, 2)), np.zeros(size), np.empty(size, np.int32), np.empty(size, np.int32)
    ptr, entity, score, met = push(
        kernels.csr(knowledge), (seeds.ptr, seeds.entity, seeds.score), (alpha, epsilon, max_nodes), space
    )
    return Chosen(ptr, entity, score, met)


@njit(cache=True)
@no_type_check
def push(graph, seeds, limits, space):
    """Personalised PageRank by forward push, for each text of a batch.

    Args:
        graph: See `kernels.csr`.
        seeds: As for `kernels.walk`.
        limits: `(alpha, epsilon, max_nodes)`.
        space: `(rest, rank, met, queue)`, a row per entity, the first two zeros: what is to be handed on and how much
            may be left of it, the rank so far, the entities met, those whose turn it is.

    Returns:
        `(ptr, node, score, met)` as from `kernels.between`.
    """
    seed_ptr, seed_entity, seed_score = seeds
    max_nodes = limits[2]
    rest, rank, found, _ = space
    ptr, met = np.zeros(len(seed_ptr), np.int64), np.zeros(len(seed_ptr) - 1, np.int8)
    node, score = np.empty(1024, np.int32), np.empty(1024, np.float64)
    for g in range(len(seed_ptr) - 1):
        own = seed_entity[seed_ptr[g] : seed_ptr[g + 1]]
        links = seed_score[seed_ptr[g] : seed_ptr[g + 1]]
        count = _spread(graph, (own, links), limits, space)
        start = ptr[g]
        while start + min(count, max_nodes) + len(own) > len(node):
            node, score = np.concatenate((node, np.empty_like(node))), np.concatenate((score, np.empty_like(score)))
        _add_rest(graph, found[:count], limits[0], space)
        rank[own] = 0.0  # they come first in any case
        best = _best(found[:count], rank, max(max_nodes - len(own), 0))
        size = len(own) + len(best)
        node[start : start + len(own)], node[start + len(own) : start + size] = own, best
        score[start : start + len(own)], score[start + len(own) : start + size] = links, rank[best]
        met[g] = kernels.MET_NODES if count > size else 0
        for i in range(count):
            rest[found[i], 0], rest[found[i], 1], rank[found[i]] = 0.0, 0.0, 0.0
        ptr[g + 1] = start + size
    return ptr, node[: ptr[-1]], score[: ptr[-1]], met


@njit(cache=True)
@no_type_check
def _spread(graph, start, limits, space):
    """Hand on what the seeds are given until little is left anywhere. Returns how many entities were met."""
    head_ptr, tail, tail_ptr, head = graph
    alpha, epsilon, _ = limits
    rest, rank, found, queue = space
    own, links = start
    count, total = 0, links.sum()
    for i in range(len(own)):
        e = own[i]
        degree = head_ptr[e + 1] - head_ptr[e] + tail_ptr[e + 1] - tail_ptr[e]
        rest[e, 0] = links[i] / total if total > 0 else 1.0 / len(own)
        rest[e, 1] = epsilon * max(degree, 1)
        found[count] = queue[count] = e
        count += 1
    first, waiting = 0, count
    while waiting:
        e = queue[first]
        first = first + 1 if first + 1 < len(queue) else 0
        waiting -= 1
        given = rest[e, 0]
        rest[e, 0] = 0.0
        degree = head_ptr[e + 1] - head_ptr[e] + tail_ptr[e + 1] - tail_ptr[e]
        if degree == 0:  # there is nowhere to go
            rank[e] += given
            continue
        rank[e] += alpha * given
        share = (1.0 - alpha) * given / degree
        for row, begin, end in ((tail, head_ptr[e], head_ptr[e + 1]), (head, tail_ptr[e], tail_ptr[e + 1])):
            for k in range(begin, end):
                to = row[k]
                before = rest[to, 0]
                if rest[to, 1] == 0.0:
                    rest[to, 1] = epsilon * (head_ptr[to + 1] - head_ptr[to] + tail_ptr[to + 1] - tail_ptr[to])
                    found[count] = to
                    count += 1
                rest[to, 0] = before + share
                if before <= rest[to, 1] < before + share:  # it was not waiting, and is now
                    at = first + waiting
                    queue[at if at < len(queue) else at - len(queue)] = to
                    waiting += 1
    return count


@njit(cache=True)
@no_type_check
def _add_rest(graph, found, alpha, space):
    """Add to the ranks what comes of the rests: their own share, and as if they had gone a long way."""
    head_ptr, tail, tail_ptr, head = graph
    rest, rank, _, _ = space
    left = 0.0
    for e in found:
        left += rest[e, 0]
    far = (1.0 - alpha) * left / max(len(tail) + len(head), 1)
    for e in found:
        degree = head_ptr[e + 1] - head_ptr[e] + tail_ptr[e + 1] - tail_ptr[e]
        rank[e] += alpha * rest[e, 0] + far * degree


@njit(cache=True)
@no_type_check
def _best(found, rank, most):
    """Return the entities of the highest rank above 0, ties by id."""
    kept = found[rank[found] > 0.0]
    if len(kept) > most:
        bound = np.partition(rank[kept], len(kept) - most)[len(kept) - most] if most else np.inf
        kept = kept[rank[kept] >= bound]
    kept = np.sort(kept)
    return kept[np.argsort(-rank[kept], kind="mergesort")[:most]]


def exact(knowledge: KnowledgeGraph, seeds: ndarray, alpha: float, steps: int = 200) -> ndarray:
    """Return the personalised PageRank of every entity by iterating its equation; for tests and comparisons."""
    size = len(knowledge.entities)
    rows = knowledge.triples
    ends = np.concatenate([rows[:, [0, 2]], rows[:, [2, 0]]])
    degree = np.bincount(ends[:, 0], minlength=size)
    p = np.zeros(size)
    for _ in range(steps):
        moved = np.bincount(ends[:, 1], (p / np.maximum(degree, 1))[ends[:, 0]], minlength=size)
        p = alpha * seeds + (1 - alpha) * moved
    return p

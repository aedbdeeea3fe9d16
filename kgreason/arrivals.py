r"""What arrives where, and by which relation: a hop that keeps its relations apart.

`kgreason.frontier.hop` sums what reaches an entity. Here it stays a sparse matrix $S$ of entities and relations, so
that what a relation means to a question is reckoned once per relation and not once per fact.
"""

from dataclasses import dataclass
from typing import final, no_type_check

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from numba import njit
from numpy import ndarray
from torch import Tensor
from torch.nn.functional import embedding_bag

from kgreason.frontier import Facts
from kgreason.tensors import Frontier
from kgreason.walking import run_end


@final
@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    r"""A sparse matrix $S$ of entities in sight and directed relations, entity by entity.

    Args:
        row: The row of each entity.
        first: Where its entries begin.
        relation: The directed relation of each entry; `r + relations` is the inverse of `r`.
        value: $S_{v,r}$; differentiable.
    """

    row: Int[Tensor, " reached"]
    first: Int[Tensor, " reached"]
    relation: Int[Tensor, " entries"]
    value: Float[Tensor, " entries"]

    @property
    def place(self) -> Int[Tensor, " entries"]:
        """The entity of each entry, as a place in `row`."""
        size = torch.diff(self.first, append=self.first.new_tensor([len(self.relation)]))
        return torch.repeat_interleave(torch.arange(len(self.first)), size)

    def times(self, by_relation: Float[Tensor, "rows directed dim"]) -> Float[Tensor, "reached dim"]:
        r"""Return $(S M)_v = \sum_r S_{v,r} M_{b(v), r}$, with one $M$ for each row $b$, or one for all."""
        flat = by_relation.flatten(0, 1)
        if not len(self.first):
            return flat[:0]
        at = self.relation if len(by_relation) == 1 else self.relation + by_relation.shape[1] * self.row[self.place]
        device = flat.device
        bags: Tensor = embedding_bag(
            at.to(device), flat, self.first.to(device), mode="sum", per_sample_weights=self.value.to(flat)
        )
        return bags


@final
@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """What a hop brought.

    Args:
        frontier: The entities reached, in the order of rows, with the score that came to each.
        counts: The same, relation by relation.
        touched: How many facts each row touched.
    """

    frontier: Frontier
    counts: Counts
    touched: Int[Tensor, " batch"]


def arrive(facts: Facts, frontier: Frontier, budget: int = 0, keep: int = 0) -> Arrivals:
    r"""Move every score along all facts of its entity, and remember by which relation.

    $$S_{v,r} = \sum_{(u, r, v)} p_u$$

    with both directions of every triple, and gradients to $p$.

    Args:
        facts: The graph.
        frontier: $p$.
        budget: How many facts a row may touch, at most, the entities of the highest score first; 0 for any number.
        keep: How many entities of a row go on, at most, those of the highest score; 0 for all.
    """
    quota = _quotas(facts, frontier, budget, keep)
    ptr, entity = frontier.ptr.numpy(), frontier.entity.numpy()
    columns = _arrive(facts.columns, ptr, entity, quota, facts.num_relations, (facts.slot, facts.mark))
    found_ptr, found, first, relation, source, entry = map(torch.from_numpy, columns)
    p = frontier.score.cpu()
    value = p.new_zeros(len(relation)).index_add(0, entry, p[source])
    size = torch.diff(first, append=first.new_tensor([len(relation)]))
    reached = Frontier(found_ptr, found, torch.zeros(len(found)))
    place = torch.repeat_interleave(torch.arange(len(found)), size)
    reached = reached.with_score(reached.score.index_add(0, place, value).to(frontier.score))
    touched = torch.zeros(frontier.num_rows, dtype=torch.long).index_add(0, frontier.row, torch.from_numpy(quota))
    return Arrivals(reached, Counts(reached.row, first, relation, value), touched)


def around(facts: Facts, frontier: Frontier) -> Counts:
    """Return how many facts arrive at each entity of a frontier by each directed relation, as a share of all of its."""
    first, relation, value = map(torch.from_numpy, _around(facts.columns, frontier.entity.numpy(), facts.num_relations))
    return Counts(frontier.row, first, relation, value)


def _quotas(facts: Facts, frontier: Frontier, budget: int, keep: int) -> Int64[ndarray, " reached"]:
    """Return how many facts each entry may touch: all, while the budget of its row lasts, the best entries first."""
    ptr, entity, row = frontier.ptr.numpy(), frontier.entity.numpy(), frontier.row.numpy()
    degree = np.diff(facts.head_ptr)[entity] + np.diff(facts.tail_ptr)[entity]
    order = np.lexsort((-frontier.score.detach().cpu().numpy(), row))
    wanted = degree[order].astype(np.int64)
    if keep:
        wanted[np.arange(len(order)) - ptr[row] >= keep] = 0
    if budget:
        before = np.cumsum(wanted) - wanted
        wanted = np.clip(budget - (before - before[ptr[row]]), 0, wanted)
    quota = np.empty(len(wanted), np.int64)
    quota[order] = wanted
    return quota


@no_type_check
@njit(cache=True)
def _runs(columns, u, quota, half, runs, n):
    """Write the runs of one relation among the facts of an entity, as far as the quota lasts; return their number."""
    head_ptr, relation, _, tail_ptr, inverse, _ = columns
    k, end = head_ptr[u], head_ptr[u + 1]
    while k < end and quota:
        stop = min(run_end(relation, k, end), k + quota)
        runs[n, 0], runs[n, 1], runs[n, 2] = relation[k], k, stop
        quota -= stop - k
        k, n = stop, n + 1
    k, end = tail_ptr[u], tail_ptr[u + 1]
    while k < end and quota:
        stop = min(run_end(inverse, k, end), k + quota)
        runs[n, 0], runs[n, 1], runs[n, 2] = half + inverse[k], k, stop
        quota -= stop - k
        k, n = stop, n + 1
    return n


@no_type_check
@njit(cache=True)
def _arrive(columns, ptr, entity, quota, half, marks):
    """Return what is reached, its entries, and which facts make them up.

    Returns:
        Offsets and entities of the frontier reached; where the entries of each of them begin, and their relations; for
        each fact touched, the place it comes from and the entry it goes to. Both marks are all 0 before and after.
    """
    slot, mark = marks
    room = quota.sum()
    found, place, kind = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64)
    source, entry = np.empty(room, np.int64), np.empty(room, np.int64)
    out_ptr = np.zeros(len(ptr), np.int64)
    n = m = f = 0
    for b in range(len(ptr) - 1):
        base, many = n, 0
        runs = np.empty((np.minimum(quota[ptr[b] : ptr[b + 1]], 2 * half).sum(), 3), np.int64)
        owner = np.empty(len(runs), np.int64)
        for i in range(ptr[b], ptr[b + 1]):
            more = _runs(columns, entity[i], quota[i], half, runs, many)
            owner[many:more] = i
            many = more
        last, begun = -1, m
        # Relation by relation, so that one mark per entity tells whether it has an entry of this relation yet.
        for j in np.argsort(runs[:many, 0], kind="mergesort"):
            r = runs[j, 0]
            if r != last:
                last, begun = r, m
            other = columns[2] if r < half else columns[5]
            for k in range(runs[j, 1], runs[j, 2]):
                v = other[k]
                if slot[v] == 0:
                    found[n] = v
                    n += 1
                    slot[v] = n - base
                if mark[v] <= begun:
                    place[m], kind[m] = base + slot[v] - 1, r
                    m += 1
                    mark[v] = m
                source[f], entry[f] = owner[j], mark[v] - 1
                f += 1
        out_ptr[b + 1] = n
        for j in range(base, n):
            slot[found[j]] = mark[found[j]] = 0
    first, order = _by_entity(place[:m], n)
    moved = np.empty(m, np.int64)
    moved[order] = np.arange(m)
    return out_ptr, found[:n].copy(), first, kind[order], source[:f].copy(), moved[entry[:f]]


@no_type_check
@njit(cache=True)
def _by_entity(place, size):
    """Return where the entries of each entity begin once they are put in order, and that order."""
    ends = np.zeros(size + 1, np.int64)
    for j in place:
        ends[j + 1] += 1
    first = np.cumsum(ends)[:-1].copy()
    free, order = first.copy(), np.empty(len(place), np.int64)
    for m in range(len(place)):
        order[free[place[m]]] = m
        free[place[m]] += 1
    return first, order


@no_type_check
@njit(cache=True)
def _around(columns, entity, half):
    """Return where the entries of each entity begin, their directed relations, and their share of its facts."""
    head_ptr, relation, _, tail_ptr, inverse, _ = columns
    first, most = np.empty(len(entity), np.int64), 0
    for u in entity:
        most += min(2 * half, head_ptr[u + 1] - head_ptr[u] + tail_ptr[u + 1] - tail_ptr[u])
    kind, value = np.empty(most, np.int64), np.empty(most, np.float32)
    n = 0
    for i in range(len(entity)):
        u = entity[i]
        first[i] = n
        whole = head_ptr[u + 1] - head_ptr[u] + tail_ptr[u + 1] - tail_ptr[u]
        k, end = tail_ptr[u], tail_ptr[u + 1]
        while k < end:
            stop = run_end(inverse, k, end)
            kind[n], value[n] = inverse[k], (stop - k) / whole
            k, n = stop, n + 1
        k, end = head_ptr[u], head_ptr[u + 1]
        while k < end:
            stop = run_end(relation, k, end)
            kind[n], value[n] = half + relation[k], (stop - k) / whole
            k, n = stop, n + 1
    return first, kind[:n].copy(), value[:n].copy()

"""What a walk over a whole graph costs: sparse frontier against vectors of all entities, and against the graph's size.

    python tests/bench/bench_walk.py [rows]

One thread. Takes the graph of MetaQA (or, without KGREASON_DATA, a random one of its size), three hops from any film
with weights as training leaves them (one relation has nearly all) and as it finds them (all alike). Three ways to hop,
forward and with backward:

- frontier: `kgreason.frontier.hop`.
- scatter: TransferNet's own way (`e[:, subject] * w[:, relation]`, summed by object): every triple, for every row.
- product: one sparse matrix product per directed relation (`torch.sparse`), with all entities of every row.

Prints facts touched per second, milliseconds, and ratios; then what `instruct` pays, its relations kept apart, beside a
message for every fact. Then the same questions in graphs that hold the same facts
beside 9 and 99 times as many others.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kgreason import frontier
from kgreason.arrivals import arrive
from kgreason.data import KnowledgeGraph, Vocab
from kgreason.data.knowledge import Labels
from kgreason.frontier import Facts
from kgreason.knowledge import open_graph
from kgreason.tensors import Frontier

HOPS, TIMES, THETA, BUDGET = 3, 5, 1e-3, 20_000
Step = Callable[[list[Tensor]], Tensor]


def best(work: Callable[[], object]) -> float:
    """Return the shortest of several runs, in seconds."""
    work()
    times = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def opened() -> tuple[str, KnowledgeGraph]:
    if Path(os.environ.get("KGREASON_DATA", "")).joinpath("metaqa").is_dir():
        return "MetaQA", open_graph("metaqa")
    generator = np.random.default_rng(0)
    ends = (43_000 * generator.random((130_000, 2)) ** 2).astype(np.int32)
    rows = np.stack([ends[:, 0], generator.integers(9, size=len(ends)), ends[:, 1]], 1).astype(np.int32)
    return "random", named(rows, 43_000, 9)


def named(rows: np.ndarray, entities: int, relations: int) -> KnowledgeGraph:
    labels = Labels(
        Vocab([]), *(np.zeros(n, t) for n, t in ((1, np.int64), (0, np.int32), (0, np.float32))), *none(entities)
    )
    kinds = Vocab([f"r{i}" for i in range(relations)])
    return KnowledgeGraph.from_ids(range(entities), kinds, rows, labels)  # type: ignore[arg-type]  # no names are read


def none(entities: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(entities, -1, np.int32), np.full(entities, -1, np.int8)


def questions(knowledge: KnowledgeGraph, rows: int) -> tuple[Tensor, list[Tensor]]:
    """Return the seeds, which have facts as heads, and the weights of directed relations in each hop."""
    generator = torch.Generator().manual_seed(0)
    heads = torch.from_numpy(np.flatnonzero(np.diff(knowledge.head_ptr)))
    seed = heads[torch.randint(len(heads), (rows,), generator=generator)]
    facts, weights = Facts.of(knowledge), []
    front = begin(seed)
    for _ in range(HOPS):
        there = frontier.leaving(facts, front)
        logits = torch.randn(rows, facts.num_directed, generator=generator) + 8 * torch.nn.functional.one_hot(
            torch.multinomial(there.float(), 1, generator=generator)[:, 0], facts.num_directed
        )
        weights.append(logits.masked_fill(~there, -torch.inf).softmax(-1))
        front, _ = frontier.hop(facts, front, weights[-1], THETA)
    return seed, weights


def begin(seed: Tensor) -> Frontier:
    return frontier.seeds(torch.arange(len(seed)), seed, torch.ones(len(seed)), len(seed))


def by_frontier(facts: Facts, seed: Tensor) -> Step:
    def walk(weights: list[Tensor]) -> Tensor:
        front = begin(seed)
        for w in weights:
            front, _ = frontier.hop(facts, front, w, THETA)
        return front.score

    return walk


def by_scatter(knowledge: KnowledgeGraph, seed: Tensor) -> Step:
    head, relation, tail = torch.from_numpy(knowledge.triples.astype(np.int64)).T
    size, many = len(knowledge.entities), len(knowledge.relations)
    source, kind, target = torch.cat([head, tail]), torch.cat([relation, relation + many]), torch.cat([tail, head])

    def walk(weights: list[Tensor]) -> Tensor:
        e = torch.zeros(len(seed), size).index_put((torch.arange(len(seed)), seed), torch.ones(len(seed)))
        for w in weights:
            e = torch.zeros_like(e).index_add(1, target, e[:, source] * w[:, kind])
        return e

    return walk


def by_product(knowledge: KnowledgeGraph, seed: Tensor) -> Step:
    rows, size, many = (
        torch.from_numpy(knowledge.triples.astype(np.int64)),
        len(knowledge.entities),
        len(knowledge.relations),
    )
    sides = [(r, side) for side in ((2, 0), (0, 2)) for r in range(many)]
    matrices = []
    for r, (to, start) in sides:
        some = rows[rows[:, 1] == r]
        there = torch.stack([some[:, to], some[:, start]])
        matrices.append(
            torch.sparse_coo_tensor(there, torch.ones(len(some)), (size, size), check_invariants=False).coalesce()
        )

    def walk(weights: list[Tensor]) -> Tensor:
        e = torch.zeros(len(seed), size).index_put((torch.arange(len(seed)), seed), torch.ones(len(seed)))
        for w in weights:
            moved = [torch.sparse.mm(matrix, (e * w[:, r : r + 1]).T).T for r, matrix in enumerate(matrices)]
            e = torch.stack(moved).sum(0)
        return e

    return walk


def forward_backward(walk: Step, weights: list[Tensor]) -> tuple[float, float]:
    """Return the seconds of a walk without and with gradients."""

    def both() -> None:
        leaves = [w.clone().requires_grad_() for w in weights]
        walk(leaves).square().sum().backward()

    with torch.no_grad():
        ahead = best(lambda: walk(weights))
    return ahead, best(both)


def touched(facts: Facts, seed: Tensor, weights: list[Tensor]) -> int:
    front, total = begin(seed), 0
    for w in weights:
        front, steps = frontier.hop(facts, front, w, THETA)
        total += int(steps.sum())
    return total


def grown(knowledge: KnowledgeGraph, times: int) -> KnowledgeGraph:
    """Return a graph that holds this one beside copies of it, `times` in all: no fact joins two of them."""
    size, rows = len(knowledge.entities), knowledge.triples
    copies = np.repeat(np.arange(times, dtype=np.int32) * size, len(rows))
    more = np.tile(rows, (times, 1))
    more[:, 0] += copies
    more[:, 2] += copies
    return named(more, size * times, len(knowledge.relations))


def bench_arrivals(facts: Facts, seed: Tensor, width: int = 96) -> None:
    """Time what arrives at every entity two hops away: relation by relation, and fact by fact."""
    every = torch.ones(len(seed), facts.num_directed)
    front, _ = frontier.hop(facts, begin(seed), every)
    front = front.with_score(torch.rand_like(front.score))
    meaning = torch.randn(len(seed), facts.num_directed, width)
    found = arrive(facts, front, BUDGET)
    kept = found.touched.sum()
    source = torch.randint(len(front.score), (int(kept),))
    kind, target = torch.randint(facts.num_directed, (2, int(kept)))
    target = target % max(len(found.frontier.entity), 1)
    flat, row = meaning.flatten(0, 1), front.row

    def by_relation(p: Tensor, m: Tensor) -> Tensor:
        return arrive(facts, front.with_score(p), BUDGET).counts.times(m)

    def by_fact(p: Tensor, m: Tensor) -> Tensor:  # as NSM does, its facts being at hand
        message = flat_of(m)[row[source] * facts.num_directed + kind] * p[source, None]
        return torch.zeros(len(found.frontier.entity), width).index_add(0, target, message)

    def flat_of(m: Tensor) -> Tensor:
        return flat if m is meaning else m.flatten(0, 1)

    unit = 0.0
    for what, arriving in (("relation by relation", by_relation), ("fact by fact", by_fact)):

        def both(arriving: Callable[[Tensor, Tensor], Tensor] = arriving) -> None:
            leaves = front.score.clone().requires_grad_(), meaning.clone().requires_grad_()
            arriving(*leaves).sum().backward()

        took = best(both)
        unit = unit or took
        speed = f"{int(kept) / took / 1e6:9.2f} M facts/s{took / unit:9.1f} x"
        sys.stdout.write(f"arrivals, width {width}, {what:22}{1000 * took:10.1f} ms{speed}\n")


def main() -> None:
    rows = int((sys.argv[1:] or ["64"])[0])
    torch.set_num_threads(1)
    tell = sys.stdout.write
    name, knowledge = opened()
    facts = Facts.of(knowledge)
    seed, narrow = questions(knowledge, rows)
    walks = {
        "frontier": by_frontier(facts, seed),
        "scatter": by_scatter(knowledge, seed),
        "product": by_product(knowledge, seed),
    }
    tell(f"{name}: {knowledge!r}, {rows} rows, {HOPS} hops\n")
    alike = [torch.full_like(w, 1 / w.shape[1]) for w in narrow]
    for how, weights in (("one relation has nearly all weight", narrow), ("all relations alike", alike)):
        steps = touched(facts, seed, weights)
        tell(f"{how}: {steps:,} facts touched\n")
        unit: tuple[float, float] | None = None
        for what, walk in walks.items():
            times = forward_backward(walk, weights)
            unit = unit or times
            for part, took, one in zip(("forward", "forward and backward"), times, unit, strict=True):
                speed = f"{steps / took / 1e6:9.2f} M facts/s{took / one:9.1f} x frontier"
                tell(f"  {what:10}{part:22}{1000 * took:10.1f} ms{speed}\n")
    bench_arrivals(facts, seed)
    first = 0.0
    for times in (1, 10, 100):
        more = Facts.of(grown(knowledge, times))
        ahead, both = forward_backward(by_frontier(more, seed), narrow)
        first = first or both
        took = f"{1000 * ahead:9.2f} ms forward {1000 * both:9.2f} with backward {both / first:6.2f} x"
        tell(f"{len(more.tail):12,} triples {took}\n")


if __name__ == "__main__":
    main()

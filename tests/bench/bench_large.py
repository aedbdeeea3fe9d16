"""What a graph like Wikidata costs: build, disk, memory, opening, retrieval; and from there, what Wikidata would.

The synthetic graph is written as Wikidata's truthy N-Triples are: statements between items, one item for 13 of them,
1,000 properties, an English label for every item; heads are uniform, tails follow a power law, as classes and countries
do. All processor times are of one core; the clock of a busy machine says less. What is said of 1.5 G triples is
reckoned from the largest graph that was measured, in proportion to its triples.

Run: python tests/bench/bench_large.py [--triples 5000000 50000000] [--folder /large/disk]
"""
# ruff: noqa: T201

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from bench_build import child

from kgreason.data import KnowledgeGraph
from kgreason.ground import kernels
from kgreason.ground.between import entities_between
from kgreason.ground.facts import Chosen
from kgreason.ground.inside import induce
from kgreason.ground.neighbours import neighbourhood
from kgreason.ground.pagerank import ranked
from kgreason.knowledge import open_store

WIKIDATA = 1_500_000_000
_ITEM, _PROPERTY = "<http://www.wikidata.org/entity/Q", "<http://www.wikidata.org/prop/direct/P"
_COLD = """
import sys, time
from kgreason.knowledge import open_store
start = time.perf_counter()
graph = open_store(sys.argv[1], "size")
opened = time.perf_counter()
graph.out(graph.entities[len(graph.entities) // 2])
print(opened - start, time.perf_counter() - opened)
"""


def write(path: Path, count: int) -> None:
    """Write the graph, a million lines at once."""
    random, items, step = np.random.default_rng(0), max(count // 13, 1), 1_000_000
    with path.open("wb") as file:
        for begin in range(0, count, step):
            size = min(step, count - begin)
            rows = pl.DataFrame(
                {
                    "h": random.integers(0, items, size),
                    "p": random.zipf(1.5, size) % 1000,
                    "t": (items * random.random(size) ** 4).astype(np.int64),
                }
            )
            line = pl.format(f"{_ITEM}{{}}> {_PROPERTY}{{}}> {_ITEM}{{}}> .", "h", "p", "t")
            file.write("\n".join(rows.select(line).to_series()).encode() + b"\n")
        for begin in range(0, items, step):
            numbers = pl.DataFrame({"q": np.arange(begin, min(begin + step, items))})
            line = pl.format(_ITEM + '{}> <http://www.w3.org/2000/01/rdf-schema#label> "item number {}"@en .', "q", "q")
            file.write("\n".join(numbers.select(line).to_series()).encode() + b"\n")


def rate(work: Callable[[Chosen], object], batches: list[Chosen]) -> float:
    """Questions a second, after one batch that warms up; seconds of the processor."""
    work(batches[0])
    start = time.process_time()
    for batch in batches:
        work(batch)
    return sum(len(batch.ptr) - 1 for batch in batches) / (time.process_time() - start)


def asked(graph: KnowledgeGraph, batches: int, size: int = 64) -> list[Chosen]:
    """Batches of questions with 5 to 15 seeds, which are items that the text may well name: more facts, more often."""
    random, out = np.random.default_rng(1), []
    for _ in range(batches):
        rows = [
            np.unique(graph.tail[random.integers(0, graph.num_triples, random.integers(5, 16))]) for _ in range(size)
        ]
        ptr = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        entity = np.concatenate(rows).astype(np.int32)
        out.append(Chosen(ptr, entity, np.ones(len(entity)), np.zeros(size, np.int8)))
    return out


def one(folder: Path, count: int) -> dict[str, float]:
    """Measure one size."""
    path, small = folder / "graph.nt", folder / "small.nt"
    write(path, count)
    write(small, 20_000)
    child("ours", str(small), str(folder / "warm"), str(2**28), str(small), '{"name": "wikidata"}')
    found = child("ours", str(path), str(folder / "store"), str(2**28), str(small), '{"name": "wikidata"}')
    text = path.stat().st_size
    path.unlink()
    triples, seconds = found["triples"], found["seconds"]
    print(f"{count:,} statements ({text / 1e9:.2f} GB), {int(triples):,} of them different; {seconds:.0f} s to build:")
    print("  " + ", ".join(f"{stage} {s:.1f} s" for stage, s in found["stages"].items() if stage))
    print(
        f"  {count / seconds:,.0f} statements a second; peak {found['peak'] / 2**10:,.0f} MB, "
        f"{found['peak'] * 1024 / count:.1f} bytes a statement; disk {found['ids'] / triples:.1f} bytes a triple "
        f"for ids, {found['all'] / triples:.1f} with names and labels"
    )
    said = subprocess.run(
        [sys.executable, "-c", _COLD, str(folder / "store")], capture_output=True, text=True, check=True
    ).stdout.split()
    graph = open_store(folder / "store", "size")
    batches = asked(graph, 5)
    induced = kernels.scratch(len(graph.entities))[0]

    def facts(chosen: Chosen) -> None:
        induce(graph, chosen.ptr, chosen.entity, 10**6, induced)

    rates = {
        "2 hops between seeds, with facts": rate(lambda b: facts(entities_between(graph, b, 200)), batches),
        "2 hops, 200 entities": rate(lambda b: neighbourhood(graph, b, 2, 200, 16), batches),
        "2 hops, 200 entities, with facts": rate(lambda b: facts(neighbourhood(graph, b, 2, 200, 16)), batches),
        "PageRank, best 200, epsilon 1e-5": rate(lambda b: ranked(graph, b, 0.2, 1e-5, 200), batches[:2]),
    }
    print(f"  opened in {float(said[0]) * 1e3:.1f} ms, a first look-up {float(said[1]) * 1e3:.1f} ms")
    for what, number in rates.items():
        print(f"  {what:36} {number:9,.0f} a second, {1000 / number:.2f} ms")
    return {"seconds": seconds / count, "disk": found["all"] / triples, "text": text / count, "peak": found["peak"]}


def main() -> None:
    """Print what was measured, and what Wikidata would cost."""
    options = argparse.ArgumentParser()
    options.add_argument("--triples", type=int, nargs="+", default=[5_000_000, 50_000_000])
    options.add_argument("--folder", type=Path, default=None)
    given = options.parse_args()
    for count in given.triples:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            last = one(Path(folder), count)
    hours = last["seconds"] * WIKIDATA / 3600
    print(
        f"Wikidata, {WIKIDATA:,} statements between items, in proportion to the last: "
        f"{last['text'] * WIKIDATA / 1e9:,.0f} GB of N-Triples, {hours:.1f} hours of one core, "
        f"{last['disk'] * WIKIDATA / 1e9:,.0f} GB of store"
    )


if __name__ == "__main__":
    main()

"""How fast and how small the store is, beside rdflib and networkx, on the same triples in one run.

Run: python tests/bench/bench_knowledge.py [--triples 500000] [--wordnet /usr/share/wordnet]
"""
# ruff: noqa: T201

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import networkx as nx
import numpy as np
from rdflib import Graph

from kgreason.knowledge import RdfSource, TriplesSource, WordNetSource, open_graph, open_store, save_store

T = TypeVar("T")


def timed(name: str, work: Callable[[], T], triples: int = 0) -> tuple[T, float]:
    """Run once; print seconds of this process (all threads) and, if asked, triples a second."""
    gc.collect()
    wall, start = time.perf_counter(), time.process_time()
    result = work()
    seconds, elapsed = time.process_time() - start, time.perf_counter() - wall
    rate = f"  {triples / seconds:>11,.0f} triples/s" if triples else ""
    print(f"  {name:58} {seconds:8.3f} s cpu {elapsed:8.3f} s wall{rate}")
    return result, seconds


def resident() -> int:
    """Return the bytes of memory this process holds (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def networkx_graph(path: Path) -> nx.MultiDiGraph:
    """Build what QA-GNN and its followers build: one MultiDiGraph with an attribute on every edge."""
    network = nx.MultiDiGraph()
    with path.open(encoding="utf-8") as file:
        for line in file:
            head, relation, tail = line.rstrip("\n").split("\t")
            network.add_edge(head, tail, rel=relation, weight=1.0)
    return network


def wordnet(folder: Path) -> None:
    print("WordNet")
    graph, _ = timed("database files to graph", lambda: WordNetSource(folder)())
    with tempfile.TemporaryDirectory() as cache:
        os.environ["KGREASON_CACHE"] = cache
        timed("graph to store", lambda: save_store(graph, Path(cache) / "store"))
        timed("first opening (unpack what ships, store it, map it)", lambda: open_graph("wordnet"))
        timed("next opening (every checksum read)", lambda: open_graph("wordnet"))
        timed("opening with sizes checked", lambda: open_store(Path(cache) / "store", "size"))


def large(triples: int, folder: Path) -> None:
    random = np.random.default_rng(0)
    entities = triples // 3
    heads, tails = (random.zipf(1.3, triples) % entities, random.integers(0, entities, triples))
    kinds = random.integers(0, 20, triples)
    rows = [f"entity number {h}\tr{r}\tentity number {t}\n" for h, r, t in zip(heads, kinds, tails, strict=True)]
    tsv, nt = folder / "graph.tsv", folder / "graph.nt"
    tsv.write_text("".join(rows), encoding="utf-8")
    part = max(triples // 10, 1)
    lines = [f"<http://e/{h}> <http://r/{r}> <http://e/{t}> .\n" for h, r, t in zip(heads, kinds, tails, strict=True)]
    nt.write_text("".join(lines[:part]), encoding="utf-8")
    del rows, lines
    print(f"TSV of {triples:,} triples; N-Triples of {part:,} for rdflib")
    source = TriplesSource(tsv)
    graph, ours = timed("TSV to graph (polars, numpy)", lambda: source(), triples)
    store, saved = timed("graph to store", lambda: save_store(graph, folder / "store"), triples)
    opened, opening = timed("store opened, every checksum read", lambda: open_store(store))
    _, small = timed("store opened, sizes checked", lambda: open_store(store, "size"))
    _, ours_rdf = timed("N-Triples to graph (through rdflib)", lambda: RdfSource(nt)(), part)
    _, rdflib = timed("rdflib: N-Triples to rdflib.Graph", lambda: Graph().parse(nt, format="nt"), part)
    before = resident()
    network, theirs = timed("networkx: TSV to MultiDiGraph", lambda: networkx_graph(tsv), triples)
    taken = (resident() - before) / triples
    columns = next(store.glob("columns-*"))
    links = 2 * (4 + opened.relation.itemsize) + 2 * opened.head_ptr.nbytes / opened.num_triples
    disk = sum(path.stat().st_size for path in columns.iterdir()) / opened.num_triples
    one = (ours + saved) / triples
    print("Ratios")
    print(f"  building, a triple: rdflib's parse / ours with the store     {rdflib / part / one:8.1f} x")
    print(f"  building, a triple: networkx / ours with the store           {theirs / triples / one:8.1f} x")
    print(f"  networkx built / store opened                                {theirs / opening:8.0f} x")
    print(f"  RDF through rdflib: ours / rdflib's parse alone              {ours_rdf / rdflib:8.2f} x")
    print(f"  bytes a triple: {links:.1f} links, {disk:.1f} with all strings and labels")
    print(f"  bytes a triple: {taken:,.0f} networkx, {taken / links:.0f} x the links, {taken / disk:.0f} x all")
    names = [opened.entities[int(i)] for i in random.integers(0, len(opened.entities), 20_000)]
    _, seconds = timed("20,000 names to ids in the mapped table", lambda: [opened.entities.id(name) for name in names])
    print(
        f"  {seconds / 20_000 * 1e6:.1f} µs a name; opened in {small * 1e3:.1f} ms; {network.number_of_edges():,} edges"
    )


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser()
    options.add_argument("--triples", type=int, default=500_000)
    options.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    given = options.parse_args()
    if (given.wordnet / "data.noun").is_file():
        wordnet(given.wordnet)
    with tempfile.TemporaryDirectory() as folder:
        large(given.triples, Path(folder))


if __name__ == "__main__":
    main()

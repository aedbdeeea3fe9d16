"""What a graph costs that stays at an endpoint: latencies, batch sizes, neighbourhoods, a dump. On this machine alone.

Run: python tests/bench/bench_sparql.py [--entities 50000 --triples 200000] [--server virtuoso]

The graph is made: heads evenly, tails by a power law, 20 relations, every entity with an English label. Times are wall
clock, the median of some calls, each about other entities, none from the cache unless it says so; and processor times.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from kgreason.knowledge import RdfSource  # noqa: E402
from kgreason.knowledge.sparql import Limits, RemoteGraph  # noqa: E402
from kgreason.knowledge.sparql_dump import Dump  # noqa: E402
from tests import servers  # noqa: E402

GRAPH = "urn:bench"


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"


def made(path: Path, entities: int, triples: int) -> None:
    """Write the graph."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, entities + 1) ** 0.8
    tails = rng.permutation(entities)[rng.choice(entities, triples, p=share / share.sum())]
    rows = zip(
        rng.integers(0, entities, triples).tolist(), rng.integers(0, 20, triples).tolist(), tails.tolist(), strict=True
    )
    with path.open("w") as file:
        file.writelines(f"<http://b/e{h}> <http://b/r{r}> <http://b/e{t}> .\n" for h, r, t in rows)
        file.writelines(f'<http://b/e{i}> {LABEL} "Entity {i}"@en .\n' for i in range(entities))


class Clock:
    """Times calls: wall clock, and the processor time of the server and of this process, whatever else runs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def server(self) -> float:
        """Return the processor time of the server, in milliseconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __call__(self, what: str, calls: list[Callable[[], Any]]) -> None:
        """Time some calls and say the median of the wall clock, and the mean processor times."""
        times, said, begun, mine = [], "", self.server(), time.process_time()
        for call in calls:
            begin = time.perf_counter()
            found = call()
            times.append(1000 * (time.perf_counter() - begin))
            said = str(found) if isinstance(found, str) else f"{len(found):,}"
        server, client = (self.server() - begun) / len(calls), 1000 * (time.process_time() - mine) / len(calls)
        say(f"  {what:46} {statistics.median(times):9.1f} {server:9.1f} {client:9.1f} ms   {said}")


def measure(server: servers.Server, file: Path, folder: Path, entities: int) -> None:
    """Measure one server."""
    begin = time.perf_counter()
    server.load(file, GRAPH)
    say(f"  loaded in {time.perf_counter() - begin:.1f} s")
    rng, timed = random.Random(0), Clock(server.pid)
    say(f"  {'':46} {'wall':>9} {'server':>9} {'here':>9}")

    def remote(days: float = 0.0) -> RemoteGraph:
        return RemoteGraph(server.endpoint, GRAPH, limits=Limits(days=days, hub=1000))

    def some(size: int) -> list[str]:
        return [f"http://b/e{i}" for i in rng.sample(range(entities), size)]

    timed("relations, counted", [remote().relations])
    for size in (1, 10, 100, 200, 500, 2000):
        names = [[f"Entity {i}" for i in rng.sample(range(entities), size)] for _ in range(5)]
        timed(f"what {size} names mean", [lambda n=n: remote().names.meaning(n) for n in names])  # type: ignore[misc]
    for size in (1, 10, 100, 200, 500, 2000):
        batches = [some(size) for _ in range(5)]
        timed(f"labels of {size} entities", [lambda b=b: remote().names.of(b) for b in batches])  # type: ignore[misc]
        timed(f"facts of {size} entities, counted, then fetched", [lambda b=b: near(remote(), b, 1) for b in batches])  # type: ignore[misc]
    for hops in (1, 2):
        seeds = [some(1) for _ in range(5)]
        kept = remote(days=1.0)
        kept.relations()  # asked once for each endpoint
        calls = [partial(kept.around, s, hops) for s in seeds]
        timed(f"graph around one entity, {hops} hops", [lambda c=c: str(c()) for c in calls])  # type: ignore[misc]
    seeds, cached = some(1), remote(days=1.0)
    cached.around(seeds, 2)
    timed("the same once more, from the cache", [lambda: str(cached.around(seeds, 2))] * 3)
    pairs = [some(2) for _ in range(5)]
    timed("a path between two entities", [lambda p=p: remote().path(*p) for p in pairs])  # type: ignore[misc]
    begin = time.perf_counter()
    files = Dump(remote(), folder / "dump").fetch()
    seconds = time.perf_counter() - begin
    graph = RdfSource(files)()
    rows = graph.num_triples + len(graph.labels.names)
    say(f"  dump: {rows:,} facts and names in {seconds:.1f} s, {rows / seconds:,.0f} a second; {graph}")


def near(remote: RemoteGraph, entities: list[str], hops: int) -> list[Any]:
    """Return the facts around entities."""
    return remote.neighbourhood(entities, hops).triples


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=50_000)
    parser.add_argument("--triples", type=int, default=200_000)
    parser.add_argument("--server", choices=["virtuoso", "oxigraph"], action="append")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        made(Path(name) / "graph.nt", wanted.entities, wanted.triples)
        for server in wanted.server or ["virtuoso", "oxigraph"]:
            folder = Path(name) / server
            folder.mkdir()
            say(f"{server}: {wanted.triples:,} triples, {wanted.entities:,} entities")
            with getattr(servers, server)(folder) as running:
                measure(running, Path(name) / "graph.nt", folder, wanted.entities)


if __name__ == "__main__":
    main()

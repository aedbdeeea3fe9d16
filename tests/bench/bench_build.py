"""How fast, in how much memory and how small a graph is built, beside rdflib and the parts of other ways.

Every build is a process of its own, so that its peak of memory is its own (Python and the libraries, about 110 MB,
included). Times are of the processor (all threads, one is used), so that a busy machine counts for less; kernels are
compiled before. The synthetic graph has as many triples as you say, 20 relations, a tenth as many entities; heads
follow a power law, tails are uniform, and the lines stand in no order, the worst case for a table of names.

Run: python tests/bench/bench_build.py [--triples 5000000] [--data $KGREASON_DATA]
"""
# ruff: noqa: T201

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

_CHILD = """
import json, pathlib, sys, time
what, path, out, memory = sys.argv[1:5]
def high():  # kB; unlike ru_maxrss it begins anew with the process
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
if what == "ours":
    from kgreason.knowledge import SOURCES, build_store, open_store, source_table
    stages, last = {}, ["", 0.0]
    def tell(p):
        now = time.process_time()
        stages[last[0]] = stages.get(last[0], 0.0) + now - last[1]
        last[:] = [p.stage, now]
    def source(name):
        return SOURCES.build({**source_table([pathlib.Path(name)]), **json.loads(sys.argv[6])})
    build_store(source(sys.argv[5]), out + "-warm")  # the kernels are compiled, or loaded
    begin = high()
    start = last[1] = time.process_time()
    store = build_store(source(path), out, memory=int(memory), tell=tell)
    seconds = time.process_time() - start
    tell(type("P", (), {"stage": ""}))
    peak = high()
    graph = open_store(store, "size")
    sizes = {p.name: p.stat().st_size for p in next(store.glob("columns-*")).iterdir()}
    ids = sum(v for k, v in sizes.items() if k in ("head", "tail", "relation", "inverse", "head_ptr", "tail_ptr"))
    told = {"triples": graph.num_triples, "ids": ids, "all": sum(sizes.values()), "stages": stages}
else:
    start = time.process_time()
    if what == "rdflib":
        from rdflib import Graph
        start = time.process_time()
        told = {"triples": len(Graph().parse(path, format=sys.argv[5]))}
    elif what == "pyoxigraph":
        import pyoxigraph as ox
        start = time.process_time()
        told = {"triples": sum(1 for _ in ox.parse(path=path))}
    else:
        import polars as pl
        start = time.process_time()
        rows = pl.read_csv(path, separator="\\t", has_header=False, quote_char=None)
        ids = pl.concat([rows.to_series(0), rows.to_series(2)]).cast(pl.Categorical).to_physical()
        told = {"triples": len(rows), "distinct": int(ids.max()) + 1}
    seconds, begin, peak = time.process_time() - start, 0, high()
print(json.dumps({"seconds": seconds, "begin": begin, "peak": peak, **told}))
"""
_OPEN = """
import sys, time
from kgreason.knowledge import open_store
start, begin = time.perf_counter(), time.process_time()
graph = open_store(sys.argv[1], sys.argv[2])
graph.out(graph.entities[len(graph.entities) // 2])
print(time.perf_counter() - start, time.process_time() - begin)
"""


def child(*words: str) -> dict[str, float]:
    """Run one way of reading in a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *words], capture_output=True, text=True, check=True, env=environment
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def write(folder: Path, count: int) -> dict[str, Path]:
    """Write the synthetic graph in three forms, and a hundredth of it for warming up."""
    random, entities = np.random.default_rng(0), max(count // 10, 1)
    paths = {form: folder / f"graph.{form}" for form in ("tsv", "nt", "ttl")}
    small = {form: folder / f"small.{form}" for form in paths}
    lines = {
        "tsv": lambda h, r, t: f"entity number {h}\trelation {r}\tentity number {t}\n",
        "nt": lambda h, r, t: (
            f"<http://example.org/id/E{h}> <http://example.org/p/r{r}> <http://example.org/id/E{t}> .\n"
        ),
        "ttl": lambda h, r, t: f"e:E{h} p:r{r} e:E{t} .\n",
    }
    heads = {"ttl": "@prefix e: <http://e.example/id/> .\n@prefix p: <http://e.example/p/> .\n"}
    files = {form: path.open("w") for form, path in paths.items()}
    for form, file in files.items():
        file.write(heads.get(form, ""))
    for begin in range(0, count, 1_000_000):
        size = min(1_000_000, count - begin)
        triples = np.stack(
            [random.zipf(1.3, size) % entities, random.integers(0, 20, size), random.integers(0, entities, size)],
            axis=1,
        ).tolist()
        for form, file in files.items():
            file.writelines(lines[form](*row) for row in triples)
            if begin == 0:
                small[form].write_text(heads.get(form, "") + "".join(lines[form](*row) for row in triples[:5000]))
    for file in files.values():
        file.close()
    return {**paths, **{f"small.{form}": path for form, path in small.items()}}


def show(name: str, lines: int, found: dict[str, float], beside: str = "") -> float:
    """Print a line; return triples a second."""
    rate = lines / found["seconds"]
    peak = found["peak"] * 1024 / lines
    disk = (
        f"  {found['ids'] / found['triples']:5.1f} ids {found['all'] / found['triples']:5.1f} all"
        if "ids" in found
        else ""
    )
    print(f"  {name:44} {found['seconds']:7.2f} s {rate:>11,.0f}/s  peak {peak:7.1f} B/triple{disk}  {beside}")
    return rate


def synthetic(folder: Path, count: int) -> None:
    """Build from three forms; rdflib, pyoxigraph's parser alone and polars beside them."""
    print(f"{count:,} synthetic triples: seconds of the processor, triples a second, peak memory, bytes on disk")
    files = write(folder, count)
    part = folder / "part.nt"
    with files["nt"].open() as file:
        part.write_text("".join(next(file) for _ in range(min(count, 200_000))))
    slow = child("rdflib", str(part), "", "0", "nt")
    base = min(count, 200_000) / slow["seconds"]
    for form in ("nt", "ttl", "tsv"):  # a process that compiles kernels needs memory that others do not
        child("ours", str(files[f"small.{form}"]), str(folder / "warm"), str(2**28), str(files[f"small.{form}"]), "{}")
    rates = {}
    for form, target in (("nt", 500_000), ("ttl", 300_000), ("tsv", 1_200_000)):
        found = child(
            "ours", str(files[form]), str(folder / f"store-{form}"), str(2**28), str(files[f"small.{form}"]), "{}"
        )
        rates[form] = show(f"ours, {form} to store (wanted: {target:,})", count, found)
        stages = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in found["stages"].items() if stage)
        print(f"{'':46} {stages}")
    found = child("ours", str(files["tsv"]), str(folder / "store-few"), str(2**24), str(files["small.tsv"]), "{}")
    show("ours, tsv, runs of 16 MB joined on disk", count, found)
    show("pyoxigraph, parsing nt alone", count, child("pyoxigraph", str(files["nt"]), "", "0"))
    show("pyoxigraph, parsing ttl alone", count, child("pyoxigraph", str(files["ttl"]), "", "0"))
    show("polars, tsv to ids of entities alone", count, child("polars", str(files["tsv"]), "", "0"))
    show("rdflib, parsing nt alone (200,000 triples)", min(count, 200_000), slow)
    print("  ratios to rdflib's parse:", ", ".join(f"{form} {rate / base:.0f} x" for form, rate in rates.items()))
    for how in ("size", "once", "checksum"):
        said = subprocess.run(
            [sys.executable, "-c", _OPEN, str(folder / "store-nt"), how], capture_output=True, text=True, check=True
        )
        clock, processor = (1000 * float(each) for each in said.stdout.split())
        print(f"  opened in a new process, verify = {how:9} {clock:8.1f} ms, of the processor {processor:.1f} ms")


def real(folder: Path, data: Path) -> None:
    """Build real graphs."""
    print("Real graphs")
    conceptnet = json.dumps({"relation": 1, "head": 2, "tail": 3, "form": "tsv"})
    for name, options, syntax in (
        ("metaqa/graph.tsv", "{}", ""),
        ("conceptnet100k/train.txt", conceptnet, ""),
        ("ontologies/schemaorg-all-https.nt", "{}", "nt"),
        ("ontologies/schemaorg-all-https.ttl", "{}", "turtle"),
        ("ontologies/schemaorg-all-https.jsonld", "{}", "json-ld"),
        ("ontologies/EDAM_1.25.owl", "{}", "xml"),
        ("ontologies/pizza.owl", "{}", "xml"),
        ("ontologies/DO_rare_slim.obo", "{}", ""),
    ):
        path, out = str(data / name), str(folder / f"store-of-{Path(name).name}")
        if not Path(path).exists():
            continue
        found = child("ours", path, out, str(2**28), path, options)
        beside = ""
        if syntax:
            slow = child("rdflib", path, "", "0", syntax)
            beside = f"rdflib parses it in {slow['seconds']:.2f} s, {slow['seconds'] / found['seconds']:.0f} x"
        show(f"{name}: {int(found['triples']):,}", int(found["triples"]), found, beside)


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser()
    options.add_argument("--triples", type=int, default=5_000_000)
    options.add_argument("--data", type=Path, default=Path(os.environ.get("KGREASON_DATA", "nowhere")))
    given = options.parse_args()
    began = time.time()
    with tempfile.TemporaryDirectory() as folder:
        synthetic(Path(folder), given.triples)
        if given.data.is_dir():
            real(Path(folder), given.data)
    print(f"{time.time() - began:.0f} s in all")


if __name__ == "__main__":
    main()

"""What `encode` costs beside the usual way, same input and same numbers, in one run.

    pytest does not collect this; run it:  python tests/bench/bench_encode.py [threads]

CPU time of the process, the median of several runs; ratios are what counts. Takes under a minute on one idle core.
"""

# ruff: noqa: T201

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kgreason import runtime

runtime.tune(int(sys.argv[1]) if len(sys.argv) > 1 else 1)

import torch  # noqa: E402  # after the process is tuned
from torch import Tensor  # noqa: E402

from kgreason.encode import PretrainedLanguage  # noqa: E402
from kgreason.encode.attend import RGATLayer  # noqa: E402
from kgreason.encode.convolve import RGCNLayer  # noqa: E402
from kgreason.encode.graph import BothWays  # noqa: E402
from kgreason.segments import segment_softmax, segment_sum  # noqa: E402
from kgreason.tensors import GraphBatch  # noqa: E402

#: As in the first look: 64 graphs of 200 nodes and 1,000 edges, 38 relations with their inverses, width 200.
GRAPHS, NODES, EDGES, RELATIONS, DIM, HEADS = 64, 200, 1000, 19, 200, 4
PAIRS = 18_000


def clock(work: Callable[[], object], runs: int = 3) -> float:
    """Median CPU milliseconds; one run more, first, that is not counted."""
    times = []
    for _ in range(runs + 1):
        begin = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - begin))
    return statistics.median(times[1:])


def report(what: str, usual: float, ours: float) -> None:
    print(f"{what:<66} {usual:>9.2f} ms  →  {ours:>8.2f} ms   × {usual / ours:.1f}", flush=True)


def compare(what: str, usual: Callable[[], Tensor], ours: Callable[[], Tensor]) -> None:
    for part, before, after in zip(("forward", "forward and backward"), both(usual), both(ours), strict=True):
        report(f"{what}, {part}", before, after)


def graph() -> tuple[Tensor, BothWays]:
    torch.manual_seed(0)
    first = torch.arange(GRAPHS).repeat_interleave(EDGES) * NODES
    source, target = (torch.randint(NODES, (GRAPHS * EDGES,)) + first for _ in range(2))
    kind = torch.randint(2 * RELATIONS, (GRAPHS * EDGES,))
    score = torch.ones(GRAPHS * EDGES)
    x = torch.randn(GRAPHS * NODES, DIM, requires_grad=True)
    return x, BothWays(source, target, kind, score, GRAPHS * NODES, RELATIONS)


def both(layer: Callable[[], Tensor]) -> tuple[float, float]:
    with torch.no_grad():
        forward = clock(layer)
    return forward, clock(lambda: layer().sum().backward(), runs=2)


def rgcn() -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """PyG's layer and ours, with the same weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch_geometric.nn import RGCNConv
    x, edges = graph()
    ours, theirs = RGCNLayer(DIM, 2 * RELATIONS, 0), RGCNConv(DIM, DIM, 2 * RELATIONS)
    with torch.no_grad():
        theirs.weight.copy_(ours.basis)
        theirs.root.copy_(ours.root.weight.T)
        theirs.bias.copy_(ours.root.bias)
    index = torch.stack([edges.source, edges.target])
    torch.testing.assert_close(ours(x, ours.plan(edges)), theirs(x, index, edges.kind), atol=1e-3, rtol=1e-3)
    return lambda: theirs(x, index, edges.kind), lambda: ours(x, ours.plan(edges))


def plain_rgat(layer: RGATLayer, x: Tensor, edges: BothWays) -> Tensor:
    """The formula as it is usually written: linear maps of concatenated rows, edge by edge."""
    edges = edges.with_loops()
    z, width = layer.relation[edges.kind], DIM // HEADS
    q = layer.query(x[edges.source]).view(-1, HEADS, width) / width**0.5
    k = layer.key(torch.cat([x[edges.target], z], 1)).view(-1, HEADS, width)
    m = layer.message(torch.cat([x[edges.source], z], 1)).view(-1, HEADS, width)
    degree = torch.bincount(edges.source, minlength=len(x))[edges.source]
    alpha = segment_softmax((q * k).sum(-1), edges.source, len(x)) * degree[:, None]
    total: Tensor = layer.mlp(segment_sum((alpha[..., None] * m).flatten(1), edges.target, len(x)))
    return total


def rgat() -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """The plain formula and our layer."""
    x, edges = graph()
    layer = RGATLayer(DIM, RELATIONS, HEADS)
    plan = layer.plan(edges)  # shared by all layers of a stack
    torch.testing.assert_close(layer(x, plan), plain_rgat(layer, x, edges), atol=1e-4, rtol=1e-4)
    return lambda: plain_rgat(layer, x, edges), lambda: layer(x, plan)


def rows(lengths: Tensor) -> GraphBatch:
    """Random tokens of these lengths, padded to the longest; no graph."""
    size, width = len(lengths), int(lengths.max())
    mask = torch.arange(width) < lengths[:, None]
    none, pairs = torch.zeros(0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.long)
    here = torch.arange(size)
    return GraphBatch(
        input_ids=torch.randint(1000, 20000, (size, width)),
        token_mask=mask,
        token_text=torch.where(mask, 0, -1),
        group=here,
        node_graph=none,
        node_type=none,
        node_text=none,
        node_pos=none,
        node_entity=none,
        node_score=torch.zeros(0),
        edge_index=pairs,
        edge_kind=none,
        edge_type=none,
        edge_relation=none,
        edge_score=torch.zeros(0),
        link_index=pairs,
        pair_index=pairs,
        pair_type=none,
        example=here,
    )


def language() -> None:
    """Lengths as in SNLI pairs: mean 27 tokens, some up to 80."""
    torch.manual_seed(0)
    lengths = (torch.randn(256) * 0.33 + 3.25).exp().long().clamp(10, 90)
    shuffled, ordered = lengths.split(32), lengths.sort().values.split(32)
    per_pair = 1e3 / len(lengths)  # of what is timed, to 1,000 pairs
    for precision in ("float32", "auto"):
        lm = PretrainedLanguage("minilm", precision=precision, cache_gb=0)
        mixed = clock(lambda lm=lm: [lm(rows(part)) for part in shuffled], runs=1)  # type: ignore[misc]
        near = clock(lambda lm=lm: [lm(rows(part)) for part in ordered], runs=1)  # type: ignore[misc]
        report(f"MiniLM {precision}, 1,000 pairs: batches as they come, by length", mixed * per_pair, near * per_pair)
    cached_epoch(ordered, near / len(lengths))


def cached_epoch(batches: tuple[Tensor, ...], forward: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KGREASON_CACHE"] = folder
        lm = PretrainedLanguage("minilm")
        drawn = [rows(part) for part in batches]
        for batch in drawn:
            lm(batch)
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.f16"))
        fetch = clock(lambda: [lm(replace(batch)) for batch in drawn]) / sum(map(len, batches))
    report("MiniLM, one pair: run (auto) against states from disk", forward, fetch)
    seconds, disk = fetch * PAIRS / 1e3, size / sum(map(len, batches)) * PAIRS / 1e6
    print(f"{PAIRS:,} pairs: {seconds:.1f} s an epoch from disk ({disk:.0f} MB), {forward * PAIRS / 1e3:.0f} s run")


def main() -> None:
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), bfloat16: {runtime.has_bfloat16()}")
    compare("R-GCN layer, PyG against ours", *rgcn())
    compare("QA-GNN attention layer, plain against factored", *rgat())
    language()


if __name__ == "__main__":
    main()

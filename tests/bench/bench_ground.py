"""How fast grounding is, beside what the field does: same input, same output, one run, CPU time of one thread.

    python tests/bench/bench_ground.py [--entities 100000 --triples 300000 --labels 200000]

The sizes of QA-GNN's ConceptNet are `--entities 800000 --triples 2500000`; networkx alone then takes minutes and 4 GB.
"""

# ruff: noqa: T201

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Sequence

import ahocorasick_rs
import networkx as nx
import numpy as np
import torch
from numpy import ndarray
from scipy.sparse import csr_matrix
from torch_geometric.utils import k_hop_subgraph

from kgreason.data import EdgeType, KnowledgeGraph, LogicGraph, NodeType, Vocab
from kgreason.data.knowledge import Labels
from kgreason.ground import BetweenGrounder, LinkGrounder, NeighbourGrounder, kernels, perturb_graph
from kgreason.ground.between import entities_between
from kgreason.ground.facts import Chosen, seeds_of
from kgreason.ground.index import LabelIndex, label_index
from kgreason.ground.inside import induce
from kgreason.ground.neighbours import neighbourhood
from kgreason.ground.pagerank import ranked
from kgreason.rooms import Grounder

TOPICS, RELATIONS = 20, 17


def timed(work: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def ends(rng: np.random.Generator, size: int, entities: int) -> ndarray:
    """Entities with Zipf-like degrees; entity `e` is of topic `e % TOPICS`."""
    return (entities * rng.random(size) ** 4).astype(np.int32)


def synthetic(entities: int, triples: int) -> KnowledgeGraph:
    rng = np.random.default_rng(0)
    head, tail = ends(rng, triples, entities), ends(rng, triples, entities)
    near = rng.random(triples) < 0.7  # most triples stay within a topic
    tail[near] = np.minimum(tail[near] // TOPICS * TOPICS + head[near] % TOPICS, entities - 1)
    rows = np.stack([head, rng.integers(0, RELATIONS, triples, dtype=np.int32), tail], 1).astype(np.int32)
    names = Vocab(f"e{i:07}" for i in range(entities))
    labels = Labels(
        names=names,
        ptr=np.arange(entities + 1, dtype=np.int64),
        entity=np.arange(entities, dtype=np.int32),
        score=np.ones(entities, np.float32),
        preferred=np.arange(entities, dtype=np.int32),
        pos=np.full(entities, -1, np.int8),
    )
    return KnowledgeGraph.from_ids(names, Vocab(f"r{i}" for i in range(RELATIONS)), rows[head != tail], labels)


def questions(entities: int, count: int) -> list[list[int]]:
    rng = np.random.default_rng(1)
    asked = []
    for _ in range(count):
        topic, size = int(rng.integers(TOPICS)), int(rng.integers(5, 16))
        drawn = (entities * rng.random(size) ** 6).astype(int) // TOPICS * TOPICS + topic  # common words
        asked.append(sorted(set(np.minimum(drawn, entities - 1).tolist())))
    return asked


def batch_of(asked: Sequence[list[int]]) -> Chosen:
    flat = np.array([e for seeds in asked for e in seeds], np.int32)
    ptr = np.cumsum([0, *map(len, asked)]).astype(np.int64)
    return Chosen(ptr, flat, np.ones(len(flat)), np.zeros(len(asked), np.int8))


def qagnn(multi: nx.MultiDiGraph, simple: nx.Graph, seeds: list[int]) -> tuple[set[int], set[tuple[int, int, int]]]:
    """QA-GNN's subgraph in the way of its code: all pairs of seeds, then `has_edge` for all pairs of nodes."""
    extra: set[int] = set()
    for a, b in itertools.permutations(seeds, 2):
        if a in simple and b in simple:
            extra |= set(simple[a]) & set(simple[b])
    nodes = [*seeds, *sorted(extra - set(seeds))]
    edges = set()
    for a in nodes:
        for b in nodes:
            if multi.has_edge(a, b):
                edges.update((a, data["rel"], b) for data in multi[a][b].values())
    return set(nodes), edges


def induced(graph: KnowledgeGraph, chosen: Chosen) -> tuple[ndarray, ndarray]:
    place = kernels.scratch(len(graph.entities))[0]
    ptr, edges, _ = induce(graph, chosen.ptr, chosen.entity, 10**6, place)
    return ptr, edges


def bench_between(graph: KnowledgeGraph, asked: list[list[int]]) -> None:
    triples = graph.triples.tolist()

    def build() -> tuple[nx.MultiDiGraph, nx.Graph]:
        multi = nx.MultiDiGraph()
        multi.add_edges_from((h, t, {"rel": r}) for h, r, t in triples)
        return multi, nx.Graph(multi)

    build_s, networks = timed(build)
    multi, simple = networks
    ours_build_s, _ = timed(
        lambda: KnowledgeGraph.from_ids(graph.entities, graph.relations, graph.triples, graph.labels)
    )
    theirs = [timed(lambda seeds=seeds: qagnn(multi, simple, seeds)) for seeds in asked]

    def ours() -> tuple[Chosen, tuple[ndarray, ndarray]]:
        chosen = entities_between(graph, batch_of(asked), 10**6)
        return chosen, induced(graph, chosen)

    ours()
    ours_s, found = min((timed(ours) for _ in range(5)), key=lambda run: run[0])
    chosen, (ptr, edges) = found
    differ = 0
    for g, (_, want) in enumerate(theirs):
        own = chosen.entity[chosen.ptr[g] : chosen.ptr[g + 1]]
        rows = edges[ptr[g] : ptr[g + 1]]
        got = set(
            zip(own[rows[:, 0]].tolist(), graph.relation[rows[:, 2]].tolist(), own[rows[:, 1]].tolist(), strict=True)
        )
        differ += (set(own.tolist()), got) != want
    theirs_ms, per_question = 1000 * statistics.mean(seconds for seconds, _ in theirs), len(chosen.entity) / len(asked)
    ours_ms = 1000 * ours_s / len(asked)
    per_edges = len(edges) / len(asked)
    print(f"2-hop subgraph between seeds, {len(asked)} questions, {per_question:.0f} nodes, {per_edges:.0f} edges each")
    print(f"  networkx, QA-GNN's way  {theirs_ms:9.3f} ms   build {build_s:6.1f} s")
    print(f"  kgreason                {ours_ms:9.3f} ms   build {ours_build_s:6.1f} s")
    print(
        f"  ratio {theirs_ms / ours_ms:.0f}x, build {build_s / ours_build_s:.0f}x; outputs differ in {differ} questions"
    )


def bench_ours(graph: KnowledgeGraph, asked: list[list[int]]) -> None:
    """The same without networkx, for graphs that it has no memory for."""
    batch = batch_of(asked)

    def ours() -> tuple[Chosen, tuple[ndarray, ndarray]]:
        chosen = entities_between(graph, batch, 10**6)
        return chosen, induced(graph, chosen)

    ours()
    seconds, _ = min((timed(ours) for _ in range(5)), key=_time)
    print(f"2-hop subgraph between seeds: {len(asked) / seconds:,.0f} a second")


def bench_walk(graph: KnowledgeGraph, asked: list[list[int]]) -> None:
    triples = graph.triples
    both = torch.from_numpy(np.hstack([triples[:, [0, 2]].T, triples[:, [2, 0]].T]).astype(np.int64))
    few = asked[:8]
    theirs = [timed(lambda s=s: k_hop_subgraph(s, 2, both, num_nodes=len(graph.entities))[0]) for s in few]

    def whole() -> Chosen:
        chosen = neighbourhood(graph, batch_of(few), 2, 10**9, 10**9)
        induced(graph, chosen)
        return chosen

    def budget() -> Chosen:
        chosen = neighbourhood(graph, batch_of(asked), 2, 200, 16)
        induced(graph, chosen)
        return chosen

    for work in (whole, budget):
        work()
    whole_s, chosen = min((timed(whole) for _ in range(3)), key=lambda run: run[0])
    budget_s, _ = min((timed(budget) for _ in range(5)), key=lambda run: run[0])
    assert isinstance(chosen, Chosen)
    differ = sum(
        set(chosen.entity[chosen.ptr[g] : chosen.ptr[g + 1]].tolist()) != set(nodes.tolist())
        for g, (_, nodes) in enumerate(theirs)
    )
    theirs_ms = 1000 * statistics.mean(seconds for seconds, _ in theirs)
    alone_s, _ = min((timed(lambda: neighbourhood(graph, batch_of(asked), 2, 200, 16)) for _ in range(5)), key=_time)
    alone_ms = 1000 * alone_s / len(asked)
    whole_ms, budget_ms = 1000 * whole_s / len(few), 1000 * budget_s / len(asked)
    print(f"2 hops in both directions with all triples inside, {len(chosen.entity) / len(few):.0f} nodes each")
    print(f"  PyG k_hop_subgraph      {theirs_ms:9.3f} ms")
    print(f"  kgreason, no budget     {whole_ms:9.3f} ms   {theirs_ms / whole_ms:.0f}x, nodes differ in {differ}")
    print(
        f"  kgreason, 200 nodes     {budget_ms:9.3f} ms   {theirs_ms / budget_ms:.0f}x, {1000 / budget_ms:.0f} a second"
        f"; the nodes alone {alone_ms:.3f} ms, {1000 / alone_ms:.0f} a second"
    )


def bench_pagerank(graph: KnowledgeGraph, asked: list[list[int]]) -> None:
    """Forward push, beside power iteration over the whole graph as a sparse matrix (NSM's way), ten steps."""
    rows, size = graph.triples, len(graph.entities)
    ends = np.concatenate([rows[:, [0, 2]], rows[:, [2, 0]]])
    weight = 1.0 / np.bincount(ends[:, 0], minlength=size).clip(1)[ends[:, 0]]
    matrix = csr_matrix((weight, (ends[:, 1], ends[:, 0])), (size, size))

    def power(seeds: list[int]) -> ndarray:
        start = np.zeros(size)
        start[seeds] = 1 / len(seeds)
        p = start
        for _ in range(10):
            p = 0.2 * start + 0.8 * (matrix @ p)
        return np.argsort(-p)[:200]

    theirs = [timed(lambda s=s: power(s)) for s in asked[:8]]
    batch = batch_of(asked)
    print("Personalised PageRank, best 200")
    theirs_ms = 1000 * statistics.mean(seconds for seconds, _ in theirs)
    print(f"  scipy, 10 power steps   {theirs_ms:9.3f} ms")
    for epsilon in (1e-4, 1e-5):
        ranked(graph, batch, 0.2, epsilon, 200)
        seconds, chosen = min((timed(lambda e=epsilon: ranked(graph, batch, 0.2, e, 200)) for _ in range(3)), key=_time)
        assert isinstance(chosen, Chosen)
        same = [
            len(set(chosen.entity[chosen.ptr[g] : chosen.ptr[g + 1]].tolist()) & set(np.asarray(best).tolist()))
            for g, (_, best) in enumerate(theirs)
        ]
        ms = 1000 * seconds / len(asked)
        print(
            f"  kgreason, {epsilon:.0e}         {ms:9.3f} ms   {theirs_ms / ms:.0f}x, {1000 / ms:.0f} a second; "
            f"{statistics.mean(same):.0f} of 200 are the same"
        )


def _time(run: tuple[float, object]) -> float:
    return run[0]


def corpus(labels: int, sentences: int) -> tuple[list[str], list[list[str]]]:
    """Labels of one to four words, and sentences of 20 words with two labels in each."""
    rng = np.random.default_rng(2)
    words = np.array([f"w{i:x}" for i in range(labels // 3)])
    sizes = rng.integers(1, 5, labels)
    drawn = iter(words[(len(words) * rng.random(int(sizes.sum())) ** 2).astype(int)].tolist())
    names = sorted({" ".join(itertools.islice(drawn, n)) for n in sizes.tolist()})
    filler = words[(len(words) * rng.random((sentences, 20)) ** 2).astype(int)].tolist()
    inserted = rng.integers(0, len(names), (sentences, 2)).tolist()
    return names, [
        [*f[:5], *names[a].split(), *f[5:12], *names[b].split(), *f[12:]]
        for f, (a, b) in zip(filler, inserted, strict=True)
    ]


def bench_link(labels: int) -> None:
    names, text = corpus(labels, 20_000)
    size = sum(len(" ".join(words)) for words in text) / 1e6
    table = Labels(
        names=Vocab(names),
        ptr=np.arange(len(names) + 1, dtype=np.int64),
        entity=np.arange(len(names), dtype=np.int32),
        score=np.ones(len(names), np.float32),
        preferred=np.arange(len(names), dtype=np.int32),
        pos=np.full(len(names), -1, np.int8),
    )
    LabelIndex(Labels.from_names(Vocab(["a"]))).find(["a"], [""], np.zeros(1, np.int64))
    words = [word for line in text for word in line]
    segment = np.repeat(np.arange(len(text)), [len(line) for line in text])
    build_s, index = timed(lambda: LabelIndex(table))
    assert isinstance(index, LabelIndex)
    ours_s, rows = timed(lambda: index.find(words, [""] * len(words), segment))
    again_s, _ = timed(lambda: index.find(words, [""] * len(words), segment))
    marks = ["".join(f"<{word}>" for word in name.split()) for name in names]
    kind = ahocorasick_rs.MatchKind.LeftmostLongest
    theirs_build_s, automaton = timed(lambda: ahocorasick_rs.AhoCorasick(marks, matchkind=kind))
    find = automaton.find_matches_as_indexes
    theirs_s, found = timed(lambda: [find("".join(f"<{w}>" for w in line)) for line in text])
    same = rows[:, 2].tolist() == [label for line in found for label, _, _ in line]
    print(f"Linking: {len(names)} labels, {size:.1f} MB of text in {len(text)} sentences; same matches: {same}")
    print(f"  ahocorasick_rs          {size / theirs_s:7.2f} MB/s  build {theirs_build_s:6.2f} s")
    tables = sum(array.nbytes for array in (*index._table, *index._leaves)) / 1e6
    print(f"  kgreason, words seen    {size / again_s:7.2f} MB/s  build {build_s:6.2f} s, {tables:.0f} MB of tables")
    print(f"  kgreason, first sight   {size / ours_s:7.2f} MB/s")
    whole(names, text, table, size)


def whole(names: list[str], text: list[list[str]], table: Labels, size: float) -> None:
    """From parsed texts to graphs with ENTITY nodes, in batches of 64."""
    knowledge = KnowledgeGraph.from_ids(table.names, Vocab(["r"]), np.zeros((1, 3), np.int32), table)
    label_index(knowledge)
    graphs = [word_graph(line) for line in text[:6400]]
    part = size * 6400 / len(text)
    link = LinkGrounder()
    seconds, _ = timed(lambda: ground(link, graphs, knowledge))
    print(f"  LinkGrounder, whole     {part / seconds:7.2f} MB/s  {1e6 * seconds / len(graphs):.0f} µs a text")


def word_graph(words: list[str]) -> LogicGraph:
    size = len(words)
    stops = np.cumsum([len(word) + 1 for word in words])
    return LogicGraph(
        uid="e",
        node_type=np.full(size, NodeType.WORD, np.int8),
        node_text=tuple(words),
        node_lemma=("",) * size,
        node_pos=np.full(size, -1, np.int8),
        node_span=np.stack([np.zeros(size), stops - [len(word) + 1 for word in words], stops - 1], 1).astype(np.int32),
        node_entity=np.full(size, -1, np.int32),
        node_score=np.ones(size, np.float32),
        node_polarity=np.zeros(size, np.int8),
        edge_index=np.zeros((2, 0), np.int32),
        edge_type=np.zeros(0, np.int8),
        edge_relation=np.zeros(0, np.int32),
        edge_score=np.zeros(0, np.float32),
    )


def ground(grounder: Grounder, graphs: list[LogicGraph], knowledge: KnowledgeGraph) -> list[LogicGraph]:
    return [done for i in range(0, len(graphs), 64) for done in grounder(graphs[i : i + 64], knowledge)]


def bench_grounders(graph: KnowledgeGraph, asked: list[list[int]]) -> None:
    graphs = [word_graph([graph.entities[e] for e in seeds]) for seeds in asked]
    print(f"Whole grounders, batches of 64 texts with {sum(map(len, asked)) / len(asked):.0f} linked entities each")
    for grounder in (LinkGrounder(), NeighbourGrounder(), BetweenGrounder()):
        grounder(graphs[:2], graph)
        seconds, done = timed(
            lambda g=grounder: [x for i in range(0, len(graphs), 64) for x in g(graphs[i : i + 64], graph)]
        )
        added = sum(int((g.edge_type != EdgeType.DEPENDENCY).sum()) for g in done)
        name = type(grounder).__name__
        print(f"  {name:<23} {1000 * seconds / len(graphs):9.3f} ms a text, {added / len(graphs):.0f} edges added")
    assert len(seeds_of(graphs[:1]).entity) == 0
    for mode in ("tails", "relations", "rewire", "drop"):
        perturb_graph(KnowledgeGraph.from_triples([("a", "r", "b")]), mode)
        seconds, _ = timed(lambda m=mode: perturb_graph(graph, m))
        print(f"  perturb {mode:<15} {seconds:9.2f} s once, {graph.num_triples} triples")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--triples", type=int, default=300_000)
    parser.add_argument("--labels", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--parts", nargs="+", default=["between", "walk", "pagerank", "link", "grounders"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    graph = synthetic(options.entities, options.triples)
    asked = questions(options.entities, options.questions)
    print(f"{graph!r}, the busiest entity has {int(np.diff(graph.head_ptr).max())} triples as head")
    parts = {
        "between": lambda: bench_between(graph, asked),
        "ours": lambda: bench_ours(graph, asked),
        "walk": lambda: bench_walk(graph, asked),
        "pagerank": lambda: bench_pagerank(graph, asked),
        "link": lambda: bench_link(options.labels),
        "grounders": lambda: bench_grounders(graph, asked),
    }
    for name in options.parts:
        parts[name]()


if __name__ == "__main__":
    main()

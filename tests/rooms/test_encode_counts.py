"""The baselines that count, against their equations written out; and what is not learned or not read."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgreason.encode import GRAPHS, LANGUAGES
from kgreason.encode.counts import CountFusion, PathFusion, count_paths, ends_of
from kgreason.errors import ConfigError
from kgreason.tensors import GraphBatch
from tests.conftest import random_batch

R, DIM = 3, 4
LINK, KNOWLEDGE, ALIGN = 3, 4, 5


def graph(edges: list[tuple[int, int, int, int]], text: list[int], sizes: list[int]) -> GraphBatch:
    """Edges as (source, target, kind of edge, relation); the text of each node, -1 for an entity."""
    batch = random_batch(sizes, num_edges=0)
    table = torch.tensor(edges, dtype=torch.long).reshape(-1, 4)
    texts = torch.tensor(text)
    return replace(
        batch,
        node_text=texts,
        node_type=torch.where(texts < 0, 3, 0),
        edge_index=table[:, :2].T.contiguous(),
        edge_kind=table[:, 2],
        edge_type=table[:, 3],
        edge_relation=table[:, 3],
        edge_score=torch.ones(len(table)),
    )


def test_edges_are_counted_as_the_equations_say() -> None:
    edges = [(0, 2, LINK, 0), (2, 3, KNOWLEDGE, 1), (1, 3, LINK, 0), (0, 1, ALIGN, 2), (0, 1, 0, 1), (4, 5, ALIGN, 2)]
    batch = graph(edges, [0, 1, -1, -1, 0, 1], [4, 2])
    fuse = CountFusion(DIM, R, layers=3)
    end = ends_of(batch).tolist()
    both = [(s, t, r) for s, t, k, r in edges if k >= LINK] + [(t, s, r + R) for s, t, k, r in edges if k >= LINK]
    v = [0.0] * 6
    for _ in range(3):
        new = [0.0] * 6
        for s, t, r in both:
            e = fuse.weigh(fuse.source.weight[end[s]] + fuse.relation.weight[r] + fuse.target.weight[end[t]]).item()
            new[t] += v[s] + e
        v = new
    torch.testing.assert_close(fuse.count(batch), torch.tensor([sum(v[:4]), sum(v[4:])]))
    tokens = torch.randn(2, 5, DIM)
    want = tokens.mean(1) + torch.tensor([math.log1p(sum(v[:4])), math.log1p(sum(v[4:]))])[:, None] * fuse.out
    torch.testing.assert_close(fuse(tokens, torch.zeros(6, DIM), batch).query, want)


def test_one_layer_of_equal_weights_is_the_number_of_edges(make_batch: Callable[[list[int]], GraphBatch]) -> None:
    fuse = CountFusion(DIM, R, layers=1)
    torch.nn.init.zeros_(fuse.weigh[1].weight)  # type: ignore[arg-type]
    torch.nn.init.constant_(fuse.weigh[1].bias, 50.0)  # type: ignore[arg-type]  # each edge counts 1
    batch = make_batch([3, 2])
    assert fuse.count(batch).tolist() == [2 * batch.edge_index.shape[1], 0]


@st.composite
def graphs(draw: st.DrawFn) -> GraphBatch:
    nodes = draw(st.integers(2, 7))
    end = st.integers(0, nodes - 1)
    edge = st.tuples(end, end, st.sampled_from([0, LINK, KNOWLEDGE, ALIGN]), st.integers(0, R - 1))
    edges = [e for e in draw(st.lists(edge, max_size=12)) if e[0] != e[1]]
    text = draw(st.lists(st.integers(-1, 2), min_size=nodes, max_size=nodes))
    return graph(edges, text, [nodes])


@given(graphs())
def test_paths_are_counted_as_if_they_were_listed(batch: GraphBatch) -> None:
    n, nodes = 2 * R + 1, len(batch.node_text)
    text, edges = batch.node_text.tolist(), list(zip(*batch.edge_index.tolist(), strict=True))
    kinds, relation = batch.edge_kind.tolist(), batch.edge_type.tolist()
    links = [e for e, k in zip(edges, kinds, strict=True) if k == LINK]
    near = {v for v in range(nodes) if text[v] == 0} | {t for s, t in links if text[s] == 0}
    far = {v for v in range(nodes) if text[v] > 0} | {t for s, t in links if text[s] > 0}
    facts = [(s, t, r) for (s, t), k, r in zip(edges, kinds, relation, strict=True) if k in (KNOWLEDGE, ALIGN)]
    facts += [(t, s, r + R) for s, t, r in facts]
    want: Counter[int] = Counter()
    want[n * n - 1] += len(near & far)
    for s, m, r in facts:
        want[r * n + n - 1] += s in near and m in far
        for other, t, q in facts:
            want[r * n + q] += s in near and other == m and t in far and t != s
    row, kind, many = count_paths(batch, R)
    assert not row.any()
    assert dict(zip(kind.tolist(), many.tolist(), strict=True)) == {k: c for k, c in want.items() if c}


def test_only_paths_between_two_texts_reach_the_query() -> None:
    fuse, tokens = PathFusion(DIM, R), torch.randn(2, 5, DIM)
    edges = [(0, 2, LINK, 0), (1, 3, LINK, 0), (2, 3, KNOWLEDGE, 1), (4, 6, LINK, 0), (6, 7, KNOWLEDGE, 1)]
    batch = graph(edges, [0, 1, -1, -1, 0, 1, -1, -1], [4, 4])
    query = fuse(tokens, torch.zeros(8, DIM), batch).query
    assert not torch.allclose(query[0], tokens[0].mean(0))
    torch.testing.assert_close(query[1], tokens[1].mean(0))


def test_what_is_frozen_stays_as_it_was_drawn_and_drops_nothing() -> None:
    torch.manual_seed(1)
    around = GRAPHS.build({"name": "rgcn", "dropout": 0.5}, dim=DIM, num_relations=R)
    frozen = GRAPHS.build({"name": "frozen"}, around=around)
    assert isinstance(frozen, torch.nn.Module)
    batch, x = random_batch([3, 2]), torch.randn(5, DIM)
    edges = batch.edge_index, batch.edge_type, batch.edge_score
    assert torch.equal(frozen.train()(x, *edges), frozen.eval()(x, *edges))
    assert not any(p.requires_grad for p in frozen.parameters())
    with pytest.raises(ConfigError, match="NoGraph has no weights"):
        GRAPHS.build({"name": "frozen"}, around=GRAPHS.build({"name": "none"}))


def test_an_mlp_reads_no_edges() -> None:
    mlp = GRAPHS.build({"name": "mlp"}, dim=DIM, num_relations=R)
    assert isinstance(mlp, torch.nn.Module)
    mlp.eval()
    batch, x = random_batch([5], num_edges=6), torch.randn(5, DIM)
    none = torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long), torch.zeros(0)
    assert torch.equal(mlp(x, batch.edge_index, batch.edge_type, batch.edge_score), mlp(x, *none))


def test_a_language_model_that_says_nothing_and_one_that_was_never_trained() -> None:
    batch = random_batch([3, 2])
    assert not LANGUAGES.build({"name": "nothing", "width": 8})(batch).any()
    with pytest.raises(ConfigError, match="width = 0"):
        LANGUAGES.build({"name": "nothing", "width": 0})
    before = torch.random.get_rng_state()
    drawn, again = (LANGUAGES.build({"name": "pretrained", "weights": "random", "cache_gb": 0}) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before), "what else a run draws stays as it was"
    trained = LANGUAGES.build({"name": "pretrained", "cache_gb": 0})
    assert torch.equal(drawn(batch), again(batch))
    assert drawn(batch).shape == trained(batch).shape
    assert not torch.allclose(drawn(batch), trained(batch), atol=0.1)
    with pytest.raises(ConfigError, match="weights = 'rnadom'"):
        LANGUAGES.build({"name": "pretrained", "weights": "rnadom"})

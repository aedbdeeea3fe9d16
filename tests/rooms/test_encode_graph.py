"""Each layer against PyG, or against its equation written a second time, plainly."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kgreason.encode import GRAPHS
from kgreason.encode.attend import GATv2Layer, RGATLayer
from kgreason.encode.convolve import CompGCNLayer, RGCNLayer
from kgreason.encode.graph import BothWays, GraphStack
from kgreason.errors import ConfigError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch_geometric.nn import GATv2Conv, RGCNConv

NODES, RELATIONS, DIM = 7, 3, 8


@pytest.fixture
def edges() -> BothWays:
    """Twenty edges, some of them doubled, of both directions; node 6 has none."""
    index = torch.randint(0, NODES - 1, (2, 20))
    kind = torch.randint(0, 2 * RELATIONS, (20,))
    return BothWays(index[0], index[1], kind, torch.rand(20, dtype=torch.float64), NODES, RELATIONS)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(NODES, DIM, dtype=torch.float64, requires_grad=True)


def ones(edges: BothWays) -> BothWays:
    return BothWays(edges.source, edges.target, edges.kind, torch.ones_like(edges.score), NODES, RELATIONS)


def same(got: Tensor, want: Tensor, x: Tensor) -> None:
    """Equal, and with equal gradients."""
    torch.testing.assert_close(got, want)
    up = torch.randn_like(want)
    torch.testing.assert_close(*(torch.autograd.grad(y, x, up, retain_graph=True)[0] for y in (got, want)))


@pytest.mark.parametrize("bases", [0, 2])
def test_against_pyg_rgcn(edges: BothWays, x: Tensor, bases: int) -> None:
    ours = RGCNLayer(DIM, 2 * RELATIONS, bases).double()
    theirs = RGCNConv(DIM, DIM, 2 * RELATIONS, num_bases=bases or None).double()
    with torch.no_grad():
        theirs.weight.copy_(ours.basis)
        theirs.root.copy_(ours.root.weight.T)
        theirs.bias.copy_(ours.root.bias)
        if ours.mix is not None:
            theirs.comp.copy_(ours.mix)
    edges = ones(edges)
    same(ours(x, ours.plan(edges)), theirs(x, torch.stack([edges.source, edges.target]), edges.kind), x)


def test_rgcn_computes_its_equation(edges: BothWays, x: Tensor) -> None:
    layer = RGCNLayer(DIM, 2 * RELATIONS, 0).double()
    want = []
    for i in range(NODES):
        h = layer.root(x[i])
        for r in range(2 * RELATIONS):
            here = ((edges.target == i) & (edges.kind == r)).nonzero()[:, 0].tolist()
            for e in here:
                h = h + edges.score[e] * (x[edges.source[e]] @ layer.basis[r]) / len(here)
        want.append(h)
    same(layer(x, layer.plan(edges)), torch.stack(want), x)


def test_compgcn_computes_its_equation(edges: BothWays, x: Tensor) -> None:
    layer = CompGCNLayer(DIM, 2 * RELATIONS).double()
    torch.nn.init.normal_(layer.loop)
    want = []
    for i in range(NODES):
        h = layer.root(x[i] * layer.loop)
        for inverse, linear in ((False, layer.out), (True, layer.into)):
            here = ((edges.target == i) & ((edges.kind >= RELATIONS) == inverse)).nonzero()[:, 0].tolist()
            for e in here:
                message = x[edges.source[e]] * layer.relation[edges.kind[e]]
                h = h + linear(edges.score[e] * message) / len(here)
        want.append(h)
    same(layer(x, layer.plan(edges)), torch.stack(want), x)


def test_against_pyg_gatv2(edges: BothWays, x: Tensor) -> None:
    ours = GATv2Layer(DIM, RELATIONS, heads=2).double()
    theirs = GATv2Conv(DIM, DIM // 2, heads=2, edge_dim=DIM, add_self_loops=False).double()
    with torch.no_grad():
        torch.nn.init.normal_(ours.bias)
        theirs.att.copy_(ours.score[None])
        theirs.bias.copy_(ours.bias)
        theirs.lin_edge.weight.copy_(torch.eye(DIM))
        for mine, its in ((ours.left, theirs.lin_l), (ours.right, theirs.lin_r)):
            its.weight.copy_(mine.weight)
            its.bias.copy_(mine.bias)
    edges = ones(edges)
    looped = edges.with_loops()
    index = torch.stack([looped.source, looped.target])
    same(ours(x, ours.plan(edges)), theirs(x, index, ours.relation[looped.kind]), x)


def test_rgat_computes_its_equations(edges: BothWays, x: Tensor) -> None:
    layer = RGATLayer(DIM, RELATIONS, heads=2).double()
    looped = edges.with_loops()
    source, target, kind = looped.source, looped.target, looped.kind
    total = torch.zeros(NODES, 2, DIM // 2, dtype=torch.float64)
    for head in range(2):
        part = slice(head * DIM // 2, (head + 1) * DIM // 2)
        z = layer.relation[kind]
        q = layer.query(x[source])[:, part] / (DIM / 2) ** 0.5
        k = layer.key(torch.cat([x[target], z], 1))[:, part]
        m = layer.message(torch.cat([x[source], z], 1))[:, part]
        for j in range(NODES):
            leaving = (source == j).nonzero()[:, 0]
            alpha = len(leaving) * (q[leaving] * k[leaving]).sum(1).softmax(0) * looped.score[leaving]
            rows = torch.zeros(NODES, DIM // 2, dtype=torch.float64).index_add(
                0, target[leaving], alpha[:, None] * m[leaving]
            )
            total = total + torch.stack([rows if h == head else torch.zeros_like(rows) for h in range(2)], 1)
    same(layer(x, layer.plan(edges)), layer.mlp(total.flatten(1)), x)


@pytest.fixture(params=[name for name in GRAPHS if name not in ("none", "mlp", "frozen")])
def stack(request: pytest.FixtureRequest) -> Callable[..., Tensor]:
    built = GRAPHS.build({"name": request.param, "layers": 2, "dropout": 0.0}, dim=DIM, num_relations=RELATIONS)
    assert isinstance(built, GraphStack)
    return built


def test_a_message_goes_both_ways_but_not_as_the_same_relation(stack: Callable[..., Tensor]) -> None:
    x, kind, score = torch.randn(2, DIM), torch.zeros(1, dtype=torch.long), torch.ones(1)
    there, back = (stack(x, torch.tensor(ends), kind, score) for ends in ([[0], [1]], [[1], [0]]))
    none = stack(x, torch.zeros(2, 0, dtype=torch.long), kind[:0], score[:0])
    for node in (0, 1):
        assert not torch.allclose(there[node], none[node])
        assert not torch.allclose(there[node], back[node])


def test_the_relation_counts_and_so_does_the_score(stack: Callable[..., Tensor]) -> None:
    x, ends = torch.randn(2, DIM), torch.tensor([[0], [1]])
    outs = [stack(x, ends, torch.tensor([r]), torch.tensor([s])) for r, s in ((0, 1.0), (1, 1.0), (0, 0.5))]
    assert not torch.allclose(outs[0], outs[1])
    assert not torch.allclose(outs[0], outs[2])


def test_no_nodes_and_no_edges(stack: Callable[..., Tensor]) -> None:
    nothing = torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long), torch.zeros(0)
    assert stack(torch.zeros(0, DIM), *nothing).shape == (0, DIM)
    assert stack(torch.zeros(3, DIM), *nothing).isfinite().all()


def test_wrong_sizes() -> None:
    with pytest.raises(ConfigError, match="heads = 3 does not divide dim = 8"):
        GRAPHS.build({"name": "rgat", "heads": 3}, dim=8, num_relations=1)
    with pytest.raises(ConfigError, match="layers must be at least 1"):
        GRAPHS.build({"name": "rgcn", "layers": 0}, dim=8, num_relations=1)

import torch
from torch import nn

from kgreason.encode import BothFusions, LateFusion, NoFusion, RelationBiased, SoftAttention
from kgreason.tensors import GraphBatch
from tests.conftest import random_batch

DIM, TOKENS = 8, 5


def inputs(sizes: list[int]) -> tuple[torch.Tensor, torch.Tensor, GraphBatch]:
    batch = random_batch(sizes, TOKENS)
    return torch.randn(len(sizes), TOKENS, DIM), torch.randn(sum(sizes), DIM), batch


def opened(fusion: nn.Module) -> nn.Module:
    """With the gates open."""
    for name, parameter in fusion.named_parameters():
        if name.endswith("gamma"):
            nn.init.constant_(parameter, 0.7)
    return fusion


def test_a_closed_gate_is_exactly_the_language_model_alone() -> None:
    tokens, nodes, batch = inputs([3, 2])
    alone = NoFusion()(tokens, nodes, batch)
    for fusion in (SoftAttention(DIM), RelationBiased(DIM), BothFusions(DIM)):
        fused = fusion(tokens, nodes, batch)
        assert torch.equal(fused.tokens, alone.tokens)
        assert torch.equal(fused.query, alone.query)
        assert all(gate == 0 for gate in fused.parts.values())


def test_the_gate_learns_although_it_starts_closed() -> None:
    fusion = SoftAttention(DIM)
    fusion(*inputs([3, 2])).query.sum().backward()
    assert fusion.gamma.grad is not None
    assert fusion.gamma.grad != 0


def test_soft_attention_computes_its_equation() -> None:
    tokens, nodes, batch = inputs([3, 2])
    fusion = SoftAttention(DIM, heads=2)
    opened(fusion)
    fused = fusion(tokens, nodes, batch)
    assert fused.parts["gate"] == torch.tensor(0.7).tanh()
    for row in range(2):
        here = nodes[batch.node_graph == row]
        q, k, v = fusion.query(fusion.norm(tokens[row])), fusion.key(here), fusion.value(here)
        heads = []
        for part in (slice(0, 4), slice(4, 8)):
            scores = q[:, part] @ k[:, part].T / 2
            alpha = torch.cat([torch.zeros(TOKENS, 1), scores], 1).softmax(1)[:, 1:]  # the empty node is first
            heads.append(alpha @ v[:, part])
        want = tokens[row] + torch.tensor(0.7).tanh() * fusion.out(torch.cat(heads, 1))
        torch.testing.assert_close(fused.tokens[row], want)
        torch.testing.assert_close(fused.query[row], want.mean(0))


def test_relation_biased_computes_its_equations() -> None:
    tokens, nodes, batch = inputs([3, 2])
    fusion = RelationBiased(DIM, heads=2)
    opened(fusion)
    row = 0  # both pairs of the fixture lie in it: 0 → 3 with relation 0, 3 → 0 with relation 8
    x = fusion.norm(tokens[row])
    heads = []
    for h, part in enumerate((slice(0, 4), slice(4, 8))):
        q, k, v = (linear(x)[:, part] for linear in (fusion.query, fusion.key, fusion.value))
        scores = q @ k.T / 2
        found = torch.zeros(TOKENS, TOKENS, 4)
        for (i, j), r in zip(batch.pair_index.T.tolist(), batch.pair_type.tolist(), strict=True):
            scores[i, j] = scores[i, j] + fusion.bias[r, h]
            found[i, j] = fusion.relation[r, part]
        a = scores.softmax(1)
        heads.append(a @ v + (a[..., None] * found).sum(1))
    want = tokens[row] + torch.tensor(0.7).tanh() * fusion.out(torch.cat(heads, 1))
    torch.testing.assert_close(fusion(tokens, nodes, batch).tokens[row], want)


def test_late_fusion_computes_its_equation() -> None:
    tokens, nodes, batch = inputs([3, 2])
    fusion = LateFusion(DIM, heads=1)
    fused = fusion(tokens, nodes, batch)
    for row in range(2):
        q, here = tokens[row].mean(0), nodes[batch.node_graph == row]
        alpha = (fusion.key(here) @ fusion.query(q) / DIM**0.5).softmax(0)
        want = q + fusion.out(torch.cat([q, alpha @ fusion.value(here)]))
        torch.testing.assert_close(fused.query[row], want)


def test_a_row_without_nodes_is_the_language_model_alone() -> None:
    tokens, nodes, batch = inputs([3, 0])
    fused = opened(SoftAttention(DIM))(tokens, nodes, batch)
    assert torch.equal(fused.tokens[1], tokens[1])
    assert not torch.equal(fused.tokens[0], tokens[0])

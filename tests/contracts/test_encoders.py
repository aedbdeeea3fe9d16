"""What every encoder must do. A new line in `GRAPHS` or `FUSIONS` is tested here without a new test."""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from kgreason.data import ALIGN_RELATIONS, UPOS, NodeType
from kgreason.encode import ENCODERS, ENTITIES, FUSIONS, GRAPHS, LANGUAGES, FusedEncoder, NoEncoding, fused
from kgreason.encode.language import Language
from kgreason.errors import ConfigError
from kgreason.rooms import Encoder
from kgreason.tensors import GraphBatch, States
from tests.conftest import random_batch

RELATIONS, DIM = 3, 16
CONTEXT = {"num_relations": RELATIONS, "num_entities": 4, "entity_labels": ["dog", "cat", "\ud800", ""]}


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Language:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    sizes = {"hidden_size": DIM, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=32, **sizes)).save_pretrained(folder)
    table = {"name": "pretrained", "model": str(folder), "tune": "full", "precision": "float32"}
    return LANGUAGES.build(table)


def build(language: Language, graph: str, fuse: str, entities: str = "learned", dim: int = DIM) -> FusedEncoder:
    """With the gates open, so that what the graph does can be seen."""
    context = CONTEXT | {"dim": dim}
    built = ENCODERS.build(
        {"name": "fused"},
        language=language,
        graph=GRAPHS.build({"name": graph} | around(graph, context), **context),
        fuse=FUSIONS.build({"name": fuse}, **context),
        entities=ENTITIES.build({"name": entities}, **context),
        **context,
    )
    assert isinstance(built, FusedEncoder)
    for name, parameter in built.named_parameters():
        if name.endswith("gamma"):
            nn.init.constant_(parameter, 0.5)
    return built.eval()


def around(graph: str, context: dict[str, Any]) -> dict[str, Any]:
    return {"around": GRAPHS.build({"name": "rgcn"}, **context)} if graph == "frozen" else {}


@pytest.fixture(params=sorted({*product(GRAPHS, ["both"]), *product(["rgcn"], FUSIONS)}), ids="-".join)
def encoder(request: pytest.FixtureRequest, language: Language) -> Encoder:
    return build(language, *request.param)


@pytest.fixture
def batch() -> GraphBatch:
    """Rows of three, no and two nodes; some edges, entities, and tokens that no node covers."""
    batch = random_batch([3, 0, 2], tokens=6, num_edges=4)
    return replace(
        batch,
        edge_type=torch.tensor([0, 1, 2, 0]),
        edge_score=torch.tensor([1.0, 0.5, 1.0, 0.25]),
        node_entity=torch.tensor([-1, 0, 3, 1, -1]),
    )


def row(batch: GraphBatch, i: int) -> GraphBatch:
    """One row of a batch, on its own."""
    width = batch.input_ids.shape[1]
    node, edge = batch.node_graph == i, (batch.node_graph[batch.edge_index] == i).all(0)
    link, pair = node[batch.link_index[0]], batch.pair_index[0] // width == i
    first = int((batch.node_graph < i).sum())
    cut = {"node": node, "edge": edge, "pair": pair}
    columns = {}
    for f in fields(batch):
        value = getattr(batch, f.name)
        kind = f.name.split("_")[0]
        if kind in cut:
            columns[f.name] = value[..., cut[kind]]
        elif kind == "edit":  # there are none
            columns[f.name] = value
        elif isinstance(value, Tensor) and f.name != "link_index":
            columns[f.name] = value[i : i + 1]
    columns |= {
        "group": torch.zeros(1, dtype=torch.long),
        "node_graph": torch.zeros(int(node.sum()), dtype=torch.long),
        "edge_index": columns["edge_index"] - first,
        "pair_index": columns["pair_index"] - i * width,
        "link_index": batch.link_index[:, link] - torch.tensor([[first], [i * width]]),
    }
    return GraphBatch(**columns)


def same(got: States, want: States, node: Tensor, edge: Tensor, i: int, tokens: int) -> None:
    torch.testing.assert_close(got.query[0], want.query[i])
    torch.testing.assert_close(got.tokens[0, :tokens], want.tokens[i, :tokens])
    torch.testing.assert_close(got.nodes, want.nodes[node])
    torch.testing.assert_close(got.edges, want.edges[edge])


def test_the_shapes_are_those_of_the_batch(encoder: Encoder, batch: GraphBatch) -> None:
    states = encoder(batch)
    assert states.query.shape == (3, DIM)
    assert states.tokens.shape == (3, 6, DIM)
    assert states.nodes.shape == (5, DIM)
    assert states.edges.shape == (4, DIM)
    assert states.batch is batch
    assert all(part.ndim == 0 for part in states.parts.values())
    assert all(x.isfinite().all() for x in (states.query, states.tokens, states.nodes, states.edges))


def test_a_row_does_not_depend_on_its_neighbours_in_the_batch(encoder: Encoder, batch: GraphBatch) -> None:
    states = encoder(batch)
    for i in range(3):
        node, edge = batch.node_graph == i, (batch.node_graph[batch.edge_index] == i).all(0)
        same(encoder(row(batch, i)), states, node, edge, i, 6)


def test_padding_changes_nothing(encoder: Encoder, batch: GraphBatch) -> None:
    def wider(tokens: Tensor) -> Tensor:
        return tokens // 6 * 9 + tokens % 6

    padded = replace(
        batch,
        input_ids=nn.functional.pad(batch.input_ids, (0, 3)),
        token_mask=nn.functional.pad(batch.token_mask, (0, 3)),
        token_text=nn.functional.pad(batch.token_text, (0, 3), value=-1),
        link_index=torch.stack([batch.link_index[0], wider(batch.link_index[1])]),
        pair_index=wider(batch.pair_index),
    )
    got, want = encoder(padded), encoder(batch)
    for name in ("query", "nodes", "edges"):
        torch.testing.assert_close(getattr(got, name), getattr(want, name))
    torch.testing.assert_close(got.tokens[:, :6], want.tokens)
    assert (got.tokens[:, 6:] == 0).all()


def test_the_order_of_edges_and_links_does_not_matter(encoder: Encoder, batch: GraphBatch) -> None:
    edge, link = torch.randperm(4), torch.randperm(5)
    columns = {name: getattr(batch, name)[..., edge] for name in dir(batch) if name.startswith("edge_")}
    shuffled = replace(batch, **columns, link_index=batch.link_index[:, link])
    got, want = encoder(shuffled), encoder(batch)
    for name in ("query", "tokens", "nodes"):
        torch.testing.assert_close(getattr(got, name), getattr(want, name))
    torch.testing.assert_close(got.edges, want.edges[edge])


def test_gradients_reach_every_parameter(encoder: Encoder, batch: GraphBatch) -> None:
    assert isinstance(encoder, nn.Module)
    encoder.zero_grad()
    states = encoder(batch)
    (states.query.square().sum() + states.nodes.square().sum() + states.edges.square().sum()).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.requires_grad != ("around." in name), "what is frozen, and nothing else, is not trained"
        if parameter.requires_grad:
            assert parameter.grad is not None, f"no gradient reaches {name}"
            assert parameter.grad.isfinite().all(), name


def test_no_nodes_and_no_edges_at_all(encoder: Encoder) -> None:
    empty = replace(
        random_batch([0, 0]), pair_index=torch.zeros(2, 0, dtype=torch.long), pair_type=torch.zeros(0, dtype=torch.long)
    )
    states = encoder(empty)
    assert states.nodes.shape == (0, DIM)
    assert states.edges.shape == (0, DIM)
    states.query.sum().backward()


def test_it_runs_in_low_precision(encoder: Encoder, batch: GraphBatch) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        states = encoder(batch)
        loss = states.query.sum() + states.nodes.sum() + states.edges.sum()
    loss.backward()
    torch.testing.assert_close(states.query.float(), encoder(batch).query, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("entities", list(ENTITIES))
def test_every_way_to_know_entities(
    language: Language, batch: GraphBatch, entities: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path))
    encoder = build(language, "rgcn", "none", entities)
    states = encoder(batch)
    assert states.nodes.isfinite().all()
    swapped = replace(batch, node_entity=torch.tensor([-1, 1, 3, 0, -1]))
    assert torch.allclose(encoder(swapped).nodes, states.nodes) == (entities == "none")


def test_entity_vectors_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path))
    ids = torch.tensor([0, -1, 1, 0])
    first = ENTITIES.build({"name": "labels"}, dim=DIM, **CONTEXT)
    vectors = first(ids)
    assert (vectors[1] == 0).all()
    assert torch.equal(vectors[0], vectors[3])
    again = ENTITIES.build({"name": "labels"}, dim=DIM, **CONTEXT)

    def never(*_: object) -> None:
        raise AssertionError("the model was run")

    monkeypatch.setattr(again, "_encode", never)
    monkeypatch.setattr(again, "project", first.project)  # type: ignore[attr-defined]
    assert torch.equal(again(ids), vectors)


def test_without_graph_and_fusion_it_is_the_language_model_alone(language: Language, batch: GraphBatch) -> None:
    alone = language(batch)
    for graph in GRAPHS:
        states = build(language, graph, "none")(batch)
        assert torch.equal(states.tokens, alone)
        torch.testing.assert_close(states.query, alone.mean(1))  # no padding in this batch


def test_a_row_without_nodes_gets_nothing_from_soft_attention(language: Language, batch: GraphBatch) -> None:
    states = build(language, "rgat", "soft_attention")(batch)
    alone = language(batch)
    assert torch.equal(states.tokens[1], alone[1])
    assert not torch.allclose(states.tokens[0], alone[0])


def test_a_narrower_width(language: Language, batch: GraphBatch) -> None:
    encoder = build(language, "gatv2", "both", dim=8)
    assert encoder.dim == 8
    assert encoder(batch).tokens.shape == (3, 6, 8)


def test_the_small_vocabularies_have_the_sizes_of_their_nouns() -> None:
    """`encode` may not import symbols, so it repeats these sizes."""
    assert len(NodeType) == fused._NODE_TYPES
    assert len(UPOS) == fused._POS
    fusion = FUSIONS.build({"name": "relation_biased"}, dim=DIM)
    assert fusion.bias.shape[0] >= 2 * len(ALIGN_RELATIONS)  # type: ignore[attr-defined]


def test_the_registry_knows_it() -> None:
    builders: list[Callable[..., object]] = [ENCODERS.get(name) for name in ENCODERS]
    assert builders == [FusedEncoder, NoEncoding]


def test_the_one_that_computes_nothing_gives_zeros_of_all_shapes(batch: GraphBatch) -> None:
    states = ENCODERS.build({"name": "nothing", "dim": 3})(batch)
    shapes = [tuple(part.shape) for part in (states.query, states.tokens, states.nodes, states.edges)]
    assert shapes == [(3, 3), (3, 6, 3), (5, 3), (4, 3)]
    assert not any(part.any() for part in (states.query, states.tokens, states.nodes, states.edges))
    with pytest.raises(ConfigError, match="nothing: dim = 0"):
        ENCODERS.build({"name": "nothing", "dim": 0})

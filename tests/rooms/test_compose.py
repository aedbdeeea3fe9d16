"""The composing decoder: its equations written a second time, halting, cycles in graphs, derivations."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kgreason.answer import RelationHead
from kgreason.data import SEMANTIC_RELATIONS, EdgeType, KnowledgeGraph, NodeType
from kgreason.decode import ComposeDecoder, places
from kgreason.decode.compose import compose
from kgreason.errors import ConfigError
from kgreason.explain.derivations import Derivations
from kgreason.frontier import Facts
from kgreason.tensors import GraphBatch, States, Trace
from tests.conftest import random_batch

RELATIONS = ("child", "parent", "sibling", "grandchild")
GRAPH = KnowledgeGraph.from_triples([("a", name, f"b{i}") for i, name in enumerate(RELATIONS)])
NAMES = list(GRAPH.relations)
Edge = tuple[int, str, int]


def batch_of(rows: list[tuple[int, list[Edge], tuple[int, int] | None]]) -> GraphBatch:
    """Rows of so many nodes, with KNOWLEDGE edges, and the pair that is asked about."""
    columns: dict[str, list[int]] = {"source": [], "target": [], "kind": [], "relation": []}
    sizes, kinds, first = [], [], 0
    for nodes, edges, asked in rows:
        found = [(first + a, first + b, EdgeType.KNOWLEDGE, NAMES.index(r)) for a, r, b in edges]
        kinds += [int(NodeType.PHRASE)] * nodes + [int(NodeType.SENTENCE)]
        if asked:
            ends = zip(asked, ("agent", "patient"), strict=True)
            found += [(first + nodes, first + a, EdgeType.SEMANTIC, SEMANTIC_RELATIONS.id(r)) for a, r in ends]
        for row in found:
            for name, value in zip(columns, row, strict=True):
                columns[name].append(int(value))
        sizes.append(nodes + 1)
        first += nodes + 1
    batch = random_batch(sizes)
    ids = {name: torch.tensor(value, dtype=torch.long) for name, value in columns.items()}
    return replace(
        batch,
        node_type=torch.tensor(kinds),
        edge_index=torch.stack([ids["source"], ids["target"]]),
        edge_kind=ids["kind"],
        edge_type=ids["relation"],
        edge_relation=ids["relation"],
        edge_score=torch.ones(len(ids["kind"])),
    )


def states_of(batch: GraphBatch, dim: int = 6) -> States:
    rows, nodes, edges = batch.num_graphs, len(batch.node_type), batch.edge_index.shape[1]
    tokens = torch.zeros(*batch.input_ids.shape, dim)
    return States(torch.randn(rows, dim), tokens, torch.randn(nodes, dim), torch.randn(edges, dim), batch)


def taught(rules: dict[tuple[str, str], str], **arguments: object) -> ComposeDecoder:
    """A decoder that knows these rules, and no others."""
    decoder = ComposeDecoder(dim=6, facts=Facts.of(GRAPH), **arguments)  # type: ignore[arg-type]
    with torch.no_grad():
        decoder.weight[...] = 0.0
        decoder.weight[..., -1] = 20.0
        for (p, q), r in rules.items():
            decoder.weight[NAMES.index(p), NAMES.index(q), NAMES.index(r)] = 25.0
    return decoder


KNOWN = {
    ("child", "child"): "grandchild",
    ("child", "sibling"): "child",
    ("sibling", "sibling"): "sibling",
    ("sibling", "parent"): "parent",
}


def answer(trace: Trace, row: int = 0) -> str:
    relation = trace.output[-1, row, : len(NAMES)]
    return NAMES[int(relation.argmax())] if relation.max() > 0.5 else "nothing"


def by_the_book(edges: Tensor, table: Tensor, cycles: int) -> Tensor:
    """The docstring's equations, entry by entry, in plain Python."""
    n, s, e = edges.shape[0], edges.shape[-1], edges.clone()
    for _ in range(cycles):
        new = e.clone()
        for x in range(n):
            for z in range(n):
                for r in range(s):
                    ways = [
                        sum(float(e[x, y, p] * e[y, z, q] * table[p, q, r]) for p in range(s) for q in range(s))
                        for y in range(n)
                    ]
                    new[x, z, r] = 0.0 if x == z else max(float(e[x, z, r]), min(1.0, max(ways)))
        e = new
    return e


def test_it_computes_its_equations() -> None:
    edges = torch.rand(2, 4, 4, 3) * (torch.rand(2, 4, 4, 1) > 0.4)
    edges[:, range(4), range(4)] = 0
    table = torch.rand(3, 3, 4).softmax(-1)[..., :3]
    e = edges
    for _ in range(3):
        e = torch.maximum(e, compose(e, table))
    for row in range(2):
        torch.testing.assert_close(e[row], by_the_book(edges[row], table, 3))


@pytest.mark.parametrize("length", range(2, 11))
def test_a_chain_is_composed_whatever_its_length(length: int) -> None:
    edges: list[Edge] = [(0, "child", 1), *((i, "sibling", i + 1) for i in range(1, length))]
    trace = taught(KNOWN)(states_of(batch_of([(length + 1, edges, (0, length))])))
    assert answer(trace) == "child"
    assert int(trace.running.sum()) == int(np.ceil(np.log2(length)))


def test_the_order_that_leads_somewhere_is_found() -> None:
    """child ∘ (sibling ∘ (sibling ∘ child)): the left end comes to nothing until the right end is done."""
    rules = {("sibling", "child"): "sibling", ("parent", "sibling"): "grandchild"}
    edges: list[Edge] = [(0, "parent", 1), (1, "sibling", 2), (2, "sibling", 3), (3, "child", 4)]
    rules[("sibling", "sibling")] = "child"
    trace = taught(rules)(states_of(batch_of([(5, edges, (0, 4))])))
    assert answer(trace) == "nothing"
    trace = taught(rules | {("sibling", "sibling"): "sibling"})(states_of(batch_of([(5, edges, (0, 4))])))
    assert answer(trace) == "grandchild"


def test_a_cycle_in_the_graph_is_harmless() -> None:
    chain: list[Edge] = [(0, "child", 1), (1, "sibling", 2)]
    round_and_round: list[Edge] = [*chain, (2, "sibling", 1), (1, "sibling", 2), (2, "sibling", 2), (1, "parent", 0)]
    decoder = taught(KNOWN)
    plain, looped = (decoder(states_of(batch_of([(3, edges, (0, 2))]))) for edges in (chain, round_and_round))
    torch.testing.assert_close(plain.output[-1, 0, :4], looped.output[-1, 0, :4])
    assert int(looped.running.sum()) <= 2


def test_what_lies_on_no_path_between_the_two_costs_no_cycle() -> None:
    chain: list[Edge] = [(0, "child", 1), (1, "sibling", 2)]
    aside: list[Edge] = [(2, "sibling", 3), *((i, "sibling", i + 1) for i in range(4, 9)), (9, "child", 0)]
    decoder = taught(KNOWN)
    plain, more = (decoder(states_of(batch_of([(10, edges, (0, 2))]))) for edges in (chain, chain + aside))
    torch.testing.assert_close(plain.output[:, 0, :4], more.output[:, 0, :4])
    assert torch.equal(plain.running, more.running)


def test_a_fixed_number_of_cycles_is_kept_and_too_few_do_not_reach() -> None:
    edges: list[Edge] = [(0, "child", 1), *((i, "sibling", i + 1) for i in range(1, 9))]
    batch = batch_of([(10, edges, (0, 9)), (10, edges[:1], (0, 1))])
    trace = taught(KNOWN, cycles=2, until="all")(states_of(batch))
    assert trace.running.all()
    assert answer(trace) == "nothing"
    assert answer(trace, 1) == "child"


def test_the_derivation_names_facts_in_order_and_the_rule_of_each_cycle() -> None:
    edges: list[Edge] = [(0, "child", 1), (1, "sibling", 2), (2, "sibling", 3)]
    trace = taught(KNOWN)(states_of(batch_of([(4, edges, (0, 3))])))
    assert trace.chart is not None
    told = Derivations.of(trace.chart)
    people = ["Ann", "Bob", "Cid", "Dot"]
    assert told.facts(0, people.__getitem__, GRAPH) == (
        ("Ann", "child", "Bob"),
        ("Bob", "sibling", "Cid"),
        ("Cid", "sibling", "Dot"),
    )
    used = [told.used(0, i, people.__getitem__, GRAPH) for i in range(2)]
    assert used[1].endswith("→ Dot")
    assert "sibling ∘ child → child" in " ".join(used)
    rules = [rule for rule in told.of_row(0) if rule.parts]
    assert len(rules) == 2, "a path of three facts takes two compositions"


def test_nothing_found_gives_no_derivation_and_an_even_answer() -> None:
    trace = taught(KNOWN)(states_of(batch_of([(3, [(1, "child", 2)], (0, 2))])))
    assert trace.chart is not None
    assert Derivations.of(trace.chart).of_row(0) == []
    states = states_of(batch_of([(3, [], (0, 2))]))
    p = RelationHead(dim=6, num_labels=4)(states, taught(KNOWN)(states)).value.softmax(0)
    torch.testing.assert_close(p, torch.full((4,), 0.25))


def test_without_a_pair_it_finds_the_entity_that_the_wanted_relation_leads_to() -> None:
    """Who is the grandchild of node 0? The relation is wanted, and no fact states it."""
    batch = batch_of([(4, [(0, "child", 1), (1, "child", 2), (1, "sibling", 3)], None)])
    link = torch.tensor([[1], [0]])  # some word names node 0
    batch = replace(
        batch,
        edge_index=torch.cat([batch.edge_index, link], 1),
        edge_kind=torch.cat([batch.edge_kind, torch.tensor([int(EdgeType.LINK)])]),
        edge_type=torch.cat([batch.edge_type, torch.zeros(1, dtype=torch.long)]),
        edge_relation=torch.cat([batch.edge_relation, torch.zeros(1, dtype=torch.long)]),
        edge_score=torch.cat([batch.edge_score, torch.ones(1)]),
    )
    decoder = taught(KNOWN)
    states = states_of(batch)
    with torch.no_grad():
        decoder.wanted.weight.zero_()
        decoder.wanted.bias.copy_(torch.tensor([10.0 * (name == "grandchild") for name in NAMES]))
    trace = decoder(states)
    assert int(trace.attention[-1].argmax()) == 2
    assert trace.chart is not None
    facts = Derivations.of(trace.chart).facts(0, str, GRAPH)
    assert facts == (("0", "child", "1"), ("1", "child", "2"))


def test_edges_are_taken_backwards_where_both_directions_are_wanted() -> None:
    decoder = ComposeDecoder(dim=9, facts=Facts.of(GRAPH), directions="both", latent=1)
    batch = batch_of([(2, [(0, "child", 1)], (1, 0))])
    trace = decoder(states_of(batch, 9))
    assert trace.output[0, 0, NAMES.index("child") + 4].item() == 1.0
    assert trace.chart is not None
    assert Derivations.of(trace.chart).facts(0, str, GRAPH) == (("1", "^child", "0"),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cycles": 0}, "cycles = 0"),
        ({"until": "settle"}, "until = 'settle'"),
        ({"directions": "back"}, "directions = 'back'"),
        ({"latent": 9}, "13 symbols"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ComposeDecoder(dim=6, facts=Facts.of(GRAPH), **arguments)  # type: ignore[arg-type]


def test_a_chart_that_would_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_MOST_ENTRIES", 10)
    with pytest.raises(ConfigError, match="does not fit into memory"):
        taught(KNOWN)(states_of(batch_of([(3, [(0, "child", 1)], (0, 1))])))


def test_the_ids_are_those_of_the_nouns() -> None:
    """`decode` repeats them, for symbols end at collate."""
    kinds = (NodeType.SENTENCE, EdgeType.SEMANTIC, EdgeType.LINK, EdgeType.KNOWLEDGE)
    roles = (SEMANTIC_RELATIONS.id("agent"), SEMANTIC_RELATIONS.id("patient"))
    repeated = (places._SENTENCE, places._SEMANTIC, places._LINK, places._KNOWLEDGE, places._AGENT, places._PATIENT)
    assert repeated == (*map(int, kinds), *roles)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(NAMES), st.integers(0, 4)), max_size=12))
def test_scores_only_rise_and_stay_below_one_on_any_graph(edges: list[Edge]) -> None:
    torch.manual_seed(0)
    decoder = ComposeDecoder(dim=6, facts=Facts.of(GRAPH), nothing=0.0)
    trace = decoder(states_of(batch_of([(5, edges, (0, 1))])))
    assert trace.chart is not None
    score = trace.chart.score.detach()
    assert ((score >= 0) & (score <= 1)).all()
    assert (score.diff(dim=0) >= 0).all()


def test_a_label_is_tied_to_the_relation_of_its_name() -> None:
    states = states_of(batch_of([(2, [(0, "sibling", 1)], (0, 1))]))
    trace = taught(KNOWN)(states)
    ids = [NAMES.index("parent"), NAMES.index("sibling")]
    scores = RelationHead(dim=6, num_labels=2, label_relations=ids)(states, trace)
    assert int(scores.value.argmax()) == 1
    with pytest.raises(ConfigError, match="label 1"):
        RelationHead(dim=6, num_labels=2, label_relations=[0, -1])
    with pytest.raises(ConfigError, match="tie = 'name'"):
        RelationHead(dim=6, num_labels=2, tie="name")
    shuffled = RelationHead(dim=6, num_labels=6, tie="random")
    assert sorted(shuffled.place.tolist()) == list(range(6))
    assert shuffled.place.tolist() != list(range(6))

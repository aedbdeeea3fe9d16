"""What the owner of a graph says about its use: which facts are walked."""

from dataclasses import replace

import numpy as np
import pytest

from kgreason import ConfigError, KnowledgeGraph
from kgreason.data.perturbed import perturb_graph
from kgreason.data.rules import Rules
from kgreason.data.walked import walked


@pytest.fixture
def towns() -> KnowledgeGraph:
    triples = [(f"town {i}", "country", "Land") for i in range(5)]
    triples += [("Land", "capital", "town 0"), ("town 0", "see_also", "town 1"), ("town 1", "near", "town 2")]
    return KnowledgeGraph.from_triples(triples)


def test_without_rules_the_graph_itself_is_walked(towns: KnowledgeGraph) -> None:
    assert walked(towns) is towns


def test_relations_that_are_not_walked_are_left_out_both_ways(towns: KnowledgeGraph) -> None:
    graph = walked(replace(towns, rules=Rules(stop=("see_also", "not there"))))
    assert graph.out("town 0") == [("country", "Land")]
    assert ("see_also", "town 0") not in graph.into("town 1")
    assert list(graph.entities) == list(towns.entities)
    assert list(graph.relations) == list(towns.relations)


def test_only_some_relations_are_walked(towns: KnowledgeGraph) -> None:
    graph = walked(replace(towns, rules=Rules(only=("country", "near"), stop=("near",))))
    assert {graph.relations[r] for r in graph.relation.tolist()} == {"country"}


def test_a_hub_is_reached_and_not_left(towns: KnowledgeGraph) -> None:
    graph = walked(replace(towns, rules=Rules(hub_limit=4)))
    assert graph.into("Land") == []
    assert graph.out("town 3") == [("country", "Land")]
    assert graph.out("Land") == [("capital", "town 0")]
    assert len(walked(replace(towns, rules=Rules(hub_limit=5))).head) == towns.num_triples


def test_a_run_ends_with_its_entity() -> None:
    # the last run of one entity and the first of the next have the same relation
    graph = KnowledgeGraph.from_triples([("a", "r", str(i)) for i in range(3)] + [("b", "r", str(i)) for i in range(3)])
    assert len(walked(replace(graph, rules=Rules(hub_limit=3))).tail) == 6


def test_walked_is_derived_once(towns: KnowledgeGraph) -> None:
    graph = replace(towns, rules=Rules(stop=("near",)))
    assert walked(graph) is walked(graph)


def test_a_spoilt_graph_keeps_the_rules(towns: KnowledgeGraph) -> None:
    graph = replace(towns, rules=Rules(stop=("near",)))
    assert perturb_graph(graph, "tails").rules == graph.rules


@pytest.mark.parametrize("wrong", [{"lexical": {"is_a": "hypernym"}}, {"hub_limit": -1}])
def test_rules_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Rules(**wrong)  # type: ignore[arg-type]


def test_empty_graph_columns() -> None:
    graph = KnowledgeGraph.from_triples([("a", "r", "b")])
    graph = walked(replace(graph, rules=Rules(stop=("r",), hub_limit=1)))
    assert np.array_equal(graph.head_ptr, [0, 0, 0])

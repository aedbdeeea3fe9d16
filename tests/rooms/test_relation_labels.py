"""What relations are called: read from RDF and TSV, kept in every form of a graph, spelled out where nothing is."""

import json
from pathlib import Path

import pytest

from kgreason.data import KnowledgeGraph, relation_texts
from kgreason.ground.perturb import perturb_graph
from kgreason.knowledge import RdfSource, TriplesSource, open_graph, open_store, pack, save_store
from kgreason.knowledge.packed import PackedSource

TURTLE = """
@prefix : <http://a.example/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
:directedBy rdfs:label "directed  by", "realisiert von"@de ; skos:altLabel "made by"@en-GB ; skos:prefLabel "director" .
:likes a :Verb ; rdfs:label "likes" .
:Alien :directedBy :Scott ; :starsActor :Weaver ; :likes :Scott ; rdfs:label "Alien" .
"""


@pytest.fixture
def graph(tmp_path: Path) -> KnowledgeGraph:
    (tmp_path / "films.ttl").write_text(TURTLE)
    return RdfSource(tmp_path / "films.ttl")()


def texts(graph: KnowledgeGraph) -> dict[str, list[str]]:
    return dict(zip(graph.relations, relation_texts(graph), strict=True))


WANTED = {
    "http://a.example/directedBy": ["director", "directed by", "made by"],
    "http://a.example/starsActor": ["stars actor"],
    "http://a.example/likes": ["likes"],
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": ["type"],
}


def test_turtle_says_what_relations_are_called(graph: KnowledgeGraph) -> None:
    assert texts(graph) == WANTED


def test_a_relation_with_labels_alone_is_no_entity(graph: KnowledgeGraph) -> None:
    assert "http://a.example/directedBy" not in graph.entities
    assert graph.label(graph.entities.id("http://a.example/likes")) == "likes"  # it is in a triple of its own


def test_another_language_gives_other_names(tmp_path: Path) -> None:
    (tmp_path / "films.ttl").write_text(TURTLE)
    called = texts(RdfSource(tmp_path / "films.ttl", language="de")())["http://a.example/directedBy"]
    assert called == ["director", "directed by", "realisiert von"]


def test_a_store_and_a_packed_file_keep_them(graph: KnowledgeGraph, tmp_path: Path) -> None:
    assert texts(open_store(save_store(graph, tmp_path / "store"))) == WANTED
    assert texts(PackedSource(pack(graph, tmp_path / "graph.npz"))()) == WANTED


def test_a_named_file_keeps_them_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "films.ttl").write_text(TURTLE)
    for _ in range(2):
        assert texts(open_graph(str(tmp_path / "films.ttl"))) == WANTED


def test_a_store_from_before_has_none(graph: KnowledgeGraph, tmp_path: Path) -> None:
    manifest = save_store(graph, tmp_path / "store") / "manifest.json"
    told = json.loads(manifest.read_text())
    del told["relation_labels"]
    manifest.write_text(json.dumps(told))
    old = open_store(tmp_path / "store")
    assert old.relation_labels == {}
    assert texts(old)["http://a.example/directedBy"] == ["directed by"]


def test_a_perturbed_graph_keeps_them(graph: KnowledgeGraph) -> None:
    assert texts(perturb_graph(graph, "tails", seed=1)) == WANTED


def test_the_names_of_a_tsv_file_are_of_relations_too(tmp_path: Path) -> None:
    (tmp_path / "films.tsv").write_text("Alien\tdirectedBy\tScott\nAlien\tP161\tWeaver\n")
    (tmp_path / "names.tsv").write_text("P161\tcast member\nP161\tstars\nScott\tRidley Scott\nP161\tstars\nP57\tx\n")
    graph = TriplesSource(tmp_path / "films.tsv", names=tmp_path / "names.tsv")()
    assert texts(graph) == {"P161": ["cast member", "stars"], "directedBy": ["directed by"]}
    assert graph.label(graph.entities.id("Scott")) == "Ridley Scott"

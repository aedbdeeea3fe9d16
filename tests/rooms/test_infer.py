"""What a vocabulary implies, said outright: each step on a small ontology, and by hand."""

from pathlib import Path

import pytest

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge import InferredSource, RdfSource, infer

HEAD = """@prefix : <u:> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""
SUB, OWL = "http://www.w3.org/2000/01/rdf-schema#subClassOf", "http://www.w3.org/2002/07/owl#"


def read(tmp_path: Path, text: str) -> KnowledgeGraph:
    path = tmp_path / "g.ttl"
    path.write_text(HEAD + text)
    return RdfSource(path)()


def rows(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {(h, r, t) for h in graph.entities for r, t in graph.out(h)}


def new(graph: KnowledgeGraph, *steps: str) -> set[tuple[str, str, str]]:
    """The triples that are added."""
    inferred = infer(graph, steps)
    assert rows(inferred) >= rows(graph)
    assert list(inferred.relations) == sorted(inferred.relations)
    return rows(inferred) - rows(graph)


def test_restrictions_become_triples(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        """:Pizza rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :hasBase ; owl:someValuesFrom :Base ] .
        :Hot owl:equivalentClass [ owl:intersectionOf ( :Pizza
            [ a owl:Restriction ; owl:onProperty :hasTopping ; owl:someValuesFrom :Chili ] ) ] .
        :American rdfs:subClassOf [ owl:onProperty :from ; owl:hasValue :America ] .
        :hasBase rdfs:label "has base" .""",
    )
    assert new(graph, "restrictions") == {
        ("u:Pizza", "u:hasBase", "u:Base"),
        ("u:Hot", SUB, "u:Pizza"),
        ("u:Hot", "u:hasTopping", "u:Chili"),
        ("u:American", "u:from", "u:America"),
    }
    assert infer(graph, ["restrictions"]).relation_labels["u:hasBase"] == ("has base",)


def test_a_list_of_disjoint_classes_becomes_pairs(tmp_path: Path) -> None:
    graph = read(tmp_path, "[] a owl:AllDisjointClasses ; owl:members ( :A :B :C ) .")
    pairs = [("A", "B"), ("A", "C"), ("B", "A"), ("B", "C"), ("C", "A"), ("C", "B")]
    assert new(graph, "disjoint") == {(f"u:{a}", OWL + "disjointWith", f"u:{b}") for a, b in pairs}


def test_relations_above_below_inverse_symmetric_transitive(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        """:p rdfs:subPropertyOf :q . :q rdfs:subPropertyOf :r . :r rdfs:subPropertyOf :q .
        :q owl:inverseOf :i . :s a owl:SymmetricProperty . :t a owl:TransitiveProperty .
        :a :p :b . :c :i :d . :e :s :f . :g :t :h . :h :t :k . :k :t :g .
        :A rdfs:subClassOf :B . :B rdfs:subClassOf :C . :x skos:broader :y . :y skos:related :z .""",
    )
    assert new(graph, "subproperty") == {("u:a", "u:q", "u:b"), ("u:a", "u:r", "u:b")}
    skos = "http://www.w3.org/2004/02/skos/core#"
    assert new(graph, "inverse") == {("u:d", "u:q", "u:c"), ("u:y", skos + "narrower", "u:x")}
    assert new(graph, "subproperty", "inverse") >= {("u:b", "u:i", "u:a")}
    assert new(graph, "symmetric") == {
        ("u:f", "u:s", "u:e"),
        ("u:z", skos + "related", "u:y"),
        ("u:i", OWL + "inverseOf", "u:q"),
    }
    around = {("u:g", "u:k"), ("u:g", "u:g"), ("u:h", "u:g"), ("u:h", "u:h"), ("u:k", "u:h"), ("u:k", "u:k")}
    sub = "http://www.w3.org/2000/01/rdf-schema#subPropertyOf"
    assert new(graph, "transitive") == {
        *((a, "u:t", b) for a, b in around),
        ("u:A", SUB, "u:C"),
        *((f"u:{a}", sub, f"u:{b}") for a, b in (("p", "r"), ("q", "q"), ("r", "r"))),
    }


def test_what_is_the_same_becomes_one(tmp_path: Path) -> None:
    graph = read(
        tmp_path,
        """:b owl:sameAs :a . :c owl:sameAs :b . :x owl:sameAs :y . :c :r :z . :a :r :z . :z :r :x .
        :c rdfs:label "Sea" . :a rdfs:label "Alpha" .""",
    )
    joined = infer(graph, ["same"])
    assert rows(joined) == {("u:a", "u:r", "u:z"), ("u:z", "u:r", "u:x")}
    assert list(joined.relations) == ["u:r"]
    one = joined.entities.id("u:a")
    assert joined.label(one) == "Alpha"
    for name in ("Alpha", "Sea"):
        assert joined.labels.senses(name)[0].tolist() == [one]
    assert rows(infer(joined, ["same"])) == rows(joined)


def test_pizza(data: Path) -> None:
    pizza = RdfSource(data / "ontologies" / "pizza.owl")()
    inferred = InferredSource(lambda: pizza, ["restrictions", "transitive"])()
    [american] = pizza.labels.senses("Americana")[0].tolist()
    facts = inferred.out(pizza.entities[american])
    toppings = {t.rpartition("#")[2] for r, t in facts if r.endswith("#hasTopping")}
    assert toppings >= {"MozzarellaTopping", "TomatoTopping"}
    assert any(t.endswith("#Pizza") for r, t in facts if r == SUB)


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'invers' is not known\. Known: same, restrictions"):
        infer(KnowledgeGraph.from_triples([("a", "r", "b")]), ["invers"])

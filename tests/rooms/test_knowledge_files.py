"""Files of triples, RDF and networkx: what is read, and what is refused, where."""

import gzip
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge import NetworkFile, RdfSource, TriplesSource, graph_from_networkx

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return made


def rows(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {(h, r, t) for h in graph.entities for r, t in graph.out(h)}


GOOD = {("a", "r", "b"), ("b", "s", "c d")}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.tsv", "a\tr\tb\nb\ts\tc d\n"),
        ("g.tsv", "a\tr\tb\r\nb\ts\tc d\r\n"),
        ("g.tsv", "\ufeffa\tr\tb\n\n   \nb\ts\tc d\na\tr\tb"),
        ("g.tsv", "a\tr\tb\textra\nb\ts\tc d\n"),
        ("g.tsv", "b\ts\tc d\na\tr\tb\t0.5\t0.1\n"),
        ("g.tsv", "a\tr\tb\t1\nb\ts\tc d\t2\n"),
        ("g.csv", 'a,r,b\n"b",s,"c d"\n'),
        ("G.CSV", "a,r,b,9\nb,s,c d\n"),
        ("g.jsonl", '{"head":"a","relation":"r","tail":"b"}\n["b","s","c d"]\n'),
        ("g.ndjson", '{"tail":"b","head":"a","relation":"r","x":1}\n\n{"head":"b","relation":"s","tail":"c d"}\n'),
    ],
)
def test_forms_of_triples(write: Write, name: str, content: str) -> None:
    assert rows(TriplesSource(write(name, content))()) == GOOD


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("g.tsv", "a\tr\tb\t1\nb\ts\tc d\t2\n", (1, 2, 3)),
        ("g.tsv", "r\ta\tb\r\ns\tb\tc d\r\n", (2, 1, 3)),
        ("g.tsv", "\ufeff\nfrom\tkind\tto\na\tr\tb\nb\ts\tc d\n", ("from", "kind", "to")),
        ("g.csv", '\ufeffa,r,"b"\nb,s,c d\n', (1, 2, 3)),
        ("g.csv", '"the ""from""",kind,to\na,r,b\nb,s,c d', ('the "from"', "kind", "to")),
    ],
)
def test_columns_and_newlines(
    write: Write, name: str, content: str, columns: tuple[int | str, int | str, int | str]
) -> None:
    head, relation, tail = columns
    assert rows(TriplesSource(write(name, content), head=head, relation=relation, tail=tail)()) == GOOD


@pytest.mark.parametrize("name", ["g.tsv", "g.csv", "g.jsonl"])
def test_gzip_and_several_files(write: Write, name: str) -> None:
    lines = {"g.tsv": "a\tr\tb\n", "g.csv": "a,r,b\n", "g.jsonl": '{"head":"a","relation":"r","tail":"b"}\n'}
    one = write(f"{name}.gz", gzip.compress(lines[name].encode()))
    assert rows(TriplesSource(one)()) == {("a", "r", "b")}
    assert rows(TriplesSource([one, write("more.tsv", "b\ts\tc d\n")])()) == GOOD
    one.write_bytes(one.read_bytes()[:-9])
    with pytest.raises(DataError, match="cannot be read to its end"):
        TriplesSource(one)()


def test_columns_by_number_and_by_name(write: Write) -> None:
    path = write("g.tsv", "kind\tfrom\tto\nr\ta\tb\ns\tb\tc d\n")
    assert rows(TriplesSource(path, head="from", relation="kind", tail="to")()) == GOOD
    path = write("h.csv", "r,a,b\ns,b,c d\n")
    assert rows(TriplesSource(path, head=2, relation=1, tail=3)()) == GOOD
    path = write("g.jsonl", '{"s":"a","p":"r","o":"b"}\n{"s":"b","p":"s","o":"c d"}\n')
    assert rows(TriplesSource(path, head="s", relation="p", tail="o")()) == GOOD


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("g.tsv", "a\tr\tb\n\na\tr\n", "line 3 has 2 columns, expected the tail in column 3"),
        ("g.tsv", "a\tr\tb\na\t\tb\n", "line 2: the relation is ''"),
        ("g.tsv", "a\tr\tb\na\tr\t  \n", "line 2: the tail is '  '"),
        ("g.tsv", b"a\tr\tb\na\tr\t\xff\n", "line 2 is not UTF-8"),
        ("g.tsv", "", "no triple"),
        ("g.tsv", "\n\n", "no triple"),
        ("g.tsv", "head\trelation\ttail\na\tr\tb\n", "line 1 is a header"),
        ("g.csv", 'a,r,b\n"a,r,b\n', "line 2 is not CSV"),
        ("g.csv", "a,r,b\na;r;b\n", "line 2 has 1 columns"),
        ("g.jsonl", '{"head":"a","relation":"r","tail":"b"}\n{"head":"a"}\n', "line 2 has no key 'relation'"),
        ("g.jsonl", '{"head":"a","relation":"r","tail":"b"}\n{"head":\n', "line 2 is not JSON"),
        ("g.jsonl", '{"head":"a","relation":"r","tail":null}\n', "line 1: the tail is None"),
        ("g.jsonl", '{"head":"a","relation":true,"tail":"b"}\n', "line 1: the relation is True"),
        ("g.jsonl", '{"head":"a","relation":"r","tail":"\\ud800"}\n', "line 1: the tail .* lone surrogate"),
        ("g.jsonl", '"text"\n', "line 1 is a str"),
        ("g.jsonl", "[" * 100_000, "line 1 is not JSON"),
    ],
)
def test_a_broken_line_is_named(write: Write, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        TriplesSource(write(name, content))()


def test_a_missing_column_is_named_with_those_that_are_there(write: Write) -> None:
    path = write("g.tsv", "from\tkind\tto\na\tr\tb\n")
    with pytest.raises(DataError, match=r"line 1 has 0 columns named 'source'.*It has: from, kind, to"):
        TriplesSource(path, head="source", relation="kind", tail="to")()
    with pytest.raises(ConfigError, match="three column numbers"):
        TriplesSource(path, head="from")
    with pytest.raises(ConfigError, match="three column numbers"):
        TriplesSource(path, head=0)


def test_nul_other_scripts_and_quotes_are_text(write: Write) -> None:
    path = write("g.tsv", 'a\0b\tr\t"quoted\n東京\tに_ある\t日本\n')
    graph = TriplesSource(path)()
    assert rows(graph) == {("a\0b", "r", '"quoted'), ("東京", "に_ある", "日本")}
    assert graph.labels.senses("東京")[0].tolist() == [graph.entities.id("東京")]


def test_labels_have_spaces_for_underscores_or_come_from_a_file(write: Write) -> None:
    graph = TriplesSource(write("g.tsv", "New_York\tin\tUSA\n"))()
    assert graph.label(graph.entities.id("New_York")) == "New York"
    path = write("q.tsv", "Q60\tP17\tQ30\n")
    named = write("names.tsv", "Q60\tNew York City\nQ60\tNYC\nQ99\tnobody\nQ30\tUSA\n")
    graph = TriplesSource(path, names=named)()
    assert graph.label(graph.entities.id("Q60")) == "New York City"
    assert graph.labels.senses("NYC")[0].tolist() == [graph.entities.id("Q60")]
    assert "nobody" not in graph.labels.names


TURTLE = """
@prefix : <http://example.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
:dog rdfs:subClassOf :animal ; rdfs:label "dog"@en, "Hund"@de ; skos:altLabel "hound" ; :legs 4 ; :born "x"^^:broken .
:New_York :in [ :in :usa ] .
:lonely rdfs:label "alone" .
"""


def test_rdf_keeps_labels_and_leaves_literals_out(write: Write) -> None:
    graph = RdfSource(write("g.ttl", TURTLE))()
    here = "http://example.org/"
    assert rows(graph) == {
        (here + "dog", "http://www.w3.org/2000/01/rdf-schema#subClassOf", here + "animal"),
        (here + "New_York", here + "in", "_:b0"),
        ("_:b0", here + "in", here + "usa"),
    }
    assert graph.about["literals_left_out"] == "2"
    assert graph.label(graph.entities.id(here + "dog")) == "dog"
    assert graph.label(graph.entities.id(here + "New_York")) == "New York"
    assert graph.labels.preferred[graph.entities.id("_:b0")] == -1
    for name in ("Hund", "hound", "dog"):
        assert graph.labels.senses(name)[0].tolist() == [graph.entities.id(here + "dog")]
    german = RdfSource(write("g.ttl", TURTLE), language="de")()
    assert german.label(german.entities.id(here + "dog")) == "Hund"
    assert german.label(german.entities.id(here + "lonely")) == "alone"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("g.ttl", "<u:a> <u:b> .\n<u:c", "g.ttl is not turtle"),
        ("g.nt", "<u:a> <u:b>\n", "g.nt is not nt"),
        ("g.rdf", "<rdf:RDF", "g.rdf is not xml"),
        ("g.jsonld", "{", "g.jsonld is not json-ld"),
        ("g.nq", b"\xff\xfe", "g.nq is not nquads"),
        ("g.ttl", '<u:a> <u:b> "only text" .', "no triple between two entities"),
        ("g.ttl", "", "no triple between two entities"),
    ],
)
def test_broken_rdf_is_refused(write: Write, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        RdfSource(write(name, content))()


def test_rdf_syntax_can_be_said(write: Write) -> None:
    path = write("g.owl", "<u:a> <u:b> <u:c> .")
    with pytest.raises(DataError, match="say which with 'syntax'"):
        RdfSource(path)()
    assert rows(RdfSource(path, syntax="turtle")()) == {("u:a", "u:b", "u:c")}
    with pytest.raises(ConfigError, match="syntax = 'turtel'"):
        RdfSource(path, syntax="turtel")


def test_networkx_of_every_kind() -> None:
    plain = nx.Graph()
    plain.add_edge(1, "two")
    assert rows(graph_from_networkx(plain)) == {("1", "related_to", "two"), ("two", "related_to", "1")}
    directed = nx.MultiDiGraph()
    directed.add_node("a", label="the letter A")
    directed.add_edge("a", "b", kind="r")
    directed.add_edge("a", "b", kind="s")
    graph = graph_from_networkx(directed, relation="kind")
    assert rows(graph) == {("a", "r", "b"), ("a", "s", "b")}
    assert graph.label(graph.entities.id("a")) == "the letter A"


def test_networkx_that_is_no_graph_of_names() -> None:
    with pytest.raises(DataError, match="both named '1'"):
        graph_from_networkx(nx.Graph([(1, "1")]))
    with pytest.raises(DataError, match="no edge"):
        graph_from_networkx(nx.empty_graph(3))
    with pytest.raises(DataError, match="blank name"):
        graph_from_networkx(nx.Graph([("", "a")]))


def test_a_file_of_another_ending_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match=r"none of \.graphml"):
        NetworkFile(write("g.txt", "x"))()
    with pytest.raises(ConfigError, match="names no form of triples"):
        TriplesSource(write("g.txt", "a\tr\tb\n"))()
    assert rows(TriplesSource(write("g.txt", "a\tr\tb\n"), form="tsv")()) == {("a", "r", "b")}
    with pytest.raises(DataError, match="missing"):
        TriplesSource("nowhere.tsv")()


def test_metaqa(data: Path) -> None:
    graph = TriplesSource(data / "metaqa" / "graph.tsv")()
    assert (len(graph.entities), len(graph.relations), graph.num_triples) == (42_797, 9, 129_413)
    assert ("directed_by", "William Dieterle") in graph.out("Kismet")


def test_conceptnet(data: Path) -> None:
    path = data / "conceptnet100k" / "train.txt"
    graph = TriplesSource(path, relation=1, head=2, tail=3, form="tsv")()
    assert (len(graph.relations), graph.num_triples) == (34, 100_000)
    assert ("ReceivesAction", "play on ice") in graph.out("hockey")


def test_pizza_and_schema_org(data: Path) -> None:
    pizza = RdfSource(data / "ontologies" / "pizza.owl")()
    named = pizza.labels.senses("Americana")[0]
    assert [pizza.entities[int(i)].rpartition("#")[2] for i in named] == ["American"]
    turtle = RdfSource(data / "ontologies" / "schemaorg-all-https.ttl")()
    assert ("http://www.w3.org/2000/01/rdf-schema#subClassOf", "https://schema.org/Thing") in turtle.out(
        "https://schema.org/Person"
    )
    ntriples = RdfSource(data / "ontologies" / "schemaorg-all-https.nt")()
    assert rows(turtle) == rows(ntriples)

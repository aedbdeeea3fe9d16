"""Looking at a graph: what it is, finding in it, paths, drawings, what may be wrong with it; also at an endpoint."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason import ConfigError, DataError, KnowledgeGraph
from kgreason.cli.app import app
from kgreason.cli.console import run, set_quiet
from kgreason.data.rules import Rules
from kgreason.knowledge import RdfSource, build_graph, build_store, export_graph, infer, open_store
from kgreason.knowledge.check import check
from kgreason.knowledge.drawing import draw
from kgreason.knowledge.explore import Explore
from kgreason.knowledge.paths import path_between
from kgreason.knowledge.search import search
from kgreason.knowledge.summary import summarise
from tests.servers import Server

GRAPH = KnowledgeGraph.from_triples(
    [
        ("dog", "is_a", "animal"),
        ("cat", "is_a", "animal"),
        ("animal", "is_a", "thing"),
        ("dog", "chases", "cat"),
        ("Q42", "likes", "dog"),
        ("far", "near", "away"),
    ],
    names={"dog": ["dog", "hound"], "cat": ["Cat", "hound"], "Q42": ["Douglas Adams"]},
)


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    set_quiet(False)
    code = run(lambda: app(["graph", *map(str, words)], standalone_mode=False) or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


_ENDS = st.integers(0, 9).map(str)
TRIPLES = st.lists(st.tuples(_ENDS, st.sampled_from("rs"), _ENDS), min_size=1, max_size=25)


def as_networkx(graph: KnowledgeGraph) -> nx.Graph:
    network = nx.Graph()
    network.add_nodes_from(range(len(graph.entities)))
    network.add_edges_from((h, t) for h, _, t in graph.triples.tolist())
    return network


def test_a_summary_counts() -> None:
    told = summarise(GRAPH)
    assert (told.entities, told.triples, told.relations["is_a"]) == (7, 6, 3)
    assert (told.parts, told.largest) == (2, round(5 / 7, 6))
    assert told.degrees.most == 3
    assert sum(told.degrees.histogram) == 7
    assert told.degrees.mean == round(12 / 7, 4)
    assert {name for name, _ in told.degrees.hubs[:2]} == {"dog", "animal"}
    assert told.labelled == round(1 / 7, 6)  # Douglas Adams; "Cat" is "cat" written otherwise
    assert told.ambiguous == round(1 / len(GRAPH.labels.names), 6)
    json.dumps(told.told())


@given(TRIPLES)
def test_parts_are_those_of_networkx(triples: list[tuple[str, str, str]]) -> None:
    graph = KnowledgeGraph.from_triples(triples)
    told, parts = summarise(graph), list(nx.connected_components(as_networkx(graph)))
    assert told.parts == len(parts)
    assert told.largest == round(max(map(len, parts)) / len(graph.entities), 6)


@given(TRIPLES, st.integers(1, 5), st.integers(0, 99), st.integers(0, 99))
def test_a_path_is_as_short_as_that_of_networkx(
    triples: list[tuple[str, str, str]], most: int, first: int, last: int
) -> None:
    graph = KnowledgeGraph.from_triples(triples)
    network = as_networkx(graph)
    a, b = first % len(graph.entities), last % len(graph.entities)
    path = path_between(graph, a, b, most)
    length = nx.shortest_path_length(network, a, b) if nx.has_path(network, a, b) else 99
    if length > most:
        assert path is None
        return
    assert path is not None
    assert len(path.steps) == length
    here = graph.entities[a]
    for step in path.steps:
        assert (step.relation, step.tail) in graph.out(step.head)
        assert here in (step.head, step.tail)
        here = step.tail if step.head == here else step.head
    assert here == graph.entities[b]


def test_a_path_keeps_to_what_may_be_walked() -> None:
    dog, thing = GRAPH.entities.id("dog"), GRAPH.entities.id("thing")
    assert [step.relation for step in path_between(GRAPH, dog, thing).steps] == ["is_a", "is_a"]  # type: ignore[union-attr]
    assert path_between(replace(GRAPH, rules=Rules(stop=("is_a",))), dog, thing) is None
    with pytest.raises(DataError, match="expected 1 to 12"):
        path_between(GRAPH, dog, thing, 13)
    hub = KnowledgeGraph.from_triples([(f"x{i}", "in", "hub") for i in range(5)])
    a, b = hub.entities.id("x1"), hub.entities.id("x2")
    assert len(path_between(replace(hub, rules=Rules(hub_limit=3)), a, b).steps) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("dog", ("dog", "exact")),
        ("DOUGLAS ADAMS", ("Q42", "exact")),
        ("Q42", ("Q42", "exact")),
        ("dams", ("Q42", "part")),
        ("Duoglas Adms", ("Q42", "like")),
        ("anmal", ("animal", "like")),
    ],
)
def test_search(text: str, wanted: tuple[str, str]) -> None:
    hit = search(GRAPH, text).found[0]
    assert (hit.entity, hit.match) == wanted


def test_search_ranks_and_limits() -> None:
    both = search(GRAPH, "hound").found
    assert [hit.entity for hit in both] == ["dog", "cat"]  # as likely, but the dog has more facts
    assert len(search(GRAPH, "a", limit=2).found) == 2
    assert search(GRAPH, "xylophone").found == ()
    assert [hit.label for hit in search(GRAPH, "an").found] == ["animal"]
    with pytest.raises(DataError, match="nothing to look for"):
        search(GRAPH, " ")


def test_search_does_not_run_over_the_end_of_a_label() -> None:
    graph = KnowledgeGraph.from_triples([("abc", "r", "def"), ("cd", "r", "x")])
    assert [hit.entity for hit in search(graph, "cd").found] == ["cd"]


@given(st.text(min_size=1, max_size=6))
def test_search_takes_any_text(text: str) -> None:
    graph = KnowledgeGraph.from_triples([("Ä\nb", "r", "东京"), ("(.*", "r", "é")])
    if text.replace("_", " ").strip():
        search(graph, text)


def test_check_finds_what_was_planted() -> None:
    labelled = [f"http://x/e{i}" for i in range(30)]
    triples = [(a, "http://x/subClassOf", b) for a, b in pairwise(labelled)]
    triples += [(labelled[5], "http://x/subClassOf", labelled[3]), (labelled[9], "http://x/r", labelled[9])]
    triples += [
        (labelled[0], "http://x/r", "http://x/Q99"),
        *((f"http://x/e{i % 30}", f"http://x/r{i}", "http://x/hub") for i in range(1500)),
    ]
    names = {name: [f"Thing {i % 29}"] for i, name in enumerate(labelled)} | {"http://x/hub": ["the hub"]}
    found = {f.name: f for f in check(KnowledgeGraph.from_triples(triples, names)).findings}
    assert (found["cycles"].count, found["cycles"].weight) == (1, "wrong")
    assert found["cycles"].examples[0].startswith("Thing 3 ↔ Thing 4 ↔ Thing 5")
    assert found["loops"].examples == ("Thing 9 http://x/r",)
    assert found["dangling"].examples == ("http://x/Q99",)
    assert found["unlabelled"].examples == ("http://x/Q99",)
    assert found["hubs"].examples == ("the hub (1,500)",)
    assert found["duplicate labels"].examples == ("Thing 0 (2)",)
    assert found["ids outside"].weight == "good"
    assert found["isolated"].count == 0


def test_what_is_called_as_its_id_ends_is_not_dangling(tmp_path: Path) -> None:
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    path = tmp_path / "towns.nt"
    path.write_text(
        f'<http://x/a> <http://x/near> <http://x/Vienna> .\n<http://x/Vienna> {label} "Vienna" .\n'
        f'<http://x/a> {label} "A town" .\n<http://x/b> {label} "Another" .\n'
        "<http://x/b> <http://x/near> <http://x/Vienn> .\n"
        "<http://x/0> <http://www.w3.org/2002/07/owl#sameAs> <http://x/b> .\n"
    )
    for graph in (build_graph(RdfSource(path)), open_store(build_store(RdfSource(path), tmp_path / "store"))):
        found = {f.name: f for f in check(graph).findings}
        assert found["dangling"].examples == ("http://x/Vienn",)
        assert summarise(graph).labelled == 0.6
        merged = infer(graph, ["same"])
        assert dict(zip(merged.entities, merged.labels.given.tolist(), strict=True)) == {
            "http://x/0": 1,
            "http://x/Vienn": 0,
            "http://x/Vienna": 1,
            "http://x/a": 1,
        }
    again = build_store(RdfSource(export_graph(graph, tmp_path / "again.nt")), tmp_path / "again")
    assert (again / "manifest.json").read_text().replace("again.nt", "towns.nt").split('"sources"')[0] == (
        tmp_path / "store" / "manifest.json"
    ).read_text().split('"sources"')[0]


def test_blank_nodes_want_no_name() -> None:
    triples = [("http://x/Q1", "r", "_:b0"), ("_:b0", "r", "_:b1"), ("http://x/Q1", "r", "http://x/Q2")]
    found = {f.name: f for f in check(KnowledgeGraph.from_triples(triples, {"http://x/Q1": ["one"]})).findings}
    assert found["unlabelled"].examples == ("http://x/Q2",)


def test_check_of_relations_that_are_named_or_in_the_rules() -> None:
    graph = KnowledgeGraph.from_triples([("a", "above", "b"), ("b", "above", "a"), ("a", "is_a", "c")])
    by_name = {True: check(graph, ("above",)), False: check(graph)}
    assert by_name[True].wrong
    assert not by_name[False].wrong
    assert check(replace(graph, rules=Rules({"above": "forward"}))).wrong
    with pytest.raises(ConfigError, match="no relation 'over'"):
        check(graph, ("over",))


def test_check_says_that_a_store_is_damaged() -> None:
    tail = GRAPH.tail.copy()
    tail[0] = 99
    assert check(replace(GRAPH, tail=tail)).findings[0].count == 1


def test_a_graph_in_order_has_no_findings() -> None:
    graph = KnowledgeGraph.from_triples([("dog", "is_a", "animal")])
    assert {finding.weight for finding in check(graph).findings} == {"good"}


def test_a_drawing_is_one_picture_with_everything_in_it() -> None:
    dog = GRAPH.entities.id("dog")
    drawn = draw(GRAPH, [dog])
    root = ET.fromstring(drawn.svg)
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"dog", "animal", "Cat", "Douglas Adams", "is a", "chases", "likes"} <= set(texts)
    assert (drawn.shown, drawn.left_out) == (3, 0)
    assert draw(GRAPH, [dog], hops=2).shown == 5
    assert draw(GRAPH, [dog]).svg == drawn.svg
    assert "http" not in drawn.svg.replace("http://www.w3.org/2000/svg", "")
    with pytest.raises(DataError, match="1 to 200 facts"):
        draw(GRAPH, [dog], most=0)


def test_of_a_hub_every_relation_gets_its_turn() -> None:
    triples = [(f"x{i}", "in", "hub") for i in range(50)] + [("hub", "is", "big"), ("hub", "has", "much")]
    graph = KnowledgeGraph.from_triples(triples)
    drawn = draw(graph, [graph.entities.id("hub")], most=5)
    assert (drawn.shown, "much" in drawn.svg, "big" in drawn.svg) == (5, True, True)
    assert drawn.left_out > 0


def test_names_cannot_get_out_of_a_picture_or_a_table() -> None:
    evil = '</svg><script>alert("x")</script>\x00&'
    graph = KnowledgeGraph.from_triples([(evil, evil + "r", "b"), ("b", "s", evil + "2")])
    seen = Explore(graph)
    told = [seen.plot(evil).page, seen.info()._repr_html_(), seen.show(evil)._repr_html_(), seen.sample()._repr_html_()]
    told += [seen.search("script")._repr_html_(), seen.check()._repr_html_(), seen._repr_html_()]
    told += [seen.path(evil, "b")._repr_html_()]  # type: ignore[union-attr]
    assert not any("<script" in text or "\x00" in text for text in told)
    ET.fromstring(seen.plot(evil).svg)


def test_a_sample_is_of_the_graph_and_the_same_for_the_same_seed() -> None:
    facts = Explore(GRAPH).sample(4, seed=3).facts
    assert len({(f.head, f.relation, f.tail) for f in facts}) == 4
    assert all((f.relation, f.tail) in GRAPH.out(f.head) for f in facts)
    assert facts == Explore(GRAPH).sample(4, seed=3).facts
    assert len(Explore(GRAPH).sample(99).facts) == GRAPH.num_triples


def test_of_a_thousand_relations_not_all_are_told(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "many.tsv").write_text("".join(f"a\tr{i}\tb{k}\n" for i in range(100) for k in range(1 + (i == 7))))
    said = call(capsys, "info", "many.tsv")[1]
    assert said.split("Relations:\n")[1].splitlines()[0].split() == ["2", "r7"]
    assert "… and 60 more; all with --limit 0" in said
    assert call(capsys, "info", "many.tsv", "--limit", "0")[1].count("\n") == said.count("\n") + 59
    assert len(json.loads(call(capsys, "info", "many.tsv", "--json")[1])["relations"]) == 100


def test_the_commands(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "g.tsv").write_text("dog\tis_a\tanimal\nanimal\tis_a\tthing\ncat\tis_a\tanimal\n")
    code, said, _ = call(capsys, "info", "g.tsv")
    assert code == 0
    assert "4 entities, 1 relations, 3 triples" in said
    assert "most 3" in said
    told = json.loads(call(capsys, "info", "g.tsv", "--json")[1])
    assert told["degrees"]["hubs"][0] == ["animal", 3]
    assert call(capsys, "search", "anmal", "-g", "g.tsv")[1].startswith("0.71 like  animal")
    assert json.loads(call(capsys, "search", "dog", "-g", "g.tsv", "--json")[1])["match"] == "exact"
    assert call(capsys, "path", "dog", "cat", "-g", "g.tsv")[1] == "dog —is a→ animal\ncat —is a→ animal\n"
    assert json.loads(call(capsys, "path", "dog", "cat", "-g", "g.tsv", "--json")[1])["length"] == 2
    assert len(call(capsys, "sample", "g.tsv", "--size", "2")[1].splitlines()) == 2
    assert json.loads(call(capsys, "sample", "g.tsv", "--size", "1", "--json")[1])["relation"] == "is_a"
    assert call(capsys, "plot", "dog", "-g", "g.tsv", "--out", "dog.svg")[0] == 0
    ET.fromstring((folder / "dog.svg").read_text())
    assert json.loads(call(capsys, "plot", "dog", "-g", "g.tsv", "--out", "d.html", "--json")[1])["facts"] == 1
    assert call(capsys, "check", "g.tsv")[0] == 0
    assert len(call(capsys, "check", "g.tsv", "--json")[1].splitlines()) == 8
    (folder / "bad.tsv").write_text("a\tis_a\tb\nb\tis_a\ta\n")
    assert "wrong    cycles" in call(capsys, "check", "bad.tsv")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "zzzzzz", "-g", "g.tsv"), "No label of g.tsv is like"),
        (("path", "dog", "nobody", "-g", "g.tsv"), "no entity and no label"),
        (("path", "dog", "alone", "-g", "g.tsv"), "Allow more: --most"),
        (("plot", "dog", "-g", "g.tsv", "--out", "dog.png"), "ends in .svg or .html"),
        (("check", "g.tsv", "--up", "isa"), "no relation 'isa'"),
        (("init", "nowhere.tsv"), "There is no graph"),
        (("init", "world"), "has a manifest already"),
        (("init", "g.tsv", "--out", "g.txt"), "ends in .toml"),
    ],
)
def test_errors_are_one_message(
    capsys: pytest.CaptureFixture[str], folder: Path, words: tuple[str, ...], said: str
) -> None:
    (folder / "g.tsv").write_text("dog\tis_a\tanimal\nalone\tis_a\tlonely\n")
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_template_opens_the_graph_it_was_made_for(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "g.tsv").write_text('dog\tsub "ClassOf"\tanimal\ndog\tis_a\tpet\n')
    code, said, _ = call(capsys, "init", "g.tsv")
    assert (code, said) == (0, "g.toml\n")
    text = (folder / "g.toml").read_text()
    assert '"is_a" = "forward"' in text
    assert 'file   = "g.tsv"' in text
    graph = Explore("g.toml").graph
    assert graph.num_triples == 2
    assert graph.rules.lexical == {"is_a": "forward"}
    code, _, err = call(capsys, "init", "g.tsv")
    assert (code, "is there already" in err) == (2, True)
    assert call(capsys, "init", "g.tsv", "--force", "--json")[0] == 0
    # what stands behind a # is right, too
    keys = re.sub(
        r"(?m)^# (only|stop|language|relations)( +=.*)$", lambda m: m[1] + m[2].replace('["…"]', '["is_a"]'), text
    )
    (folder / "g.toml").write_text(
        keys.replace('stop = ["is_a"]', "stop = []").replace("hub_limit = 0", "hub_limit = 9")
    )
    with pytest.raises(ConfigError, match="does not take 'language'"):
        Explore("g.toml").graph  # noqa: B018


def test_an_endpoint_is_looked_at_the_same_way(
    capsys: pytest.CaptureFixture[str], folder: Path, oxigraph: Server
) -> None:
    lines = [
        f"<http://x/{h}> <http://r/{r}> <http://x/{t}> .\n"
        for h, r, t in (("dog", "is_a", "animal"), ("cat", "is_a", "animal"), ("a", "b", "c"))
    ]
    lines.append('<http://x/dog> <http://www.w3.org/2000/01/rdf-schema#label> "Dog"@en .\n')
    (folder / "g.nt").write_text("".join(lines))
    oxigraph.load(folder / "g.nt", "urn:look")
    call(capsys, "init", oxigraph.endpoint, "--out", "e.toml")
    text = (folder / "e.toml").read_text().replace('# graph  = "http://…"', 'graph = "urn:look"')
    (folder / "e.toml").write_text(text)
    assert "2  http://r/is_a" in call(capsys, "info", "e.toml")[1].replace("  ", " ").replace("2 http", "2  http")
    assert call(capsys, "path", "Dog", "http://x/cat", "-g", "e.toml")[1] == "Dog —is a→ animal\ncat —is a→ animal\n"
    assert json.loads(call(capsys, "search", "dog", "-g", "e.toml", "--json")[1])["facts"] == 1
    assert "http://r/is_a ▶ http://x/animal" in call(capsys, "show", "Dog", "-g", "e.toml")[1]
    assert len(call(capsys, "sample", "e.toml", "--size", "2")[1].splitlines()) == 2
    assert call(capsys, "plot", "Dog", "-g", "e.toml", "--out", "dog.svg")[0] == 0
    assert "kgreason graph build" in call(capsys, "check", "e.toml")[2]
    assert "no entity called 'Nobody'" in call(capsys, "path", "Dog", "Nobody", "-g", "e.toml")[2]
    assert "http://r/is_a" in Explore("e.toml")._repr_html_()

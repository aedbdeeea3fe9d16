"""A remote graph on real servers: what it gives is what the same file gives when it is read here."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import KnowledgeGraph
from kgreason.data.rules import Rules
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge import SOURCES, RdfSource, is_remote, open_graph, save_store, table_of
from kgreason.knowledge.sparql import Limits, RemoteGraph
from kgreason.knowledge.sparql_client import Access, Client
from kgreason.knowledge.sparql_dump import Dump
from kgreason.knowledge.sparql_names import Naming
from kgreason.knowledge.sparql_terms import literal, values
from tests.servers import Server

GRAPH = "http://graph.test/towns"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
#: More than one page, and more than Virtuoso gives at once.
MANY = 11_000
STRANGE = ['say "hi"', "back\\slash", "Nîmes", "a\tb", "} . ?s ?p ?o {", "東京", "it's", '"@en . <u:x> <u:y> <u:z> . #']


def lines() -> Iterator[str]:
    def town(i: int) -> str:
        return f"<http://t/{i}>"

    for i in range(60):
        yield f"{town(i)} <http://r/next> {town((i * 7 + 1) % 60)} ."
        yield f"{town(i)} <http://r/in> <http://t/Land{i % 3}> ."
        yield f'{town(i)} <{LABEL}> "Town {i}"@en .'
        yield f'{town(i)} <{LABEL}> "Stadt {i}"@de .'
        yield f'{town(i)} <http://r/people> "{i}" .'
    for i in range(MANY):
        yield f"<http://t/x{i}> <http://r/in> <http://t/Hub> ."
    yield f"<http://t/Hub> <http://r/near> {town(0)} ."
    yield f'<http://t/Hub> <{LABEL}> "The Hub" .'
    yield f"{town(1)} <http://r/has> _:b1 ."
    yield f"_:b1 <http://r/has> {town(2)} ."
    yield f'<http://r/next> <{LABEL}> "leads on to"@en .'
    for i, name in enumerate(STRANGE):
        yield f"<http://s/{i}> <http://r/next> {town(i)} ."
        yield f"<http://s/{i}> <{LABEL}> {literal(name, 'en')} ."


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("towns") / "towns.nt"
    path.write_text("".join(line + "\n" for line in lines()), "utf-8")
    return path


@pytest.fixture(scope="module", params=["virtuoso", "oxigraph"])
def server(request: pytest.FixtureRequest, file: Path) -> Server:
    running: Server = request.getfixturevalue(request.param)
    running.load(file, GRAPH)
    return running


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def remote(server: Server) -> RemoteGraph:
    return RemoteGraph(server.endpoint, GRAPH)


def around(graph: KnowledgeGraph, seeds: set[str], hops: int, hub: int = 10**9) -> set[tuple[str, str, str]]:
    """The same neighbourhood, plainly, from the graph that was read here."""
    found: set[tuple[str, str, str]] = set()
    seen, new = set(seeds), set(seeds)
    for _ in range(hops):
        for entity in new:
            for own, way in ((graph.out(entity), "out"), (graph.into(entity), "in")):
                sizes = Counter(relation for relation, _ in own)
                found |= {(entity, r, e) if way == "out" else (e, r, entity) for r, e in own if sizes[r] <= hub}
        new = {end for h, _, t in found for end in (h, t)} - seen
        seen |= new
    return found


def triples(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    names, kinds = list(graph.entities), list(graph.relations)
    return {(names[h], kinds[r], names[t]) for h, r, t in graph.triples.tolist()}


def read(file: Path) -> KnowledgeGraph:
    """Read the file without the facts of its blank node, which has no name at a server."""
    text = "".join(line for line in file.read_text("utf-8").splitlines(keepends=True) if "_:" not in line)
    plain = file.with_name("plain.nt")
    plain.write_text(text, "utf-8")
    return RdfSource(plain)()


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_a_neighbourhood_is_that_of_the_file(remote: RemoteGraph, file: Path, hops: int) -> None:
    seeds = ["http://t/3", "http://s/2"]
    graph = remote.around(seeds, hops)
    assert triples(graph) == around(read(file), set(seeds), hops)
    assert graph.about["source"] == remote.endpoint
    assert graph.relation_labels["http://r/next"] == ("leads on to",)
    assert graph.label(graph.entities.id("http://t/3")) == "Town 3"
    assert set(graph.relations) >= {"http://r/next", "http://r/in", "http://r/near"}


def test_what_was_asked_before_is_not_asked_again(remote: RemoteGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    first = remote.around(["http://t/3"], 2)
    monkeypatch.setattr(Client, "select", None)
    again = RemoteGraph(remote.endpoint, GRAPH).around(["http://t/3"], 2)
    np.testing.assert_array_equal(first.triples, again.triples)
    with pytest.raises(TypeError):
        RemoteGraph(remote.endpoint, GRAPH, limits=Limits(days=0.0)).around(["http://t/3"], 2)


def test_a_long_run_comes_page_by_page_and_whole(server: Server) -> None:
    remote = RemoteGraph(server.endpoint, GRAPH, limits=Limits(hub=MANY))
    assert len(remote.neighbourhood(["http://t/Hub"], 1).triples) == MANY + 1


def test_hubs_are_reached_and_not_left(server: Server, file: Path) -> None:
    remote = RemoteGraph(server.endpoint, GRAPH, Rules(hub_limit=19))
    near = remote.neighbourhood(["http://t/x5", "http://t/4"], 2)
    assert set(near.triples) == around(read(file), {"http://t/x5", "http://t/4"}, 2, hub=19)
    assert near.left_out > MANY


def test_the_limit_of_facts_holds_and_short_runs_come_first(server: Server) -> None:
    remote = RemoteGraph(server.endpoint, GRAPH, limits=Limits(facts=10, hub=MANY))
    near = remote.neighbourhood(["http://t/3"], 2)
    assert len(near.triples) <= 10
    assert ("http://t/3", "http://r/in", "http://t/Land0") in near.triples
    assert near.left_out > 0


def test_only_some_relations_are_followed(server: Server) -> None:
    only = RemoteGraph(server.endpoint, GRAPH, Rules(only=("http://r/next",)))
    assert {r for _, r, _ in only.neighbourhood(["http://t/3"], 2).triples} == {"http://r/next"}
    stop = RemoteGraph(server.endpoint, GRAPH, Rules(stop=("http://r/next",)))
    assert {r for _, r, _ in stop.neighbourhood(["http://t/3"], 1).triples} == {"http://r/in"}
    assert "http://r/next" not in stop.relations()
    assert only.relations() == {"http://r/next": 0}


def test_relations_are_counted_without_literals(remote: RemoteGraph) -> None:
    counts = remote.relations()
    assert counts["http://r/in"] == 60 + MANY
    assert counts["http://r/next"] == 60 + len(STRANGE)
    assert "http://r/people" not in counts


def steps_from(start: str, graph: KnowledgeGraph) -> dict[str, int]:
    """How many facts away everything is."""
    beside: dict[str, set[str]] = {}
    for h, _, t in triples(graph):
        beside.setdefault(h, set()).add(t)
        beside.setdefault(t, set()).add(h)
    far, new = {start: 0}, {start}
    while new:
        new = {b for a in new for b in beside[a]} - far.keys()
        far |= dict.fromkeys(new, max(far.values()) + 1)
    return far


@pytest.mark.parametrize("name", STRANGE)
def test_every_name_is_found_whatever_is_in_it(remote: RemoteGraph, name: str) -> None:
    assert remote.names.meaning([name, "nothing is called so"]) == {name: [f"http://s/{STRANGE.index(name)}"]}
    assert remote.names.of([f"http://s/{STRANGE.index(name)}"]) == {
        f"http://s/{STRANGE.index(name)}": [" ".join(name.split())]
    }


def test_a_batch_of_names_one_of_which_is_an_attack(remote: RemoteGraph) -> None:
    attack = '" } ; DROP ALL ; SELECT * { ?s ?p "'
    assert remote.names.meaning(["Town 3", attack, "TOWN 4"]) == {"Town 3": ["http://t/3"], "TOWN 4": ["http://t/4"]}
    assert remote.relations()["http://r/in"] == 60 + MANY  # all is still there


def test_names_in_the_language_that_was_asked_for(server: Server) -> None:
    assert RemoteGraph(server.endpoint, GRAPH).names.meaning(["Stadt 3"]) == {}
    german = RemoteGraph(server.endpoint, GRAPH, naming=Naming(language="de"))
    assert german.names.meaning(["Stadt 3"]) == {"Stadt 3": ["http://t/3"]}
    assert german.names.of(["http://t/3"]) == {"http://t/3": ["Stadt 3"]}
    every = RemoteGraph(server.endpoint, GRAPH, naming=Naming(language=""))
    assert every.names.of(["http://t/3"]) == {"http://t/3": ["Stadt 3", "Town 3"]}


def test_seeds_of_texts(remote: RemoteGraph) -> None:
    texts = [("Which town leads on to Town 12?", ()), ("x", ("Town 3", "http://t/7", "nobody"))]
    assert remote.seeds(texts) == ["http://t/12", "http://t/3", "http://t/7"]


def test_a_path_is_as_short_as_any(remote: RemoteGraph, file: Path) -> None:
    graph = read(file)
    far = steps_from("http://t/0", graph)
    for end in ("http://t/1", "http://t/22", "http://t/Land0", "http://s/1", "http://t/x9"):
        path = remote.path("http://t/0", end, 6)
        assert len(path) == far[end]
        assert set(path) <= triples(graph)
        here = "http://t/0"
        for head, _, tail in path:
            assert here in (head, tail)
            here = tail if here == head else head
        assert here == end
    assert remote.path("http://t/0", "http://t/0") == []
    assert remote.path("http://t/0", "http://t/22", 1) == []


def test_search_looks_for_the_name_and_then_inside_names(remote: RemoteGraph) -> None:
    assert remote.search("town 3")[:2] == [("http://t/3", "Town 3"), ("http://t/30", "Town 30")]
    assert remote.search("town 3", 1) == [("http://t/3", "Town 3")]
    assert sorted(remote.search("own 5")) == sorted((f"http://t/{i}", f"Town {i}") for i in (5, *range(50, 60)))
    assert remote.search("http://t/Hub") == [("http://t/Hub", "The Hub")]
    assert remote.search("zzz") == []


def test_values_with_a_repeated_literal_are_not_sent(remote: RemoteGraph) -> None:
    names = [literal("Town 3", "en"), literal("Town 4", "en"), literal("Town 3", "en")]
    rows = remote.client.select(f"SELECT ?x {{ {values('l', names)} ?x <{LABEL}> ?l }}")
    assert sorted(row[0].value for row in rows if row[0]) == ["http://t/3", "http://t/4"]


def test_a_dump_is_the_file(remote: RemoteGraph, file: Path, tmp_path: Path) -> None:
    dump = Dump(remote, tmp_path / "dump", page=7000)
    graph = RdfSource(dump.fetch())()
    assert triples(graph) == triples(read(file))
    assert graph.label(graph.entities.id("http://t/3")) == "Town 3"
    assert graph.relation_labels["http://r/next"] == ("leads on to",)
    assert {name for name in STRANGE if "\t" not in name} <= set(graph.labels.names)


def test_nothing_is_known(remote: RemoteGraph) -> None:
    with pytest.raises(DataError, match="knows no fact about http://t/nowhere"):
        remote.around(["http://t/nowhere"])


def test_an_endpoint_opens_as_any_graph(server: Server, tmp_path: Path) -> None:
    manifest = tmp_path / "towns.toml"
    manifest.write_text(f'title = "Towns"\nendpoint = "{server.endpoint}"\ngraph = "{GRAPH}"\nhops = 1\n')
    assert table_of(server.endpoint) == {"name": "sparql", "endpoint": server.endpoint}
    assert is_remote(table_of(server.endpoint))
    assert is_remote(table_of(str(manifest)))
    graph = open_graph(str(manifest), texts=lambda: [("Where is Town 3?", ())])
    assert ("http://r/in", "http://t/Land0") in graph.out("http://t/3")
    assert graph.about["title"] == "Towns"
    with pytest.raises(ConfigError, match="there is no question"):
        open_graph(str(manifest))
    with pytest.raises(DataError, match="Nothing that is asked about"):
        open_graph(str(manifest), texts=lambda: [("Who is Zorblax?", ())])
    save_store(graph, tmp_path / "store")


def test_settings_that_make_no_sense(server: Server) -> None:
    def source(**settings: object) -> None:
        SOURCES.build({"name": "sparql", "endpoint": server.endpoint, **settings})

    with pytest.raises(ConfigError, match="Did you mean 'hub_limit'"):
        source(walk={"hub_limits": 3})
    with pytest.raises(ConfigError, match="does not take 'password'"):
        source(access={"password": "x"})
    with pytest.raises(ConfigError, match="expected an IRI"):
        source(walk={"stop": ["next"]})
    with pytest.raises(ConfigError, match="names: relations"):
        source(names={"relations": ["label"]})
    with pytest.raises(ConfigError, match="hops = 0"):
        source(hops=0)
    with pytest.raises(ConfigError, match="facts = 0"):
        source(limits={"facts": 0})
    assert RemoteGraph(server.endpoint, access=Access(timeout=5.0)).client.access.timeout == 5.0

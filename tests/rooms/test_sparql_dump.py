"""A graph is fetched from an endpoint as a whole: every page once, whatever is cut off, and it goes on when stopped."""

from pathlib import Path

import numpy as np
import pytest

from kgreason.cli.app import app
from kgreason.cli.console import run
from kgreason.data import KnowledgeGraph
from kgreason.data.rules import Rules
from kgreason.errors import ConfigError, StoreError
from kgreason.knowledge import RdfSource, open_store
from kgreason.knowledge.sparql import RemoteGraph
from kgreason.knowledge.sparql_client import Access, Client, Row, TooMuchError
from kgreason.knowledge.sparql_dump import LEAST, Dump
from kgreason.knowledge.sparql_names import Naming
from tests.servers import Server

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
GRAPH = "urn:dump"
ONE = Access(parallel=1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [f"<http://t/{i % 97}> <http://r/{i % 3}> <http://t/{i % 89}> .\n" for i in range(9000)]
    lines += [f"<http://t/{i % 9}> <http://r/few> <http://t/{i}> .\n" for i in range(70)]
    # the same name in two languages, often enough that some page ends between the two
    lines += [f'<http://t/{i}> {LABEL} "Name {i}"@{tag} .\n' for i in range(97) for tag in ("en", "de")]
    path = tmp_path_factory.mktemp("dump") / "graph.nt"
    path.write_text("".join(lines))
    return path


@pytest.fixture
def remote(oxigraph: Server, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteGraph:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    oxigraph.load(file, GRAPH)
    return RemoteGraph(oxigraph.endpoint, GRAPH, naming=Naming(language=""), access=ONE)


def same(one: KnowledgeGraph, other: KnowledgeGraph) -> None:
    assert list(one.entities) == list(other.entities)
    assert list(one.relations) == list(other.relations)
    assert list(one.labels.names) == list(other.labels.names)
    np.testing.assert_array_equal(one.triples, other.triples)


def test_every_fact_is_fetched_in_large_pages(remote: RemoteGraph, file: Path, tmp_path: Path) -> None:
    same(RdfSource(Dump(remote, tmp_path / "dump", 10_000).fetch())(), RdfSource(file)())


@pytest.mark.parametrize("page", [8, 9, 70, 71])
def test_and_in_small_ones(remote: RemoteGraph, tmp_path: Path, page: int) -> None:
    few = RemoteGraph(remote.endpoint, GRAPH, Rules(only=("http://r/few",)), Naming(language=""), ONE)
    graph = RdfSource(Dump(few, tmp_path / "dump", page).fetch(), foreign="keep")()
    assert graph.num_triples == 70
    assert graph.labels.senses("Name 5")[0].tolist() == [graph.entities.id("http://t/5")]
    with pytest.raises(ConfigError, match="at least 8"):
        Dump(few, tmp_path / "dump", 7)


class Faulty:
    """A client that breaks off at one of its questions, or finds large pages too much."""

    def __init__(self, client: Client, breaks_at: int = 0, most: int = 0) -> None:
        self.client, self.access, self.breaks_at, self.most, self.asked = client, client.access, breaks_at, most, 0

    def select(self, query: str) -> list[Row]:
        self.asked += 1
        if self.asked == self.breaks_at:
            raise StoreError("the line is dead")
        if self.most and "LIMIT" in query and int(query.rpartition("LIMIT")[2]) > self.most:
            raise TooMuchError("too many rows")
        return self.client.select(query)


@pytest.mark.parametrize("breaks_at", [1, 2, 15])
def test_a_dump_that_was_stopped_goes_on(remote: RemoteGraph, file: Path, tmp_path: Path, breaks_at: int) -> None:
    remote.relations()  # from the cache from now on
    honest = Faulty(remote.client)
    dump = Dump(remote, tmp_path / "whole", 500)
    remote.client = honest  # type: ignore[assignment]
    dump.fetch()
    remote.client = faulty = Faulty(honest.client, breaks_at)  # type: ignore[assignment]
    with pytest.raises(StoreError, match="the line is dead"):
        Dump(remote, tmp_path / "dump", 500).fetch()
    remote.client = again = Faulty(honest.client)  # type: ignore[assignment]
    paths = Dump(remote, tmp_path / "dump", 500).fetch()
    assert faulty.asked - 1 + again.asked <= honest.asked
    same(RdfSource(paths)(), RdfSource(file)())
    assert [path.read_bytes() for path in paths] == [p.read_bytes() for p in sorted((tmp_path / "whole").glob("*.nt"))]


def test_a_page_that_is_too_much_is_asked_for_in_smaller_ones(remote: RemoteGraph, file: Path, tmp_path: Path) -> None:
    remote.relations()
    remote.client = Faulty(remote.client, most=700)  # type: ignore[assignment]
    same(RdfSource(Dump(remote, tmp_path / "dump", 2000).fetch())(), RdfSource(file)())
    remote.client = Faulty(remote.client.client, most=LEAST - 1)  # type: ignore[attr-defined]
    with pytest.raises(TooMuchError):
        Dump(remote, tmp_path / "other", 2000).fetch()


def test_the_folder_of_another_dump_is_refused(remote: RemoteGraph, tmp_path: Path) -> None:
    Dump(remote, tmp_path / "dump").fetch()
    other = RemoteGraph(remote.endpoint, GRAPH, Rules(stop=("http://r/1",)), Naming(language=""), ONE)
    with pytest.raises(StoreError, match="a dump of something else"):
        Dump(other, tmp_path / "dump").fetch()
    (tmp_path / "mine.txt").write_text("keep")
    Dump(remote, tmp_path / "dump").remove()
    assert not (tmp_path / "dump").exists()


def test_the_command_builds_a_store_and_leaves_nothing_behind(
    remote: RemoteGraph, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "m.toml"
    manifest.write_text(f'endpoint = "{remote.endpoint}"\ngraph = "{GRAPH}"\n[names]\nlanguage = ""\n')
    words = ["graph", "build", str(manifest), "--out", str(tmp_path / "store"), "-q", "--about", "licence=CC0"]
    assert run(lambda: app(words, standalone_mode=False)) == 0
    graph = open_store(tmp_path / "store")
    same(graph, RdfSource(file)())
    assert (graph.about["source"], graph.about["licence"]) == (remote.endpoint, "CC0")
    assert not (tmp_path / ".store.dump").exists()
    capsys.readouterr()
    assert run(lambda: app(["graph", "build", remote.endpoint], standalone_mode=False)) == 2
    assert "--out FOLDER" in capsys.readouterr().err
    words = ["graph", "build", remote.endpoint, str(file), "--out", str(tmp_path / "x")]
    assert run(lambda: app(words, standalone_mode=False)) == 2
    assert "one endpoint alone" in capsys.readouterr().err

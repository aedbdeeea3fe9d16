"""Opening a graph by name or path: built once, kept by content, safe with many processes, and the commands."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from kgreason.cli import graph as commands
from kgreason.cli.console import run, set_quiet
from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.knowledge import known_graphs, open_built, open_graph, open_store, pack, save_store
from kgreason.knowledge.lookup import find

GRAPH = KnowledgeGraph.from_triples([("dog", "is_a", "animal"), ("cat", "is_a", "animal")])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tsv(tmp_path: Path) -> Path:
    path = tmp_path / "graph.tsv"
    path.write_text("dog\tis_a\tanimal\ncat\tis_a\tanimal\n")
    return path


def stores(cache: Path) -> list[Path]:
    return sorted((cache / "graphs").iterdir()) if cache.exists() else []


def test_a_file_is_built_once_and_then_mapped(tsv: Path, cache: Path) -> None:
    open_graph(str(tsv))
    (store,) = stores(cache)
    written = (store / "manifest.json").stat().st_mtime_ns
    graph = open_graph(str(tsv))
    assert isinstance(graph.tail.base, np.memmap)
    assert graph.out("dog") == [("is_a", "animal")]
    assert graph.about["source"] == "graph.tsv"
    assert (store / "manifest.json").stat().st_mtime_ns == written


def test_a_changed_file_is_another_graph(tsv: Path, cache: Path) -> None:
    open_graph(str(tsv))
    tsv.write_text("dog\tis_a\tplant\n")
    assert open_graph(str(tsv)).out("dog") == [("is_a", "plant")]
    assert len(stores(cache)) == 2


def test_other_columns_are_another_graph(tsv: Path) -> None:
    turned = open_built({"name": "triples", "path": str(tsv), "head": 3, "tail": 1})
    assert turned.out("animal") == [("is_a", "cat"), ("is_a", "dog")]
    assert open_graph(str(tsv)).out("animal") == []


def test_without_the_cache_nothing_is_written(tsv: Path, cache: Path) -> None:
    assert open_graph(str(tsv), cache=False).num_triples == 2
    assert not cache.exists()


def test_a_store_a_packed_file_and_a_folder_are_opened_too(tmp_path: Path, cache: Path) -> None:
    assert open_graph(str(save_store(GRAPH, tmp_path / "store"))).num_triples == 2
    assert not cache.exists()
    assert open_graph(str(pack(GRAPH, tmp_path / "graph.npz"))).num_triples == 2


def test_a_damaged_cache_is_built_again(tsv: Path, cache: Path) -> None:
    open_graph(str(tsv))
    (tail,) = cache.rglob("tail")
    tail.write_bytes(b"junk")
    assert open_graph(str(tsv)).num_triples == 2
    assert open_store(stores(cache)[0]).num_triples == 2


def test_a_cache_that_cannot_be_written_does_not_stop_anyone(tsv: Path, cache: Path) -> None:
    cache.write_text("a file where a folder should be")
    assert open_graph(str(tsv)).num_triples == 2


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 'wordnet'.*kgreason graph build"):
        open_graph("wordnett")
    (tmp_path / "graph.pdf").write_text("x")
    with pytest.raises(ConfigError, match=r"'\.pdf' names no known form"):
        open_graph(str(tmp_path / "graph.pdf"))
    with pytest.raises(ConfigError, match="neither a graph store"):
        open_graph(str(tmp_path))


def test_wordnet_is_known_and_comes_from_the_cache_the_second_time(cache: Path) -> None:
    assert "wordnet" in known_graphs()
    open_graph("wordnet")
    assert isinstance(open_graph("wordnet").head.base, np.memmap)
    assert open_graph("wordnet").about["name"] == "wordnet"


def test_many_processes_may_open_wordnet_first(cache: Path) -> None:
    code = "from kgreason.knowledge import open_graph; print(open_graph('wordnet').out('dog.n.01')[0][1])"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0] for process in started] == ["canine.n.02\n"] * 3
    (store,) = stores(cache)
    assert len(list(store.iterdir())) == 2  # the manifest and one folder of columns


def test_a_shipped_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kgreason.knowledge import catalogue

    pack(GRAPH, tmp_path / "small.npz")
    (tmp_path / "small.toml").write_text('file = "small.npz"\nsha256 = "00"\n')
    (tmp_path / "bare.toml").write_text("title = 'no file'\n")
    (tmp_path / "broken.toml").write_text("=")
    monkeypatch.setattr(catalogue, "shipped", lambda _: tmp_path)
    with pytest.raises(StoreError, match=r"small\.toml says 00"):
        open_graph("small")
    with pytest.raises(StoreError, match="either 'file' or 'endpoint'"):
        open_graph("bare")
    with pytest.raises(StoreError, match="cannot be read"):
        open_graph("broken")


def test_a_described_graph_is_found_below_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kgreason.knowledge import catalogue

    described, below = tmp_path / "described", tmp_path / "below"
    described.mkdir()
    (below / "films").mkdir(parents=True)
    (below / "films" / "kb.txt").write_text("Kismet\tdirected_by\tWilliam Dieterle\n")
    found = hashlib.sha256((below / "films" / "kb.txt").read_bytes()).hexdigest()
    notice = 'title = "Films"\nform = "tsv"\nfile = "films/kb.txt"\nsha256 = "{}"\n'
    (described / "films.toml").write_text(notice.format(found))
    (described / "other.toml").write_text(notice.format("0" * 64))
    (described / "gone.toml").write_text(notice.format(found).replace("kb.txt", "no.txt"))
    monkeypatch.setattr(catalogue, "shipped", lambda _: described)
    monkeypatch.setenv("KGREASON_DATA", str(below))
    for _ in range(2):
        graph = open_graph("films")
        assert graph.out("Kismet") == [("directed_by", "William Dieterle")]
        assert graph.about["title"] == "Films"
    with pytest.raises(StoreError, match="changed or is another version"):
        open_graph("other")
    with pytest.raises(DataError, match=r"lacks the file .*no\.txt"):
        open_graph("gone")


@pytest.mark.parametrize(
    ("name", "triples"), [("metaqa", 129413), ("pathquestion-2h", 1211), ("pathquestion-3h", 2839)]
)
def test_described_graphs_have_the_counts_they_say(data: Path, name: str, triples: int) -> None:
    assert open_graph(name).num_triples == triples


def test_find_prefers_names_and_tries_other_spellings() -> None:
    graph = KnowledgeGraph.from_triples([("q1", "r", "q2")], {"q1": ["New York"], "q2": ["dog", "q1"]})
    assert [graph.entities[c.entity] for c in find(graph, "q1")] == ["q1"]
    for text in ("New York", "New_York", "new york", "  New  York "):
        assert [graph.entities[c.entity] for c in find(graph, text)] == ["q1"]
    with pytest.raises(DataError, match="Did you mean 'New York'"):
        find(graph, "New Yorck")
    with pytest.raises(DataError, match="no label ''"):
        find(graph, "")
    with pytest.raises(DataError):
        find(graph, "\ud800")


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    app = typer.Typer()
    commands.register(app)
    set_quiet(False)
    code = run(lambda: app([str(word) for word in words], standalone_mode=False))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_build_info_and_show(capsys: pytest.CaptureFixture[str], tsv: Path, tmp_path: Path) -> None:
    out = tmp_path / "store"
    code, said, progress = call(capsys, "graph", "build", tsv, "--out", out, "--about", "licence=CC0-1.0")
    assert code == 0
    assert "3 entities, 1 relations, 2 triples" in said
    assert "Writing" in progress
    code, said, progress = call(capsys, "graph", "build", tsv, "--out", out, "-q", "--json")
    assert (code, progress) == (0, "")
    assert json.loads(said)["relations"] == {"is_a": 2}
    code, said, _ = call(capsys, "graph", "info", out, "--json")
    assert json.loads(said)["triples"] == 2
    code, said, _ = call(capsys, "graph", "show", "dog", "--graph", out)
    assert said == "dog\n  called: dog\n  is_a ▶ animal\n"
    code, said, _ = call(capsys, "graph", "show", "animal", "--graph", out, "--limit", "1")
    assert "1 more" in said
    code, said, _ = call(capsys, "graph", "show", "animal", "--graph", out, "--json")
    assert [fact["entity"] for fact in json.loads(said)["in"]] == ["cat", "dog"]


def test_show_lists_every_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, hint = call(capsys, "graph", "show", "dog")
    assert code == 0
    assert said.index("dog.n.01") < said.index("chase.v.01")
    assert "graph show 'dog.n.01'" in hint
    code, said, _ = call(capsys, "graph", "show", "dog", "--json")
    assert len([json.loads(line) for line in said.splitlines()]) == 8


def test_other_commands(capsys: pytest.CaptureFixture[str], tsv: Path, tmp_path: Path) -> None:
    assert "wordnet" in call(capsys, "graph", "list")[1]
    listed = call(capsys, "graph", "list", "--json")[1].splitlines()
    assert {"wordnet", "world", "metaqa"} <= {json.loads(line)["name"] for line in listed}
    text = tmp_path / "graph.txt"
    text.write_text("r\ta\tb\n")
    columns = ("--form", "tsv", "--head", "2", "--relation", "1", "--tail", "3")
    _, said, _ = call(capsys, "graph", "build", text, *columns, "--json", "--pack", tmp_path / "p.npz")
    assert json.loads(said)["relations"] == {"r": 1}
    assert open_graph(str(tmp_path / "p.npz")).out("a") == [("r", "b")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("build", "nowhere.tsv"), "nowhere.tsv is missing"),
        (("build", "TSV", "--form", "tvs"), "Did you mean 'tsv'"),
        (("build", "TSV", "--head", "a"), "three column numbers"),
        (("build", "TSV", "--form", "rdf", "--head", "1"), "rdf does not take 'head'"),
        (("build", "TSV", "--about", "licence"), "not KEY=VALUE"),
        (("info", "nowhere"), "There is no graph 'nowhere'"),
        (("show", "dogg"), "Did you mean"),
        (("wordnet", "nowhere"), "missing"),
    ],
)
def test_errors_are_one_message_and_code_2(
    capsys: pytest.CaptureFixture[str], tsv: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = call(capsys, "graph", *(str(tsv) if word == "TSV" else word for word in words))
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err

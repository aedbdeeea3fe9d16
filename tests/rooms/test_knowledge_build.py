"""Building: the same graph from any order, in any memory, stopped and gone on; whole or not at all."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kgreason.errors import DataError, StoreError
from kgreason.knowledge import (
    RdfSource,
    TriplesSource,
    build_graph,
    build_store,
    open_store,
    save_store,
)
from kgreason.knowledge.blocks import Stream
from kgreason.knowledge.progress import Progress

LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
LINES = [f"node {i % 97}\tr{i % 5}\tnode {i * 7 % 89}\n" for i in range(400)]
STATEMENTS = [f"<u:a{i % 97}> <u:r{i % 5}> <u:b{i * 7 % 89}> .\n" for i in range(300)] + [
    *(
        f'<u:a{i}> <http://www.w3.org/2000/01/rdf-schema#label> "label {i % 30}"@{"de" if i % 3 else "en"} .\n'
        for i in range(60)
    ),
    *(f"_:n{i % 7} <u:r9> <u:a{i % 11}> .\n" for i in range(20)),
    f'<u:r1> <{LABEL}> "relation one" .\n',
    '<u:a1> <u:comment> "left out" .\n',
]


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from kgreason.knowledge import lines, progress, statements, stretches

    monkeypatch.setattr(stretches, "_PIECE", 512)
    monkeypatch.setattr(lines, "_ROWS", 16)
    monkeypatch.setattr(statements, "_AT_ONCE", 64)
    monkeypatch.setattr(progress, "_EVERY", -1.0)


def columns(store: Path) -> dict[str, bytes]:
    """What a store says, without what files it says it was built from."""
    manifest = json.loads((store / "manifest.json").read_bytes())
    folder = store / manifest["data"]  # a build that was killed may have left others
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    for key in ("sources", "about"):
        manifest.pop(key)
    return {**found, "manifest": json.dumps(manifest, sort_keys=True).encode(), "name": folder.name.encode()}


@pytest.fixture(params=["tsv", "nt", "ttl"])
def stream(request: pytest.FixtureRequest, tmp_path: Path) -> Stream:
    return streams(request.param, tmp_path, list(LINES), list(STATEMENTS))


def streams(form: str, folder: Path, lines: list[str], statements: list[str]) -> Stream:
    path = folder / f"graph.{form}"
    path.write_text("".join(lines if form == "tsv" else statements), encoding="utf-8")
    return TriplesSource(path) if form == "tsv" else RdfSource(path)


def test_a_store_holds_what_a_graph_in_memory_holds(stream: Stream, tmp_path: Path) -> None:
    built = build_store(stream, tmp_path / "built")
    saved = save_store(build_graph(stream), tmp_path / "saved")
    assert columns(built) == columns(saved)
    assert open_store(built).about == open_store(saved).about
    assert (built / "manifest.json").read_bytes() == (
        build_store(stream, tmp_path / "again") / "manifest.json"
    ).read_bytes()


@pytest.mark.parametrize("memory", [1, 2**10, 2**14])
def test_the_memory_does_not_matter(
    stream: Stream, tmp_path: Path, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kgreason.knowledge import lines, statements, stretches

    whole = columns(build_store(stream, tmp_path / "whole"))
    monkeypatch.setattr(stretches, "_PIECE", 512)
    monkeypatch.setattr(lines, "_ROWS", 16)
    monkeypatch.setattr(statements, "_AT_ONCE", 16)
    assert columns(build_store(stream, tmp_path / "pieces", memory=memory)) == whole
    assert columns(save_store(build_graph(stream, memory), tmp_path / "kept")) == whole
    assert [path.name for path in (tmp_path / "pieces").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("form", ["tsv", "nt"])
def test_the_order_of_the_lines_does_not_matter(form: str, tmp_path: Path) -> None:
    first = columns(build_store(streams(form, tmp_path, LINES, STATEMENTS), tmp_path / "first"))
    shuffled = random.Random(1)
    lines, statements = LINES * 2, STATEMENTS * 2
    shuffled.shuffle(lines)
    shuffled.shuffle(statements)
    assert columns(build_store(streams(form, tmp_path, lines, statements), tmp_path / "second")) == first


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    for name, part in (("a.nt", STATEMENTS[::2]), ("b.nt", STATEMENTS[1::2])):
        (tmp_path / name).write_text("".join(part))
    names = [tmp_path / "a.nt", tmp_path / "b.nt"]
    one = build_store(RdfSource(names), tmp_path / "one")
    two = build_store(RdfSource(names[::-1]), tmp_path / "two")
    pattern = build_store(RdfSource(tmp_path / "[ab].nt"), tmp_path / "three")
    assert columns(one) == columns(two) == columns(pattern)
    graph = open_store(one)
    # The same name of a blank node in two files is two nodes.
    assert {name for name in graph.entities if name.startswith("_:")} == {
        f"_:f{file}.0.n{i}" for file in (0, 1) for i in range(7)
    }


def test_blank_nodes_of_documents_are_numbered_as_they_are_met(tmp_path: Path) -> None:
    nodes = "".join(f"<u:a{i}> <u:r> [ <u:s> <u:b{i}> ] .\n" for i in range(30))
    path = tmp_path / "graph.ttl"
    path.write_text(nodes)
    for memory in (2**20, 1):
        graph = build_graph(RdfSource(path), memory)
        assert [graph.out(f"u:a{i}")[0][1] for i in range(30)] == [f"_:b{i}" for i in range(30)]
        assert [graph.out(f"_:b{i}") for i in range(30)] == [[("u:s", f"u:b{i}")] for i in range(30)]
        names = [name.encode() for name in graph.entities]
        assert names == sorted(names)


def test_the_manifest_says_what_was_read(stream: Stream, tmp_path: Path) -> None:
    import hashlib

    store = build_store(stream, tmp_path / "store", about={"licence": "CC0-1.0"})
    manifest = json.loads((store / "manifest.json").read_bytes())
    (file,) = stream.files()
    assert manifest["sources"] == {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    assert manifest["about"]["licence"] == "CC0-1.0"
    assert open_store(store).about["source"] == file.name


def test_progress_has_a_rate_and_an_end(stream: Stream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kgreason.knowledge import progress

    monkeypatch.setattr(progress, "_EVERY", -1.0)
    told: list[Progress] = []
    build_store(stream, tmp_path / "store", tell=told.append)
    stages = list(dict.fromkeys(each.stage for each in told))
    assert stages[:3] == ["reading", "joining entities", "sorting triples"]
    assert stages[-1] == "writing"
    reading = [each for each in told if each.stage == "reading"]
    assert [each.done for each in reading] == sorted(each.done for each in reading)
    assert reading[-1].done == reading[-1].whole > 0
    assert reading[-1].rate > 0
    assert reading[-1].left == 0


class Stopped(BaseException):
    """What Ctrl-C or a lost machine does, at a place of our choice."""


def stop_after(times: int) -> "Stopping":
    return Stopping(times)


class Stopping:
    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, progress: Progress) -> None:
        self.times -= 1
        if self.times < 0:
            raise Stopped


@pytest.mark.parametrize("form", ["tsv", "nt"])
@pytest.mark.parametrize("stopped", [0, 3, 12, 20])
@pytest.mark.usefixtures("in_pieces")
def test_a_stopped_build_goes_on(form: str, tmp_path: Path, stopped: int) -> None:
    stream, store = streams(form, tmp_path, LINES, STATEMENTS), tmp_path / "store"
    whole = columns(build_store(stream, tmp_path / "whole", memory=1))
    with pytest.raises(Stopped):
        build_store(stream, store, memory=1, tell=stop_after(stopped))
    assert not (store / "manifest.json").exists()
    runs = len(list((store / ".build").glob("run-*"))) if store.exists() else 0
    assert runs >= min(stopped, 4)
    told: list[Progress] = []
    build_store(stream, store, memory=1, tell=told.append)
    assert columns(store) == whole
    read = [each.triples for each in told if each.stage == "reading"]
    assert (read[-1] < (400 if form == "tsv" else 380)) == (runs > 0)  # it went on behind the runs
    assert not (store / ".build").exists()


@pytest.mark.usefixtures("in_pieces")
def test_runs_of_another_file_are_not_used(tmp_path: Path) -> None:
    stream, store = streams("tsv", tmp_path, LINES, []), tmp_path / "store"
    with pytest.raises(Stopped):
        build_store(stream, store, memory=1, tell=stop_after(5))
    changed = ["other\tr0\tnode 1\n", *LINES[1:]]
    other = streams("tsv", tmp_path, changed, [])
    expected = columns(build_store(other, tmp_path / "whole", memory=1))
    assert columns(build_store(other, store, memory=1)) == expected
    assert "other" in open_store(store).entities


@pytest.mark.usefixtures("in_pieces")
def test_damaged_or_foreign_runs_are_not_used(tmp_path: Path) -> None:
    stream, store = streams("tsv", tmp_path, LINES, []), tmp_path / "store"
    whole = columns(build_store(stream, tmp_path / "whole", memory=1))
    for harm in ("cut", "journal", "key"):
        with pytest.raises(Stopped):
            build_store(stream, store, memory=1, tell=stop_after(5))
        if harm == "cut":
            (store / ".build" / "run-00001" / "triples").write_bytes(b"\0" * 12)
        elif harm == "journal":
            (store / ".build" / "journal.json").write_text('{"key": 1, "runs": ["../../etc"]}')
        else:
            with pytest.raises(Stopped):
                build_store(TriplesSource(stream.files()[0], head=3, tail=1), store, memory=1, tell=stop_after(0))
        assert columns(build_store(stream, store, memory=1)) == whole
        shutil.rmtree(store)


@pytest.mark.usefixtures("in_pieces")
def test_the_old_store_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (tmp_path / "old.tsv").write_text("sun\tis_a\tstar\n")
    build_store(TriplesSource(tmp_path / "old.tsv"), store)
    stream = streams("tsv", tmp_path, LINES, [])
    with pytest.raises(Stopped):
        build_store(stream, store, memory=1, tell=stop_after(9))
    assert open_store(store).out("sun") == [("is_a", "star")]
    build_store(stream, store, memory=1)
    assert open_store(store).out("node 0")
    assert sorted(path.name[:8] for path in store.iterdir()) == ["columns-", "manifest"]


def test_a_broken_file_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "graph.tsv"
    path.write_text("a\tr\tb\na\tr\n")
    with pytest.raises(DataError, match="line 2"):
        build_store(TriplesSource(path), tmp_path / "store")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["graph.tsv"]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "main.tex").write_text("precious")
    path.write_text("a\tr\tb\n")
    with pytest.raises(StoreError, match=r"holds 'main\.tex'"):
        build_store(TriplesSource(path), tmp_path / "thesis")


BUILD = """
import signal, sys
from kgreason.knowledge import TriplesSource, build_store
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
build_store(TriplesSource(sys.argv[1]), sys.argv[2], memory=2**18)
print("done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_killed_at_any_moment_a_build_goes_on(tmp_path: Path, how: signal.Signals, old: bool) -> None:
    path, store, before = tmp_path / "graph.tsv", tmp_path / "store", None
    if old:
        (tmp_path / "old.tsv").write_text("sun\tis_a\tstar\n")
        before = columns(build_store(TriplesSource(tmp_path / "old.tsv"), store))
    path.write_text("".join(f"entity {i % 5003}\tr{i % 7}\tentity {i * 31 % 9973}\n" for i in range(150_000)))
    begun = time.monotonic()
    whole = columns(build_store(TriplesSource(path), tmp_path / "whole", memory=2**18))
    took = time.monotonic() - begun
    draw = random.Random(int(how))
    for _ in range(4):
        command = [sys.executable, "-c", BUILD, str(path), str(store)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(draw.random() * took)
            process.send_signal(how)
        if old or (store / "manifest.json").exists():
            assert columns(store) in (before, whole)
    assert columns(build_store(TriplesSource(path), store, memory=2**18)) == whole
    assert sorted(each.name[:8] for each in store.iterdir()) == ["columns-", "manifest"]


NO_SPACE = """
import resource, signal, sys
from kgreason.errors import StoreError
from kgreason.knowledge import TriplesSource, build_store
build_store(TriplesSource(sys.argv[1]), sys.argv[2] + "-warm")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for memory in (1, 2**28):
    try:
        build_store(TriplesSource(sys.argv[1]), sys.argv[2], memory=memory)
    except StoreError as error:
        print(error)
"""


@pytest.mark.slow
def test_no_space_is_said_and_leaves_the_old_store(tmp_path: Path) -> None:
    path, store = tmp_path / "graph.tsv", tmp_path / "store"
    (tmp_path / "old.tsv").write_text("sun\tis_a\tstar\n")
    build_store(TriplesSource(tmp_path / "old.tsv"), store)
    path.write_text("".join(f"entity {i}\tr\tentity {i * 31 % 9973}\n" for i in range(20_000)))
    command = [sys.executable, "-c", NO_SPACE, str(path), str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.count("could not be written: File too large") == 2
    assert open_store(store).out("sun") == [("is_a", "star")]


@pytest.mark.slow
def test_two_builds_at_once_give_one_store(tmp_path: Path) -> None:
    path, store = tmp_path / "graph.tsv", tmp_path / "store"
    path.write_text("".join(f"entity {i % 5003}\tr{i % 7}\tentity {i * 31 % 9973}\n" for i in range(100_000)))
    whole = columns(build_store(TriplesSource(path), tmp_path / "whole"))
    started = [subprocess.Popen([sys.executable, "-c", BUILD, str(path), str(store)]) for _ in range(2)]
    assert [process.wait() for process in started] == [0, 0]
    assert columns(store) == whole

"""The store on disk: whole or refused, old or new, never half."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import KnowledgeGraph
from kgreason.errors import KgreasonError, StoreError
from kgreason.knowledge import PackedSource, open_store, pack, save_store

GRAPH = KnowledgeGraph.from_triples(
    [("dog", "is_a", "animal"), ("cat", "is_a", "animal"), ("dog", "has", "tail")], {"dog": ["Hund", "dog"]}
)
OTHER = KnowledgeGraph.from_triples([("sun", "is_a", "star")])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return save_store(GRAPH, tmp_path / "store")


def columns(store: Path) -> Path:
    (folder,) = store.glob("columns-*")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_arrays_are_mapped_and_cannot_be_written(store: Path) -> None:
    graph = open_store(store)
    assert isinstance(graph.tail.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        graph.tail[0] = 1


def test_a_triple_takes_twelve_bytes(tmp_path: Path) -> None:
    entities = [f"e{i:05}" for i in range(300)]
    random = np.random.default_rng(0)
    rows = [(entities[h], f"r{(h + t) % 3}", entities[t]) for h, t in random.integers(0, 300, (20_000, 2)).tolist()]
    graph = KnowledgeGraph.from_triples(rows)
    folder = columns(save_store(graph, tmp_path / "store"))
    taken = sum((folder / name).stat().st_size for name in ("head", "tail", "relation", "inverse"))
    taken += 2 * graph.head_ptr.nbytes
    assert taken / graph.num_triples < 13


def test_an_opened_graph_can_go_to_another_process(store: Path) -> None:
    graph = pickle.loads(pickle.dumps(open_store(store)))
    assert graph.out("dog") == [("has", "tail"), ("is_a", "animal")]
    assert graph.labels.senses("Hund")[0].tolist() == [graph.entities.id("dog")]


def test_names_that_are_not_in_order_keep_their_ids(tmp_path: Path) -> None:
    from kgreason.data import Vocab
    from kgreason.data.knowledge import Labels

    entities = Vocab(["z", "a", "m"])
    rows = np.array([[0, 0, 1], [2, 0, 0]], np.int32)
    graph = KnowledgeGraph.from_ids(entities, Vocab(["r"]), rows, Labels.from_names(entities))
    opened = open_store(save_store(graph, tmp_path / "store"))
    assert list(opened.entities) == ["z", "a", "m"]
    assert [opened.entities.id(name) for name in ("z", "a", "m")] == [0, 1, 2]
    assert opened.out("m") == [("r", "z")]


@pytest.mark.parametrize("column", ["tail", "head_ptr", "entities.blob", "labels.score", "labels.offsets"])
@pytest.mark.parametrize("damage", ["cut", "longer", "changed", "gone"])
def test_a_damaged_column_is_refused_by_name(store: Path, column: str, damage: str) -> None:
    path = columns(store) / column
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "changed":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.write_bytes(content[:-1] if damage == "cut" else content + b"\0")
    with pytest.raises(StoreError, match=column.replace(".", r"\.")):
        open_store(store)


def test_every_file_is_needed(store: Path) -> None:
    for path in columns(store).iterdir():
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(StoreError, match="is missing"):
            open_store(store, "size")
        path.write_bytes(content)
    assert open_store(store).num_triples == 3


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "not JSON"),
        (b"{}", "not the manifest"),
        (b"[1]", "not the manifest"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"format": "kgreason-store", "version": 99}', "version 99"),
        (b'{"format": "kgreason-store", "version": 1}', "damaged"),
    ],
)
def test_a_broken_manifest_is_refused(store: Path, manifest: bytes, said: str) -> None:
    (store / "manifest.json").write_bytes(manifest)
    with pytest.raises(StoreError, match=said):
        open_store(store)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("data",), "../elsewhere"),
        (("columns", "tail", "file"), "../../secret"),
        (("columns", "tail", "dtype"), "object"),
        (("columns", "tail", "length"), -1),
        (("columns", "tail", "length"), "many"),
        (("counts", "entities"), 7),
        (("columns",), {}),
        (("columns",), []),
        (("counts",), None),
    ],
)
def test_a_manifest_that_was_tampered_with_is_refused(store: Path, where: tuple[str, ...], value: object) -> None:
    found = json.loads((store / "manifest.json").read_text())
    inner = found
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    (store / "manifest.json").write_text(json.dumps(found))
    with pytest.raises(StoreError):
        open_store(store, "size")


def test_a_new_graph_replaces_the_old_one_and_leaves_nothing_behind(store: Path) -> None:
    old = open_store(store)
    save_store(OTHER, store)
    assert open_store(store).out("sun") == [("is_a", "star")]
    assert old.out("cat") == [("is_a", "animal")]  # who has it open keeps reading it
    assert [path.name for path in store.iterdir() if path.name.startswith(".")] == []
    assert len(list(store.glob("columns-*"))) == 1


def test_saving_again_mends_a_damaged_store(store: Path) -> None:
    (columns(store) / "tail").write_bytes(b"")
    save_store(GRAPH, store)
    assert open_store(store).num_triples == 3
    assert len(list(store.iterdir())) == 2


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match=r"holds 'thesis\.tex'"):
        save_store(GRAPH, tmp_path)
    with pytest.raises(StoreError, match="is a file"):
        save_store(GRAPH, tmp_path / "thesis.tex")
    assert files(tmp_path) == ["thesis.tex"]


WRITE = """
import resource, signal, sys
from kgreason.data import KnowledgeGraph
from kgreason.errors import StoreError
from kgreason.knowledge import save_store, pack
graph = KnowledgeGraph.from_triples([(f"a{i}", "r", f"b{i}") for i in range(5000)])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for write, path in ((save_store, sys.argv[1]), (pack, sys.argv[1] + ".npz")):
    try:
        write(graph, path)
    except StoreError as error:
        print(error)
"""


@pytest.mark.parametrize("before", [False, True])
def test_no_space_leaves_the_old_store_and_nothing_half_written(tmp_path: Path, before: bool) -> None:
    store = tmp_path / "store"
    if before:
        save_store(GRAPH, store)
    there = files(tmp_path)
    done = subprocess.run([sys.executable, "-c", WRITE, str(store)], capture_output=True, text=True, check=True)
    assert done.stdout.count("could not be written: File too large") == 2
    assert files(tmp_path) == there
    assert not before or open_store(store).num_triples == 3


INTERRUPT = """
import sys
from kgreason.data import KnowledgeGraph
from kgreason.knowledge import save_store
graph = KnowledgeGraph.from_triples([(f"a{i}", "r", f"b{i}") for i in range(int(sys.argv[2]))])
print("ready", flush=True)
i = 0
while True:
    i += 1
    graph.about["round"] = str(i)
    save_store(graph, sys.argv[1])
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_at_any_moment_the_store_is_the_old_or_the_new_one(tmp_path: Path, how: signal.Signals) -> None:
    store = save_store(GRAPH, tmp_path / "store")
    for wait in (0.0, 0.013, 0.031):
        command = [sys.executable, "-c", INTERRUPT, str(store), "2000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(wait)
            process.send_signal(how)
        assert open_store(store).num_triples in (3, 2000)
        if how == signal.SIGINT:
            assert [path.name for path in store.iterdir() if path.name.startswith(".")] == []


LEAVE = """
import os, signal, sys
from pathlib import Path
from kgreason.knowledge.commit import new_columns
with new_columns(Path(sys.argv[1])) as temporary:
    (temporary / "tail").write_bytes(b"0000")
    print(temporary.name, flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_behind_is_swept_and_what_one_is_writing_is_not(store: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", LEAVE, str(store), "die"], capture_output=True, text=True, check=False)
    assert (store / dead.stdout.strip()).is_dir()
    (store / ".manifest.json-half").touch()  # made and renamed in one step that nobody else is in
    (store / "columns-of-a-commit-that-was-killed").mkdir()
    command = [sys.executable, "-c", LEAVE, str(store), "live"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as living:
        assert living.stdin is not None
        assert living.stdout is not None
        name = living.stdout.readline().strip()
        save_store(OTHER, store)
        assert sorted(path.name[:8] for path in store.iterdir()) == [".columns", "columns-", "manifest"]
        assert (store / name / "tail").read_bytes() == b"0000"
        living.stdin.close()
    assert len(list(store.iterdir())) == 2


def test_where_there_are_no_locks_age_decides(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kgreason.knowledge.claims._opened", lambda folder: None)
    for name in (".columns-old", ".columns-new"):
        (store / name).mkdir()
    (store / ".manifest-new").touch()
    os.utime(store / ".columns-old", (0, 0))
    save_store(OTHER, store)
    assert not (store / ".columns-old").exists()
    assert (store / ".columns-new").exists()  # someone may be writing it now
    assert (store / ".manifest-new").exists()
    assert len(list(store.glob("columns-*"))) == 1  # what the store had before is gone all the same


def test_writers_and_readers_at_once(store: Path) -> None:
    code = INTERRUPT.replace("while True", "while i < 40")
    writers = [subprocess.Popen([sys.executable, "-c", code, str(store), "50"]) for _ in range(2)]
    while any(writer.poll() is None for writer in writers):
        assert open_store(store).num_triples in (3, 50)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert open_store(store).about == {"round": "40"}


@pytest.mark.parametrize("size", [0, 10, 500, -1])
def test_a_damaged_packed_graph_is_refused(tmp_path: Path, size: int) -> None:
    path = pack(GRAPH, tmp_path / "graph.npz")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(StoreError, match="damaged"):
        PackedSource(path)()


def test_a_packed_graph_with_any_byte_changed_is_refused_or_still_a_graph(tmp_path: Path) -> None:
    path = pack(GRAPH, tmp_path / "graph.npz")
    content = path.read_bytes()
    for i in range(0, len(content), 37):
        path.write_bytes(content[:i] + bytes([content[i] ^ 0x55]) + content[i + 1 :])
        try:
            PackedSource(path)()
        except KgreasonError:
            continue

"""A store that is cut by head entity, and stores that many processes read at once from a folder no one may write to."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, StoreError
from kgreason.knowledge import TriplesSource, build_store, open_store, save_store, shard_store
from kgreason.knowledge import shards as shards_module
from kgreason.knowledge.shards import spans_of

_names = st.sampled_from([f"e{k}" for k in range(12)])


@settings(max_examples=10, deadline=None)
@given(
    triples=st.lists(st.tuples(_names, st.sampled_from("rs"), _names), min_size=3),
    parts=st.integers(1, 4),
    piece=st.integers(1, 9),
)
def test_each_triple_stands_in_the_part_of_its_head(
    triples: list[tuple[str, str, str]], parts: int, piece: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    graph = KnowledgeGraph.from_triples(triples)
    parts = min(parts, len(graph.entities))
    before, shards_module._PIECE = shards_module._PIECE, piece
    try:
        made = shard_store(save_store(graph, folder / "whole"), folder / "parts", parts)
    finally:
        shards_module._PIECE = before
    opened = [open_store(path, "checksum") for path in made]
    for (begin, end), part in zip(spans_of(graph, parts), opened, strict=True):
        own = graph.triples[(graph.triples[:, 0] >= begin) & (graph.triples[:, 0] < end)]
        want = KnowledgeGraph.from_ids(graph.entities, graph.relations, own, graph.labels)
        for column in ("head_ptr", "relation", "tail", "tail_ptr", "inverse", "head"):
            np.testing.assert_array_equal(getattr(part, column), getattr(want, column))
        assert list(part.entities) == list(graph.entities)
        assert part.about["shard_heads"] == f"{begin}-{end - 1}"
    np.testing.assert_array_equal(np.concatenate([part.triples for part in opened]), graph.triples)


def test_parts_are_of_about_one_size_and_share_names(tmp_path: Path) -> None:
    (tmp_path / "g.tsv").write_text("".join(f"entity {k % 400}\tr\tentity {k}\n" for k in range(4000)))
    whole = build_store(TriplesSource(tmp_path / "g.tsv"), tmp_path / "whole")
    made = shard_store(whole, tmp_path / "parts", 4)
    counts = [open_store(path).num_triples for path in made]
    assert sum(counts) == 4000
    assert max(counts) <= 1050
    [blob] = whole.glob("columns-*/entities.blob")
    assert all(next(path.glob("columns-*/entities.blob")).samefile(blob) for path in made)
    with pytest.raises(ConfigError, match="into 9999 parts"):
        shard_store(whole, tmp_path / "more", 9999)
    (tmp_path / "parts" / "0" / "mine").write_text("x")
    (tmp_path / "parts" / "0" / "manifest.json").unlink()
    with pytest.raises(StoreError, match="not a graph store"):
        shard_store(whole, tmp_path / "parts", 4)


_READER = """
import sys
import numpy as np
from kgreason.knowledge import open_store
graph = open_store(sys.argv[1], "checksum")
some = np.random.default_rng(int(sys.argv[2])).integers(0, len(graph.entities), 50)
print(graph.tail.astype(np.int64).sum(), [len(graph.out(graph.entities[int(e)])) for e in some])
"""


def _asked(store: Path, seed: int) -> "subprocess.Popen[str]":
    """A process that says a sum over everything, and what some entities lead to."""
    return subprocess.Popen([sys.executable, "-c", _READER, str(store), str(seed)], stdout=subprocess.PIPE, text=True)


def test_many_processes_read_one_store_that_no_one_may_write_to(tmp_path: Path) -> None:
    (tmp_path / "g.tsv").write_text("".join(f"entity {k % 400}\tr\tentity {k}\n" for k in range(4000)))
    store = build_store(TriplesSource(tmp_path / "g.tsv"), tmp_path / "store")
    folders = [store, *store.glob("columns-*")]
    for folder in folders:
        for path in folder.iterdir():
            path.chmod(0o555 if path.is_dir() else 0o444)
        folder.chmod(0o555)
    try:
        together = [_asked(store, seed) for seed in (0, 1, 0)]
        said = [process.communicate(timeout=120)[0] for process in together]
        assert said[0].startswith("7998000 ")
        assert said[0] == said[2] != said[1]
        with pytest.raises(ValueError, match="read-only"):
            open_store(store).tail[0] = 1
    finally:
        for folder in folders:
            folder.chmod(0o755)

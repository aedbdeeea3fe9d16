"""A build by many workers: the same bytes as one alone writes, whatever the portions, whoever the workers are."""

import hashlib
import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, final

import pytest

from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.knowledge import RdfSource, TriplesSource, WikidataSource, build_spread, build_store, open_store
from kgreason.knowledge import portions as portions_module
from kgreason.knowledge.crews import Processes, Spark

T = TypeVar("T")
R = TypeVar("R")


@final
class Here:
    """A crew of many that works in this process, every piece twice, as Spark may."""

    size = 3

    def each(self, work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
        for piece in pieces:
            work(piece)
        return [work(piece) for piece in pieces]


@final
class Dying:
    """A crew that dies after so many pieces."""

    size = 2

    def __init__(self, after: int) -> None:
        self.left = after

    def each(self, work: Callable[[T], R], pieces: Sequence[T]) -> list[R]:
        done = []
        for piece in pieces:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            done.append(work(piece))
        return done


def sums(folder: Path) -> dict[str, str]:
    """The checksum of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def written(folder: Path) -> list[Path]:
    """Files with all that makes numbering hard: blank nodes, names of entities and of relations, broken lines."""
    one, two, three = folder / "one.nt", folder / "two.ttl", folder / "three.nt"
    lines = [f"<http://x/e{k % 97}> <http://x/r{k % 5}> <http://x/e{k * k % 89}> ." for k in range(300)]
    lines += [
        f'<http://x/e{k}> <http://www.w3.org/2000/01/rdf-schema#label> "thing é {k % 50}"@en .' for k in range(97)
    ]
    lines += [f"_:n{k} <http://x/r1> _:n{k + 1} ." for k in range(40)]
    lines.insert(133, "<http://x/a> <nonsense")
    lines.insert(377, '<http://x/r2> <http://www.w3.org/2000/01/rdf-schema#label> "follows"@en .')
    one.write_text("\n".join(lines) + "\n", encoding="utf-8")
    nodes = " ".join(f"[ <http://x/r3> <http://x/e{k}> ]," for k in range(30))
    two.write_text(f"<http://x/e1> <http://x/r0> {nodes} <http://x/r2> .\n", encoding="utf-8")
    three.write_text('<http://x/e3> <http://www.w3.org/2000/01/rdf-schema#label> "the third"@en .\n', encoding="utf-8")
    return [one, two, three]


@pytest.mark.parametrize(("portion", "memory"), [(5_000, 2**15), (2**30, 2**13), (20_000, 2**24)])
def test_the_same_bytes_as_alone(tmp_path: Path, portion: int, memory: int) -> None:
    source = RdfSource(written(tmp_path), bad_lines="skip")
    alone = build_store(source, tmp_path / "alone", about={"licence": "CC0"})
    spread = build_spread(source, tmp_path / "spread", Here(), memory=memory, portion=portion, about={"licence": "CC0"})
    assert sums(spread) == sums(alone)
    assert open_store(spread, "checksum").about["lines_skipped"] == "1"


def test_lines_are_cut_between_lines_and_keep_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions_module, "_PIECE", 7)
    path = tmp_path / "graph.tsv"
    path.write_text("a\tr\tb\n" * 50 + "a\tbroken\n" + "c\tr\td\n" * 50, encoding="utf-8")
    with pytest.raises(DataError, match="line 51 "):
        build_spread(TriplesSource(path), tmp_path / "out", Here(), portion=256)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_header_is_read_once_and_known_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "graph.tsv"
    path.write_text("o\ts\tp\n" + "".join(f"b{k}\ta{k % 7}\tr\n" for k in range(300)), encoding="utf-8")
    source = TriplesSource(path, head="s", relation="p", tail="o")
    alone = build_store(source, tmp_path / "alone")
    assert sums(build_spread(source, tmp_path / "spread", Here(), portion=700)) == sums(alone)


def test_what_was_stopped_goes_on(tmp_path: Path) -> None:
    source = RdfSource(written(tmp_path), bad_lines="skip")
    alone, out = build_store(source, tmp_path / "alone"), tmp_path / "spread"
    for after in (2, 7, 12):
        with pytest.raises(KeyboardInterrupt):
            build_spread(source, out, Dying(after), portion=9000)
        assert not (out / "manifest.json").exists()
    assert sums(build_spread(source, out, Dying(10_000), portion=9000)) == sums(alone)


@pytest.mark.slow
def test_processes(tmp_path: Path, data: Path) -> None:
    source = TriplesSource(data / "metaqa" / "graph.tsv")
    alone = build_store(source, tmp_path / "alone")
    assert sums(build_spread(source, tmp_path / "spread", Processes(2), portion=2**21)) == sums(alone)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # pyspark's own
@pytest.mark.skipif(not importlib.util.find_spec("pyspark") or not shutil.which("java"), reason="needs Spark and Java")
def test_a_spark_job(tmp_path: Path, data: Path) -> None:
    path = data / "ontologies" / "schemaorg-all-https.nt"
    source = RdfSource([path, path.with_suffix(".ttl")])
    alone = build_store(source, tmp_path / "alone")
    crew = Spark("local[2]")
    try:
        assert sums(build_spread(source, tmp_path / "spread", crew, portion=2**20)) == sums(alone)
        (tmp_path / "broken.nt").write_text("<http://x/a> <http://x/b> .\n")
        with pytest.raises(DataError, match=r"broken\.nt.*line 1"):
            build_spread(RdfSource(tmp_path / "broken.nt"), tmp_path / "broken", crew)
    finally:
        crew.stop()


def test_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="0 workers"):
        Processes(0)
    with pytest.raises(DataError, match="Standard input"):
        build_spread(TriplesSource("-", form="tsv"), tmp_path / "out", Here())
    (tmp_path / "words.nt").write_text("# nothing\n")
    with pytest.raises(DataError, match="no triple"):
        build_spread(WikidataSource(tmp_path / "words.nt"), tmp_path / "out", Here())
    with pytest.raises(StoreError, match="not a graph store"):
        build_spread(TriplesSource(tmp_path / "x.tsv"), tmp_path, Here())

"""What every source of knowledge must do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import UPOS, KnowledgeGraph
from kgreason.errors import KgreasonError
from kgreason.knowledge import SOURCES, open_store, pack, save_store
from kgreason.rooms import Source

TRIPLES = [("dog", "is_a", "animal"), ("cat", "is_a", "animal"), ("dog", "has", "tail"), ("tail", "part_of", "dog")]


def _tsv(folder: Path) -> Path:
    path = folder / "graph.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in TRIPLES), encoding="utf-8")
    return path


def _ttl(folder: Path) -> Path:
    path = folder / "graph.ttl"
    blank = "<u:pack> <u:has> [ <u:is_a> <u:dog> ; <u:has> [ <u:is_a> <u:tail> ] ], [ <u:is_a> <u:cat> ] .\n"
    lines = [f"<u:{h}> <u:{r}> <u:{t}> .\n" for h, r, t in TRIPLES]
    path.write_text("".join([*lines, blank]), encoding="utf-8")
    return path


def _graphml(folder: Path) -> Path:
    nx = pytest.importorskip("networkx")
    network = nx.MultiDiGraph()
    for h, r, t in TRIPLES:
        network.add_edge(h, t, relation=r)
    nx.write_graphml(network, folder / "graph.graphml")
    return folder / "graph.graphml"


def _npz(folder: Path) -> Path:
    return pack(KnowledgeGraph.from_triples(TRIPLES), folder / "graph.npz")


def _store(folder: Path) -> Path:
    return save_store(KnowledgeGraph.from_triples(TRIPLES), folder / "store")


def _wndb(folder: Path) -> Path:
    """A WordNet of five synsets, written by us in WordNet's own form."""
    folder = folder / "dict"
    folder.mkdir()
    nouns = [
        "  1 A notice.",
        "00000100 03 n 01 animal 0 001 ~ 00000200 n 0000 | a gloss",
        "00000200 03 n 02 dog 0 Domestic_dog 0 001 @ 00000100 n 0000 | another gloss",
    ]
    adjectives = [
        "00000100 00 a 01 hot 0 002 ! 00000200 a 0101 & 00000300 a 0000 | a gloss",
        "00000200 00 a 01 cold 0 001 ! 00000100 a 0101 | a gloss",
        "00000300 00 s 01 fiery(p) 0 001 & 00000100 a 0000 | a gloss",
    ]
    index = ["animal n 1 1 ~ 1 0 00000100", "dog n 1 1 @ 1 0 00000200", "domestic_dog n 1 1 @ 1 0 00000200"]
    adj_index = ["cold a 1 1 ! 1 0 00000200", "fiery a 1 1 & 1 0 00000300", "hot a 1 2 ! & 1 0 00000100"]
    files = {"data.noun": nouns, "data.adj": adjectives, "index.noun": index, "index.adj": adj_index}
    for name in ("data.verb", "data.adv", "index.verb", "index.adv"):
        files[name] = ["  1 A notice."]
    for name, lines in files.items():
        (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return folder


def _toml(folder: Path) -> Path:
    _tsv(folder)
    path = folder / "graph.toml"
    path.write_text('title = "Animals"\nfile = "graph.tsv"\n', encoding="utf-8")
    return path


def _obo(folder: Path) -> Path:
    lines = ["format-version: 1.2", "", "[Term]", "id: X:dog", "name: dog", "is_a: X:animal ! animal", ""]
    lines += ["[Term]", "id: X:animal", "name: animal", 'synonym: "creature" EXACT []', ""]
    path = folder / "graph.obo"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _parquet(folder: Path) -> Path:
    import polars as pl

    path = folder / "graph.parquet"
    pl.DataFrame(TRIPLES, schema=["head", "relation", "tail"], orient="row").write_parquet(path)
    return path


def _conceptnet(folder: Path) -> Path:
    path = folder / "assertions.csv"
    rows = [f"/a/x\t/r/{r}\t/c/en/{h}/n\t/c/en/{t}\t{{}}\n" for h, r, t in TRIPLES]
    path.write_text("".join([*rows, "/a/y\t/r/IsA\t/c/de/hund\t/c/en/animal\t{}\n"]), encoding="utf-8")
    return path


def _wikidata(folder: Path) -> Path:
    entity, direct = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
    label = "<http://www.w3.org/2000/01/rdf-schema#label>"
    rows = [
        f"<{entity}Q42> <{direct}P31> <{entity}Q5> .",
        f'<{entity}Q42> {label} "Douglas Adams"@en .',
        f'<{entity}Q42> {label} "Douglas Adams"@enm .',
        f'<{entity}P31> {label} "instance of"@en .',
        f'<{entity}Q42> <{direct}P569> "1952-03-11" .',
    ]
    path = folder / "truthy.nt"
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
    return path


SAMPLES: dict[str, Callable[[Path], Path]] = {
    "conceptnet": _conceptnet,
    "graphml": _graphml,
    "infer": _ttl,
    "manifest": _toml,
    "networkx": _graphml,
    "obo": _obo,
    "packed": _npz,
    "parquet": _parquet,
    "perturb": _tsv,
    "rdf": _ttl,
    "store": _store,
    "triples": _tsv,
    "wikidata": _wikidata,
    "wordnet": _wndb,
}


def test_every_source_has_a_sample() -> None:
    assert sorted([*SAMPLES, "sparql"]) == list(SOURCES)


@pytest.fixture(params=list(SAMPLES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def reading(name: str, path: Path) -> Source:
    """The source that reads a file; around one that does, if it is a wrapper."""
    inner = {"perturb": "triples", "infer": "rdf"}.get(name, "")
    if not inner:
        return SOURCES.build({"name": name, "path": str(path)})
    return SOURCES.build({"name": name, "around": SOURCES.build({"name": inner, "path": str(path)})})


@pytest.fixture(params=list(SOURCES))
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    if request.param != "sparql":
        return reading(request.param, SAMPLES[request.param](tmp_path))
    server = request.getfixturevalue("oxigraph")
    (tmp_path / "graph.nt").write_text("".join(f"<u:{h}> <u:{r}> <u:{t}> .\n" for h, r, t in TRIPLES))
    server.load(tmp_path / "graph.nt", "urn:animals")
    table = {"name": "sparql", "endpoint": server.endpoint, "graph": "urn:animals"}
    return SOURCES.build(table, texts=lambda: [("What is it?", ("u:dog",))])


def test_it_is_a_source(source: Source) -> None:
    assert isinstance(source, Source)


def test_the_two_directions_hold_the_same_triples_in_order(source: Source) -> None:
    graph = source()
    rows = list(map(tuple, graph.triples.tolist()))
    assert rows == sorted(set(rows))
    tails = np.repeat(np.arange(len(graph.entities)), np.diff(graph.tail_ptr))
    backward = list(zip(tails.tolist(), graph.inverse.tolist(), graph.head.tolist(), strict=True))
    assert backward == sorted((t, r, h) for h, r, t in rows)
    assert graph.head_ptr[-1] == graph.tail_ptr[-1] == graph.num_triples > 0


def test_labels_keep_their_promises(source: Source) -> None:
    graph = source()
    labels = graph.labels
    names = [name.encode() for name in labels.names]
    assert names == sorted(set(names))
    assert labels.ptr[0] == 0
    assert labels.ptr[-1] == len(labels.entity) == len(labels.score)
    for name in labels.names:
        entity, score = labels.senses(name)
        assert len(entity) == len(set(entity.tolist())) > 0
        assert score.sum() <= 1 + 1e-6
        assert (score > 0).all()
        assert (np.diff(score) <= 0).all()
    assert len(labels.preferred) == len(labels.pos) == len(graph.entities)
    assert ((labels.pos >= -1) & (labels.pos < len(UPOS))).all()
    assert all(graph.label(i) in labels.names for i in range(len(graph.entities)) if labels.preferred[i] >= 0)


def test_reading_twice_gives_the_same_bytes(source: Source, tmp_path: Path) -> None:
    once, again = save_store(source(), tmp_path / "a"), save_store(source(), tmp_path / "b")
    files = sorted(path.relative_to(once) for path in once.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((once / file).read_bytes() == (again / file).read_bytes() for file in files)


def test_the_store_gives_back_the_graph(source: Source, tmp_path: Path) -> None:
    graph = source()
    opened = open_store(save_store(graph, tmp_path / "a"))
    assert list(opened.entities) == list(graph.entities)
    assert list(opened.relations) == list(graph.relations)
    np.testing.assert_array_equal(opened.triples, graph.triples)
    assert opened.about == graph.about


def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(KgreasonError, match="nowhere"):
        reading(name, tmp_path / "nowhere.tsv")()


def test_what_is_not_a_graph_is_refused(name: str, tmp_path: Path) -> None:
    path = SAMPLES[name](tmp_path)
    for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
        file.write_bytes(b"\x00\xff one word \xfe" + bytes(range(256)))
    with pytest.raises(KgreasonError):
        reading(name, path)()


def test_an_unknown_argument_is_refused(name: str) -> None:
    with pytest.raises(KgreasonError, match="does not take 'pth'"):
        SOURCES.build({"name": name, "pth": "x"})

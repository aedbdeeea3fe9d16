"""Files by people who mean harm, or who are careless: refused or skipped, with file, line and column; never a crash."""

import gzip
import io
import json
import resource
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kgreason.errors import ConfigError, DataError, KgreasonError, StoreError
from kgreason.knowledge import GraphmlSource, NetworkFile, RdfSource, TriplesSource, build_store, open_store, save_store
from kgreason.knowledge.limits import Limits, checked_bad_lines
from kgreason.knowledge.manifest import Column

Write = Callable[[str, str | bytes], Path]
HEAD = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:u="u:">'
FACT = '<rdf:Description rdf:about="u:a"><u:r rdf:resource="u:b"/></rdf:Description>'
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return made


def bomb(depth: int = 12) -> str:
    """A billion laughs."""
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, depth))
    return f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "laugh">{entities}]>'


@pytest.mark.parametrize(
    ("prolog", "said"),
    [
        (bomb(), r"line 1: the entity 'e\d' stands for .* as in an XML bomb"),
        ('<!DOCTYPE r [<!ENTITY x "' + "a" * 600 + '">]>', "stands for 600 characters"),
        ('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "lies outside of the file"),
        ('<!DOCTYPE r [<!ENTITY x PUBLIC "p" "http://evil.example/x">]>', "lies outside of the file"),
        ("<!DOCTYPE r [<!ENTITY % p \"<!ENTITY x 'y'>\"> %p;]>", "parameter entity"),
        # Whoever takes the first declaration sees a bomb where whoever takes the last sees none.
        ('<!DOCTYPE r [<!ENTITY a "' + "a" * 500 + '"><!ENTITY a ""><!ENTITY b "&a;&a;">]>', "as in an XML bomb"),
        ('<?xml version="1.0" encoding="utf-8"?><!-- ' + "x" * 10 + " --><!DOCTYPE r [", "is not xml"),
    ],
)
@pytest.mark.parametrize("form", ["rdf", "graphml", "gexf"])
def test_xml_entities_that_grow_or_lead_outside_are_refused(write: Write, form: str, prolog: str, said: str) -> None:
    body = {"rdf": HEAD + FACT + "</rdf:RDF>", "graphml": "<graphml>&e9;</graphml>", "gexf": "<gexf>&e9;</gexf>"}[form]
    path = write(f"g.{form}", prolog + body)
    source = {"rdf": RdfSource, "graphml": GraphmlSource, "gexf": NetworkFile}[form](path)
    with pytest.raises(DataError, match=said):
        source()


def test_entities_that_every_ontology_has_are_read(write: Write) -> None:
    prolog = '<!DOCTYPE rdf:RDF [<!ENTITY u "u:"><!ENTITY v "&u;v/">]>\n'
    path = write("g.owl", prolog + HEAD + FACT.replace("u:a", "&v;a") + "</rdf:RDF>")
    assert "u:v/a" in RdfSource(path)().entities


@pytest.mark.parametrize("end", ["", FACT, FACT[:-20], "</rdf:RDF", "<u:x>"])
def test_xml_that_is_cut_short_is_refused(write: Write, end: str) -> None:
    for name, content in (("g.rdf", HEAD + FACT + end), ("g.graphml", "<graphml><graph>" + end)):
        with pytest.raises(DataError):
            (RdfSource if name == "g.rdf" else GraphmlSource)(write(name, content))()


def test_xml_that_is_deep_or_long_is_refused_before_anyone_parses_it(write: Write) -> None:
    deep = "<rdf:Description><u:r>" * 5000
    with pytest.raises(DataError, match="line 1: elements are nested more than 1,000 deep"):
        RdfSource(write("g.rdf", HEAD + deep))()
    long = FACT.replace("</rdf", f"<u:n>{'x' * 3_000_000}</u:n></rdf")
    with pytest.raises(DataError, match="line 2: a text or a tag has more than 1,048,576 bytes"):
        RdfSource(write("g.rdf", HEAD + "\n" + long + "</rdf:RDF>"))()
    assert RdfSource(write("g.rdf", HEAD + long + "</rdf:RDF>"), limits={"field": 2**22})().num_triples == 1
    with pytest.raises(DataError, match="UTF-16"):
        RdfSource(write("g.rdf", (HEAD + FACT + "</rdf:RDF>").encode("utf-16")))()
    with pytest.raises(DataError, match="declared inside"):
        RdfSource(write("g.rdf", HEAD + "<!DOCTYPE r [<!ENTITY a 'b'>]></rdf:RDF>"))()


@pytest.mark.parametrize(
    "context",
    ['"http://evil.example/context.jsonld"', '["http://evil.example/x"]', '{"@import": "http://evil.example/x"}'],
)
def test_a_context_on_the_web_is_never_fetched(write: Write, context: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("someone opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    path = write("g.jsonld", f'{{"@context": {context}, "@id": "u:a", "u:r": {{"@id": "u:b"}}}}')
    with pytest.raises(DataError, match=r"g\.jsonld is not json-ld: .*remote contexts"):
        RdfSource(path)()


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst", "zip", "tgz"])
def test_bombs_are_stopped(write: Write, kind: str, tmp_path: Path) -> None:
    import bz2
    import lzma

    import zstandard

    content = b"a\tr\tb\n" * 700_000  # 4 MB of one line
    if kind in ("zip", "tgz"):
        path = tmp_path / f"g.{kind}"
        _archive(path, {"g.tsv": content})
    else:
        compress = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.get(kind)
        path = write(f"g.tsv.{kind}", compress(content) if compress else zstandard.compress(content))
    with pytest.raises(DataError, match=r"zip bomb\. If you trust the file, raise the limit 'ratio'"):
        TriplesSource(path, limits={"free": 2**20})()
    assert TriplesSource(path, limits={"free": 2**20, "ratio": 10**6})().num_triples == 1
    assert TriplesSource(path)().num_triples == 1  # it is small


def _archive(path: Path, files: dict[str, bytes]) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)
        return
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("name", ["../g.tsv", "/etc/g.tsv", "a/../../g.tsv", "..\\g.tsv", "C:/g.tsv"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_that_lead_out_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / f"g.{kind}"
    _archive(path, {"ok.tsv": b"a\tr\tb\n", name: b"a\tr\tb\n"})
    with pytest.raises(DataError, match="leads out of the archive"):
        TriplesSource(path)()


def test_links_and_devices_in_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.tar"
    with tarfile.open(path, "w") as made:
        link = tarfile.TarInfo("g.tsv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
    with pytest.raises(DataError, match="link or device"):
        TriplesSource(path)()
    path = tmp_path / "g.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        info = zipfile.ZipInfo("g.tsv")
        info.external_attr = 0o120777 << 16
        zipped.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="holds the link"):
        TriplesSource(path)()
    _archive(path, {f"{i}.tsv": b"a\tr\tb\n" for i in range(4)})
    with pytest.raises(DataError, match="more than 3 files"):
        TriplesSource(path, limits={"members": 3})()
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="not a zip archive"):
        TriplesSource(path)()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("g.nt", b"<u:a> <u:r> <u:b> .\n<u:a> <u:r> <u:\xff> .\n", "line 2, column"),
        ("g.nt", b"<u:a> <u:r> <u:b> .\r\n\r\n<u:a> <u:r> <u:a b> .\n", "line 3, column"),
        ("g.nt", b"<u:a> <u:r> <u:b> .\n<u:a> <u:r> <b> .\n", "line 2, column 13: No scheme found in an absolute IRI"),
        ("g.nt", b"<u:a> <u:r> <u:b> .\n<u:a> <u:r> <u:\0> .\n", "line 2, column 13: Invalid IRI"),
        ("g.nt", b'<u:a> <u:r> <u:b> .\n<u:a> <u:r> "x .\n', "line 2, column"),
        ("g.nt", b"<u:a> <u:r> <u:b> .\n<u:a> <u:r> <http://a.b:x/> .\n", "line 2, column 13: Invalid"),
        ("g.nt", b"<u:a> <u:r> <u:b> .\n<u:a> <u:r> <http://a.b/%zz> .\n", "line 2, column 13: Invalid IRI percent"),
        ("g.nt", b'<u:a> <u:r> <u:b> .\n<u:a> <u:r> "\\ud800" .\n', "line 2, column"),
        ("g.nt", b'<u:a> <u:r> <u:b> .\n<u:a> <u:r> "x"@toolonglanguage .\n', "line 2, column"),
        ("g.nq", b'<u:a> <u:r> <u:b> <u:g> .\n<u:a> <u:r> <u:b> "g" .\n', "line 2, column"),
        (
            "g.ttl",
            b"@prefix u: <u:> .\nu:a u:r u:b .\n  u:a v:r u:b .\n",
            "line 3, column 7: The prefix v: has not been",
        ),
        ("g.ttl", b"<u:a> <u:r> <u:\xff> .\n", "line 1, column"),
        ("g.jsonld", b'{"@id": "u:a",\n "u:r": {"@id": }}', "line 2, column"),
        ("g.tsv", b"a\tr\tb\na\tr\t\xc3\n", "line 2 is not UTF-8"),
        ("g.tsv", b"a\tr\tb\rc\tr\td\r", "line 1 holds a carriage return"),
        ("g.tsv", b"a\tr\t" + b"x" * 2_000_000 + b"\n", "line 1 is not TSV, or one of its names is longer"),
        ("g.csv", b'a,r,b\na,"r"x,b\n', "line 2 is not CSV"),
        ("g.csv", b'a,r,b\n"a\n,r,b\n', "line 2 is not CSV"),
        ("g.csv", b"a,r,b\n\xff,r,b\n", "line 2 is not UTF-8"),
    ],
)
def test_broken_lines_have_a_place_and_can_be_skipped(write: Write, name: str, content: bytes, said: str) -> None:
    path = write(name, content)
    source = TriplesSource if name.endswith(("tsv", "csv")) else RdfSource
    with pytest.raises(DataError) as caught:
        source(path)()
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    if name.endswith((".nt", ".nq", ".csv")):
        graph = source(path, bad_lines="skip")()
        assert graph.num_triples == 1
        assert int(graph.about["lines_skipped"]) >= 1


def test_skipped_lines_are_counted_and_written_aside(write: Write, tmp_path: Path) -> None:
    good, bad = "<u:a> <u:r> <u:b> .\n", "<u:a> <u:r> b .\n"
    path = write("g.nt", good + bad + good.replace("u:b", "u:c") + bad)
    store = build_store(RdfSource(path, bad_lines="skip"), tmp_path / "store")
    assert open_store(store).about["lines_skipped"] == "2"
    aside = [json.loads(line) for line in (store / "skipped.jsonl").read_text().splitlines()]
    assert [each["line"] for each in aside] == [2, 4]
    assert all(each["raw"] == bad.strip() and "column 13" in each["why"] for each in aside)
    build_store(RdfSource(write("h.nt", good)), store)
    assert not (store / "skipped.jsonl").exists()
    turtle = write("g.ttl", "@prefix u: <u:> .\nu:a u:r u:b .\nu:a u:r v:b .\nu:a u:r u:c .\n")
    graph = RdfSource(turtle, bad_lines="skip")()
    assert (graph.num_triples, graph.about["lines_skipped"]) == (2, "1")
    with pytest.raises(DataError):  # what comes behind a fault in a tree cannot be made sense of
        RdfSource(write("g.rdf", HEAD + FACT + "<u:x>"), bad_lines="skip")()
    with pytest.raises(ConfigError, match="bad_lines = 'ignore'"):
        checked_bad_lines("ignore")


def test_a_build_that_goes_on_keeps_what_it_skipped(write: Write, tmp_path: Path) -> None:
    from kgreason.knowledge.progress import Progress

    lines = "".join(f"a{i}\tr\n" if i % 50 == 3 else f"a{i}\tr\tb\n" for i in range(200_000))
    path, times = write("g.tsv", lines), []

    def stop(progress: Progress) -> None:
        times.append(progress)
        if len(times) == 3:
            raise KeyboardInterrupt

    source = TriplesSource(path, bad_lines="skip")
    with pytest.raises(KeyboardInterrupt):
        build_store(source, tmp_path / "store", memory=2**18, tell=stop)
    store = build_store(source, tmp_path / "store", memory=2**18)
    assert open_store(store).about["lines_skipped"] == "4000"
    numbers = [json.loads(line)["line"] for line in (store / "skipped.jsonl").read_text().splitlines()]
    assert numbers == [i + 1 for i in range(200_000) if i % 50 == 3]


@pytest.mark.parametrize("name", ["g.nt", "g.ttl", "g.jsonld", "g.tsv", "g.csv", "g.jsonl"])
def test_a_literal_of_a_hundred_megabytes_is_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    begin, end = {
        "g.nt": ('<u:a> <u:r> "', '" .\n'),
        "g.ttl": ('<u:a> <u:r> "', '" .\n'),
        "g.jsonld": ('{"@id": "u:a", "u:r": "', '"}'),
        "g.tsv": ("a\tr\t", "\n"),
        "g.csv": ('a,r,"', '"\n'),
        "g.jsonl": ('["a", "r", "', '"]\n'),
    }[name]
    path = tmp_path / name
    with path.open("w") as file:
        file.write(begin)
        for _ in range(100):
            file.write("x" * 2**20)
        file.write(end)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = TriplesSource if name.endswith(("tsv", "csv", "jsonl")) else RdfSource
    with pytest.raises(DataError, match=r"line 1|line \d+ or before"):
        source(path)()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize("where", ["iri", "label"])
def test_a_long_name_is_refused_by_the_limit(write: Write, where: str) -> None:
    long = "x" * 5000
    label = f'<u:a> <{LABEL}> "{long}" .\n' if where == "label" else f"<u:{long}> <u:r> <u:b> .\n"
    for name in ("g.nt", "g.ttl"):
        path = write(name, "<u:a> <u:r> <u:b> .\n" + label)
        with pytest.raises(DataError, match=r"the name '.*…' has 5,00\d bytes, more than 4,096 \(the limit 'field'\)"):
            RdfSource(path, limits={"field": 4096})()
        assert RdfSource(path)().num_triples >= 1
    with pytest.raises(ConfigError, match="limit fields = 1 is not known"):
        RdfSource(path, limits={"fields": 1})
    assert Limits.of({"depth": 3}).depth == 3


CODE = """
import resource, sys
from kgreason.errors import DataError
from kgreason.knowledge import RdfSource
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
try:
    print(RdfSource(sys.argv[1])())
except DataError as error:
    print(error)
"""
DEEP = {
    "g.ttl": "<u:a> <u:r> " + "[ <u:s> " * 300_000,
    "h.ttl": "<u:a> <u:r> " + "( " * 300_000,
    "i.ttl": "".join("[] <u:r> [] .\n" for _ in range(300_000)),
    "g.jsonld": '{"u:r":' * 300_000,
    "h.jsonld": "[" * 300_000,
    "g.jsonl": "[" * 300_000,
    "g.nt": "<u:a> <u:r> " + "<<( " * 300_000 + "\n",
    "g.trig": "<u:g> { " * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in DEEP if name != "g.jsonl"])
def test_nothing_is_deep_enough_to_crash(write: Write, name: str) -> None:
    command = [sys.executable, "-c", CODE, str(write(name, DEEP[name]))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    wanted = ["KnowledgeGraph(600000"] if name == "i.ttl" else ["is not", "before"]
    assert any(part in done.stdout for part in wanted)


def test_no_file_can_be_written_that_makes_a_table_slow() -> None:
    """The table of names is keyed with a secret: what falls into one place here does not elsewhere."""
    from kgreason.knowledge.interning import Interner, _digest

    text = np.frombuffer(bytearray(b"".join(b"%08d" % i for i in range(50_000))), np.uint8)
    known = np.uint64(1)
    hit = [i for i in range(50_000) if int(_digest(text, 8 * i, 8 * i + 8, known)) & 1023 == 0]
    ours = [int(_digest(text, 8 * i, 8 * i + 8, Interner()._seed)) & 1023 for i in hit]
    assert len(set(ours)) > len(ours) / 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tail", 3),
        ("head", -1),
        ("relation", 1),
        ("labels.entity", 99),
        ("labels.preferred", 50),
        ("labels.pos", 100),
        ("head_ptr", 7),
        ("entities.offsets", 2**40),
        ("entities.blob", 0xFF),
    ],
)
def test_a_store_with_good_checksums_and_mad_numbers_is_refused(tmp_path: Path, column: str, value: int) -> None:
    """Whoever makes a store can make its checksums; numbers outside of the graph would lead a walk out of memory."""
    import hashlib

    path = tmp_path / "g.tsv"
    path.write_text("a\tr\tb\nb\tr\tc\n")
    store = save_store(TriplesSource(path)(), tmp_path / "store")
    manifest = json.loads((store / "manifest.json").read_text())
    about = manifest["columns"][column]
    file = store / manifest["data"] / about["file"]
    numbers = np.fromfile(file, about["dtype"])
    numbers[1] = np.array(value).astype(about["dtype"])
    numbers.tofile(file)
    for each in manifest["columns"].values():
        if each["file"] == about["file"]:
            each["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (store / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError):
        open_store(store)


def test_a_large_store_is_read_through_once_and_again_when_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    for place in ("store", "commit"):
        monkeypatch.setattr(f"kgreason.knowledge.{place}.SMALL", 0)
    path = tmp_path / "g.tsv"
    path.write_text("a\tr\tb\nb\tr\tc\n")
    store = build_store(TriplesSource(path), tmp_path / "store")
    checked: list[Path] = []
    real = Column.check
    monkeypatch.setattr(Column, "check", lambda self, folder: (checked.append(folder), real(self, folder)))
    open_store(store, "once")
    assert not checked  # whoever built it has just computed the sums
    (tail,) = store.rglob("tail")
    content = tail.read_bytes()
    tail.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StoreError, match="sha256"):
        open_store(store, "once")
    tail.write_bytes(content)
    checked.clear()
    for _ in range(2):
        open_store(store, "once")
    assert len(set(checked)) == 1
    count = len(checked)
    open_store(store, "once")
    assert len(checked) == count
    open_store(store, "checksum")
    assert len(checked) > count


def test_nothing_here_reads_a_pickle() -> None:
    import kgreason.knowledge

    folder = Path(kgreason.knowledge.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text()
        assert "import pickle" not in text
        assert "allow_pickle=True" not in text
    with pytest.raises(KgreasonError):
        RdfSource("nowhere.nt")()

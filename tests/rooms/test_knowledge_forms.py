"""The forms that a graph may come in: the same facts from each, guessed by name and content, packed and in archives."""

import bz2
import gzip
import io
import json
import lzma
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge import (
    SOURCES,
    ConceptNetSource,
    GraphmlSource,
    OboSource,
    ParquetSource,
    RdfSource,
    TriplesSource,
    WikidataSource,
    open_graph,
    source_table,
)
from kgreason.knowledge.guess import guess

Write = Callable[[str, str | bytes], Path]
RDFS = "http://www.w3.org/2000/01/rdf-schema#label"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return made


def rows(graph: KnowledgeGraph) -> set[tuple[str, str, str]]:
    return {(h, r, t) for h in graph.entities for r, t in graph.out(h)}


NAMED = f'<u:a> <{RDFS}> "Äpfel"@de .\n<u:a> <{RDFS}> "apple" .\n<u:a> <u:n> "1" .\n'
#: One graph in every syntax: two triples, a label in two languages, a literal that is left out.
RDF = {
    "g.nt": f"<u:a> <u:r> <u:b> .\n<u:a> <u:s> <u:c> .\n{NAMED}",
    "g.nq": f"<u:a> <u:r> <u:b> <u:g> .\n<u:a> <u:s> <u:c> .\n{NAMED}",
    "g.ttl": f'@prefix u: <u:> .\nu:a u:r u:b ; u:s u:c ; <{RDFS}> "Äpfel"@de, "apple" ; u:n "1" .\n',
    "g.trig": f'@prefix u: <u:> .\nu:g {{ u:a u:r u:b }}\nu:a u:s u:c ; <{RDFS}> "Äpfel"@de, "apple" ; u:n "1" .\n',
    "g.n3": f'@prefix u: <u:> .\nu:a u:r u:b ; u:s u:c ; <{RDFS}> "Äpfel"@de, "apple" ; u:n "1" .\n',
    "g.rdf": f"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE rdf:RDF [<!ENTITY u "u:">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:u="&u;" xmlns:l="{RDFS.rpartition("#")[0]}#">
<rdf:Description rdf:about="&u;a"><u:r rdf:resource="u:b"/><u:s rdf:resource="u:c"/>
<l:label xml:lang="de">Äpfel</l:label><l:label>apple</l:label><u:n>1</u:n></rdf:Description></rdf:RDF>""",
    "g.jsonld": json.dumps(
        {
            "@id": "u:a",
            "u:r": {"@id": "u:b"},
            "u:s": {"@id": "u:c"},
            RDFS: [{"@value": "Äpfel", "@language": "de"}, "apple"],
            "u:n": "1",
        }
    ),
    "g.trix": f"""<TriX xmlns="http://www.w3.org/2004/03/trix/trix-1/"><graph>
<triple><uri>u:a</uri><uri>u:r</uri><uri>u:b</uri></triple><triple><uri>u:a</uri><uri>u:s</uri><uri>u:c</uri></triple>
<triple><uri>u:a</uri><uri>{RDFS}</uri><plainLiteral xml:lang="de">Äpfel</plainLiteral></triple>
<triple><uri>u:a</uri><uri>{RDFS}</uri><plainLiteral>apple</plainLiteral></triple>
<triple><uri>u:a</uri><uri>u:n</uri><plainLiteral>1</plainLiteral></triple></graph></TriX>""",
    "g.hext": "".join(
        json.dumps(row) + "\n"
        for row in (
            ["u:a", "u:r", "u:b", "globalId", "", ""],
            ["u:a", "u:s", "u:c", "globalId", "", ""],
            ["u:a", RDFS, "Äpfel", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "de", ""],
            ["u:a", RDFS, "apple", "http://www.w3.org/2001/XMLSchema#string", "", ""],
            ["u:a", "u:n", "1", "http://www.w3.org/2001/XMLSchema#string", "", ""],
        )
    ),
}
FACTS = {("u:a", "u:r", "u:b"), ("u:a", "u:s", "u:c")}


@pytest.mark.parametrize("name", RDF)
def test_every_syntax_of_rdf_says_the_same(write: Write, name: str) -> None:
    graph = RdfSource(write(name, RDF[name]))()
    assert rows(graph) == FACTS
    assert graph.about["literals_left_out"] == "1"
    assert graph.label(graph.entities.id("u:a")) == "apple"
    assert graph.labels.senses("Äpfel")[0].tolist() == [graph.entities.id("u:a")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["g.nt", "g.nq", "g.ttl", "g.trig", "g.rdf", "g.jsonld"])
def test_the_mark_of_utf8_and_all_newlines(write: Write, name: str, newline: str) -> None:
    assert rows(RdfSource(write(name, "\ufeff" + RDF[name].replace("\n", newline)))()) == FACTS


def test_names_in_other_languages_can_be_left_out(write: Write) -> None:
    graph = RdfSource(write("g.nt", RDF["g.nt"]), foreign="drop")()
    assert "Äpfel" not in graph.labels.names
    german = RdfSource(write("g.nt", RDF["g.nt"]), foreign="drop", language="de")()
    assert {"Äpfel", "apple"} <= set(german.labels.names)  # one without a language is everyone's


def test_relative_iris_are_relative_to_the_file_or_a_base(write: Write) -> None:
    path = write("my graph.ttl", "<a> <r> <#b> .")
    assert rows(RdfSource(path)()) == {("file:///a", "file:///r", "file:///my%20graph.ttl#b")}
    assert rows(RdfSource(path, base="http://e/x/")()) == {("http://e/x/a", "http://e/x/r", "http://e/x/#b")}


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("packing", PACK)
def test_packed_files(write: Write, packing: str) -> None:
    content = RDF["g.nt"].encode()
    half = content.find(b"\n") + 1
    path = write(
        f"g.nt{packing}", PACK[packing](content[:half]) + PACK[packing](content[half:])
    )  # two parts end to end
    assert rows(RdfSource(path)()) == FACTS
    assert guess(path).form == "nt"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="cannot be read to its end"):
        RdfSource(path)()


def archive(kind: str, files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    if kind == ".zip":
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)
        return whole.getvalue()
    with tarfile.open(fileobj=whole, mode="w:gz" if kind == ".tgz" else "w") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return whole.getvalue()


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tgz"])
def test_archives(write: Write, kind: str) -> None:
    files = {
        "data/readme.txt": b"not a graph",
        "data/a.nt": b"<u:a> <u:r> <u:b> .\n_:x <u:r> <u:b> .\n",
        "data/b.ttl.gz": gzip.compress(b"<u:a> <u:s> <u:c> ."),
    }
    path = write(f"graph{kind}", archive(kind, files))
    member = 0 if kind == ".zip" else 1  # of a zip, files are read in the order of their names
    assert rows(RdfSource(path)()) == FACTS | {(f"_:f0.{member}.x", "u:r", "u:b")}
    assert source_table([path])["name"] == "rdf"
    assert rows(SOURCES.build(source_table([path]))()) == rows(RdfSource(path)())


def test_many_files_a_pattern_and_standard_input(write: Write, tmp_path: Path) -> None:
    for i in range(5):
        write(f"part-{i}.tsv", f"a{i}\tr\tb\n")
    assert rows(TriplesSource(str(tmp_path / "part-*.tsv"))()) == {(f"a{i}", "r", "b") for i in range(5)}
    with pytest.raises(DataError, match="No file is like"):
        TriplesSource(str(tmp_path / "nothing-*.tsv"))()
    with pytest.raises(DataError, match="together with files"):
        TriplesSource(["-", str(tmp_path / "part-0.tsv")])()
    code = "import sys; from kgreason.cli import main; sys.argv[0] = 'kgreason'; sys.exit(main())"
    command = [sys.executable, "-c", code, "graph", "build", "-", "--form", "tsv", "--out", str(tmp_path / "store")]
    done = subprocess.run(command, input=b"a\tr\tb\n", capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert rows(open_graph(str(tmp_path / "store"))) == {("a", "r", "b")}


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("g.ttl", "x", "turtle"),
        ("g.owl", "@prefix : <u:> .\n:a :b :c .", "turtle"),
        ("g.owl", RDF["g.rdf"], "xml"),
        ("g.xml", RDF["g.trix"], "trix"),
        ("g.xml", '<?xml version="1.0"?><graphml></graphml>', "graphml"),
        ("g.txt", "a\tr\tb\nc\tr\td\n", "tsv"),
        ("g.dat", "a,r,b\nc,r,d\n", "csv"),
        ("g", RDF["g.nt"], "nt"),
        ("g", RDF["g.nq"], "nquads"),
        ("g", RDF["g.ttl"], "turtle"),
        ("g", RDF["g.trig"], "trig"),
        ("g.json", RDF["g.jsonld"], "json-ld"),
        ("g.json", RDF["g.hext"], "hext"),
        ("g.json", '{"head": "a", "relation": "r", "tail": "b"}\n', "jsonl"),
        ("g.json", '["a", "r", "b"]\n["a", "r", "c"]\n', "jsonl"),
        ("g", "format-version: 1.2\n\n[Term]\nid: X:1\n", "obo"),
        ("g.csv", "/a/[/r/IsA/,/c/en/a/,/c/en/b/]\t/r/IsA\t/c/en/a\t/c/en/b\t{}\n", "conceptnet"),
        (
            "g.nt",
            "<https://www.wikidata.org/wiki/Special:EntityData/Q1> <http://schema.org/about> <u:q> .\n",
            "wikidata",
        ),
        ("g.nt.gz", gzip.compress(RDF["g.nt"].encode()), "nt"),
        ("g", b"PAR1xxxx", "parquet"),
    ],
)
def test_what_a_file_is_guessed_to_be(write: Write, name: str, content: str | bytes, form: str) -> None:
    found = guess(write(name, content))
    assert found.form == form
    assert "by" in str(found)


def test_a_guess_is_said_and_can_be_overruled(write: Write) -> None:
    assert source_table([write("g.owl", "@prefix : <u:> .\n:a :b :c .")]) == {
        "name": "rdf",
        "syntax": "turtle",
        "path": str(write("g.owl", "@prefix : <u:> .\n:a :b :c .")),
    }
    path = write("g.txt", "a\tr\tb\n")
    assert source_table([path], "csv")["form"] == "csv"
    with pytest.raises(ConfigError, match="names no known form, and its content none either"):
        guess(write("g.dat", "just a text"))
    with pytest.raises(ConfigError, match="standard input"):
        guess(Path("-"))


OBO = """format-version: 1.2

[Term]
id: X:1
name: heart ! not a comment of the name
synonym: "cor" EXACT [] {note="x"}
synonym: "pump" RELATED []
is_a: X:2 {source="me"} ! organ
relationship: part_of X:3 ! body
intersection_of: X:2
intersection_of: part_of X:3
disjoint_from: X:4
xref: FMA:7088
def: "A \\"pump\\"." []

[Term]
id: X:2
name: organ

[Term]
id: X:5
name: old
is_obsolete: true
is_a: X:2
replaced_by: X:1

[Typedef]
id: part_of
name: part of
inverse_of: has_part

[Typedef]
id: unused
name: never used
"""


def test_obo(write: Write) -> None:
    graph = OboSource(write("g.obo", OBO))()
    assert rows(graph) == {
        ("X:1", "is_a", "X:2"),
        ("X:1", "part_of", "X:3"),
        ("X:1", "disjoint_from", "X:4"),
        ("X:5", "replaced_by", "X:1"),
        ("part_of", "inverse_of", "has_part"),
    }
    assert graph.label(graph.entities.id("X:1")) == "heart"
    assert graph.labels.senses("cor")[0].tolist() == [graph.entities.id("X:1")]
    assert "pump" not in graph.labels.names
    assert "pump" in OboSource(write("g.obo", OBO), synonyms="all")().labels.names
    assert graph.relation_labels == {"part_of": ("part of",)}
    assert "never used" not in graph.labels.names
    assert graph.about["tags_left_out"] == "2"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("synonym: no quotes", "line 5 is not OBO: expected a synonym in double quotes"),
        ("just text", "line 5 is not OBO: expected 'tag: value'"),
        ("relationship: part_of", "line 5 is not OBO: expected a relation and an identifier"),
    ],
)
def test_broken_obo_is_named(write: Write, line: str, said: str) -> None:
    path = write("g.obo", f"format-version: 1.2\n\n[Term]\nid: X:1\n{line}\nis_a: X:2\n")
    with pytest.raises(DataError, match=said):
        OboSource(path)()
    graph = OboSource(path, bad_lines="skip")()
    assert rows(graph) == {("X:1", "is_a", "X:2")}
    assert graph.about["lines_skipped"] == "1"


def test_the_disease_ontology(data: Path) -> None:
    graph = OboSource(data / "ontologies" / "DO_rare_slim.obo")()
    assert graph.num_triples == 1615
    assert graph.label(graph.entities.id("DOID:0050012")) == "chikungunya"


GRAPHML = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="d0" for="node" attr.name="label" attr.type="string"/><key id="d1" for="edge" attr.name="relation"/>
<graph edgedefault="{default}">
<node id="a"><data key="d0">the &lt;A&gt;</data><data key="d9">more</data></node><node id="b"/><node id="lonely"/>
<edge source="a" target="b"><data key="d1">r</data></edge><edge source="b" target="c" directed="{directed}"/>
</graph></graphml>"""


def test_graphml_in_a_stream(write: Write) -> None:
    graph = GraphmlSource(write("g.graphml", GRAPHML.format(default="directed", directed="true")))()
    assert rows(graph) == {("a", "r", "b"), ("b", "related_to", "c")}
    assert graph.label(graph.entities.id("a")) == "the <A>"
    path = write("h.graphml", GRAPHML.format(default="undirected", directed="true"))
    assert rows(GraphmlSource(path, otherwise="x")()) == {("a", "r", "b"), ("b", "r", "a"), ("b", "x", "c")}
    with pytest.raises(DataError, match="line 6: an edge has no source"):
        GraphmlSource(write("i.graphml", GRAPHML.replace('source="a"', "")))()
    with pytest.raises(DataError, match="2 elements are not closed"):
        GraphmlSource(write("j.graphml", GRAPHML[:-20]))()
    with pytest.raises(DataError, match="cannot be read as graphml"):
        GraphmlSource(write("k.graphml", GRAPHML.replace("</data>", "</date>")))()


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_parquet_and_arrow(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"g{ending}"
    made = pl.DataFrame({"x": [0, 0], "object": ["b", "日本"], "subject": [1, 2], "predicate": ["r", "s"]})
    made.write_parquet(path) if ending == ".parquet" else made.write_ipc(path)
    assert rows(ParquetSource(path)()) == {("1", "r", "b"), ("2", "s", "日本")}
    assert rows(ParquetSource(path, head="object", relation=4, tail="subject")()) == {
        ("b", "r", "1"),
        ("日本", "s", "2"),
    }
    with pytest.raises(DataError, match="has the columns x, object, subject, predicate"):
        ParquetSource(path, head="a", relation="b", tail="c")()
    with pytest.raises(ConfigError, match="all three columns, or none"):
        ParquetSource(path, head="object")
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(DataError, match="cannot be read as"):
        ParquetSource(path)()


def test_a_row_without_a_name_is_refused_or_skipped(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    pl.DataFrame({"head": ["a", None, "c"], "relation": ["r", "r", " "], "tail": ["b", "b", "b"]}).write_parquet(path)
    with pytest.raises(DataError, match=r"row 2: .* lacks a name"):
        ParquetSource(path)()
    graph = ParquetSource(path, bad_lines="skip")()
    assert rows(graph) == {("a", "r", "b")}
    assert graph.about["lines_skipped"] == "2"


CONCEPTNET = (
    "/a/1\t/r/IsA\t/c/en/dog/n/wn/animal\t/c/en/big_animal\t{}\n"
    "/a/2\t/r/dbpedia/genre\t/c/en/dog\t/c/en/x\t{}\n"
    "/a/3\t/r/Synonym\t/c/de/hund\t/c/en/dog\t{}\n"
    "/a/4\t/r/ExternalURL\t/c/en/dog\thttp://dbpedia.org/resource/Dog\t{}\n"
)


def test_conceptnet_in_one_language(write: Write) -> None:
    path = write("assertions.csv.gz", gzip.compress(CONCEPTNET.encode()))
    graph = ConceptNetSource(path)()
    assert rows(graph) == {("dog", "IsA", "big_animal"), ("dog", "dbpedia/genre", "x")}
    assert graph.label(graph.entities.id("big_animal")) == "big animal"
    assert graph.about["assertions_left_out"] == "2"
    assert rows(ConceptNetSource(path, senses="keep")()) == {
        ("dog/n/wn/animal", "IsA", "big_animal"),
        ("dog", "dbpedia/genre", "x"),
    }
    with pytest.raises(DataError, match="no triple"):
        ConceptNetSource(path, language="fr")()


def test_wikidata_has_short_names_and_one_language(write: Write) -> None:
    entity, direct = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
    lines = [
        f"<https://www.wikidata.org/wiki/Special:EntityData/Q42> <http://schema.org/about> <{entity}Q42> .",
        f'<{entity}Q42> <{RDFS}> "Douglas Adams"@en .',
        f'<{entity}Q42> <{RDFS}> "Duglas Adams"@en-gb .',
        f'<{entity}Q42> <{RDFS}> "Adam"@enm .',
        f'<{entity}Q42> <http://www.w3.org/2004/02/skos/core#altLabel> "Douglas Noel Adams"@en .',
        f'<{entity}P31> <{RDFS}> "instance of"@en .',
        f'<{entity}Q9> <{RDFS}> "in no statement"@en .',
        f"<{entity}Q42> <{direct}P31> <{entity}Q5> .",
        f"<{entity}Q42> <http://www.wikidata.org/prop/direct-normalized/P214> <http://viaf.org/viaf/113230702> .",
        f'<{entity}Q42> <{direct}P569> "1952-03-11T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .',
        f"<https://en.wikipedia.org/wiki/Douglas_Adams> <http://schema.org/about> <{entity}Q42> .",
    ]
    graph = WikidataSource(write("truthy.nt", "\n".join(lines)))()
    assert rows(graph) == {("Q42", "P31", "Q5")}
    assert list(graph.labels.names) == ["Douglas Adams", "Douglas Noel Adams", "Duglas Adams", "Q5"]
    assert graph.label(graph.entities.id("Q42")) == "Douglas Adams"
    assert graph.relation_labels == {"P31": ("instance of",)}
    assert (graph.about["literals_left_out"], graph.about["statements_left_out"]) == ("1", "3")

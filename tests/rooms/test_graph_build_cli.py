"""The commands that build and export a graph: what they say, what they leave, how they fail."""

import json
from pathlib import Path

import pytest
import typer

from kgreason.cli import graph as commands
from kgreason.cli.console import run, set_quiet
from kgreason.knowledge import open_store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    app = typer.Typer()
    commands.register(app)
    set_quiet(False)
    code = run(lambda: app([str(word) for word in words], standalone_mode=False))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_guess_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "graph.owl"
    path.write_text("@prefix : <u:> . :a :r :b .")
    code, _, said = call(capsys, "graph", "build", path)
    assert code == 0
    assert "as Turtle (by how it begins)" in said
    code, _, said = call(capsys, "graph", "build", path, "--form", "xml")
    assert (code, "RDF/XML (as you say)" in said, "is not xml" in said) == (2, True, True)


def test_skipped_lines_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, out = tmp_path / "graph.nt", tmp_path / "store"
    path.write_text("<u:a> <u:r> <u:b> .\nnonsense\n<u:a> <u:r> <u:c> .\n")
    code, _, said = call(capsys, "graph", "build", path, "--out", out)
    assert (code, "line 2" in said) == (2, True)
    code, _, said = call(capsys, "graph", "build", path, "--out", out, "--skip-bad-lines")
    assert code == 0
    assert f"1 broken lines were skipped; they are in {out}/skipped.jsonl" in said
    assert json.loads((out / "skipped.jsonl").read_text())["raw"] == "nonsense"


def test_options_limits_and_inference(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, out = tmp_path / "graph.ttl", tmp_path / "store"
    sub = "<http://www.w3.org/2000/01/rdf-schema#subClassOf>"
    path.write_text(f'<u:a> {sub} <u:b> . <u:b> {sub} <u:c> ; <http://www.w3.org/2000/01/rdf-schema#label> "Bär"@de .')
    language = ("--option", "language=de", "--option", "foreign=drop")
    code, _, _ = call(capsys, "graph", "build", path, "--out", out, *language, "--infer", "transitive")
    assert code == 0
    graph = open_store(out)
    assert graph.num_triples == 3
    assert graph.label(graph.entities.id("u:b")) == "Bär"
    code, _, said = call(capsys, "graph", "build", path, "--limit", "field=3")
    assert (code, "the limit 'field'" in said) == (2, True)
    for words in (("--limit", "field"), ("--option", "=x"), ("--limit", "fields=3"), ("--infer", "transitiv")):
        code, _, said = call(capsys, "graph", "build", path, "--out", tmp_path / "other", *words)
        assert code == 2, said
        assert not (tmp_path / "other").exists()


def test_a_pattern_in_quotes_and_a_little_memory(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"part-{i}.tsv").write_text(f"a{i}\tr\tb\n")
    code, said, _ = call(capsys, "graph", "build", tmp_path / "part-*.tsv", "--memory", "1", "--json")
    assert code == 0
    assert json.loads(said)["triples"] == 3


def test_export(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "graph.tsv").write_text("New York\tin\tUSA\n")
    for name in ("out.nt", "out.tsv", "out.graphml"):
        code, said, _ = call(capsys, "graph", "export", tmp_path / "graph.tsv", tmp_path / name)
        assert (code, said.strip()) == (0, str(tmp_path / name))
        code, said, _ = call(capsys, "graph", "build", tmp_path / name, "--json")
        assert json.loads(said)["relations"] == {"in": 1}
    code, _, said = call(capsys, "graph", "export", tmp_path / "graph.tsv", tmp_path / "out.xyz")
    assert (code, "Known: nt, tsv, graphml" in said) == (2, True)

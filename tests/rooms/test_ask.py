"""Questions put to a graph, with no training: as a program, on the command line, one and many."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kgreason as kr
from kgreason.cli.app import app
from kgreason.errors import ConfigError, DataError
from kgreason.pipeline import Pipeline

TURTLE = """
@prefix : <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
:directedBy rdfs:label "directed by" ; skos:altLabel "director" .
:starring   rdfs:label "starring" ; skos:altLabel "actor" .
:released   rdfs:label "release year" .
:alien rdfs:label "Alien" ; :directedBy :scott ; :starring :weaver ; :released :y1979 .
:gladiator rdfs:label "Gladiator" ; :directedBy :scott ; :starring :crowe ; :released :y2000 .
:scott rdfs:label "Ridley Scott" . :weaver rdfs:label "Sigourney Weaver" . :crowe rdfs:label "Russell Crowe" .
:y1979 rdfs:label "1979" . :y2000 rdfs:label "2000" .
"""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "films.ttl"
    path.write_text(TURTLE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def reasoner(films: Path) -> Pipeline:
    return kr.over(films)


def run(*words: str, text: str = "") -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["ask", *words], input=text)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def test_a_file_is_asked_with_no_training(reasoner: Pipeline) -> None:
    found = reasoner.ask("Who is the director of Gladiator?")
    assert found.answer == "Ridley Scott"
    assert found.path == (("Gladiator", "directed by", "Ridley Scott"),)
    assert found.trace
    assert "Ridley Scott" in found._repr_html_()


def test_two_hops_are_walked_and_told(reasoner: Pipeline) -> None:
    found = reasoner.ask("Which actors star in films directed by [Ridley Scott]?")
    assert {name for name, p in found.ranking if p > 0.1} == {"Sigourney Weaver", "Russell Crowe"}
    assert found.paths["Russell Crowe"] == (
        ("Gladiator", "directed by", "Ridley Scott"),
        ("Gladiator", "starring", "Russell Crowe"),
    )


def test_a_seed_may_be_given_by_name(reasoner: Pipeline) -> None:
    assert reasoner.ask("What is its release year?", seeds=["Alien"]).answer == "1979"


def test_a_name_that_is_not_written_so_is_said(reasoner: Pipeline, films: Path) -> None:
    found = reasoner.ask("Who is the director of Gladiater?")
    assert found.answer == "Ridley Scott"
    assert found.notes == ("'Gladiater' was taken for Gladiator.",)
    assert not reasoner.ask("Who is the director of gladiator?").notes
    _, out, told = run("Who is the director of Gladiater?", "--graph", str(films))
    assert out.startswith("Ridley Scott")
    assert "'Gladiater' was taken for Gladiator." in told


def test_what_is_not_in_the_graph_is_said(reasoner: Pipeline) -> None:
    with pytest.raises(DataError, match="nowhere to start"):
        reasoner.ask("What is its release year?", seeds=["Solaris"])
    with pytest.raises(DataError, match="nowhere to start"):
        reasoner.ask("zzz qqq?")
    with pytest.raises(DataError):
        reasoner.ask("   ")
    with pytest.raises(ConfigError, match="nosuchgraph"):
        kr.over("nosuchgraph")


def test_the_command_tells_answers_and_paths_and_draws_a_page(films: Path, tmp_path: Path) -> None:
    page = tmp_path / "walk.html"
    code, out, _ = run("Who is the director of Gladiator?", "--graph", str(films), "--html", str(page))
    assert code == 0
    assert out.splitlines()[0].startswith("Ridley Scott")
    assert "Gladiator —directed by→ Ridley Scott" in out
    assert "Gladiator" in page.read_text(encoding="utf-8")


def test_a_bad_line_harms_no_other(films: Path) -> None:
    lines = [
        {"uid": "a", "question": "Who is the director of [Alien]?"},
        {"question": ""},
        {"uid": "c", "question": "release year", "seeds": ["Gladiator"]},
        {"uid": "d", "question": "release year", "seeds": ["Solaris"]},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\nno json\n"
    code, out, _ = run("--graph", str(films), "--input", "-", "--json", text=text)
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line.get("uid") for line in told] == ["a", None, "c", "d", None]
    assert told[0]["answers"][0]["name"] == "Ridley Scott"
    assert told[0]["answers"][0]["path"] == told[0]["path"] == [["Alien", "directed by", "Ridley Scott"]]
    assert told[2]["answers"][0]["name"] == "2000"
    assert all("error" in told[i] for i in (1, 3, 4))


def test_the_world_ships_and_is_the_default() -> None:
    code, out, _ = run("What is the capital of France?", "--json")
    assert code == 0
    assert json.loads(out)["answers"][0]["name"] == "Paris"

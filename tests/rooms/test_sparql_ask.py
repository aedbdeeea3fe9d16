"""Questions and runs over a graph that stays at an endpoint: the same answers as over the file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import kgreason as kr
from kgreason.cli.app import app
from kgreason.cli.console import run
from kgreason.errors import ConfigError, DataError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.remote import RemotePipeline
from kgreason.experiment.run import Options, run_experiment
from kgreason.knowledge import export_graph, open_graph
from tests.servers import Server

GRAPH = "urn:world"
QUESTIONS = {
    "What is the capital of [France]?": "Paris",
    "Which currency circulates in the state that includes the island [Saaremaa]?": "euro",
    "Which languages are among the [Baltic languages]?": "Latvian",
    "Name the countries of the desert [Negev].": "Israel",
}
CONFIG = {
    "title": "at an endpoint",
    "task": {"name": "kgqa", "train": [], "dev": [], "test": {"test": "asked.jsonl"}, "threshold": 0.5},
    "parse": {"name": "surface"},
    "ground": {"name": "seeds"},
    "collate": {"name": "default", "max_tokens": 64, "mask": True},
    "encode": {"name": "fused", "language": {"name": "pretrained", "model": "minilm", "tune": "frozen"}},
    "decode": {"name": "similar"},
    "answer": {"name": "entity", "seeds": "last"},
    "train": {"name": "none", "batch_size": 8},
}


@pytest.fixture(scope="module")
def endpoint(oxigraph: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    file = export_graph(open_graph("world"), tmp_path_factory.mktemp("world") / "world.nt")
    oxigraph.load(file, GRAPH)
    return oxigraph


@pytest.fixture(autouse=True)
def manifest(endpoint: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "world.toml"
    path.write_text(f'endpoint = "{endpoint.endpoint}"\ngraph = "{GRAPH}"\nhops = 2\n')
    monkeypatch.chdir(tmp_path)
    # what is prepared and asked is kept here; the language model's own cache stays where it is
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    return path


@pytest.mark.slow
def test_questions_are_answered_as_over_the_file(manifest: Path) -> None:
    here, there = kr.over("world"), kr.over(manifest)
    assert isinstance(there, RemotePipeline)
    asked = [{"question": question} for question in QUESTIONS]
    for far, near, right in zip(there.predict(asked), here.predict(asked), QUESTIONS.values(), strict=True):
        assert far.answer == near.answer == right
        assert far.path == near.path
    one = there.ask("What is the capital of France?")
    assert (one.answer, one.path) == ("Paris", (("France", "capital", "Paris"),))
    assert there.ask("What is its capital?", seeds=["France"]).answer == "Paris"
    with pytest.raises(DataError, match="Nothing that is asked about is a name"):
        there.ask("Who is Zorblax?")


@pytest.mark.slow
def test_the_command_answers_lines_and_a_bad_one_harms_no_other(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"uid": "a", "question": "What is the capital of [France]?"},
        {"uid": "b", "question": "Who is [Zorblax]?"},
    ]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(lambda: app(["ask", "--input", "q.jsonl", "-g", str(manifest), "-q"], standalone_mode=False)) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["uid"], first["answers"][0]["name"]) == ("a", "Paris")
    assert (second["uid"], "error" in second) == ("b", True)


@pytest.mark.slow
def test_a_run_fetches_what_its_examples_need(manifest: Path, tmp_path: Path) -> None:
    rows = [{"uid": str(i), "question": q, "answers": [a]} for i, (q, a) in enumerate(QUESTIONS.items())]
    (tmp_path / "asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = open_graph(str(manifest), texts=lambda: [("", ("France",))])
    config = ExperimentConfig.from_dict({**CONFIG, "knowledge": {"name": "manifest", "path": str(manifest)}})
    done = run_experiment(config, Options(out=tmp_path / "runs"))
    assert done.metrics["test"]["test"]["hits@1"] >= 0.8  # two languages are as good, and one was given
    assert told.about["source"].startswith("http://127.0.0.1")
    asking = config.with_overrides({"task": {"name": "kgqa", "train": {"generate": 10, "hops": 1}}})
    with pytest.raises(ConfigError, match="needs the whole graph"):
        run_experiment(asking, Options(out=tmp_path / "runs"))

"""Questions over a graph from file to folder to page: everything a run does with sets of entities."""

import json
from pathlib import Path

import numpy as np
import pytest

import kgreason
from kgreason.experiment import record
from kgreason.experiment.ablate import Ablation, run_ablation
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.run import Options, Run, run_experiment
from kgreason.report.ablation import write_report

CHANGES = {
    "task": {"name": "kgqa", "train": ["train.jsonl"], "dev": 0.3, "test": {"films": "test.jsonl"}},
    "knowledge": {"name": "triples", "path": "films.tsv"},
    "ground": {"name": "seeds"},
    "decode": {"name": "transfer", "cycles": 2, "walk": {"returns": True}},
    "answer": {"name": "entity"},
}


@pytest.fixture
def config(world: Path) -> ExperimentConfig:
    """Films, who directed them and when, and questions of one and two hops; one answer is not in the graph."""
    facts = [(f"film {i}", "directed_by", f"person {i // 3}") for i in range(30)]
    facts += [(f"film {i}", "release_year", str(1990 + i % 7)) for i in range(30)]
    (world / "films.tsv").write_text("".join("\t".join(fact) + "\n" for fact in facts))
    rows = []
    for i in range(30):
        others = [f"film {j}" for j in range(30) if j // 3 == i // 3 and j != i]
        kinds = {"hops": 1, "type": "director", "path": ["directed_by"]}
        rows.append({"question": f"who directed [film {i}]", "answers": [f"person {i // 3}"]} | kinds)
        kinds = {"hops": 2, "type": "others", "path": ["directed_by", "^directed_by"]}
        rows.append({"question": f"what else did the director of [film {i}] make", "answers": others} | kinds)
    rows[41]["answers"] = [*rows[41]["answers"], "a film that the graph does not have"]  # type: ignore[misc]
    (world / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:40]))
    (world / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[40:]))
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    return ExperimentConfig.from_dict(tables | CHANGES)


@pytest.fixture
def run(config: ExperimentConfig, told: list[str]) -> Run:
    return run_experiment(config, Options(tell=told.append))


@pytest.fixture
def told() -> list[str]:
    return []


def test_a_run_scores_sets_and_writes_them_down(run: Run, told: list[str]) -> None:
    scores = run.metrics["test"]["films"]
    rows = record.read_lines(run.folder / record.PREDICTIONS)
    assert len(rows) == scores["size"] == 20
    assert np.mean([row["right"] for row in rows]) == pytest.approx(scores["hits@1"], abs=0.25)  # ties are drawn
    assert {"hops.1.hits@1", "hops.2.mrr", "type.others.f1", "hits@1.low"} <= scores.keys()
    assert scores["threshold"] == run.metrics["dev"]["threshold"], "calibrated on dev"
    assert scores["linked"] == 1.0
    assert scores["ceiling.hits@1"] == 1.0
    assert scores["ceiling.exact"] == pytest.approx(19 / 20), "one answer is not in the graph"
    assert scores["exact"] == pytest.approx(1 - sum(v for k, v in scores.items() if k.startswith("failure.")))
    assert {row["hops"] for row in rows} == {"1", "2"}
    assert any("hits@1" in line and "failure.not_reasoned" in line for line in told)


def test_a_run_is_opened_and_asked(run: Run) -> None:
    pipeline = kgreason.load(run.folder)
    found = pipeline("who directed [film 3]")
    assert found.texts == ("who directed film 3",)
    assert found.answer == found.ranking[0][0]
    assert found.answer.startswith(("person", "film", "19"))
    assert [p for _, p in found.ranking] == sorted((p for _, p in found.ranking), reverse=True)
    fields = [{"uid": "a", "question": "who directed film 3", "seeds": ["film 3"]}]
    assert pipeline.predict(fields)[0].ranking == found.ranking


def test_variants_are_compared_by_hits_at_1_and_drawn(config: ExperimentConfig, world: Path) -> None:
    record.write_text(world / "base.toml", record.to_toml(config.as_tables()))
    (world / "a.ablation.toml").write_text(
        'base = "base.toml"\nseeds = [0]\n[variants]\none = { "decode.cycles" = 1 }\n'
    )
    ablation, options = Ablation.from_toml(world / "a.ablation.toml"), Options(out=world / "runs")
    table = run_ablation(ablation, options, lambda *_: None)
    assert {(row.test, row.metric) for row in table} == {("films", "hits@1"), ("films", "mrr"), ("films", "f1")}
    assert table[1].versus is not None
    runs = {(row, 0): run_experiment(ablation.config(row, 0), options) for row in ablation.variants}
    write_report(world / "page.html", ablation, runs, "films")
    page = (world / "page.html").read_text()
    assert "hits@1" in page
    assert "right answer: person" in page or "right answer: film" in page
    assert "director" in page

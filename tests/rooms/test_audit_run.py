"""Whole runs audited: what was planted is found, what is not there is not claimed, and bad input is told."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kgreason.audit import Card, Plan, audit, read_card
from kgreason.audit.faithful import faith
from kgreason.audit.parts import Faith, Leak
from kgreason.audit.subject import Subject
from kgreason.cli.app import app
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.run import Options, Run, run_experiment
from kgreason.explain.walks import Fact

QUICK = Plan(limit=0, budget=600)


def toy(world: Path, **changes: object) -> Run:
    config = ExperimentConfig.from_toml(world / "toy.toml").with_overrides(changes)
    return run_experiment(config, Options(out=world / "runs"))


def rows_of(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def leak(card: Card, kind: str) -> Leak:
    return next(found for found in card.leaks if found.kind == kind)


@pytest.fixture
def planted(world: Path) -> Run:
    """A run that was trained on nothing but entailment, and on near copies and premises of its test."""
    train, test = rows_of(world / "train.jsonl"), rows_of(world / "test.jsonl")
    long = {"premise": "The museum by the river keeps a collection of very old maps.", "label": "entailment"}
    train = [row | {"label": "entailment"} for row in train]
    train.append(long | {"uid": "near", "hypothesis": "Somebody keeps some old maps there."})
    train.append({"uid": "again", "premise": test[0]["premise"], "hypothesis": "It is Monday", "label": "entailment"})
    test.append(long | {"uid": "late", "hypothesis": "Somebody keeps some old mops there.", "label": "neutral"})
    write(world / "train.jsonl", train)
    write(world / "test.jsonl", test)
    return toy(world)


def test_what_was_planted_is_found_and_the_graph_is_not_praised(planted: Run) -> None:
    card = audit(planted.folder, replace(QUICK, train=True))
    assert leak(card, "text seen").seen.count == 0, "whole copies are left out of training"
    near = leak(card, "text nearly seen")
    assert near.seen.count == 1
    assert near.examples[0][0].endswith("mops there.")
    assert near.serious
    premise = leak(card, "premise seen")
    assert premise.seen.count == 3, "two pairs share the premise that was planted, and the near copy has its own"
    assert {b.label: b.given for b in card.biases}["entailment"] == 1.0
    told = " ".join(card.verdict)
    assert "answered too often: 'entailment' (100.0 %" in told
    assert "text nearly seen, 1 of" in told
    assert "better" not in told, "every answer is the same with and without the graph"
    trained = {c.name: c for c in card.controls if c.how == "trained"}
    assert trained.keys() >= {"no-graph", "tails-shuffled"}
    assert all(c.gap.value == 0 for c in trained.values())
    assert card.scores[0].majority < 0.6
    assert not [skip for skip in card.skipped if "defect" in skip.why]
    assert read_card(planted.folder) == card


def test_the_same_run_and_plan_give_the_same_card(planted: Run) -> None:
    first, then = (audit(planted.folder, Plan(limit=6)) for _ in range(2))
    assert replace(first, cost={}) == replace(then, cost={})
    assert all(c.gap.size == 6 for c in first.controls)
    assert all(p.changed.size <= 6 for p in first.probes)
    assert first.scores[0].size == 14 - 1, "what was reached stands as it was, on all examples"


def test_when_the_time_is_spent_the_rest_is_named(planted: Run) -> None:
    card = audit(planted.folder, Plan(limit=2, budget=1e-6))
    assert card.scores
    assert not card.controls
    assert any("the budget of 0 s was spent" in skip.why and "leakage" in skip.part for skip in card.skipped)


def test_a_part_that_breaks_is_named_and_the_rest_is_done(planted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("list.remove(x): x not in list")

    monkeypatch.setattr("kgreason.audit.conduct.leakage", broken)
    monkeypatch.setattr("kgreason.audit.conduct.applying", lambda subject: ([], []))
    card = audit(planted.folder, Plan(limit=6))
    assert any("defect: ValueError: list.remove" in skip.why for skip in card.skipped)
    assert card.probes


def test_a_budget_or_a_limit_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="limit = -1"):
        Plan(limit=-1)


def test_bad_input_is_told_on_one_line(world: Path, planted: Run) -> None:
    for words, message in (
        (["nowhere"], "nowhere"),
        ([str(world)], "is not the folder of a finished run"),
        (["some.ablation.toml"], "an audit is of one run"),
        ([str(planted.folder), "--set", "decode.cycles=1"], "give its file instead"),
        ([str(planted.folder), "--budget", "0"], "budget"),
    ):
        result = CliRunner().invoke(app, ["audit", *words])
        told = result.output + str(result.exception)
        assert result.exit_code != 0
        assert message in told, told
    write(world / "test.jsonl", rows_of(world / "test.jsonl")[1:])
    with pytest.raises(DataError, match="has other examples by now"):
        audit(planted.folder)
    (planted.folder / "metrics.json").unlink()
    with pytest.raises(StoreError, match="not the folder of a finished run"):
        audit(planted.folder)


@pytest.mark.slow
def test_the_command_runs_an_experiment_first_and_prints_its_card(world: Path) -> None:
    words = ["audit", "toy.toml", "--limit", "4", "-q", "--set", "train.epochs=1"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Toy world\n")
    for heading in ("Verdict", "Score", "Controls", "Leakage", "Labels", "Calibration", "Cost", "Not in this card"):
        assert f"\n{heading}\n" in result.stdout
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert told["schema"] == "kgreason-audit-1"
    (folder,) = (world / "runs").iterdir()
    assert told["verdict"] == json.loads((folder / "audit.json").read_text())["verdict"]


WALK = {
    "task": {"name": "kgqa", "train": ["questions.jsonl"], "dev": 0.2, "test": {"t": "more.jsonl"}},
    "knowledge": {"name": "triples", "path": "cities.tsv"},
    "ground": {"name": "seeds"},
    "decode": {"name": "transfer", "cycles": 1},
    "answer": {"name": "entity"},
    "train": {
        "name": "adamw",
        "epochs": 20,
        "batch_size": 8,
        "lr": {"language": 0.0, "other": 0.05},
        "tensorboard": False,
    },
}
HOPS = {"in_country": "country", "on_river": "river", "has_mayor": "mayor"}


@pytest.fixture
def walker(world: Path) -> Run:
    """Cities and what they have, learned; one test question names its answer, one was asked before in other words."""
    facts = [(f"city {i}", relation, f"{end} {i}") for i in range(20) for relation, end in HOPS.items()]
    (world / "cities.tsv").write_text("".join("\t".join(fact) + "\n" for fact in facts))
    for file, part in (("questions.jsonl", range(10)), ("more.jsonl", range(10, 20))):
        rows = [
            {"question": f"which {end} has [city {i}]", "answers": [f"{end} {i}"], "path": [relation]}
            for i in part
            for relation, end in HOPS.items()
        ]
        if file == "more.jsonl":
            rows.append({"question": "what river runs by [city 3]", "answers": ["river 3"], "path": ["on_river"]})
            rows.append({"question": "is river 12 near [city 12]", "answers": ["river 12"], "path": ["on_river"]})
        write(world / file, rows)  # type: ignore[arg-type]
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    return run_experiment(ExperimentConfig.from_dict(tables | WALK), Options(out=world / "runs"))


@pytest.mark.slow
def test_questions_over_a_graph_are_audited(walker: Run) -> None:
    card = audit(walker.folder, QUICK)
    score = card.scores[0]
    assert (score.metric, score.ceiling) == ("hits@1", 1.0)
    assert leak(card, "answer named in the question").seen.count == 1
    assert leak(card, "question seen in other words").seen.count == 1
    assert leak(card, "relation path seen").seen.value == 1
    assert "which river has city 3" in leak(card, "question seen in other words").examples[0][1]
    controls = {c.name: c for c in card.controls}
    assert controls["no-facts"].control == 0
    assert controls["tails-shuffled"].gap.is_told
    assert "the run uses the graph" in card.verdict[0]
    assert "better" not in card.verdict[0], "nothing was trained without it"
    (found,) = card.faith
    assert found.removed.value == 1, "the one fact of the path is all there is"
    assert found.kept.value == 1
    assert found.removed_random.value == 0
    assert found.drop > 0.5
    for part in ("hypothesis-only", "genders swapped", "nationalities swapped"):
        assert any(part in skip.part for skip in card.skipped)
    assert not [skip for skip in card.skipped if "defect" in skip.why]


def test_an_explanation_that_names_other_facts_is_found_out(walker: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject(walker.folder)
    own = subject.front.knowledge

    def wrong(subject: Subject, graph: object, one: object) -> list[Fact]:
        return [Fact(*own.triples[0].tolist())]

    monkeypatch.setattr("kgreason.audit.walking._path", wrong)
    found = faith(subject, "t", subject.sample("t", 10), seed=0)
    assert isinstance(found, Faith)
    assert found.removed.value < 0.2
    assert found.kept.value < 0.2
    assert np.isclose(found.drop, 0, atol=0.1)

"""The composing decoder in questions over a graph: a relation that has no name is composed of two that have one."""

import json
from pathlib import Path

import pytest

import kgreason
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.run import Options, run_experiment

CHANGES = {
    "task": {"name": "kgqa", "train": ["train.jsonl"], "dev": 0.2, "test": {"films": "test.jsonl"}},
    "knowledge": {"name": "triples", "path": "films.tsv"},
    "ground": {"name": "neighbours", "hops": 2, "max_nodes": 64},
    "encode": {
        "name": "fused",
        "dim": 16,
        "language": {"name": "recurrent", "width": 16, "vocabulary": 512},
        "graph": {"name": "none"},
        "fuse": {"name": "none"},
    },
    "decode": {"name": "compose", "cycles": 2, "directions": "both", "latent": 2, "nothing": 1.0},
    "answer": {"name": "entity"},
}
TRAIN = {"epochs": 25, "batch_size": 16, "lr": {"language": 0.02, "other": 0.05}, "patience": 0}


@pytest.mark.slow
def test_questions_of_two_steps_are_answered_by_a_composed_relation(world: Path) -> None:
    facts = [(f"film {i}", "directed_by", f"person {i // 3}") for i in range(36)]
    facts += [(f"person {i}", "born_in", f"town {i % 5}") for i in range(12)]
    (world / "films.tsv").write_text("".join("\t".join(fact) + "\n" for fact in facts))
    rows = []
    for i in range(36):
        rows.append({"question": f"who directed [film {i}]", "answers": [f"person {i // 3}"]})
        rows.append({"question": f"where was the director of [film {i}] born", "answers": [f"town {i // 3 % 5}"]})
    (world / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:48]))
    (world / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[48:]))
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    config = ExperimentConfig.from_dict(tables | CHANGES | {"train": tables["train"] | TRAIN})
    run = run_experiment(config, Options(out=world / "runs"))
    assert run.metrics["test"]["films"]["hits@1"] >= 0.9
    found = kgreason.load(run.folder)("where was the director of [film 35] born")
    assert found.answer == "town 1"
    assert found.path == (("film 35", "directed_by", "person 11"), ("person 11", "born_in", "town 1"))
    assert "born_in ∘ directed_by" in " ".join(cycle.evidence for cycle in found.trace)

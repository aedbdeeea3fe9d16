"""Paths that are known are taught; what needs no training is tested as it is."""

from pathlib import Path
from typing import Any

import pytest
import torch

from kgreason.experiment.build import build_front, build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.run import run_experiment
from kgreason.train import TRAINERS, path_ids, teach

FACTS = [(f"Film {i}", "directed_by", f"Person {i // 3}") for i in range(24)]
FACTS += [(f"Film {i}", "release_year", str(1990 + i % 7)) for i in range(24)]
TASK: dict[str, Any] = {"name": "kgqa", "train": {"generate": 60, "hops": 2}, "dev": 0.2, "test": {"own": "test.jsonl"}}


@pytest.fixture
def config(world: Path) -> ExperimentConfig:
    """A run that asks its own questions of films, and is tested on two of ours."""
    (world / "films.tsv").write_text("".join("\t".join(fact) + "\n" for fact in FACTS))
    rows = ['{"question": "who directed [Film 3]", "answers": ["Person 1"]}']
    rows += ['{"question": "when was [Film 8] released", "answers": ["1991"]}']
    (world / "test.jsonl").write_text("\n".join(rows) + "\n")
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    changes = {"task": TASK, "knowledge": {"name": "triples", "path": "films.tsv"}, "ground": {"name": "seeds"}}
    changes |= {"decode": {"name": "transfer", "cycles": 2}, "answer": {"name": "entity"}}
    return ExperimentConfig.from_dict(tables | changes)


def test_a_graph_asks_itself_and_is_trained_on_that(config: ExperimentConfig) -> None:
    run = run_experiment(config.with_overrides({"train.paths": 1.0, "train.epochs": 1}))
    assert run.metrics["dev"]["size"] > 0
    assert run.metrics["test"]["own"]["size"] == 2


def test_the_loss_of_a_path_is_taught_in_training_alone(config: ExperimentConfig) -> None:
    front = build_front(config)
    split = front.splits().train
    graphs = front.ground(front.parse(split.examples), front.knowledge)
    batch = front.collate(split.examples[:8], graphs[:8])
    reasoner = build_reasoner(config, front)
    torch.manual_seed(0)
    plain = reasoner.train()(batch)[1]
    paths = path_ids([e.uid for e in split.examples], split.path, list(front.knowledge.relations))
    handle = reasoner.register_forward_hook(teach(paths, 2.0))
    torch.manual_seed(0)
    taught = reasoner(batch)[1]
    walk = taught.walk
    assert walk is not None
    want, relation, weight = 0.0, walk.relation.detach(), taught.weight.detach()
    for b, example in enumerate(batch.example.tolist()):
        path = [int(r) for r in paths[example] if r >= 0]
        want -= sum(float(relation[i, b, r].clamp_min(1e-4).log()) for i, r in enumerate(path))
        want -= float(weight[len(path) - 1, b].clamp_min(1e-4).log())
    assert taught.loss is not None
    before = 0.0 if plain.loss is None else float(plain.loss.detach())
    assert float(taught.loss.detach()) - before == pytest.approx(2.0 * want / 8, rel=1e-4)
    tested = reasoner.eval()(batch)[1].loss
    handle.remove()
    assert torch.equal(tested, reasoner(batch)[1].loss)


def test_paths_are_directed_relations() -> None:
    ids = path_ids(["a", "b", "c"], {"a": ["r", "^s"], "c": ["s"]}, ["r", "s"])
    assert ids.tolist() == [[0, 3], [-1, -1], [1, -1]]


def test_nothing_is_trained_by_the_trainer_none(config: ExperimentConfig) -> None:
    assert TRAINERS.build({"name": "none"}).epochs == 0
    tables = {"task": {"name": "kgqa", "train": [], "dev": [], "test": {"own": "test.jsonl"}, "threshold": 0.5}}
    tables |= {"train": {"name": "none"}, "answer": {"name": "entity", "seeds": "last"}}
    run = run_experiment(ExperimentConfig.from_dict(config.as_tables() | tables))
    assert run.metrics["train"]["epochs"] == 0
    assert run.metrics["dev"] == {}
    assert run.metrics["test"]["own"]["size"] == 2
    assert (run.folder / "model.safetensors").is_file()

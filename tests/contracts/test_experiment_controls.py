"""What every control must do: in every task it builds and runs a step, or says why it does not apply."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from kgreason.collate import Loader
from kgreason.experiment.build import build_reasoner
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.controls import CONTROLS, PREFIX, alone, with_controls
from kgreason.experiment.shelf import Shelf
from kgreason.train.loss import loss_of

FILES = Path(__file__).parents[2] / "experiments"
SHIPPED = sorted(p for p in FILES.rglob("*.toml") if "ablation" not in p.name and "search" not in p.name)
LANGUAGE = {"name": "pretrained", "cache_gb": 0}
ENCODE = {"name": "fused", "dim": 16, "language": LANGUAGE}
#: Which controls apply to each toy; what is not here says why not.
GRAPH = ("no-facts", "relations-shuffled", "rewired", "drop-10", "drop-25", "drop-50", "swapped-subgraph")
LABELS = ("words-shuffled", "labels-shuffled", "labels-50", "labels-10", "labels-1")
FITS = {
    "nli": {*GRAPH, *LABELS, "no-graph", "tails-shuffled", "gsc-count", "safe-paths", "mlp", "frozen-gnn", "lm-random"}
    | {"graph-only", "lm-frozen", "no-cycles", "cycles-1", "cycles-2", "cycles-3", "cycles-4", "hypothesis-only"}
    | {"premise-only"},
    "choice": {*GRAPH, *LABELS, "no-graph", "tails-shuffled", "text-blanked", "no-edges", "gsc-count", "safe-paths"}
    | {"mlp", "frozen-gnn", "lm-random", "graph-only", "no-cycles", "cycles-1", "question-only", "choices-only"},
    "kgqa": {*GRAPH, *LABELS, "no-graph", "tails-shuffled", "lm-random", "graph-only", "cycles-1", "entity-only"},
    "relation": {*GRAPH, *LABELS, "no-graph", "text-blanked", "no-edges", "gsc-count", "cycles-1", "question-only"},
}


@pytest.fixture
def toys(world: Path) -> dict[str, ExperimentConfig]:
    """One small experiment of each task, in the folder of the toy world."""
    base = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    for name, rows in _rows().items():
        (world / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tuned = {"language": {**LANGUAGE, "tune": "top", "layers": 1}, "graph": {"name": "rgcn", "layers": 1}}
    gated = {"graph": {"name": "rgat", "layers": 1, "heads": 2}, "fuse": {"name": "soft_attention"}}
    gated["entities"] = {"name": "labels"}
    changed: dict[str, dict[str, Any]] = {
        "nli": {"encode": ENCODE | tuned, "decode": {"name": "edits"}, "answer": {"name": "entailment"}},
        "choice": {"ground": {"name": "between"}, "encode": ENCODE | gated, "answer": {"name": "choice"}},
        "kgqa": {"ground": {"name": "seeds"}, "encode": ENCODE, "decode": {"name": "transfer", "cycles": 2}}
        | {"answer": {"name": "entity"}},
        "relation": {
            "ground": {"name": "stated"},
            "encode": {"name": "nothing", "dim": 20},
            "answer": {"name": "relation"},
        }
        | {"decode": {"name": "compose", "cycles": 2}, "knowledge": {"name": "kinship"}},
    }
    task = {name: {"name": name, "train": [f"{name}.jsonl"], "dev": 0.3} for name in changed}
    task["nli"] = base["task"]
    return {
        name: ExperimentConfig.from_dict(base | tables | {"title": name, "task": task[name]})
        for name, tables in changed.items()
    }


def _rows() -> dict[str, list[dict[str, Any]]]:
    pets = ("cat", "dog", "horse", "car", "bus", "bike")
    kin = [["Al", "father", "Bo"], ["Bo", "sister", "Cy"]]
    return {
        "choice": [
            {"question": f"A {p} is a what {i}?", "choices": ["animal", "vehicle"], "answer": "A"}
            for i, p in enumerate(pets * 2)
        ],
        "kgqa": [{"question": f"what is [{p}] number {i}", "answers": ["animal"]} for i, p in enumerate(pets * 2)],
        "relation": [
            {"query": ["Al", "Cy"], "facts": [*kin, ["Cy", "father", f"D{i}"]], "relation": "aunt"} for i in range(12)
        ],
    }


def step(config: ExperimentConfig, shelf: Shelf) -> None:
    """Ground, encode, decode, answer and go back once, on a few examples of training."""
    torch.manual_seed(0)
    opened = shelf.open(config)
    front, examples = opened.front, opened.splits.train.examples[:6]
    prepared = front.collate.prepare(examples, front.ground(front.parse(examples), front.knowledge))
    reasoner = build_reasoner(config, front).train()
    for batch in Loader(prepared, 6):
        scores, trace = reasoner(batch)
        loss = loss_of(scores, trace, batch)
        assert loss.isfinite()
        if loss.requires_grad:
            loss.backward()


@pytest.mark.parametrize("task", FITS)
def test_every_control_runs_a_step_or_says_why_not(task: str, toys: dict[str, ExperimentConfig]) -> None:
    config, fits = toys[task], set()
    for name, control in CONTROLS.items():
        why = control.fits(config)
        if why:
            assert why.endswith("."), f"{name}: a sentence"
            continue
        fits.add(name)
        step(config.with_overrides(control.overrides(config)), Shelf())
    assert fits == FITS[task]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: str(p.relative_to(FILES)))
def test_the_controls_of_every_file_that_ships_are_experiments_of_their_own(path: Path) -> None:
    ablation = with_controls(alone(ExperimentConfig.from_toml(path)))
    rows = [row for row in ablation.variants if row.startswith(PREFIX)]
    assert len(rows) >= 8
    marks = {ablation.config(row, 0).fingerprint() for row in ablation.variants}
    assert len(marks) == len(ablation.variants)


@pytest.mark.slow
def test_the_controls_of_the_demonstration_run_on_its_own_data() -> None:
    config = ExperimentConfig.from_toml(FILES / "lexical-nli" / "demo.toml").with_overrides({"task.limit": 6})
    ablation = with_controls(alone(config))
    shelf = Shelf()  # as a worker has it: rows that do not differ before the model share what stands before it
    for row in ablation.variants:
        step(ablation.config(row, 0), shelf)

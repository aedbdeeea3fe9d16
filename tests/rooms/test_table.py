"""The table of an ablation, from run folders: intervals, tests, effect sizes, and sentences that claim no more."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgreason.experiment import record
from kgreason.experiment.ablate import Ablation, write_table
from kgreason.experiment.claims import without_graph, wrong_facts
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.run import Run
from kgreason.experiment.table import summarise, to_markdown

LABELS = ("yes", "no")
#: Row to overrides, as an ablation has them.
ROWS: dict[str, dict[str, Any]] = {
    "wordnet": {},
    "no-graph": {"ground.name": "nothing"},
    "shuffled": {"ground": {"name": "perturb", "around": {"name": "align"}, "mode": "tails"}},
}
Runs = dict[tuple[str, int], Run]


def _run(folder: Path, right: np.ndarray, gold: np.ndarray, group: np.ndarray | None = None) -> Run:
    found = np.where(right, gold, 1 - gold)
    rows = [
        {"test": "t", "uid": f"u{i}", "gold": LABELS[g], "answer": LABELS[f], "right": bool(g == f)}
        | {"gold_id": int(g), "answer_id": int(f), "probabilities": [float(f == 0), float(f == 1)]}
        | ({} if group is None else {"group": f"g{group[i]}"})
        for i, (g, f) in enumerate(zip(gold, found, strict=True))
    ]
    accuracy = float(right.mean())
    record.write_lines(folder / record.PREDICTIONS, rows)
    return Run(
        folder, {"test": {"t": {"accuracy": accuracy, "mrr": (1 + accuracy) / 2, "size": len(gold)}}}, fresh=True
    )


@pytest.fixture
def make(tmp_path: Path, world: Path) -> Callable[..., tuple[Ablation, Runs]]:
    """Return the function that makes an ablation whose rows are right on so large a share of 400 items."""

    def made(share: dict[str, float], seeds: int = 3, group: np.ndarray | None = None) -> tuple[Ablation, Runs]:
        rng = np.random.default_rng(0)
        gold, hard = rng.integers(0, 2, 400), rng.random(400)
        base = ExperimentConfig.from_toml(world / "toy.toml")
        rows = {row: ROWS[row] for row in share}
        ablation = Ablation("Facts", base, tuple(range(seeds)), "no-graph", rows)
        runs = {}
        for row, of in share.items():
            for seed in range(seeds):
                right = hard + 0.05 * rng.standard_normal(400) < of
                runs[row, seed] = _run(tmp_path / "runs" / f"{row}-{seed}", right, gold, group)
        return ablation, runs

    return made


def test_every_row_has_its_interval_and_every_difference_all_its_numbers(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    ablation, runs = make({"wordnet": 0.8, "no-graph": 0.7, "shuffled": 0.7})
    table = write_table(ablation, runs, tmp_path / "runs")
    assert [(row.variant, row.metric) for row in table[:3]] == [(row, "accuracy") for row in ROWS]
    for row in table:
        assert row.low is not None
        assert row.high is not None
        assert row.low < row.mean < row.high
    best, none, shuffled = table[:3]
    assert best.versus is not None
    assert best.versus.low < best.mean - none.mean < best.versus.high
    assert (best.verdict, none.verdict, shuffled.verdict) == ("better", "", "unclear")
    assert best.told.startswith("wordnet adds 1")
    assert shuffled.told.startswith("No difference between shuffled and no-graph can be told")
    assert "points could have been seen" in shuffled.told
    assert shuffled.claim.endswith("the gain comes from its facts.")
    assert best.claim == none.claim == ""
    ranks = [row for row in table if row.metric == "mrr"]
    assert ranks[0].versus is not None
    assert ranks[0].versus.value == pytest.approx(best.versus.value / 2)
    text = to_markdown(ablation, table)
    assert f"| t | accuracy | wordnet | {100 * best.mean:.1f} [" in text
    assert f"- {shuffled.claim}" in text
    told = json.loads((tmp_path / "runs" / "facts.ablation.json").read_text())
    assert told["rows"][0]["versus"]["permutation"] == best.versus.permutation
    assert told["rows"][0]["versus"]["detectable"] == best.versus.detectable


def test_if_the_spoilt_graph_gains_as_much_it_is_not_the_facts(make: Callable[..., Any]) -> None:
    ablation, runs = make({"wordnet": 0.8, "no-graph": 0.7, "shuffled": 0.8})
    claim = {row.variant: row.claim for row in summarise(ablation, runs) if row.metric == "accuracy"}["shuffled"]
    assert claim.endswith("the gain may not need its facts.")


def test_examples_of_one_premise_are_drawn_together(make: Callable[..., Any]) -> None:
    share = {"wordnet": 0.8, "no-graph": 0.7}
    grouped = summarise(*make(share, group=np.arange(400) // 8))[0].versus
    alone = summarise(*make(share))[0].versus
    assert grouped is not None
    assert alone is not None
    assert (grouped.items, grouped.units, alone.units) == (400, 50, 400)
    assert grouped.value == alone.value


def test_a_run_that_is_missing_costs_its_row_a_seed_and_no_more(make: Callable[..., Any]) -> None:
    ablation, runs = make({"wordnet": 0.8, "no-graph": 0.7, "shuffled": 0.7})
    del runs["wordnet", 1]
    for seed in range(3):
        del runs["shuffled", seed]
    table = {(row.variant, row.metric): row for row in summarise(ablation, runs)}
    assert len(table["wordnet", "accuracy"].values) == 2
    versus = table["wordnet", "accuracy"].versus
    assert versus is not None
    assert versus.seeds == 2
    assert not [row for row, _ in table if row == "shuffled"]


def test_rows_that_were_tested_on_other_examples_are_not_compared(make: Callable[..., Any], tmp_path: Path) -> None:
    ablation, runs = make({"wordnet": 0.8, "no-graph": 0.7}, seeds=1)
    path = runs["wordnet", 0].folder / record.PREDICTIONS
    record.write_lines(path, [row | {"uid": row["uid"] + "x"} for row in record.read_lines(path)])
    row = summarise(ablation, runs)[0]
    assert row.versus is None
    assert "tested on other examples" in row.told


def test_a_row_tested_on_a_sample_is_compared_on_that_sample(make: Callable[..., Any]) -> None:
    ablation, runs = make({"wordnet": 0.8, "no-graph": 0.7}, seeds=2)
    whole = {row.variant: row for row in summarise(ablation, runs)}
    sample = {f"u{i}" for i in range(0, 400, 4)}
    gaps = []
    for seed in range(2):
        path, other = (runs[row, seed].folder / record.PREDICTIONS for row in ("wordnet", "no-graph"))
        kept = [row for row in record.read_lines(path) if row["uid"] in sample]
        right = {row["uid"]: row["right"] for row in record.read_lines(other)}
        gaps += [int(row["right"]) - int(right[row["uid"]]) for row in kept]
        record.write_lines(path, kept[::-1])
    row = summarise(ablation, runs)[0]
    assert row.versus is not None
    assert whole["wordnet"].versus is not None
    assert (row.versus.items, whole["wordnet"].versus.items) == (100, 400)
    assert row.versus.value == pytest.approx(np.mean(gaps))
    assert row.told.endswith(" Compared on 100 of the 400 examples.")
    assert "Compared on" not in whole["wordnet"].told


def test_an_interval_holds_the_score_where_ties_were_drawn_well(make: Callable[..., Any]) -> None:
    ablation, runs = make({"wordnet": 2.0, "no-graph": 0.7}, seeds=1)  # every drawn answer is right
    runs["wordnet", 0].metrics["test"]["t"]["accuracy"] = 0.998  # and one of them shared the first place
    row = summarise(ablation, runs)[0]
    assert row.low is not None
    assert row.high is not None
    assert row.low <= row.mean == 0.998 <= row.high


def test_one_seed_says_that_it_is_one(make: Callable[..., Any]) -> None:
    row = summarise(*make({"wordnet": 0.85, "no-graph": 0.7}, seeds=1))[0]
    assert row.sd is None
    assert row.told.endswith("One seed: what chance in training does is not in the interval.")


@pytest.mark.parametrize(
    ("changes", "none", "wrong"),
    [
        ({}, False, False),
        ({"ground.name": "nothing"}, True, False),
        ({"ground": {"name": "nothing"}}, True, False),
        ({"ground": {"name": "perturb", "around": {"name": "align"}}}, False, True),
        ({"knowledge": {"name": "perturb", "around": "x", "mode": "rewire"}}, False, True),
        ({"knowledge": {"name": "perturb", "around": "x", "mode": "drop"}}, False, False),
        ({"ground.name": "perturb", "ground.mode": "drop", "ground.around": {"name": "align"}}, False, False),
        ({"decode.name": "pool"}, False, False),
    ],
)
def test_what_a_row_takes_away_is_read_off_its_changes(changes: dict[str, Any], none: bool, wrong: bool) -> None:
    assert (without_graph(changes), wrong_facts(changes)) == (none, wrong)

"""Folds: every example is tested once, what belongs together stays together, and the table over folds."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kgreason.cli.app import app
from kgreason.errors import ConfigError, DataError
from kgreason.experiment.ablate import Ablation, run_row
from kgreason.experiment.build import build_front
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.folds import folded, folds_to_markdown, summarise_folds, write_folds
from kgreason.experiment.run import Options
from kgreason.report import write
from kgreason.statistics import corrected_interval
from kgreason.tasks import Splits

LABELS = ("entailment", "neutral", "contradiction")


@pytest.fixture
def rows(world: Path) -> list[dict[str, str]]:
    """Sixty pairs: three to a premise, two premises to an author, and labels of which one is rare."""
    made = [
        {
            "uid": f"r{i}",
            "premise": f"Cat {i // 3} sits",
            "hypothesis": f"Animal {i} sits",
            "label": LABELS[0 if i % 5 else 2],
            "author": f"a{i // 6}",
        }
        for i in range(60)
    ]
    (world / "small.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    return made


def _splits(world: Path, **folds: object) -> Splits:
    tables = ExperimentConfig.from_toml(world / "toy.toml").as_tables()
    tables["task"] |= {"train": ["small.jsonl"], "dev": 0.2, "test": {}, "folds": folds}
    return build_front(ExperimentConfig.from_dict(tables)).splits()


def _uids(splits: Splits) -> tuple[set[str], set[str], set[str]]:
    parts = (splits.train, splits.dev, splits.test["fold"])
    train, dev, test = ({e.uid.removeprefix("small.jsonl:") for e in part.examples} for part in parts)
    return train, dev, test


@pytest.mark.parametrize(("by", "key"), [("text", "premise"), ("author", "author"), ("none", "uid")])
def test_every_example_is_tested_once_and_groups_are_kept_apart(
    world: Path, rows: list[dict[str, str]], by: str, key: str
) -> None:
    of = {row["uid"]: row[key] for row in rows}
    tested: list[str] = []
    for fold in range(4):
        train, dev, test = _uids(_splits(world, count=4, fold=fold, by=by))
        assert len(train) + len(dev) + len(test) == 60
        assert not {of[u] for u in train | dev} & {of[u] for u in test}
        assert 9 <= len(test) <= 21
        tested += sorted(test)
    assert sorted(tested) == sorted(of)


def test_folds_have_the_labels_in_equal_shares(world: Path, rows: list[dict[str, str]]) -> None:
    label = {row["uid"]: row["label"] for row in rows}
    rare = [Counter(label[u] for u in _uids(_splits(world, count=4, fold=i))[2])[LABELS[2]] for i in range(4)]
    assert sum(rare) == 12
    assert max(rare) - min(rare) <= 2


def test_folds_do_not_depend_on_the_order_of_the_rows_but_on_the_seed(world: Path, rows: list[dict[str, str]]) -> None:
    first = _uids(_splits(world, count=3))
    (world / "small.jsonl").write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    assert _uids(_splits(world, count=3)) == first
    assert _uids(_splits(world, count=3, seed=1)) != first


def test_what_shares_any_of_several_keys_stays_together(world: Path, rows: list[dict[str, str]]) -> None:
    for i, row in enumerate(rows):
        row["city"] = f"c{(i + 3) // 12}"  # joins two authors
    (world / "small.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    of = {row["uid"]: row for row in rows}
    train, dev, test = _uids(_splits(world, count=2, by="city+premise"))
    for key in ("city", "premise"):
        assert not {of[u][key] for u in train | dev} & {of[u][key] for u in test}


@pytest.mark.parametrize(
    ("folds", "error", "message"),
    [
        ({"count": 1}, ConfigError, "count = 1, expected a whole number, at least 2"),
        ({"count": 3, "fold": 3}, ConfigError, "fold = 3, expected a number from 0 to 2"),
        ({"count": 21}, ConfigError, "only 20 groups"),
        ({"cuont": 3}, ConfigError, "Did you mean 'count'"),
        ({"by": "writer"}, DataError, "no field 'writer'. It has: .*author"),
        ({"by": "text+"}, ConfigError, "joined by"),
    ],
)
def test_wrong_folds_are_named(
    world: Path, rows: list[dict[str, str]], folds: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _splits(world, **folds)


def _ablation(world: Path) -> Ablation:
    path = world / "toy.ablation.toml"
    text = 'title = "Toy"\nbase = "toy.toml"\nname = "aligned"\nagainst = "nothing"\n'
    path.write_text(f'{text}[variants]\nnothing = {{ "ground.name" = "nothing" }}\n')
    return Ablation.from_toml(path, {"train.epochs": 1})


@pytest.mark.slow
def test_the_table_over_folds_is_that_of_the_runs_with_a_corrected_interval(world: Path) -> None:
    (world / "test.jsonl").unlink()  # the tests of the file are not read
    ablation = _ablation(world)
    parts = folded(ablation, 3)
    runs = [{(row, 0): run_row(part, row, 0, Options()) for row in part.variants} for part in parts]
    assert len({run.folder for of in runs for run in of.values()}) == 6
    table = write_folds(ablation, runs, world / "runs")
    assert table == summarise_folds(ablation, runs)
    by = {(row.variant, row.metric): row for row in table}
    row = by["aligned", "accuracy"]
    want = [of["aligned", 0].metrics["test"]["fold"]["accuracy"] for of in runs]
    other = [of["nothing", 0].metrics["test"]["fold"]["accuracy"] for of in runs]
    assert row.values == tuple(want)
    gap, half, p = corrected_interval(np.subtract(want, other).tolist(), 0.5)
    assert (row.gap, row.p) == pytest.approx((gap, p))
    assert row.gap_half == pytest.approx(half, rel=0.1)  # the folds are not of one size
    assert by["nothing", "accuracy"].gap is None
    assert ("adds" in row.told) == (gap > half and p < 0.05)
    assert "| accuracy | aligned |" in folds_to_markdown(ablation, 3, table)
    files, missed = write(world / "runs", world / "report.html", "all")  # the runs stand in it once, as folds
    assert not missed
    page, told = files[0].read_text(), (world / "report.md").read_text()
    assert page.count("<h2") == told.count("## Results") == 1
    assert row.told in told
    assert f"| aligned | {100 * row.mean:.1f} %" in told
    assert (world / "report.csv").read_text().count(f",{row.gap!r},") == 1


@pytest.mark.slow
def test_the_command_runs_an_experiment_over_folds(world: Path) -> None:
    arguments = ["ablate", "toy.toml", "--folds", "2", "--jobs", "1", "-q", "--json", "--set", "train.epochs=1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["metric"] for row in rows} >= {"accuracy", "macro_f1"}
    assert all(len(row["values"]) == 2 and row["gap"] is None for row in rows)

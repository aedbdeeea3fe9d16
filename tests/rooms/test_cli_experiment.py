"""The commands check, run, predict and data, on a toy world."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kgreason.cli.app import app
from kgreason.errors import ConfigError, DataError, StoreError

runner = CliRunner()


def call(*arguments: str, stdin: str | None = None) -> Result:
    return runner.invoke(app, list(arguments), input=stdin)


@pytest.fixture
def folder(world: Path) -> str:
    """A finished run."""
    result = call("run", "toy.toml", "--json", "-q")
    assert result.exit_code == 0, result.output
    return str(json.loads(result.stdout)["folder"])


def test_check_says_what_was_built(world: Path) -> None:
    result = call("check", "toy.toml")
    assert result.exit_code == 0, result.output
    assert "ok  toy.toml: nli → surface → triples → align → default → toy_encoder:ToyEncoder" in result.stdout
    told = json.loads(call("check", "toy.toml", "--no-data", "--json", "--set", "decode.name=pool").stdout)
    assert told["choices"]["decode"] == "pool"
    assert "sizes" not in told
    assert not (world / "runs").exists()


def test_run_prints_where_and_what(world: Path) -> None:
    result = call("run", "toy.toml", "--set", "train.epochs=1", "--seed", "3", "--out", "here", "--limit", "10")
    assert result.exit_code == 0, result.output
    folder, line = result.stdout.splitlines()
    assert (world / folder / "metrics.json").is_file()
    assert line.split()[:2] == ["test", "accuracy"]
    config = (world / folder / "config.toml").read_text()
    assert "seed = 3" in config
    assert "limit = 10" in config
    assert "epoch 1" in result.stderr


def test_run_with_variants_prints_a_table(world: Path) -> None:
    (world / "toy.ablation.toml").write_text('base = "toy.toml"\n[variants]\nnone = { "ground.name" = "nothing" }\n')
    result = call("run", "toy.ablation.toml", "--set", "train.epochs=1", "-q")
    assert result.exit_code == 0, result.output
    assert "| test | accuracy | none |" in result.stdout
    assert not result.stderr
    rows = [
        json.loads(line)
        for line in call("run", "toy.ablation.toml", "--set", "train.epochs=1", "--json").stdout.splitlines()
    ]
    assert {row["variant"] for row in rows} == {"base", "none"}
    checked = call("check", "toy.ablation.toml", "--no-data")
    assert checked.stdout.count("ok  toy.ablation.toml") == 2


def test_predict_answers_two_texts(folder: str) -> None:
    result = call("predict", folder, "The old cat is here", "An animal is here", "--trace")
    assert result.exit_code == 0, result.output
    assert result.stdout.split()[0] in ("entailment", "neutral", "contradiction")
    assert "cycle 2" in result.stdout
    told = json.loads(call("predict", folder, "The old cat is here", "An animal is here", "--json").stdout)
    assert told["label"] == told["ranking"][0]["label"]
    assert told["probability"] == told["ranking"][0]["probability"]
    assert sum(row["probability"] for row in told["ranking"]) == pytest.approx(1, abs=1e-5)


LINES = [
    '{"uid": "a", "premise": "The old cat is here", "hypothesis": "An animal is here"}',
    '{"uid": "b", "premise": "", "hypothesis": "An animal is here"}',
    "not json",
    '{"premise": "The old cat is here"}',
    "",
    '{"uid": 7, "premise": "\\u0000 cat \\ud800", "hypothesis": "\\u0645\\u0631\\u062d\\u0628\\u0627 \\ud83d\\ude00"}',
    '{"uid": "a", "premise": "cat", "hypothesis": "cat", "label": "nonsense"}',
    '{"uid": "long", "premise": "' + "cat " * 10_000 + '", "hypothesis": "dog"}',
]


def test_every_line_of_input_gets_a_line_in_order_and_bad_ones_an_error(folder: str, world: Path) -> None:
    (world / "in.jsonl").write_text("\n".join(LINES) + "\n")
    result = call("predict", folder, "--input", "in.jsonl", "--json")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row.get("uid") for row in rows] == ["a", "b", None, None, 7, "a", "long"]
    assert ["error" in row for row in rows] == [False, True, True, True, False, True, False]
    assert "premise is empty" in rows[1]["error"]
    assert "line 3" in rows[2]["error"]
    assert "'hypothesis' is missing" in rows[3]["error"]
    assert "nonsense" in rows[5]["error"]
    piped = call("predict", folder, "--input", "-", stdin="\n".join(LINES))
    assert [json.loads(line).get("label") for line in piped.stdout.splitlines()] == [row.get("label") for row in rows]


def test_an_answer_does_not_depend_on_its_company(folder: str, world: Path) -> None:
    rows = [json.loads(line) for line in (world / "test.jsonl").read_text().splitlines()]
    bare = "".join(json.dumps({k: row[k] for k in ("premise", "hypothesis")}) + "\n" for row in rows)
    together = [json.loads(line) for line in call("predict", folder, "--input", "-", stdin=bare).stdout.splitlines()]
    for row, found in zip(rows[:3], together, strict=False):
        alone = json.loads(call("predict", folder, row["premise"], row["hypothesis"], "--json").stdout)
        assert alone["label"] == found["label"]
        assert alone["probability"] == pytest.approx(found["probability"], abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["run", "none.toml"], ConfigError, "no such file"),
        (["run", "toy.toml", "--set", "decode.cycels=2"], ConfigError, "Did you mean 'cycles'"),
        (["run", "toy.toml", "--set", "decoder.cycles=2"], ConfigError, "Did you mean 'decode'"),
        (["run", "toy.toml", "--set", "decode.cycles"], ConfigError, "expected KEY=VALUE"),
        (["run", "toy.toml", "--set", "task.train=['none.jsonl']"], DataError, "no such file"),
        (["run", "toy.toml", "--device", "cuda:99"], ConfigError, "--device cuda:99 cannot be used"),
        (["run", "toy.toml", "--set", "knowledge.path=none.tsv"], DataError, "none.tsv"),
        (["predict", "none", "a", "b"], StoreError, "not the folder of a run"),
        (["predict", "none"], DataError, "Give either two texts"),
        (["data", "fetch", "snly", "--out", "x"], DataError, "Did you mean 'snli'"),
    ],
)
def test_a_bad_call_is_told_apart(world: Path, arguments: list[str], kind: type[Exception], message: str) -> None:
    result = call(*arguments)
    assert isinstance(result.exception, kind), result.exception
    assert message in str(result.exception)


def test_a_run_that_was_cut_off_says_so(folder: str) -> None:
    weights = Path(folder) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    result = call("predict", folder, "a", "b")
    assert isinstance(result.exception, StoreError)
    weights.unlink()
    assert isinstance(call("predict", folder, "a", "b").exception, StoreError)


def test_data_list_shows_every_manifest() -> None:
    rows = [json.loads(line) for line in call("data", "list", "--json").stdout.splitlines()]
    assert {"snli", "cad", "breaking_nli", "sick", "csqa", "obqa"} <= {row["name"] for row in rows}
    assert "CC BY-SA 4.0" in call("data", "list").stdout

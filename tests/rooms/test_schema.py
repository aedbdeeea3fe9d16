"""The schema for editors fits every experiment that ships, and catches what `check` catches."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgreason.cli.app import app
from kgreason.experiment.schema import ablation_schema, experiment_schema, search_schema

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).parents[2] / "experiments"


@pytest.fixture(scope="module")
def experiment() -> object:
    jsonschema.Draft7Validator.check_schema(experiment_schema())
    return jsonschema.Draft7Validator(experiment_schema())


@pytest.fixture(scope="module")
def ablation() -> object:
    jsonschema.Draft7Validator.check_schema(ablation_schema())
    return jsonschema.Draft7Validator(ablation_schema())


@pytest.fixture(scope="module")
def search() -> object:
    jsonschema.Draft7Validator.check_schema(search_schema())
    return jsonschema.Draft7Validator(search_schema())


def test_it_fits_every_experiment_that_ships(
    experiment: "jsonschema.Draft7Validator",
    ablation: "jsonschema.Draft7Validator",
    search: "jsonschema.Draft7Validator",
) -> None:
    files = sorted(ROOT.rglob("*.toml"))
    assert len(files) > 20
    for path in files:
        of = {"ablation": ablation, "search": search}.get(path.name.split(".")[-2], experiment)
        found = [
            f"{path.name}: {'.'.join(map(str, e.path))}: {e.message[:200]}"
            for e in of.iter_errors(tomllib.loads(path.read_text()))
        ]
        assert not found, found


def test_it_catches_what_is_wrong(
    experiment: "jsonschema.Draft7Validator", ablation: "jsonschema.Draft7Validator"
) -> None:
    good = tomllib.loads((ROOT / "lexical-nli" / "demo.toml").read_text())
    for room, wrong in (
        ("decode", {"name": "cycle", "cycels": 4}),
        ("decode", {"name": "cycle", "cycles": "four"}),
        ("decode", {"name": "cylce"}),
        ("train", {"name": "adamw", "schedule": "cosin"}),
        ("encode", good["encode"] | {"graph": {"name": "rgcn", "layres": 1}}),
        ("knowledge", {"name": "wordnett"}),
        ("decode", {"name": "transfer", "walk": {"retuns": True}}),
    ):
        assert not experiment.is_valid(good | {room: wrong}), wrong
    assert experiment.is_valid(good | {"decode": {"name": "my_module:MyDecoder", "anything": 1}})
    assert not experiment.is_valid(good | {"decoder": {}})
    assert not ablation.is_valid({"base": "x.toml", "variant": {}})
    assert not ablation.is_valid({"seeds": [0]})


def test_it_catches_what_is_wrong_with_a_search(search: "jsonschema.Draft7Validator") -> None:
    good = tomllib.loads((ROOT / "lexical-nli" / "demo.search.toml").read_text())
    for key, wrong in (
        ("search", {"trails": 3}),
        ("search", {"prune": "medain"}),
        ("search", {"trials": "many"}),
        ("space", {}),
        ("space", {"train.lr.other": [1e-4, 1e-2]}),
        ("space", {"train.lr.other": {"lgo": [1e-4, 1e-2]}}),
        ("space", {"train.lr.other": {"log": [1e-4]}}),
        ("space", {"decode.cycles": {"int": [1, 2], "choice": [1, 2]}}),
    ):
        assert not search.is_valid(good | {key: wrong}), wrong
    assert json.loads(CliRunner().invoke(app, ["schema", "--search"]).stdout) == search_schema()


def test_it_says_what_things_are() -> None:
    told = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    (cycle,) = [o for o in told["properties"]["decode"]["anyOf"] if o["properties"]["name"].get("const") == "cycle"]
    assert {"type": "integer", "default": 4}.items() <= cycle["properties"]["cycles"].items()
    assert cycle["properties"]["cycles"]["description"].startswith("How many cycles")
    assert cycle["properties"]["name"]["description"].startswith("Reads the graph")
    told = json.loads(CliRunner().invoke(app, ["schema", "--ablation"]).stdout)
    row = told["properties"]["variants"]["additionalProperties"]["properties"]
    assert {"decode.cycles", "encode.graph.layers", "task.spoil.share", "when"} <= set(row)

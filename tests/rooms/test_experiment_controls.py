"""Controls as rows of an ablation: what they change, where they do not apply, and what they do to a score."""

from pathlib import Path

import pytest

from kgreason.errors import ConfigError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.controls import CONTROLS, PREFIX, alone, fitting, with_controls

ROOT = Path(__file__).parents[2]
FILES, PAGE = ROOT / "experiments", ROOT / "docs" / "controls.md"
BEGIN, END = "<!-- controls: begin -->", "<!-- controls: end -->"


def shipped(name: str) -> ExperimentConfig:
    return ExperimentConfig.from_toml(FILES / name)


def test_every_control_says_what_it_asks_and_why() -> None:
    for name, control in CONTROLS.items():
        assert control.name == name
        assert control.question.endswith("?")
        assert control.why.endswith(".")
        assert control.source
        assert control.train or control.test, f"{name} changes nothing"


def test_an_experiment_alone_becomes_an_ablation_with_a_row_for_each_control_that_fits() -> None:
    config = shipped("snli-small/base.toml")
    ablation = with_controls(alone(config, (0, 1)))
    assert ablation.seeds == (0, 1)
    rows = [row.removeprefix(PREFIX) for row in ablation.variants if row.startswith(PREFIX)]
    assert {"no-graph", "tails-shuffled", "hypothesis-only", "labels-shuffled"} <= set(rows)
    assert rows == [name for name in CONTROLS if name in rows], "in the order of the table"
    assert ablation.config("control:no-graph", 1).ground == {"name": "nothing"}
    assert all(not why or why.endswith(".") for why in fitting(config).values())


def test_what_stands_in_the_table_already_does_not_stand_there_twice() -> None:
    base = alone(shipped("snli-small/base.toml"))
    base.variants["by-hand"] = {"ground.name": "nothing"}
    rows = with_controls(base, ["no-graph", "no-facts"]).variants
    assert list(rows) == ["base", "by-hand", "control:no-facts"]


def test_one_name_works_in_every_task() -> None:
    walked = CONTROLS["tails-shuffled"].overrides(shipped("kgqa/metaqa.toml"))
    assert walked == {"knowledge": {"name": "perturb", "around": "metaqa", "mode": "tails"}}
    grounded = CONTROLS["tails-shuffled"].overrides(shipped("choice/obqa-small.toml"))
    assert grounded["ground"] == {"name": "perturb", "around": {"name": "between"}, "mode": "tails"}


def test_what_does_not_apply_says_so() -> None:
    with pytest.raises(ConfigError, match=r"'hypothesis-only' does not apply.*for the task nli"):
        with_controls(alone(shipped("kgqa/metaqa.toml")), ["hypothesis-only"])
    with pytest.raises(ConfigError, match=r"no control 'no-grap'\. Did you mean 'no-graph'"):
        with_controls(alone(shipped("kgqa/metaqa.toml")), ["no-grap"])
    assert CONTROLS["labels-shuffled"].fits(shipped("natural-logic/zero-shot.toml")) == "nothing is trained here."
    assert CONTROLS["labels-shuffled"].fits(shipped("snli-small/base.toml"), "test") == "it needs training."


def with_table(page: str) -> str:
    """The page with the table of all controls between its marks."""
    rows = [
        f"| `{c.name}` | {c.question} | {c.why} ({c.source}) | {', '.join(f'{when}ed' for when in c.when)} |"
        for c in CONTROLS.values()
    ]
    table = "\n".join(["| name | asks | why | |", "|---|---|---|---|", *rows])
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def test_the_page_has_the_table_of_all_controls() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_table(page), "write it anew with: python tests/rooms/test_experiment_controls.py"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")

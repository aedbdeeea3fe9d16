"""Ablation files: grids, lists, conditions, tests, and every mistake by its name."""

from pathlib import Path

import pytest

from kgreason.errors import ConfigError
from kgreason.experiment.ablate import Ablation
from kgreason.experiment.choices import check_choices, filled
from kgreason.experiment.config import ExperimentConfig, sources_of


def read(world: Path, text: str, overrides: dict[str, object] | None = None) -> Ablation:
    path = world / "x.ablation.toml"
    path.write_text(f'base = "toy.toml"\n{text}')
    return Ablation.from_toml(path, overrides)


def test_a_grid_is_every_combination_but_the_base_itself(world: Path) -> None:
    found = read(world, '[grid]\n"decode.cycles" = [1, 2]\n"ground.name" = { aligned = "align", bare = "nothing" }\n')
    assert list(found.variants) == ["base", "cycles=1, aligned", "cycles=1, bare", "cycles=2, bare"]
    assert "the same experiment as 'base'" in found.skipped["cycles=2, aligned"]
    config = found.config("cycles=1, bare", 3)
    assert (config.decode["cycles"], config.ground["name"], config.seed) == (1, "nothing", 3)


def test_an_axis_may_depend_on_those_before_it(world: Path) -> None:
    text = '[grid]\n"decode.name" = ["cycle", "pool"]\n'
    text += '"decode.cycles" = { each = [1, 4], when = { "decode.name" = "cycle" } }\n'
    assert list(read(world, text).variants) == [
        "base",
        "decode=cycle, cycles=1",
        "decode=cycle, cycles=4",
        "decode=pool",
    ]


def test_axes_of_one_name_are_told_apart(world: Path) -> None:
    text = '[grid]\n"ground.max_senses" = [1, 2]\n"decode.halt" = [{ name = "act" }, { name = "ponder" }]\n'
    rows = list(read(world, text).variants)
    assert rows[1:] == [f"max_senses={n}, halt={h}" for n in (1, 2) for h in ("act", "ponder")]
    text = '[grid]\n"train.lr" = { low = { language = 0.0, other = 1e-4 } }\n"train.warmup" = [0.0, 0.1]\n'
    assert list(read(world, text).variants)[1:] == ["low, warmup=0.0", "low, warmup=0.1"]


def test_a_list_in_a_variant_is_a_row_for_each(world: Path) -> None:
    text = '[variants]\nc = { "decode.cycles" = { each = [1, 3] } }\nd = { "decode.cycles" = { each = { one = 4 } } }'
    assert list(read(world, text).variants) == ["base", "c 1", "c 3", "d one"]


def test_a_row_that_does_not_apply_is_left_out_with_its_reason(world: Path) -> None:
    text = '[variants]\na = { "decode.cycles" = 1, when = { "decode.name" = ["transfer", "cycle"] } }\n'
    text += 'b = { "decode.cycles" = 3, when = { "decode.name" = "transfer", "seed" = 0 } }\n'
    text += 'c = { "ground.min_score" = 0.5, when = { "ground.max_senses" = 8 } }\n'  # a default
    found = read(world, text)
    assert list(found.variants) == ["base", "a", "c"]
    assert found.skipped == {"b": 'it is for decode.name = "transfer", and here it is "cycle"'}
    assert list(read(world, text, {"decode.name": "pool"}).skipped) == ["a", "b"]


def test_rows_of_tests_change_no_weights(world: Path) -> None:
    text = '[variants]\nnone = { "ground.name" = "nothing" }\n[tests]\nat-test = { "ground.name" = "nothing" }\n'
    found = read(world, f"seeds = [0, 1]\n{text}")
    assert list(found.variants) == ["base", "none", "at-test"]
    assert found.trained("at-test") == "base"
    assert found.todo()[:3] == [("base", 0), ("none", 0), ("at-test", 0)]


def test_with_a_base_changed_at_the_command_line_rows_may_fall_together(world: Path) -> None:
    text = '[variants]\na = { "decode.cycles" = 1 }\nb = { "decode.cycles" = 3 }\n'
    assert read(world, text, {"decode.cycles": 1}).skipped == {"a": "it is the same experiment as 'base'"}


def test_the_text_is_kept_with_all_files_under_it(world: Path) -> None:
    (world / "mine.toml").write_text('# why\nbase = "toy.toml"\ntitle = "Mine"\n')
    assert sources_of(world / "mine.toml") == {
        "mine.toml": '# why\nbase = "toy.toml"\ntitle = "Mine"\n',
        "toy.toml": (world / "toy.toml").read_text(),
    }
    assert list(read(world, "# c").sources) == ["x.ablation.toml", "toy.toml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[grid]\n"decode.cycels" = [1, 3]', r"row 'cycels=1': \[decode\] cycle does not take 'cycels'. Did you mean"),
        ('[grid]\n"decode.cycles" = 4', "expected a list of values"),
        ('[grid]\n"decode.cycles" = [4, 4]', "two values of the same name"),
        ('[grid]\n"ground" = [{ name = "link", pos = "any" }]', "has no short name; give it one"),
        ('[grid]\n"decode.cycles" = { each = [1], wen = {} }', "has no 'wen'"),
        (
            '[variants]\na = { "decode.cycles" = [1, 4] }',
            r"is a list, expected a int. For a row of each write { each =",
        ),
        (
            '[variants]\na = { "decode.halt" = { name = "act", csot = 1.0 } }',
            r"\[decode.halt\] act does not take 'csot'",
        ),
        (
            '[variants]\na = { "task.spoil" = { how = "fewer", sahre = 0.1 } }',
            r"spoil has no 'sahre'. Did you mean 'shar",
        ),
        ('[variants]\na = { "train.schedule" = "cosin" }', "'cosin' is not known. Did you mean 'cosine'"),
        ('[variants]\na = { "ground" = { name = "perturb", around = "aling" } }', "Did you mean 'align'"),
        ('[variants]\na = { "ground.max_senses" = 8 }', "same experiment as 'base'"),  # the default, written out
        ('[variants]\na = { "decode.cycles" = 1, "ground.max_senses" = 8 }', "'ground.max_senses' = 8 changes nothing"),
        ('[variants]\na = { "decode.cycles" = 1 }\nb = { "decode.cycles" = 1 }', "'b' is the same experiment as 'a'"),
        ("[variants]\na = 3", "expected a table"),
        ('[variants]\na = { "decode.cycles" = 1, when = 3 }', "when = 3, expected a table"),
        ('[variants]\na = { "decode.cycles" = 1 }\n[tests]\na = { "decode.cycles" = 3 }', "is a row that is trained"),
        (
            'against = "b"\n[variants]\nb = { "decode.cycles" = 1, when = { "decode.name" = "x" } }',
            "It was left out: it is",
        ),
    ],
)
def test_a_mistake_is_named(world: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(world, text)


def test_defaults_are_written_out_at_any_depth(world: Path) -> None:
    config = ExperimentConfig.from_toml(world / "toy.toml").with_overrides(
        {"ground": {"name": "perturb", "around": "align"}, "decode.halt": "act"}
    )
    tables = filled(config)
    around = {"name": "align", "max_senses": 8, "min_score": 0.02, "word_facts": "english"}
    assert tables["ground"]["around"] == around
    assert tables["decode"]["halt"]["cost"] == 0.01
    assert tables["train"]["lr"] == {"language": 2e-5, "other": 1e-3}
    check_choices(config)

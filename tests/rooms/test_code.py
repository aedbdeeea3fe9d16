"""What names the folder of a run: the code that it goes through, and no other; titles not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgreason.experiment import code
from kgreason.experiment.code import code_of
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.folders import folder_of

Edit = Callable[[str, Callable[[str], str]], None]


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """Return a function that edits a module of the package, as far as hashes go."""

    def forget() -> None:
        for cached in (code._closure, code._imports, code._tree, code._module):
            cached.cache_clear()

    def change(module: str, how: Callable[[str], str]) -> None:
        monkeypatch.setitem(code.snapshot(), module, how(code.snapshot()[module]))
        forget()

    yield change
    monkeypatch.undo()
    forget()


def test_an_edit_changes_the_runs_that_go_through_it(world: Path, edit: Edit) -> None:
    cycle = ExperimentConfig.from_toml(world / "toy.toml")
    pool = cycle.with_overrides({"decode.name": "pool"})
    before = code_of(cycle), code_of(pool)
    assert before[0] != before[1]
    edit("kgreason.decode.cycle", lambda text: f"# why\n{text}\n\n# the end\n")
    edit("kgreason.decode.pool", lambda text: text.replace('"""', '"""Said otherwise. ', 1))
    assert (code_of(cycle), code_of(pool)) == before
    edit("kgreason.decode.pool", lambda text: f"{text}\nMORE = 1\n")
    assert code_of(cycle) == before[0]
    assert code_of(pool) != before[1]
    edit("kgreason.segments", lambda text: f"{text}\nMORE = 1\n")
    assert code_of(cycle) != before[0]
    last = code_of(cycle)
    edit("kgreason.experiment.record", lambda text: f"{text}\nMORE = 1\n")  # it keeps books
    assert code_of(cycle) == last
    (world / "toy_encoder.py").write_text((world / "toy_encoder.py").read_text() + "\nMORE = 1\n")  # the user's own
    assert code_of(cycle) != last


def test_a_run_is_found_under_any_title_and_of_other_code_if_asked(world: Path) -> None:
    config, out = ExperimentConfig.from_toml(world / "toy.toml"), world / "runs"
    told: list[str] = []
    folder = folder_of(config, {"a": "1"}, out)
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text("{}")
    renamed = config.with_overrides({"title": "Another title"})
    assert folder_of(renamed, {"a": "1"}, out) == folder
    assert folder_of(renamed.with_seed(1), {"a": "1"}, out).name.startswith("another-title-")
    assert folder_of(config, {"a": "2"}, out) != folder
    old = folder.rename(folder.with_name(folder.name[:-6] + "ffffff"))
    assert folder_of(config, {"a": "1"}, out, tell=told.append) == folder
    assert folder_of(config, {"a": "1"}, out, any_code=True, tell=told.append) == old
    assert "--any-code would take it" in told[0]
    assert "other code" in told[1]

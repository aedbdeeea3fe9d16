"""Components that other packages add: the example of the documentation, installed into an empty folder, runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kgreason.errors import ConfigError
from kgreason.registry import GROUP, Registry, added, added_rooms

EXAMPLE = Path(__file__).parents[2] / "docs" / "plugin-example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built and installed by pip, without the net."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    pip += ["--disable-pip-version-check", "--target", str(folder / "site"), str(folder / "source")]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def site(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(installed))
    return installed


def package(folder: Path, name: str, *points: str) -> None:
    """Lay out the metadata of a package that adds something."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *points]) + "\n")


@pytest.mark.slow
def test_all_three_stand_in_an_experiment(site: Path, world: Path) -> None:
    (world / "recipes.txt").write_text("soup: water, salt\nbread: flour, water, salt\n")
    text = (world / "toy.toml").read_text()
    text = text.replace('name = "triples"\npath = "graph.tsv"', 'name = "recipes"\npath = "recipes.txt"')
    text = text.replace('name = "surface"', 'name = "menu"').replace(
        '"cycle"\ncycles = 2', '"nearest"\ntemperature = 0.5'
    )
    (world / "toy.toml").write_text(text)
    code = "import sys; from kgreason.cli import main; sys.argv[0] = 'kgreason'; main()"
    path = f"{site}:{world}"
    for words in (("check", "toy.toml"), ("run", "toy.toml", "-q", "--set", "train.epochs=1", "--json")):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, env=_environment(path)
        )
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])


def _environment(path: str) -> dict[str, str]:
    import os

    before = os.environ.get("PYTHONPATH", "")
    return os.environ | {"PYTHONPATH": f"{path}:{before}" if before else path}


def test_names_that_are_added_are_choices(site: Path, tmp_path: Path) -> None:
    from kgreason.decode import DECODERS
    from kgreason.knowledge import SOURCES, open_built
    from kgreason.parse import PARSERS

    (tmp_path / "recipes.txt").write_text("soup: water, salt\n")
    table = {"name": "recipes", "path": str(tmp_path / "recipes.txt"), "relation": "contains"}
    assert open_built(table, cache=False).out("soup") == [("contains", "salt"), ("contains", "water")]
    assert "menu" in PARSERS
    assert "menu" in PARSERS.known()
    assert "menu" not in list(PARSERS)  # the table is as it is written
    assert DECODERS.build({"name": "nearest"}, dim=4).temperature == 0.1
    with pytest.raises(ConfigError, match=r"recipes does not take 'relations'\. Did you mean 'relation'"):
        SOURCES.build({"name": "recipes", "path": "x", "relations": "y"})
    with pytest.raises(ConfigError, match="Did you mean 'nearest'"):
        DECODERS.get("nearst")


def test_doctor_lists_what_is_added(site: Path) -> None:
    from kgreason.cli.doctor import examine

    found = {finding.name: finding.detail for finding in examine() if finding.part == "plugins"}
    assert found["knowledge.recipes"] == "kgreason_recipes.source:RecipeSource of kgreason-recipes 0.1.0"


def test_without_it_there_is_nothing(tmp_path: Path) -> None:
    assert "recipes" not in added("knowledge")
    with pytest.raises(ConfigError, match="'recipes' is not a known choice"):
        Registry("knowledge").get("recipes")


def test_nothing_is_imported_before_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "loud.py").write_text("raise RuntimeError('imported')\n")
    package(tmp_path, "loud", "decode.loud = loud:Loud")
    table: Registry[object] = Registry("decode", quiet=dict)
    assert "loud" in table
    assert table.get("quiet") is dict
    with pytest.raises(ConfigError, match=r"the package loud 1.0 could not be imported from 'loud:Loud': imported"):
        table.get("loud")


def test_a_name_of_kgreason_is_not_replaced_and_one_of_two_packages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package(tmp_path, "first", "decode.mine = json:dumps", "decode.quiet = json:dumps", "encode.fuse.mine = json:loads")
    package(tmp_path, "second", "decode.mine = json:loads")
    table: Registry[object] = Registry("decode", quiet=dict)
    assert table.get("quiet") is dict
    with pytest.raises(ConfigError, match=r"added by first 1.0 and second 1.0; write 'module:Class'"):
        table.get("mine")
    assert Registry("encode.fuse").get("mine") is json.loads
    assert {"decode", "encode.fuse"} <= set(added_rooms())


def test_the_page_shows_the_code_that_runs() -> None:
    page = (EXAMPLE.parent / "plugins.md").read_text("utf-8")
    for name in ("source", "decoder"):
        code = (EXAMPLE / "src" / "kgreason_recipes" / f"{name}.py").read_text("utf-8")
        body = code[code.index("    def __init__") :].rstrip()
        assert body in page, f"docs/plugins.md shows another {name}"
    points = (EXAMPLE / "pyproject.toml").read_text("utf-8").partition("[project.entry-points")[2]
    assert points.strip() in page

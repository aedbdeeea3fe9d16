"""The demo runs, its page is whole, and the README's ten lines run on what it leaves behind."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `kgreason demo --quick` has been run."""
    where = tmp_path_factory.mktemp("newcomer")
    command = shutil.which("kgreason", path=str(Path(sys.executable).parent)) or "kgreason"
    done = subprocess.run([command, "demo", "--quick"], cwd=where, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "wordnet" in done.stdout
    assert str(where / "runs" / "demo" / "index.html") in done.stdout.replace("/private", "")
    return where


@pytest.mark.slow
def test_the_example_of_the_readme_runs(folder: Path) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", example], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"(entailment|neutral|contradiction) [01]\.\d\d", lines[0])
    assert lines[1].startswith("cycle 1: ")


@pytest.mark.slow
def test_the_page_of_the_demo_has_tables_plots_and_traces(folder: Path) -> None:
    html = (folder / "runs" / "demo" / "index.html").read_text("utf-8")
    assert html.count("<table") >= 2
    assert html.count('<figure class="kgr-plot">') >= 4
    assert html.count('<div class="kgr"') >= 4
    assert "kgr-clock" in html
    assert not re.search(r"""(?:href|src)=["']?(?!["'#])""", html)


@pytest.mark.slow
def test_the_demo_is_not_run_twice(folder: Path) -> None:
    command = shutil.which("kgreason", path=str(Path(sys.executable).parent)) or "kgreason"
    done = subprocess.run([command, "demo", "--quick"], cwd=folder, check=True, capture_output=True, text=True)
    assert done.stderr.count("Done before") == 2
    assert not list((folder / "runs" / "demo").glob(".*"))

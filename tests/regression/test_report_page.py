"""Reports in a real browser, without a network: they sort, fit the window, load nothing and run nothing of others'."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import kgreason.report
from kgreason.experiment import record
from kgreason.report.beside import to_page
from kgreason.report.compare import compare
from tests.regression.test_pages import FLAGS
from tests.toy_runs import toy_runs

#: Runs in a copy of the page, after its own script; what it finds becomes the title.
PROBE = """
<script>
const root = document.documentElement;
const found = { width: innerWidth, title: document.title, out: [root.scrollWidth - root.clientWidth] };
for (const fold of document.querySelectorAll("details")) fold.open = true;
found.out.push(root.scrollWidth - root.clientWidth);
found.loaded = performance.getEntriesByType("resource").length;
const table = [...document.querySelectorAll(".kgr-table")].find((t) => t.tBodies[0].rows.length > 1);
const column = () => [...table.tBodies[0].rows].map((row) => row.cells[1].dataset.value ?? row.cells[1].textContent);
const button = table.tHead.rows[0].cells[1].querySelector("button");
found.before = column();
button.focus();
found.focused = document.activeElement === button;
for (const way of ["up", "down", "back"]) {
  button.click();
  found[way] = column();
  found[way + "Said"] = table.tHead.rows[0].cells[1].getAttribute("aria-sort");
}
found.unnamed = [...document.querySelectorAll("button, svg")].filter(
  (e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.getAttribute("aria-hidden"))
).length;
document.title = JSON.stringify(found);
</script>
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of a small ablation, and the comparison of its two rows."""
    folder = tmp_path_factory.mktemp("toy")
    runs = toy_runs(folder)
    kgreason.report.write(runs, folder / "report.html")
    (file,) = runs.glob("*.ablation.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        record.write_text(folder / "compare.html", to_page(compare(f"{file}:graph", f"{file}:no-graph", limit=2)))
    return {name: folder / f"{name}.html" for name in ("report", "compare")}


def look(page: Path, width: int) -> tuple[dict[str, object], str]:
    """Open a page in a window of a width; return what the probe found, and what the console said."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs a browser: apt-get install chromium")
    probed = page.with_name(f"{page.stem}-{width}.html")
    probed.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    flags = [*FLAGS, "--enable-logging=stderr", f"--window-size={width},900", f"--user-data-dir={page.parent / 'p'}"]
    run = subprocess.run([browser, *flags, "--dump-dom", probed.as_uri()], check=True, capture_output=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", run.stdout.decode(), re.DOTALL)
    assert title is not None
    text = title[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return json.loads(text), "\n".join(line for line in run.stderr.decode().splitlines() if "CONSOLE" in line)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "width"), [("report", 1200), ("report", 500), ("compare", 500)])
def test_a_browser_shows_the_page_without_an_error(pages: dict[str, Path], name: str, width: int) -> None:
    found, console = look(pages[name], width)
    assert console == ""
    assert found["loaded"] == 0
    assert found["width"] == width
    assert found["out"] == [0, 0], "nothing stands out to the right, folded or not"
    assert found["unnamed"] == 0
    if name == "report":
        assert str(found["title"]).startswith("Toy <script>"), "a script in a title is text"


@pytest.mark.slow
def test_a_click_on_a_heading_sorts_up_then_down_then_as_it_was(pages: dict[str, Path]) -> None:
    found, _ = look(pages["report"], 1200)
    assert found["focused"] is True
    numbers = [float(value) for value in found["before"]]  # type: ignore[attr-defined]
    assert [float(value) for value in found["up"]] == sorted(numbers)  # type: ignore[attr-defined]
    assert [float(value) for value in found["down"]] == sorted(numbers, reverse=True)  # type: ignore[attr-defined]
    assert found["back"] == found["before"]
    assert (found["upSaid"], found["downSaid"], found["backSaid"]) == ("ascending", "descending", None)

"""Pages in a real browser, without a network: what a reader gets is what was meant."""

import re
import shutil
import subprocess

import pytest

from kgreason.data.prediction import Cycle, Look, Prediction
from kgreason.explain import Estimate, Section, bars, page, table, to_html

TEXTS = ("A man plays the guitar <b>.", "A man plays the piano.")
CYCLES = tuple(
    Cycle((Look("guitar", 0.5, (0, 16, 22)),), "neutral", {"neutral": p, "contradiction": 1 - p}, evidence="a —same→ b")
    for p in (0.8, 0.6, 0.2)
)
PREDICTION = Prediction("pair-1", "contradiction", 0.8, (("contradiction", 0.8), ("neutral", 0.2)), TEXTS, (), CYCLES)

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=2000"),
)


@pytest.fixture(scope="module")
def dom(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as Chromium sees it after its script has run."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs a browser: apt-get install chromium")
    folder = tmp_path_factory.mktemp("page")
    shares = {"WordNet": Estimate(0.86, 0.84, 0.88), "no graph": Estimate(0.6, 0.58, 0.62)}
    rows = [[name, share] for name, share in shares.items()]
    sections = [
        Section("Results", table(["variant", "accuracy"], rows) + bars(shares, "accuracy")),
        Section("Traces", to_html(PREDICTION, ("premise", "hypothesis"), style=False)),
        Section("Attack", to_html(Prediction("<script>document.title='run'</script>", "a", 1.0, ()), style=False)),
    ]
    file = folder / "index.html"
    file.write_text(page("Demo", sections), "utf-8")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout.decode()


@pytest.mark.slow
def test_a_browser_shows_the_table_the_plot_and_the_traces(dom: str) -> None:
    assert "<title>Demo</title>" in dom
    assert len(re.findall(r"<tr>", dom)) == 3
    assert "[84.0, 88.0]" in dom
    assert dom.count('class="kgr-cycle"') == 3
    assert "guitar</span> &lt;b&gt;." in dom
    assert '<figure class="kgr-plot">' in dom
    assert "WordNet</text>" in dom


@pytest.mark.slow
def test_the_script_adds_a_slider_over_the_cycles(dom: str) -> None:
    assert dom.count('type="range"') == 1
    assert "all 3 cycles</output>" in dom


@pytest.mark.slow
def test_a_script_inside_a_text_does_not_run(dom: str) -> None:
    assert "<title>run</title>" not in dom
    assert dom.count("<script>") == 1

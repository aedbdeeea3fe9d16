"""Pages, tables, estimates and plots: self-contained, honest about their parts."""

import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.errors import DataError
from kgreason.explain import Estimate, Section, bars, confusion, curves, note, page, paragraph, table

SHARES = {"WordNet": Estimate(0.86, 0.84, 0.88), "no graph": Estimate(0.61, 0.58, 0.64)}


def every_plot() -> list[str]:
    return [
        bars(SHARES, "accuracy", "1,000 pairs"),
        curves({"WordNet": [(0, 0.4), (1, 0.8)], "no graph": [(0, 0.4), (1, math.nan), (2, 0.5)]}, "accuracy", "epoch"),
        confusion(("entailment", "neutral"), [[9, 1], [0, 0]], "answers"),
    ]


def test_a_page_refers_to_nothing_outside_itself() -> None:
    html = page("Title", [Section("Results", table(["variant"], [["x"]])), Section("Plots", "".join(every_plot()))])
    references = re.findall(r"""(?:href|src|url|action|data|poster)\s*[=(]\s*["']?([^"')\s>]+)""", html)
    assert references
    assert all(reference.startswith("#") for reference in references), references
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\s\"'<]+", html)) <= {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }


def test_a_page_leads_to_its_sections_and_escapes_its_titles() -> None:
    html = page("A <b> title", [Section("One & two", paragraph("<i>"), lead="a < b")], lead="\ud800")
    assert "<title>A &lt;b&gt; title</title>" in html
    assert '<a href="#part-0">One &amp; two</a>' in html
    assert 'id="part-0"' in html
    assert "<p>&lt;i&gt;</p>" in html
    html.encode("utf-8")


def test_a_table_writes_numbers_with_their_interval_to_the_right() -> None:
    html = table(
        ["variant", "accuracy", "pairs", "p"], [["graph", SHARES["WordNet"], 12345, 0.0123], ["none", None, 1, 2.0]]
    )
    assert '86.0 % <span class="kgr-interval">[84.0, 88.0]</span>' in html
    assert ">12,345</td>" in html
    assert ">0.0123</td>" in html
    assert html.count('class="kgr-number"') == 9


def test_a_table_with_a_short_row_is_an_error() -> None:
    with pytest.raises(DataError, match="Row 1 of the table has 1 cells, but there are 2 columns"):
        table(["a", "b"], [["x", 1], ["y"]])


@pytest.mark.parametrize("svg", every_plot())
def test_plots_are_well_formed_and_take_the_colours_of_the_page(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    assert root.tag == "figure"
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert "<style" not in svg


def test_the_same_plot_is_the_same_text() -> None:
    assert every_plot() == every_plot()


def test_names_cannot_break_a_plot() -> None:
    for name in ("$x", "<b>&", "a\nb\x00", "\ud800", "x" * 500, "", "_private"):
        ElementTree.fromstring(bars({name: SHARES["WordNet"]}, name))
        ElementTree.fromstring(curves({name: [(0, 1)]}, name, name))
        ElementTree.fromstring(confusion([name], [[1]], name))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: bars({}, "t"),
        lambda: curves({"a": []}, "t", "x"),
        lambda: confusion(["a"], [[1, 2]], "t"),
        lambda: confusion([], [], "t"),
    ],
)
def test_a_plot_of_nothing_is_an_error(draw: object) -> None:
    assert callable(draw)
    with pytest.raises(DataError, match="The plot 't'"):
        draw()


def test_without_matplotlib_the_page_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install &#x27;kgreason[train]&#x27;" in bars(SHARES, "accuracy")


def test_drawing_a_trace_needs_neither_torch_nor_matplotlib() -> None:
    code = "import sys, kgreason.explain; sys.exit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_estimate_lies_in_its_interval(case: tuple[int, int]) -> None:
    right, total = case
    share = Estimate.of_share(right, total)
    assert 0 <= share.low <= share.value <= share.high <= 1
    p, n, z = right / total, total, 1.959964  # the score test's own roots: (p - q)^2 = z^2 q (1 - q) / n
    for q in (share.low, share.high):
        assert abs(p - q) == pytest.approx(z * math.sqrt(max(q * (1 - q), 0) / n), abs=1e-6)


@pytest.mark.parametrize("bad", [(0.5, 0.6, 0.7), (0.5, 0.4, math.nan), (math.inf, 0.0, math.inf)])
def test_an_estimate_out_of_order_is_an_error(bad: tuple[float, float, float]) -> None:
    with pytest.raises(DataError, match="low ≤ value ≤ high"):
        Estimate(*bad)


def test_a_share_of_nothing_is_an_error() -> None:
    with pytest.raises(DataError, match="0 of 0"):
        Estimate.of_share(0, 0)


def test_notes_are_plain_text() -> None:
    assert note("a < b") == '<p class="kgr-note">a &lt; b</p>'

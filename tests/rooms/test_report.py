"""Reports of runs that were really made: what belongs together, the same numbers in every form, and bad folders."""

import csv
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from typer.testing import Result as Called

import kgreason.report
from kgreason.audit.card import Card, as_json
from kgreason.audit.parts import Score
from kgreason.cli.app import app
from kgreason.errors import ConfigError, DataError
from kgreason.experiment import record
from kgreason.experiment.retest import retest
from kgreason.explain import Bin, Estimate, Mark, Quantity, cost, courses, forest, parts, reliability
from kgreason.report.again import retests
from kgreason.report.chapters import write_study
from kgreason.report.compare import KINDS, compare
from kgreason.report.finding import gather
from kgreason.report.result import Answered, Result
from kgreason.report.scores import read_lines
from kgreason.report.tables import Table, to_csv, to_latex
from kgreason.report.writing import to_html
from kgreason.tasks.metrics import calibration_error
from tests.toy_runs import TITLE, toy_runs

HOSTILE = ("<script>x</script>", 'a"b', "$x_1$ & 5 %", "]]>", "\ud800\x00", "", "x" * 300, "=1+1", "a|b\nc")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of an ablation of two variants and two seeds; not to be changed."""
    return toy_runs(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    """A copy of them."""
    return Path(shutil.copytree(made, tmp_path / "runs"))


def call(*arguments: str | Path) -> Called:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def folders(runs: Path) -> list[Path]:
    return sorted(path for path in runs.iterdir() if path.is_dir())


def test_an_ablation_is_one_study_and_no_run_stands_in_it_twice(runs: Path) -> None:
    shutil.copytree(folders(runs)[0], runs / "copied under another name")
    again = folders(runs)[0] / "tests" / "0123"
    again.mkdir(parents=True)
    (again / "config.toml").write_text((folders(runs)[0] / "config.toml").read_text())
    (study,) = gather([runs, runs, runs / "..", *runs.glob("*.ablation.json")])
    assert (study.title, study.against, study.main, study.beside) == (TITLE, "no-graph", "graph", "no-graph")
    assert {name: sorted(of) for name, of in study.variants.items()} == {"graph": [0, 1], "no-graph": [0, 1]}
    (alone,) = gather([runs / "copied under another name"])
    assert (list(alone.variants), alone.against) == (["the run"], "")


def test_runs_without_their_ablation_are_put_together_by_what_they_were_tested_on(runs: Path) -> None:
    for path in runs.glob("*.ablation.*"):
        path.unlink()
    (study,) = gather([runs])
    assert study.title == "Toy world"
    assert {name: sorted(of) for name, of in study.variants.items()} == {"graph": [0, 1], "no-graph": [0, 1]}
    assert study.against == "graph", "what was begun first"
    assert gather([runs], "no-graph")[0].against == "no-graph"
    (alone,) = gather(folders(runs)[:1])
    assert (alone.title, list(alone.variants), alone.against) == ("Toy world: graph", ["the run"], "")


def test_runs_of_different_tasks_are_told_one_after_the_other(runs: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folders(runs)[0], tmp_path / "other")
    config = (other / "config.toml").read_text()
    (other / "config.toml").write_text(config.replace("test.jsonl", "elsewhere.jsonl").replace("Toy world", "Another"))
    (other / "metrics.json").write_text((other / "metrics.json").read_text().replace("Toy world", "Another"))
    titles = [study.title for study in gather([runs, other])]
    assert titles == [TITLE, "Another: graph"]
    files, _ = kgreason.report.write([runs, other], tmp_path / "both.html")
    assert "<title>2 studies</title>" in files[0].read_text()


def test_every_form_has_the_numbers_of_the_runs(runs: Path, tmp_path: Path) -> None:
    files, missed = kgreason.report.write(runs, tmp_path / "report.html", form="all")
    assert [file.name for file in files] == ["report.html", "report.md", "report.tex", "report.csv"]
    html, markdown, latex, table = (file.read_text() for file in files)
    (study,) = gather([runs])
    mean = np.mean([run.tests["test"]["accuracy"] for run in study.variants["graph"].values()])
    lines = list(csv.DictReader(table.splitlines()))
    (score,) = [x for x in lines if (x["table"], x["row"], x["column"]) == ("results: test", "graph", "accuracy")]
    assert float(score["value"]) == mean
    assert float(score["low"]) <= mean <= float(score["high"])
    told = json.loads(next(runs.glob("*.ablation.json")).read_text())["rows"]
    row = next(r for r in told if (r["variant"], r["metric"]) == ("graph", "accuracy"))
    assert (float(score["low"]), float(score["high"])) == (row["low"], row["high"])  # those of `ablate`, groups and all
    shown = f"{100 * mean:.1f} %"
    assert score["text"].startswith(shown)
    assert f'{shown} <span class="kgr-interval">' in html
    assert f"| graph | {shown}" in markdown
    assert f"graph & {shown[:-1]}\\%" in latex
    assert len(missed) == 2, "one expected number is missed with either seed of the base, and variants owe nothing"
    for text in (html, markdown, latex):
        assert "within tolerance" in text
        assert "no-graph, seed 0" in text


def test_titles_and_names_are_escaped_in_every_form(runs: Path, tmp_path: Path) -> None:
    files, _ = kgreason.report.write(runs, tmp_path / "report.html", form="all")
    html, markdown, latex, _ = (file.read_text() for file in files)
    assert html.count("<script>") == 1, "our own"
    assert "&lt;script&gt;document" in html
    assert "<i>" not in html + markdown
    assert r"\textless{}i\textgreater{}" in latex
    assert latex.count(r"\begin{tabular}") == latex.count(r"\toprule") == latex.count(r"\bottomrule") > 5
    assert balanced(html) == []


class _Stack(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} at {self.getpos()}")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass


def balanced(html: str) -> list[str]:
    """Return the tags that close what was not opened last."""
    parser = _Stack()
    parser.feed(html)
    return parser.wrong + parser.open


def test_slices_count_what_stands_in_the_rows(runs: Path) -> None:
    (study,) = gather([runs])
    tables = {table.name: table for chapter in write_study(study).chapters for table in chapter.tables}
    operators = tables["by operator: test"]
    assert [row[:2] for row in operators.rows] == [["every", 12], ["(no operator)", 12]]
    right = [
        [row["right"] for row in run.rows("test") if "every" in row["operators"]]
        for run in study.variants["graph"].values()
    ]
    cell = operators.rows[0][2]
    assert isinstance(cell, Estimate)
    assert cell.value == pytest.approx(np.mean(right))
    assert cell.low <= cell.value <= cell.high
    words = tables["by words in the text: test"].rows
    assert sum(row[1] for row in words if isinstance(row[1], int)) == 24
    matrix = tables["confusion: graph on test"]
    assert sum(n for row in matrix.rows for n in row[1:] if isinstance(n, int)) == 48, "two seeds of 24 examples"
    answered = [Answered.of(run.rows("test")) for run in study.variants["graph"].values()]
    ece = tables["calibration: test"].rows[0][3]
    assert isinstance(ece, Quantity)
    assert ece.value == pytest.approx(np.mean([calibration_error(a.sure, a.right) for a in answered]))


def test_an_old_folder_without_what_slices_need_is_told_of_all_the_same(runs: Path, tmp_path: Path) -> None:
    for folder in folders(runs):
        rows = record.read_lines(folder / "predictions.jsonl")
        kept = ("test", "uid", "gold", "answer", "gold_id", "answer_id", "probability", "category")
        record.write_lines(folder / "predictions.jsonl", [{key: row[key] for key in kept} for row in rows])
        metrics = record.read_json(folder / "metrics.json")
        for key in ("trainable", "energy", "peak_memory_mb", "train"):
            metrics.pop(key, None)
        record.write_json(folder / "metrics.json", metrics)
        (folder / "provenance.json").unlink(missing_ok=True)
    page = to_html([write_study(study) for study in gather([runs])])
    assert "By phenomenon" in page
    assert "By operator" not in page
    assert "Training</h2>" not in page
    (folders(runs)[0] / "predictions.jsonl").unlink()
    page = to_html([write_study(study) for study in gather([runs])])
    assert "no predictions to compare" in page


def test_what_cannot_be_read_is_named_and_the_rest_is_shown(runs: Path, tmp_path: Path) -> None:
    damaged, odd, unfinished, good = folders(runs)
    failed = Path(shutil.copytree(unfinished, runs / "failed"))
    (failed / "metrics.json").unlink()
    record.write_json(failed / "failed.json", {"why": "killed after 3 s", "row": "graph", "seed": 9, "log": []})
    (damaged / "metrics.json").write_text('{"title": ')
    (odd / "metrics.json").write_text('{"title": "x", "test": {"test": {"size": 3}}}')
    (unfinished / "metrics.json").unlink()
    (unfinished / "log.txt").write_text("2026-01-01T00:00:00Z Killed: out of <memory>\n")
    result = call("report", runs, "--out", tmp_path / "r.html", "-q")
    assert result.exit_code == 0, result.output
    html = (tmp_path / "r.html").read_text()
    section = html[html.index("Runs that are not shown</h2>") :]
    assert section.count("<li>") == 4
    assert "failed: it failed: killed after 3 s" in section
    assert "metrics.json is damaged" in section
    assert "has neither accuracy nor hits@1" in section
    assert "The last it said: 2026-01-01T00:00:00Z Killed: out of &lt;memory&gt;" in section
    assert str(good) in html


def test_what_an_ablation_left_out_or_claims_is_told(runs: Path) -> None:
    (file,) = runs.glob("*.ablation.json")
    told = record.read_json(file)
    claim = {"test": "test", "claim": "The gain comes from its facts."}
    record.write_json(file, told | {"skipped": {"control:rewired": "it has <none>."}, "rows": [claim, {}, 3]})
    html = to_html([write_study(study) for study in gather([runs])])
    assert "<p>The gain comes from its facts.</p>" in html
    assert "control:rewired: it has &lt;none&gt;." in html


def test_a_row_tested_on_a_sample_is_compared_on_that_sample(runs: Path) -> None:
    (study,) = gather([runs])
    for run in study.variants["graph"].values():
        rows = record.read_lines(run.folder / record.PREDICTIONS)
        record.write_lines(run.folder / record.PREDICTIONS, rows[::-2])
        sample = {row["uid"] for row in rows[::-2]}
    line = read_lines(study, "test")[0]
    assert line.versus is not None
    assert line.versus.items == len(sample)
    at = [[a.right[[u in sample for u in a.uid]].mean() for a in other.answered] for other in read_lines(study, "test")]
    assert line.versus.value == pytest.approx(np.mean(at[0]) - np.mean(at[1]))
    html = to_html([write_study(study)])
    assert f"Compared on the part of the examples that it was tested on: graph ({len(sample)})." in html


@pytest.mark.parametrize("content", ["{", "[]", '{"title": "t"}', '{"title": "t", "runs": []}', ""])
def test_a_damaged_ablation_file_costs_nothing_but_itself(runs: Path, content: str) -> None:
    (file,) = runs.glob("*.ablation.json")
    file.write_text(content)
    broken, study = gather([runs])
    assert len(study.variants) == 2
    assert broken.problems
    assert str(file) in broken.problems[0]
    with pytest.raises(DataError, match="there is no finished run"):
        gather([file])


def test_nothing_to_report_is_an_error_that_says_what_to_do(tmp_path: Path, runs: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, message in (
        (tmp_path / "empty", "there is no finished run. Make one with: kgreason run FILE"),
        (tmp_path / "nowhere", "there is no such folder or file"),
        (folders(runs)[0] / "config.toml", "is no *.ablation.json or *.folds.json file"),
    ):
        result = call("report", place, "--out", tmp_path / "r.html")
        assert result.exit_code in (1, 2)
        assert message in str(result.exception)
    with pytest.raises(DataError, match=r"no variant 'no-grap'\. Did you mean 'no-graph'"):
        gather([runs], "no-grap")
    with pytest.raises(ConfigError, match="there is no form 'pdf'"):
        kgreason.report.write(runs, tmp_path / "r.pdf", form="pdf")
    assert not list(tmp_path.glob("r.*"))


def test_missed_expectations_can_fail_a_check(runs: Path, tmp_path: Path) -> None:
    result = call("report", runs, "--out", tmp_path / "r.csv", "--check", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["files"] == [str(tmp_path / "r.csv")]
    assert "test.macro_f1" in told["missed"][0]
    assert "expected 2 ± 0.01" in told["missed"][0]


def test_an_audit_is_a_chapter(runs: Path) -> None:
    score = Score("test", "accuracy", 0.5, 0.4, 0.6, 24, 0.5, None, None)
    parts_of = dict.fromkeys(("controls", "leaks", "biases", "shortcuts", "probes", "faith", "calibration"), ())
    card = Card(
        schema="kgreason-audit-1",
        run="r",
        title="t",
        task="nli",
        trained=True,
        seed=0,
        limit=0,
        verdict=("A verdict with <b>.",),
        scores=(score,),
        slices=(),
        cost={},
        skipped=(),
        **parts_of,
    )
    good, bad = folders(runs)[:2]
    record.write_json(good / "audit.json", as_json(card))
    (bad / "audit.json").write_text("{")
    html = to_html([write_study(study) for study in gather([runs])])
    assert "A verdict with &lt;b&gt;." in html
    assert "audit.json is damaged" in html


def test_what_was_tested_again_stands_beside_what_it_was_on_the_same_examples(
    made: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.parent)
    monkeypatch.syspath_prepend(str(made.parent))
    folder = next(runs.glob("toy-world-graph-*"))
    found = retest(folder, {"ground.name": "nothing", "task.limit": 10})
    (study,) = gather([runs])
    table = retests(study)
    assert table is not None
    ((label, changed, test, size, before, after, lost),) = table.rows
    assert str(label).startswith("graph, seed ")
    assert (changed, test, size) == ('ground.name="nothing", task.limit=10', "test", 10)
    uids = {row["uid"] for row in Result.read(found.folder).rows("test")}
    mine = np.mean([row["right"] for row in Result.read(folder).rows("test") if row["uid"] in uids])
    assert isinstance(before, Estimate)
    assert isinstance(after, Estimate)
    assert isinstance(lost, Quantity)
    assert before.value == pytest.approx(mine)
    assert after.value == pytest.approx(found.metrics["test"]["test"]["accuracy"])
    assert lost.value == pytest.approx(before.value - after.value)


def test_two_rows_are_compared_example_by_example(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.parent)
    monkeypatch.syspath_prepend(str(made.parent))
    (file,) = made.glob("*.ablation.json")
    found = compare(f"{file}:graph", f"{file}:no-graph", limit=3)
    (pair,) = found.pairs
    assert pair.both + pair.only_a + pair.only_b + pair.neither == 24
    assert (found.seed_a, found.seed_b, found.notes) == (0, 0, ())
    a, b = ({row["uid"]: row for row in Result.read(f).rows("test")} for f in (found.folder_a, found.folder_b))
    differ = {uid for uid in a if a[uid]["answer"] != b[uid]["answer"]}
    assert sum(pair.differ.values()) == len(differ) > 0
    assert pair.differ["better"] == pair.only_a
    assert pair.differ["worse"] == pair.only_b
    for case in found.cases:
        assert case.uid in differ
        assert (case.gold, case.a, case.b) == (a[case.uid]["gold"], a[case.uid]["answer"], b[case.uid]["answer"])
        assert (case.a == case.gold, case.b == case.gold) == {
            "better": (True, False),
            "worse": (False, True),
            "other": (False, False),
        }[case.kind]
        assert case.example is not None
        assert case.trace_a is not None
        assert case.trace_b is not None
        assert (case.trace_a.answer, case.trace_b.answer) == (case.a, case.b), "asked again, they say the same"
        assert case.trace_a.probability == pytest.approx(case.sure_a, abs=1e-3)
    kind = next(kind for kind in KINDS if pair.differ[kind])
    one = call("compare", f"{file}:graph", f"{file}:no-graph", "--only", kind, "--limit", "1", "--json")
    told = json.loads(one.stdout)
    assert [case["kind"] for case in told["examples"]] == [kind]
    assert told["tests"]["test"]["right"]["both"] == pair.both
    assert told["examples"][0]["a"]["trace"]


def test_compare_needs_neither_weights_nor_data_where_no_trace_is_wanted(runs: Path, tmp_path: Path) -> None:
    (file,) = runs.glob("*.ablation.json")
    for folder in folders(runs):
        (folder / "model.safetensors").unlink()
    pair = f"{file}:graph", f"{file}:no-graph"
    told = call("compare", *pair, "--no-trace", "--limit", "2", "--html", tmp_path / "c.html", "-q")
    assert told.exit_code == 0, told.output
    page = (tmp_path / "c.html").read_text()
    assert balanced(page) == []
    assert "A right" in page
    text = call("compare", *pair, "--limit", "1").output
    assert "could not be asked again" in text
    assert "right answer: " in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, b, f: (a, a), "are the same run"),
        (lambda a, b, f: (a, "nowhere"), "is no folder of a run"),
        (lambda a, b, f: (f"{f}:grap", b), "has no row 'grap'. Rows: graph, no-graph"),
        (lambda a, b, f: (a, b, "--test", "tset"), "do not have the test 'tset'"),
        (lambda a, b, f: (a, b, "--only", "good"), "no kind of difference"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_an_error(made: Path, change: object, message: str) -> None:
    (file,) = made.glob("*.ablation.json")
    first, second = (next(made.glob(f"toy-world-{name}-*")) for name in ("graph", "no-graph"))
    assert callable(change)
    result = call("compare", *change(first, second, file), "--no-trace")
    assert message in str(result.exception)


def every_plot(name: str) -> list[str]:
    mark = Mark(name, 50.0, 40.0, 60.0, "control")
    return [
        forest([mark, Mark("b", 1.0, 1.0, 1.0)], name, name, name, 0.0),
        parts({name: [mark]}, name, name, name, {name: name}),
        reliability([Bin(0.5, 0.4, 3)], name),
        cost([(mark, 3.0), (mark, 4000.0)], name, name, name),
        courses({name: [[1.0, float("nan"), 0.5], [0.7]]}, name, name),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_plots_are_well_formed_whatever_the_names(name: str) -> None:
    for drawn in every_plot(name):
        root = ElementTree.fromstring(drawn)
        assert root.tag == "figure"
        assert not re.search(r"nan|inf\b", re.sub(r"<title>.*?</title>|>[^<]*<", "", drawn))


@settings(max_examples=50)
@given(st.text())
def test_latex_and_csv_hold_any_text(text: str) -> None:
    latex = to_latex(text)
    bare = re.sub(r"\\(?:[{}$&#%_]|text\w+\{\}|ldots\{\})|\$\\?[a-z]*-?\$", "", latex)
    assert not re.search(r"[\\{}$&#%_^~]", bare)
    table = Table("t", ["a", "b"], [[text, text]])
    (line,) = table.cells(text)
    (_, read) = csv.reader(to_csv([line]).splitlines(keepends=True))
    assert read[3] == "b"
    assert not read[0].startswith(("=", "@"))
    assert table.markdown().count("\n") == 5


def test_a_table_with_a_short_row_is_an_error() -> None:
    with pytest.raises(DataError, match="Row 0 of the table 't' has 1 cells for 2 columns"):
        Table("t", ["a", "b"], [["x"]])

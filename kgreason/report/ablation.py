"""An ablation as a page, with a few examples cycle by cycle. Opens offline."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kgreason.data import Example, Prediction
from kgreason.experiment import record
from kgreason.experiment.ablate import Ablation, Row, summarise
from kgreason.experiment.restore import load
from kgreason.experiment.run import Run
from kgreason.explain import Section, escape, to_html
from kgreason.report.chapters import write_study
from kgreason.report.result import Result, Study, is_right
from kgreason.report.writing import to_html as to_page

Runs = Mapping[tuple[str, int], Run]
#: The four cells of the table of right and wrong, and what an example of each is called on the page.
_CELLS = {
    (True, False): "Right with {row}, wrong with {other}",
    (False, True): "Wrong with {row}, right with {other}",
    (True, True): "Right with both",
    (False, False): "Wrong with both",
}


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """An example that is shown cycle by cycle.

    Args:
        heading: Why it was picked.
        example: The example, with its right answer.
        prediction: What the first row of the ablation says to it, now.
        other: What the row it is compared with said.
        category: Of the example, if the data set names one.
    """

    heading: str
    example: Example
    prediction: Prediction
    other: str
    category: str


def write_report(path: Path, ablation: Ablation, runs: Runs, test: str, lead: str = "", shown: int = 2) -> list[Row]:
    """Write the page, at once: what `kgreason report` writes of the runs, and examples cycle by cycle.

    Args:
        path: Where.
        ablation: What was run.
        runs: Every row with every seed.
        test: The test whose examples are shown.
        lead: What the reader should know first, as plain text.
        shown: How many examples of each cell of the table of right and wrong.

    Returns:
        The table, for other uses.

    Raises:
        StoreError: If the page cannot be written or a run cannot be read.
    """
    variants: dict[str, dict[int, Result]] = {row: {} for row in ablation.variants}
    for (row, seed), run in runs.items():
        variants[row][seed] = Result.read(run.folder)
    study = Study(ablation.title, ablation.against, variants)
    drawn = "".join(map(_drawn, pick(ablation, runs, test, shown)))
    cycles = Section("Cycle by cycle", drawn, _how(ablation, test, shown))
    record.write_text(path, to_page([write_study(study)], lead, [cycles]))
    path.chmod(0o644)  # a page is for others, too
    return summarise(ablation, runs)


def pick(ablation: Ablation, runs: Runs, test: str, count: int) -> list[Shown]:
    """Pick examples by rule: the first `count` of each cell of the table of right and wrong, of distinct categories.

    Args:
        ablation: Its first row is compared with `against`, with the first seed.
        runs: Every row with every seed.
        test: The test they are taken from.
        count: How many of each cell.
    """
    row, other, seed = _first(ablation), ablation.against, ablation.seeds[0]
    mine, theirs = (_lines(runs[name, seed], test) for name in (row, other))
    chosen: dict[str, tuple[str, str, str]] = {}
    for cell, heading in _CELLS.items():
        categories: set[str] = set()
        for a, b in zip(mine, theirs, strict=True):
            if (is_right(a), is_right(b)) == cell and len(categories) < count:
                category = _kind(a) or a["uid"]
                if category not in categories:
                    categories.add(category)
                    chosen[a["uid"]] = (heading.format(row=row, other=other), b["answer"], _kind(a))
    pipeline = load(runs[row, seed].folder)
    split = pipeline.task.splits().test[test]
    examples = {example.uid: example for example in split.examples if example.uid in chosen}
    ordered = [examples[uid] for uid in chosen]
    found = pipeline.predict(ordered)
    return [
        Shown(chosen[e.uid][0], e, p, chosen[e.uid][1], chosen[e.uid][2]) for e, p in zip(ordered, found, strict=True)
    ]


def _first(ablation: Ablation) -> str:
    return next(row for row in ablation.variants if row != ablation.against)


def _lines(run: Run, test: str) -> list[dict[str, Any]]:
    return [line for line in record.read_lines(run.folder / record.PREDICTIONS) if line["test"] == test]


def _kind(line: Mapping[str, Any]) -> str:
    """Return what results are broken down by: the phenomenon, else the type of question, else how many hops."""
    return str(next((line[kind] for kind in ("category", "type", "hops") if kind in line), ""))


def _how(ablation: Ablation, test: str, count: int) -> str:
    return (
        f"Examples of {test}, picked by rule and not by taste: the first {count} of each kind, of distinct phenomena, "
        f"in the order of the file. Drawn is '{_first(ablation)}'. Darker words had a larger share of the attention."
    )


def _drawn(shown: Shown) -> str:
    target = shown.example.target
    right = ", ".join(sorted(target)) if isinstance(target, frozenset) else target if isinstance(target, str) else ""
    facts = [f"right answer: {right}"] if right else []
    facts.append(f"the other model says: {shown.other}")
    if shown.category:
        facts.append(f"phenomenon: {shown.category}")
    head = f"<p><b>{escape(shown.heading)}</b><br>{escape('; '.join(facts))}</p>"
    return head + to_html(shown.prediction, shown.example.roles, style=False)

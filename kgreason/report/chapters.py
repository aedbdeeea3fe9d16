"""A study as chapters: tables that every form has, and markup with plots for the page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

from kgreason.explain import cost, escape, forest, paragraph, parts, reliability
from kgreason.report import again, answers, card, origin, scores, slices, training
from kgreason.report.folded import Folded
from kgreason.report.result import Study
from kgreason.report.scores import Line
from kgreason.report.tables import Table


@final
@dataclass(frozen=True, slots=True)
class Chapter:
    """One topic of a study.

    Args:
        heading: Plain text.
        body: Finished markup.
        tables: What of it the other forms have.
        said: Sentences that the other forms have, too.
        lead: A sentence under the heading.
    """

    heading: str
    body: str
    tables: Sequence[Table] = ()
    said: Sequence[str] = ()
    lead: str = ""


@final
@dataclass(frozen=True, slots=True)
class Written:
    """A study with everything that is told of it."""

    study: Study
    chapters: list[Chapter] = field(default_factory=list)


def write_study(study: Study) -> Written:
    """Return everything that is told of a study, in reading order; what there is nothing to say of is left out."""
    if study.folded is not None:
        return Written(study, [_folds(study.folded)])
    if not study.variants:
        return Written(study, [_problems(study)])
    lines = {test: scores.read_lines(study, test) for test in study.tests}
    made = [
        _results(study, lines),
        _controls(study, lines),
        _expected(study),
        _problems(study),
        _training(study),
        _answers(study, lines),
        _slices(study, lines),
        _cost(study, lines),
        _audit(study),
        _origin(study),
    ]
    return Written(study, [chapter for chapter in made if chapter.body])


_Lines = dict[str, list[Line]]


def _plots(drawn: Sequence[str]) -> str:
    return f'<div class="kgr-plots">{"".join(drawn)}</div>' if drawn else ""


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{body}</details>" if body else ""


def _results(study: Study, lines: _Lines) -> Chapter:
    if len(study.variants) == 1:
        return _alone(study, lines)
    body, tables, said = "", [], []
    for test, of in lines.items():
        tables.append(scores.results(study, test, of))
        sentences = scores.sentences(study, test, of)
        said += sentences
        heading = f"<h3>{escape(test)}</h3>" if len(lines) > 1 else ""
        body += heading + "".join(map(paragraph, sentences)) + tables[-1].html()
        metric, gaps = study.metric(test), scores.gaps(study, of)
        base = next((100 * line.score.value for line in of if line.name == study.against), None)
        drawn = [forest(scores.marks(study, of), f"{metric} on {test}", "%", "With 95 % intervals.", base)]
        if gaps:
            title = f"Difference to {study.against} on {test}"
            drawn.append(forest(gaps, title, "points", "Right of the dashed line: better.", 0.0))
        body += _plots(drawn)
    return Chapter("Results", body, tables, said, _lead(study))


def _alone(study: Study, lines: _Lines) -> Chapter:
    """Tell of a study of one variant: its tests beside one another."""
    table = scores.by_test(lines)
    marks = [replace(scores.marks(study, of)[0], name=test) for test, of in lines.items()]
    drawn = forest(marks, "Score", "%", "With 95 % intervals.")
    return Chapter("Results", table.html() + _plots([drawn]), [table], (), _lead(study))


def _folds(folded: Folded) -> Chapter:
    body, tables = "", []
    said = [row.told for row in folded.rows if row.told]
    for metric, rows in folded.by_metric():
        tables.append(folded.table(metric, rows))
        sentences = "".join(paragraph(row.told) for row in rows if row.told)
        body += f"<h3>{escape(metric)}</h3>{sentences}{tables[-1].html()}{_plots(folded.plots(metric, rows))}"
    return Chapter("Results", body, tables, said, folded.lead())


def _lead(study: Study) -> str:
    seeds = sorted({seed for runs in study.variants.values() for seed in runs})
    many = f"{len(study.variants)} variants" if len(study.variants) > 1 else "One variant"
    told = f"{many}, seeds {', '.join(map(str, seeds))}." if len(seeds) > 1 else f"{many}, seed {seeds[0]}."
    one_seed = " With one seed, what chance in training does is not known." if len(seeds) == 1 else ""
    return told + one_seed


def _controls(study: Study, lines: _Lines) -> Chapter:
    tables = [table for table in (scores.controls(study, lines), again.retests(study)) if table is not None]
    lead = "The experiment with one thing taken away or spoilt; what it loses by that is what that thing gave."
    skipped = [f"{name}: {why}" for name, why in study.skipped.items()]
    listed = "".join(f"<li>{escape(told)}</li>" for told in skipped)
    body = "".join(table.html() for table in tables) + (
        _folded("Not run, and why", f"<ul>{listed}</ul>" * bool(listed))
    )
    return Chapter("Controls", body, tables, skipped, lead)


def _expected(study: Study) -> Chapter:
    table = origin.expected(study)
    return Chapter("Expected numbers", table.html(), [table]) if table is not None else Chapter("", "")


def _problems(study: Study) -> Chapter:
    listed = "".join(f"<li>{escape(problem)}</li>" for problem in study.problems)
    lead = "They are in no number of this page."
    return Chapter("Runs that are not shown", f"<ul>{listed}</ul>" if listed else "", (), study.problems, lead)


def _training(study: Study) -> Chapter:
    drawn, table = training.plots(study), training.epochs(study)
    body = _plots(drawn) + ("" if table is None else _folded("Each run", table.html()))
    return Chapter("Training", body, [] if table is None else [table])


def _shown(study: Study, lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.name in (study.main, study.beside)]


def _by_test(blocks: dict[str, str]) -> str:
    """Lay what is told of each test under one another; of several, all but the first are folded."""
    told = {test: block for test, block in blocks.items() if block}
    if len(told) < 2:
        return "".join(told.values())
    opened = [" open"] + [""] * (len(told) - 1)
    return "".join(
        f'<details{state}><summary class="kgr-test">{escape(test)}</summary>{block}</details>'
        for state, (test, block) in zip(opened, told.items(), strict=True)
    )


def _answers(study: Study, lines: _Lines) -> Chapter:
    made = {test: _answered(study, test, of) for test, of in lines.items()}
    body = _by_test({test: block for test, (block, _) in made.items()})
    tables = [table for _, of in made.values() for table in of]
    return Chapter("Answers", body, tables, (), "How sure they are, and what was said instead of what.")


def _answered(study: Study, test: str, lines: Sequence[Line]) -> tuple[str, list[Table]]:
    table = answers.calibration(test, lines)
    tables, drawn, grids = ([] if table is None else [table]), [], ""
    for line in _shown(study, lines):
        if found := answers.bins(line):
            title = f"Reliability of {line.name}"
            drawn.append(reliability(found, title, "Below the dashed line: surer than right. Bars: how many answers."))
    for line in lines:
        matrix = answers.confusion(study, test, line)
        if matrix is not None:
            tables.append(matrix)
            if line in _shown(study, lines):
                grids += f"<div><h3>{escape(line.name)}</h3>{answers.grid(matrix)}</div>"
    beside = f'<div class="kgr-beside">{grids}</div>' if grids else ""
    return _plots(drawn) + ("" if table is None else table.html()) + beside, tables


def _slices(study: Study, lines: _Lines) -> Chapter:
    tables: list[Table] = []
    blocks: dict[str, str] = {}
    for test, of in lines.items():
        drawn, folded = [], ""
        for way, table in slices.slices(study, test, of).items():
            tables.append(table)
            rows, sizes = slices.plotted(study, table, of)
            if rows:
                most = f" The {len(rows)} largest." if len(rows) < len(table.rows) else ""
                drawn.append(parts(rows, f"By {way}", "% right", f"On the right: examples.{most}", sizes))
            folded += _folded(f"By {way}: {'all variants' if len(of) > 1 else 'the numbers'}", table.html())
        blocks[test] = _plots(drawn) + folded
    return Chapter("Slices", _by_test(blocks), tables, (), "The share of right answers on parts of a test.")


def _cost(study: Study, lines: _Lines) -> Chapter:
    test = study.tests[0]
    of = lines[test]
    table = origin.costs(study, of, test)
    drawn = []
    for key, name in origin.COSTS.items():
        points = [
            (mark, price)
            for mark, line in zip(scores.marks(study, of), of, strict=True)
            if (price := _price(line, key)) is not None and price > 0
        ]
        if len(points) > 1 and key in ("seconds", "peak_memory_mb", "trainable"):
            up = f"{study.metric(test)} on {test}, %"
            drawn.append(cost(points, f"Score over {name}", name, up, "Dashed: the best so far."))
    return Chapter("Cost", table.html() + _plots(drawn), [table])


def _price(line: Line, key: str) -> float | None:
    known = [price for run in line.runs if (price := origin.cost_of(run, key)) is not None]
    return sum(known) / len(known) if known else None


def _audit(study: Study) -> Chapter:
    found, problems = card.cards(study)
    body, tables, said = "".join(map(paragraph, problems)), [], list(problems)
    for label, one in found.items():
        of_card = card.tables(label, one)
        tables += of_card
        said += one.verdict
        rest = _folded("The whole card", "".join(f"<h3>{escape(t.name)}</h3>{t.html()}" for t in of_card))
        body += f"<h3>{escape(label)}</h3>" + "".join(map(paragraph, one.verdict)) + rest
    return Chapter("Audit", body, tables, said, "What a sceptical reader would ask: kgreason audit.")


def _origin(study: Study) -> Chapter:
    sums = origin.checksums(study)
    tables = [origin.provenance(study), *([] if sums is None else [sums])]
    body = tables[0].html() + ("" if sums is None else _folded("Checksums", sums.html()))
    commands = origin.repeat(study)
    body += f"<h3>How to repeat</h3><pre>{escape(chr(10).join(commands))}</pre>"
    return Chapter("Where the numbers come from", body, tables, commands)

"""A comparison of two runs as a page, and as JSON."""

import math
from dataclasses import asdict
from typing import Any

from kgreason.explain import Kind as MarkKind
from kgreason.explain import Mark, Quantity, Section, escape, forest, note, page, paragraph, table, to_html
from kgreason.report.answers import matrix
from kgreason.report.compare import Case, Comparison, Kind, Pair
from kgreason.report.scores import Line

HEADING: dict[Kind, str] = {
    "better": "A is right, B is wrong",
    "worse": "B is right, A is wrong",
    "other": "both are wrong, each in its way",
}


def to_page(found: Comparison) -> str:
    """Return a comparison as one page that opens offline."""
    lead = f"A: {found.a}. B: {found.b}."
    sections = [Section("Summary", "".join(_summary(pair) for pair in found.pairs), _seeds(found))]
    if found.notes:
        sections.append(Section("Not done", "".join(map(paragraph, found.notes))))
    for kind, heading in HEADING.items():
        for pair in found.pairs:
            cases = [case for case in found.cases if case.test == pair.test and case.kind == kind]
            if cases:
                shown = f"{len(cases)} of {pair.differ[kind]:,}, those first of which both were surest."
                sections.append(Section(f"{pair.test}: {heading}", "".join(map(_case, cases)), shown))
    sections.append(Section("The two runs", f"<pre>A {escape(found.folder_a)}\nB {escape(found.folder_b)}</pre>"))
    return page(f"{found.a} and {found.b}", sections, lead)


def _seeds(found: Comparison) -> str:
    same = f"seed {found.seed_a}" if found.seed_a == found.seed_b else f"A's seed {found.seed_a}, B's {found.seed_b}"
    return f"Scores over all seeds that both have; the tables of right and wrong, and the examples, of {same}."


def _summary(pair: Pair) -> str:
    metric = "accuracy" if "accuracy" in pair.a.runs[0].tests[pair.test] else "hits@1"
    d = pair.a.versus
    rows: list[list[object]] = [["A", pair.a.score, None], ["B", pair.b.score, None]]
    if d is not None:
        rows[0][2] = Quantity.points(d.value, d.low, d.high)
    scores = table([pair.test, metric, "A − B"], rows, "With 95 % intervals.")
    cells: list[list[object]] = [["A right", pair.both, pair.only_a], ["A wrong", pair.only_b, pair.neither]]
    marks = [_mark("A", pair.a, "main"), _mark("B", pair.b, "against")]
    drawn = forest(marks, f"{metric} on {pair.test}", "%")
    right = matrix(["", "B right", "B wrong"], cells, "How many examples each got right.")
    return paragraph(pair.said) + f'<div class="kgr-plots"><div>{scores}</div>{drawn}<div>{right}</div></div>'


def _mark(name: str, line: Line, kind: MarkKind) -> Mark:
    return Mark(name, 100 * line.score.value, 100 * line.score.low, 100 * line.score.high, kind)


def _case(case: Case) -> str:
    texts = "" if case.trace_a or case.trace_b or case.example is None else "".join(map(paragraph, case.example.texts))
    told = f"<p><b>{escape(case.uid)}</b><br>right answer: {escape(case.gold)}</p>{texts}"
    sides = ((f"A: {case.a}", case.a, case.sure_a, case.trace_a), (f"B: {case.b}", case.b, case.sure_b, case.trace_b))
    drawn = ""
    for heading, answer, sure, trace in sides:
        now = "" if trace is None or trace.answer == answer else f" Now it says {trace.answer}."
        drawn += f"<div>{note(f'{heading}, {told_sure(sure)}.{now}')}"
        drawn += "" if trace is None else to_html(trace, _roles(case, trace.texts), style=False)
        drawn += "</div>"
    return f'{told}<div class="kgr-beside">{drawn}</div>'


def _roles(case: Case, texts: tuple[str, ...]) -> tuple[str, ...]:
    roles = () if case.example is None else case.example.roles
    return roles if len(roles) == len(texts) else ()


def told_sure(share: float) -> str:
    """Return a probability in words."""
    return "no probability written down" if math.isnan(share) else f"{100 * share:.1f} % sure"


def to_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON."""
    told: dict[str, Any] = {
        "a": {"name": found.a, "seed": found.seed_a, "folder": str(found.folder_a)},
        "b": {"name": found.b, "seed": found.seed_b, "folder": str(found.folder_b)},
    }
    told["tests"] = {pair.test: _pair_json(pair) for pair in found.pairs}
    told["examples"] = [_case_json(case) for case in found.cases]
    return told | {"notes": list(found.notes)}


def _pair_json(pair: Pair) -> dict[str, Any]:
    scores = {
        name: {"score": line.score.value, "low": line.score.low, "high": line.score.high, "seeds": list(line.seeds)}
        for name, line in (("a", pair.a), ("b", pair.b))
    }
    table_of = {"both": pair.both, "only_a": pair.only_a, "only_b": pair.only_b, "neither": pair.neither}
    gap = None if pair.a.versus is None else _plain(asdict(pair.a.versus))
    return scores | {"difference": gap, "said": pair.said, "right": table_of, "differ": dict(pair.differ)}


def _case_json(case: Case) -> dict[str, Any]:
    told: dict[str, Any] = {"test": case.test, "uid": case.uid, "kind": case.kind, "gold": case.gold}
    told["texts"] = None if case.example is None else list(case.example.texts)
    for side, answer, sure, trace in (
        ("a", case.a, case.sure_a, case.trace_a),
        ("b", case.b, case.sure_b, case.trace_b),
    ):
        told[side] = {"answer": answer, "probability": None if math.isnan(sure) else sure}
        if trace is not None:
            told[side] |= {"now": trace.answer, "path": [list(fact) for fact in trace.path]}
            told[side]["trace"] = [asdict(cycle) for cycle in trace.trace]
    return told


def _plain(value: Any) -> Any:
    """Replace numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value

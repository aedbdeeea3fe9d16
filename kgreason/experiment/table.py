"""The table of an ablation: every row's scores, and how it differs from the row it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, final, runtime_checkable

from kgreason.experiment.answered import METRICS, Answered, answered, compare, labels_in
from kgreason.experiment.claims import claims
from kgreason.experiment.run import Run
from kgreason.statistics import (
    Compared,
    Difference,
    Outcome,
    Verdict,
    deviation,
    holm,
    interval,
    mean_interval,
    told,
)

Runs = Mapping[tuple[str, int], Run]


@runtime_checkable
class Rows(Protocol):
    """What a table is made of: an ablation, or anything else with rows and seeds."""

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def seeds(self) -> tuple[int, ...]:
        """What every row was run with."""
        ...

    @property
    def against(self) -> str:
        """The row that the others are compared with."""
        ...

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """Row to what it changes; the one that changes nothing comes first."""
        ...

    @property
    def tests(self) -> frozenset[str]:
        """The rows that are not trained, but tested with the weights of the first."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a variant on one test, in one metric.

    Args:
        variant: The row's name.
        test: The test's.
        metric: What is measured.
        values: One per seed.
        mean: Of the values.
        half: Half the width of the mean's 95 % interval over seeds, for these examples; NaN for one seed.
        versus: How it differs from the row it is compared with, on the examples of both; None for that row, and for
            one that has other examples.
        p_holm: The bootstrap's p of the difference, corrected for how many rows are compared.
        low: Lower end of the 95 % interval over examples and seeds.
        high: Upper end.
        sd: Standard deviation over seeds; None for one seed.
        verdict: `better` or `worse` only if the numbers bear it, else `unclear`; empty where nothing is compared.
        told: The same in a sentence.
        claim: For a row with wrong facts: whether the gain of the graph comes from its facts, in a sentence.
    """

    variant: str
    test: str
    metric: str
    values: tuple[float, ...]
    mean: float
    half: float
    versus: Difference | None
    p_holm: float | None
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    verdict: Verdict | str = ""
    told: str = ""
    claim: str = ""


def summarise(ablation: Rows, runs: Runs) -> list[Row]:
    """Return the table: each row's scores with intervals, and each row against the one it is compared with.

    A run that is missing is passed over: its row has fewer seeds, or is not there. Rows are compared over the seeds
    that both have.

    Args:
        ablation: What was run.
        runs: By row and seed.
    """
    found: list[Row] = []
    seeds = {row: tuple(s for s in ablation.seeds if (row, s) in runs) for row in ablation.variants}
    tests = list(dict.fromkeys(test for run in runs.values() for test in run.metrics["test"]))
    for test in tests:
        rows = {row: answered({s: runs[row, s] for s in of}, test) for row, of in seeds.items()}
        there = {row: of for row, of in rows.items() if of is not None}
        trained = {row: changes for row, changes in ablation.variants.items() if row not in ablation.tests}
        claimed = claims(trained, there)
        for metric in (m for m in METRICS if any(m in of.scores[0] for of in there.values())):
            found += _of_metric(ablation, there, test, metric, claimed)
            claimed = {}  # of the first metric, which counts most
    return found


def _of_metric(
    ablation: Rows, there: Mapping[str, Answered], test: str, metric: str, claimed: Mapping[str, str]
) -> list[Row]:
    having = {row: of for row, of in there.items() if metric in of.scores[0]}
    labels, against = labels_in(having.values()), having.get(ablation.against)
    versus = {}
    for row, of in having.items():
        if against is not None and row != ablation.against:
            versus[row] = compare(of, against, metric, labels)
    known = {row: d for row, d in versus.items() if d is not None}
    corrected = dict(zip(known, holm([d.p for d in known.values()]), strict=True))
    compared = {row: Compared(row, ablation.against, metric, d, corrected[row]) for row, d in known.items()}
    other = f"{ablation.against} was tested on other examples; the two cannot be compared."
    out = []
    for row, of in having.items():
        values = tuple(scores[metric] for scores in of.scores)
        outcome = of.outcome(metric)
        low, high = _ends(outcome, metric, labels)
        said = told(compared[row]) + _on(known[row], having) if row in compared else other * (row in versus)
        mean, half = mean_interval(values)
        if low is not None and high is not None:  # of entities that tie, one was drawn for the rows; the score shares
            low, high = min(low, mean), max(high, mean)
        line = Row(row, test, metric, values, mean, half, known.get(row), corrected.get(row), low, high)
        out.append(_with(line, compared.get(row), said, claimed.get(row, "")))
    return out


def _on(difference: Difference, rows: Mapping[str, Answered]) -> str:
    """Say on how many examples a row was compared if these are not all."""
    most = max(len(of.uids) for of in rows.values())
    return f" Compared on {difference.items:,} of the {most:,} examples." if difference.items < most else ""


def _with(row: Row, compared: Compared | None, said: str, claim: str) -> Row:
    sd = deviation(row.values) if len(row.values) > 1 else None
    return replace(row, sd=sd, verdict=compared.verdict if compared else "", told=said, claim=claim)


def _ends(outcome: Outcome | None, metric: str, labels: int) -> tuple[float | None, float | None]:
    if outcome is None:
        return None, None
    found = interval(outcome, METRICS[metric], labels)
    return found.low, found.high


def to_markdown(ablation: Rows, table: Sequence[Row]) -> str:
    """Return the table as Markdown, percentages with one decimal, and below it what it says in sentences."""
    seeds = len(ablation.seeds)
    many = f"{seeds} seeds" if seeds > 1 else "1 seed"
    lines = [f"# {ablation.title}", "", f"{many}; 95 % intervals over examples and seeds (hierarchical bootstrap).", ""]
    lines += [
        f"Differences are to *{ablation.against}*: p of the same bootstrap after Holm; of the permutation test over"
    ]
    lines += [
        "examples; of McNemar's exact test, the largest of any seed. Wins: examples (of all seeds) that the variant"
    ]
    lines += [
        "alone has right, to those that the other alone has. ASO: almost stochastic order over seeds, 0 is always"
    ]
    lines += ["above, 1 never. Detectable: what this test would have found with probability 0.8.", ""]
    names = ["test", "metric", "variant", "value", "sd", "difference", "p", "permutation", "McNemar", "wins", "ASO"]
    lines += [f"| {' | '.join([*names, 'detectable'])} |", f"|{'---|' * (len(names) + 1)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in table]
    first: dict[str, str] = {}  # of the metric that counts most; the others are in the table and the JSON
    counted = [row for row in table if first.setdefault(row.test, row.metric) == row.metric]
    of = {test: f"{test}: " if len(first) > 1 else "" for test in first}
    sentences = [f"{of[row.test]}{text}" for row in counted for text in (row.told, row.claim) if text]
    return "\n".join([*lines, *([""] if sentences else []), *(f"- {text}" for text in sentences)]) + "\n"


def _cells(row: Row) -> list[str]:
    ends = f" [{100 * row.low:.1f}, {100 * row.high:.1f}]" if row.low is not None and row.high is not None else ""
    first = [row.test, row.metric, row.variant, f"{100 * row.mean:.1f}{ends}"]
    first.append("–" if row.sd is None else f"{100 * row.sd:.1f}")
    d = row.versus
    if d is None or row.p_holm is None:
        return first + ["–"] * 7
    gap = f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    order = "–" if d.order is None else f"{d.order:.2f}"
    tests = [f"{row.p_holm:.2g}", f"{d.permutation:.2g}", f"{d.mcnemar:.2g}"]
    return [*first, gap, *tests, f"{d.wins}:{d.losses}", order, f"{100 * d.detectable:.1f}"]

"""Two runs beside each other: scores, the 2 × 2 table, and the examples on which they differ, with both traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final

from kgreason.data import Example, Prediction
from kgreason.errors import ConfigError, DataError, KgreasonError
from kgreason.experiment.restore import load
from kgreason.report.finding import ABLATION, gather, shared
from kgreason.report.result import Result, Study, is_right, sureness
from kgreason.report.scores import Line, read_lines, sentences

#: What a difference is: A right and B wrong; the other way round; both wrong, each in its way.
Kind = Literal["better", "worse", "other"]
KINDS: tuple[Kind, ...] = ("better", "worse", "other")


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs on one test.

    Args:
        test: What it is called.
        a: The first, with its difference to the second.
        b: The second.
        said: What the difference says, in a sentence.
        both: How many examples both got right, with the seed whose examples are shown.
        only_a: How many the first alone.
        only_b: How many the second alone.
        neither: How many neither.
        differ: How many were answered differently, of each kind.
    """

    test: str
    a: Line
    b: Line
    said: str
    both: int
    only_a: int
    only_b: int
    neither: int
    differ: Mapping[Kind, int]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An example that the two answered differently.

    Args:
        test: In which test it stands.
        uid: Its name.
        kind: Who is right.
        gold: The right answer, or answers.
        a, b: What was answered.
        sure_a, sure_b: The probability of that; NaN if it was not written down.
        example: Its texts; None if they were not asked for.
        trace_a, trace_b: What the two say now, cycle by cycle; None if they were not asked.
    """

    test: str
    uid: str
    kind: Kind
    gold: str
    a: str
    b: str
    sure_a: float
    sure_b: float
    example: Example | None = None
    trace_a: Prediction | None = None
    trace_b: Prediction | None = None


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """What there is to say of two runs.

    Args:
        a, b: What they are called.
        seed_a, seed_b: The seeds whose examples are shown.
        folder_a, folder_b: The folders of these runs.
        pairs: One for each test that both have.
        cases: Examples, at most as many of each kind and test as was asked for.
        notes: What could not be done, and why.
    """

    a: str
    b: str
    seed_a: int
    seed_b: int
    folder_a: Path
    folder_b: Path
    pairs: tuple[Pair, ...]
    cases: tuple[Case, ...]
    notes: tuple[str, ...]


def compare(
    a: str | Path, b: str | Path, *, only: str = "", limit: int = 10, test: str = "", trace: bool = True
) -> Comparison:
    """Compare two runs, or two rows of ablations, and find the examples on which they differ.

    Scores are compared over all seeds that both have; two single runs are compared as they are, whatever their seeds.
    Examples are those of the first of these seeds, those of which both were surest first.

    Args:
        a: The folder of a run, or `RESULTS.ablation.json:ROW`.
        b: What it is compared with.
        only: `better` (A right, B wrong), `worse` (the other way round), `other` (both wrong, differently), or all.
        limit: At most so many examples of each kind and test.
        test: One test; all that both have if not said.
        trace: Whether both are loaded and asked again, for the texts and the traces.

    Raises:
        ConfigError: If there is no such kind, test or row.
        DataError: If a folder holds no finished run, or the two have no test in common.
    """
    if only and only not in KINDS:
        raise ConfigError(f"only = '{only}' is no kind of difference. Known: {', '.join(KINDS)}.")
    study, chosen = _study(a, b)
    name_a, name_b = study.variants
    (seed_a, run_a), (seed_b, run_b) = chosen
    tests = [name for name in run_a.tests if name in run_b.tests and name == (test or name)]
    if not tests:
        wanted = f"the test '{test}'" if test else "a test in common"
        raise ConfigError(f"A and B do not have {wanted}. A: {', '.join(run_a.tests)}; B: {', '.join(run_b.tests)}.")
    pairs, cases = [], []
    for name in tests:
        both = _beside(run_a.rows(name), run_b.rows(name), name)
        found = [_case(name, *rows) for rows in both if rows[0].get("answer") != rows[1].get("answer")]
        pairs.append(_pair(study, name, both, found))
        for kind in KINDS if not only else (kind for kind in KINDS if kind == only):
            of_kind = sorted((case for case in found if case.kind == kind), key=_surest)
            cases += of_kind[:limit]
    notes: list[str] = []
    if trace and cases:
        cases, notes = _asked_again(cases, run_a, run_b)
    folders = (run_a.folder, run_b.folder)
    return Comparison(name_a, name_b, seed_a, seed_b, *folders, tuple(pairs), tuple(cases), tuple(notes))


def _study(a: str | Path, b: str | Path) -> tuple[Study, tuple[tuple[int, Result], tuple[int, Result]]]:
    """Return the two as a study of two variants, and of each the run whose examples are shown."""
    (label_a, runs_a), (label_b, runs_b) = _runs(a), _runs(b)
    if {r.folder.resolve() for r in runs_a.values()} == {r.folder.resolve() for r in runs_b.values()}:
        raise DataError(f"{a} and {b} are the same run. Name two different ones.")
    common = shared([label_a, label_b])
    label_a, label_b = label_a.removeprefix(common), label_b.removeprefix(common)
    if label_a == label_b:
        folders = [next(iter(runs.values())).folder.name for runs in (runs_a, runs_b)]
        label_a, label_b = folders if folders[0] != folders[1] else (str(a), str(b))
    shown = [(seed, runs_a[seed]) for seed in sorted(runs_a) if seed in runs_b]
    if shown:
        runs_a, runs_b = ({seed: runs[seed] for seed, _ in shown} for runs in (runs_a, runs_b))
        seed = shown[0][0]
        chosen = (seed, runs_a[seed]), (seed, runs_b[seed])
    elif len(runs_a) == len(runs_b) == 1:
        (one,), (two,) = runs_a.items(), runs_b.items()
        chosen, runs_a, runs_b = (one, two), {0: one[1]}, {0: two[1]}  # as if of one seed: there is nothing else
    else:
        raise DataError(f"{a} and {b} have no seed in common: {sorted(runs_a)} and {sorted(runs_b)}.")
    return Study(f"{label_a} and {label_b}", label_b, {label_a: runs_a, label_b: runs_b}), chosen


def _runs(place: str | Path) -> tuple[str, dict[int, Result]]:
    file, colon, row = str(place).rpartition(f"{ABLATION}:")
    if not colon:
        run = Result.read(Path(place)) if Path(place).is_dir() else None
        if run is None:
            raise DataError(f"{place} is no folder of a run. Give one, or RESULTS{ABLATION}:ROW.")
        return run.title, {run.seed: run}
    (study,) = gather([f"{file}{ABLATION}"])
    if row not in study.variants:
        raise ConfigError(f"{file}{ABLATION} has no row '{row}'. Rows: {', '.join(study.variants)}.")
    return row, dict(study.variants[row])


_Rows = tuple[Mapping[str, Any], Mapping[str, Any]]


def _beside(mine: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], test: str) -> list[_Rows]:
    """Return the rows of the two by example."""
    other = {row.get("uid"): row for row in theirs}
    both = [(row, other[row.get("uid")]) for row in mine if row.get("uid") in other]
    if not both:
        raise DataError(f"A and B answered no example of the test '{test}' both; its data were changed between them.")
    return both


def _case(test: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Case:
    right = is_right(mine), is_right(theirs)
    kind: Kind = "better" if right == (True, False) else "worse" if right == (False, True) else "other"
    gold = mine.get("gold", "")
    told = ", ".join(map(str, gold)) if isinstance(gold, list) else str(gold)
    answers = str(mine.get("answer", "")), str(theirs.get("answer", ""))
    return Case(test, str(mine.get("uid", "")), kind, told, *answers, sureness(mine), sureness(theirs))


def _surest(case: Case) -> tuple[float, str]:
    """Order cases by how sure the less sure of the two is: what is no toss of a coin comes first."""
    sure = min(case.sure_a, case.sure_b)
    return (-sure if sure == sure else 0.0, case.uid)


def _pair(study: Study, test: str, both: Sequence[_Rows], found: Sequence[Case]) -> Pair:
    a, b = read_lines(study, test)
    said = " ".join(sentences(study, test, [a, b])) or a.why
    cells = [(is_right(mine), is_right(theirs)) for mine, theirs in both]
    differ = {kind: sum(case.kind == kind for case in found) for kind in KINDS}
    both_right, neither = cells.count((True, True)), cells.count((False, False))
    return Pair(test, a, b, said, both_right, cells.count((True, False)), cells.count((False, True)), neither, differ)


def _asked_again(cases: list[Case], run_a: Result, run_b: Result) -> tuple[list[Case], list[str]]:
    """Return the cases with texts and traces; where a run cannot be loaded or its data are gone, without."""
    notes: list[str] = []
    examples: dict[tuple[str, str], Example] = {}
    traces: list[dict[tuple[str, str], Prediction]] = []
    for name, run in (("A", run_a), ("B", run_b)):
        try:
            pipeline = load(run.folder)
            splits = pipeline.task.splits().test
            wanted = {(case.test, case.uid): None for case in cases}
            mine = {(t, e.uid): e for t, split in splits.items() for e in split.examples if (t, e.uid) in wanted}
            found = pipeline.predict(list(mine.values()))
        except (KgreasonError, OSError) as error:
            notes.append(f"{name} could not be asked again: {error}")
            traces.append({})
            continue
        examples |= mine
        traces.append(dict(zip(mine, found, strict=True)))
    return [_with(case, examples, traces) for case in cases], notes


def _with(case: Case, examples: Mapping[Any, Example], traces: Sequence[Mapping[Any, Prediction]]) -> Case:
    key = (case.test, case.uid)
    mine, theirs = (of.get(key) for of in traces)
    return replace(case, example=examples.get(key), trace_a=mine, trace_b=theirs)

"""Finds runs in folders, and puts together what is compared."""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kgreason.errors import DataError, StoreError, near
from kgreason.experiment import record
from kgreason.experiment.retest import TESTS
from kgreason.experiment.sweep import FAILED
from kgreason.report.folded import FOLDS, Folded
from kgreason.report.result import Result, Study

#: How an ablation's file of results ends.
ABLATION = ".ablation.json"
_RESULTS = (ABLATION, FOLDS)
#: Folders in folders are looked into so deep.
_DEEP = 4


def gather(places: Iterable[str | Path], against: str = "") -> list[Study]:
    """Find the runs in some places and put together what is compared.

    An ablation's `*.ablation.json` says which runs are its rows, and a `*.folds.json` what it came to over folds. All
    other runs are put together by task and tests: those that differ in nothing but the seed are one variant, called by
    their title. What cannot be read becomes a problem of its study, or of a study without runs.

    Args:
        places: Run folders, folders of runs (and folders of those), `*.ablation.json` and `*.folds.json` files.
        against: The variant that others are compared with, in the studies that have it; otherwise what the ablation's
            file says, or the run that was begun first.

    Raises:
        DataError: If a place does not exist, nothing in them is a run, or no study has the variant `against`.
    """
    files, folders = _found(list(map(Path, places)))
    named: set[Path] = set()
    studies = [(_folds if path.name.endswith(FOLDS) else _ablation)(path, against, named) for path in files]
    told = {_mark(run) for study in studies for runs in study.variants.values() for run in runs.values()}
    lone, problems = _alone([folder for folder in folders if folder.resolve() not in named], against, told)
    studies = _with_problems([*studies, *lone], problems)
    if not any(study.variants or study.folded for study in studies):
        wrong = [problem for study in studies for problem in study.problems]
        first = f" {len(wrong)} cannot be shown, the first: {wrong[0]}" if wrong else ""
        listed = ", ".join(map(str, places))
        raise DataError(f"{listed}: there is no finished run.{first} Make one with: kgreason run FILE")
    names = {name: None for study in studies for name in study.variants}
    names |= {row.variant: None for study in studies if study.folded for row in study.folded.rows}
    if against and against not in names:
        raise DataError(f"there is no variant '{against}'.{near(against, names)} Variants: {', '.join(names)}.")
    return studies


def _with_problems(studies: list[Study], problems: list[str]) -> list[Study]:
    """Tell of runs that belong to no study: in the only one there is, or by themselves."""
    if problems and len(studies) == 1:
        return [replace(studies[0], problems=(*studies[0].problems, *problems))]
    return [*studies, Study("Not shown", "", {}, tuple(problems))] if problems else studies


def _found(places: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return the ablations' files and the folders of runs, each once, in order."""
    files: dict[Path, Path] = {}
    folders: dict[Path, Path] = {}
    for place in places:
        if not place.exists():
            raise DataError(f"{place}: there is no such folder or file. Give folders of runs, or *{ABLATION} files.")
        if place.is_file():
            if not place.name.endswith(_RESULTS):
                raise DataError(f"{place} is no *{ABLATION} or *{FOLDS} file. Give folders of runs, or such files.")
            files.setdefault(place.resolve(), place)
            continue
        for path in _walk(place, _DEEP):
            (files if path.name.endswith(_RESULTS) else folders).setdefault(path.resolve(), path)
    return list(files.values()), list(folders.values())


def _walk(folder: Path, deep: int) -> Iterator[Path]:
    """Yield run folders and ablations' files; nothing inside of a run is one."""
    if (folder / record.CONFIG).is_file() or (folder / record.METRICS).is_file():
        yield folder
        return
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from error
    yield from (path for path in inside if path.name.endswith(_RESULTS) and path.is_file())
    for path in inside:
        if deep and path.is_dir() and not path.name.startswith(".") and path.name != TESTS:
            yield from _walk(path, deep - 1)


def _ablation(path: Path, against: str, named: set[Path]) -> Study:
    """Read an ablation's file and its runs; what it names goes into `named`, whether it can be read or not."""
    try:
        told = record.read_json(path)
        runs, title = dict(told["runs"]), str(told["title"])
    except (StoreError, KeyError, TypeError, ValueError) as error:
        reason = str(error) if isinstance(error, StoreError) else f"{path} is damaged: it has no {error}."
        return Study(path.name, "", {}, (reason,), path)
    variants: dict[str, dict[int, Result]] = {}
    problems: list[str] = [] if runs else [f"{path} names no runs."]
    for label, folder in runs.items():
        named.add((path.parent / str(folder)).resolve())
        name, _, seed = str(label).rpartition(", seed ")
        try:
            found = Result.read(path.parent / str(folder))
        except StoreError as error:
            problems.append(f"{label}: {_unfinished(path.parent / str(folder), error)}")
            continue
        variants.setdefault(name or str(label), {})[int(seed) if seed.isdigit() else found.seed] = found
    base = against if against in variants else str(told.get("against", ""))
    skipped = told.get("skipped")
    skipped = {str(k): str(v) for k, v in skipped.items()} if isinstance(skipped, dict) else {}
    return Study(title, base if base in variants else "", variants, tuple(problems), path, skipped, _claims(told))


def _folds(path: Path, against: str, named: set[Path]) -> Study:
    """Read what an ablation over folds came to; what it is compared with was decided when it was run."""
    try:
        found = Folded.read(path)
    except StoreError as error:
        return Study(path.name, "", {}, (str(error),), path)
    named |= {folder.resolve() for folder in found.runs}
    return Study(found.title, found.against, {}, (), path, folded=found)


def _claims(told: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return, by test, what an ablation says of whether a gain comes from its facts."""
    found: dict[str, list[str]] = {}
    rows = told.get("rows")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("claim"):
            found.setdefault(str(row.get("test", "")), []).append(str(row["claim"]))
    return found


def _alone(folders: list[Path], against: str, told: set[str]) -> tuple[list[Study], list[str]]:
    """Return studies of runs that no ablation names and that are no copies, one for each task with its tests.

    Also what is wrong with the others.
    """
    groups: dict[str, list[Result]] = {}
    problems: list[str] = []
    seen = set(told)
    for folder in folders:
        try:
            run = Result.read(folder)
        except StoreError as error:
            problems.append(f"{folder.name}: {_unfinished(folder, error)}")
            continue
        if _mark(run) not in seen:  # a run that was copied under another name
            seen.add(_mark(run))
            groups.setdefault(json.dumps([run.task, _tests(run)]), []).append(run)
    return [_together(runs, against) for runs in groups.values()], problems


def _mark(run: Result) -> str:
    """Return a hash of what a run was and found; a copy of it has the same."""
    return hashlib.sha256(json.dumps([run.config, run.metrics], sort_keys=True, default=str).encode()).hexdigest()


def _tests(run: Result) -> object:
    """Return what a run was tested on; runs that were tested on something else are not compared."""
    task = run.config.get("task", {})
    named = task.get("test", {}) if isinstance(task, Mapping) else {}
    sizes = {test: scores.get("size") for test, scores in run.tests.items()}
    return [sorted(sizes.items()), sorted(map(str, named.items())) if isinstance(named, Mapping) else str(named)]


def _together(runs: list[Result], against: str) -> Study:
    """Make a study of runs of the same task and tests."""
    runs = sorted(runs, key=_begun)
    by_config: dict[str, dict[int, Result]] = {}
    for run in runs:
        kept = {key: value for key, value in run.config.items() if key not in ("seed", "title", "expected", "source")}
        by_config.setdefault(json.dumps([kept, run.title], sort_keys=True, default=str), {}).setdefault(run.seed, run)
    titles = [next(iter(seeds.values())).title for seeds in by_config.values()]
    common = shared(titles)
    variants: dict[str, dict[int, Result]] = {}
    for title, seeds in zip(titles, by_config.values(), strict=True):
        name = title.removeprefix(common) or title
        if name in variants:  # the same title, other settings: the folder tells them apart
            name = f"{name} ({next(iter(seeds.values())).folder.name.rpartition('-')[2]})"
        variants[name] = seeds
    if len(variants) == 1:
        return Study(titles[0], "", {"the run": next(iter(variants.values()))})
    first = next(iter(variants))
    base = against if against in variants else first
    return Study(common.rstrip(": ") or f"Runs of the task {runs[0].task}", base, variants)


def shared(titles: list[str]) -> str:
    """Return what the titles of an ablation's rows begin with, such as `Base title: `; nothing if they do not."""
    heads = {title.rpartition(": ")[0] for title in titles}
    head = next(iter(heads))
    return f"{head}: " if len(heads) == 1 and head and len(set(titles)) > 1 else ""


def _begun(run: Result) -> tuple[str, str]:
    try:
        return str(record.read_json(run.folder / record.RESOLVED).get("started", "")), run.folder.name
    except StoreError:
        return "", run.folder.name


def _unfinished(folder: Path, error: StoreError) -> str:
    """Return what is wrong with a run, with the last it said if it was not finished."""
    if (folder / record.METRICS).exists():
        return str(error)
    with contextlib.suppress(StoreError):
        told = record.read_json(folder / FAILED)
        return f"it failed: {told.get('why', 'nobody knows why')}"
    if not (folder / record.LOG).is_file():
        return str(error)
    try:
        lines = (folder / record.LOG).read_text("utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    last = f" The last it said: {lines[-1]}" if lines else ""
    return f"it is not finished.{last}"

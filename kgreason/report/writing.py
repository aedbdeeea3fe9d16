"""Writes what was run: one page that opens offline, Markdown, LaTeX, CSV; the same numbers in each."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from kgreason.errors import ConfigError
from kgreason.experiment import record
from kgreason.explain import Section, escape, page
from kgreason.report.chapters import Chapter, Written, write_study
from kgreason.report.finding import gather
from kgreason.report.origin import missed
from kgreason.report.tables import to_csv, to_latex

Form = Literal["html", "md", "latex", "csv"]
#: How the file of each form ends.
ENDING: dict[Form, str] = {"html": ".html", "md": ".md", "latex": ".tex", "csv": ".csv"}


def write(
    dirs: str | Path | Iterable[str | Path], out: str | Path, form: str = "html", against: str = ""
) -> tuple[list[Path], list[str]]:
    """Write a report of runs.

    Runs of an ablation are told of together, as its `*.ablation.json` says; other runs of the same task and tests are
    put together, with all their seeds; runs of different tasks stand in the same report one after the other. Runs
    that are damaged, failed or unfinished are named, and are in no number.

    Args:
        dirs: Run folders, folders of runs, `*.ablation.json` files; one or several.
        out: The file. With `form = "all"` its ending is replaced by that of each form.
        form: `html`, `md`, `latex`, `csv`, or `all`.
        against: The variant that the others are compared with; by default what the ablation's file says, or the run
            that was begun first.

    Returns:
        The files, and a sentence for each number of an `[expected]` table that was not reached.

    Raises:
        ConfigError: If there is no such form.
        DataError: If there are no runs.
        StoreError: If a file cannot be written.

    Example:
        ```python
        import kgreason.report

        files, missed = kgreason.report.write(["runs"], "report.html")
        ```
    """
    forms = get_args(Form) if form == "all" else (form,)
    if form != "all" and form not in ENDING:
        raise ConfigError(f"there is no form '{form}'. Forms: {', '.join(ENDING)}, all.")
    places = [dirs] if isinstance(dirs, str | Path) else list(dirs)
    written = [write_study(study) for study in gather(places, against)]
    path, files = Path(out), []
    for one in forms:
        file = path.with_suffix(ENDING[one]) if form == "all" else path
        text = TO_TEXT[one](written)
        record.write_text(file, text.encode("utf-8", "replace").decode())  # a lone surrogate has no UTF-8
        file.chmod(0o644)  # a report is for others, too
        files.append(file)
    return files, [sentence for each in written for sentence in missed(each.study)]


def form_of(path: Path) -> str:
    """Return the form that the ending of a file's name tells; a page if it tells none."""
    return next((form for form, ending in ENDING.items() if path.suffix.lower() == ending), "html")


def to_html(written: Sequence[Written], lead: str = "", more: Sequence[Section] = ()) -> str:
    """Return the page.

    Args:
        written: The studies.
        lead: What the reader should know first, as plain text.
        more: Sections after the results of the first study.
    """
    if len(written) == 1:
        own = [Section(chapter.heading, chapter.body, chapter.lead) for chapter in written[0].chapters]
        return page(title_of(written), [*own[:1], *more, *own[1:]], lead)
    sections = [Section(each.study.title, "".join(map(_chapter, each.chapters))) for each in written]
    return page(title_of(written), [*sections, *more], lead)


def _chapter(chapter: Chapter) -> str:
    lead = f'<p class="kgr-lead">{escape(chapter.lead)}</p>' if chapter.lead else ""
    return f'<h3 class="kgr-chapter">{escape(chapter.heading)}</h3>{lead}{chapter.body}'


def title_of(written: Sequence[Written]) -> str:
    """Return what a report is called."""
    return written[0].study.title if len(written) == 1 else f"{len(written)} studies"


def to_markdown(written: Sequence[Written]) -> str:
    """Return all tables and sentences as Markdown."""
    lines: list[str] = []
    for each in written:
        lines += [f"# {each.study.title}", ""]
        for chapter in each.chapters:
            lines += [
                f"## {chapter.heading}",
                "",
                *(f"- {said}" for said in chapter.said),
                *([""] if chapter.said else []),
            ]
            lines += [table.markdown() for table in chapter.tables]
    return "\n".join(lines)


def _to_latex(written: Sequence[Written]) -> str:
    """Return all tables as LaTeX; a document that reads the file needs the package booktabs."""
    lines = [r"% \usepackage{booktabs} in the preamble", ""]
    for each in written:
        lines.append(f"% {to_latex(each.study.title)}")
        lines += [table.latex() for chapter in each.chapters for table in chapter.tables]
    return "\n".join(lines)


def _to_csv(written: Sequence[Written]) -> str:
    return to_csv(
        line
        for each in written
        for chapter in each.chapters
        for table in chapter.tables
        for line in table.cells(each.study.title)
    )


TO_TEXT = {"html": to_html, "md": to_markdown, "latex": _to_latex, "csv": _to_csv}

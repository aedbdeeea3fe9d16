"""Write a report of runs, and show where two runs differ."""

from pathlib import Path
from typing import Annotated

import typer

from kgreason.cli.console import print_json, say, set_quiet


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""
    app.command()(report)


def report(
    dirs: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Folders of runs, *.ablation.json, *.folds.json."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to.")] = Path("report.html"),
    form: Annotated[str, typer.Option("--format", help="html, md, latex, csv, or all.")] = "",
    against: Annotated[str, typer.Option(metavar="NAME", help="The variant that others are compared with.")] = "",
    check: Annotated[bool, typer.Option("--check", help="End with 1 if an [expected] number is missed.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only the names of the files.")] = False,
) -> None:
    """Write what was run as one page that opens offline, and as Markdown, LaTeX and CSV.

    Runs of an ablation stand together, as do other runs of the same task and tests. The page has the scores with their
    intervals and differences, controls, courses of training, calibration, confusion, slices, cost, audits, [expected]
    numbers, failed runs, and where all of it comes from. The form follows from the ending of FILE if not said.
    """
    set_quiet(quiet)
    from kgreason.report import write
    from kgreason.report.writing import form_of

    files, missed = write(dirs, out, form or form_of(out), against)
    for sentence in missed:
        say(f"Not as expected: {sentence}")
    if json:
        print_json({"files": [str(file) for file in files], "missed": missed})
    else:
        for file in files:
            typer.echo(str(file))
    if check and missed:
        raise typer.Exit(1)

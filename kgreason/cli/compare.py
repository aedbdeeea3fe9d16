"""Show where two runs differ."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgreason.cli.begin import start
from kgreason.cli.console import print_json, say

if TYPE_CHECKING:
    from kgreason.data import Prediction
    from kgreason.report.compare import Case, Comparison, Pair

_HELP = "The folder of a run, or RESULTS.ablation.json:ROW."


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(compare)


def compare(  # noqa: PLR0913 - the options of a command
    a: Annotated[str, typer.Argument(metavar="A", help=_HELP)],
    b: Annotated[str, typer.Argument(metavar="B", help="What it is compared with.")],
    only: Annotated[str, typer.Option(help="better (A right, B wrong), worse, or other (both wrong).")] = "",
    limit: Annotated[int, typer.Option(help="At most so many examples of each kind and test.", min=0)] = 5,
    test: Annotated[str, typer.Option(metavar="NAME", help="One test; all that both have if not said.")] = "",
    trace: Annotated[bool, typer.Option(help="Load both and show their traces.")] = True,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page instead.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Compare two runs: scores, the table of right and wrong, and the examples they answer differently.

    Both runs are loaded and asked again, and their traces stand side by side; --no-trace leaves that out, and needs
    neither the weights nor the data.
    """
    start(threads, quiet, verbose=False)
    from kgreason.report.beside import to_json, to_page
    from kgreason.report.compare import compare as compare_runs

    found = compare_runs(a, b, only=only, limit=limit, test=test, trace=trace)
    for told in found.notes:
        say(told)
    if html is not None:
        from kgreason.experiment import record

        record.write_text(html, to_page(found))
        html.chmod(0o644)
    if json:
        print_json(to_json(found))
    elif html is not None:
        typer.echo(str(html))
    else:
        _print(found)


def _print(found: "Comparison") -> None:
    typer.echo(f"A: {found.a} ({found.folder_a})\nB: {found.b} ({found.folder_b})")
    for pair in found.pairs:
        _print_pair(pair)
        for case in (case for case in found.cases if case.test == pair.test):
            _print_case(case)


def _print_pair(pair: "Pair") -> None:
    typer.echo(f"\n{pair.test}: A {pair.a.score}, B {pair.b.score}\n  {pair.said}")
    typer.echo(f"  {'':10}{'B right':>10}{'B wrong':>10}")
    typer.echo(f"  {'A right':10}{pair.both:>10,}{pair.only_a:>10,}")
    typer.echo(f"  {'A wrong':10}{pair.only_b:>10,}{pair.neither:>10,}")


def _print_case(case: "Case") -> None:
    from kgreason.report.beside import HEADING, told_sure

    typer.echo(f"\n{case.uid}: {HEADING[case.kind]}")
    if case.example is not None:
        for role, text in zip(case.example.roles, case.example.texts, strict=True):
            typer.echo(f"  {role}: {text}")
    typer.echo(f"  right answer: {case.gold}")
    sides = (("A", case.a, case.sure_a, case.trace_a), ("B", case.b, case.sure_b, case.trace_b))
    heads = [f"{name}: {answer}, {told_sure(sure)}" for name, answer, sure, _ in sides]
    if all(trace is None for *_, trace in sides):
        typer.echo("".join(f"  {head}\n" for head in heads), nl=False)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2), expand=True)
    for head in heads:
        table.add_column(Text(head), ratio=1)
    table.add_row(*(Text("\n".join(_told(trace))) for *_, trace in sides))
    Console(width=None if os.isatty(1) else 120, highlight=False).print(table)


def _told(trace: "Prediction | None") -> list[str]:
    """Return a trace as lines."""
    if trace is None:
        return ["(could not be asked again)"]
    lines = [f"{head} —{relation}→ {tail}" for head, relation, tail in trace.path]
    for i, cycle in enumerate(trace.trace, start=1):
        looks = ", ".join(f"{look.text} {look.weight:.2f}" for look in cycle.looks[:4])
        lines.append(f"{i}. {cycle.answer} {cycle.probability.get(cycle.answer, 0.0):.2f} | {looks} | {cycle.evidence}")
    lines += [f"{i}. {step.kind}: {step.premise} → {step.hypothesis}" for i, step in enumerate(trace.proof, start=1)]
    return lines

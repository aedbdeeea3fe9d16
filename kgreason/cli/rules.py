"""Print the rules of composition that a trained reasoner has learned."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from kgreason.cli.begin import start
from kgreason.cli.console import print_json, say


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command("rules")(rules)


def rules(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run with [decode] name = compose.")
    ],
    least: Annotated[float, typer.Option(help="Show rules of at least this confidence.", min=0.0, max=1.0)] = 0.5,
    table: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Check them against a table: kinship, or first/second/result rows.")
    ] = "",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per rule.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Rules only.")] = False,
) -> None:
    """Print what two relations in a row come to, as learned, with its confidence and its weight over other ways.

    `brother ∘ father → uncle`: the brother of the father is an uncle. With --table, each rule is right, wrong, or
    unlisted (the table has nothing for the pair).
    """
    start(threads, quiet, verbose=False)
    from dataclasses import asdict

    from kgreason.experiment.rules import missing
    from kgreason.experiment.rules import rules as read_rules
    from kgreason.tasks.compositions import read_compositions

    against = read_compositions(table) if table else None
    found = read_rules(run_folder, least, against)
    for rule in found:
        if json:
            print_json(asdict(rule))
        else:
            typer.echo(f"{rule.confidence:.3f}  {rule.weight:.3f}  {rule!s:48}  {rule.verdict}".rstrip())
    if against is not None:
        count = Counter(rule.verdict for rule in found)
        told = ", ".join(f"{count[verdict]} {verdict}" for verdict in ("right", "wrong", "unlisted"))
        say(f"{len(found)} rules: {told}; {len(missing(found, against))} pairs of the table have none.")

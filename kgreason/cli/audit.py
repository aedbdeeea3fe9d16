"""Audit a run: everything that a sceptical reader would ask about it, on one card."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import Watcher, print_json
from kgreason.errors import ConfigError

if TYPE_CHECKING:
    from kgreason.audit import Card
    from kgreason.experiment.run import Options


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command("audit")(command)


def command(  # noqa: PLR0913 - the options of a command
    what: Annotated[Path, typer.Argument(metavar="FILE|RUN", help="An experiment (*.toml), or the folder of a run.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of a FILE: change a setting first.")
    ] = None,
    limit: Annotated[
        int, typer.Option(help="Examples of each test for what is computed anew; 0 for all.", min=0)
    ] = 500,
    budget: Annotated[float, typer.Option(help="Seconds after which no further part is begun.", min=1)] = 900.0,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0)] = 0,
    train: Annotated[bool, typer.Option("--train", help="Train the controls that a claim needs, if missing.")] = False,
    out: Annotated[Path, typer.Option(help="Of a FILE: the folder of all runs.")] = Path("runs"),
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Audit a run: score, controls, leakage, bias, sensitivity, explanations, cost, and a verdict in words.

    A FILE is run first, if it was not. The card also goes to RUN/audit.json, from which `kgreason report` takes it.
    """
    start(threads, quiet, verbose=False)
    check_device(device)
    from kgreason.audit import Plan, audit
    from kgreason.experiment.run import Options

    plan, watcher = Plan(limit, budget, seed, train), Watcher()
    with watcher:
        options = Options(out=out, device=device, tell=watcher.tell, step=watcher.step, watch=watcher.watch)
        card = audit(_run_of(what, set_ or [], options), plan, options)
    if json:
        from kgreason.audit.card import as_json

        print_json(as_json(card))
    else:
        _print(card)


def _run_of(what: Path, settings: list[str], options: "Options") -> Path:
    """Return the folder of the run that is meant; run an experiment first."""
    from kgreason.experiment.config import ExperimentConfig, parse_setting
    from kgreason.experiment.run import run_experiment

    if what.name.endswith(".ablation.toml"):
        raise ConfigError(f"{what} lists variants, and an audit is of one run: give its base, or the folder of a run.")
    if what.is_dir():
        if settings:
            raise ConfigError(f"{what} is a finished run, and --set changes an experiment: give its file instead.")
        return what
    config = ExperimentConfig.from_toml(what).with_overrides(dict(map(parse_setting, settings)))
    return run_experiment(config, options).folder


def _print(card: "Card") -> None:
    """Write a card to the terminal; elsewhere in the same words, 120 characters wide."""
    import sys

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from kgreason.audit.tables import lines, tables

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    for i, line in enumerate(lines(card)):
        console.print(escape(line), style="bold" if not i else "dim")
    for part in tables(card):
        console.print(f"\n[bold]{escape(part.heading)}[/bold]")
        if part.lead:
            console.print(escape(part.lead), style="dim")
        if part.rows:
            shown = Table(box=None, pad_edge=False, header_style="dim")
            for column in part.columns:
                shown.add_column(escape(column))
            for row in part.rows:
                shown.add_row(*map(escape, row))
            console.print(shown)
        for note in part.notes:
            console.print(f"• {escape(note)}", style="dim" if part.rows else "")

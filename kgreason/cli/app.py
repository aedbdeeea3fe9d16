"""The table of commands."""

import os
import sys
from typing import Annotated

import typer

from kgreason.cli import (
    ablate,
    ask,
    audit,
    check,
    compare,
    controls,
    data,
    demo,
    doctor,
    experiment,
    graph,
    parser,
    predict,
    prove,
    report,
    reproduce,
    rules,
    schema,
    search,
    test,
)
from kgreason.cli.console import run, terminate_as_interrupt

app = typer.Typer(
    name="kgreason",
    help="Reason over text with the help of a knowledge graph, and show every step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> bool:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"kgreason {version('kgreason')}")
        raise typer.Exit
    return wanted


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None: ...


for _part in (
    demo,
    experiment,
    ablate,
    check,
    schema,
    search,
    test,
    controls,
    audit,
    reproduce,
    report,
    compare,
    ask,
    prove,
    predict,
    rules,
    graph,
    parser,
    data,
    doctor,
):
    _part.register(app)


def main() -> None:
    """Run the command line; the entry point `kgreason`."""
    terminate_as_interrupt()
    code: str | int | None
    try:
        code = run(lambda: app(standalone_mode=True))
    except SystemExit as stop:
        code = stop.code
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not isinstance(code, str):  # under torchrun
        from kgreason.train import leave_processes

        leave_processes(code or 0)
    sys.exit(code)

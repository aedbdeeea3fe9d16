"""Tells what a run, or a further test of it, came to."""

from typing import TYPE_CHECKING

import typer

from kgreason.cli.console import print_json

if TYPE_CHECKING:
    from kgreason.experiment.run import Run


def print_run(found: "Run", json: bool) -> None:
    """Print the folder, and a line of metrics for each test; or all of them as one JSON object."""
    from kgreason.experiment.measure import SHOWN

    if json:
        print_json({"folder": str(found.folder)} | found.metrics)
        return
    typer.echo(str(found.folder))
    for test, scores in found.metrics["test"].items():
        shown = (f"{name} {value:.4f}" for name, value in scores.items() if name in SHOWN)
        typer.echo(f"  {test:12} " + "  ".join(shown))

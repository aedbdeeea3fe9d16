"""Train the dependency parser and measure it."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""

"""Get data sets, and make our own."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""

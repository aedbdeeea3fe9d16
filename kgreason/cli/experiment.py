"""Check an experiment file, run it, and predict with what came out."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""

"""Build a knowledge graph and look at it."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""

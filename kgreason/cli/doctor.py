"""Say what is installed and what is missing."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""

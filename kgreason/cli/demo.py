"""The main job on the embedded defaults."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""

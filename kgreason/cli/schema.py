"""Print the schema of experiment files, for editors."""

import json
from typing import Annotated

import typer

from kgreason.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(schema)


def schema(
    ablation: Annotated[bool, typer.Option("--ablation", help="Of ablation files, not of experiments.")] = False,
    search: Annotated[bool, typer.Option("--search", help="Of search files.")] = False,
) -> None:
    """Print a JSON schema of experiment files: editors complete and check sections, choices and arguments by it.

    Write it to a file, and name that in the first line of an experiment: #:schema experiment.schema.json
    """
    from kgreason.experiment.schema import ablation_schema, experiment_schema, search_schema

    if ablation and search:
        raise ConfigError("--ablation and --search are two schemas; ask for one at a time.")
    made = ablation_schema if ablation else search_schema if search else experiment_schema
    typer.echo(json.dumps(made(), indent=1, ensure_ascii=False))

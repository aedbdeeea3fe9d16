"""Tell which controls there are, and which of them an experiment can have."""

from pathlib import Path
from typing import Annotated

import typer

from kgreason.cli.console import print_json


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command("controls")(list_controls)


def list_controls(
    file: Annotated[
        Path | None, typer.Argument(help="An experiment, or a run's folder: also tell which apply to it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per control.")] = False,
) -> None:
    """List the controls: what each asks, why it is needed, who has shown that, and whether it applies to a file.

    They are run with: kgreason ablate FILE --controls, which trains with each, and kgreason test RUN --controls, which
    tests a trained run with each.
    """
    from kgreason.experiment import record
    from kgreason.experiment.config import ExperimentConfig
    from kgreason.experiment.controls import CONTROLS

    if file is not None and file.is_dir():
        file = file / record.CONFIG
    config = None if file is None else ExperimentConfig.from_toml(file)
    for name, control in CONTROLS.items():
        told = {"name": name, "question": control.question, "why": control.why, "source": control.source}
        told |= {"when": ", ".join(control.when)}
        if config is not None:
            told |= {when: control.fits(config, when) or "applies" for when in control.when}
        if json:
            print_json(told)
            continue
        typer.echo(f"{name}: {control.question}")
        typer.echo(f"    {control.why} ({control.source})")
        for when in control.when:
            if config is None:
                continue
            typer.echo(f"    {'trained with it' if when == 'train' else 'tested with it'}: {told[when]}")
    if config is None and not json:
        typer.echo("\nWhich of them apply: kgreason controls FILE")

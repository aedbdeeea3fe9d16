"""Test a trained reasoner with other settings than it was trained with."""

from pathlib import Path
from typing import Annotated

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import Watcher, print_json
from kgreason.cli.finished import print_run


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command("test")(measure)


def measure(  # noqa: PLR0913 - the options of a command
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: knowledge.mode=tails")
    ] = None,
    control: Annotated[
        list[str] | None, typer.Option("--control", metavar="NAME", help="Beside itself with a control: tails-shuffled")
    ] = None,
    controls: Annotated[bool, typer.Option("--controls", help="With all controls that apply.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many examples of each split; 0 for all.", min=0)] = 0,
    again: Annotated[bool, typer.Option("--again", help="Test anew what was tested before.")] = False,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Test the weights of a run once more, with settings changed and nothing trained.

    With controls (kgreason controls tells which there are) the results stand beside the run's own, with the interval of
    what changed. Any other setting: --set 'knowledge={ name = "perturb", around = "metaqa", mode = "tails" }'. The
    results go to RUN/tests.
    """
    from dataclasses import asdict

    from kgreason.experiment.beside import beside_controls, to_markdown
    from kgreason.experiment.config import parse_setting
    from kgreason.experiment.retest import retest
    from kgreason.experiment.run import Options

    start(threads, quiet, verbose=False)
    check_device(device)
    overrides = dict(map(parse_setting, set_ or [])) | ({"task.limit": limit} if limit else {})
    watcher = Watcher()
    with watcher:
        options = Options(device=device, again=again, tell=watcher.tell, step=watcher.step)
        if control or controls:
            beside = beside_controls(run_folder, None if controls else control, overrides, options, watcher.step)
        else:
            found = retest(run_folder, overrides, options)
    if control or controls:
        typer.echo(to_markdown(beside), nl=False) if not json else print_json(asdict(beside))
    else:
        print_run(found, json)

"""Search over the settings of an experiment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import Watcher, print_json

if TYPE_CHECKING:
    from kgreason.experiment.trials import Found


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(search)


def search(  # noqa: PLR0913 - the options of a command
    file: Annotated[Path, typer.Argument(help="What to search: NAME.search.toml.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of all trials.")
    ] = None,
    trials: Annotated[int, typer.Option(help="At most so many trials; 0: as the file says.", min=0)] = 0,
    minutes: Annotated[float, typer.Option(help="Minutes of all trials together; 0: as the file says.", min=0)] = 0,
    out: Annotated[Path, typer.Option(help="The folder of all runs.")] = Path("runs"),
    limit: Annotated[int, typer.Option(help="At most so many examples of each split; 0 for all.", min=0)] = 0,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Search for the settings that are best on the dev split; tests are not read.

    The best is written as an experiment, best.toml: kgreason run tests it, once. The same command goes on with a search
    that was interrupted, or that has a larger budget now; given twice at once, the two share the trials.
    """
    start(threads, quiet, verbose=False)
    check_device(device)
    from dataclasses import replace

    from kgreason.experiment.config import parse_setting
    from kgreason.experiment.run import Options
    from kgreason.experiment.search import Search
    from kgreason.experiment.study import run_search

    overrides = dict(map(parse_setting, set_ or [])) | ({"task.limit": limit} if limit else {})
    read = Search.from_toml(file, overrides)
    budget = replace(read.budget, trials=trials or read.budget.trials, minutes=minutes or read.budget.minutes)
    watcher = Watcher()
    with watcher:
        options = Options(out=out, device=device, tell=watcher.tell, step=watcher.step, watch=watcher.watch)
        found = run_search(replace(read, budget=budget), options)
    _print(found, json)


def _print(found: "Found", json: bool) -> None:
    from dataclasses import asdict

    best = found.folder / "best.toml" if found.best else None
    if json:
        told = {"folder": str(found.folder), "best": found.best and asdict(found.best)}
        print_json(told | {"file": best and str(best), "trials": [asdict(trial) for trial in found.trials]})
        return
    typer.echo((found.folder / "trials.md").read_text("utf-8"), nl=False)
    typer.echo(f"\nBest: {best}\nTest it, once: kgreason run {best}" if best else "\nNo trial ran to its end.")

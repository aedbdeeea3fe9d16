"""Run a run again and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import Watcher, print_json

if TYPE_CHECKING:
    from kgreason.experiment.reproduce import Reproduction

#: What `kgreason reproduce` ends with if a number is not the same.
EXIT_DIFFERS = 1
_WORDS = {
    "identical": "Reproduced to the last bit",
    "within": "Reproduced within the tolerance",
    "differs": "Not reproduced",
}


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(reproduce)


def reproduce(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    tolerance: Annotated[float, typer.Option(help="How far a number may be off: 0.005 is half a point.")] = 0.005,
    anyway: Annotated[bool, typer.Option("--anyway", help="Even if the data or the graph have changed.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where to run; beside the run if not given.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run anew what was reproduced before.")] = False,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a finished run again, from its own config, and tell whether its numbers come out the same.

    Ends with 1 if a number is further off than the tolerance, and with 2 if it cannot be run: the data or the graph
    have changed, say.
    """
    start(threads, quiet=json, verbose=False)
    check_device(device)
    from kgreason.experiment.reproduce import reproduce as run_again
    from kgreason.experiment.run import Options

    watcher = Watcher()
    with watcher:
        options = Options(
            out=run_folder.parent / "reproduced" if out is None else out,
            device=device,
            again=again,
            tell=watcher.tell,
            step=watcher.step,
            watch=watcher.watch,
        )
        found = run_again(run_folder, options, tolerance, anyway)
    print_json(found.as_table()) if json else _print(found)
    if found.verdict == "differs":
        raise typer.Exit(EXIT_DIFFERS)


def _print(found: "Reproduction") -> None:
    typer.echo(str(found.now))
    counts = {kind: sum(n.verdict == kind for n in found.numbers) for kind in _WORDS}
    typer.echo(
        f"{_WORDS[found.verdict]}: of {len(found.numbers)} numbers {counts['identical']} are identical, "
        f"{counts['within']} within {found.tolerance:g}, {counts['differs']} differ. {found.answers} of "
        f"{found.examples} answers differ; probabilities by {found.probability:.2g} at the most."
    )
    for number in found.numbers:
        if number.verdict != "identical":
            typer.echo(f"  {number.verdict:8} {number.name}: was {number.before:.6g}, is {number.now:.6g}")
    typer.echo(
        "Changed since: " + ("; ".join(found.changed) if found.changed else "nothing that is written down") + "."
    )

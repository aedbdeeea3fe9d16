"""Check experiment files, and say what would be run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.ablate import overrides_of, read_ablation
from kgreason.cli.begin import start
from kgreason.cli.console import print_json

if TYPE_CHECKING:
    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.config import ExperimentConfig


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(check)


def check(  # noqa: PLR0913 - the options of a command
    files: Annotated[list[Path], typer.Argument(help="Experiments; *.ablation.toml; *.search.toml.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: decode.cycles=2")
    ] = None,
    data: Annotated[bool, typer.Option(help="Also read the data sets.")] = True,
    time: Annotated[
        bool | None, typer.Option(help="Time some steps, and say how long it would take. Of variants, if not said.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder of all runs, to see what is there already.")] = Path("runs"),
    controls: Annotated[bool, typer.Option("--controls", help="With the controls that apply.")] = False,
    control: Annotated[list[str] | None, typer.Option(metavar="NAME", help="With one control, by name.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row.")] = False,
) -> None:
    """Read, check and build experiments, without training them.

    Of variants it says which rows would be run with which seeds, which are there already, which are left out, how long
    the rest would take, and how much memory; of a search, over what it goes, and which trials are there already.
    """
    start(threads, quiet=False, verbose=False)
    for file in files:
        overrides = overrides_of(set_, 0)
        if file.name.endswith(".search.toml"):
            _check_search(file, overrides, (out, data, time is not False), json)
        elif file.name.endswith(".ablation.toml") or controls or control:
            ablation = read_ablation(file, overrides, None, controls or control or ())
            _check_ablation(file, ablation, (out, data, time is not False), json)
        else:
            _check_one(file, _read(file, overrides), (out, data, bool(time)), json)


def _check_one(file: Path, config: "ExperimentConfig", how: tuple[Path, bool, bool], json: bool) -> None:
    from kgreason.experiment.plan import plan_of

    (found,) = plan_of({"": config}, (config.seed,), *how)
    told = {"file": str(file)} | found
    print_json(told) if json else _print_row(told)


def _check_ablation(file: Path, ablation: "Ablation", how: tuple[Path, bool, bool], json: bool) -> None:
    from kgreason.experiment.plan import plan_of, total

    configs = {row: ablation.config(row, ablation.seeds[0]) for row in ablation.variants}
    told = []
    for found in plan_of(configs, ablation.seeds, *how, tests=ablation.tests):
        told.append({"file": str(file)} | found)
        print_json(told[-1]) if json else _print_row(told[-1])
    if json:
        for row, reason in ablation.skipped.items():
            print_json({"file": str(file), "variant": row, "skipped": reason})
        return
    for row, reason in ablation.skipped.items():
        typer.echo(f"--  {file} [{row}]: left out, {reason}")
    typer.echo(f"    {total(told, len(ablation.seeds))}")


def _check_search(file: Path, overrides: dict[str, Any], how: tuple[Path, bool, bool], json: bool) -> None:
    from kgreason.experiment.plan import plan_of_search
    from kgreason.experiment.search import Search

    told = {"file": str(file)} | plan_of_search(Search.from_toml(file, overrides), *how)
    if json:
        print_json(told)
        return
    _print_row(told)
    budget = told["search"]
    for key, values in told["space"].items():
        typer.echo(f"    {key}: {values}")
    limit = f", in {budget['minutes']:g} minutes" if budget["minutes"] else ""
    there = ", ".join(f"{count} {state}" for state, count in told.get("trials", {}).items()) or "none"
    typer.echo(
        f"    at most {budget['trials']} trials{limit}, by {budget['metric']} of dev; sampler {budget['sampler']}, "
        f"pruning {budget['prune']}; there already: {there}"
    )


def _read(file: Path, overrides: dict[str, Any]) -> "ExperimentConfig":
    from kgreason.experiment.config import ExperimentConfig

    return ExperimentConfig.from_toml(file).with_overrides(overrides)


def _print_row(told: dict[str, Any]) -> None:
    name = told["file"] + (f" [{told['variant']}]" if told["variant"] else "")
    sizes = ", ".join(f"{part} {size}" for part, size in told.get("sizes", {}).items()) or "data not read"
    typer.echo(f"ok  {name}: {' → '.join(told['choices'].values())}")
    typer.echo(f"    {told['trainable']:,} numbers to train; {told['graph']}; {sizes}")
    if "there" in told:
        there, seeds = told["there"], told["seeds"]
        told_there = ", ".join(map(str, there)) if there else "none"
        typer.echo(f"    seeds {', '.join(map(str, seeds))}; there already: {told_there}")
    if "estimate" in told:
        typer.echo(f"    {told['estimate']['told']}")

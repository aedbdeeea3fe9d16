"""Run an experiment."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.ablate import overrides_of, read_ablation
from kgreason.cli.begin import check_device, start
from kgreason.cli.console import Watcher
from kgreason.cli.finished import print_run

if TYPE_CHECKING:
    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.config import ExperimentConfig
    from kgreason.experiment.run import Options
    from kgreason.experiment.worker import Manner

_File = Annotated[Path, typer.Argument(help="An experiment (*.toml) or its variants (*.ablation.toml).")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")]
_Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
_Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Also what the libraries say.")]
_Threads = Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)]
_Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")]
_Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: decode.cycles=2")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""
    app.command()(run)


def run(  # noqa: PLR0913 - the options of a command
    file: _File,
    set_: _Set = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the file's.", min=0)] = None,
    out: Annotated[Path, typer.Option(help="The folder of all runs.")] = Path("runs"),
    limit: Annotated[int, typer.Option(help="At most so many examples of each split; 0 for all.", min=0)] = 0,
    again: Annotated[bool, typer.Option("--again", help="Run anew what was run before.")] = False,
    any_code: Annotated[bool, typer.Option("--any-code", help="Take a finished run of other code, too.")] = False,
    track: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Also tell a tracker: wandb, mlflow.")] = None,
    device: _Device = "cpu",
    threads: _Threads = 0,
    json: _Json = False,
    quiet: _Quiet = False,
    verbose: _Verbose = False,
) -> None:
    """Run an experiment: prepare, train, test once, write everything to a folder.

    What was run before is not run again, and an interrupted run goes on. A file of variants is run as by kgreason
    ablate, which has more options.
    """
    start(threads, quiet, verbose)
    check_device(device)
    overrides = overrides_of(set_, limit)
    from kgreason.experiment.trackers import check_trackers

    check_trackers(track or [])
    if _is_ablation(file):
        from kgreason.experiment.worker import Manner

        manner = Manner(str(out), device, max(threads, 1), any_code, track or [])
        _run_ablation(read_ablation(file, overrides, seed, controls=False), manner, again, json)
        return
    from kgreason.experiment.run import Options

    watcher = Watcher()
    options = Options(out=out, device=device, again=again, tell=watcher.tell, step=watcher.step, watch=watcher.watch)
    options = replace(options, any_code=any_code, track=tuple(track or ()))
    with watcher:
        _run_one(_read(file, overrides, seed), options, json)


def _run_one(config: "ExperimentConfig", options: "Options", json: bool) -> None:
    from kgreason.experiment.run import run_experiment

    print_run(run_experiment(config, options), json)


def _run_ablation(ablation: "Ablation", manner: "Manner", again: bool, json: bool) -> None:
    """Run an ablation as `kgreason ablate` does by default, but one run after the other where a GPU is named."""
    from kgreason.cli.ablate import EXIT_FAILED, show
    from kgreason.experiment.crew import LocalCrew, local_gpus, local_jobs

    gpus = local_gpus() if manner.device == "cuda" else []
    crew = LocalCrew(local_jobs(len(ablation.todo()), manner.threads, gpus=len(gpus)), manner, gpus=gpus)
    if show(ablation, crew, Path(manner.out), again, verbose=False, json=json).failed():
        raise typer.Exit(EXIT_FAILED)


def _is_ablation(file: Path) -> bool:
    return file.name.endswith(".ablation.toml")


def _read(file: Path, overrides: dict[str, Any], seed: int | None) -> "ExperimentConfig":
    from kgreason.experiment.config import ExperimentConfig

    config = ExperimentConfig.from_toml(file).with_overrides(overrides)
    return config if seed is None else config.with_seed(seed)

"""Run all rows of an ablation with all seeds, side by side."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.board import Screen
from kgreason.cli.console import print_json
from kgreason.cli.folds import show_folds
from kgreason.errors import ConfigError

if TYPE_CHECKING:
    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.crew import Crew
    from kgreason.experiment.sweep import Board

#: The exit code when a run has failed.
EXIT_FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(ablate)


def ablate(  # noqa: PLR0913 - the options of a command
    file: Annotated[
        Path, typer.Argument(help="An ablation (*.ablation.toml); one experiment with --controls or --folds.")
    ],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the base: decode.cycles=2")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="One seed in the place of the file's.", min=0)] = None,
    controls: Annotated[bool, typer.Option("--controls", help="Add the controls that apply.")] = False,
    control: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Add one control, by name: tails-shuffled")
    ] = None,
    folds: Annotated[int, typer.Option(help="Cut train into so many folds, each the test once; 0: no.", min=0)] = 0,
    by: Annotated[str, typer.Option(help="What no two folds share: text, none, or a field of the rows.")] = "text",
    out: Annotated[Path, typer.Option(help="The folder of all runs; several machines may share it.")] = Path("runs"),
    limit: Annotated[int, typer.Option(help="At most so many examples of each split; 0 for all.", min=0)] = 0,
    jobs: Annotated[int, typer.Option(help="Runs at a time; 0 for one per core, or per GPU.", min=0)] = 0,
    threads: Annotated[int, typer.Option(help="Threads of the processor for each run.", min=1)] = 1,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="What a run may take: 4G, 500M; 0 for all.")] = "0",
    minutes: Annotated[float, typer.Option(help="How long a run may take; 0 for ever.", min=0)] = 0,
    device: Annotated[
        str, typer.Option(help="Where to compute: cpu, cuda (in turn on all GPUs), cuda:1, mps.")
    ] = "cpu",
    ray: Annotated[str, typer.Option(metavar="ADDRESS", help="A Ray cluster: its address, auto, or local.")] = "",
    any_code: Annotated[bool, typer.Option("--any-code", help="Take finished runs of other code, too.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Run anew what was run before.")] = False,
    track: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Also tell a tracker: wandb, mlflow.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line of the table.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also what each run says.")] = False,
) -> None:
    """Run every row of an ablation with every seed, and compare them.

    What was run before is not run again; an interrupted ablation goes on where it stopped. A second process or machine
    that is given the same file and folder shares the work. A run that fails is reported, and the rest goes on: the exit
    code is then 1.
    """
    start(threads, quiet, verbose)
    check_device(device)
    ablation = read_ablation(file, overrides_of(set_, limit), seed, controls or control or (), one=folds > 0)
    from kgreason.experiment.trackers import check_trackers
    from kgreason.experiment.worker import Manner

    check_trackers(track or [])
    manner = Manner(str(out), device, threads, any_code, track or [])
    crew = partial(_crew, ray, len(ablation.todo()), manner, (jobs, size_of(memory), minutes))
    if folds:
        done = show_folds(ablation, (folds, by), crew, out, again, verbose, json)
    else:
        done = not show(ablation, crew(), out, again, verbose, json).failed()
    if not done:
        raise typer.Exit(EXIT_FAILED)


def show(ablation: "Ablation", crew: "Crew", out: Path, again: bool, verbose: bool, json: bool) -> "Board":
    """Run an ablation with a table that lives, and print what it came to."""
    from dataclasses import asdict

    from kgreason.experiment.ablate import to_markdown, write_table
    from kgreason.experiment.sweep import sweep

    with Screen(verbose) as screen:
        for row, reason in ablation.skipped.items():
            screen.tell(f"{row}: left out, {reason}")
        board = sweep(ablation, crew, again, screen.show, screen.hear)
        screen.end(board)
    done = board.whole()
    if done is None:
        return board
    table = write_table(done, board.runs(), out)
    if not json:
        typer.echo(to_markdown(done, table), nl=False)
        return board
    for line in table:
        print_json(asdict(line) | {"half": None if line.half != line.half else line.half})
    return board


def read_ablation(
    file: Path, overrides: dict[str, Any], seed: int | None, controls: bool | Sequence[str], one: bool = False
) -> "Ablation":
    """Read an ablation; a single experiment becomes one of its controls, or, with `one`, of itself alone.

    Args:
        file: The ablation, or the experiment.
        overrides: Dotted keys to lay over the base.
        seed: One seed in the place of the file's.
        controls: Names of controls to add as rows, or whether to add all that apply.
        one: Whether a single experiment will do without controls.

    Raises:
        ConfigError: If the file is wrong, there is no such control or it does not apply, or the file is a single
            experiment without controls.
    """
    from dataclasses import replace

    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.config import ExperimentConfig, sources_of
    from kgreason.experiment.controls import alone, with_controls

    if file.name.endswith(".ablation.toml"):
        ablation = Ablation.from_toml(file, overrides)
    elif controls or one:
        base = ExperimentConfig.from_toml(file).with_overrides(overrides)
        ablation = replace(alone(base), sources=sources_of(file))
    else:
        raise ConfigError(f"{file} is one experiment; run it with: kgreason run {file}. With --controls it has rows.")
    if controls:
        ablation = with_controls(ablation, None if controls is True else controls)
    return ablation if seed is None else replace(ablation, seeds=(seed,))


def overrides_of(settings: list[str] | None, limit: int) -> dict[str, Any]:
    """Return what `--set` and `--limit` change."""
    from kgreason.experiment.config import parse_setting

    return dict(map(parse_setting, settings or [])) | ({"task.limit": limit} if limit else {})


def size_of(text: str) -> int:
    """Return a size in bytes: `4G` is 4 × 10⁹.

    Raises:
        ConfigError: If it is none.
    """
    units = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
    number, unit = (text[:-1], units[text[-1].upper()]) if text[-1:].upper() in units else (text, 1)
    try:
        size = int(float(number) * unit)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"--memory {text} is no size; write 4G, 500M, or bytes.") from error
    if size < 0:
        raise ConfigError(f"--memory {text} is below 0.")
    return size


def _crew(ray: str, runs: int, manner: Any, wanted: tuple[int, int, float]) -> "Crew":
    from kgreason.experiment.crew import Limits, LocalCrew, local_gpus, local_jobs

    jobs, memory, minutes = wanted
    limits = Limits(memory, minutes)
    if ray:
        from kgreason.experiment.ray_crew import RayCrew

        return RayCrew(ray, jobs, runs, manner, limits)
    gpus = local_gpus() if manner.device == "cuda" else []
    return LocalCrew(jobs or local_jobs(runs, manner.threads, memory, len(gpus)), manner, limits, gpus)

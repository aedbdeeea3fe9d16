"""Run an ablation over the folds of a small set."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kgreason.cli.board import Screen
from kgreason.cli.console import print_json

if TYPE_CHECKING:
    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.crew import Crew


def show_folds(
    ablation: "Ablation",
    folds: tuple[int, str],
    crew: Callable[[], "Crew"],
    out: Path,
    again: bool,
    verbose: bool,
    json: bool,
) -> bool:
    """Run an ablation once per fold, print what it came to, and return whether every run is done.

    Args:
        ablation: Over the whole set.
        folds: How many, and what stays together.
        crew: Makes those who run it, for each fold.
        out: The folder of all runs.
        again: Forget what was run before.
        verbose: Whether to show what each run says.
        json: Print one JSON object per line of the table.
    """
    from dataclasses import asdict

    from kgreason.experiment.folds import folded, folds_to_markdown, write_folds
    from kgreason.experiment.sweep import sweep

    boards = []
    for part in folded(ablation, *folds):
        with Screen(verbose) as screen:
            screen.tell(part.title)
            boards.append(sweep(part, crew(), again, screen.show, screen.hear))
            screen.end(boards[-1])
    table = write_folds(ablation, [board.runs() for board in boards], out)
    if json:
        for row in table:
            print_json(asdict(row))
    else:
        typer.echo(folds_to_markdown(ablation, folds[0], table), nl=False)
    return not any(board.failed() for board in boards)

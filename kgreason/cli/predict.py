"""Answer examples of any task with a trained run."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import print_json, read_jsonl
from kgreason.cli.lines import answer_lines

if TYPE_CHECKING:
    from kgreason.data import Prediction

#: Lines that are read before they are answered: parsed together they cost less.
_TOGETHER = 256


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command("predict")(predict)


def predict(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines with the fields of the task; - for stdin.")],
    trace: Annotated[bool, typer.Option("--trace", help="Also the facts it rests on, and every cycle.")] = False,
    batch_size: Annotated[int, typer.Option(help="How many are answered at once.", min=1)] = 32,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per example.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Answer examples with a trained run: the answer, its probability and, with --trace, how it was found.

    Each line holds the fields of the run's task, such as `premise` and `hypothesis`, `question` and `choices`, or
    `story` and `query`, and, if wanted, `uid`. A line that is no example gets an error in its place.
    """
    rows = read_jsonl(file)
    lines = list(islice(rows, max(batch_size, _TOGETHER)))  # what cannot be read shows before anything is opened
    start(threads, quiet, verbose=False)
    check_device(device)
    from kgreason.experiment.restore import load

    pipeline = load(run_folder, device)
    while lines:
        for told in answer_lines(pipeline, lines, batch_size, lambda found: as_json(found, trace)):
            print_json(told) if json else _print(told)
        lines = list(islice(rows, max(batch_size, _TOGETHER)))


def as_json(found: "Prediction", trace: bool) -> dict[str, Any]:
    """Return an answer as JSON has it; with `trace` also its facts and what each cycle found."""
    told: dict[str, Any] = {"uid": found.uid, "answer": found.answer, "probability": round(found.probability, 6)}
    if trace:
        told["facts"] = [list(fact) for fact in found.path]
        told["cycles"] = [
            {
                "answer": cycle.answer,
                "probability": round(cycle.probability.get(cycle.answer, 0.0), 6),
                "evidence": cycle.evidence,
            }
            for cycle in found.trace
        ]
    return told


def _print(told: dict[str, Any]) -> None:
    name = told.get("uid", told.get("line", ""))
    if "error" in told:
        typer.echo(f"{name}  error: {told['error']}")
        return
    typer.echo(f"{name}  {told['answer']}  {told['probability']:.3f}".strip())
    for head, relation, tail in told.get("facts", ()):
        typer.echo(f"  {head} —{relation}→ {tail}")
    for number, cycle in enumerate(told.get("cycles", ()), 1):
        typer.echo(f"  cycle {number}: {cycle['answer']} {cycle['probability']:.3f}  {cycle['evidence']}".rstrip())

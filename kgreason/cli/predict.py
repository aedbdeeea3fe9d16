"""Answer one question, or many, with a trained run."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import print_json, read_jsonl
from kgreason.cli.lines import answer_lines
from kgreason.cli.prove import print_proof, proof_as_json
from kgreason.errors import DataError

if TYPE_CHECKING:
    from kgreason.data import Prediction
    from kgreason.pipeline import Pipeline

#: Lines that are read before they are answered: batches of like length waste less.
_TOGETHER = 256


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command("predict")(predict)


def predict(  # noqa: PLR0913 - the options of a command
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    texts: Annotated[
        list[str] | None,
        typer.Argument(help="Premise and hypothesis, or a question and its choices; or one FILE of JSON lines."),
    ] = None,
    input: Annotated[str, typer.Option("--input", metavar="FILE", help="JSON lines, or - for stdin.")] = "",  # noqa: A002
    trace: Annotated[bool, typer.Option("--trace", help="Tell every cycle.")] = False,
    batch_size: Annotated[int, typer.Option(help="How many the reasoner sees at once.", min=1)] = 32,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Answer questions with a trained reasoner.

    With --input, every line holds the fields of the run's task, such as `premise` and `hypothesis`, `question` and
    `choices`, or `story` and `query`, and, if wanted, `uid`; one JSON line comes back for each, in order, with an
    `error` where the input is bad. A FILE in the place of the texts is answered in words, or with --json likewise.
    """
    file = texts[0] if texts and len(texts) == 1 and (texts[0] == "-" or Path(texts[0]).is_file()) else ""
    start(threads, quiet, verbose=False)
    if bool(input) == bool(texts):
        raise DataError('Give either two texts, "premise" "hypothesis", or --input FILE of JSON lines (- for stdin).')
    check_device(device)
    from kgreason.experiment.restore import load

    if not (input or file) and len(texts or ()) < 2:
        raise DataError("One text was given; a premise needs a hypothesis, and a question needs its choices.")
    pipeline = load(run_folder, device)
    if input or file:
        _answer(pipeline, input or file, batch_size, trace, print_json if input or json else _print_line)
        return
    given = list(texts or ())
    found = pipeline(given[0], given[1] if len(given) == 2 else given[1:])
    print_json(as_json(pipeline, found, trace)) if json else _print_prediction(found, trace)


def _answer(
    pipeline: "Pipeline", file: str, batch_size: int, trace: bool, tell: Callable[[dict[str, Any]], None]
) -> None:
    rows = read_jsonl(file)
    while lines := list(islice(rows, max(batch_size, _TOGETHER))):
        for result in answer_lines(pipeline, lines, batch_size, lambda found: as_json(pipeline, found, trace)):
            tell(result)


def as_json(pipeline: "Pipeline", found: "Prediction", trace: bool) -> dict[str, Any]:
    """Return an answer as JSON has it, with the facts it rests on; with `trace` also every cycle."""
    from dataclasses import asdict

    kind = "label" if pipeline.task.labels else "answer"
    told: dict[str, Any] = {"uid": found.uid, kind: found.answer, "probability": round(found.probability, 6)}
    told["ranking"] = [{kind: answer, "probability": round(p, 6)} for answer, p in found.ranking]
    told["path"] = [list(fact) for fact in found.path]
    told |= proof_as_json(found) if found.proof or found.notes else {}
    return told | ({"trace": [asdict(cycle) for cycle in found.trace]} if trace else {})


def _print_prediction(found: "Prediction", trace: bool) -> None:
    typer.echo(f"{found.answer}  {found.probability:.3f}")
    typer.echo("  " + ", ".join(f"{answer} {p:.3f}" for answer, p in found.ranking))
    for head, relation, tail in found.path:
        typer.echo(f"  {head} —{relation}→ {tail}")
    print_proof(found)
    for i, cycle in enumerate(found.trace if trace else (), start=1):
        looks = ", ".join(f"{look.text} {look.weight:.2f}" for look in cycle.looks)
        typer.echo(f"  cycle {i}: {cycle.answer} {cycle.probability[cycle.answer]:.3f} | {looks} | {cycle.evidence}")


def _print_line(told: dict[str, Any]) -> None:
    name = told.get("uid", told.get("line", ""))
    if "error" in told:
        typer.echo(f"{name}  error: {told['error']}")
        return
    answer = told.get("label", told.get("answer"))
    typer.echo(f"{name}  {answer}  {told['probability']:.3f}".strip())
    for head, relation, tail in told["path"]:
        typer.echo(f"  {head} —{relation}→ {tail}")
    for number, cycle in enumerate(told.get("trace", ()), 1):
        sure = cycle["probability"].get(cycle["answer"], 0.0)
        typer.echo(f"  cycle {number}: {cycle['answer']} {sure:.3f}  {cycle['evidence']}".rstrip())

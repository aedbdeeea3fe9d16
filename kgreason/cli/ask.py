"""Put questions to a knowledge graph."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import print_json, read_jsonl
from kgreason.cli.lines import answer_lines
from kgreason.errors import DataError

if TYPE_CHECKING:
    from kgreason.data import Prediction


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(ask)


def ask(  # noqa: PLR0913 - the options of a command
    question: Annotated[str, typer.Argument(help="In plain words; an entity may stand in [brackets].")] = "",
    graph: Annotated[
        str, typer.Option("--graph", "-g", metavar="GRAPH", help="A name, the folder of a store, or a file.")
    ] = "world",
    seed: Annotated[
        list[str] | None, typer.Option("--seed", metavar="ENTITY", help="An entity the question is about.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="A trained run; else nothing is trained.")
    ] = None,
    input: Annotated[str, typer.Option("--input", metavar="FILE", help="JSON lines, or - for stdin.")] = "",  # noqa: A002
    top: Annotated[int, typer.Option(help="How many answers to tell.", min=1, max=100)] = 5,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the walk to this page.")] = None,
    batch_size: Annotated[int, typer.Option(help="How many the reasoner sees at once.", min=1)] = 32,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Ask a knowledge graph: the answers, and the facts that lead to them.

    Works on any graph, with no training: relations are followed by what they are called. With --input, every line holds
    `question` and, if wanted, `seeds` and `uid`; one JSON line comes back for each, with `answers` and `path`, or an
    `error` where the input is bad.
    """
    if bool(input) == bool(question):
        raise DataError('Give either a question, "Which river flows through [Paris]?", or --input FILE (- for stdin).')
    start(threads, quiet, verbose=False)
    check_device(device)
    from kgreason.experiment.ask import over

    reasoner = over(graph, run, device)
    if question:
        found = reasoner.ask(question, seed or ())
        print_json(_as_json(found, top)) if json else _print(found, top)
        if html is not None:
            _draw(found, html)
        return
    rows = read_jsonl(input)
    while lines := list(islice(rows, batch_size)):
        for result in answer_lines(reasoner, lines, batch_size, lambda found: _as_json(found, top)):
            print_json(result)


def _as_json(found: "Prediction", top: int) -> dict[str, Any]:
    answers = [
        {"name": name, "probability": round(p, 6), "path": [list(fact) for fact in found.paths.get(name, ())]}
        for name, p in found.ranking[:top]
    ]
    told = {"uid": found.uid, "answers": answers, "path": [list(fact) for fact in found.path]}
    return told | {"notes": list(found.notes)} if found.notes else told


def _print(found: "Prediction", top: int) -> None:
    for note in found.notes:
        typer.echo(note, err=True)
    width = max(len(name) for name, _ in found.ranking[:top])
    for name, probability in found.ranking[:top]:
        typer.echo(f"{name:{width}}  {probability:.3f}")
        for head, relation, tail in found.paths.get(name, ()):
            typer.echo(f"    {head} —{relation}→ {tail}")
    if len(found.ranking) > top:
        typer.echo(f"and {len(found.ranking) - top} more (--top)")


def _draw(found: "Prediction", path: Path) -> None:
    from kgreason.experiment.record import write_text
    from kgreason.explain import Section, page, to_html

    drawn = Section("The walk", to_html(found, ("question",), style=False))
    write_text(path, page(found.texts[0], [drawn]))
    typer.echo(str(path))

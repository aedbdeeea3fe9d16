"""Prove or refute a statement from another."""

from collections.abc import Sequence
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

#: Lines that are read before they are answered: parsed together they cost less.
_TOGETHER = 256


def register(app: typer.Typer) -> None:
    """Add the command of this file to `app`."""
    app.command()(prove)


def prove(  # noqa: PLR0913 - the options of a command
    premise: Annotated[str, typer.Argument(help="What is given.")] = "",
    hypothesis: Annotated[str, typer.Argument(help="What may follow from it, or be excluded by it.")] = "",
    graph: Annotated[
        str, typer.Option("--graph", "-g", metavar="GRAPH", help="A name, the folder of a store, or a file.")
    ] = "wordnet",
    reading: Annotated[
        str, typer.Option(help="specific: 'a man' is a particular man; existential: some man or other.")
    ] = "specific",
    input: Annotated[str, typer.Option("--input", metavar="FILE", help="JSON lines, or - for stdin.")] = "",  # noqa: A002
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the proof to this page.")] = None,
    batch_size: Annotated[int, typer.Option(help="How many are proved at once.", min=1)] = 32,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Prove or refute a hypothesis by natural logic, with no training: the label, and the proof edit by edit.

    The relations of words come from the graph. With --input, every line holds `premise` and `hypothesis` and, if
    wanted, `uid`; one JSON line comes back for each, with `label`, `probability` and `proof`, or an `error` where the
    input is bad.
    """
    given = bool(premise.strip() or hypothesis.strip())
    if bool(input) == given:
        raise DataError('Give either two texts, "premise" "hypothesis", or --input FILE (- for stdin).')
    if reading not in ("specific", "existential"):
        raise DataError(f"--reading {reading}: expected specific or existential.")
    rows = read_jsonl(input) if input else iter(())
    lines = list(islice(rows, max(batch_size, _TOGETHER)))  # what cannot be read shows before anything is opened
    if given:
        _refuse_empty(premise, hypothesis)
    start(threads, quiet, verbose=False)
    check_device(device)
    from kgreason.experiment.prove import prover

    proves = prover(graph, "specific" if reading == "specific" else "existential", device)
    if given:
        found = proves(premise, hypothesis)
        print_json(as_json(found)) if json else _print(found)
        if html is not None:
            _draw(found, html)
        return
    while lines:
        for result in answer_lines(proves, lines, batch_size, as_json):
            print_json(result)
        lines = list(islice(rows, max(batch_size, _TOGETHER)))


def _refuse_empty(premise: str, hypothesis: str) -> None:
    from kgreason.tasks.text import clean

    clean(premise, "the premise")
    clean(hypothesis, "the hypothesis")


def as_json(found: "Prediction") -> dict[str, Any]:
    """Return a label, its probability and the proof, as JSON has it."""
    told: dict[str, Any] = {"uid": found.uid, "label": found.answer, "probability": round(found.probability, 6)}
    told["probabilities"] = {label: round(p, 6) for label, p in found.ranking}
    return told | proof_as_json(found)


def proof_as_json(found: "Prediction") -> dict[str, Any]:
    """Return the steps of a proof, and what is to be said of it."""
    from dataclasses import asdict

    steps = [asdict(step) for step in found.proof]
    for step in steps:
        step["probability"] = round(step["probability"], 4)
        step["state"] = {symbol: round(share, 4) for symbol, share in step["state"].items()}
    told: dict[str, Any] = {"proof": steps, "notes": list(found.notes)}
    return told | ({} if found.gate is None else {"gate": round(found.gate, 4)})


def print_proof(found: "Prediction") -> None:
    """Print a proof as a table of text."""
    from kgreason.explain.told import proof_rows

    for note in found.notes:
        typer.echo(f"  {note}")
    if found.gate is not None:
        typer.echo(f"  the proof counts by {100 * found.gate:.0f} %")
    for line in _aligned(proof_rows(found.proof)) if found.proof else ():
        typer.echo(f"  {line}")


def _print(found: "Prediction") -> None:
    typer.echo(f"{found.answer}  {found.probability:.3f}")
    typer.echo("  " + ", ".join(f"{label} {p:.3f}" for label, p in found.ranking))
    print_proof(found)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[_one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[c]) for row in cells) for c in range(len(cells[0]))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]


def _one_line(cell: str) -> str:
    return "".join(c if c.isprintable() else " " for c in cell)


def _draw(found: "Prediction", path: Path) -> None:
    from kgreason.experiment.record import write_text
    from kgreason.explain import Section, page, to_html

    drawn = Section("The proof", to_html(found, ("premise", "hypothesis"), style=False))
    write_text(path, page(found.answer, [drawn], f"{found.texts[0]} ⇒ {found.texts[1]}"))
    typer.echo(str(path))

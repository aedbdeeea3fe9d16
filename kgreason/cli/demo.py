"""The main job on the embedded defaults."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.console import Watcher, print_json, set_quiet
from kgreason.errors import StoreError
from kgreason.places import shipped

if TYPE_CHECKING:
    from kgreason.experiment.ablate import Row
    from kgreason.experiment.run import Run

#: What is run, and the test whose examples are shown.
_EXPERIMENT, _SHOWN = Path("lexical-nli") / "demo.ablation.toml", "challenge"
#: With --quick: enough to see that everything works, too little to learn much.
_QUICK: dict[str, Any] = {"task.limit": 300, "train.epochs": 2}
_LEAD = (
    "A small reasoner over a frozen language model, trained on a few thousand pairs of sentences, with and without a "
    "knowledge graph. lexical-nli is made of sentence frames of ours and words of WordNet: a model that knows WordNet "
    "has an advantage there by construction. It shows that what the graph knows reaches the answer, no more. "
    "challenge-nli is written by hand."
)


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option(help="Where the page and the runs go.")] = Path("runs/demo"),
    quick: Annotated[bool, typer.Option("--quick", help="A few hundred pairs and two epochs: does it work?")] = False,
    threads: Annotated[int, typer.Option(help="Threads of the processor; 0 leaves it to torch.", min=0)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Train a small reasoner with and without the graph, compare, and write a page that opens offline.

    Everything it needs ships with kgreason: language model, parser, WordNet, data. Takes some minutes on two cores;
    when interrupted, the next call goes on.
    """
    from kgreason.runtime import tune

    begin = time.monotonic()
    tune(threads)
    set_quiet(quiet)
    from transformers.utils import logging as transformers_logging

    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.run import Options, run_experiment
    from kgreason.report.ablation import write_report

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    ablation = Ablation.from_toml(shipped("experiments") / _EXPERIMENT).with_overrides(_QUICK if quick else {})
    watcher = Watcher()
    options = Options(out=out / "runs", tell=watcher.tell, step=watcher.step, watch=watcher.watch)
    runs: dict[tuple[str, int], Run] = {}
    with watcher:
        for number, name in enumerate(ablation.variants, start=1):
            watcher.tell(f"[{number}/{len(ablation.variants)}] {name}")
            seed = ablation.seeds[0]
            runs[name, seed] = run_experiment(ablation.config(name, seed), options)
            _copy(runs[name, seed].folder, out / name)
        watcher.tell("Drawing the page")
        rows = write_report(out / "index.html", ablation, runs, _SHOWN, _LEAD)
    _print(rows, json)
    watcher.tell(f"\n{time.monotonic() - begin:.0f} seconds. Open this page in a browser:")
    if not json:
        typer.echo(str((out / "index.html").resolve()))


def _copy(run: Path, to: Path) -> None:
    """Put a finished run under a name that is easy to say, so that `kgreason.load("runs/demo/wordnet")` finds it."""
    with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as partial:
        new, old = Path(partial) / "new", Path(partial) / "old"
        shutil.copytree(run, new, ignore=shutil.ignore_patterns("last.*", "tensorboard*"))
        try:
            if to.exists():
                to.replace(old)
            new.replace(to)
        except OSError as error:
            raise StoreError(f"{to} could not be replaced: {error.strerror or error}. Remove it and go on.") from error


def _print(rows: "list[Row]", json: bool) -> None:
    from dataclasses import asdict

    if json:
        for row in rows:
            told = asdict(row)
            print_json(told | {"half": None if row.half != row.half else row.half})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("test", "variant", "accuracy", "macro-F1", "difference in accuracy [95 %]", "McNemar p", box=None)
    of = {(row.test, row.variant, row.metric): row for row in rows}
    for row in rows:
        if row.metric == "accuracy":
            d, f1 = row.versus, of.get((row.test, row.variant, "macro_f1"))
            gap = f"{100 * d.value:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]" if d else ""
            p = f"{d.mcnemar:.1g}" if d else ""
            table.add_row(row.test, row.variant, f"{100 * row.mean:.1f}", f"{100 * f1.mean:.1f}" if f1 else "", gap, p)
    Console(width=None if os.isatty(1) else 100).print(table, markup=False)

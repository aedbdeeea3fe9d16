"""Check an experiment file, run it, and predict with what came out."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.begin import check_device, start
from kgreason.cli.console import Watcher, print_json, read_jsonl
from kgreason.cli.finished import print_run
from kgreason.cli.lines import answer_lines
from kgreason.cli.prove import print_proof, proof_as_json
from kgreason.errors import DataError

if TYPE_CHECKING:
    from kgreason.data import Prediction
    from kgreason.experiment.ablate import Ablation
    from kgreason.experiment.config import ExperimentConfig
    from kgreason.experiment.run import Options
    from kgreason.pipeline import Pipeline

#: Lines that are read before they are answered: batches of like length waste less.
_TOGETHER = 256

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
    app.command()(check)
    app.command()(predict)


def run(  # noqa: PLR0913 - the options of a command
    file: _File,
    set_: _Set = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the file's.", min=0)] = None,
    out: Annotated[Path, typer.Option(help="The folder of all runs.")] = Path("runs"),
    limit: Annotated[int, typer.Option(help="At most so many examples of each split; 0 for all.", min=0)] = 0,
    again: Annotated[bool, typer.Option("--again", help="Run anew what was run before.")] = False,
    device: _Device = "cpu",
    threads: _Threads = 0,
    json: _Json = False,
    quiet: _Quiet = False,
    verbose: _Verbose = False,
) -> None:
    """Run an experiment: prepare, train, test once, write everything to a folder.

    What was run before is not run again, and an interrupted run goes on. For variants, every row is run with every
    seed, and a table compares them.
    """
    start(threads, quiet, verbose)
    check_device(device)
    overrides = _overrides(set_, limit)
    from kgreason.experiment.run import Options

    watcher = Watcher()
    options = Options(out=out, device=device, again=again, tell=watcher.tell, step=watcher.step, watch=watcher.watch)
    with watcher:
        if _is_ablation(file):
            _run_ablation(_read_ablation(file, overrides, seed), options, json)
        else:
            _run_one(_read(file, overrides, seed), options, json)


def check(
    files: Annotated[list[Path], typer.Argument(help="Experiments, or their variants.")],
    set_: _Set = None,
    data: Annotated[bool, typer.Option(help="Also read the data sets.")] = True,
    threads: _Threads = 0,
    json: _Json = False,
) -> None:
    """Read, check and build experiments, without training them."""
    start(threads, quiet=False, verbose=False)
    from kgreason.experiment.run import check_experiment

    for file in files:
        overrides = _overrides(set_, 0)
        if _is_ablation(file):
            ablation = _read_ablation(file, overrides, None)
            configs = {row: ablation.config(row, ablation.seeds[0]) for row in ablation.variants}
        else:
            configs = {"": _read(file, overrides, None)}
        for row, config in configs.items():
            told = {"file": str(file)} | ({"variant": row} if row else {}) | check_experiment(config, data)
            print_json(told) if json else _print_checked(told)


def predict(  # noqa: PLR0913 - the options of a command
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    texts: Annotated[
        list[str] | None, typer.Argument(help="Premise and hypothesis, or a question and its choices.")
    ] = None,
    input: Annotated[str, typer.Option("--input", metavar="FILE", help="JSON lines, or - for stdin.")] = "",  # noqa: A002
    trace: Annotated[bool, typer.Option("--trace", help="Tell every cycle.")] = False,
    batch_size: Annotated[int, typer.Option(help="How many the reasoner sees at once.", min=1)] = 32,
    device: _Device = "cpu",
    threads: _Threads = 0,
    json: _Json = False,
    quiet: _Quiet = False,
) -> None:
    """Answer questions with a trained reasoner.

    With --input, every line holds `premise` and `hypothesis` (or `question` and `choices`) and, if wanted, `uid`; one
    JSON line comes back for each, in order, with an `error` where the input is bad.
    """
    start(threads, quiet, verbose=False)
    if bool(input) == bool(texts):
        raise DataError('Give either two texts, "premise" "hypothesis", or --input FILE (- for stdin).')
    check_device(device)
    from kgreason.experiment.restore import load

    pipeline = load(run_folder, device)
    if texts:
        if len(texts) < 2:
            raise DataError("One text was given; a premise needs a hypothesis, and a question needs its choices.")
        found = pipeline(texts[0], texts[1] if len(texts) == 2 else texts[1:])
        print_json(_as_json(pipeline, found, trace)) if json else _print_prediction(found, trace)
        return
    rows = read_jsonl(input)
    while lines := list(islice(rows, max(batch_size, _TOGETHER))):
        for result in answer_lines(pipeline, lines, batch_size, lambda found: _as_json(pipeline, found, trace)):
            print_json(result)


def _as_json(pipeline: "Pipeline", found: "Prediction", trace: bool) -> dict[str, Any]:
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


def _print_checked(told: dict[str, Any]) -> None:
    name = told["file"] + (f" [{told['variant']}]" if "variant" in told else "")
    sizes = ", ".join(f"{part} {size}" for part, size in told.get("sizes", {}).items()) or "data not read"
    typer.echo(f"ok  {name}: {' → '.join(told['choices'].values())}")
    typer.echo(f"    {told['trainable']:,} numbers to train; {told['graph']}; {sizes}")


def _run_one(config: "ExperimentConfig", options: "Options", json: bool) -> None:
    from kgreason.experiment.run import run_experiment

    print_run(run_experiment(config, options), json)


def _run_ablation(ablation: "Ablation", options: "Options", json: bool) -> None:
    from dataclasses import asdict

    from kgreason.experiment.ablate import run_ablation, to_markdown

    def tick(what: str, done: int, whole: int) -> None:
        options.tell(f"[{done + 1}/{whole}] {what}")

    table = run_ablation(ablation, options, tick)
    if not json:
        typer.echo(to_markdown(ablation, table), nl=False)
        return
    for row in table:
        told = asdict(row)
        print_json(told | {"half": None if row.half != row.half else row.half})


def _is_ablation(file: Path) -> bool:
    return file.name.endswith(".ablation.toml")


def _read(file: Path, overrides: dict[str, Any], seed: int | None) -> "ExperimentConfig":
    from kgreason.experiment.config import ExperimentConfig

    config = ExperimentConfig.from_toml(file).with_overrides(overrides)
    return config if seed is None else config.with_seed(seed)


def _read_ablation(file: Path, overrides: dict[str, Any], seed: int | None) -> "Ablation":
    from dataclasses import replace

    from kgreason.experiment.ablate import Ablation

    found = Ablation.from_toml(file).with_overrides(overrides)
    return found if seed is None else replace(found, seeds=(seed,))


def _overrides(settings: list[str] | None, limit: int) -> dict[str, Any]:
    from kgreason.experiment.config import parse_setting

    return dict(map(parse_setting, settings or [])) | ({"task.limit": limit} if limit else {})

"""Get data sets, and see which there are."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kgreason.cli.console import print_json, say, set_quiet
from kgreason.errors import DataError

if TYPE_CHECKING:
    from kgreason.tasks import Manifest

_data = typer.Typer(name="data", help="Get data sets, and see which there are.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this file to `app`."""
    app.add_typer(_data)


@_data.command("list")
def list_datasets(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per data set.")] = False,
) -> None:
    """List the data sets that have a manifest, and whether their files are here."""
    from kgreason.tasks.manifest import Manifest, known_datasets

    for path in known_datasets():
        manifest = Manifest.from_toml(path)
        there = sum(_is_there(manifest, file.path) for file in manifest.files)
        state = "ships" if not manifest.files else f"{there} of {len(manifest.files)} files"
        if json:
            told = {"name": manifest.name, "title": manifest.title, "task": manifest.task, "licence": manifest.licence}
            print_json(told | {"splits": list(manifest.splits), "files": len(manifest.files), "here": there})
        else:
            typer.echo(f"{manifest.name:14} {state:14} {manifest.title}")
            typer.echo(f"{'':29} {', '.join(manifest.splits) or 'no splits'}. {manifest.licence}")


@_data.command("fetch")
def fetch_dataset(
    name: Annotated[str, typer.Argument(help="A name that `kgreason data list` shows, or a manifest.")],
    out: Annotated[Path | None, typer.Option(help="The folder of all data; default: KGREASON_DATA.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing on success.")] = False,
) -> None:
    """Fetch the files of a data set from its owners, and check that they are the ones its manifest describes."""
    from kgreason.tasks.fetch import fetch
    from kgreason.tasks.manifest import open_manifest

    set_quiet(quiet)
    named = os.environ.get("KGREASON_DATA", "")
    if out is None and not named:
        raise DataError("Where to? Name a folder with --out, or set the environment variable KGREASON_DATA.")
    folder = out or Path(named)
    fetch(open_manifest(name), folder, say)
    if str(folder) != named:
        say(f"So that kgreason finds it: export KGREASON_DATA={folder.resolve()}")


@_data.command("build")
def build_dataset(
    name: Annotated[str, typer.Argument(help="A data set of our own: lexical-nli or world-qa.")],
    out: Annotated[Path, typer.Option(help="The folder that gets the splits.")],
    seed: Annotated[int, typer.Option(help="Which of the many such sets; 0 is the one that ships.", min=0)] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing on success.")] = False,
) -> None:
    """Make a data set of our own again, from its sentence frames and WordNet, or from its questions and the world."""
    if name not in ("lexical-nli", "world-qa"):
        raise DataError(
            f"'{name}' cannot be built; only lexical-nli and world-qa can. Others: kgreason data fetch {name}"
        )
    from kgreason.tasks.frames import build_lexical_nli
    from kgreason.tasks.world_questions import build_world_qa

    set_quiet(quiet)
    counts = (build_lexical_nli if name == "lexical-nli" else build_world_qa)(out, seed)
    say(f"{out}: " + ", ".join(f"{split} {count}" for split, count in counts.items()))


def _is_there(manifest: "Manifest", path: str) -> bool:
    try:
        manifest.locate(path)
    except DataError:
        return False
    return True

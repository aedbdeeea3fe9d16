"""Builds a graph as the command line says: says what the files are taken for, how far it is, and what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kgreason.cli.console import Watcher, say
from kgreason.errors import ConfigError

if TYPE_CHECKING:
    from kgreason.data import KnowledgeGraph
    from kgreason.knowledge.progress import Progress


@final
@dataclass(frozen=True, slots=True)
class Wish:
    """What to build.

    Args:
        files: What the graph is made of.
        out: The folder of the store; None for the cache.
        form: What the files are; nothing to guess it.
        options: Arguments of the source.
        steps: What to say outright of what the vocabulary implies.
        memory: Bytes for one run.
        about: What to say about the graph.
        workers: How many processes build it.
        spark: The master of the Spark cluster that builds it; nothing for processes of this machine.
    """

    files: Sequence[str]
    out: Path | None
    form: str
    options: Mapping[str, Any]
    steps: tuple[str, ...]
    memory: int
    about: Mapping[str, str]
    workers: int = 1
    spark: str = ""


def build_as(wish: Wish) -> "KnowledgeGraph":
    """Build a graph and return it, mapped from the store if there is one.

    Raises:
        ConfigError: If the form or an option is unknown.
        DataError: If a file is broken.
        StoreError: If the store cannot be written.
    """
    from kgreason.knowledge import SOURCES, build_store, infer, open_built, open_store, save_store, source_table
    from kgreason.knowledge.blocks import Stream
    from kgreason.knowledge.build import build_graph
    from kgreason.knowledge.files import expanded

    if wish.workers > 1 or wish.spark:
        return _spread(wish)
    paths = expanded(wish.files)
    table = source_table(paths, wish.form, wish.options)
    say(f"Reading {' '.join(map(str, paths[:5]))}{' …' if len(paths) > 5 else ''} as {_title(paths[0], wish.form)}")
    with Watcher() as watcher:
        teller = Teller(watcher)
        if wish.out is None and not wish.about and not wish.steps and "-" not in wish.files:
            graph = open_built(table, tell=teller.tell)
        else:
            source = SOURCES.build(table)
            if isinstance(source, Stream) and wish.out is not None and not wish.steps:
                say(f"Writing {wish.out} …")
                build_store(source, wish.out, memory=wish.memory, tell=teller.tell, about=wish.about)
                graph = open_store(wish.out, "size")
            else:
                made = build_graph(source, wish.memory) if isinstance(source, Stream) else source()
                graph = replace(made, about={**made.about, **wish.about})
                graph = infer(graph, wish.steps) if wish.steps else graph
                if wish.out is not None:
                    say(f"Writing {wish.out} …")
                    graph = open_store(save_store(graph, wish.out), "size")
    _say_skipped(graph, wish)
    return graph


def _spread(wish: Wish) -> "KnowledgeGraph":
    from kgreason.knowledge import SOURCES, build_spread, open_store, source_table
    from kgreason.knowledge.blocks import Stream
    from kgreason.knowledge.crews import Crew, Processes, Spark
    from kgreason.knowledge.files import expanded

    if wish.out is None or wish.steps:
        raise ConfigError("--workers and --spark write a store: say where with --out, and leave --infer away.")
    paths = [path.absolute() if str(path) != "-" else path for path in expanded(wish.files)]
    source = SOURCES.build(source_table(paths, wish.form, wish.options))
    if not isinstance(source, Stream):
        raise ConfigError(f"{paths[0]} is read as a whole ({_title(paths[0], wish.form)}), so one worker does it all.")
    crew: Crew = Spark(wish.spark) if wish.spark else Processes(wish.workers)
    say(f"Reading {len(paths)} files as {_title(paths[0], wish.form)}, {crew.size} workers; writing {wish.out} …")
    with Watcher() as watcher:
        build_spread(source, wish.out, crew, memory=wish.memory, tell=Teller(watcher).tell, about=wish.about)
    graph = open_store(wish.out, "size")
    _say_skipped(graph, wish)
    return graph


def _say_skipped(graph: "KnowledgeGraph", wish: Wish) -> None:
    if int(graph.about.get("lines_skipped", 0)):
        aside = f"; they are in {wish.out}/skipped.jsonl" if wish.out is not None and not wish.steps else ""
        say(f"{int(graph.about['lines_skipped']):,} broken lines were skipped{aside}.")


def _title(path: Path, form: str) -> str:
    from kgreason.knowledge.guess import TITLES, guess

    return f"{TITLES.get(form, form)} (as you say)" if form else str(guess(path))


@final
class Teller:
    """Shows how far a build is."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def tell(self, progress: "Progress") -> None:
        """Show it: what is done, how fast, and how long it will take."""
        left = f", {progress.left:,.0f} s left" if progress.left >= 0 else ""
        if progress.stage == "reading":
            done, whole = progress.done >> 20, max(progress.whole >> 20, progress.done >> 20, 1)
            note = f"MB, {progress.triples:,} triples, {progress.rate:,.0f} a second{left}"
            self._watcher.step("reading", done, whole, note)
        else:
            self._watcher.step(progress.stage, progress.done, progress.whole, left.removeprefix(", "))

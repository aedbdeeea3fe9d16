"""Builds a graph as the command line says: says what the files are taken for, how far it is, and what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kgreason.cli.console import Watcher, say

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
    """

    files: Sequence[str]
    out: Path | None
    form: str
    options: Mapping[str, Any]
    steps: tuple[str, ...]
    memory: int
    about: Mapping[str, str]


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
    if int(graph.about.get("lines_skipped", 0)):
        aside = f"; they are in {wish.out}/skipped.jsonl" if wish.out is not None and not wish.steps else ""
        say(f"{int(graph.about['lines_skipped']):,} broken lines were skipped{aside}.")
    return graph


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

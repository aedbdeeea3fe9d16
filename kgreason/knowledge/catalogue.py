"""Finds a graph by name, folder or file, and opens it; what has to be built is built once and kept in the cache."""

import difflib
import hashlib
import json
import logging
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.knowledge.forms import SOURCES, form_of, source_table
from kgreason.knowledge.manifest import MANIFEST, VERSION
from kgreason.knowledge.store import Verify, open_store, save_store
from kgreason.places import cache_folder, data_folder, shipped

_LOG = logging.getLogger(__name__)
#: Counts as part of every key in the cache: raise it when a reader gives another graph from the same file.
_READERS = 2
#: A cached store up to this many bytes has its checksums read at every opening (at most 50 ms), a larger one its sizes.
_SMALL = 64 * 2**20


def open_graph(name_or_path: str, cache: bool = True) -> KnowledgeGraph:
    """Open a knowledge graph: `wordnet` or another name of `known_graphs`, a store, or a file in any known form.

    A file is read once; its store is kept in the cache folder under a key made of the file's content, and opening it
    again takes milliseconds. Several processes may do so at once.

    Args:
        name_or_path: The name of a graph that ships with the package or that a manifest of it describes (its file is
            then looked for below `KGREASON_DATA`), the folder of a store, a WordNet folder, or a file whose ending
            names its form (`.tsv .csv .jsonl .ttl .nt .rdf .owl .jsonld .graphml .npz` and more).
        cache: Keep what was built. Without, the graph is read into memory each time.

    Raises:
        ConfigError: If there is no such graph, or its form is unknown.
        DataError: If a line of the file is broken.
        StoreError: If a store is damaged, or a file is another one than its manifest describes.
    """
    table = table_of(name_or_path)
    return open_built(table, cache) if "path" in table else _shipped(name_or_path, cache)


def table_of(name_or_path: str) -> dict[str, str]:
    """Return what an experiment file says in `[knowledge]` to open the same graph as `open_graph` does.

    Raises:
        ConfigError: If there is no such graph, or its form is unknown.
    """
    path = Path(name_or_path)
    if name_or_path in known_graphs() and not path.exists():
        return {"name": name_or_path}
    if not path.exists():
        raise ConfigError(_unknown(name_or_path))
    return {"name": form_of(path), "path": str(path)}


def known_graphs() -> tuple[str, ...]:
    """Return the names of the graphs that ship with the package or are described in it: each `graphs/NAME.toml`."""
    return tuple(sorted(path.stem for path in shipped("graphs").glob("*.toml")))


def graph_notice(name: str) -> Mapping[str, Any]:
    """Return what `graphs/NAME.toml` says.

    `file` is a file beside it, or below `KGREASON_DATA`; `form` says what it is where its ending does not.

    Raises:
        StoreError: If it is missing, is not TOML, or names no file and checksum.
    """
    path = shipped("graphs") / f"{name}.toml"
    try:
        notice = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}. Reinstall kgreason.") from None
    if not isinstance(notice.get("file"), str) or not isinstance(notice.get("sha256"), str):
        raise StoreError(f"{path} needs a 'file' and its 'sha256'.")
    return notice


def open_built(table: Mapping[str, Any], cache: bool = True) -> KnowledgeGraph:
    """Open what the source in `table` builds, from the cache if the same files were read the same way before.

    Args:
        table: As in the section `[knowledge]` of an experiment file: `name` of a source, and its arguments.
        cache: Keep what was built.

    Raises:
        ConfigError: If the source is unknown or does not take an argument.
        DataError: If a line of the file is broken.
        StoreError: If a store is damaged.
    """
    source, given = SOURCES.build(table), table.get("path", ())
    paths = [Path(path) for path in ([given] if isinstance(given, (str, Path)) else given)]
    if not cache or not paths or table["name"] == "store" or not all(path.exists() for path in paths):
        return source()
    extra = [Path(table["names"])] if table.get("names") else []
    options = {key: value for key, value in table.items() if key not in ("path", "names")}
    return _cached(_key(options, [*paths, *extra]), source)


def _shipped(name: str, cache: bool) -> KnowledgeGraph:
    notice = graph_notice(name)

    def build() -> KnowledgeGraph:
        path, mend = _locate(name, notice)
        found = _digest([path])
        if found != notice["sha256"]:
            raise StoreError(f"{path} has the sha256 {found}, {name}.toml says {notice['sha256']}. {mend}")
        graph = SOURCES.build(source_table([path], str(notice.get("form", ""))))()
        said = {key: str(value).strip() for key, value in notice.items() if isinstance(value, (str, int, float))}
        return replace(graph, about={**graph.about, **said})

    # The key is the notice's own checksum: a packed file that was opened before need not be read again.
    return _cached(_key({"name": name, "sha256": notice["sha256"]}, []), build) if cache else build()


def _locate(name: str, notice: Mapping[str, Any]) -> tuple[Path, str]:
    """Return where the file of a graph is, and what to do if it is not the one that it should be."""
    beside = shipped("graphs") / notice["file"]
    if beside.is_file():
        return beside, "Reinstall kgreason to mend it."
    below = data_folder() / notice["file"]
    if not below.is_file():
        at = notice.get("url") or "its owners (see the manifest)"
        raise DataError(f"The graph '{name}' lacks the file {below}. Get it from {at}, and put it there.")
    return below, "The file was changed or is another version; numbers on it are not those of this graph."


def _cached(key: str, build: Callable[[], KnowledgeGraph]) -> KnowledgeGraph:
    folder = cache_folder() / "graphs" / key
    if (folder / MANIFEST).is_file():
        try:
            return open_store(folder, _how(folder))
        except StoreError as error:
            _LOG.warning("The cached graph is damaged and is built again: %s", error)
    graph = build()
    try:
        return open_store(save_store(graph, folder), "size")
    except StoreError as error:
        _LOG.warning("The graph could not be kept in the cache, so it stays in memory: %s", error)
        return graph


def _how(folder: Path) -> Verify:
    size = sum(path.stat().st_size for path in folder.glob("columns-*/*"))
    return "checksum" if size <= _SMALL else "size"


def _key(options: Mapping[str, Any], paths: list[Path]) -> str:
    names = [path.name for path in paths]  # the ending tells the form, and `about` tells the name
    said = json.dumps([_READERS, VERSION, dict(options), names], sort_keys=True, default=str)
    return hashlib.sha256(f"{said}\n{_digest(paths)}".encode()).hexdigest()[:32]


def _digest(paths: list[Path]) -> str:
    """Return the sha256 of one file, or of the files' and folders' content together."""
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    digests = []
    for file in files:
        if file.is_file():
            with file.open("rb") as stream:
                digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return (
        digests[0] if len(paths) == 1 and len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


def _unknown(name: str) -> str:
    known = known_graphs()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return (
        f"There is no graph '{name}': it is neither a file nor a folder here, nor one of the graphs that ship with "
        f"kgreason.{hint} Known: {', '.join(known) or 'none'}. Build one with: kgreason graph build FILE"
    )

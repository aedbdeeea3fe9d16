"""Finds a graph by name, folder or file, and opens it; what has to be built is built once and kept in the cache."""

import difflib
import hashlib
import inspect
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.knowledge.blocks import Stream
from kgreason.knowledge.build import build_graph, build_store
from kgreason.knowledge.files import STDIN
from kgreason.knowledge.forms import SOURCES, source_table
from kgreason.knowledge.manifest import MANIFEST, VERSION
from kgreason.knowledge.naming import name_by
from kgreason.knowledge.notice import Notice, read_notice
from kgreason.knowledge.progress import Tell
from kgreason.knowledge.remote import SparqlSource, Texts
from kgreason.knowledge.sparql import RemoteGraph
from kgreason.knowledge.store import open_store, save_store
from kgreason.places import cache_folder, data_folder, shipped

_LOG = logging.getLogger(__name__)
#: Counts as part of every key in the cache: raise it when a reader gives another graph from the same file.
_READERS = 3
#: What a manifest says to the source that asks an endpoint.
_ASKED = ("endpoint", "graph", "hops", "walk", "names", "access", "limits")


def open_graph(name_or_path: str, cache: bool = True, texts: Texts | None = None) -> KnowledgeGraph:
    """Open a knowledge graph: `wordnet` or another name of `known_graphs`, a store, a file, or an endpoint.

    A file is read once; its store is kept in the cache folder under a key made of the file's content, and opening it
    again takes milliseconds. Several processes may do so at once.

    Args:
        name_or_path: The name of a graph that ships with the package or that a manifest of it describes (its file is
            then looked for below `KGREASON_DATA`), a manifest of your own (`.toml`), the folder of a store, a WordNet
            folder, a file whose ending names its form (`.tsv .csv .jsonl .ttl .nt .rdf .owl .jsonld .graphml .npz` and
            more), or the address of a SPARQL endpoint (`https://…`).
        cache: Keep what was built. Without, the graph is read into memory each time.
        texts: What the graph is needed for; only an endpoint asks.

    Raises:
        ConfigError: If there is no such graph, its form is unknown, or its manifest is wrong.
        DataError: If a line of the file is broken.
        StoreError: If a store is damaged, a file is another one than its manifest describes, or an endpoint fails.
    """
    return open_built(table_of(name_or_path), cache, texts)


def table_of(name_or_path: str) -> dict[str, str]:
    """Return what an experiment file says in `[knowledge]` to open the same graph as `open_graph` does.

    Raises:
        ConfigError: If there is no such graph, or its form is unknown.
    """
    if name_or_path.startswith(("http://", "https://")):
        return {"name": "sparql", "endpoint": name_or_path}
    path = Path(name_or_path)
    if name_or_path in known_graphs() and not path.exists():
        return {"name": name_or_path}
    if not path.exists():
        raise ConfigError(_unknown(name_or_path))
    return source_table([path])


def is_remote(table: Mapping[str, Any]) -> bool:
    """Return whether a section `[knowledge]` names a graph that is asked for what texts need.

    Raises:
        ConfigError: If it names a manifest that is wrong.
    """
    if table["name"] == "manifest":
        return read_notice(Path(table["path"])).remote
    if table["name"] in known_graphs() and len(table) == 1:
        return "endpoint" in graph_notice(table["name"])
    return "endpoint" in table


def remote_of(table: Mapping[str, Any]) -> RemoteGraph | None:
    """Return the endpoint that a section `[knowledge]` names, ready to be asked; None if its graph is here.

    Raises:
        ConfigError: If a setting is wrong.
    """
    if not is_remote(table):
        return None
    if "endpoint" in table:
        said = dict(table)
    else:
        notice = read_notice(Path(table["path"])) if table["name"] == "manifest" else _shipped(table["name"])
        said = {"name": "sparql", **{key: notice.said[key] for key in _ASKED if key in notice.said}}
    source = SOURCES.build(said)
    return source.remote if isinstance(source, SparqlSource) else None


def known_graphs() -> tuple[str, ...]:
    """Return the names of the graphs that ship with the package or are described in it: each `graphs/NAME.toml`."""
    return tuple(sorted(path.stem for path in shipped("graphs").glob("*.toml")))


def graph_notice(name: str) -> Mapping[str, Any]:
    """Return what `graphs/NAME.toml` says; see `kgreason.knowledge.notice`.

    `file` is a file beside it, or below `KGREASON_DATA`; `form` says what it is where its ending does not.

    Raises:
        StoreError: If it is missing or wrong, or names neither a file with its checksum nor an endpoint.
    """
    return _shipped(name).said


def open_built(
    table: Mapping[str, Any], cache: bool = True, texts: Texts | None = None, tell: Tell | None = None
) -> KnowledgeGraph:
    """Open what the source in `table` builds, from the cache if the same files were read the same way before.

    Args:
        table: As in the section `[knowledge]` of an experiment file: the name of a graph alone, or `name` of a source
            and its arguments.
        cache: Keep what was built.
        texts: What the graph is needed for; only an endpoint asks.
        tell: Is told how far a build is.

    Raises:
        ConfigError: If the source is unknown or does not take an argument.
        DataError: If a line of the file is broken.
        StoreError: If a store is damaged.
    """
    if len(table) == 1 and table["name"] in known_graphs():
        return open_notice(_shipped(table["name"]), cache, texts)
    source, given = SOURCES.build(table, texts=texts, cache=cache), table.get("path", ())
    paths = [Path(path) for path in ([given] if isinstance(given, (str, Path)) else given)]
    if isinstance(source, Stream) and STDIN not in map(str, paths):
        paths = list(source.files())  # globs are expanded
    if not cache or not paths or table["name"] in ("store", "manifest") or not all(path.exists() for path in paths):
        return source()
    listed = not isinstance(source, Stream) and isinstance(table.get("names"), str) and table["names"]
    extra = [Path(table["names"])] if listed else []
    options = {key: value for key, value in table.items() if key not in ("path", "names")}
    return _cached(_key(options, [*paths, *extra]), lambda: source if isinstance(source, Stream) else source(), tell)


def open_notice(notice: Notice, cache: bool = True, texts: Texts | None = None) -> KnowledgeGraph:
    """Open the graph that a manifest describes, with its rules.

    Raises:
        ConfigError: If it names what the graph does not have, or a source does not take.
        DataError: If the file is missing, or a line of it is broken.
        StoreError: If the file is another one than the manifest says, or an endpoint fails.
    """
    if notice.remote:
        said = {key: notice.said[key] for key in _ASKED if key in notice.said}
        graph = SOURCES.build({"name": "sparql", **said}, texts=texts)()
    else:
        graph = _described(notice, cache)
    return replace(graph, about={**graph.about, **notice.about}, rules=notice.bind(graph))


def _described(notice: Notice, cache: bool) -> KnowledgeGraph:
    path, mend = _locate(notice)
    said, ours = str(notice.said.get("sha256", "")), notice.path.parent == shipped("graphs")
    names = notice.table("names")
    table = source_table([path], str(notice.said.get("form", ""))) | notice.table("read")
    if "language" in names:
        table["language"] = names["language"]
    takes = inspect.signature(SOURCES.get(table["name"])).parameters
    named_by = names.get("relations", ())
    if named_by and "labels" in takes:
        table["labels"], named_by = named_by, ()
    if table["name"] == "store" and not names:
        return open_store(path)

    def build() -> KnowledgeGraph | Stream:
        if ours:
            _compare(notice, path, said, mend)
        source = SOURCES.build(table)
        return source if isinstance(source, Stream) and not named_by else name_by(source(), named_by)

    if not ours and said:
        _compare(notice, path, said, mend)
    if not cache:
        return _graph_of(build())
    options: dict[str, Any] = {key: value for key, value in table.items() if key != "path"} | {"named_by": named_by}
    # For what ships, the key is the notice's own checksum: a packed file that was opened before is not read again.
    return _cached(_key({**options, "sha256": said}, []) if ours else _key(options, [path]), build)


def _shipped(name: str) -> Notice:
    path = shipped("graphs") / f"{name}.toml"
    try:
        notice = read_notice(path)
    except ConfigError as error:
        raise StoreError(f"{error} Reinstall kgreason.") from None
    if not notice.remote and "sha256" not in notice.said:
        raise StoreError(f"{path} needs the 'sha256' of its file.")
    return notice


def _compare(notice: Notice, path: Path, said: str, mend: str) -> None:
    found = digest_of([path])
    if found != said:
        raise StoreError(f"{path} has the sha256 {found}, {notice.path.name} says {said}. {mend}")


def _locate(notice: Notice) -> tuple[Path, str]:
    """Return where the file of a graph is, and what to do if it is not the one that it should be."""
    file, ours = notice.said["file"], notice.path.parent == shipped("graphs")
    beside = notice.path.parent / file
    if beside.exists():
        mend = "Reinstall kgreason to mend it." if ours else "Say so in the manifest if the new file is the right one."
        return beside, mend
    if not ours:
        raise DataError(f"{notice.path} describes the file {beside}, which is not there.")
    below = data_folder() / file
    if not below.is_file():
        at = notice.said.get("url") or "its owners (see the manifest)"
        raise DataError(f"The graph '{notice.path.stem}' lacks the file {below}. Get it from {at}, and put it there.")
    return below, "The file was changed or is another version; numbers on it are not those of this graph."


def _cached(key: str, build: Callable[[], KnowledgeGraph | Stream], tell: Tell | None = None) -> KnowledgeGraph:
    folder = cache_folder() / "graphs" / key
    if (folder / MANIFEST).is_file():
        try:
            return open_store(folder, "once")
        except StoreError as error:
            _LOG.warning("The cached graph is damaged and is built again: %s", error)
    made = build()
    try:
        if isinstance(made, KnowledgeGraph):
            return open_store(save_store(made, folder), "size")
        return open_store(build_store(made, folder, tell=tell), "size")
    except StoreError as error:
        _LOG.warning("The graph could not be kept in the cache, so it stays in memory: %s", error)
        return _graph_of(made)


def _graph_of(made: KnowledgeGraph | Stream) -> KnowledgeGraph:
    return made if isinstance(made, KnowledgeGraph) else build_graph(made)


def _key(options: Mapping[str, Any], paths: list[Path]) -> str:
    names = [path.name for path in paths]  # the ending tells the form, and `about` tells the name
    said = json.dumps([_READERS, VERSION, dict(options), names], sort_keys=True, default=str)
    return hashlib.sha256(f"{said}\n{digest_of(paths)}".encode()).hexdigest()[:32]


def digest_of(paths: list[Path]) -> str:
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

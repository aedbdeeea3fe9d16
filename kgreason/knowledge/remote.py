"""Sources that are described, or far away: a manifest, and what lies at an endpoint around the things texts name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, final

from kgreason.data import KnowledgeGraph
from kgreason.data.rules import Rules
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.notice import read_notice
from kgreason.knowledge.sparql import Limits, RemoteGraph
from kgreason.knowledge.sparql_client import Access
from kgreason.knowledge.sparql_names import Naming
from kgreason.registry import Registry

#: Gives each text that a graph is needed for, and the names of what it is about, if they are known.
Texts: TypeAlias = Callable[[], Iterable[tuple[str, Sequence[str]]]]
_NONE: Mapping[str, Any] = MappingProxyType({})
TABLES: Mapping[str, Registry[Any]] = {
    "walk": Registry("knowledge.walk", walk=Rules),
    "names": Registry("knowledge.names", names=Naming),
    "access": Registry("knowledge.access", access=Access),
    "limits": Registry("knowledge.limits", limits=Limits),
}


@final
class SparqlSource:
    """Reads from a SPARQL 1.1 endpoint what lies within some hops of the entities that texts name.

    The result is a graph in memory, so that grounding and decoders run on it as on any other. What the endpoint said is
    kept in the cache. In an experiment file:

        [knowledge]
        name     = "sparql"
        endpoint = "https://dbpedia.org/sparql"
        hops     = 2

    Args:
        endpoint: Its address.
        hops: How far from a named entity facts are fetched.
        graph: The named graph to ask; empty for the endpoint's default.
        walk: Which relations are followed; see `Rules` (`only`, `stop`, `hub_limit`).
        names: What names entities; see `Naming`.
        access: Who asks, and how patiently; see `Access`.
        limits: How much is fetched; see `Limits`.
        texts: What the graph is needed for; not in the file.

    Raises:
        ConfigError: If a setting makes no sense.
    """

    def __init__(
        self,
        endpoint: str,
        hops: int = 2,
        graph: str = "",
        walk: Mapping[str, Any] = _NONE,
        names: Mapping[str, Any] = _NONE,
        access: Mapping[str, Any] = _NONE,
        limits: Mapping[str, Any] = _NONE,
        texts: Texts | None = None,
    ) -> None:
        if hops < 1:
            raise ConfigError(f"[knowledge] sparql: hops = {hops}, expected at least 1.")
        made = {
            key: TABLES[key].build({"name": key} | {k: tuple(v) if isinstance(v, list) else v for k, v in t.items()})
            for key, t in (("walk", walk), ("names", names), ("access", access), ("limits", limits))
        }
        self.remote = RemoteGraph(endpoint, graph, made["walk"], made["names"], made["access"], made["limits"])
        self.hops, self.texts = hops, texts

    def __call__(self) -> KnowledgeGraph:
        if self.texts is None:
            raise ConfigError(
                f"{self.remote.endpoint} is asked for what questions name, and there is no question. To have the graph "
                f"here: kgreason graph build {self.remote.endpoint} --out FOLDER"
            )
        seeds = self.remote.seeds(self.texts())
        if not seeds:
            raise DataError(
                f"Nothing that is asked about is a name at {self.remote.endpoint}. Write an entity in [brackets], or "
                "give it as a seed, as the graph calls it (kgreason graph search looks for one)."
            )
        return self.remote.around(seeds, self.hops)


@final
class ManifestSource:
    """Opens the graph that a manifest (`.toml`) describes, a file or an endpoint, and uses it as that says.

    Args:
        path: The manifest; `kgreason graph init` writes one.
        cache: Keep what is built; not in the file.
        texts: What the graph is needed for; not in the file.

    Raises:
        ConfigError: If the manifest is wrong.
    """

    def __init__(self, path: str | Path, cache: bool = True, texts: Texts | None = None) -> None:
        self.notice, self.cache, self.texts = read_notice(Path(path)), cache, texts

    def __call__(self) -> KnowledgeGraph:
        # Not above: the catalogue opens whatever stands in the table of sources, and this stands there, too.
        from kgreason.knowledge.catalogue import open_notice

        return open_notice(self.notice, self.cache, self.texts)

"""The table of sources, and which one reads which file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kgreason.errors import ConfigError
from kgreason.knowledge.files import ending_of
from kgreason.knowledge.manifest import MANIFEST
from kgreason.knowledge.networks import NetworkFile
from kgreason.knowledge.packed import PackedSource
from kgreason.knowledge.rdf import RdfSource
from kgreason.knowledge.store import StoreSource
from kgreason.knowledge.triples import TriplesSource
from kgreason.knowledge.wndb import is_wndb
from kgreason.knowledge.wordnet import WordNetSource
from kgreason.registry import Registry
from kgreason.rooms import Source

SOURCES: Registry[Source] = Registry(
    "knowledge",
    networkx=NetworkFile,
    packed=PackedSource,
    rdf=RdfSource,
    store=StoreSource,
    triples=TriplesSource,
    wordnet=WordNetSource,
)

#: The source of each file ending; one more `.gz` behind it is unpacked on the way (not of `.npz`).
ENDINGS = {
    **dict.fromkeys((".tsv", ".csv", ".jsonl", ".ndjson"), "triples"),
    **dict.fromkeys((".ttl", ".nt", ".nq", ".trig", ".n3", ".rdf", ".owl", ".xml", ".jsonld", ".trix", ".hext"), "rdf"),
    **dict.fromkeys((".graphml", ".gexf", ".gml"), "networkx"),
    ".npz": "packed",
}


def form_of(path: Path) -> str:
    """Return the name of the source that reads this file or folder.

    Raises:
        ConfigError: If nothing here reads it.
    """
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return "store"
        if is_wndb(path):
            return "wordnet"
        raise ConfigError(f"{path} is neither a graph store (no {MANIFEST}) nor a WordNet folder (no data.noun).")
    ending = ending_of(path)
    if ending not in ENDINGS:
        raise ConfigError(
            f"{path}: the ending '{ending}' names no known form. Known: {' '.join(ENDINGS)}. "
            "Say which it is with: kgreason graph build --form tsv (or another), or rename the file."
        )
    return ENDINGS[ending]


def build_source(table: Mapping[str, Any]) -> Source:
    """Build a source from the section `[knowledge]` of an experiment file."""
    return SOURCES.build(table)

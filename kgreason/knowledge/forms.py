"""The table of sources, and which one reads which file."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgreason.errors import ConfigError
from kgreason.knowledge.files import ending_of
from kgreason.knowledge.manifest import MANIFEST
from kgreason.knowledge.networks import NetworkFile
from kgreason.knowledge.packed import PackedSource
from kgreason.knowledge.perturb import PerturbedSource
from kgreason.knowledge.rdf import RdfSource
from kgreason.knowledge.remote import ManifestSource, SparqlSource
from kgreason.knowledge.statements import SYNTAXES
from kgreason.knowledge.store import StoreSource
from kgreason.knowledge.triples import TRIPLE_FORMS, TriplesSource
from kgreason.knowledge.wndb import is_wndb
from kgreason.knowledge.wordnet import WordNetSource
from kgreason.registry import Registry
from kgreason.rooms import Source

SOURCES: Registry[Source] = Registry(
    "knowledge",
    manifest=ManifestSource,
    networkx=NetworkFile,
    packed=PackedSource,
    perturb=PerturbedSource,
    rdf=RdfSource,
    sparql=SparqlSource,
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
    ".toml": "manifest",
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
    if not path.exists():
        raise ConfigError(f"{path} is missing: there is no such file or folder.")
    ending = ending_of(path)
    if ending not in ENDINGS:
        raise ConfigError(
            f"{path}: the ending '{ending}' names no known form. Known: {' '.join(ENDINGS)}. "
            "Say which it is with: kgreason graph build --form tsv (or another), or rename the file."
        )
    return ENDINGS[ending]


def source_table(paths: Sequence[Path], form: str = "", options: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the section `[knowledge]` that reads these files.

    Args:
        paths: Files of one form, or one folder.
        form: The name of a source, of a kind of triples (`tsv csv jsonl`) or of an RDF syntax (`turtle nt nquads trig
            n3 xml json-ld trix hext`); empty if the first file's ending says it.
        options: Arguments of the source, as text; a column that is a number is taken as one.

    Raises:
        ConfigError: If the form is unknown.
    """
    table: dict[str, Any] = {key: int(value) if value.isdigit() else value for key, value in (options or {}).items()}
    table["path"] = str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]
    if form in TRIPLE_FORMS:
        return table | {"name": "triples", "form": form}
    if form in SYNTAXES:
        return table | {"name": "rdf", "syntax": form}
    if form and form not in SOURCES:
        near = difflib.get_close_matches(form, _FORMS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"The form '{form}' is not known.{hint} Known: {', '.join(_FORMS)}.")
    return table | {"name": form or form_of(paths[0])}


_FORMS = (*SOURCES, *TRIPLE_FORMS, *SYNTAXES)

"""The table of sources, and which one reads which file."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kgreason.errors import ConfigError
from kgreason.knowledge.conceptnet import ConceptNetSource
from kgreason.knowledge.files import ending_of
from kgreason.knowledge.graphml import GraphmlSource
from kgreason.knowledge.guess import ENDINGS, guess
from kgreason.knowledge.infer import InferredSource
from kgreason.knowledge.networks import NetworkFile
from kgreason.knowledge.obo import OboSource
from kgreason.knowledge.packed import PackedSource
from kgreason.knowledge.parquet import ParquetSource
from kgreason.knowledge.perturb import PerturbedSource
from kgreason.knowledge.rdf import RdfSource
from kgreason.knowledge.remote import ManifestSource, SparqlSource
from kgreason.knowledge.statements import SYNTAXES
from kgreason.knowledge.store import StoreSource
from kgreason.knowledge.triples import TRIPLE_FORMS, TriplesSource
from kgreason.knowledge.wikidata import WikidataSource
from kgreason.knowledge.wordnet import WordNetSource
from kgreason.registry import Registry
from kgreason.rooms import Source

SOURCES: Registry[Source] = Registry(
    "knowledge",
    conceptnet=ConceptNetSource,
    graphml=GraphmlSource,
    infer=InferredSource,
    manifest=ManifestSource,
    networkx=NetworkFile,
    obo=OboSource,
    packed=PackedSource,
    parquet=ParquetSource,
    perturb=PerturbedSource,
    rdf=RdfSource,
    sparql=SparqlSource,
    store=StoreSource,
    triples=TriplesSource,
    wikidata=WikidataSource,
    wordnet=WordNetSource,
)

#: The source of each form that is not the name of one.
_SOURCE = {
    **dict.fromkeys(TRIPLE_FORMS, ("triples", "form")),
    **dict.fromkeys(SYNTAXES, ("rdf", "syntax")),
}


def form_of(path: Path) -> str:
    """Return the name of the source that reads this file or folder.

    Raises:
        ConfigError: If nothing here reads it.
    """
    form = guess(path).form
    return _SOURCE[form][0] if form in _SOURCE else form


def source_table(paths: Sequence[Path], form: str = "", options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the section `[knowledge]` that reads these files.

    Args:
        paths: Files of one form, or one folder.
        form: The name of a source, of a kind of triples (`tsv csv jsonl`) or of an RDF syntax (`turtle nt nquads trig
            n3 xml json-ld trix hext`); empty to guess it, by the first file's name and how it begins.
        options: Arguments of the source; of text, a column that is a number is taken as one.

    Raises:
        ConfigError: If the form is unknown.
    """
    table = {key: _number(value) if key in _COLUMNS else value for key, value in (options or {}).items()}
    table["path"] = str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]
    if form and form not in _FORMS:
        near = difflib.get_close_matches(form, _FORMS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ConfigError(f"The form '{form}' is not known.{hint} Known: {', '.join(_FORMS)}.")
    found = form or guess(paths[0]).form
    if found not in _SOURCE:
        return {**table, "name": found}
    name, argument = _SOURCE[found]
    # What the ending says need not be said again: several files may have several endings.
    return (
        {**table, "name": name} if not form and _by_ending(paths, found) else {**table, "name": name, argument: found}
    )


def _by_ending(paths: Sequence[Path], form: str) -> bool:
    return ending_of(paths[0]) in (".zip", ".tar") or ENDINGS.get(ending_of(paths[0])) == form


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


_FORMS = (*SOURCES, *TRIPLE_FORMS, *SYNTAXES)
_COLUMNS = ("head", "relation", "tail")

"""Guesses what a file is, by its name and by how it begins, and says why."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.archives import Raw, feeds_of
from kgreason.knowledge.files import PACKINGS, STDIN, ending_of
from kgreason.knowledge.limits import Limits
from kgreason.knowledge.manifest import MANIFEST
from kgreason.knowledge.wndb import is_wndb

#: The form of each file ending; one more `.gz .bz2 .xz .zst` behind it is unpacked on the way.
ENDINGS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".ttl": "turtle",
    ".nt": "nt",
    ".nq": "nquads",
    ".trig": "trig",
    ".n3": "n3",
    ".rdf": "xml",
    ".owl": "xml",
    ".xml": "xml",
    ".jsonld": "json-ld",
    ".trix": "trix",
    ".hext": "hext",
    ".obo": "obo",
    ".graphml": "graphml",
    ".gexf": "networkx",
    ".gml": "networkx",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "parquet",
    ".ipc": "parquet",
    ".feather": "parquet",
    ".npz": "packed",
    ".toml": "manifest",
}
#: What is called what.
TITLES = {
    "tsv": "tab-separated triples",
    "csv": "comma-separated triples",
    "jsonl": "JSON lines",
    "turtle": "Turtle",
    "nt": "N-Triples",
    "nquads": "N-Quads",
    "trig": "TriG",
    "n3": "N3",
    "xml": "RDF/XML",
    "json-ld": "JSON-LD",
    "trix": "TriX",
    "hext": "HexTuples",
    "obo": "OBO",
    "graphml": "GraphML",
    "networkx": "a graph file of networkx",
    "parquet": "Parquet or Arrow",
    "packed": "a packed graph",
    "manifest": "a manifest",
    "conceptnet": "ConceptNet's dump",
    "wikidata": "Wikidata's truthy statements",
    "store": "a graph store",
    "wordnet": "a WordNet database",
}
#: Forms whose endings other forms use as well, so that the content decides.
_SHARED = ("xml", "csv", "tsv", "nt")
_ARCHIVES = (".zip", ".tar")
_HEAD = 2**14
_STATEMENT = re.compile(
    rb"(?:<[^<>\s]*>|_:\S+)\s+<[^<>\s]*>\s+(?:<[^<>\s]*>|_:\S+|\".*\"\S*)\s*(<[^<>]*>|_:\S+)?\s*\.\s*$"
)
_PREFIX = re.compile(rb"^\s*(@prefix|@base|PREFIX|BASE)\s", re.IGNORECASE | re.MULTILINE)


@final
@dataclass(frozen=True, slots=True)
class Guess:
    """What a file is.

    Args:
        form: One of `TITLES`.
        why: What it was told by.
    """

    form: str
    why: str

    def __str__(self) -> str:
        return f"{TITLES[self.form]} ({self.why})"


def guess(path: Path) -> Guess:
    """Guess what a file or folder is.

    Raises:
        ConfigError: If neither its name nor its content is known.
    """
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return Guess("store", f"it has a {MANIFEST}")
        if is_wndb(path):
            return Guess("wordnet", "it has a data.noun")
        raise ConfigError(f"{path} is neither a graph store (no {MANIFEST}) nor a WordNet folder (no data.noun).")
    if str(path) == STDIN:
        raise ConfigError("Nobody can tell what comes from standard input. Say it with --form: tsv, nt, turtle, …")
    if not path.exists():
        raise ConfigError(f"{path} is missing: there is no such file or folder.")
    named = ENDINGS.get(ending_of(path), "")
    if named and named not in _SHARED:
        return Guess(named, f"by the ending {ending_of(path)}")
    found = _content(path)
    if found is not None and (not named or found.form != named):
        return found
    if not named:
        raise ConfigError(
            f"{path}: the ending '{ending_of(path)}' names no known form, and its content none either. "
            f"Known: {' '.join(ENDINGS)}, each also with {' '.join(PACKINGS)}, or in a .zip or .tar. "
            "Say which it is with: kgreason graph build --form tsv (or another), or rename the file."
        )
    return Guess(named, f"by the ending {ending_of(path)}")


def _content(path: Path) -> Guess | None:
    """Look at how a file begins; at the first file of an archive whose ending is known."""
    raw = Raw(path)
    try:
        for feed in feeds_of(raw, Limits()):
            if ending_of(path) in _ARCHIVES:
                if feed.ending in ENDINGS:
                    return Guess(ENDINGS[feed.ending], f"by the ending {feed.ending} in the archive")
                continue
            head = feed.read(_HEAD).removeprefix(b"\xef\xbb\xbf")
            form = form_of_content(head, ending_of(path))
            return Guess(form, "by how it begins") if form else None
    except DataError:  # the reader says better what is wrong with it
        return None
    finally:
        raw.close()
    return None


def form_of_content(head: bytes, ending: str = "") -> str:
    """Return the form of a file that begins so, or nothing."""
    if head[:4] == b"PAR1" or head[:6] == b"ARROW1":
        return "parquet"
    text = head.lstrip()
    if text[:1] == b"<" and text[1:2] in (b"?", b"!", b"r", b"R", b"g", b"T"):
        found = _xml(text)
        if found:
            return found
    if text[:1] in (b"{", b"["):
        return _json(text) or ("trig" if _PREFIX.search(text) else "")
    if text.startswith(b"format-version:") or b"\n[Term]" in head:
        return "obo"
    lines = [line for line in head.split(b"\n")[:-1] or [head] if line.strip() and not line.startswith(b"#")]
    if _PREFIX.search(head):
        return "trig" if re.search(rb"(GRAPH\s+\S+|<[^>]*>|\w*:\w*)\s*\{", head) else "turtle"
    return _lines(lines, ending)


def _xml(text: bytes) -> str:
    for mark, form in ((b"<graphml", "graphml"), (b"<gexf", "networkx"), (b"<TriX", "trix"), (b":RDF", "xml")):
        if mark in text:
            return form
    return "xml" if b"22-rdf-syntax-ns#" in text else ""


def _json(text: bytes) -> str:
    first = text.split(b"\n", 1)[0].strip()
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return "json-ld" if b'"@' in text else ""
    if isinstance(value, list) and len(value) == 6 and all(isinstance(each, str) for each in value):
        return "hext"
    keys = set(value) if isinstance(value, dict) else set()
    if any(key.startswith("@") for key in keys) or (isinstance(value, list) and b'"@' in first):
        return "json-ld"
    return "jsonl" if keys or (isinstance(value, list) and len(value) >= 3) else ""


def _lines(lines: list[bytes], ending: str) -> str:
    if not lines:
        return ""
    if lines[0].startswith(b"/a/[/r/"):
        return "conceptnet"
    found = [_STATEMENT.match(line) for line in lines[:20]]
    if all(found):
        if any(b"wikiba.se/ontology#Dump" in line or b"/Special:EntityData/" in line for line in lines[:20]):
            return "wikidata"
        return "nquads" if any(each and each[1] for each in found) else "nt"
    if ending == ".csv":
        return ""
    if all(line.count(b"\t") >= 2 for line in lines[:20]):
        return "tsv"
    return "csv" if all(line.count(b",") >= 2 for line in lines[:20]) else ""

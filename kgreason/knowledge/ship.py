"""Compiles WordNet and the world into the files that ship in `graphs/`. Run again, it gives the same bytes."""

import hashlib
from pathlib import Path

from kgreason.data import KnowledgeGraph
from kgreason.knowledge.packed import pack
from kgreason.knowledge.rdf import RdfSource
from kgreason.knowledge.wndb import read_exceptions, read_notice
from kgreason.knowledge.wordnet import WordNetSource
from kgreason.knowledge.writing import writing
from kgreason.whole import write_whole

_NOTICE = """\
# WordNet, compiled. Made by `kgreason graph wordnet FOLDER`; do not edit.
title      = "WordNet {version}: synsets, words and the relations between them"
version    = "{version}"
origin     = "WordNet {version}, Princeton University, https://wordnet.princeton.edu (files of Debian's wordnet-base)"
licence    = "WordNet {version} licence, in full in WORDNET-LICENSE"
changes    = "Relations, words and counts only; glosses, examples and verb frames are left out."
file       = "{file}"
sha256     = "{sha256}"
exceptions = "wordnet-exceptions.tsv"
"""
_WORLD = """\
# The world, packed. Made by `kgreason graph world graphs/world.ttl`; edit world.ttl, not this.
title      = "World: countries, cities, borders, money, languages, waters and mountains, by their names"
version    = "2026"
origin     = "Written for kgreason from general knowledge: world.ttl"
licence    = "Apache-2.0, as kgreason"
file       = "{file}"
sha256     = "{sha256}"
"""
_COUNTS = """\
entities   = {entities}
relations  = {relations}
triples    = {triples}
labels     = {labels}
senses     = {senses}
"""


def ship_wordnet(source: Path | str, folder: Path | str) -> list[Path]:
    """Compile a WordNet database folder into four files and return their paths.

    - `wordnet-VERSION.npz`: the packed graph;
    - `wordnet.toml`: what it is, under which licence, its checksum and counts;
    - `wordnet-exceptions.tsv`: irregular forms, one `UPOS TAB form TAB lemma` a line, sorted;
    - `WORDNET-LICENSE`: the notice that stands at the head of every file of the database.

    Raises:
        DataError: If the database is incomplete or broken.
        StoreError: If a file cannot be written.
    """
    source, folder = Path(source), Path(folder)
    graph = WordNetSource(source)()
    version = graph.about["version"]
    packed = pack(graph, folder / f"wordnet-{version}.npz")
    text = _NOTICE.format(version=version, file=packed.name, sha256=_digest(packed)) + _counts(graph)
    exceptions = "".join("\t".join(row) + "\n" for row in read_exceptions(source))
    written = {"wordnet-exceptions.tsv": exceptions, "WORDNET-LICENSE": read_notice(source), "wordnet.toml": text}
    with writing(folder):
        return [packed, *(write_whole(folder / name, text.encode()) for name, text in written.items())]


def ship_world(source: Path | str, folder: Path | str) -> list[Path]:
    """Pack the hand-written Turtle into `world.npz` and `world.toml` and return their paths.

    Raises:
        DataError: If the Turtle is broken.
        StoreError: If a file cannot be written.
    """
    folder = Path(folder)
    graph = RdfSource(source)()
    packed = pack(graph, folder / "world.npz")
    text = _WORLD.format(file=packed.name, sha256=_digest(packed)) + _counts(graph)
    with writing(folder):
        return [packed, write_whole(folder / "world.toml", text.encode())]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _counts(graph: KnowledgeGraph) -> str:
    return _COUNTS.format(
        entities=len(graph.entities),
        relations=len(graph.relations),
        triples=graph.num_triples,
        labels=len(graph.labels.names),
        senses=len(graph.labels.entity),
    )

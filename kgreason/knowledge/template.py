"""Writes the manifest of a graph, with every key explained and what can be found out filled in."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge.catalogue import digest_of, open_built, table_of
from kgreason.knowledge.sparql import RemoteGraph
from kgreason.whole import write_whole

#: So many relations are listed for the owner to choose from, the most frequent first.
_LISTED = 40
_HEAD = """\
# What this graph is. Use it with: kgreason ask "…" --graph THIS-FILE, or in an experiment file:
# [knowledge]
# name = "manifest"
# path = "THIS-FILE"
title   = {title}
version = ""
origin  = ""    # who made it
licence = ""    # under which terms others may use it
# url   = "https://…"
# note  = "What a reader should know."

{where}
# ---- what things are called ----
[names]
# Relations that lead to a name, the best first{names_hint}
# relations = [{labels}]
{language}

# ---- which facts are walked, by grounding and by questions ----
[walk]
# only = ["…"]        # walk these relations alone
# stop = ["…"]        # never walk these; literals never are
hub_limit = 0         # an entity with more facts in one relation is not left that way; 0: no limit

# ---- what relations say of words: the natural logic of the graph ----
# One of: equivalence, forward (a dog is an animal), reverse, negation (one of the two holds), alternation (at most one
# of the two holds), opposite (one or the other), near, attribute, part, whole, related.
[lexical]
{lexical}
"""
_FILE = """\
# ---- where it is ----
file   = {file}
{form}sha256 = "{sha256}"   # leave it out while the file still changes
# [read]              # arguments of the reader, such as the columns of a table
# head     = 1
# relation = 2
# tail     = 3
"""
_ENDPOINT = """\
# ---- where it is: asked for what questions need, never read as a whole ----
endpoint = {endpoint}
# graph  = "http://…"   # the named graph; without, the endpoint's default
hops     = 2            # how far from what a question names facts are fetched

[access]
auth    = "none"        # basic: the variable below holds user:password; bearer: it holds the token
secret  = "KGREASON_SPARQL"
timeout = 60.0          # seconds for one answer
retries = 4

[limits]
facts = 200000          # at most so many facts around the questions of a batch
hub   = 10000           # longer runs of one entity and relation are not fetched
days  = 7.0             # how long answers are kept
"""
#: What relations of these names usually say.
_USUAL = {
    "subclassof": "forward",
    "is_a": "forward",
    "isa": "forward",
    "hypernym": "forward",
    "broader": "forward",
    "narrower": "reverse",
    "hyponym": "reverse",
    "sameas": "equivalence",
    "synonym": "equivalence",
    "exactmatch": "equivalence",
    "disjointwith": "alternation",
    "antonym": "opposite",
    "part_of": "part",
    "partof": "part",
    "haspart": "whole",
}


def template_of(source: str) -> tuple[str, str]:
    """Return a name for a graph, and the text of its manifest.

    Args:
        source: A file, a store, or the address of an endpoint.

    Raises:
        ConfigError: If it is none of these.
        DataError: If the file is broken.
        StoreError: If the endpoint fails.
    """
    table = table_of(source)
    if "endpoint" in table:
        remote = RemoteGraph(source)
        name = (urlsplit(source).hostname or "graph").replace(".", "-")
        return name, _filled(name, _ENDPOINT.format(endpoint=_text(source)), remote.relations(), {})
    if "path" not in table or table["name"] == "manifest":
        raise ConfigError(f"'{source}' has a manifest already. Give a file, a store, or the address of an endpoint.")
    graph, path = open_built(table), Path(source)
    name = path.name.split(".")[0] or "graph"
    form = "" if path.is_dir() else _form(table["name"])
    said = _FILE.format(file=_text(str(path.resolve())), form=form, sha256=digest_of([path]))
    return name, _filled(name, said, _counted(graph), _counts(graph))


def write_template(text: str, path: Path, force: bool) -> Path:
    """Write a manifest; one that is there is kept unless `force`.

    Raises:
        ConfigError: If there is one, or the name does not end in `.toml`.
    """
    if path.suffix != ".toml":
        raise ConfigError(f"--out {path}: a manifest ends in .toml.")
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already. Give another --out, or --force to write over it.")
    if 'file   = "' in text:  # a file beside its manifest is named by its name alone, so that both can move
        named = json.loads(text.split("file   = ", 1)[1].split("\n", 1)[0])
        if Path(named).parent == path.resolve().parent:
            text = text.replace(_text(named), _text(Path(named).name))
    return write_whole(path, text.encode())


def _filled(name: str, where: str, relations: dict[str, int], counts: dict[str, int]) -> str:
    most = sorted(relations.items(), key=lambda item: (-item[1], item[0]))
    listed = [f"#   {count:>10,}  {relation}" for relation, count in most[:_LISTED]]
    listed += [f"#   and {len(most) - _LISTED} more: kgreason graph info"] if len(most) > _LISTED else []
    told = {relation: _USUAL.get(_last(relation)) for relation, _ in most}
    lexical = [f"{_text(relation)} = {_text(says)}" for relation, says in told.items() if says]
    remote = "endpoint = " in where
    labels = '"http://www.w3.org/2000/01/rdf-schema#label"'
    text = _HEAD.format(
        title=_text(name),
        where=where,
        names_hint=" (without: skos:prefLabel, rdfs:label, schema:name and their like)",
        labels=labels,
        language='language = "en"'
        if remote
        else '# language = "en"   # of the names that are shown, where names have one',
        lexical="\n".join([*lexical, "# The relations of the graph, and how many facts each has:", *listed]),
    )
    plain = "".join(f"{key:9} = {value}\n" for key, value in counts.items())
    return text.replace("\n# ---- where it is", f"{plain}\n# ---- where it is", 1)


def _counts(graph: KnowledgeGraph) -> dict[str, int]:
    return {"entities": len(graph.entities), "relations": len(graph.relations), "triples": graph.num_triples}


def _counted(graph: KnowledgeGraph) -> dict[str, int]:
    import numpy as np

    counts = np.bincount(graph.relation, minlength=len(graph.relations)).tolist()
    return dict(zip(graph.relations, counts, strict=True))


def _form(source: str) -> str:
    return f'# form = "{source}"   # where the ending does not say what the file is\n'


def _last(relation: str) -> str:
    return relation.rstrip("/#").replace("#", "/").rpartition("/")[2].lower()


def _text(value: str) -> str:
    """Return a text as TOML writes it: its basic strings are JSON's, but for the delete character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

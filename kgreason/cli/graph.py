"""Build a knowledge graph and look at it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli import graph_look
from kgreason.cli.console import print_json, say, set_quiet
from kgreason.errors import ConfigError

if TYPE_CHECKING:
    from kgreason.data import KnowledgeGraph

_graph = typer.Typer(name="graph", help="Build a knowledge graph and look at it.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")]
_Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
_Column = Annotated[str, typer.Option(metavar="COLUMN", help="Its column: a number from 1, or a name.")]
_Option = Annotated[
    list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="An argument of the source: language=de, …")
]
_Limit = Annotated[
    list[str] | None, typer.Option("--limit", metavar="KEY=VALUE", help="What a file may hold: field, line, ratio, …")
]
_About = Annotated[
    list[str] | None, typer.Option("--about", metavar="KEY=VALUE", help="Say what it is: licence=CC0, origin=…")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file, and those that look at a graph, to `app`."""
    graph_look.add(_graph)
    app.add_typer(_graph)


@_graph.command("build")
def build(  # noqa: PLR0913 - one argument for each option
    files: Annotated[list[str], typer.Argument(help="Files of one form, a pattern in quotes, a folder, or -.")],
    out: Annotated[Path | None, typer.Option(help="The folder of the store; default: the cache.")] = None,
    form: Annotated[str, typer.Option(help="What the files are, if the guess is wrong: tsv, turtle, obo, …")] = "",
    head: _Column = "",
    relation: _Column = "",
    tail: _Column = "",
    names: Annotated[str, typer.Option(metavar="FILE", help="A TSV file of entity and label.")] = "",
    option: _Option = None,
    limit: _Limit = None,
    skip_bad_lines: Annotated[bool, typer.Option(help="Count broken lines and write them aside.")] = False,
    infer: Annotated[str, typer.Option(metavar="STEPS", help="What to say outright: same,inverse,transitive,…")] = "",
    memory: Annotated[int, typer.Option(help="Megabytes for one run; a build takes about twice as much.", min=1)] = 256,
    workers: Annotated[int, typer.Option(help="How many processes build it; takes --out.", min=1)] = 1,
    spark: Annotated[
        str, typer.Option(metavar="MASTER", help="Build as a Spark job: local[4], spark://host:7077.")
    ] = "",
    about: _About = None,
    pack: Annotated[Path | None, typer.Option(metavar="FILE", help="Also pack it into one .npz file.")] = None,
    json: _Json = False,
    quiet: _Quiet = False,
) -> None:
    """Build a graph from files: TSV, CSV, JSON lines, Parquet, RDF in any syntax, OBO, GraphML, ConceptNet, Wikidata.

    Or from a SPARQL endpoint, given by its address or by a manifest: it is fetched page by page, in order.

    With --workers or --spark, files are read and triples are sorted by many at once, and the bytes are the same: cut a
    large graph into files, or give N-Triples, TSV or JSON lines that are not packed.

    Without --out the store is kept in the cache, and the same files are opened from there next time. A build that was
    stopped goes on when the same command is given again.
    """
    from kgreason.cli.graph_build import Wish, build_as
    from kgreason.cli.graph_fetch import endpoint_dump, fetch
    from kgreason.knowledge import pack as pack_graph

    set_quiet(quiet)
    columns = {"head": head, "relation": relation, "tail": tail, "names": names}
    given: dict[str, Any] = {key: value for key, value in columns.items() if value}
    given |= {key: _value(value) for key, value in (_pair("--option", pair) for pair in option or [])}
    if limit:
        given["limits"] = {key: _value(value) for key, value in (_pair("--limit", pair) for pair in limit)}
    if skip_bad_lines:
        given["bad_lines"] = "skip"
    steps = tuple(step.strip() for step in infer.split(",") if step.strip())
    said = dict(_pair("--about", pair) for pair in about or [])
    dump = endpoint_dump(files, out)
    if dump is not None:
        naming, said = dump.remote.names.naming, {"source": dump.remote.endpoint, **said}
        given = {"labels": naming.relations, "language": naming.language, **given}
    whole = fetch(dump) if dump is not None else files
    graph = build_as(
        Wish(whole, out, form or "nt" * (dump is not None), given, steps, memory * 2**20, said, workers, spark)
    )
    if dump is not None:
        dump.remove()
    if pack is not None:
        say(f"Packing {pack} …")
        pack_graph(graph, pack)
    _tell(graph, str(out or ", ".join(files)), json)


@_graph.command("shard")
def shard(
    store: Annotated[Path, typer.Argument(help="The folder of a store.")],
    out: Annotated[Path, typer.Option(help="Where the folders of the parts go.")],
    parts: Annotated[int, typer.Option(help="How many.", min=1)] = 2,
    json: _Json = False,
) -> None:
    """Cut a store by head entity into stores of their own; ids and names mean the same in all of them."""
    from kgreason.knowledge.shards import shard_store

    for path in shard_store(store, out, parts):
        print_json({"folder": str(path)}) if json else typer.echo(str(path))


@_graph.command("export")
def export(
    name: Annotated[str, typer.Argument(metavar="NAME|DIR|FILE", help="As `wordnet`, a store, or a graph file.")],
    out: Annotated[Path, typer.Argument(help="The file to write: .nt, .tsv or .graphml.")],
    form: Annotated[str, typer.Option(help="nt, tsv or graphml, if the ending does not say.")] = "",
    json: _Json = False,
) -> None:
    """Write a graph as N-Triples, TSV or GraphML. N-Triples also hold the labels, and give the same graph back."""
    from kgreason.knowledge import export_graph, open_graph

    path = export_graph(open_graph(name), out, form)
    print_json({"file": str(path), "bytes": path.stat().st_size}) if json else typer.echo(str(path))


@_graph.command("list")
def list_graphs(json: _Json = False) -> None:
    """List the graphs that ship with kgreason, and those that it describes."""
    from kgreason.knowledge import graph_notice, known_graphs

    for name in known_graphs():
        notice = graph_notice(name)
        if json:
            print_json({"name": name, **notice})
        else:
            typer.echo(f"{name:16} {notice.get('title', '')}. {notice.get('licence', '')}")


@_graph.command("wordnet")
def wordnet(
    folder: Annotated[Path, typer.Argument(help="WordNet's database files; on Debian /usr/share/wordnet.")],
    out: Annotated[Path, typer.Option(help="Where the compiled files go.")] = Path("graphs"),
    json: _Json = False,
) -> None:
    """Compile WordNet into the files that ship in graphs/. The same database gives the same bytes."""
    from kgreason.knowledge import ship_wordnet

    for path in ship_wordnet(folder, out):
        print_json({"file": str(path), "bytes": path.stat().st_size}) if json else typer.echo(str(path))


@_graph.command("world")
def world(
    file: Annotated[Path, typer.Argument(help="The hand-written Turtle.")] = Path("graphs/world.ttl"),
    out: Annotated[Path, typer.Option(help="Where the packed file and its notice go.")] = Path("graphs"),
    json: _Json = False,
) -> None:
    """Pack the graph of the world into the files that ship in graphs/. The same Turtle gives the same bytes."""
    from kgreason.knowledge import ship_world

    for path in ship_world(file, out):
        print_json({"file": str(path), "bytes": path.stat().st_size}) if json else typer.echo(str(path))


def _pair(option: str, pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not key or not equals:
        example = {"--about": "licence=CC0-1.0", "--option": "language=de"}.get(option, "field=65536")
        raise ConfigError(f"{option} {pair!r} is not KEY=VALUE, such as {example}.")
    return key, value


def _value(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _tell(graph: "KnowledgeGraph", where: str, json: bool) -> None:
    from kgreason.knowledge.lookup import summary

    told = summary(graph)
    if json:
        print_json({"graph": where, **told})
        return
    relations: Any = told["relations"]
    called: Any = told["relation_labels"]
    typer.echo(f"{where}: {told['entities']:,} entities, {len(relations)} relations, {told['triples']:,} triples")
    typer.echo(f"{told['labels']:,} labels with {told['senses']:,} senses")
    for key, value in graph.about.items():
        typer.echo(f"  {key:12} {value}")
    graph_look.tell_relations(
        relations, called, graph_look.RELATIONS, f"all with: kgreason graph info {where} --limit 0"
    )

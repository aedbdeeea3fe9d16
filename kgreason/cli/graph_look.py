"""Look at a knowledge graph, here or at an endpoint: what it is, what it says, what may be wrong with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kgreason.cli.console import EXIT_USER, print_json, say
from kgreason.errors import ConfigError, DataError

if TYPE_CHECKING:
    from kgreason.knowledge.summary import Summary

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per result.")]
_Name = Annotated[str, typer.Argument(metavar="GRAPH", help="A name as `wordnet`, a store, a file, an endpoint.")]
_Graph = Annotated[
    str, typer.Option("--graph", "-g", metavar="GRAPH", help="A name, a store, a file, a manifest, or an endpoint.")
]
#: Of so many relations all are told; a graph may have thousands.
RELATIONS = 40


def add(commands: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (info, show, search, path, sample, plot, check, init):
        commands.command(command.__name__)(command)


def info(
    name: _Name,
    limit: Annotated[int, typer.Option(help="At most so many relations; 0 for all.", min=0)] = RELATIONS,
    json: _Json = False,
) -> None:
    """Tell what a graph is: origin, licence, counts, degrees, parts, labels, relations."""
    from kgreason.knowledge.explore import Explore, RemoteSummary

    told = Explore(name).info()
    if json:
        print_json({"graph": name, **told.told()})
        return
    if isinstance(told, RemoteSummary):
        typer.echo(
            f"{name}: {len(told.relations)} relations, {sum(told.relations.values()):,} triples between entities"
        )
    else:
        _summary(name, told)
    tell_relations(told.relations, told.relation_labels, limit, "all with --limit 0")


def tell_relations(
    relations: Mapping[str, int], called: Mapping[str, Sequence[str]], limit: int, all_with: str
) -> None:
    """Print the relations of a graph with how many facts each has, the largest first; of many, not all."""
    typer.echo("Relations:")
    ordered = sorted(relations.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ordered[: limit or None]:
        typer.echo(f"  {count:>12,} {name}" + (f"  ({', '.join(called[name])})" if called.get(name) else ""))
    if 0 < limit < len(ordered):
        typer.echo(f"  … and {len(ordered) - limit:,} more; {all_with}")


def show(
    entity: Annotated[str, typer.Argument(help="The name of an entity, or a label: dog.n.01, dog.")],
    graph: _Graph = "wordnet",
    limit: Annotated[int, typer.Option(help="At most so many triples each way; 0 for all.", min=0)] = 20,
    json: _Json = False,
) -> None:
    """Show an entity and its triples; if a label may mean several, all of them, the likeliest first."""
    from kgreason.knowledge.explore import Explore

    entities = Explore(graph).show(entity, limit).entities
    if json:
        for told in entities:
            print_json(told)
        return
    if len(entities) > 1:
        typer.echo(f"'{entity}' may mean {len(entities)} entities:")
        for told in entities:
            typer.echo(_line(told))
        say(f"Show one with: kgreason graph show '{entities[0]['entity']}' --graph {graph}")
        return
    _show(entities[0])


def search(
    text: Annotated[str, typer.Argument(help="What is remembered of a name.")],
    graph: _Graph = "wordnet",
    limit: Annotated[int, typer.Option(help="At most so many entities.", min=1)] = 20,
    json: _Json = False,
) -> None:
    """Look for entities: labels that read so, labels that hold the text, labels that are like it."""
    from kgreason.knowledge.explore import Explore

    found = Explore(graph).search(text, limit).found
    if not found:
        raise DataError(f"No label of {graph} is like {text!r}.")
    for hit in found:
        if json:
            print_json(hit.told())
        else:
            shown = f" ({hit.shown})" if hit.shown != hit.label else ""
            typer.echo(f"{hit.score:.2f} {hit.match:5} {hit.label}{shown}  {hit.entity}  {hit.facts:,} facts")


def path(
    start: Annotated[str, typer.Argument(help="The name of an entity, or a label.")],
    end: Annotated[str, typer.Argument(help="The name of another.")],
    graph: _Graph = "wordnet",
    most: Annotated[int, typer.Option(help="How many facts the path may have.", min=1, max=12)] = 6,
    json: _Json = False,
) -> None:
    """Find a shortest path of facts from one entity to another, in either direction."""
    from kgreason.knowledge.explore import Explore

    found = Explore(graph).path(start, end, most)
    if found is None:
        raise DataError(f"No path of at most {most} facts leads from '{start}' to '{end}'. Allow more: --most 12")
    if json:
        print_json(found.told())
        return
    say(f"From {found.start} to {found.end}")
    typer.echo(str(found))


def sample(
    name: _Name,
    size: Annotated[int, typer.Option(help="How many facts.", min=1, max=10_000)] = 10,
    seed: Annotated[int, typer.Option(help="Another seed, other facts.", min=0)] = 0,
    json: _Json = False,
) -> None:
    """Show some facts, chosen at random."""
    from kgreason.knowledge.explore import Explore

    for fact in Explore(name).sample(size, seed).facts:
        if json:
            print_json({"head": fact.head, "relation": fact.relation, "tail": fact.tail, "called": fact.called})
        else:
            typer.echo("{} —{}→ {}".format(*fact.called))


def plot(
    entity: Annotated[str, typer.Argument(help="The name of an entity, or a label.")],
    graph: _Graph = "wordnet",
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to: .svg or .html.")] = Path("graph.html"),
    hops: Annotated[int, typer.Option(help="How far to go.", min=1, max=4)] = 1,
    most: Annotated[int, typer.Option(help="How many facts to draw.", min=1, max=200)] = 40,
    json: _Json = False,
) -> None:
    """Draw what is around an entity; every relation gets its turn before one gets a second fact."""
    from kgreason.knowledge.explore import Explore
    from kgreason.whole import write_whole

    if out.suffix.lower() not in (".svg", ".html"):
        raise ConfigError(f"--out {out}: expected a file that ends in .svg or .html.")
    drawn = Explore(graph).plot(entity, hops, most)
    write_whole(out, (drawn.svg if out.suffix.lower() == ".svg" else drawn.page).encode())
    if json:
        print_json({"file": str(out), "title": drawn.title, "facts": drawn.shown, "left_out": drawn.left_out})
        return
    typer.echo(str(out))
    if drawn.left_out:
        say(f"{drawn.shown} facts drawn, {drawn.left_out:,} more around these entities: --most, up to 200")


def check(
    name: _Name,
    up: Annotated[
        list[str] | None, typer.Option("--up", metavar="RELATION", help="It must not lead back to where it began.")
    ] = None,
    json: _Json = False,
) -> None:
    """Look for what is usually a mistake: dangling ids, missing labels, hubs, duplicate labels, cycles, loops.

    Exit code 2 if something is wrong, 0 if things are at most doubtful.
    """
    from kgreason.knowledge.check import check as check_graph
    from kgreason.knowledge.explore import Explore

    found = check_graph(Explore(name).graph, tuple(up or ()))
    for finding in found.told():
        if json:
            print_json(finding)
            continue
        count = f": {finding['count']:,} of {finding['of']:,}" if finding["count"] else ""
        typer.echo(f"{finding['weight']:8} {finding['name']}{count}")
        if finding["count"]:
            typer.echo(f"           {', '.join(finding['examples'])}" if finding["examples"] else "", nl=True)
            typer.echo(f"         → {finding['advice']}")
    if found.wrong:
        raise typer.Exit(EXIT_USER)


def init(
    source: Annotated[str, typer.Argument(metavar="FILE|ENDPOINT", help="The graph to describe.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The manifest; default: NAME.toml here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a manifest that is there.")] = False,
    json: _Json = False,
) -> None:
    """Write a manifest for a graph, every key of it explained, with what can be found out filled in."""
    from kgreason.knowledge.template import template_of, write_template

    name, text = template_of(source)
    path = write_template(text, out or Path(f"{name}.toml"), force)
    print_json({"file": str(path)}) if json else typer.echo(str(path))
    say(f"Say in it what the graph is, then: kgreason ask … --graph {path}")


def _summary(name: str, told: "Summary") -> None:
    typer.echo(f"{name}: {told.entities:,} entities, {len(told.relations)} relations, {told.triples:,} triples")
    for key, value in told.lines()[1:]:
        typer.echo(f"  {key:12} {value}")


def _line(told: Any) -> str:
    first = "".join(f"  {fact['relation']} {fact['label']}" for fact in told["out"][:1])
    return f"  {told['score']:.3f} {told['pos']:5} {told['entity']}  {', '.join(told['labels'])}{first}"


def _show(told: Any) -> None:
    typer.echo(f"{told['entity']}  {told['pos']}".rstrip())
    typer.echo(f"  called: {', '.join(told['labels']) or 'nothing'}")
    for way, arrow in (("out", "{relation} ▶ {entity}"), ("in", "◀ {relation} {entity}")):
        for fact in told[way]:
            shown = f"  ({fact['label']})" if fact["label"] != fact["entity"] else ""
            typer.echo("  " + arrow.format(**fact) + shown)
        if told[f"num_{way}"] > len(told[way]):
            typer.echo(f"  … and {told[f'num_{way}'] - len(told[way]):,} more; all with --limit 0")

"""What may be wrong with a graph: found, counted, shown by examples, with what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError
from kgreason.knowledge.markup import page_of, row_of
from kgreason.knowledge.summary import degrees, labelled, readable

Weight: TypeAlias = Literal["wrong", "doubtful", "good"]
_EXAMPLES = 5
#: A hub has more facts than this share of all, or so many times the number that 99 % of entities have at most.
_SHARE, _TIMES, _LEAST = 0.01, 50, 1000
#: Relations that lead from the special to the general, by name or by the last part of the IRI.
_UP = ("subclassof", "subpropertyof", "hypernym", "instance_hypernym", "is_a", "isa", "broader", "part_of", "partof")


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for.

    Args:
        name: What: `dangling`, `unlabelled`, `hubs`, `duplicate labels`, `cycles`, `loops`, `isolated`.
        weight: `wrong` if nothing should be so; `doubtful` if it may be meant; `good` if nothing was found.
        count: How many there are.
        of: Out of how many.
        examples: Some of them.
        advice: What it does to reasoning, and what to do.
    """

    name: str
    weight: Weight
    count: int
    of: int
    examples: tuple[str, ...]
    advice: str


@final
@dataclass(frozen=True, slots=True)
class Checked:
    """All findings about a graph, in the order in which they were looked for."""

    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> bool:
        """Whether something is wrong, and not only doubtful."""
        return any(finding.weight == "wrong" for finding in self.findings)

    def told(self) -> list[dict[str, Any]]:
        """Return it as plain values."""
        return [asdict(finding) for finding in self.findings]

    def _repr_html_(self) -> str:
        cells = ((f.weight, f.name, f"{f.count:,} of {f.of:,}", ", ".join(f.examples), f.advice) for f in self.findings)
        return page_of("Checked", map(row_of, cells))


def check(graph: KnowledgeGraph, up: Sequence[str] = ()) -> Checked:
    """Look for what is usually a mistake in a graph. Vectorised: about a second for 5 million triples.

    Args:
        graph: The graph.
        up: The relations that must not lead back to where they came from; empty for those of the usual names, and those
            that the graph's rules call `forward`.

    Raises:
        ConfigError: If the graph has no such relation.
    """
    heads = np.repeat(np.arange(len(graph.entities), dtype=np.int32), np.diff(graph.head_ptr))
    named = labelled(graph)
    findings = (
        _outside(graph),
        _dangling(graph, named),
        _unlabelled(graph, named),
        _hubs(graph),
        _duplicates(graph),
        _cycles(graph, heads, _up(graph, up)),
        _loops(graph, heads),
        _isolated(graph),
    )
    return Checked(findings)


def _outside(graph: KnowledgeGraph) -> Finding:
    size = len(graph.entities)
    bad = sum(int(np.count_nonzero((c < 0) | (c >= size))) for c in (graph.tail, graph.head, graph.labels.entity))
    bad += int(np.count_nonzero(np.asarray(graph.relation) >= len(graph.relations)))
    return _finding("ids outside", "wrong", bad, graph.num_triples, (), "The store is damaged. Build it again.")


def _dangling(graph: KnowledgeGraph, named: Bool[ndarray, " entities"]) -> Finding:
    """Entities that are mentioned and never described: only tails, and without a label, where others have labels."""
    only_tails = (np.diff(graph.head_ptr) == 0) & (np.diff(graph.tail_ptr) > 0) & ~_nameless(graph)
    found = np.flatnonzero(only_tails & ~named) if named.mean() > 0.5 else np.zeros(0, np.int64)
    advice = "They are pointed to and not described: is a file missing, or an IRI misspelt?"
    return _finding("dangling", "doubtful", len(found), len(graph.entities), _names(graph, found), advice)


def _unlabelled(graph: KnowledgeGraph, named: Bool[ndarray, " entities"]) -> Finding:
    shown = np.asarray(graph.labels.preferred)
    found = np.flatnonzero(shown < 0)
    if named.any():  # names are labels enough where no entity has another
        found = np.flatnonzero(~named & ~readable(graph) & ~_nameless(graph))
    advice = "Texts are linked to labels. Say which relations name things: [names] relations = […] in a manifest."
    return _finding("unlabelled", "doubtful", len(found), len(graph.entities), _names(graph, found), advice)


def _nameless(graph: KnowledgeGraph) -> Bool[ndarray, " entities"]:
    """Return which entities are blank nodes, which nobody is meant to name."""
    return np.fromiter((name.startswith("_:") for name in graph.entities), np.bool_, len(graph.entities))


def _hubs(graph: KnowledgeGraph) -> Finding:
    count = degrees(graph)
    usual = float(np.percentile(count, 99)) if len(count) else 0.0
    limit = max(_LEAST, min(_SHARE * 2 * graph.num_triples, _TIMES * usual))
    found = np.flatnonzero(count > limit)
    found = found[np.argsort(-count[found], kind="stable")]
    told = tuple(f"{graph.label(int(e))} ({count[e]:,})" for e in found[:_EXAMPLES])
    advice = "A walk through a hub leads anywhere. Stop its relation, or: [walk] hub_limit = 1000 in a manifest."
    return _finding("hubs", "doubtful", len(found), len(count), told, advice)


def _duplicates(graph: KnowledgeGraph) -> Finding:
    sizes = np.diff(graph.labels.ptr)
    found = np.flatnonzero(sizes > 1)
    found = found[np.argsort(-sizes[found], kind="stable")]
    told = tuple(f"{graph.labels.names[int(i)]} ({sizes[i]})" for i in found[:_EXAMPLES])
    advice = "One label for several entities: if they are the same thing, merge them; else linking has to guess."
    return _finding("duplicate labels", "doubtful", len(found), len(sizes), told, advice)


def _cycles(graph: KnowledgeGraph, heads: ndarray, up: Sequence[int]) -> Finding:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    keep = np.isin(graph.relation, up)
    a, b = heads[keep], np.asarray(graph.tail)[keep]
    size = len(graph.entities)
    advice = "What is above itself makes everything on the way the same. Remove one of the facts."
    if not len(a):
        return _finding("cycles", "good", 0, 0, (), advice)
    matrix = csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(size, size))
    _, part = connected_components(matrix, directed=True, connection="strong")
    sizes = np.bincount(part)
    big = np.flatnonzero(sizes > 1)
    big = big[np.argsort(-sizes[big], kind="stable")]
    told = tuple(" ↔ ".join(graph.label(int(e)) for e in np.flatnonzero(part == p)[:3]) for p in big[:_EXAMPLES])
    return _finding("cycles", "wrong", len(big), int(np.count_nonzero(keep)), told, advice)


def _loops(graph: KnowledgeGraph, heads: ndarray) -> Finding:
    found = np.flatnonzero(heads == graph.tail)
    rows = [(int(heads[i]), int(graph.relation[i])) for i in found[:_EXAMPLES].tolist()]
    told = tuple(f"{graph.label(e)} {graph.relations[r]}" for e, r in rows)
    advice = "Facts of an entity about itself say nothing to a walk."
    return _finding("loops", "doubtful", len(found), graph.num_triples, told, advice)


def _isolated(graph: KnowledgeGraph) -> Finding:
    found = np.flatnonzero(degrees(graph) == 0)
    advice = "They have labels and no facts: texts may be linked to them, and nothing follows."
    return _finding("isolated", "doubtful", len(found), len(graph.entities), _names(graph, found), advice)


def _up(graph: KnowledgeGraph, names: Sequence[str]) -> list[int]:
    missing = next((name for name in names if name not in graph.relations), None)
    if missing is not None:
        raise ConfigError(f"The graph has no relation '{missing}'. It has: {', '.join(list(graph.relations)[:10])}.")
    said = set(names) or {name for name, says in graph.rules.lexical.items() if says == "forward"}
    last = [name.rstrip("/#").replace("#", "/").rpartition("/")[2].lower() for name in graph.relations]
    return [i for i, name in enumerate(graph.relations) if (name in said if names or said else last[i] in _UP)]


def _finding(name: str, weight: Weight, count: int, of: int, examples: tuple[str, ...], advice: str) -> Finding:
    return Finding(name, weight if count else "good", count, of, examples, advice if count else "")


def _names(graph: KnowledgeGraph, entities: ndarray) -> tuple[str, ...]:
    return tuple(graph.entities[int(e)] for e in entities[:_EXAMPLES])

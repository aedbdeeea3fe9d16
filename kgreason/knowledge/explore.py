"""Looks at a graph, here or at an endpoint, by one set of calls; what they return draws itself in a notebook."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kgreason.data import KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.catalogue import open_built, remote_of, table_of
from kgreason.knowledge.check import Checked, check
from kgreason.knowledge.drawing import Drawing, draw
from kgreason.knowledge.lookup import describe, find
from kgreason.knowledge.markup import page_of, row_of
from kgreason.knowledge.paths import LONGEST, Path, Step, path_between, step_of
from kgreason.knowledge.search import Hit, Hits, search
from kgreason.knowledge.sparql import RemoteGraph
from kgreason.knowledge.sparql_terms import is_iri, last_part
from kgreason.knowledge.summary import Summary, summarise


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """The entities that a name may mean, the likeliest first, each as `kgreason.knowledge.lookup.describe` tells it."""

    name: str
    entities: tuple[Mapping[str, Any], ...]

    def _repr_html_(self) -> str:
        tables = []
        for told in self.entities:
            facts = [("→", fact["relation"], fact["label"], fact["entity"]) for fact in told["out"]]
            facts += [("←", fact["relation"], fact["label"], fact["entity"]) for fact in told["in"]]
            title = f"{told['label']} ({told['entity']}): {told['num_out']} facts out, {told['num_in']} in"
            tables.append(page_of(title, map(row_of, facts)))
        return "".join(tables)


@final
@dataclass(frozen=True, slots=True)
class Sample:
    """Some facts of a graph, chosen at random."""

    facts: tuple[Step, ...]

    def _repr_html_(self) -> str:
        return page_of(f"{len(self.facts)} facts", (row_of(fact.called) for fact in self.facts))


@final
@dataclass(frozen=True, slots=True)
class RemoteSummary:
    """What can be told of a graph at an endpoint without reading it all."""

    endpoint: str
    relations: Mapping[str, int]
    relation_labels: Mapping[str, list[str]]

    def told(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "endpoint": self.endpoint,
            "triples": sum(self.relations.values()),
            "relations": dict(self.relations),
            "relation_labels": dict(self.relation_labels),
        }

    def _repr_html_(self) -> str:
        top = sorted(self.relations.items(), key=lambda item: (-item[1], item[0]))[:20]
        return page_of(self.endpoint, (row_of((f"{count:,}", name)) for name, count in top))


@final
class Explore:
    """Looks at one graph.

    ```python
    graph = kgreason.explore("wordnet")     # or a file, a store, a manifest, an endpoint, a KnowledgeGraph
    graph.search("guitr")
    graph.path("dog", "piano")
    graph.plot("dog")
    ```

    Args:
        graph: The graph, or what `kgreason.knowledge.open_graph` opens.

    Raises:
        ConfigError: If there is no such graph.
        StoreError: If it cannot be opened.
    """

    def __init__(self, graph: KnowledgeGraph | str) -> None:
        self._table = table_of(graph) if isinstance(graph, str) else {}
        self.remote: RemoteGraph | None = remote_of(self._table) if self._table else None
        self._graph = graph if isinstance(graph, KnowledgeGraph) else None

    @property
    def graph(self) -> KnowledgeGraph:
        """The graph, opened when it is first needed.

        Raises:
            ConfigError: If it is at an endpoint.
        """
        if self.remote is not None:
            raise ConfigError(
                f"This needs the whole graph, and {self.remote.endpoint} is asked for parts. To have it here: "
                f"kgreason graph build {self.remote.endpoint} --out FOLDER"
            )
        if self._graph is None:
            self._graph = open_built(self._table)
        return self._graph

    def info(self) -> Summary | RemoteSummary:
        """Tell what the graph is and how large."""
        if self.remote is None:
            return summarise(self.graph)
        relations = self.remote.relations()
        return RemoteSummary(self.remote.endpoint, relations, self.remote.names.of(relations))

    def show(self, name: str, limit: int = 20) -> Shown:
        """Show the entities that a name may mean, and their facts, at most so many each way (0 for all).

        Raises:
            DataError: If it means nothing here.
        """
        graph = self._near(name, 1)
        candidates = find(graph, name)
        return Shown(name, tuple(describe(graph, candidate, limit) for candidate in candidates))

    def search(self, text: str, limit: int = 20) -> Hits:
        """Find entities by what is remembered of their names; see `kgreason.knowledge.search.search`."""
        if self.remote is None:
            return search(self.graph, text, limit)
        found = self.remote.search(text, limit)
        exact = {entity for entities in self.remote.names.meaning([text]).values() for entity in entities}
        facts = dict.fromkeys((entity for entity, _ in found), 0)
        for run in self.remote.facts.runs(facts):
            facts[run.entity] += run.size
        exact |= {text}
        return Hits(text, tuple(_hit(entity, name, text, entity in exact, facts[entity]) for entity, name in found))

    def path(self, start: str, end: str, most: int = 6) -> Path | None:
        """Return a shortest path between two entities (of each name the likeliest); None if there is none so short.

        Raises:
            DataError: If a name means nothing here, or `most` is out of range.
        """
        if self.remote is None:
            a, b = (find(self.graph, name)[0].entity for name in (start, end))
            return path_between(self.graph, a, b, most)
        if not 1 <= most <= LONGEST:
            raise DataError(f"A path of at most {most} steps was asked for; expected 1 to {LONGEST}.")
        first, last = self._entity(start), self._entity(end)
        facts = self.remote.path(first, last, most)
        if not facts and first != last:
            return None
        called = self.remote.names.of({name for fact in facts for name in fact})
        told = (Step(*fact, _called(called, fact)) for fact in facts)
        return Path(first, last, tuple(told))

    def sample(self, size: int = 10, seed: int = 0) -> Sample:
        """Return some facts: any, each as likely, from a graph that is here; from an endpoint, what it gives first."""
        if self.remote is not None:
            found = self.remote.client.select(
                f"SELECT ?h ?r ?t {{ ?h ?r ?t . FILTER(isIRI(?h) && isIRI(?t)) }} LIMIT {size:d}"
            )
            facts = [(row[0].value, row[1].value, row[2].value) for row in found if row[0] and row[1] and row[2]]
            called = self.remote.names.of({name for fact in facts for name in fact})
            return Sample(tuple(Step(*fact, _called(called, fact)) for fact in facts))
        graph = self.graph
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(graph.num_triples, min(size, graph.num_triples), replace=False))
        heads = np.searchsorted(graph.head_ptr, chosen, side="right") - 1
        rows = zip(heads.tolist(), graph.relation[chosen].tolist(), graph.tail[chosen].tolist(), strict=True)
        return Sample(tuple(step_of(graph, *row) for row in rows))

    def plot(self, name: str, hops: int = 1, most: int = 40) -> Drawing:
        """Draw what is around the likeliest entity of a name; see `kgreason.knowledge.drawing.draw`."""
        graph = self._near(name, hops)
        return draw(graph, [find(graph, name)[0].entity], hops, most)

    def check(self) -> Checked:
        """Look for what is usually a mistake; see `kgreason.knowledge.check.check`."""
        return check(self.graph)

    def _near(self, name: str, hops: int) -> KnowledgeGraph:
        """Return the graph, or, of one at an endpoint, what is around a name."""
        if self.remote is None:
            return self.graph
        return self.remote.around(self.remote.seeds([(name, (name,))]) or [self._entity(name)], hops)

    def _entity(self, name: str) -> str:
        remote = self.remote
        if is_iri(name) or remote is None:
            return name
        found = remote.names.meaning([name]).get(name, [])
        if not found:
            raise DataError(f"{remote.endpoint} has no entity called {name!r}. See: kgreason graph search")
        return found[0]

    def _repr_html_(self) -> str:
        return self.info()._repr_html_()


def explore(graph: KnowledgeGraph | str) -> Explore:
    """Look at a graph: a name, a file, a store, a manifest, an endpoint, or a graph that is open; see `Explore`."""
    return Explore(graph)


def _hit(entity: str, name: str, text: str, exact: bool, facts: int) -> Hit:
    score = 1.0 if exact else round(0.9 * min(1.0, len(text) / max(1, len(name))), 4)
    return Hit(entity, name, name, "exact" if exact else "part", score, facts)


def _called(names: Mapping[str, list[str]], fact: tuple[str, str, str]) -> tuple[str, str, str]:
    head, relation, tail = (names.get(name, [last_part(name)])[0] for name in fact)
    return head, relation, tail

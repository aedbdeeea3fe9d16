"""A knowledge graph that stays where it is, behind a SPARQL 1.1 endpoint, and is asked for what is needed."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from kgreason.data import KnowledgeGraph
from kgreason.data.rules import Rules
from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.sparql_cache import Cache
from kgreason.knowledge.sparql_client import Access, Client, TooMuchError
from kgreason.knowledge.sparql_facts import RemoteFacts, Run, Triple
from kgreason.knowledge.sparql_graph import assemble
from kgreason.knowledge.sparql_names import Naming, RemoteNames, longest, spans
from kgreason.knowledge.sparql_terms import is_iri
from kgreason.places import cache_folder

_LOG = logging.getLogger(__name__)
#: Counts as part of the name of a cache: raise it when what is kept changes its form.
_FORM = 1
_MOST_RELATIONS = 5000
_RULES, _NAMING, _ACCESS = Rules(), Naming(), Access()


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """How much is fetched at most: the table `limits` of a section `[knowledge]`.

    Args:
        facts: Facts of one neighbourhood; short runs are taken before long ones, near ones before far ones.
        hub: A run (one entity, one relation, one direction) with more facts is not fetched at all, so that what is
            there does not depend on what a server gives first; the rules of a graph may say less.
        days: How long an answer is kept in the cache; 0 asks anew each time.

    Raises:
        ConfigError: If a number is out of range.
    """

    facts: int = 200_000
    hub: int = 10_000
    days: float = 7.0

    def __post_init__(self) -> None:
        if self.facts < 1 or self.hub < 1 or self.days < 0:
            raise ConfigError(
                f"[knowledge] limits: facts = {self.facts}, hub = {self.hub}, days = {self.days}; "
                "expected facts and hub of at least 1, and days of at least 0."
            )


class Neighbourhood(NamedTuple):
    """What lies around some entities: the facts, and how many more there are that were not fetched."""

    triples: list[Triple]
    left_out: int


@final
class RemoteGraph:
    """Asks an endpoint for relations, names, neighbourhoods and paths, and gives what is near as a `KnowledgeGraph`.

    Entities and relations are IRIs; blank nodes and literals, but for labels, are passed over, as in a graph that was
    read from a file.

    Args:
        endpoint: Its address: `https://host/sparql`.
        graph: The named graph to ask; empty for the endpoint's default.
        rules: Which relations are walked, and how far hubs are; names of relations are IRIs.
        naming: What names entities.
        access: How to speak to the endpoint.
        limits: How much is fetched; None for `Limits()`.

    Raises:
        ConfigError: If the address is none, or a setting makes no sense.
    """

    def __init__(
        self,
        endpoint: str,
        graph: str = "",
        rules: Rules = _RULES,
        naming: Naming = _NAMING,
        access: Access = _ACCESS,
        limits: Limits | None = None,
    ) -> None:
        self.endpoint, self.graph, self.rules, self.limits = endpoint, graph, rules, limits or Limits()
        for name in (*rules.only, *rules.stop):
            if not is_iri(name):
                raise ConfigError(f"[walk] names the relation '{name}'; at an endpoint, expected an IRI.")
        self.client = Client(endpoint, graph, access)
        self.cache = Cache(_cache_path(endpoint, graph, rules, naming, access), self.limits.days)
        self.names = RemoteNames(self.client, self.cache, naming)
        self.facts = RemoteFacts(self.client, self.cache, rules.only, rules.stop)

    def relations(self) -> dict[str, int]:
        """Return the relations that are walked, and how many facts between entities each has (0: not counted).

        Raises:
            StoreError: If the endpoint cannot tell; then name them: `walk = { only = […] }`.
        """
        if self.rules.only:
            return {name: 0 for name in self.rules.only if name not in self.rules.stop}
        known = self.cache.get(["relations"]).get("relations")
        if known is None:
            known = self._relations()
            self.cache.sweep()  # about as often as answers expire
            self.cache.put({"relations": known})
        return {name: count for name, count in known.items() if name not in self.rules.stop and is_iri(name)}

    def seeds(self, texts: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
        """Return the entities that texts name.

        Args:
            texts: Each text, and the names of what it is about if they are known; else they are looked for: the longest
                runs of words that are labels.
        """
        rows = list(texts)
        given = {name for _, names in rows for name in names}
        runs = [spans(text) for text, names in rows if not names]
        said = self.names.meaning([*(n for n in given if not is_iri(n)), *(n for found in runs for *_, n in found)])
        kinds = self.relations()  # "leads on to" is what a relation is called, and no entity
        means = {name: kept for name, all_of in said.items() if (kept := [e for e in all_of if e not in kinds])}
        entities = [name for name in given if is_iri(name)]
        for name in given:
            entities += means.get(name, [])
        for found in runs:
            entities += [entity for name in longest(found, means) for entity in means[name]]
        return sorted(set(entities))

    def neighbourhood(self, entities: Iterable[str], hops: int) -> Neighbourhood:
        """Return the facts within some hops of entities, whatever their direction, under the limits."""
        seen = set(entities)
        frontier, triples, left_out = sorted(seen), set[Triple](), 0
        hub = min(self.limits.hub, self.rules.hub_limit or self.limits.hub)
        for _ in range(hops):
            runs = self.facts.runs(frontier)
            kept = _within(runs, hub, self.limits.facts - len(triples))
            left_out += sum(run.size for run in runs) - sum(run.size for run in kept)
            triples.update(self.facts.facts(kept, runs))
            frontier = sorted({end for h, _, t in triples for end in (h, t)} - seen)
            seen.update(frontier)
        if left_out:
            _LOG.info("%s: %d facts were left out, at hubs or over the limit", self.endpoint, left_out)
        return Neighbourhood(sorted(triples), left_out)

    def around(self, entities: Iterable[str], hops: int = 2) -> KnowledgeGraph:
        """Return what lies within some hops of entities as a graph: facts, labels, and the labels of all relations.

        Raises:
            DataError: If there is nothing around them.
            StoreError: If the endpoint fails.
        """
        seeds = sorted(set(entities))
        near = self.neighbourhood(seeds, hops)
        if not near.triples:
            raise DataError(f"{self.endpoint} knows no fact about {_some(seeds)}.")
        relations = sorted({*self.relations(), *(r for _, r, _ in near.triples)})
        ends = sorted({end for h, _, t in near.triples for end in (h, t)})
        names, called = self.names.of(ends), self.names.of(relations)
        about = {"source": self.endpoint, "around": str(len(seeds)), "hops": str(hops)}
        about |= {"graph": self.graph} if self.graph else {}
        about |= {"facts_left_out": str(near.left_out)} if near.left_out else {}
        return assemble(near.triples, relations, names, called, about, self.rules)

    def path(self, start: str, end: str, most: int = 4) -> list[Triple]:
        """Return the facts of a shortest path between two entities, from the first on; empty if there is none so short.

        Both ends are widened in turn, the one with fewer new entities first. Facts may be walked in either direction.
        """
        if start == end:
            return []
        came: tuple[dict[str, Triple], dict[str, Triple]] = ({}, {})
        seen, new = ({start}, {end}), ({start}, {end})
        for _ in range(most):
            side = 0 if len(new[0]) <= len(new[1]) else 1
            runs = self.facts.runs(sorted(new[side]))
            kept = _within(runs, self.limits.hub, self.limits.facts)
            new[side].clear()
            for head, relation, tail in self.facts.facts(kept, runs):
                for near, far in ((head, tail), (tail, head)):
                    if near in seen[side] and near not in new[side] and far not in seen[side]:
                        came[side][far] = (head, relation, tail)
                        new[side].add(far)
                        seen[side].add(far)
            meeting = sorted(seen[0] & seen[1])
            if meeting or not new[side]:
                return _joined(came, meeting[0], start, end) if meeting else []
        return []

    def search(self, text: str, limit: int = 20) -> list[tuple[str, str]]:
        """Return entities and their names for what a person types: an exact name first, then names that hold it.

        The second is slow at a large endpoint, which reads every name for it; one that cannot in time gives the first.
        """
        if is_iri(text):
            return [(text, self.names.of([text]).get(text, [text])[0])]
        exact = self.names.meaning([text]).get(text, [])
        called = self.names.of(exact)
        found = {entity: called.get(entity, [entity])[0] for entity in exact[:limit]}
        try:
            more = self.names.containing(text, limit) if len(found) < limit else []
        except TooMuchError:
            if not found:
                raise
            more = []
        for entity, name in sorted(more, key=lambda row: (len(row[1]), row)):
            found.setdefault(entity, name)
        return list(found.items())[:limit]

    def __repr__(self) -> str:
        return f"RemoteGraph({self.endpoint}{', ' + self.graph if self.graph else ''})"

    def _relations(self) -> dict[str, int]:
        counted = (
            "SELECT ?r (COUNT(*) AS ?n) WHERE { ?x ?r ?y . FILTER(isIRI(?y)) } "
            f"GROUP BY ?r ORDER BY DESC(?n) LIMIT {_MOST_RELATIONS}"
        )
        try:
            rows = self.client.select(counted)
        except TooMuchError:
            _LOG.info("%s cannot count its relations in time; they are listed", self.endpoint)
            rows = [(*row, None) for row in self.client.select("SELECT DISTINCT ?r WHERE { ?x ?r ?y }")]
        return {row[0].value: int(row[1].value) if row[1] else 0 for row in rows if row[0]}


def _within(runs: Sequence[Run], hub: int, room: int) -> list[Run]:
    """Return the runs to fetch: none longer than `hub`, the shortest first, together at most `room` facts."""
    kept = []
    for run in sorted((run for run in runs if run.size <= hub), key=lambda run: (run.size, run)):
        room -= run.size
        if room < 0:
            break
        kept.append(run)
    return kept


def _joined(came: tuple[dict[str, Triple], dict[str, Triple]], at: str, start: str, end: str) -> list[Triple]:
    """Return the facts from `start` over the entity where both searches met to `end`."""
    first, second = [], []
    here = at
    while here != start:
        fact = came[0][here]
        first.append(fact)
        here = fact[0] if fact[2] == here else fact[2]
    here = at
    while here != end:
        fact = came[1][here]
        second.append(fact)
        here = fact[0] if fact[2] == here else fact[2]
    return [*reversed(first), *second]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") if names else "nothing"


def _cache_path(endpoint: str, graph: str, rules: Rules, naming: Naming, access: Access) -> Any:
    """Return the file of answers: one for each way to ask, and for each who asks."""
    who = hashlib.sha256(os.environ.get(access.secret, "").encode()).hexdigest() if access.auth != "none" else ""
    asked = [_FORM, endpoint, graph, sorted(rules.only), sorted(rules.stop), naming.relations, naming.language, who]
    return cache_folder() / "sparql" / f"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]}.sqlite"

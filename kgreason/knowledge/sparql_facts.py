"""Facts of remote entities: how many first, then those that are wanted, so that nothing is cut off unseen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias, final

from kgreason.knowledge.sparql_batches import BATCH, PAGE, ask_groups
from kgreason.knowledge.sparql_cache import Cache
from kgreason.knowledge.sparql_client import Client
from kgreason.knowledge.sparql_terms import among, iri, is_iri, literal, pairs, values

Triple: TypeAlias = tuple[str, str, str]
#: A page is planned to be filled to this, so that a few facts more than were counted do no harm.
_FILL = PAGE * 4 // 5


class Run(NamedTuple):
    """The facts of one entity, in one relation and one direction, and how many they are."""

    entity: str
    relation: str
    inverse: bool
    size: int

    def triple(self, other: str) -> Triple:
        """Return one of its facts."""
        return (other, self.relation, self.entity) if self.inverse else (self.entity, self.relation, other)


@final
class RemoteFacts:
    """Reads facts between entities from an endpoint; literals and blank nodes are passed over.

    Args:
        client: The endpoint.
        cache: Where answers are kept.
        only: The relations to follow; empty for all.
        stop: The relations not to follow.
    """

    def __init__(self, client: Client, cache: Cache, only: Sequence[str] = (), stop: Sequence[str] = ()) -> None:
        self.client, self.cache = client, cache
        self._filter = f"{among('r', only)} {among('r', stop, outside=True)}"

    def runs(self, entities: Iterable[str]) -> list[Run]:
        """Return the runs of entities, out and in, with their true sizes."""
        wanted = list(dict.fromkeys(entities))
        sides = [(each, inverse) for inverse in (False, True) for each in wanted]
        known = self.cache.get(_key(*side) for side in sides)
        fresh: dict[tuple[str, bool], dict[str, int]] = {side: {} for side in sides if _key(*side) not in known}
        groups = _batches([s for s in fresh if not s[1]]) + _batches([s for s in fresh if s[1]])
        for entity, relation, count, way in ask_groups(self.client, groups, self._count):
            if entity and relation and count and way and (entity.value, way.value == "in") in fresh:
                fresh[entity.value, way.value == "in"][relation.value] = int(count.value)
        self.cache.put({_key(*side): counts for side, counts in fresh.items()})
        told = fresh | {side: known[_key(*side)] for side in sides if _key(*side) in known}
        return [Run(e, relation, way, n) for (e, way), counts in told.items() for relation, n in sorted(counts.items())]

    def facts(self, runs: Sequence[Run], among: Sequence[Run] = ()) -> list[Triple]:
        """Return all facts of some runs, each once, sorted.

        Args:
            runs: What to fetch.
            among: All runs of these entities: those of which everything is wanted are asked for by name alone.
        """
        known = self.cache.get(map(_key_of, runs))
        missing = {run[:3]: run for run in runs if _key_of(run) not in known}
        found: dict[Run, set[str]] = {run: set() for run in missing.values()}
        for entity, relation, other, way in ask_groups(self.client, _groups(list(found), among), self._which):
            if entity and relation and way and other and other.kind == "iri":
                run = missing.get((entity.value, relation.value, way.value == "in"))
                if run is not None:
                    found[run].add(other.value)
        for run, others in found.items():
            if len(others) < run.size:  # a long run, or one that the server cut off
                others |= self._page(run)
        self.cache.put({_key_of(run): sorted(others) for run, others in found.items()})
        told = {run: found[run] if run in found else known[_key_of(run)] for run in runs}
        return sorted({run.triple(other) for run, others in told.items() for other in others if is_iri(other)})

    def _count(self, sides: Sequence[tuple[str, bool]]) -> str:
        inverse = sides[0][1]
        return (
            f"SELECT ?x ?r (COUNT(DISTINCT ?y) AS ?n) ?way WHERE {{ {values('x', (iri(e) for e, _ in sides))} "
            f"{_pattern(inverse)} FILTER(isIRI(?y)) {self._filter} "
            f'BIND("{"in" if inverse else "out"}" AS ?way) }} GROUP BY ?x ?r ?way'
        )

    def _which(self, group: Sequence[Run]) -> str:
        first = group[0]
        if first.relation:
            rows, more = pairs(("x", "r"), ((iri(run.entity), iri(run.relation)) for run in group)), ""
        else:
            rows, more = values("x", (iri(run.entity) for run in group)), self._filter
        return (
            f"SELECT DISTINCT ?x ?r ?y ?way WHERE {{ {rows} {_pattern(first.inverse)} FILTER(isIRI(?y)) {more} "
            f'BIND("{"in" if first.inverse else "out"}" AS ?way) }}'
        )

    def _page(self, run: Run) -> set[str]:
        """Return the other ends of a long run, page by page in their order; each page begins after the last."""
        found: set[str] = set()
        last = ""
        while len(found) < run.size:
            after = f"&& STR(?y) > {literal(last)}" if last else ""
            ends = (iri(run.entity), iri(run.relation), "?y")
            rows = self.client.select(
                f"SELECT DISTINCT ?y WHERE {{ {' '.join(reversed(ends) if run.inverse else ends)} . "
                f"FILTER(isIRI(?y) {after}) }} ORDER BY STR(?y) LIMIT {PAGE}"
            )
            page = [row[0].value for row in rows if row[0]]
            if not page or page[-1] == last:
                break
            found |= set(page)
            last = page[-1]
        return found


def _groups(runs: Sequence[Run], among: Sequence[Run]) -> list[list[Run]]:
    """Lay runs into groups of one question each, planned to fill a page; a run of relation `""` is a whole entity."""
    left = Counter((run.entity, run.inverse) for run in among)
    left.subtract((run.entity, run.inverse) for run in runs)
    sizes = Counter[tuple[str, bool]]()
    for run in runs:
        sizes[run.entity, run.inverse] += run.size
    whole = {side for side, size in sizes.items() if left[side] == 0 and size <= _FILL}
    asked = [Run(entity, "", inverse, sizes[entity, inverse]) for entity, inverse in whole]
    asked += [run for run in runs if (run.entity, run.inverse) not in whole and run.size <= _FILL]
    groups: list[list[Run]] = []
    room, kind = 0, None
    for run in sorted(asked, key=lambda run: (run.relation != "", run.inverse, run.size, run)):
        if kind != (run.relation == "", run.inverse) or run.size > room or len(groups[-1]) >= BATCH:
            groups.append([])
            room, kind = _FILL, (run.relation == "", run.inverse)
        groups[-1].append(run)
        room -= run.size
    return groups


def _pattern(inverse: bool) -> str:
    return "?y ?r ?x ." if inverse else "?x ?r ?y ."


def _batches(sides: list[tuple[str, bool]]) -> list[list[tuple[str, bool]]]:
    return [sides[i : i + BATCH] for i in range(0, len(sides), BATCH)]


def _key(entity: str, inverse: bool) -> str:
    return f"{'in' if inverse else 'out'} {entity}"


def _key_of(run: Run) -> str:
    return f"{_key(run.entity, run.inverse)} {run.relation}"

"""Names of remote entities, both ways: what a name may mean, and what an entity is called."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from kgreason.data.function_words import FUNCTION_WORDS
from kgreason.errors import ConfigError
from kgreason.knowledge.rdf import LABELS
from kgreason.knowledge.sparql_batches import PAGE, ask_all
from kgreason.knowledge.sparql_cache import Cache
from kgreason.knowledge.sparql_client import Client
from kgreason.knowledge.sparql_terms import among, iri, is_iri, literal, values

_WORD = re.compile(r"\S+")
#: A run of so many words may be a name; so many entities of a name are kept.
_LONGEST, _SENSES = 8, 16
_EDGES = "\"'“”‘’()[]{}<>.,;:!?…—-"


@final
@dataclass(frozen=True, slots=True)
class Naming:
    """What names things: the table `names` of a section `[knowledge]`.

    Args:
        relations: The relations that lead to a name, the best first.
        language: The language of names, besides those without one; empty for every language.

    Raises:
        ConfigError: If a relation is no IRI, or there is none.
    """

    relations: tuple[str, ...] = LABELS
    language: str = "en"

    def __post_init__(self) -> None:
        wrong = next((name for name in self.relations if not is_iri(name)), None)
        if wrong is not None or not self.relations:
            raise ConfigError(f"[knowledge] names: relations = {list(self.relations)!r}, expected a list of IRIs.")


@final
class RemoteNames:
    """Looks names up at an endpoint, in batches; what was found, and what was not, is kept in the cache."""

    def __init__(self, client: Client, cache: Cache, naming: Naming) -> None:
        self.client, self.cache, self.naming = client, cache, naming

    def of(self, entities: Iterable[str]) -> dict[str, list[str]]:
        """Return what each entity is called, the name that is shown first; an entity without a name has no entry."""
        wanted = list(dict.fromkeys(entities))
        known = self.cache.get(f"names {each}" for each in wanted)
        missing = [each for each in wanted if f"names {each}" not in known]
        fresh: dict[str, set[tuple[int, str]]] = {each: set() for each in missing}
        rank = {name: i for i, name in enumerate(self.naming.relations)}
        for entity, relation, name in ask_all(self.client, missing, self._names_of):
            if entity and relation and name and name.kind == "literal" and entity.value in fresh:
                told = " ".join(name.value.split())
                fresh[entity.value] |= {(rank.get(relation.value, len(rank)), told)} if told else set()
        found = {each: list(dict.fromkeys(told for _, told in sorted(rows))) for each, rows in fresh.items()}
        self.cache.put({f"names {each}": told for each, told in found.items()})
        found |= {each: known[f"names {each}"] for each in wanted if f"names {each}" in known}
        return {each: found[each] for each in wanted if found[each]}

    def meaning(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the entities that each name may mean; a name that means nothing has no entry.

        A name is looked up as it is written, with a capital, in lower case and with capitals throughout: the first of
        these that means something decides. Of many entities, those with the shortest IRIs are kept, which are the best
        known in most graphs (`…/Paris` before `…/Paris_(mythology)`, Q90 before Q830149).
        """
        ways = {name: _ways(name) for name in dict.fromkeys(names)}
        senses = self._senses({way for of_one in ways.values() for way in of_one})
        found = {name: next((senses[way] for way in of_one if senses[way]), []) for name, of_one in ways.items()}
        return {name: entities for name, entities in found.items() if entities}

    def containing(self, text: str, limit: int) -> list[tuple[str, str]]:
        """Return entities and names that hold a text, upper and lower case alike. Slow: reads every name there is."""
        query = (
            f"SELECT DISTINCT ?x ?l WHERE {{ ?x ?p ?l . {among('p', self.naming.relations)} {self._language()} "
            f"FILTER(isIRI(?x) && CONTAINS(LCASE(STR(?l)), LCASE({literal(text)}))) }} LIMIT {limit}"
        )
        return [(x.value, name.value) for x, name in self.client.select(query) if x and name]

    def _senses(self, names: set[str]) -> dict[str, list[str]]:
        known = self.cache.get(f"means {name}" for name in names)
        missing = sorted(name for name in names if f"means {name}" not in known)
        fresh: dict[str, set[str]] = {name: set() for name in missing}
        naming = set(self.naming.relations)
        for entity, name, relation in ask_all(self.client, missing, self._entities_named):
            if (
                entity
                and name
                and relation
                and relation.value in naming
                and entity.kind == "iri"
                and name.value in fresh
            ):
                fresh[name.value].add(entity.value)
        found = {name: sorted(each, key=lambda iri: (len(iri), iri))[:_SENSES] for name, each in fresh.items()}
        self.cache.put({f"means {name}": each for name, each in found.items()})
        return found | {name: known[f"means {name}"] for name in names if f"means {name}" in known}

    def _names_of(self, entities: Sequence[str]) -> str:
        return (
            f"SELECT ?x ?p ?l WHERE {{ {values('x', map(iri, entities))} ?x ?p ?l . "
            f"{among('p', self.naming.relations)} FILTER(isLiteral(?l)) {self._language()} }}"
        )

    def _entities_named(self, names: Sequence[str]) -> str:
        """Ask for whatever leads to some texts: Virtuoso takes ten times as long where the relations are given, too.

        Of one name alone, whose rows may be more than a page, only the relations that name things are asked for.
        """
        language = [self.naming.language] if self.naming.language else []
        told = [literal(name, each) for name in names for each in ("", *language)]
        only = among("p", self.naming.relations) if len(names) == 1 else ""
        return f"SELECT ?x ?l ?p WHERE {{ {values('l', told)} ?x ?p ?l . {only} }} LIMIT {PAGE}"

    def _language(self) -> str:
        tag = self.naming.language
        return f'FILTER(LANG(?l) = "" || LANGMATCHES(LANG(?l), {literal(tag)}))' if tag else ""


def _ways(name: str) -> list[str]:
    plain = " ".join(name.replace("_", " ").split())
    capital = plain[:1].upper() + plain[1:]
    return list(dict.fromkeys(way for way in (name, plain, capital, plain.lower(), plain.title()) if way))


def spans(text: str) -> list[tuple[int, int, str]]:
    """Return the runs of words of a text that may be names, as (first word, last word, name).

    Function words and marks alone are none.

    >>> [name for *_, name in spans("Who wrote Sula?")]
    ['Who wrote', 'Who wrote Sula', 'wrote', 'wrote Sula', 'Sula']
    """
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    found = []
    for i, (start, _) in enumerate(words):
        for j in range(i, min(len(words), i + _LONGEST)):
            name = text[start : words[j][1]].strip(_EDGES)
            told = {word.strip(_EDGES).lower() for word in name.split()}
            if name and not told <= FUNCTION_WORDS:
                found.append((i, j, name.removesuffix("'s").removesuffix("’s")))
    return found


def longest(found: Sequence[tuple[int, int, str]], means: Mapping[str, list[str]]) -> list[str]:
    """Return the names of spans that mean something and stand in no longer span that does."""
    known = [(i, j, name) for i, j, name in found if name in means]
    return [name for i, j, name in known if not any(a <= i and j <= b and (a, b) != (i, j) for a, b, _ in known)]

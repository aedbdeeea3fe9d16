"""What a relation is called in plain words, for every graph."""

import re
from urllib.parse import unquote

from kgreason.data.knowledge import KnowledgeGraph

_PIECE = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[^\WA-Z_]+|[^\W_]+")


def relation_texts(graph: KnowledgeGraph) -> list[list[str]]:
    """Return what each relation is called, the best text first; the position is the relation's id, none is empty.

    These are the labels that the graph gives (`KnowledgeGraph.relation_labels`); of a relation without any, the words
    in its name, by `spell_out`. The inverse of a relation has no text of its own.

    >>> graph = KnowledgeGraph.from_triples([("Alien", "directed_by", "Ridley Scott")])
    >>> relation_texts(graph)
    [['directed by']]
    """
    return [_texts(graph, name) for name in graph.relations]


def relation_text(graph: KnowledgeGraph, relation: int) -> str:
    """Return the best text of one relation, without reading those of all others.

    >>> relation_text(KnowledgeGraph.from_triples([("Alien", "directed_by", "Ridley Scott")]), 0)
    'directed by'
    """
    return _texts(graph, graph.relations[relation])[0]


def _texts(graph: KnowledgeGraph, name: str) -> list[str]:
    return list(graph.relation_labels.get(name, ())) or [spell_out(name)]


def spell_out(name: str) -> str:
    """Return the words in the name of a relation, in lower case: of an IRI or a dotted path, those in its last part.

    >>> [spell_out(name) for name in ("http://dbpedia.org/ontology/birthPlace", "/film/film/directed_by", "hasURLOf")]
    ['birth place', 'directed by', 'has url of']
    >>> spell_out("people.person.place_of_birth"), spell_out("ex:isA"), spell_out("P31"), spell_out("->")
    ('place of birth', 'is a', 'p31', '->')
    """
    last = re.split(r"[/#:.]", unquote(name).rstrip("/#:. "))[-1]
    words = _PIECE.findall(last) or _PIECE.findall(name)
    return " ".join(words).lower() or name

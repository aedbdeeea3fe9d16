"""RDF terms in and out of SPARQL. Everything that goes into a query passes through here, and is escaped or refused."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote

from kgreason.errors import DataError, StoreError

Kind: TypeAlias = Literal["iri", "literal", "blank"]

#: What may not stand in an IRI (SPARQL 1.1, production 139), and surrogates, which are no text.
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\\ud800-\udfff]')
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_NOT_IN_TEXT = re.compile(r"[\ud800-\udfff\x00]")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})
_KINDS: Mapping[str, Kind] = {"uri": "iri", "literal": "literal", "typed-literal": "literal", "bnode": "blank"}


class Term(NamedTuple):
    """One value of an answer: an IRI, a literal (with its language, or none), or a blank node."""

    kind: Kind
    value: str
    language: str = ""


def is_iri(text: str) -> bool:
    """Return whether a text can stand as an IRI with a scheme in a query.

    >>> is_iri("http://example.org/Wien"), is_iri("urn:isbn:0140449132"), is_iri("Vienna"), is_iri("http://x/> ?p ?o")
    (True, True, False, False)
    """
    return bool(_SCHEME.match(text)) and not _NOT_IN_IRI.search(text)


def iri(text: str) -> str:
    """Write an IRI into a query.

    Raises:
        DataError: If it has no scheme, or holds a character that would end it.

    >>> iri("http://example.org/Wien")
    '<http://example.org/Wien>'
    """
    if not is_iri(text):
        raise DataError(f"{text!r} is not an absolute IRI, so it cannot be asked for. Expected such as http://x.org/a.")
    return f"<{text}>"


def literal(text: str, language: str = "") -> str:
    r"""Write a text into a query.

    Raises:
        DataError: If it holds what no query can hold (a lone surrogate, a NUL), or the language is no language tag.

    >>> print(literal('say "hi" \\ } ; DROP', "en"))
    "say \"hi\" \\ } ; DROP"@en
    """
    if _NOT_IN_TEXT.search(text):
        raise DataError(f"{text!r} holds a NUL or a lone surrogate, so it cannot be asked for.")
    if language and not _LANGUAGE.fullmatch(language):
        raise DataError(f"'{language}' is not a language tag; expected such as en or pt-BR.")
    return f'"{text.translate(_ESCAPES)}"' + (f"@{language.lower()}" if language else "")


def values(variable: str, terms: Iterable[str]) -> str:
    """Return a VALUES block of terms that are written already, each once.

    Each once is not for speed alone: Virtuoso 7.2.5 gives no row at all for a block that holds a literal twice.
    """
    return f"VALUES ?{variable} {{ {' '.join(dict.fromkeys(terms))} }}"


def pairs(variables: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a VALUES block of rows of terms that are written already, each once."""
    told = " ".join(dict.fromkeys(f"({' '.join(row)})" for row in rows))
    return f"VALUES ({' '.join('?' + name for name in variables)}) {{ {told} }}"


def among(variable: str, iris: Iterable[str], outside: bool = False) -> str:
    """Return a filter to some IRIs, or to all others; empty if there are none.

    >>> among("r", ["http://x/p"]), among("r", [])
    ('FILTER(?r IN (<http://x/p>))', '')
    """
    told = ", ".join(iri(each) for each in dict.fromkeys(iris))
    return f"FILTER(?{variable} {'NOT IN' if outside else 'IN'} ({told}))" if told else ""


def read_row(names: Sequence[str], binding: Mapping[str, Any]) -> tuple[Term | None, ...]:
    """Read one row of an answer, in the order of the variables; None where one is not bound.

    Raises:
        StoreError: If it is not as the SPARQL 1.1 JSON format says.
    """
    return tuple(_read(binding[name]) if name in binding else None for name in names)


def _read(value: Any) -> Term:
    try:
        kind, text, language = _KINDS[value["type"]], value["value"], value.get("xml:lang", "")
    except (KeyError, TypeError, AttributeError):
        raise StoreError(f"The endpoint gave {str(value)[:200]!r} where a term was expected.") from None
    if not isinstance(text, str) or not isinstance(language, str):
        raise StoreError(f"The endpoint gave {str(value)[:200]!r} where a term was expected.")
    return Term(kind, text, language)


def ntriple(head: str, relation: str, tail: Term) -> str:
    """Write a triple as a line of N-Triples.

    Raises:
        DataError: If an IRI cannot be written.
    """
    end = iri(tail.value) if tail.kind == "iri" else literal(tail.value, tail.language)
    return f"{iri(head)} {iri(relation)} {end} .\n"


def last_part(name: str) -> str:
    """Return the name in an IRI, with spaces.

    >>> last_part("http://dbpedia.org/resource/New_York"), last_part("http://www.w3.org/2000/01/rdf-schema#label")
    ('New York', 'label')
    """
    return unquote(name.rstrip("/#").replace("#", "/").rpartition("/")[2]).replace("_", " ")

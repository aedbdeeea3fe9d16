"""The operators of English: what projects the words in its reach, and how.

Every operator has arguments, and every argument a signature: what becomes of a relation between two words that are
exchanged there (`kgreason.data.entailment.SIGNATURES`). A quantifier has a restrictor and a scope ("every [dog]
[barks]"), a negation a scope, a verb that takes a clause its complement, and so on; `Shape` says which. The lexicon is
`kgreason.data.operator_table`.

Reference:
    Signatures of quantifiers: MacCartney (2009, PhD thesis, sections 6.2 and 6.3). Implication signatures of verbs:
    Nairn, Condoravdi and Karttunen (2006, ICoS-5), Karttunen (2012, *SEM). "Only": von Fintel (1999, J. Semantics 16);
    its scope is downward where its presupposition holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Final, NamedTuple

from kgreason.data import operator_table as table
from kgreason.data.entailment import COMPOSE, Entailment, signature
from kgreason.data.quantifiers import is_number


class Shape(IntEnum):
    """How an operator stands to its arguments, `first` and `scope`."""

    DETERMINER = 0  #: first: restrictor (its noun phrase); scope: the clause around
    INDEFINITE = 1  #: as a determiner; upward in the specific reading
    ADVERB = 2  #: scope: the clause from here on
    PREDICATE = 3  #: first: complement
    MARKER = 4  #: first: the clause it opens; scope: the clause around
    PREPOSITION = 5  #: first: the noun phrase it opens
    CONNECTIVE = 6  #: first: each conjunct
    FOCUS = 7  #: first: focus; scope: the rest of the clause
    DEGREE = 8  #: first: the infinitive that follows an adjective
    SUPERLATIVE = 9  #: first: the noun phrase around


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Args:
        name: `every`, `at most`, `fail`.
        shape: How it stands to its arguments.
        first: The signature of the argument that it opens or takes; -1 if it has none, or if it depends (`any`).
        scope: The signature of the clause around it; -1 likewise.
        removal: The relation of the sentence with it to the sentence without it, where that does not depend on more.
        implies: For verbs and the like, what follows of the complement from the sentence and from its denial, as two
            of `+`, `-`, `0`: `-+` of "fail to".
        frames: The complements a predicate takes: `to`, `ing`, `that`, `whether`, `np`.
    """

    name: str
    shape: Shape
    first: int
    scope: int
    removal: Entailment | None = None
    implies: str = ""
    frames: frozenset[str] = frozenset()


class Match(NamedTuple):
    """What a phrase may be, and the words it stands in, `first` and `last` inside."""

    operators: tuple[Operator, ...]
    first: int
    last: int


#: What a sentence is to its complement, by the implication signature of its verb (MacCartney 2009, section 6.4).
REMOVAL: Final = {
    "+-": Entailment.EQUIVALENCE,
    "+0": Entailment.FORWARD,
    "0-": Entailment.REVERSE,
    "-+": Entailment.NEGATION,
    "-0": Entailment.ALTERNATION,
    "0+": Entailment.COVER,
    "++": Entailment.FORWARD,
    "--": Entailment.ALTERNATION,
    "00": Entailment.INDEPENDENCE,
}
_OF_IMPLICATION: Final = {"+-": "up", "+0": "up", "0-": "some", "-+": "not", "-0": "no", "0+": "down-"}
_NAMES: Final = {
    "up": "upward",
    "not": "not",
    "some": "some",
    "no": "no",
    "every1": "every, restrictor",
    "every2": "every, scope",
    "not1": "not every, restrictor",
    "not2": "not every, scope",
    "up-": "upward only",
    "down-": "downward only",
    "=": "none",
}


def read_signature(short: str) -> int:
    """Return the number of a signature by its short name in the table; -1 for `-`, `any` and nothing."""
    if short == "unless":  # if not
        return int(COMPOSE[signature("every, restrictor"), signature("not")])
    return -1 if short in {"", "-", "any"} else signature(_NAMES[short])


def _rows(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the fields of a line but the last, and the last one's phrases."""
    for line in text.strip().replace("\\\n", "").splitlines():
        *fields, phrases = [field.strip() for field in line.split("|")]
        yield fields, [phrase for phrase in (part.strip() for part in phrases.split(";")) if phrase]


def _lines() -> Iterator[tuple[Operator, list[str]]]:
    for shape, text in ((Shape.DETERMINER, table.DETERMINERS), (Shape.INDEFINITE, table.INDEFINITES)):
        for (name, first, scope), phrases in _rows(text):
            yield Operator(name, shape, read_signature(first), read_signature(scope)), phrases
    for (name, scope, removal), phrases in _rows(table.ADVERBS):
        yield (
            Operator(name, Shape.ADVERB, -1, read_signature(scope), Entailment[removal.upper()] if removal else None),
            phrases,
        )
    for shape, text in ((Shape.MARKER, table.MARKERS), (Shape.FOCUS, table.FOCUS)):
        for (name, first, scope), phrases in _rows(text):
            yield Operator(name, shape, read_signature(first), read_signature(scope)), phrases
    single = (
        (Shape.PREPOSITION, table.PREPOSITIONS),
        (Shape.CONNECTIVE, table.CONNECTIVES),
        (Shape.DEGREE, table.DEGREES),
    )
    for shape, text in single:
        for (name, first), phrases in _rows(text):
            yield Operator(name, shape, read_signature(first), -1), phrases


@cache
def predicates() -> dict[tuple[str, str], Operator]:
    """Return what takes a complement, by lemma and frame: `("fail", "to")`; `stop-from` is "stop … from"."""
    found = {}
    for (name, frames, implies, special), lemmas in _rows(table.PREDICATES):
        short = special or _OF_IMPLICATION[implies]
        operator = Operator(
            name,
            Shape.PREDICATE,
            read_signature(short),
            -1,
            REMOVAL[implies],
            implies,
            frozenset(frames.split()),
        )
        found.update({(lemma, frame): operator for lemma in lemmas for frame in frames.split()})
    return found


@cache
def phrases() -> dict[str, list[tuple[tuple[str, ...], tuple[Operator, ...]]]]:
    """Return all operators but predicates by the first word of their phrases, the longest phrase first.

    `#` stands for a number. Words that open noun phrases and clauses alike ("before") have an operator for each.
    """
    by_words: dict[tuple[str, ...], list[Operator]] = {}
    for operator, row in _lines():
        for phrase in row:
            by_words.setdefault(tuple(phrase.replace("#", "# ").split()), []).append(operator)
    found: dict[str, list[tuple[tuple[str, ...], tuple[Operator, ...]]]] = {}
    for words, operators in by_words.items():
        found.setdefault(words[0], []).append((words, tuple(operators)))
    for rows in found.values():
        rows.sort(key=lambda row: -len(row[0]))
    return found


#: The superlative and the question have no words of their own.
SUPERLATIVE: Final = Operator("superlative", Shape.SUPERLATIVE, signature("none"), -1)
QUESTION: Final = Operator("question", Shape.MARKER, signature("none"), -1)

#: After one of these, "not" denies what it says, and is no part of the quantifier that follows: "there is not | a dog".
_VERBS = """
am is are was were be been being do does did has have had will would can could may might must shall should 's 're 'm 've
'd 'll ca wo ai get gets got
"""
_AUXILIARIES: Final = frozenset(_VERBS.split())


def find_operators(words: Sequence[str]) -> list[Match]:
    """Return the operators that stand in a row of words, the longest phrase at each place; none overlap.

    Predicates are no phrases: look them up in `predicates`.

    Args:
        words: In lower case.

    >>> [(m.operators[0].name, m.first, m.last) for m in find_operators("at most three dogs never bark".split())]
    [('at most', 0, 2), ('never', 4, 4)]
    """
    starts = phrases()
    found: list[Match] = []
    at = 0
    while at < len(words):
        rows = starts.get(words[at], [])
        if is_number(words[at]):
            rows = sorted([*rows, *starts["#"]], key=lambda row: -len(row[0]))
        denies = words[at] == "not" and at > 0 and words[at - 1] in _AUXILIARIES
        ends = ((_end(row, words, at, denies), row[1]) for row in rows)
        end, operators = next((hit for hit in ends if hit[0] > 0), (at + 1, ()))
        if operators:
            found.append(Match(operators, at, end - 1))
        at = end
    return found


def _end(row: tuple[tuple[str, ...], tuple[Operator, ...]], words: Sequence[str], at: int, denies: bool) -> int:
    """Return the place after a phrase that begins at a place, or -1 if it does not."""
    phrase, operators = row
    if denies and operators[0].shape == Shape.DETERMINER:
        return -1
    for want in phrase:
        end = _after_number(words, at) if want == "#" else at + 1
        if end > len(words) or end == at or (want != "#" and want != words[at] and _SAME.get(words[at]) != want):
            return -1
        at = end
    return at


_SAME: Final = {"percent": "%", "'d": "would"}


def _after_number(words: Sequence[str], at: int) -> int:
    """Return the place after the number that begins at a place: "3", "two hundred", "a thousand"."""
    if words[at : at + 1] == ["a"] and at + 1 < len(words) and words[at + 1] in _POWERS:
        at += 1
    while at < len(words) and is_number(words[at]):
        at += 1
    return at


_POWERS: Final = frozenset({"hundred", "thousand", "million", "billion", "dozen"})

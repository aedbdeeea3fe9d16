"""Where the operators of a text hang in its dependency trees.

Phrases are found in the row of words, so a tree that is wrong inside a phrase does no harm; the tree then says what the
phrase belongs to, and where it says what cannot be (a determiner of a verb), the words to the right do.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from kgreason.data import signature
from kgreason.data.operators import SUPERLATIVE, Match, Operator, Shape, find_operators, phrases
from kgreason.parse.determiners import ARGUMENT, Quantified, determine
from kgreason.parse.words import NOMINAL, Words

_BEST: Final = frozenset({"best", "worst", "eldest"})
_FRIENDS: Final = frozenset({"friend", "friends", "man", "buddy"})  # "his best friend" is one thing
_NO_SUPERLATIVE: Final = frozenset({"first", "last", "least", "almost", "most", "just", "past", "east", "west", "fast"})
_POSSESSED: Final = frozenset({"the", "his", "her", "their", "my", "our", "your", "its"})
_FUNCTION: Final = frozenset({"case", "det", "nummod", "amod", "compound", "mark", "aux", "cop"})
_WITHIN: Final = frozenset({"advmod", "det", "aux", "cop", "case", "mark", "cc"})
_CONDITIONS: Final = frozenset({"if", "only if", "unless", "whether"})


class Hung(NamedTuple):
    """An adverb, a focus, or a conditional around a clause.

    `node` is the focus, or the antecedent; of an adverb -1.
    """

    signature: int
    token: int
    place: float
    node: int
    name: str


class Opened(NamedTuple):
    """What a preposition, a conjunction or a focus makes of the place of the word it opens."""

    signature: int
    token: int


@dataclass(slots=True)
class Cues:
    """What hangs on each word.

    Args:
        quantifiers: On the head of a noun phrase.
        adverbs: On the head of the clause (or phrase) they stand in.
        focus: On the head of the clause around the focus.
        around: Conditionals, on the head of the main clause.
        openers: On the head of what is opened.
        superlative: Heads of noun phrases with a superlative.
        nor: Conjuncts after "nor".
        inside: A word of a quantifier's phrase, and the noun phrase it quantifies.
        joined: The first of several conjuncts: the signature of each, and the connective.
    """

    quantifiers: dict[int, list[Quantified]] = field(default_factory=dict)
    adverbs: dict[int, list[Hung]] = field(default_factory=dict)
    focus: dict[int, list[Hung]] = field(default_factory=dict)
    around: dict[int, list[Hung]] = field(default_factory=dict)
    openers: dict[int, list[Opened]] = field(default_factory=dict)
    superlative: set[int] = field(default_factory=set)
    nor: set[int] = field(default_factory=set)
    inside: dict[int, int] = field(default_factory=dict)
    joined: dict[int, Opened] = field(default_factory=dict)


def find_cues(words: Words, indefinites: bool) -> Cues:
    """Return what hangs where. Mends `words` where the tree cut a noun off from its clause.

    Args:
        words: The words and their trees.
        indefinites: Whether a, some, two … have what they have in the existential reading.
    """
    cues = Cues()
    for match in find_operators(words.lower):
        _place(words, cues, match, indefinites)
    for w, low in enumerate(words.lower):
        if low.endswith("st") and words.pos[w] in {"ADJ", "ADV"}:
            _superlative(words, cues, w)
    return cues


def _place(words: Words, cues: Cues, match: Match, indefinites: bool) -> None:
    shape = match.operators[0].shape
    if shape == Shape.DETERMINER or (shape == Shape.INDEFINITE and indefinites):
        found = determine(words, match)
        if found is not None:
            top, quantified = found
            cues.quantifiers.setdefault(top, []).append(quantified)
            cues.inside.update(dict.fromkeys(range(match.first, match.last + 1), top))
    elif shape == Shape.ADVERB:
        _adverb(words, cues, match)
    elif shape in {Shape.MARKER, Shape.PREPOSITION}:
        _opener(words, cues, match)
    elif shape == Shape.FOCUS:
        _focus(words, cues, match)
    elif shape == Shape.CONNECTIVE:
        _connective(words, cues, match)
    elif shape == Shape.DEGREE:
        _degree(words, cues, match)


def _adverb(words: Words, cues: Cues, match: Match) -> None:
    w, operator = words.outside(match.first, match.last), match.operators[0]
    if operator.name in {"may", "must"} and words.pos[w] not in {"AUX", "ADV"}:
        return  # a can of beans
    _keep_with(words, w)
    node = words.head[w] if words.head[w] >= 0 else w
    if operator.name == "almost" and words.pos[node] in {"DET", "NUM", "ADV", "ADJ"}:
        return
    late = words.lower[w] in {"can", "could", "ca"} and words.near(w + 1) in {"not", "n't"}  # "cannot": not > can
    place = match.first + 1.5 if late else float(match.first)
    hung = Hung(operator.scope, w, place, -1, operator.name)
    cues.adverbs.setdefault(_scope_head(words, w, node), []).append(hung)


def _keep_with(words: Words, w: int) -> None:
    """Hang on an adverb behind an operator what its preposition opens: "a ladder not | next to an oak"."""
    case = w + 2
    if words.near(w + 1) and words.pos[w + 1] in {"ADV", "ADJ"} and words.near(case) and words.rel[case] == "case":
        noun = words.head[case]
        if noun > case and not words.is_clause(noun):
            words.hang(noun, w + 1, "obl")


def _scope_head(words: Words, w: int, node: int) -> int:
    """Return the head of the clause or phrase that an adverb stands in."""
    right = w + 1
    while right < len(words) and words.pos[right] in {"ADV", "AUX", "PART"}:
        right += 1
    verb = right < len(words) and words.head[right] == node and words.pos[right] in {"VERB", "ADJ"}
    if node < w and verb and words.pos[node] in NOMINAL:
        return right  # "a man not | wearing a hat"
    while words.rel[node] in _WITHIN and words.head[node] >= 0:
        node = words.head[node]
    return node


def _opener(words: Words, cues: Cues, match: Match) -> None:
    w = match.last if words.head[match.last] > match.last else words.outside(match.first, match.last)
    if words.rel[w] == "fixed" or (words.lower[w] == "but" and words.rel[w] != "case"):
        return
    node = _opened_by(words, w, match)
    operator = _kind(words, node, match) if node >= 0 else None
    if operator is None:
        return
    if words.lower[w].endswith("ever") and words.head[node] < 0:
        return
    if words.lower[w] == "if" and words.rel[node] in {"ccomp", "xcomp", "csubj"}:
        cues.openers.setdefault(node, []).append(Opened(SUPERLATIVE.first, w))  # whether
        return
    cues.openers.setdefault(node, []).append(Opened(operator.first, w))
    if operator.shape != Shape.MARKER or operator.scope < 0:
        return
    main = words.head[match.last if words.head[node] == match.last else node]
    while match.first <= main <= match.last and words.head[main] >= 0:
        main = words.head[main]
    if main >= 0:
        cues.around.setdefault(main, []).append(Hung(operator.scope, w, -1.0, node, operator.name))


def _opened_by(words: Words, w: int, match: Match) -> int:
    """Return the head of the clause or the noun phrase that a word opens, or -1."""
    head = words.head[w]
    if words.lower[match.last] == "time":  # every time | he sings
        return next((k for k in words.kids[match.last] if words.rel[k] in {"acl", "advcl"}), -1)
    if head > match.first:
        return head
    clauses = (k for k in words.kids[head] if k > match.last and words.rel[k] in {"advcl", "acl"}) if head >= 0 else ()
    return next(iter(clauses), words.noun_after(match.last))


def _kind(words: Words, node: int, match: Match) -> Operator | None:
    """Return what a word is before a clause, or before a noun phrase."""
    clause = words.is_clause(node)
    wanted = Shape.MARKER if clause else Shape.PREPOSITION
    operator = next((one for one in match.operators if one.shape == wanted), match.operators[0])
    if operator.shape == Shape.MARKER and not clause and operator.name in _CONDITIONS:
        return None
    if not clause and operator.name in {"than", "before"} and not _is_generic(words, node, operator.name):
        return None
    return operator


def _is_generic(words: Words, node: int, name: str) -> bool:
    """Whether a noun phrase after "than" speaks of any of its kind: it is bare, or has a(n) or any."""
    kids = words.kids[node]
    determiners = {words.lower[k] for k in kids if words.rel[k] in {"det", "nummod"}}
    if "any" in determiners or words.lower[node] in {"anyone", "anybody", "anything"}:
        return True
    possessed = any(words.rel[k] == "nmod" and k < node for k in kids)
    return name == "than" and determiners <= {"a", "an"} and words.pos[node] == "NOUN" and not possessed


def _focus(words: Words, cues: Cues, match: Match) -> None:
    w = words.outside(match.first, match.last)
    if words.near(match.first - 1) in _POSSESSED:
        noun = words.head[w] if words.head[w] > w else words.noun_after(w)
        cues.superlative |= {noun} - {-1}  # "the only child"
        return
    node = _focused(words, w, match)
    while node >= 0 and (words.rel[node] in _FUNCTION or match.first <= words.head[node] <= match.last):
        node = words.head[node]
    if node >= 0 and words.head[node] >= 0:
        operator = match.operators[0]
        hung = Hung(operator.scope, w, match.first, node, operator.name)
        cues.focus.setdefault(words.head[node], []).append(hung)
        cues.openers.setdefault(node, []).append(Opened(operator.first, w))


def _focused(words: Words, w: int, match: Match) -> int:
    """Return the word that "only" picks out: the noun it hangs on, of a verb the first complement to its right."""
    if match.first < match.last and words.lower[match.last] in {"but", "except"}:
        return words.noun_after(match.last)
    node = words.head[w]
    if node >= 0 and words.is_clause(node):
        right = (k for k in words.kids[node] if k > w and words.rel[k] in ARGUMENT | {"advcl", "advmod"})
        return next(right, node)
    return node


def _connective(words: Words, cues: Cues, match: Match) -> None:
    w = match.last
    conjunct = words.head[w]
    if conjunct < 0 or words.rel[w] != "cc":
        return
    if words.lower[w] == "nor":
        _nor(words, cues, w, conjunct)
    elif words.rel[conjunct] == "conj":
        cues.joined[words.head[conjunct]] = Opened(match.operators[0].first, w)


def _nor(words: Words, cues: Cues, w: int, conjunct: int) -> None:
    """Read "neither A nor B" as a denial of both; "nor" after another denial as "or"."""
    first = words.head[conjunct] if words.rel[conjunct] == "conj" else conjunct
    neither = next((at for at in range(w - 1, -1, -1) if words.lower[at] == "neither"), -1)
    cues.joined[first] = Opened(0, w)
    cues.nor.add(conjunct)
    if neither < 0:
        if any(words.rel[k] == "nsubj" for k in words.kids[conjunct]):  # "nor does | the dog bark"
            cues.adverbs.setdefault(conjunct, []).append(Hung(signature("not"), w, float(w), -1, "not"))
        return
    if words.pos[first] in NOMINAL and words.rel[first] in ARGUMENT - {"root", "ccomp", "parataxis"}:
        cues.quantifiers.setdefault(first, []).append(Quantified(_no(), neither, neither, -1))
        cues.inside[neither] = first
    else:
        cues.adverbs.setdefault(first, []).append(Hung(_no().scope, neither, float(neither), -1, "neither"))


@cache
def _no() -> Operator:
    return next(operators[0] for row, operators in phrases()["no"] if row == ("no",))


def _degree(words: Words, cues: Cues, match: Match) -> None:
    w = match.last
    adjective = words.head[w]
    if adjective <= w:
        return
    for node in (adjective, words.head[adjective]):
        for kid in words.kids[node] if node >= 0 else ():
            clause = words.rel[kid] in {"xcomp", "advcl", "ccomp", "acl", "csubj"}
            if kid > adjective and clause and words.opens(kid, "to"):
                cues.openers.setdefault(kid, []).append(Opened(match.operators[0].first, w))
                return


def _superlative(words: Words, cues: Cues, w: int) -> None:
    low = words.lower[w]
    most = low == "most" and words.near(w - 1) in _POSSESSED and words.rel[w] == "advmod"
    if low in _BEST and (words.near(w + 1) in _FRIENDS or words.rel[w] not in {"amod", "root"}):
        return
    if not most and low not in _BEST and (low in _NO_SUPERLATIVE or words.lemma[w] == low or not low.endswith("est")):
        return
    node = words.head[w] if words.rel[w] in {"amod", "advmod"} else w
    if words.pos[node] == "ADJ" and words.rel[node] == "amod":
        node = words.head[node]  # the most beautiful flower
    if node >= 0:
        cues.superlative.add(node)
        if words.rel[node] in {"obj", "obl", "nsubj"}:
            words.take(node, {"obl"})

"""Where the operators of a text hang in its dependency trees.

Phrases are found in the row of words, so a tree that is wrong inside a phrase does no harm; the tree then says what the
phrase belongs to, and where it says what cannot be (a determiner of a verb), the words to the right do.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kgreason.data.operators import SUPERLATIVE, Match, Operator, Shape, find_operators, phrases
from kgreason.parse.words import NOMINAL, Words

_INSIDE_NOUN_PHRASE: Final = frozenset(
    {"det", "nummod", "amod", "advmod", "nmod", "compound", "dep", "cc", "case", "fixed"}
)
_ARGUMENT: Final = frozenset(
    {"nsubj", "obj", "iobj", "obl", "root", "conj", "csubj", "ccomp", "xcomp", "nmod", "parataxis"}
)
_BEFORE_NOUN: Final = frozenset({"ADJ", "ADV", "NUM", "DET", "PRON", "NOUN", "PROPN", "X"})
_IRREGULAR: Final = frozenset({"best", "worst", "most", "least", "eldest", "first", "last"})
#: "all day", "at all", "no doubt": words that look like quantifiers.
_NOT_ALL: Final = frozenset(
    "over around day night along alone right the-time year week morning afternoon evening".split()
)  # noqa: SIM905
_NOT_NO: Final = frozenset({"doubt", "matter", "wonder", ",", ".", "!", ":", "sooner", "-"})
_DEFINITE: Final = frozenset("the these those his her their its my our your last first next past every 's".split())  # noqa: SIM905
_MASS: Final = frozenset(
    "attention water hope food time money chance doubt interest evidence progress effort sense sleep rain help support "
    "use value knowledge information patience energy traffic work room space reason faith trust respect impact effect "
    "influence difference trouble sympathy resistance milk sugar salt wine beer bread rice meat fruit furniture music "
    "experience success damage fear joy love light air snow wind noise fun research confidence power truth".split()  # noqa: SIM905
)
_NO: Final = phrases()["no"][-1][1][0]
_CAN: Final = frozenset({"can", "could", "ca", "need"})


class Quantified(NamedTuple):
    """A quantifier of a noun phrase: the word it is told by, the first word of its phrase, and of "all of the men"
    the noun "men" (else -1)."""

    operator: Operator
    token: int
    place: int
    part: int


class Hung(NamedTuple):
    """An adverb, a focus or the main clause of a conditional: what its signature is, where and by which word."""

    signature: int
    token: int
    place: float
    node: int  # of a focus, the focus; of a conditional, the antecedent; of an adverb -1
    name: str


@dataclass(slots=True)
class Cues:
    """What hangs on each word."""

    quantifiers: dict[int, list[Quantified]] = field(default_factory=dict)
    adverbs: dict[int, list[Hung]] = field(default_factory=dict)
    focus: dict[int, list[Hung]] = field(default_factory=dict)
    around: dict[int, list[Hung]] = field(default_factory=dict)
    #: signatures of the place of a word by what opens it (a preposition, a conjunction, a superlative): signature, token
    openers: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    superlative: set[int] = field(default_factory=set)
    nor: set[int] = field(default_factory=set)
    #: a word of a quantifier's phrase, and the noun phrase it quantifies
    inside: dict[int, int] = field(default_factory=dict)
    #: the signature of the conjuncts of a word, and the connective
    joined: dict[int, tuple[int, int]] = field(default_factory=dict)


def find_cues(words: Words, indefinites: bool) -> Cues:
    """Return what hangs where. May hang a noun elsewhere in `words`, where the tree cut it off from its clause.

    Args:
        words: The words and their trees.
        indefinites: Whether to give a, some, two … what they have in the existential reading.
    """
    cues = Cues()
    for match in find_operators(words.lower):
        _place(words, cues, match, indefinites)
    for w in range(len(words)):
        if words.lower[w].endswith("st") and words.pos[w] in {"ADJ", "ADV"}:
            _superlative(words, cues, w)
    return cues


def _place(words: Words, cues: Cues, match: Match, indefinites: bool) -> None:
    shape = match.operators[0].shape
    if shape == Shape.DETERMINER or (shape == Shape.INDEFINITE and indefinites):
        _determiner(words, cues, match)
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


def _outside(words: Words, match: Match) -> int:
    """Return the word of a phrase that hangs on something outside it; the last, if there are several or none."""
    for w in range(match.last, match.first - 1, -1):
        if not match.first <= words.head[w] <= match.last:
            return w
    return match.last


def _determiner(words: Words, cues: Cues, match: Match) -> None:
    operator = match.operators[0]
    if _mistaken(words, match):
        return
    last = match.last
    part, top = -1, -1
    if words.lower[last] == "of" or (last + 1 < len(words) and words.lower[last + 1] == "of"):
        of = last if words.lower[last] == "of" else last + 1
        part = _noun_of(words, of)
        top = _outside(words, match._replace(last=of - 1))
        if part == top or (part >= 0 and words.head[part] not in range(match.first, of)):
            part, top = -1, part if part >= 0 else top
    else:
        noun = _noun(words, match)
        top = noun if noun >= 0 else _outside(words, match)
        _hang_on_clause(words, match, top)
    cues.quantifiers.setdefault(top, []).append(Quantified(operator, last if part < 0 else top, match.first, part))
    cues.inside.update(dict.fromkeys(range(match.first, last + 1), top))


def _mistaken(words: Words, match: Match) -> bool:
    """Whether a word that can be a quantifier is none here."""
    if match.first != match.last:
        return False
    w, low = match.first, words.lower[match.first]
    before = words.lower[w - 1] if w else ""
    after = words.lower[w + 1] if w + 1 < len(words) else ""
    if low == "all":
        return before in {"at", "after", "above", "of"} or after in _NOT_ALL
    if low == "no":
        return after in _NOT_NO or not after
    if low == "few":
        return before in _DEFINITE
    if low == "little":
        return after not in _MASS or before in _DEFINITE or before == "a"
    if low == "most":
        return (
            before in _DEFINITE
            or words.rel[w] == "advmod"
            and words.pos[words.head[w]] in {"ADJ", "ADV"}
            and not _noun_phrase(words, w)
        )
    if low in {"more", "fewer", "less"}:
        return words.rel[w] not in {"amod", "det"} or "than" not in words.lower[w:]
    if low in {"both", "either", "neither"}:
        other = {"both": "and", "either": "or", "neither": "nor"}[low]
        return (words.rel[w] == "cc" or low == "neither") and other in words.lower[w:]
    if low == "half":
        return before in {"a", "-", "first", "second", "other", "in"} or after in {"-", "an", "past"}
    return False


def _noun_phrase(words: Words, w: int) -> bool:
    """Whether a noun follows after adjectives alone: "most young people"."""
    return _scan(words, w) >= 0 and words.lower[w - 1 : w] != ["the"]


def _noun_of(words: Words, of: int) -> int:
    head = words.head[of]
    return head if head > of else _scan(words, of)


def _noun(words: Words, match: Match) -> int:
    """Return the noun that a phrase determines, or -1 if it stands alone."""
    w = _outside(words, match)
    head = words.head[match.last] if words.lower[match.last] == "the" else words.head[w]
    if words.rel[w] in _INSIDE_NOUN_PHRASE and head > match.last and words.pos[head] in NOMINAL:
        return head
    last = words.head[match.last]
    if words.rel[match.last] in {"nummod", "det"} and last > match.last and words.pos[last] in NOMINAL:
        return last
    if words.pos[w] in {"PRON", "NOUN"} and words.rel[w] in _ARGUMENT:
        return -1
    return _scan(words, match.last)


def _scan(words: Words, w: int) -> int:
    """Return the last noun of the noun phrase that may begin right of `w`, or -1."""
    at, found = w + 1, -1
    while at < len(words) and words.pos[at] in _BEFORE_NOUN and at <= w + 6:
        if words.pos[at] in {"NOUN", "PROPN"}:
            found = at
        elif found >= 0:
            break
        at += 1
    return found


def _hang_on_clause(words: Words, match: Match, noun: int) -> None:
    """Hang a noun on what its quantifier hangs on, where the tree has it the wrong way round ("no more than | two men")."""
    head = words.head[noun]
    if noun > match.last and match.first <= head <= match.last:
        top = head
        while match.first <= words.head[top] <= match.last:
            top = words.head[top]
        words.hang(noun, words.head[top], "nsubj" if noun < words.head[top] else "obj")
    elif words.rel[noun] in {"advmod", "advcl"}:
        words.rel[noun] = "obl"


def _adverb(words: Words, cues: Cues, match: Match) -> None:
    w, operator = _outside(words, match), match.operators[0]
    if operator.name in {"may", "must"} and words.pos[w] not in {"AUX", "ADV"}:
        return
    node = words.head[w] if words.head[w] >= 0 else w
    if operator.name == "almost" and words.pos[node] in {"DET", "NUM", "ADV", "ADJ"}:
        return
    node = _scope_head(words, w, node)
    late = words.lower[w] in _CAN and words.lower[w + 1 : w + 2] in (["not"], ["n't"])  # "cannot": not > can
    place = match.first + 1.5 if late else float(match.first)
    cues.adverbs.setdefault(node, []).append(Hung(operator.scope, w, place, -1, operator.name))


def _scope_head(words: Words, w: int, node: int) -> int:
    """Return the word whose phrase an adverb stands in."""
    right = w + 1
    while right < len(words) and words.pos[right] in {"ADV", "AUX", "PART"}:
        right += 1
    if node < w and right < len(words) and words.head[right] == node and words.pos[node] in NOMINAL:
        if words.pos[right] in {"VERB", "ADJ"}:
            return right  # "a man not | wearing a hat"
    while words.rel[node] in {"advmod", "det", "aux", "cop", "case", "mark", "cc"} and words.head[node] >= 0:
        node = words.head[node]
    return node


def _opener(words: Words, cues: Cues, match: Match) -> None:
    by_shape = {operator.shape: operator for operator in match.operators}
    w = match.last if words.head[match.last] > match.last else _outside(words, match)
    node = words.head[w]
    if node < match.first or words.rel[w] == "fixed":
        node = _scan(words, match.last)
        if node < 0 or words.rel[w] == "fixed":
            return
    clause = words.is_clause(node)
    operator = by_shape.get(Shape.MARKER) if clause else by_shape.get(Shape.PREPOSITION)
    operator = operator or match.operators[0]
    if operator.shape == Shape.PREPOSITION and not clause and operator.name in {"than", "before"}:
        if not _generic(words, node, operator.name):
            return
    if operator.name == "if" and clause and words.rel[node] in {"ccomp", "xcomp", "csubj"}:
        cues.openers.setdefault(node, []).append((SUPERLATIVE.first, w))  # whether
        return
    if operator.shape == Shape.MARKER and not clause and operator.name in {"if", "only if", "unless", "whether"}:
        return
    cues.openers.setdefault(node, []).append((operator.first, w))
    if operator.shape == Shape.MARKER and operator.scope >= 0 and words.head[node] >= 0:
        hung = Hung(operator.scope, w, -1.0, node, operator.name)
        cues.around.setdefault(words.head[node], []).append(hung)


def _generic(words: Words, node: int, name: str) -> bool:
    """Whether a noun phrase after "than" speaks of any of its kind: it is bare, or has a(n) or any."""
    determiners = {
        words.lower[k] for k in words.kids[node] if words.rel[k] in {"det", "nummod"} or words.lower[k] == "'s"
    }
    if "any" in determiners or words.lower[node] in {"anyone", "anybody", "anything"}:
        return True
    possessed = any(words.rel[k] == "nmod" and k < node for k in words.kids[node])
    return name == "than" and determiners <= {"a", "an"} and words.pos[node] == "NOUN" and not possessed


def _focus(words: Words, cues: Cues, match: Match) -> None:
    operator = match.operators[0]
    w = _outside(words, match)
    if words.rel[w] == "amod" or words.lower[match.first - 1 : match.first] in (["the"], ["his"], ["her"], ["their"]):
        if words.head[w] > w:
            cues.superlative.add(words.head[w])  # "the only child"
        return
    if match.first < match.last and words.lower[match.last] in {"but", "except"}:
        node = _scan(words, match.last)
    else:
        node = words.head[w]
        if node < 0 or words.pos[node] in {"VERB", "AUX"} or words.is_clause(node):
            right = (
                [k for k in words.kids[node] if k > w and words.rel[k] in _ARGUMENT | {"advcl", "advmod"}]
                if node >= 0
                else []
            )
            node = right[0] if right else node
    while node >= 0 and words.rel[node] in {"case", "det", "nummod", "amod", "compound", "mark", "aux", "cop"}:
        node = words.head[node]
    if node >= 0 and words.head[node] >= 0:
        hung = Hung(operator.scope, w, match.first, node, operator.name)
        cues.focus.setdefault(words.head[node], []).append(hung)
        cues.openers.setdefault(node, []).append((operator.first, w))


def _connective(words: Words, cues: Cues, match: Match) -> None:
    w = match.last
    conjunct = words.head[w]
    if conjunct < 0 or words.rel[w] != "cc":
        return
    if words.lower[w] == "nor":
        _nor(words, cues, w, conjunct)
    elif words.rel[conjunct] == "conj":
        cues.joined[words.head[conjunct]] = (match.operators[0].first, w)


def _nor(words: Words, cues: Cues, w: int, conjunct: int) -> None:
    """Read "neither A nor B" as a denial of both; "nor" after another denial as "or"."""
    first = words.head[conjunct] if words.rel[conjunct] == "conj" else conjunct
    neither = next((at for at in range(w - 1, -1, -1) if words.lower[at] == "neither"), -1)
    cues.joined[first] = (0, w)
    cues.nor.add(conjunct)
    if neither < 0:
        return
    if words.pos[first] in NOMINAL and words.rel[first] in _ARGUMENT - {"root", "ccomp", "parataxis"}:
        cues.quantifiers.setdefault(first, []).append(Quantified(_NO, neither, neither, -1))
        cues.inside[neither] = first
    else:
        cues.adverbs.setdefault(first, []).append(Hung(_NO.scope, neither, float(neither), -1, "neither"))


def _degree(words: Words, cues: Cues, match: Match) -> None:
    w = match.last
    adjective = words.head[w]
    if adjective <= w:
        return
    for node in (adjective, words.head[adjective]):
        for kid in words.kids[node] if node >= 0 else ():
            if kid > adjective and words.rel[kid] in {"xcomp", "advcl", "ccomp", "acl"} and words.opens(kid, "to"):
                cues.openers.setdefault(kid, []).append((match.operators[0].first, w))
                return


def _superlative(words: Words, cues: Cues, w: int) -> None:
    low = words.lower[w]
    if low not in _IRREGULAR and (words.lemma[w] == low or not low.endswith("est")):
        return
    node = words.head[w] if words.rel[w] in {"amod", "advmod"} else w
    if words.pos[node] == "ADJ" and words.rel[node] == "amod":
        node = words.head[node]  # the most beautiful flower
    if low in {"first", "last", "least"} or (low == "most" and "the" not in words.lower[max(w - 1, 0) : w]):
        return
    cues.superlative.add(node)

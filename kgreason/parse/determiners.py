"""Which noun phrase a quantifier belongs to."""

from dataclasses import replace
from typing import Final, NamedTuple

from kgreason.data.operators import Match, Operator
from kgreason.parse.words import NOMINAL, Words

_INSIDE: Final = frozenset({"det", "nummod", "amod", "advmod", "nmod", "compound", "dep", "cc", "case", "fixed"})
#: Relations of what can stand for a noun phrase.
ARGUMENT: Final = frozenset(
    {"nsubj", "obj", "iobj", "obl", "root", "conj", "csubj", "ccomp", "xcomp", "nmod", "parataxis"}
)
_SPATIAL: Final = frozenset({"about", "around", "over", "above", "under", "below", "close", "up"})
_PAIRED: Final = {"both": "and", "either": "or", "neither": "nor"}
_RELATIVE: Final = frozenset({"who", "which", "that", "whom", "whose", "where", "to"})

#: Words after "all" and "no", and before "all", "few" and "most", beside which these are no quantifiers.
_BEHIND_ALL = """
over around along alone right day night week year in by on at with about to from for into through across black white red
blue green denim
"""
_AFTER_ALL: Final = frozenset(_BEHIND_ALL.split())
_BEFORE_ALL: Final = frozenset({"at", "after", "above", "of"})
_AFTER_NO: Final = frozenset({"", "doubt", "matter", "wonder", "sooner", ",", ".", "!", ":", "-"})
_DEFINITE = "the these those his her their its my our your last first next past every 's"
_BEFORE_FEW: Final = frozenset(_DEFINITE.split())
_HALVED: Final = frozenset({"a", "-", "first", "second", "other", "in"})
#: What there can be little of; before other nouns, "little" is small.
_MASS_NOUNS = """
air attention beer bread chance confidence damage difference doubt effect effort energy evidence experience faith fear
food fruit fun furniture help hope impact influence information interest joy knowledge light love meat milk money music
noise patience power progress reason research resistance respect rice room salt sense sleep snow space success sugar
support sympathy time traffic trouble trust truth use value water wind wine work rain
"""
_MASS: Final = frozenset(_MASS_NOUNS.split())
_MEASURES = """
year month week day hour minute second foot inch meter metre mile kilometer kilometre pound kilo dollar euro degree
percent
"""
_UNITS: Final = frozenset(_MEASURES.split())


class Quantified(NamedTuple):
    """A quantifier of a noun phrase.

    `token` is the word it is told by, `place` the first word of its phrase, `part` the noun "men" of "all of the men",
    else -1.
    """

    operator: Operator
    token: int
    place: int
    part: int


def determine(words: Words, match: Match) -> tuple[int, Quantified] | None:
    """Return the head of the noun phrase that a quantifier belongs to, or nothing if it is none here.

    Where the tree has cut the noun off from its clause ("no more than | two men"), it is mended.
    """
    if (_is_other_word if match.first == match.last else _is_spatial)(words, match):
        return None
    operator, last = match.operators[0], match.last
    subject = _floats(words, match)
    if subject >= 0:
        # it ranges over a group that is given: the place of "players" is that of any definite
        return subject, Quantified(replace(operator, first=0), last, match.first, -1)
    of = last if words.lower[last] == "of" else last + 1
    if words.near(of) == "of":
        top, part = _partitive(words, match.first, of)
        found = Quantified(operator, last if part < 0 else top, match.first, part)
    else:
        noun = _noun(words, match)
        top = noun if noun >= 0 else words.outside(match.first, last)
        _hang_on_clause(words, match, top)
        found = Quantified(operator, last, match.first, -1)
    if found.part < 0 and words.pos[top] == "PRON" and words.rel[top] in {"obj", "obl"}:
        words.take(top, {"obl"})
    if operator.scope >= 0 and words.lemma[top] in _UNITS and _measures(words, top):
        found = found._replace(operator=replace(operator, scope=-1))  # "about ten years old" counts no years
    _raise_verb(words, top, found.part)
    return top, found


def _measures(words: Words, noun: int) -> bool:
    return words.head[noun] >= 0 and words.pos[words.head[noun]] in {"ADJ", "ADV", "NOUN"}


def _is_coloured(words: Words, w: int) -> bool:
    """Whether the word after "all" is the colour of those who are meant: "all black dogs", not "in all black"."""
    noun = words.head[w + 1]
    coloured = words.rel[w + 1] == "amod" and words.head[w] == noun > w + 1 and words.pos[noun] == "NOUN"
    return coloured and words.near(w - 1) not in {"in", "wearing"}


def _is_spatial(words: Words, match: Match) -> bool:
    """Whether "over two fences" says where, not how many: it has a preposition, and subjects have none."""
    noun = words.head[match.last]
    if words.lower[match.first] not in _SPATIAL or noun < 0 or words.rel[noun] in {"nsubj", "obj", "root"}:
        return False
    return any(match.first <= k < match.last and words.rel[k] == "case" for k in words.kids[noun])


def _is_other_word(words: Words, match: Match) -> bool:
    """Whether a word that can be a quantifier is none beside its neighbours."""
    w, low = match.first, words.lower[match.first]
    before, after = words.near(w - 1), words.near(w + 1)
    if low in _PAIRED:
        return (words.rel[w] == "cc" or low == "neither") and _PAIRED[low] in words.lower[w:]
    if low == "most":
        adverb = words.rel[w] == "advmod" and words.pos[words.head[w]] in {"ADJ", "ADV"}
        return before in _BEFORE_FEW | {"a"} or (adverb and words.noun_after(w) < 0)
    if low in {"more", "fewer", "less"}:
        return words.rel[w] not in {"amod", "det"} or "than" not in words.lower[w:]
    beside = {
        "all": before in _BEFORE_ALL or (after in _AFTER_ALL and not _is_coloured(words, w)),
        "each": after in {"other", "others"},
        "no": after in _AFTER_NO,
        "few": before in _BEFORE_FEW,
        "little": after not in _MASS or before in _BEFORE_FEW or before == "a",
        "half": before in _HALVED or after not in _BEFORE_FEW | {"of"},
    }
    return beside.get(low, False)


def _floats(words: Words, match: Match) -> int:
    """Return the subject of "the players are all | wearing helmets", or -1."""
    w = match.first
    head = words.head[w]
    if match.last != w or words.lower[w] not in {"all", "each", "both"} or words.rel[w] not in {"advmod", "det"}:
        return -1
    if head < w or not words.is_clause(head):
        return -1
    return next((k for k in words.kids[head] if words.rel[k] == "nsubj" and k < w), -1)


def _partitive(words: Words, first: int, of: int) -> tuple[int, int]:
    """Return the head of "all of the men" and "men"; if the tree makes "men" the head, that and -1."""
    part = words.head[of] if words.head[of] > of else words.noun_after(of)
    top = words.outside(first, of - 1)
    if part < 0 or part == top:
        return top, -1
    if not first <= words.head[part] < of:
        return part, -1
    words.hang(part, top, "nmod")
    return top, part


def _noun(words: Words, match: Match) -> int:
    """Return the noun that a phrase determines, or -1 if it stands alone."""
    w = words.outside(match.first, match.last)
    for token in (w, match.last):
        head = words.head[token]
        if words.pos[head] == "NUM" and words.rel[head] in {"nummod", "compound"}:
            head = words.head[head]  # two | hundred | men
        if words.rel[token] in _INSIDE and head > match.last and words.pos[head] in NOMINAL:
            return head
    if words.pos[w] in {"PRON", "NOUN"} and words.rel[w] in ARGUMENT:
        return -1
    return words.noun_after(match.last)


def _hang_on_clause(words: Words, match: Match, noun: int) -> None:
    """Hang a noun on what its quantifier hangs on, where the tree has it the wrong way round."""
    head = words.head[noun]
    if noun > match.last and match.first <= head <= match.last:
        while match.first <= head <= match.last:
            head = words.head[head]
        words.hang(noun, head, "nsubj" if noun < head else "obj")
    elif words.rel[noun] in {"advmod", "advcl"}:
        words.rel[noun] = "obl"


def _raise_verb(words: Words, top: int, part: int) -> None:
    """Make a verb the root that the tree has as a clause within a noun: "half of the voters | chose a woman"."""
    if words.head[top] >= 0:
        return
    for noun in (top, part):
        for kid in words.kids[noun] if noun >= 0 else ():
            if words.rel[kid] in {"acl", "advcl", "dep"} and _is_finite(words, kid):
                words.hang(kid, -1, "root")
                words.hang(top, kid, "nsubj")
                return


def _is_finite(words: Words, verb: int) -> bool:
    kids = words.kids[verb]
    if words.pos[verb] not in {"VERB", "AUX"} or any(words.rel[k] in {"nsubj", "mark"} for k in kids):
        return False
    if any(words.lower[k] in _RELATIVE for k in kids):
        return False
    return not words.lower[verb].endswith("ing") or any(words.rel[k] == "aux" for k in kids)

"""Whom a pronoun may mean: signs, not decisions; a learned reader weighs them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kgreason.ground.told import Told

#: Pronoun to the gender it asks for; `p`: several people; `1`: whoever tells the story.
PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "m"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "f"),
    **dict.fromkeys(("they", "them", "their"), "p"),
    **dict.fromkeys(("my", "i"), "1"),
}
#: How far from its gender someone may be and still be meant.
_AGREES = 0.35
#: Sentences further back than this do not count.
_BACK = 2
_CLIMB = 12
Signs = dict[str, set[str]]


def antecedents(told: Told, female: Mapping[str, float]) -> dict[int, Signs]:
    """Return for each pronoun the people it may mean, each with its signs.

    `recent`, `first`, `only`: the nearest, the farthest, the only one before it who agrees in gender; `subject`: the
    subject of its clause or of one around it; `topic`: the subject of the sentence before; `best`: what is taken for
    granted where an earlier pronoun is itself a subject.

    Args:
        told: The story.
        female: How sure everyone is to be female.
    """
    found: dict[int, Signs] = {}
    for at, word in enumerate(told.words):
        gender = PRONOUNS.get(word.lower())
        if gender:
            found[at] = _signs(told, at, gender, female, found)
    return found


def _signs(told: Told, at: int, gender: str, female: Mapping[str, float], earlier: Mapping[int, Signs]) -> Signs:
    signs: Signs = defaultdict(set)
    sentence = told.sentence[at]
    before = dict.fromkeys(
        name for place, name in reversed(told.mentions) if place < at and sentence - told.sentence[place] <= _BACK
    )
    fitting = [name for name in before if _agrees(female[name], gender)]
    if fitting:
        signs[fitting[0]].add("recent")
        signs[fitting[-1]].add("first")
    if len(fitting) == 1:
        signs[fitting[0]].add("only")
    subjects = list(dict.fromkeys(name for subject in _subjects(told, at) for name in _named(told, subject, earlier)))
    subject = [name for name in subjects if _agrees(female[name], gender)]
    topic = [
        name
        for place, name in told.mentions
        if told.sentence[place] == sentence - 1 and told.relation[place] == "nsubj" and _agrees(female[name], gender)
    ]
    if subject:
        signs[subject[0]].add("subject")
    if topic:
        signs[topic[0]].add("topic")
    if gender == "p":
        best = subjects[:3]
    else:
        near = [
            name
            for place, name in told.mentions
            if place < at and told.sentence[place] == sentence and _agrees(female[name], gender)
        ]
        best = (subject[:1] or near[-1:] or topic[:1] or fitting[:1])[:1]
    for name in best:
        signs[name].add("best")
    return dict(signs)


def _agrees(female: float, gender: str) -> bool:
    return {"f": female > _AGREES, "m": female < 1 - _AGREES}.get(gender, True)


def _subjects(told: Told, at: int) -> Iterator[int]:
    """Yield the subjects before a word: of its own clause first, then of those around it."""
    word = at
    for _ in range(_CLIMB):
        if word < 0:
            return
        yield from (c for c in told.children.get(word, ()) if told.relation[c] == "nsubj" and c < at)
        word = told.governor[word]


def _named(told: Told, word: int, earlier: Mapping[int, Signs]) -> list[str]:
    """Return whom a subject names: its own words, what stands beside them, and what is joined to it by *and*."""
    children = told.children.get(word, ())
    beside = [told.who[c] for c in children if told.who[c] and told.relation[c] in ("appos", "flat")]
    if told.who[word]:
        found = [told.who[word]]
    elif word in earlier:
        found = [name for name, signs in earlier[word].items() if "best" in signs]
    else:
        found = beside
    for other in (c for c in children if told.relation[c] == "conj"):
        further = told.children.get(other, ())
        named = [told.who[other]] if told.who[other] else []
        found = found + (
            named or [told.who[c] for c in further if told.who[c] and told.relation[c] in ("appos", "flat")]
        )
    return found

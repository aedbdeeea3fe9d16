"""Stories for a language model that is to tell who is what to whom: names are drawn anew each time they are read."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from kgreason.ground.genders import log_odds
from kgreason.ground.told import Told

#: The relations that are right from one person to another, by number; a pair that is not there has none.
Right = Mapping[tuple[int, int], tuple[int, ...]]
_MEN = (
    "james john robert michael david william richard thomas charles paul george edward henry peter arthur walter "
    "albert harry fred joseph daniel matthew anthony steven andrew kenneth joshua kevin brian timothy ronald jeffrey "
    "nicholas jacob eric jonathan stephen larry justin scott benjamin samuel gregory alexander patrick dennis jerry "
    "simon adam nathan carl keith roger gerald lawrence sean"
)
_WOMEN = (
    "mary anna elizabeth margaret sarah helen ruth alice emma jane susan karen nancy lisa betty sandra ashley donna "
    "emily carol michelle amanda melissa deborah stephanie rebecca laura sharon cynthia kathleen amy angela anne "
    "barbara catherine jennifer jessica julia kate linda lucy maria martha rachel samantha sophie teresa victoria "
    "christine heather diane julie evelyn megan cheryl andrea hannah joan"
)
_ENDS = frozenset(".!?")
#: How often two stories that are told as one have a person in common.
_LINKED = 0.6


class Tale(NamedTuple):
    """A story in words, where each mention of someone is one word.

    Args:
        words: The words; what stands at a mention does not matter.
        who: The person whom each word mentions, counted from 0, or -1.
        female: How sure everyone is to be female, by her name.
    """

    words: tuple[str, ...]
    who: tuple[int, ...]
    female: tuple[float, ...]


def tale_of(told: Told) -> Tale:
    """Return a parsed story as words and mentions; people are numbered in the order of `told.names`."""
    number, starts = {name: i for i, name in enumerate(told.names)}, {place for place, _ in told.mentions}
    kept = [i for i, name in enumerate(told.who) if not name or i in starts]
    return Tale(
        tuple(told.words[i] for i in kept),
        tuple(number.get(told.who[i], -1) for i in kept),
        tuple(float(1 / (1 + np.exp(-log_odds(name)))) for name in told.names),
    )


def call(tale: Tale, draw: np.random.Generator, unsure: float = 0.0) -> list[str]:
    """Return the words of a story with everyone called by a common name, distinct, of a gender that hers may have.

    Args:
        tale: The story.
        draw: Draws the names.
        unsure: How often the gender is drawn as if nothing were known of it.
    """
    left = {
        True: [str(n) for n in draw.permutation(_WOMEN.split())],
        False: [str(n) for n in draw.permutation(_MEN.split())],
    }
    called: list[str] = []
    for female in tale.female:
        share = 0.5 if draw.random() < unsure else female
        names = left[bool(draw.random() < share)] or left[True] or left[False]
        called.append(names.pop() if names else f"person{len(called)}")
    return [called[who] if who >= 0 else word for word, who in zip(tale.words, tale.who, strict=True)]


class Pieces(NamedTuple):
    """A story in word pieces of a language model: their numbers, and where each mention stands, by person."""

    ids: list[int]
    place: list[int]
    who: list[int]


def spell(words: Sequence[str], who: Sequence[int], pieces_of: Callable[[str], Sequence[int]], most: int) -> Pieces:
    """Cut words into pieces; what lies behind the first `most` pieces is left out.

    Args:
        words: The words.
        who: The person each mentions, or -1.
        pieces_of: The pieces of a word; of the empty word what stands before and after a text.
        most: How many pieces the model reads.
    """
    first, *last = pieces_of("")
    ids, place, owner = [first], [], []
    for word, person in zip(words, who, strict=True):
        more = pieces_of(word)
        if len(ids) + len(more) + len(last) > most:
            break
        if person >= 0 and more:
            place.append(len(ids))
            owner.append(person)
        ids += more
    return Pieces([*ids, *last], place, owner)


def join(parts: Sequence[tuple[Tale, Right]], draw: np.random.Generator) -> tuple[Tale, Right]:
    """Tell several stories as one, in any order; often a person of one is also a person of the next.

    So a reader learns which relations a text does not state: those between people of different stories.
    """
    words: list[str] = []
    who: list[int] = []
    female: list[float] = []
    right: dict[tuple[int, int], tuple[int, ...]] = {}
    before: list[int] = []
    for at in draw.permutation(len(parts)).tolist():
        tale, said = parts[at]
        number = list(range(len(female), len(female) + len(tale.female)))
        if before and draw.random() < _LINKED:
            old, new = int(draw.choice(before)), int(draw.integers(len(number)))
            if (female[old] > 0.5) == (tale.female[new] > 0.5):
                number = [n - (i > new) for i, n in enumerate(number)]
                number[new] = old
        for i, n in enumerate(number):
            if n >= len(female):
                female.append(tale.female[i])
        words += tale.words if tale.words[-1:] and tale.words[-1] in _ENDS else (*tale.words, ".")
        who += (number[w] if w >= 0 else -1 for w in tale.who)
        who += [-1] * (len(words) - len(who))
        right |= {(number[x], number[z]): relations for (x, z), relations in said.items()}
        before = number
    return Tale(tuple(words), tuple(who), tuple(female)), right


def wordings(tale: Tale) -> set[str]:
    """Return the sentences of a story without names; by them stories that say the same in the same words are told."""
    found, sentence = set(), list[str]()
    for word, who in zip(tale.words, tale.who, strict=True):
        sentence.append("_" if who >= 0 else word)
        if word in _ENDS:
            found.add(" ".join(sentence))
            sentence = []
    return found | ({" ".join(sentence)} if sentence else set())


def choose(tales: Sequence[Tale], draw: np.random.Generator) -> list[int]:
    """Return some of the stories, in any order, such that each wording of a sentence stands in one of them.

    Of stories made by putting few sentences together in many ways this leaves few.
    """
    where: dict[str, list[int]] = defaultdict(list)
    said = [wordings(tale) for tale in tales]
    for i, sentences in enumerate(said):
        for sentence in sorted(sentences):
            where[sentence].append(i)
    seen: set[str] = set()
    chosen = []
    order = list(where)
    for k in draw.permutation(len(order)).tolist():
        if order[k] not in seen:
            i = where[order[k]][int(draw.integers(len(where[order[k]])))]
            chosen.append(i)
            seen |= said[i]
    return [chosen[i] for i in draw.permutation(len(chosen)).tolist()]

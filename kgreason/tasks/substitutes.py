"""What could stand in the place of a word: other words that a graph or a list of facts joins it with."""

import random
from collections.abc import Callable, Sequence
from typing import Final, final

from kgreason.tasks.frames_english import inflect
from kgreason.tasks.lexicon import Lexicon

#: What WordNet calls the parts of speech whose words are exchanged.
_WORDNET: Final = {"NOUN": "n", "VERB": "v", "ADJ": "a"}
_NUMBERS: Final = tuple("two three four five six seven eight nine ten eleven twelve twenty".split())  # noqa: SIM905
_BELOW, _ABOVE, _OPPOSITE = "hyponym", "hypernym", "antonym"

Facts = Callable[[str, str, str], Sequence[str]]
"""From a word as written, its lemma and its part of speech to the words that stand in a line of facts with it."""


@final
class Substitutes:
    """Finds what can be put in the place of a word: synonyms, what is above, below or beside it, opposites, facts.

    Only words in daily use are given. Each kind is as likely as any other that a word has, however many words it gives.

    Args:
        lexicon: English words, by WordNet.
        facts: Further words, by lines of facts.
    """

    def __init__(self, lexicon: Lexicon, facts: Facts) -> None:
        self.lexicon, self.facts = lexicon, facts
        self._kin: dict[tuple[str, str], tuple[tuple[str, ...], ...]] = {}

    def draw(self, text: str, lemma: str, pos: str, rng: random.Random) -> str:
        """Return a word in the form of `text` that could stand in its place; empty if there is none.

        Args:
            text: The word as written.
            lemma: Its dictionary form.
            pos: Its part of speech, as in `UPOS`.
            rng: Where the choice comes from.
        """
        kinds = [*self._kin_of(lemma, pos), tuple(self.facts(text.lower(), lemma, pos))]
        if pos == "NUM" and (text.isdigit() or text.lower() in _NUMBERS):
            numbers = tuple(map(str, range(2, 21))) if text.isdigit() else _NUMBERS
            kinds = [tuple(n for n in numbers if n != text.lower())]
        kinds = [kind for kind in kinds if kind]
        if not kinds:
            return ""
        form = self._formed(rng.choice(rng.choice(kinds)), text.lower(), lemma, pos)
        return form[:1].upper() + form[1:] if text[:1].isupper() else form

    def _kin_of(self, lemma: str, pos: str) -> tuple[tuple[str, ...], ...]:
        kind = _WORDNET.get(pos, "")
        if not kind:
            return ()
        if (lemma, kind) not in self._kin:
            self._kin[lemma, kind] = self._look_up(lemma, kind)
        return self._kin[lemma, kind]

    def _look_up(self, lemma: str, kind: str) -> tuple[tuple[str, ...], ...]:
        senses = self.lexicon.senses(lemma, kind)[:1]
        near = [(r, t) for sense in senses for r, t in self.lexicon.wordnet.out(sense) if t.split(".")[-2] == kind]
        above = [t for r, t in near if r == _ABOVE]
        beside = [t for a in above for r, t in self.lexicon.wordnet.out(a) if r == _BELOW and t not in senses]
        groups = [senses, above, beside, *([t for r, t in near if r == name] for name in (_BELOW, _OPPOSITE))]
        return tuple(words for words in (self._words(group, lemma) for group in groups) if words)

    def _words(self, synsets: Sequence[str], lemma: str) -> tuple[str, ...]:
        words = dict.fromkeys(word for synset in synsets for word in self.lexicon.words(synset))
        return tuple(word for word in words if word in self.lexicon.common and word != lemma)

    def _formed(self, word: str, text: str, lemma: str, pos: str) -> str:
        """Give a word the number or the tense that `text` has."""
        if text == lemma:
            return word
        if pos == "NOUN":
            return self.lexicon.plural(word)
        if pos != "VERB" or " " in word:
            return word
        if text.endswith("ing"):
            return inflect(word, "ing")
        return inflect(word, "s") if text.endswith("s") else self.lexicon.past(word)[0]

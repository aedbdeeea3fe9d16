"""What whoever describes a picture would exchange: everyday synonyms, opposites and closed classes."""

import pytest

from kgreason.data import Entailment, KnowledgeGraph
from kgreason.ground.natural import NaturalRelations
from kgreason.ground.units import Lexicon
from tests.words import pairs

E = Entailment


@pytest.mark.parametrize(
    ("pos", "wanted", "texts"),
    [
        ("NOUN", E.EQUIVALENCE, "shore/beach|pal/friend|bucket/pail|path/trail"),
        ("VERB", E.EQUIVALENCE, "weep/cry|stroll/walk|yell/scream|haul/carry"),
        ("NOUN", E.ALTERNATION, "waiting room/kitchen|gas station/church|gravel/grass|laptop/book|wedding/funeral"),
        ("ADJ", E.ALTERNATION, "bored/excited|cardboard/wooden|hilly/flat|sleeveless/long-sleeved|ninth/last"),
        ("ADJ", E.ALTERNATION, "senegalese/moroccan|zambian/tongan|kazakh/uzbek|haitian/dominican"),
        ("ADJ", E.FORWARD, "senegalese/african|kazakh/asian|slovenian/european"),
        ("ADV", E.ALTERNATION, "eagerly/reluctantly|peacefully/violently"),
        ("VERB", E.ALTERNATION, "ignore/watch|read/write|wash/dry|inflate/deflate"),
    ],
)
def test_words_that_a_caption_would_exchange(
    natural: NaturalRelations, pos: str, wanted: Entailment, texts: str
) -> None:
    told, reasons = natural.between(pairs(*texts.split("|"), pos=pos))
    wrong = [reason for reason, column in zip(reasons, told.T, strict=True) if column.argmax() != wanted]
    assert not wrong


PHRASES = ("metal bar/plastic bar", "young lady/old lady", "filthy dog/dirty dog", "red bar/old bar")


def test_phrases_with_one_head_are_told_by_their_modifiers(natural: NaturalRelations) -> None:
    told, _ = natural.between(pairs(*PHRASES))
    assert told.argmax(0).tolist()[:3] == [E.ALTERNATION, E.ALTERNATION, E.FORWARD]
    assert told[E.ALTERNATION, 3] < 0.5


def test_listed_names_of_places_are_one_unit(wordnet: KnowledgeGraph) -> None:
    lexicon = Lexicon(wordnet, 8)
    assert lexicon.knows_as_one("living room", "room")
    assert lexicon.knows_as_one("gas station", "station")
    for label in ("young man", "dark blue", "police officer", "blick room"):
        assert not lexicon.knows_as_one(label, label.split()[-1]), label

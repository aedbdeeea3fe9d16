"""The natural-logic relation of two words: on WordNet with the facts that ship, and on graphs of other forms."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import Entailment, KnowledgeGraph
from kgreason.errors import DataError
from kgreason.ground.morphology import negation
from kgreason.ground.natural import MAPPING, NaturalRelations, Term
from kgreason.ground.word_facts import WordFacts, word_facts
from kgreason.knowledge import open_graph
from kgreason.places import shipped
from tests.words import pairs, term

E = Entailment
FLIP = [0, 2, 1, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("pos", "wanted", "texts"),
    [
        ("NOUN", E.EQUIVALENCE, "bucket/pail|cemetery/graveyard|favour/favor|ice-cream/ice cream|automobile/car"),
        ("VERB", E.EQUIVALENCE, "mend/repair|apologise/apologize|commence/begin"),
        ("NOUN", E.FORWARD, "trout/fish|cello/instrument|lime tree/tree|cottage/building|sergeant/person|tulip/plant"),
        ("NOUN", E.REVERSE, "insect/wasp|garment/cardigan|criminal/burglar"),
        ("VERB", E.FORWARD, "whisper/talk|stroll/move|grill/cook"),
        ("PROPN", E.FORWARD, "Madrid/city|Rembrandt/painter|Kenya/country|Susan/woman"),
        ("ADJ", E.NEGATION, "alive/dead|possible/impossible|nonfatal/fatal|unbroken/broken"),
        ("ADJ", E.ALTERNATION, "hot/freezing|tall/short|huge/little|purple/orange|Danish/Turkish|unkind/kind"),
        ("NOUN", E.ALTERNATION, "spaniel/siamese cat|tuba/banjo|kitchen/attic|gin/cider|uncle/aunt|tuesday/friday"),
        ("VERB", E.ALTERNATION, "sprint/nap|sit/sprint|arrive/depart|float/sink"),
        ("PROPN", E.ALTERNATION, "Oslo/Lisbon|Peru/Chile|Thomas/Emily|Zorblatt/Quimsby|Neptune/Mars"),
        ("NOUN", E.INDEPENDENCE, "wheel/bicycle|hope/garage|teacher/mother|wing/bird|sand/justice"),
        ("VERB", E.INDEPENDENCE, "smile/walk|sing/dance|read/sit"),
        ("ADJ", E.INDEPENDENCE, "tall/green|angry/wooden|French/tired"),
        ("ADP", E.ALTERNATION, "above/beneath|with/without|before/after"),
        ("ADP", E.NEGATION, "inside/outside|near/far from"),
        ("ADP", E.EQUIVALENCE, "beneath/under|next to/beside"),
        ("PRON", E.ALTERNATION, "he/she|everybody/nobody"),
        ("NUM", E.FORWARD, "nine/at least five|exactly two/fewer than four"),
    ],
)
def test_english(natural: NaturalRelations, pos: str, wanted: Entailment, texts: str) -> None:
    asked = pairs(*texts.split("|"), pos=pos)
    told, reasons = natural.between(asked)
    wrong = [reason for reason, column in zip(reasons, told.T, strict=True) if column.argmax() != wanted]
    assert not wrong


def test_every_column_is_a_distribution_and_says_why(natural: NaturalRelations) -> None:
    asked = pairs("dog/cat", "dog/animal", "blick/dax", "three/3", "little dog/dog", "he/woman", "-/.", "🎸/🎹")
    told, reasons = natural.between(asked)
    assert told.dtype == np.float32
    assert told.shape == (7, len(asked))
    assert (told >= 0).all()
    np.testing.assert_allclose(told.sum(0), 1, atol=1e-5)
    assert all(reasons)


def test_no_pairs(natural: NaturalRelations) -> None:
    told, reasons = natural.between([])
    assert told.shape == (7, 0)
    assert reasons == ()


def test_reasons_are_readable(natural: NaturalRelations) -> None:
    _, reasons = natural.between(
        pairs("cello/instrument", "wasp/animal", "poodle/siamese cat", "blick/dax", "four/five")
    )
    assert reasons[0].startswith("cello → instrument: hypernym, ")
    assert "step" in reasons[1]
    assert reasons[2].startswith("poodle | siamese cat: ")
    assert reasons[3] == "blick # dax: nothing is known"
    assert reasons[4] == "four | five: by number"


def test_an_unknown_pair_is_left_open(natural: NaturalRelations) -> None:
    for pos in ("NOUN", "VERB", "ADJ"):
        told, _ = natural.between(pairs("blick/dax", "florp/dog", pos=pos))
        assert (told.argmax(0) == E.INDEPENDENCE).all(), pos
        assert (told[E.INDEPENDENCE] < 0.9).all(), pos


def own_list() -> list[tuple[tuple[Term, Term], Entailment]]:
    with (shipped("datasets") / "lexical-relations.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [((term(r["first"], r["pos"]), term(r["second"], r["pos"])), E[r["relation"].upper()]) for r in rows]


def test_the_list_that_ships_is_told_as_well_as_the_page_says(natural: NaturalRelations) -> None:
    rows = own_list()
    assert len(rows) > 1500
    told, _ = natural.between([pair for pair, _ in rows])
    good = told.argmax(0) == np.array([gold for _, gold in rows])
    assert good.mean() > 0.93
    sure = told.max(0) >= 0.9
    assert good[sure].mean() > 0.95


def test_the_other_way_about_is_the_converse(natural: NaturalRelations) -> None:
    asked = [pair for pair, _ in own_list()]
    told, _ = natural.between(asked)
    back, _ = natural.between([(b, a) for a, b in asked])
    np.testing.assert_allclose(back[FLIP], told, atol=0.02)


def test_a_pair_does_not_depend_on_its_batch(wordnet: KnowledgeGraph, natural: NaturalRelations) -> None:
    asked = pairs("dog/cat", "oak/plant", "blick/dax", "little dog/animal", "door/room")
    together, why = NaturalRelations(wordnet).between([*asked, *asked[:2]])
    for i, pair in enumerate(asked):
        alone, reason = natural.between([pair])
        np.testing.assert_allclose(alone[:, 0], together[:, i], atol=1e-6)
        assert reason[0] == why[i]


def test_phrases_are_told_by_their_heads(natural: NaturalRelations) -> None:
    asked = pairs(
        "sleepy dog/dog", "dog/sleepy dog", "dog with a bone/animal", "sleepy dog/cat", "hot dog/dog", "fake gun/gun"
    )
    told = natural.between(asked)[0].argmax(0).tolist()
    assert told[:4] == [E.FORWARD, E.REVERSE, E.FORWARD, E.ALTERNATION]
    assert told[4] != E.FORWARD
    assert told[5] != E.FORWARD


def test_knowledge_decides_where_facts_do_not(wordnet: KnowledgeGraph) -> None:
    asked = pairs("spaniel/animal", "wasp/insect", "tuba/trombone")
    known = NaturalRelations(wordnet, facts="none").between(asked)[0].argmax(0).tolist()
    assert known == [E.FORWARD, E.FORWARD, E.ALTERNATION]
    other = KnowledgeGraph.from_triples([("spaniel", "made_of", "animal"), ("tuba", "made_of", "wasp")])
    unknown = NaturalRelations(other, facts="none").between(asked)[0].argmax(0)
    assert (unknown == E.INDEPENDENCE).all()


TURTLE = """
@prefix : <http://example.org/zoo#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
:Grumph rdfs:subClassOf :Beast . :Flim rdfs:subClassOf :Plantoid . :SmallGrumph rdfs:subClassOf :Grumph .
:Beast owl:disjointWith :Plantoid . :Zib owl:sameAs :Zab .
:Wet owl:complementOf :Unwet . :Vork skos:broader :Beast . :Plantoid skos:narrower :Nelk .
:Zib rdfs:label "zib" . :Zab rdfs:label "zab" .
"""


@pytest.fixture
def zoo(tmp_path: Path) -> KnowledgeGraph:
    (tmp_path / "zoo.ttl").write_text(TURTLE)
    return open_graph(str(tmp_path / "zoo.ttl"), cache=False)


@pytest.mark.parametrize("with_wordnet", [False, True])
def test_a_graph_of_ones_own(zoo: KnowledgeGraph, wordnet: KnowledgeGraph, with_wordnet: bool) -> None:
    natural = NaturalRelations(wordnet, others=(zoo,)) if with_wordnet else NaturalRelations(zoo)
    asked = pairs(
        "grumph/beast", "beast/small grumph", "small grumph/flim", "zib/zab", "wet/unwet", "vork/flim", "nelk/plantoid"
    )
    told, reasons = natural.between(asked)
    wanted = [E.FORWARD, E.REVERSE, E.ALTERNATION, E.EQUIVALENCE, E.NEGATION, E.ALTERNATION, E.FORWARD]
    assert told.argmax(0).tolist() == wanted, reasons
    assert (told.max(0) > 0.8).all(), reasons
    assert reasons[2] == "small grumph | flim: disjoint in the graph"


def test_names_of_relations_can_be_mapped() -> None:
    graph = KnowledgeGraph.from_triples([("gnome", "eine_art", "wight"), ("gnome", "nie", "troll")])
    mapping = {"forward": ("eine_art",), "alternation": ("nie",)}
    told, _ = NaturalRelations(graph, mapping).between(pairs("gnome/wight", "gnome/troll"))
    assert told.argmax(0).tolist() == [E.FORWARD, E.ALTERNATION]
    plain, _ = NaturalRelations(graph, MAPPING).between(pairs("gnome/wight", "gnome/troll"))
    assert (plain.argmax(0) == E.INDEPENDENCE).all()


def test_conceptnet_names_are_known() -> None:
    graph = KnowledgeGraph.from_triples(
        [
            ("wug", "IsA", "critter"),
            ("wug", "Synonym", "wuggle"),
            ("wug", "DistinctFrom", "dax"),
            ("zoof", "MannerOf", "go"),
        ]
    )
    told, _ = NaturalRelations(graph).between(pairs("wug/critter", "wug/wuggle", "wug/dax", "zoof/go"))
    assert told.argmax(0).tolist() == [E.FORWARD, E.EQUIVALENCE, E.ALTERNATION, E.FORWARD]


def test_disjointness_comes_down_the_tree_of_pizzas(data: Path) -> None:
    path = data / "ontologies" / "pizza.owl"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    natural = NaturalRelations(open_graph(str(path)))
    asked = pairs("mozzarella topping/vegetable topping", "anchovies topping/fish topping", "Margherita/pizza")
    told, reasons = natural.between(asked)
    assert told.argmax(0).tolist() == [E.ALTERNATION, E.FORWARD, E.FORWARD], reasons


def facts(*lines: str) -> WordFacts:
    return WordFacts([line.replace("  ", "\t") for line in lines], "some.tsv")


def says(some: WordFacts, first: str, second: str, pos: str = "NOUN") -> str:
    fact = some.between(term(first, pos), term(second, pos))
    return "" if fact is None else fact.relation.symbol


def test_a_line_without_sides_holds_between_any_two_of_its_members() -> None:
    some = facts("|  NOUN  0.9  gems  ruby; opal = fire opal; jade")
    assert [says(some, *p) for p in (("ruby", "jade"), ("jade", "ruby"), ("opal", "fire opal"))] == ["|", "|", "≡"]
    assert says(some, "ruby", "jade", "VERB") == ""


def test_a_line_with_sides_holds_across_them() -> None:
    some = facts("⊏  NOUN  0.9  gems  ruby; opal / gem; stone")
    asked = (("ruby", "gem"), ("stone", "opal"), ("ruby", "opal"), ("gem", "stone"))
    assert [says(some, *p) for p in asked] == ["⊏", "⊐", "", ""]


def test_first_names_of_a_gender_stand_for_each_of_them_where_they_are_names() -> None:
    some = facts("⊏  PROPN,NOUN  0.9  first name  @women / woman", "|  PROPN,NOUN  0.9  first name  @men / woman")
    woman = term("woman", "NOUN")

    def told(name: str, pos: str) -> str:
        fact = some.between(term(name, pos), woman)
        return "" if fact is None else fact.relation.symbol

    assert [told("deborah", "PROPN"), told("gerald", "PROPN")] == ["⊏", "|"]
    assert told("rose", "NOUN") == "", "a rose is no woman"
    assert not some.beside(term("deborah", "PROPN")), "no list of what may stand in each other's place"


def test_the_first_line_that_knows_a_pair_decides() -> None:
    some = facts("#  NOUN  0.9  a  ruby; opal", "|  NOUN  0.9  b  ruby; opal; jade")
    assert (says(some, "ruby", "opal"), says(some, "ruby", "jade")) == ("#", "|")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("|  NOUN  0.9  gems", "line 1: expected five columns"),
        ("|  NOUN  much  gems  ruby; opal", "line 1: expected five columns"),
        ("|  NUON  0.9  gems  ruby; opal", "line 1: expected five columns"),
        ("<  NOUN  0.9  gems  ruby; opal", "'<' is no relation"),
    ],
)
def test_a_broken_line_is_named(line: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        facts(line)


def test_a_missing_file_of_facts_is_named(wordnet: KnowledgeGraph) -> None:
    with pytest.raises(DataError, match=r"no-such\.tsv cannot be read"):
        NaturalRelations(wordnet, facts="no-such.tsv")


def concepts_of(some: WordFacts) -> Sequence[str]:
    members = [name for line in some.concepts for group in line.members for name in group]
    return [*members, *some.kinds, *(name for edge in some.edges for name in edge)]


def test_the_facts_that_ship_name_concepts_of_wordnet(wordnet: KnowledgeGraph) -> None:
    assert [name for name in concepts_of(word_facts("english")) if name not in wordnet.entities] == []


def test_no_word_has_two_places_in_one_line_of_the_facts_that_ship() -> None:
    places = word_facts("english").places()
    twice = {word: lines for word, lines in places.items() if len(set(lines)) != len(lines)}
    assert twice == {}


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        ("unhappy", "happy", "contrary"),
        ("nonsmoker", "smoker", "complement"),
        ("hopeless", "hopeful", "contrary"),
        ("immoral", "moral", "contrary"),
        ("unseen", "seen", "complement"),
        ("inside", "side", ""),
        ("under", "over", ""),
        ("image", "age", ""),
        ("happy", "happy", ""),
    ],
)
def test_negation_by_prefix_and_suffix(first: str, second: str, wanted: str) -> None:
    assert negation(first, second) == negation(second, first) == wanted

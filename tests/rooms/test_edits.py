"""Edits between premise and hypothesis, on real parses and WordNet: kinds, relations, places, odd input, own pairs."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph
from kgreason.data.edits import EditKind, Edits
from kgreason.data.entailment import CONJOIN, JOIN, SIGNATURES, Entailment
from kgreason.errors import ConfigError
from kgreason.ground import AlignGrounder, EditsGrounder
from kgreason.ground.course import side_by_side
from kgreason.knowledge import open_graph
from kgreason.parse import PARSERS
from kgreason.rooms import Parser

DATASETS = Path(__file__).parents[2] / "datasets"
SYMBOLS = "≡⊏⊐^|⌣#"
LABELS = ("entailment", "neutral", "contradiction")


@cache
def wordnet() -> KnowledgeGraph:
    return open_graph("wordnet")


@cache
def parser() -> Parser:
    return PARSERS.build({"name": "semantic"}, around=PARSERS.build({"name": "dependency"}))


@cache
def grounder(reading: str = "specific") -> EditsGrounder:
    return EditsGrounder(reading)


def ground(pairs: Sequence[tuple[str, str]], reading: str = "specific") -> list[LogicGraph]:
    examples = [Example(str(i), pair, ("premise", "hypothesis")) for i, pair in enumerate(pairs)]
    return grounder(reading)(parser()(examples), wordnet())


def edits(premise: str, hypothesis: str, reading: str = "specific") -> Edits:
    return ground([(premise, hypothesis)], reading)[0].edits


def told(found: Edits) -> set[tuple[str, str]]:
    """The kind of each edit and its likeliest relation."""
    likeliest = found.relation.argmax(0).tolist()
    return {(EditKind(k).name, SYMBOLS[r]) for k, r in zip(found.kind.tolist(), likeliest, strict=True)}


def label(found: Edits) -> str:
    """Judge plainly: what an operator projects anew beside each other, then the operators, then all else beside that.

    The decoder `natural_logic` does the same with both orders and more care; this is a second, shorter writing of it.
    """
    moved = found.polarity[0] != found.polarity[1]
    operator = found.kind == EditKind.OPERATOR
    state = np.eye(7)[Entailment.EQUIVALENCE]
    joined = False
    for group, table in ((moved & ~operator, CONJOIN), (operator, JOIN), (~moved & ~operator, CONJOIN)):
        for e in np.flatnonzero(group):
            projected = np.zeros(7)
            np.add.at(projected, SIGNATURES[found.polarity[0, e]], found.relation[:, e])
            beside = table is JOIN and joined and not moved[e]
            joined = joined or table is JOIN
            after = np.zeros(7)
            np.add.at(after, (CONJOIN if beside else table).ravel(), np.outer(state, projected).ravel())
            state = after
    scores = (state[0] + state[1], state[2] + state[5] + state[6], state[3] + state[4])
    return LABELS[int(np.argmax(scores))]


WANTED = [
    # what changes; premise; hypothesis; kinds and relations of the edits
    ("a hypernym", "A violinist is asleep.", "A musician is asleep.", {("SUBSTITUTE", "⊏")}),
    ("a hyponym", "A musician is asleep.", "A violinist is asleep.", {("SUBSTITUTE", "⊐")}),
    ("an exclusive word", "The shirt is red.", "The shirt is green.", {("SUBSTITUTE", "|")}),
    ("a modifier left out", "An old man sang loudly in the park.", "A man sang.", {("DELETE", "⊏")}),
    ("a modifier added", "A man sang.", "An old man sang.", {("INSERT", "⊐")}),
    ("a conjunct left out", "A man and a dog are running.", "A dog is running.", {("DELETE", "⊏")}),
    ("a disjunct added", "The boy is painting.", "The boy is painting or drawing.", {("INSERT", "⊏")}),
    ("a disjunct left out", "The boy is painting or drawing.", "The boy is painting.", {("DELETE", "⊐")}),
    ("a denial", "A man is running.", "A man is not running.", {("OPERATOR", "^")}),
    ("no denial", "The boys aren't singing.", "The boys are singing.", {("OPERATOR", "^")}),
    ("a quantifier", "All dancers bowed.", "No dancers bowed.", {("OPERATOR", "|")}),
    ("not all", "All of the doors are shut.", "Not all of the doors are shut.", {("OPERATOR", "^")}),
    ("a number", "Two men are fighting.", "Four men are fighting.", {("OPERATOR", "|")}),
    ("at least", "At least four boats sank.", "At least two boats sank.", {("OPERATOR", "⊏")}),
    ("an implicative", "The boy failed to open it.", "The boy opened it.", {("OPERATOR", "^")}),
    ("a factive", "She knows that the boy lied.", "The boy lied.", {("OPERATOR", "⊏")}),
    ("a supposition", "She thinks that the boy lied.", "The boy lied.", {("OPERATOR", "#")}),
    ("not true", "It is not true that he lied.", "He lied.", {("OPERATOR", "^")}),
    ("a fake", "He carried a fake gun.", "He carried a gun.", {("DELETE", "|")}),
    ("a former", "A former minister spoke.", "A minister spoke.", {("DELETE", "#")}),
    ("almost", "The runner almost won.", "The runner won.", {("OPERATOR", "|")}),
    ("a modal verb", "The parcel may arrive.", "The parcel arrives.", {("OPERATOR", "⊐")}),
    ("without", "He left with a hat.", "He left without a hat.", {("OPERATOR", "^")}),
    ("ways", "The boy walked up the hill.", "The boy walked down the hill.", {("SUBSTITUTE", "|")}),
    ("turned round", "The cup is on the book.", "The book is on the cup.", {("REORDER", "|")}),
]


@pytest.mark.parametrize(("premise", "hypothesis", "want"), [row[1:] for row in WANTED], ids=[row[0] for row in WANTED])
def test_each_change_is_one_edit_of_its_kind(premise: str, hypothesis: str, want: set[tuple[str, str]]) -> None:
    found = edits(premise, hypothesis)
    assert {row for row in told(found) if row[1] != "≡"} == want, found.reason


SAME = [
    ("active and passive", "A man is repairing a bicycle.", "A bicycle is being repaired by a man."),
    ("dative", "The teacher gave the girl a book.", "The teacher gave a book to the girl."),
    ("there is", "A man is playing chess.", "There is a man playing chess."),
    ("cleft", "It was Anna who found the ring.", "Anna found the ring."),
    ("genitive", "The roof of the house is red.", "The house's roof is red."),
    ("relative clause", "A dog that is black is jumping.", "A black dog is jumping."),
    ("participle", "A sleeping child was carried home.", "A child who was sleeping was carried home."),
    ("wearing", "A woman in a red dress is dancing.", "A woman wearing a red dress is dancing."),
    ("tense", "A man is slicing bread.", "The man slices bread."),
    ("group", "A group of boys is swimming.", "Boys are swimming."),
    ("order", "In the garden, a boy is digging.", "A boy is digging in the garden."),
    ("conjuncts", "The boys ran and shouted.", "The boys shouted and ran."),
]


@pytest.mark.parametrize(("premise", "hypothesis"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_another_wording_says_the_same(premise: str, hypothesis: str) -> None:
    assert {relation for _, relation in told(edits(premise, hypothesis))} <= {"≡"}


def test_a_subtree_is_one_edit_at_its_head() -> None:
    graph = ground([("A man is reading.", "A man with a long grey beard is reading.")])[0]
    assert len(graph.edits) == 1
    premise, hypothesis = graph.edits.nodes[:, 0].tolist()
    assert (premise, graph.node_text[hypothesis]) == (-1, "beard")
    assert "long grey" in graph.edits.reason[0]


def test_an_edit_has_the_signature_of_its_place_on_either_side() -> None:
    found = edits("A dog sleeps.", "No animal sleeps.")
    noun = found.kind.tolist().index(EditKind.SUBSTITUTE)
    downward = SIGNATURES[found.polarity[1, noun], Entailment.FORWARD]
    assert found.polarity[0, noun] == 0
    assert downward == Entailment.REVERSE
    operator = found.kind.tolist().index(EditKind.OPERATOR)
    assert found.polarity[:, operator].tolist() == [0, 0]
    assert operator > noun


def test_what_is_left_out_under_a_negation_stands_there() -> None:
    found = edits("The man is not driving a fast car.", "The man is not driving a car.")
    assert found.polarity[0].tolist() == found.polarity[1].tolist()
    assert SIGNATURES[found.polarity[0, 0], Entailment.FORWARD] == Entailment.REVERSE


def test_in_the_existential_reading_exclusive_words_are_independent() -> None:
    pair = ("A man plays the piano.", "A man plays the guitar.")
    specific, existential = edits(*pair), edits(*pair, "existential")
    assert specific.relation[Entailment.ALTERNATION, 0] > 0.5
    assert existential.relation[Entailment.ALTERNATION].max() == 0
    assert existential.relation[Entailment.INDEPENDENCE, 0] > 0.5
    assert told(edits("A man sings.", "A man does not sing.", "existential")) == {("OPERATOR", "^")}


def test_roles_that_are_exchanged_are_not_the_same() -> None:
    assert label(edits("A dog bites a man.", "A man bites a dog.")) != "entailment"
    assert label(edits("The nurse followed the doctor.", "The doctor was followed by the nurse.")) == "entailment"


def test_unknown_words_leave_the_proof_open() -> None:
    found = edits("A man is glorfing a blick.", "A man is zindling a blick.")
    assert len(found)
    assert found.relation[Entailment.EQUIVALENCE].min() < 0.5
    assert found.relation.max() < 0.9
    assert label(found) == "neutral"


def test_each_sentence_of_a_premise_is_tried() -> None:
    assert label(edits("It was late. A boy was sleeping. Nobody spoke.", "A boy was sleeping.")) == "entailment"
    assert label(edits("A dog barked. A baby cried.", "A baby cried. A dog barked.")) == "entailment"
    assert label(edits("The hall was dark. The band was not playing.", "The band was playing.")) == "contradiction"


ODD = [
    ("", ""), ("A dog barks.", ""), ("", "A dog barks."), ("?", "!"), ("😀 😀", "😀"), ("dog", "animal"), ("no", "no"),
    ("A dog. A cat. A", "the"), ("Is it raining?", "It is raining."), ("- one\n- two\n- three", "two"),
    ("«Non», dit-elle.", "狗 在 跑"), ("\x00 \ud800 not", "not not not"), ("that that that who which", "who"),
    ("not all", "no one of the"), ("of of of", "in front of of"), ("neither nor", "there is"), ("It is", "There are"),
    ("a " * 120, "a dog"), ("A dog and " * 30 + "a cat sleep.", "A cat sleeps."),
]  # fmt: skip


@pytest.mark.parametrize(("premise", "hypothesis"), ODD)
def test_odd_input_is_taken_and_never_follows_from_nothing(premise: str, hypothesis: str) -> None:
    for reading in ("specific", "existential"):
        found = edits(premise, hypothesis, reading)
        if not (premise.strip() and hypothesis.strip()):
            assert found.relation[Entailment.EQUIVALENCE].max(initial=0) < 0.5


def test_a_text_by_itself_and_texts_without_trees_are_taken() -> None:
    alone = Example("alone", ("A dog barks.",), ("premise",))
    assert len(grounder()(parser()([alone]), wordnet())[0].edits) == 0
    surface = PARSERS.build({"name": "surface"})(
        [Example("flat", ("A dog barks.", "An animal barks."), ("premise", "hypothesis"))]
    )
    assert ("SUBSTITUTE", "⊏") in told(grounder()(surface, wordnet())[0].edits)


def test_equal_texts_need_no_edits() -> None:
    assert len(edits("A dog barks.", "a dog barks")) == 0


def test_alignments_are_those_of_align() -> None:
    graphs = parser()([Example("x", ("A dog barks loudly.", "An animal barks."), ("premise", "hypothesis"))])
    mine, theirs = grounder()(graphs, wordnet())[0], AlignGrounder()(graphs, wordnet())[0]
    np.testing.assert_array_equal(mine.edge_index, theirs.edge_index)
    assert (mine.edge_type == EdgeType.ALIGN).any()


def test_without_facts_about_words_the_graph_alone_decides() -> None:
    pairs = [("The man is in the car.", "The man is on the train."), ("A dog sleeps.", "An animal sleeps.")]
    examples = [Example(str(n), pair, ("premise", "hypothesis")) for n, pair in enumerate(pairs)]
    alone, both = (EditsGrounder(word_facts=facts)(parser()(examples), wordnet()) for facts in ("none", "english"))
    assert [label(graph.edits) for graph in alone] == ["neutral", "entailment"]
    assert [label(graph.edits) for graph in both] == ["contradiction", "entailment"]
    with pytest.raises(ConfigError, match="word_facts = 'German'"):
        EditsGrounder(word_facts="German")


def test_without_facts_about_words_alignments_have_none_of_them() -> None:
    texts = ("A man eats in the dining room.", "A man eats in the train station.")  # units of english.tsv
    graphs = parser()([Example("x", texts, ("premise", "hypothesis"))])
    cut = {}
    for facts in ("english", "none"):
        (mine,), (alone,) = (
            g(graphs, wordnet()) for g in (EditsGrounder(word_facts=facts), AlignGrounder(word_facts=facts))
        )
        np.testing.assert_array_equal(mine.edge_index, alone.edge_index)
        cut[facts] = mine.edge_index[:, mine.edge_type == EdgeType.ALIGN].T.tolist()
    assert cut["english"] != cut["none"]


def test_an_unknown_reading_is_refused() -> None:
    with pytest.raises(ConfigError, match="reading = 'vague'"):
        EditsGrounder("vague")


def test_texts_run_alongside_each_other() -> None:
    found, share = side_by_side(np.array([1, 2, 3, 4, 5]), np.array([1, 7, 3, 8, 9, 5]))
    assert found.tolist() == [0, 1, 2, -1, -1, 4]
    assert share == pytest.approx(6 / 11)
    assert side_by_side(np.array([1, 2, 3]), np.array([3, 2, 1]))[0].tolist().count(-1) == 2  # words that moved
    empty = np.zeros(0, np.int64)
    assert side_by_side(empty, np.array([1]))[0].tolist() == [-1]
    assert side_by_side(np.array([1]), empty)[1] == 0


def rows(split: str) -> list[dict[str, str]]:
    name = {"dev": "natural-logic.jsonl", "test": "natural-logic-test.jsonl"}[split]
    return [json.loads(line) for line in (DATASETS / name).read_text("utf-8").splitlines()]


def test_our_own_pairs_are_what_they_promise() -> None:
    dev, test = rows("dev"), rows("test")
    assert len(dev) + len(test) >= 150
    assert {row["phenomenon"] for row in test} <= {row["phenomenon"] for row in dev}
    pairs = [(row["premise"], row["hypothesis"]) for row in dev + test]
    assert len(set(pairs)) == len(pairs)


# pairs that are known to be judged wrongly stay in the set
@pytest.mark.parametrize(("split", "least"), [("dev", 0.9), ("test", 0.9)])
def test_our_own_pairs_are_judged_rightly(split: str, least: float) -> None:
    asked = rows(split)
    graphs = ground([(row["premise"], row["hypothesis"]) for row in asked])
    wrong = [
        (row["label"], row["premise"], row["hypothesis"])
        for row, graph in zip(asked, graphs, strict=True)
        if label(graph.edits) != row["label"]
    ]
    assert 1 - len(wrong) / len(asked) >= least, wrong


@pytest.mark.parametrize(
    ("premise", "hypothesis", "wanted"),
    [
        ("He lives in Paris.", "He lives in France.", "entailment"),
        ("A ladder stands not next to an oak.", "A ladder stands not next to a tree.", "neutral"),
        ("The dog is not inside the house.", "The dog is outside the house.", "entailment"),
        ("The man is not old.", "The man is young.", "neutral"),
        ("Every dog chased a black cat.", "Every poodle chased a cat.", "entailment"),
        ("All black mammals slept.", "A black dog slept.", "entailment"),
        ("A man in all black walks.", "A man in black walks.", "entailment"),
        ("Every dog chased a cat.", "Some dog chased no cat.", "contradiction"),
        ("Dan visited Georgia.", "Bill visited Georgia.", "neutral"),
        ("The teacher is Dan.", "The teacher is Bill.", "contradiction"),
        ("Dan has only visited Georgia.", "Dan visited Rwanda.", "contradiction"),
        ("Dan has only visited Georgia.", "Dan did not visit Rwanda.", "entailment"),
        ("Tim visited Rome, and if Tim visited Rome then Ann visited Pisa.", "Ann visited Pisa.", "entailment"),
        ("Tim left, and if Tim visited Rome then Ann visited Pisa.", "Ann visited Pisa.", "neutral"),
        ("Either Paul or Anna broke the vase, and Paul did not.", "Anna broke the vase.", "entailment"),
        ("Either Paul or Anna broke the vase.", "Anna broke the vase.", "neutral"),
        ("Ann is older than Bea, and Bea is older than Cy.", "Ann is older than Cy.", "entailment"),
        ("Ann is older than Bea, and Bea is older than Cy.", "Cy is older than Ann.", "contradiction"),
        ("Ann is older than Bea, and Carl is older than Bea.", "Ann is older than Carl.", "neutral"),
        ("Ann is older than Bea, and Cy is as old as Ann.", "Bea is younger than Cy.", "entailment"),
        ("The cat ran before the dog barked.", "The dog barked before the cat ran.", "contradiction"),
        ("Tom and Anna danced.", "At least two people danced.", "entailment"),
        ("Deborah is reading.", "A woman is reading.", "entailment"),
        ("There is a mark on the wall.", "There is a man on the wall.", "neutral"),
        ("Tom finished the work.", "Tom had help.", "neutral"),
        ("He lives in France.", "He lives in Paris.", "neutral"),
        ("Paris is old.", "France is old.", "neutral"),
        ("Ann is taller than Bob.", "Bob is taller than Ann.", "contradiction"),
        ("The boat is faster than the car.", "The car is slower than the boat.", "entailment"),
        ("Neither player left.", "Both players left.", "contradiction"),
        ("Two women and a man are talking.", "Three people are talking.", "entailment"),
        ("A man is sitting alone.", "A man is sitting together with his friends.", "contradiction"),
        ("Tom's sister is a nurse.", "Mary's sister is a nurse.", "neutral"),
        ("The book costs $20.", "The book costs more than 10 dollars.", "entailment"),
        ("He won a $1 million prize.", "He won a $2 million prize.", "contradiction"),
        ("She ran 5 km.", "She ran 5,000 meters.", "entailment"),
        ("Mary no longer lives in Paris.", "Mary lives in Paris.", "contradiction"),
        ("Mary no longer lives in Paris.", "Mary used to live in Paris.", "entailment"),
        ("A bearded man is sitting.", "A man with a beard is sitting.", "entailment"),
        ("A man is using a payphone.", "A man is using a phone.", "entailment"),
        ("The girl that the teachers helped laughed.", "The teachers laughed.", "neutral"),
        ("The judge heard the actors resigned.", "The judge heard the actors.", "neutral"),
        ("Provided that the actor slept, the judge left.", "The judge left.", "neutral"),
        ("Only the cat slept.", "The dog slept.", "contradiction"),
        ("Everyone except Tom left.", "Tom left.", "contradiction"),
        ("Neither the cat nor the dog slept.", "The dog didn't sleep.", "entailment"),
        ("Anna lent Bob a book.", "Bob borrowed a book.", "entailment"),
        ("The child is too young to drive.", "The child can drive.", "contradiction"),
        ("He left without saying a word.", "He said a word.", "contradiction"),
        ("The king died.", "The king is alive.", "contradiction"),
        ("The lamp is above the table.", "The table is below the lamp.", "entailment"),
        ("The lamp is above the table.", "The lamp is below the table.", "contradiction"),
        ("Anna sold a car to Ben.", "Ben bought a car from Anna.", "entailment"),
        ("Ada is Tim's grandmother.", "Tim is Ada's grandson.", "entailment"),
        ("The roof was repaired.", "Somebody repaired the roof.", "entailment"),
    ],
)
def test_what_stands_beside_the_words_counts(premise: str, hypothesis: str, wanted: str) -> None:
    assert label(ground([(premise, hypothesis)])[0].edits) == wanted

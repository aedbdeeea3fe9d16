"""The lexicon of operators, and quantifiers as statements about numbers."""

from collections import Counter
from itertools import product

import pytest

from kgreason.data import POLARITY, SIGNATURES, Entailment, Polarity, operator_table, signature
from kgreason.data.operators import REMOVAL, Operator, Shape, find_operators, phrases, predicates, read_signature
from kgreason.data.quantifiers import Quantifier, between_quantifiers, is_number, read_number, read_quantifier

CONVERSE = "≡⊐⊏^|⌣#"
ORDER = "≡⊏⊐^|⌣#"


def find(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return [(m.operators[0].name, " ".join(words[m.first : m.last + 1])) for m in find_operators(words)]


def between(first: str, then: str) -> str:
    pair = [read_quantifier(text.split()) for text in (first, then)]
    assert None not in pair, (first, then)
    return between_quantifiers(*pair).symbol  # type: ignore[arg-type]


def everything() -> list[Operator]:
    rows = [operator for rows in phrases().values() for _, operators in rows for operator in operators]
    return [*rows, *predicates().values()]


def test_no_phrase_stands_twice() -> None:
    shapes = Counter((" ".join(words), o.shape) for rows in phrases().values() for words, ops in rows for o in ops)
    assert [key for key, count in shapes.items() if count > 1] == []
    frames: Counter[tuple[str, ...]] = Counter()
    for line in operator_table.PREDICATES.strip().splitlines():
        _, names, _, _, lemmas = (field.strip() for field in line.split("|"))
        frames.update(product((lemma.strip() for lemma in lemmas.split(";")), names.split()))
    assert [key for key, count in frames.items() if count > 1] == []


def test_every_operator_says_what_it_does() -> None:
    for operator in everything():
        assert -1 <= operator.first < len(SIGNATURES), operator
        assert -1 <= operator.scope < len(SIGNATURES), operator
        assert operator.first >= 0 or operator.scope >= 0 or operator.name == "any", operator
        if operator.shape == Shape.PREDICATE:
            assert operator.removal == REMOVAL[operator.implies], operator


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("not all dogs bark", [("not every", "not all")]),
        ("at most three dogs bark", [("at most", "at most three")]),
        ("more than two hundred dogs", [("more than", "more than two hundred")]),
        ("no more than a dozen dogs", [("at most", "no more than a dozen")]),
        ("less than 40 percent of the dogs", [("less than half", "less than 40 percent of")]),
        ("a few dogs", [("several", "a few")]),
        ("only a few dogs", [("few", "only a few")]),
        ("only two dogs", [("exactly", "only two")]),
        ("almost all dogs", [("most", "almost all")]),
        ("there is not a dog", [("not", "not"), ("a", "a")]),
        ("not a dog barked", [("no", "not a")]),
        ("he no longer barks", [("no longer", "no longer")]),
        ("hardly any dogs", [("almost no", "hardly any")]),
        ("ten or more dogs", [("at least", "ten or more")]),
    ],
)
def test_phrases_are_found_longest_first(text: str, found: list[tuple[str, str]]) -> None:
    assert find(text) == found


@pytest.mark.parametrize(
    ("lemma", "frame", "place", "removal"),
    [
        ("manage", "to", Polarity.UPWARD, Entailment.EQUIVALENCE),
        ("fail", "to", Polarity.DOWNWARD, Entailment.NEGATION),
        ("forget", "to", Polarity.DOWNWARD, Entailment.NEGATION),
        ("forget", "that", Polarity.UPWARD, Entailment.FORWARD),
        ("refuse", "to", Polarity.DOWNWARD, Entailment.ALTERNATION),
        ("force", "to", Polarity.UPWARD, Entailment.FORWARD),
        ("allow", "to", Polarity.UPWARD, Entailment.REVERSE),
        ("hesitate", "to", Polarity.DOWNWARD, Entailment.COVER),
        ("know", "that", Polarity.UPWARD, Entailment.FORWARD),
        ("regret", "that", Polarity.NEITHER, Entailment.FORWARD),
        ("pretend", "that", Polarity.UPWARD, Entailment.ALTERNATION),
        ("doubt", "that", Polarity.DOWNWARD, Entailment.INDEPENDENCE),
        ("lack", "np", Polarity.DOWNWARD, Entailment.NEGATION),
    ],
)
def test_verbs_have_the_signatures_of_the_literature(
    lemma: str, frame: str, place: Polarity, removal: Entailment
) -> None:
    operator = predicates()[lemma, frame]
    assert POLARITY[operator.first] == place
    assert operator.removal == removal


def test_signatures_of_all_and_no() -> None:
    every, no = (phrases()[word][-1][1][0] for word in ("every", "no"))
    assert (every.first, every.scope) == (signature("every, restrictor"), signature("every, scope"))
    assert no.first == no.scope == signature("no")
    assert POLARITY[read_signature("unless")] == Polarity.UPWARD  # if not


@pytest.mark.parametrize(
    ("first", "then", "relation"),
    [
        ("all", "some", "⊏"),
        ("every", "no", "|"),
        ("some", "no", "^"),
        ("all", "not all", "^"),
        ("no", "not every", "⊏"),
        ("some", "not all", "⌣"),
        ("most", "some", "⊏"),
        ("all", "most", "⊏"),
        ("most", "few", "|"),
        ("few", "many", "|"),
        ("no", "few", "⊏"),
        ("at least three", "at least two", "⊏"),
        ("at least three", "at most two", "^"),
        ("at least three", "at most five", "⌣"),
        ("at most two", "at most five", "⊏"),
        ("more than two", "at least three", "≡"),
        ("fewer than three", "at most two", "≡"),
        ("exactly two", "exactly three", "|"),
        ("exactly two", "at least two", "⊏"),
        ("two", "three", "|"),
        ("two", "some", "⊏"),
        ("twelve", "a dozen", "≡"),
        ("20", "about twenty", "⊏"),
        ("many", "several", "⊏"),
        ("several", "some", "⊏"),
        ("the", "a", "≡"),
        ("both", "all", "⊏"),
        ("both", "neither", "|"),
        ("half", "most", "|"),
        ("more than half", "most", "≡"),
        ("most", "at least 20 percent", "⊏"),
        ("all but two", "all", "|"),
        ("between three and five", "at least two", "⊏"),
        ("two hundred", "more than 150", "⊏"),
        ("many", "20", "#"),
    ],
)
def test_relations_between_quantifiers(first: str, then: str, relation: str) -> None:
    assert between(first, then) == relation
    assert between(then, first) == CONVERSE[ORDER.index(relation)]


def test_numerals_may_mean_at_least() -> None:
    two, three = Quantifier("number", 2), Quantifier("number", 3)
    assert between_quantifiers(three, two, "at_least") == Entailment.FORWARD
    assert between_quantifiers(three, two, "exact") == Entailment.ALTERNATION


def test_no_relation_is_claimed_where_thresholds_decide() -> None:
    assert between("at least seven", "many") == "#"
    assert between("at least fifty", "many") == "⊏"


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("3", 3),
        ("1,200", 1200),
        ("forty-two", 42),
        ("two hundred and five", 205),
        ("a dozen", 12),
        ("three thousand", 3000),
        ("two million five hundred thousand", 2_500_000),
        ("dogs", None),
        ("a", None),
    ],
)
def test_numbers_are_read(words: str, number: float | None) -> None:
    assert read_number(words.split()) == number


def test_what_is_a_number() -> None:
    assert [w for w in "three 3 3.5 dozen third many one twenty-one".split() if is_number(w)] == [  # noqa: SIM905
        "three",
        "3",
        "3.5",
        "dozen",
        "one",
        "twenty-one",
    ]


@pytest.mark.parametrize("text", ["tall", "with three", "", "between three"])
def test_what_is_no_quantifier_is_not_read(text: str) -> None:
    assert read_quantifier(text.split()) is None

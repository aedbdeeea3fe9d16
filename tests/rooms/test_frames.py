"""The generator of lexical-nli: its logic against the tables of the paper, its English, its words."""

import itertools
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kgreason.errors import DataError
from kgreason.knowledge import open_graph
from kgreason.tasks.frames import SIZES
from kgreason.tasks.frames_english import article, inflect, plural
from kgreason.tasks.frames_lexicon import read_category
from kgreason.tasks.frames_logic import (
    CONTRADICTORY,
    EQUAL,
    EXCLUSIVE,
    EXHAUSTIVE,
    FORWARD,
    INDEPENDENT,
    REVERSE,
    join,
    label,
    negate,
    project,
)

ROOT = Path(__file__).parents[2]
SIGNS = {
    "=": EQUAL,
    "<": FORWARD,
    ">": REVERSE,
    "^": CONTRADICTORY,
    "|": EXCLUSIVE,
    "v": EXHAUSTIVE,
    "#": INDEPENDENT,
}


@pytest.mark.parametrize(
    ("plain", "premise", "hypothesis", "both"),
    ["=^^=", "<v|>", ">|v<", "^==^", "|><v", "v<>|", "####"],  # MacCartney and Manning's projection of "not"
)
def test_negation_is_that_of_the_paper(plain: str, premise: str, hypothesis: str, both: str) -> None:
    relation = SIGNS[plain]
    assert negate(relation, premise=True, hypothesis=False) == SIGNS[premise]
    assert negate(relation, premise=False, hypothesis=True) == SIGNS[hypothesis]
    assert negate(relation, premise=True, hypothesis=True) == SIGNS[both]


@pytest.mark.parametrize(("first", "second", "joined"), ["=<<", "<<<", ">>>", "<||", "|>|", "<>#", "^=^", "<^|", "###"])
def test_joins_are_those_of_the_paper(first: str, second: str, joined: str) -> None:
    assert join((SIGNS[first], SIGNS[second])) == SIGNS[joined]


def test_joins_look_at_every_order() -> None:
    assert join((EXCLUSIVE, FORWARD)) == EXCLUSIVE  # a piano in the park; a guitar: drop "in the park" first
    assert join((EXCLUSIVE, EXCLUSIVE)) is None


def test_labels() -> None:
    expected = {"=": "entailment", "<": "entailment", "^": "contradiction", "|": "contradiction"}
    for sign, relation in SIGNS.items():
        assert label(relation) == expected.get(sign, "neutral"), sign


def subsets(universe: range) -> list[frozenset[int]]:
    return [frozenset(c) for size in range(len(universe) + 1) for c in itertools.combinations(universe, size)]


MEANINGS = {
    "some-no": lambda a, b: bool(a & b),
    "every": lambda a, b: a <= b,
    "every-scope": lambda a, b: b <= a,
    "at-least": lambda a, b: len(a & b) >= 2,
    "at-most": lambda a, b: len(a & b) <= 2,
    "exactly": lambda a, b: len(a & b) == 2,
    "most": lambda a, b: 2 * len(a & b) > len(b),
    "nobody": lambda a, b: bool(a & b),
    "only": lambda a, b: bool(b) and b <= a,
}


@pytest.mark.parametrize("operator", MEANINGS)
def test_the_polarity_of_quantifiers_by_counting(operator: str) -> None:
    """In every model of four things, a wider set in the slot keeps the sentence true exactly if the slot is upward."""
    meaning, sets = MEANINGS[operator], subsets(range(4))
    pairs = [(a, wider, b) for a in sets for wider in sets if a < wider for b in sets]
    up = all(meaning(wider, b) for a, wider, b in pairs if meaning(a, b))
    down = all(meaning(a, b) for a, wider, b in pairs if meaning(wider, b))
    declared = {(True, False): "up", (False, True): "down", (False, False): "none"}[up, down]
    assert read_operators()[operator]["polarity"] == declared


@pytest.mark.parametrize("operator", ["some-no", "every", "at-least", "at-most", "nobody", "most", "only"])
def test_exclusive_fillers_by_counting(operator: str) -> None:
    """Two disjoint, non-empty sets in the slot: the sentences exclude each other exactly if the operator is strict."""
    meaning, sets = MEANINGS[operator], subsets(range(6))
    disjoint = [(a, c) for a in sets for c in sets if a and c and not a & c]
    bodies = [b for b in sets if b]
    both = any(meaning(a, b) and meaning(c, b) for a, c in disjoint for b in bodies)
    assert (read_operators()[operator]["exclusive"] == "strict") == (not both)


def read_operators() -> dict[str, dict[str, str]]:
    path = ROOT / "datasets" / "lexical-nli" / "frames.toml"
    operators: dict[str, dict[str, str]] = tomllib.loads(path.read_text("utf-8"))["operator"]
    return operators


def test_projection() -> None:
    assert project(FORWARD, "up", "no") == FORWARD
    assert project(FORWARD, "down", "no") == REVERSE
    assert project(FORWARD, "none", "no") == INDEPENDENT
    assert project(EXCLUSIVE, "up", "strict") == EXCLUSIVE
    assert project(EXCLUSIVE, "down", "strict") == INDEPENDENT
    assert project(EXCLUSIVE, "up", "unclear") is None
    assert project(CONTRADICTORY, "up", "event") is None


def test_spelling() -> None:
    assert [plural(w) for w in ("ferry", "box", "piano", "banjo", "mango", "sheep", "church", "axe")] == [
        *("ferries", "boxes", "pianos", "banjos", "mangoes", "sheep", "churches", "axes")
    ]
    assert [inflect(v, "past") for v in ("run", "march", "slice", "chop", "fry")] == [
        *("ran", "marched", "sliced", "chopped", "fried")
    ]
    assert [article(w) for w in ("apple", "unicycle", "hour", "European", "umbrella", "horse")] == [
        *("an", "a", "an", "a", "an", "a")
    ]


def test_words_are_related_as_wordnet_says() -> None:
    table = {"pos": "n", "root": "animal", "exclusive": True, "words": "animal dog poodle cat"}
    animals = read_category("animal", table, open_graph("wordnet"))
    assert animals.relation("poodle", "dog") == "hypernym"
    assert animals.relation("animal", "poodle") == "hyponym"
    assert animals.relation("poodle", "cat") == "co_hyponym"
    sizes = read_category("size", {"pos": "a", "words": "big large small huge"}, open_graph("wordnet"))
    assert sizes.relation("big", "large") == "synonym"
    assert sizes.relation("huge", "big") == "hypernym"
    assert sizes.relation("huge", "small") == "antonym"


def test_a_word_in_the_wrong_category_is_named() -> None:
    table = {"pos": "n", "root": "animal", "words": "dog teapot"}
    with pytest.raises(DataError, match="not below 'animal' in WordNet: teapot"):
        read_category("animal", table, open_graph("wordnet"))
    with pytest.raises(DataError, match="WordNet has no 'doggg'"):
        read_category("animal", {"pos": "n", "root": "animal", "words": "doggg"}, open_graph("wordnet"))


def generate(out: Path, seed: int) -> None:
    # in its own process, where the shape checks of these tests do not slow it down
    subprocess.run([sys.executable, "-m", "kgreason.tasks.frames", str(out), str(seed)], check=True, cwd=ROOT)


@pytest.mark.slow
def test_the_shipped_files_are_what_the_seed_gives(tmp_path: Path) -> None:
    generate(tmp_path, seed=0)
    generate(tmp_path / "other", seed=1)
    for split in SIZES:
        text = (tmp_path / f"{split}.jsonl").read_text("utf-8")
        other = (tmp_path / "other" / f"{split}.jsonl").read_text("utf-8")
        assert text == (ROOT / "datasets" / "lexical-nli" / f"{split}.jsonl").read_text("utf-8"), split
        assert len(text.splitlines()) == len(other.splitlines()) == 3 * SIZES[split]
        assert text != other
        assert json.loads(other.splitlines()[0])["uid"] == f"lexical-{split}-00000"

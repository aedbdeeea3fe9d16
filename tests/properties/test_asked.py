"""Questions that a graph asks itself: their answers are what their path leads to, whatever the graph."""

from collections import defaultdict
from functools import cache

import pytest
from hypothesis import example as always
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import KnowledgeGraph
from kgreason.errors import DataError
from kgreason.experiment.english import lexicon
from kgreason.tasks import KgqaTask, Split
from kgreason.tasks.asked import Asking, ask
from kgreason.tasks.phrases import Phrases

RELATIONS = ["directed_by", "has_genre", "release_year", "children", "flows_through", "capital_of", "->", "in_language"]
Fact = tuple[str, str, str]


@st.composite
def facts(draw: st.DrawFn) -> list[Fact]:
    """Between five entities and as many others, of up to four relations."""
    one = st.tuples(st.integers(0, 7), st.sampled_from(RELATIONS[: draw(st.integers(1, 8))]), st.integers(0, 7))
    found = draw(st.lists(one, min_size=4, max_size=24, unique=True))
    return [(f"Zorg {h}", r, f"Zorg {t}") for h, r, t in found]


@cache
def english() -> object:
    return lexicon("minilm")


def asked(facts: list[Fact], seed: int = 0, count: int = 25) -> tuple[KnowledgeGraph, Split]:
    graph = KnowledgeGraph.from_triples(facts)
    phrases = Phrases(graph, english())  # type: ignore[arg-type]
    return graph, ask(graph, phrases, Asking(generate=count, hops=3, seed=seed), KgqaTask().example)


def walked(facts: list[Fact], seed: str, path: tuple[str, ...]) -> set[str]:
    """Follow a path fact by fact; no two facts in a row are the same, walked there and back."""
    steps: dict[tuple[str, str], list[tuple[str, Fact]]] = defaultdict(list)
    for fact in facts:
        steps[fact[0], fact[1]].append((fact[2], fact))
        steps[fact[2], f"^{fact[1]}"].append((fact[0], fact))
    here: set[tuple[str, Fact | None, str]] = {(seed, None, "")}
    for name in path:
        here = {
            (to, fact, name)
            for at, came, by in here
            for to, fact in steps[at, name]
            if not (fact == came and {name, by} == {name.removeprefix("^"), f"^{name.removeprefix('^')}"})
        }
    return {at for at, _, _ in here}


@settings(max_examples=25, deadline=None)
@given(facts(), st.integers(0, 3))
def test_answers_are_what_the_path_leads_to_without_turning_back(facts: list[Fact], seed: int) -> None:
    try:
        _, split = asked(facts, seed)
    except DataError as error:
        assert "too few paths" in str(error)  # noqa: PT017
        return
    for example in split.examples:
        path = split.path[example.uid]
        assert example.target == walked(facts, example.seeds[0], path)
        assert split.category[example.uid]["hops"] == str(len(path))


@settings(max_examples=10, deadline=None)
@always(
    [
        ("Zorg 0", "directed_by", "Zorg 0"),
        ("Zorg 0", "->", "Zorg 7"),
        ("Zorg 1", "directed_by", "Zorg 0"),
        ("Zorg 1", "->", "Zorg 7"),
    ]
)
@given(facts())
def test_no_question_tells_an_answer_and_each_marks_its_seed(facts: list[Fact]) -> None:
    try:
        _, split = asked(facts)
    except DataError:
        return
    for example in split.examples:
        assert isinstance(example.target, frozenset)
        ((_, start, end),) = example.mentions
        text = example.texts[0]
        assert text[start:end] == example.seeds[0]
        rest = (text[:start] + text[end:]).lower()
        assert not any(answer.lower() in rest for answer in example.target)
        assert example.seeds[0] not in example.target
        assert not set("{}[]") & set(text), "every slot is filled"
        assert "  " not in text


def test_the_seed_decides_what_is_asked() -> None:
    facts = [(f"film {i}", "directed_by", f"person {i // 3}") for i in range(30)]
    facts += [(f"film {i}", "release_year", str(1990 + i % 7)) for i in range(30)]
    one, again, other = (asked(facts, seed)[1] for seed in (0, 0, 1))
    assert one == again
    assert [e.texts for e in one.examples] != [e.texts for e in other.examples]
    assert {c["hops"] for c in one.category.values()} == {"1", "2", "3"}


@pytest.mark.parametrize("table", [{"generate": 0}, {"generate": 5, "hops": 0}, {"generate": 5, "most": 0}])
def test_numbers_out_of_range_are_refused(table: dict[str, int]) -> None:
    with pytest.raises(Exception, match="expected a whole number of at least"):
        Asking.from_table(table)


def test_a_graph_with_too_few_paths_is_refused() -> None:
    with pytest.raises(DataError, match="too few paths of 3 hops"):
        asked([("a", "r", "b")])

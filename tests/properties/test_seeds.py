"""Linking: a label that stands in a text is found, and so is one with a letter wrong."""

import string

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph, NodeType
from kgreason.ground import SeedsGrounder
from kgreason.ground.grams import GramIndex, edits_allowed, fold
from kgreason.ground.units import FUNCTION_WORDS
from kgreason.parse import SurfaceParser

WORDS = st.sampled_from(["alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ivy", "juniper"])
FILLERS = st.sampled_from(["which", "what", "the", "of", "in", "near", "by", "from", "and", "who"])
NAMES = st.lists(st.text(string.ascii_letters + "é'-. 0", min_size=3, max_size=20), min_size=1, max_size=6, unique=True)


def ask(text: str, knowledge: KnowledgeGraph, link: str) -> LogicGraph:
    (graph,) = SeedsGrounder(link)(SurfaceParser()([Example("q", (text,), ("question",))]), knowledge)
    return graph


def found(graph: LogicGraph, knowledge: KnowledgeGraph) -> set[str]:
    return {knowledge.entities[int(e)] for e in graph.node_entity[graph.node_type == NodeType.ENTITY]}


@given(NAMES, st.lists(FILLERS, max_size=5), st.lists(FILLERS, max_size=5), st.data())
def test_a_label_planted_in_a_text_is_found(
    names: list[str], before: list[str], after: list[str], d: st.DataObject
) -> None:
    names = list(dict.fromkeys(" ".join(name.split()) for name in names))
    name = d.draw(st.sampled_from(names))
    assume(sum(c.isalnum() for c in name) >= 3)
    assume(any(unit not in FUNCTION_WORDS for unit in fold(name).split()))  # those alone are no names
    knowledge = KnowledgeGraph.from_triples([(n, "r", "zzz") for n in names])
    graph = ask(" ".join([*before, name, *after]), knowledge, "exact")
    wanted = fold(name).split()
    seen = [fold(one).split() for one in found(graph, knowledge)]
    # a longer label that holds this one, or one that reads alike, may stand for it
    assert any(set(wanted) <= set(one) for one in seen) or overlaps(graph, len(" ".join(before)), name)


def overlaps(graph: LogicGraph, start: int, name: str) -> bool:
    at = np.flatnonzero(graph.node_type != NodeType.ENTITY)
    spans = graph.node_span[at[np.isin(at, graph.edge_index[0, graph.edge_type == EdgeType.LINK])]]
    return any(a < start + len(name) + 1 and b > start for _, a, b in spans.tolist())


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.lists(WORDS, min_size=2, max_size=3, unique=True),
    st.lists(FILLERS, max_size=4),
    st.integers(0, 100),
    st.sampled_from(["leave", "add", "replace", "swap", "case", "accent"]),
    st.sampled_from(string.ascii_lowercase),
)
def test_a_label_with_one_letter_wrong_is_found(
    words: list[str], before: list[str], at: int, how: str, letter: str
) -> None:
    name = " ".join(words).title()
    assume(edits_allowed(len(name)) >= 1)
    at %= len(name)
    ways = {
        "leave": name[:at] + name[at + 1 :],
        "add": name[:at] + letter + name[at:],
        "replace": name[:at] + letter + name[at + 1 :],
        "swap": name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
        "case": name.swapcase(),
        "accent": name[:at] + name[at:].replace("e", "é"),
    }
    knowledge = KnowledgeGraph.from_triples([(name, "near_to", "Quagga"), ("Quagga", "near_to", "Xylophone")])
    graph = ask(" ".join([*before, ways[how]]), knowledge, "fuzzy")
    assert name in found(graph, knowledge), ways[how]


def _grams_of(text: str) -> set[str]:
    data = f" {text} ".encode()
    return {data[i : i + 3].hex() for i in range(len(data) - 2)}


@given(NAMES, st.text(string.ascii_lowercase + "é ", max_size=30))
def test_trigrams_find_the_labels_that_counting_one_by_one_finds(names: list[str], text: str) -> None:
    index, asked = GramIndex(names), _grams_of(text)
    worth = {}
    for label, name in enumerate(index.folded):
        grams = _grams_of(name)
        shared, edits = len(grams & asked), edits_allowed(len(name))
        if shared and shared >= max(len(grams) - 4 * edits, -(-len(grams) // 3)):
            worth[label] = 3 * shared - 2 * len(grams)
    in_order = sorted(worth, key=lambda label: (-worth[label], label))
    assert index.near(text, 60).tolist() == in_order
    assert index.near(text, 60).tolist() == in_order, "nothing is left of the first text"

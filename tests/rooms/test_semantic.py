"""Polarity and scope: marked sentences of our own, exact signatures, edges, ablations, bad input."""

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import (
    COMPOSE,
    POLARITY,
    SEMANTIC_RELATIONS,
    EdgeType,
    Example,
    LogicGraph,
    Polarity,
    signature,
)
from kgreason.errors import ConfigError, DataError
from kgreason.parse import PARSERS, DependencyParser, SemanticParser, SurfaceParser
from kgreason.parse.gold import accuracies, judge_marks, read_marks
from kgreason.parse.semantic import add_scopes


@lru_cache
def dependency() -> DependencyParser:
    return DependencyParser()


def parse(text: str, indefinites: str = "specific", polarity: str = "full") -> LogicGraph:
    parser = SemanticParser(dependency(), indefinites, polarity)
    (graph,) = parser([Example("e", (text,), ("premise",))])
    return graph


def place(graph: LogicGraph, word: str) -> int:
    return int(graph.node_polarity[graph.node_text.index(word)])


def edges(graph: LogicGraph) -> set[tuple[str, str, str]]:
    keep = graph.edge_type == EdgeType.SEMANTIC
    source, target = graph.edge_index[:, keep].tolist()
    names = [SEMANTIC_RELATIONS[r] for r in graph.edge_relation[keep].tolist()]
    return {(graph.node_text[s], n, graph.node_text[t]) for s, n, t in zip(source, names, target, strict=True)}


def test_some_of_the_marked_sentences() -> None:
    judged = judge_marks(SemanticParser(dependency()), read_marks()[::9])
    assert len({one.marked.operator for one in judged}) > 30
    assert sum(one.right for one in judged) >= 0.97 * sum(one.right + len(one.wrong) for one in judged)


@pytest.mark.slow
def test_all_marked_sentences() -> None:
    judged = judge_marks(SemanticParser(dependency()), read_marks())
    shares = {(part, operator): right / words for part, operator, right, words in accuracies(judged)}
    assert shares.pop(("tune", "all operators")) >= 0.99
    assert shares.pop(("held", "all operators")) >= 0.985
    assert min(shares.values()) >= 0.8, min(shares, key=lambda key: shares[key])


def test_the_marked_sentences_are_many_and_parted() -> None:
    rows = read_marks()
    sentences = defaultdict(set)
    for row in rows:
        sentences[row.part].add(row.text)
    assert len(rows) >= 600
    assert len(sentences["held"]) >= 200
    assert not sentences["tune"] & sentences["held"]
    assert sum(map(len, sentences.values())) == len(rows), "a sentence stands twice"
    assert {row.operator for row in rows if row.part == "held"} <= {row.operator for row in rows if row.part == "tune"}


EVERY_1, EVERY_2, NO = signature("every, restrictor"), signature("every, scope"), signature("no")


@pytest.mark.parametrize(
    ("text", "word", "sign"),
    [
        ("A man plays a piano.", "piano", signature("upward")),
        ("Every man plays a piano.", "man", EVERY_1),
        ("Every man plays a piano.", "piano", EVERY_2),
        ("No man plays a piano.", "man", NO),
        ("No man plays a piano.", "piano", NO),
        ("A man is not playing a piano.", "piano", signature("not")),
        ("A man is not playing a piano.", "man", signature("upward")),
        ("Most men play a piano.", "men", signature("none")),
        ("Not every man plays a piano.", "man", signature("not every, restrictor")),
        ("Not every man plays a piano.", "plays", signature("not every, scope")),
        ("At most two men play a piano.", "piano", signature("downward only")),
        ("A man refused to play a piano.", "piano", NO),
        ("A man failed to play a piano.", "piano", signature("not")),
        ("A man can play a piano.", "piano", signature("some")),
        ("A man without a piano sings.", "piano", NO),
        ("Every man who does not sing plays.", "sing", int(COMPOSE[EVERY_1, signature("not")])),
        ("No man refused to play a piano.", "piano", int(COMPOSE[NO, NO])),
        ("No man plays every piano.", "piano", int(COMPOSE[NO, EVERY_1])),
        ("A man plays a piano or a flute.", "flute", signature("some")),
        ("If a man sings, a dog barks.", "sings", EVERY_1),
        ("If a man sings, a dog barks.", "dog", EVERY_2),
    ],
)
def test_a_place_has_the_signature_of_what_stands_around_it(text: str, word: str, sign: int) -> None:
    assert place(parse(text), word) == sign


@pytest.mark.parametrize(
    ("text", "operator", "sign"),
    [
        ("No man plays.", "No", signature("upward")),
        ("If no man plays, a dog barks.", "no", EVERY_1),
        ("Every man eats no fish.", "no", EVERY_2),
        ("Every man does not sing.", "not", EVERY_2),
        ("A man without any hat sings.", "without", signature("upward")),
    ],
)
def test_an_operator_stands_at_the_place_of_its_phrase(text: str, operator: str, sign: int) -> None:
    assert place(parse(text), operator) == sign


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("No man plays a piano.", {("No", "quantifies", "plays"), ("No", "argument", "man")}),
        ("A man is not playing.", {("not", "negates", "playing")}),
        ("None of the men sings.", {("None", "quantifies", "sings"), ("None", "argument", "men")}),
        ("A man refused to sing.", {("refused", "argument", "sing")}),
        ("A man left without a hat.", {("without", "argument", "hat")}),
        ("A man and a dog sing.", {("and", "conjoins", "man"), ("and", "conjoins", "dog")}),
        ("If a man sings, a dog barks.", {("If", "argument", "sings"), ("If", "quantifies", "barks")}),
        ("A man sings.", set()),
    ],
)
def test_edges_run_from_operators_to_their_arguments(text: str, wanted: set[tuple[str, str, str]]) -> None:
    assert edges(parse(text)) == wanted


def test_indefinites_may_be_existential() -> None:
    text = "A man plays two pianos."
    assert place(parse(text), "man") == signature("upward")
    graph = parse(text, "existential")
    assert place(graph, "man") == signature("some")
    assert place(graph, "pianos") == int(COMPOSE[signature("some"), signature("upward only")])
    assert place(parse("No man plays a piano.", "existential"), "piano") == int(COMPOSE[NO, signature("some")])


def test_any_is_universal_where_nothing_licenses_it() -> None:
    assert POLARITY[place(parse("Any dog can swim."), "dog")] == Polarity.DOWNWARD
    assert place(parse("No man has any dog."), "dog") == NO
    assert POLARITY[place(parse("No one without any dog came."), "dog")] == Polarity.UPWARD


def test_the_ablation_leaves_every_place_upward_and_keeps_the_edges() -> None:
    graph = parse("No man plays a piano.", polarity="none")
    assert not graph.node_polarity.any()
    assert edges(graph) == edges(parse("No man plays a piano."))


def test_old_nodes_and_edges_stay() -> None:
    (before,) = dependency()([Example("e", ("No man sings.", "A man doesn't sing."), ("premise", "hypothesis"))])
    after = add_scopes(before)
    assert after.node_text == before.node_text
    assert after.num_edges > before.num_edges
    np.testing.assert_array_equal(after.edge_index[:, : before.num_edges], before.edge_index)
    assert [POLARITY[p] for p in after.node_polarity[[1, 5, 8]]] == [1, 0, 1]
    assert add_scopes(before).node_polarity.tolist() == after.node_polarity.tolist()


def test_a_tree_that_is_wrong_inside_a_phrase_does_no_harm() -> None:
    """In "no more than two men", parsers hang "men" on "more"."""
    graph = parse("No more than two men are wearing hats.")
    assert POLARITY[place(graph, "men")] == POLARITY[place(graph, "hats")] == Polarity.DOWNWARD


@pytest.mark.parametrize(
    "text", ["", "   ", "no", "not not not", "?!", "no no no and or nor", "😀 never", "If.", "than"]
)
def test_odd_texts_are_marked_somehow(text: str) -> None:
    graph = parse(text)
    assert len(graph.node_polarity) == graph.num_nodes


def test_without_trees_every_place_is_upward() -> None:
    (graph,) = SemanticParser(SurfaceParser())([Example("e", ("No man sings.",), ("premise",))])
    assert not graph.node_polarity.any()
    assert not (graph.edge_type == EdgeType.SEMANTIC).any()


@pytest.mark.parametrize("table", [{"indefinites": "any"}, {"polarity": "half"}])
def test_a_wrong_setting_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(table.values()))):
        PARSERS.build({"name": "semantic", "around": SurfaceParser(), **table})


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("a\tb\n", "line 1: expected the columns"),
        ("part\toperator\tconstruction\ttext\ntune\tno\tsubject\n", "line 2 has 3 columns"),
        ("part\toperator\tconstruction\ttext\ntune\tno\tsubject\tNo man.\n", "line 2: no word is marked"),
        ("part\toperator\tconstruction\ttext\ntune\tno\tsubject\tNo ↓man.\n", "does not follow a word"),
    ],
)
def test_a_broken_file_of_marks_is_named_by_line(tmp_path: Path, lines: str, told: str) -> None:
    file = tmp_path / "marks.tsv"
    file.write_text(lines, "utf-8")
    with pytest.raises(DataError, match=told):
        read_marks(file)
    with pytest.raises(DataError, match="there is no such file"):
        read_marks(tmp_path / "nowhere.tsv")

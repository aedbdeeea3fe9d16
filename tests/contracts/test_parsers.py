"""What every parser must do."""

import importlib.util
import pickle
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from kgreason.data import DEPENDENCY_RELATIONS, SPAN_RELATIONS, UPOS, EdgeType, Example, LogicGraph, NodeType
from kgreason.errors import ConfigError, DataError, MissingExtraError
from kgreason.parse import PARSERS, DependencyParser, SemanticParser, SpansParser
from kgreason.parse.conllu import write
from kgreason.rooms import Parser

TEXTS = {
    "plain": "A man isn't sleeping.",
    "two": "Dogs bark. Cats don't!",
    "one": "Yes",
    "empty": "",
    "blank": " \n\t ",
    "marks": "?!... --",
    "emoji": "so nice 😀👩‍🚀❤️ :)",
    "scripts": "नमस्ते दुनिया, 你好。Привет мир! שלום",
    "nul": "a\0b c",
    "surrogate": "x \ud800 y\udfff",
    "spaces": "A\u00a0man\u2003sleeps\r\n\r\nHe snores",
    "long word": "a" * 3000 + " end",
}
NEEDS = {"spacy": "en_core_web_sm", "stanza": "stanza"}


@lru_cache
def dependency() -> DependencyParser:
    return DependencyParser()


def conllu_file(texts: list[str]) -> Path:
    """Write what `dependency` says of the texts."""
    file = Path(mkdtemp()) / "parses.conllu"
    parsed = dependency().parse_texts(texts)
    with file.open("w", encoding="utf-8", newline="\n") as out:
        from kgreason.parse.sentence import clean

        write([(clean(text), s) for text, sentences in parsed.items() for s in sentences], out)
    return file


@lru_cache
def build(name: str) -> Parser:
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"needs {NEEDS[name]}")
    if name == "dependency":
        return dependency()
    if name == "conllu":
        return PARSERS.build({"name": name, "files": [str(conllu_file(list(TEXTS.values())))]})
    if name == "spans":
        return SpansParser(dependency())
    if name == "semantic":
        return SemanticParser(dependency())
    return PARSERS.build({"name": name})


@pytest.fixture(params=list(PARSERS))
def parser(request: pytest.FixtureRequest) -> Parser:
    return build(request.param)


def example(*texts: str, uid: str = "e") -> Example:
    return Example(uid, texts, ("premise",) * len(texts))


def check(graph: LogicGraph, given: Example) -> None:
    words = graph.node_type == NodeType.WORD
    span = graph.node_span[words]
    assert (words[:-1] >= words[1:]).all(), "WORD nodes stand first"
    assert (np.lexsort((span[:, 1], span[:, 0])) == np.arange(len(span))).all(), "words stand in reading order"
    for text, (i, start, end) in zip(graph.node_text, graph.node_span.tolist(), strict=True):
        assert 0 <= start < end <= len(given.texts[i])
        assert len(text) == end - start
        text.encode("utf-8")
        assert "\0" not in text
    assert all(lemma == lemma.lower() for lemma in graph.node_lemma)
    assert ((graph.node_pos >= -1) & (graph.node_pos < len(UPOS))).all()
    dependency = graph.edge_type == EdgeType.DEPENDENCY
    source, target = graph.edge_index[:, dependency]
    assert len(set(target.tolist())) == len(target), "a word has one governor"
    assert (graph.node_span[source, 0] == graph.node_span[target, 0]).all(), "a tree stays in its text"
    assert (graph.edge_relation[dependency] < len(DEPENDENCY_RELATIONS)).all()
    roots = words.sum() - len(target)
    texts_with_words = len(set(span[:, 0].tolist()))
    assert roots >= texts_with_words
    above = {int(t): int(s) for s, t in zip(source, target, strict=True)}
    for w in range(int(words.sum())):
        at, steps = w, 0
        while at in above:
            at, steps = above[at], steps + 1
            assert steps <= words.sum(), "a cycle"


@pytest.mark.parametrize("name", list(TEXTS))
def test_every_text_gives_a_sound_graph(parser: Parser, name: str) -> None:
    given = example(TEXTS[name])
    (graph,) = parser([given])
    check(graph, given)
    assert graph.uid == "e"
    assert (graph.num_nodes > 0) == bool(TEXTS[name].split())


def test_texts_of_an_example_stand_one_after_the_other(parser: Parser) -> None:
    given = example(TEXTS["two"], "", TEXTS["plain"])
    (graph,) = parser([given])
    check(graph, given)
    assert set(graph.node_span[:, 0].tolist()) == {0, 2}


def test_a_batch_gives_what_single_examples_give(parser: Parser) -> None:
    examples = [example(text, TEXTS["plain"], uid=name) for name, text in TEXTS.items()]
    for given, graph in zip(examples, parser(examples), strict=True):
        (alone,) = parser([given])
        assert graph.uid == given.uid
        assert graph.node_text == alone.node_text
        assert graph.node_lemma == alone.node_lemma
        np.testing.assert_array_equal(graph.node_pos, alone.node_pos)
        np.testing.assert_array_equal(graph.edge_index, alone.edge_index)
        np.testing.assert_array_equal(graph.edge_relation, alone.edge_relation)


def test_no_examples_give_no_graphs(parser: Parser) -> None:
    assert parser([]) == []


def test_a_graph_can_be_pickled(parser: Parser) -> None:
    (graph,) = parser([example(TEXTS["plain"])])
    assert pickle.loads(pickle.dumps(graph)).node_text == graph.node_text


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "dependency", "weigths": "english"}, "weigths"),
        ({"name": "dependency", "device": "warp"}, "device = 'warp'"),
        ({"name": "conllu", "files": []}, "files is empty"),
    ],
)
def test_a_wrong_setting_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PARSERS.build(table)
    assert message in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataError, match=r"nowhere\.conllu: there is no such file"):
        PARSERS.build({"name": "conllu", "files": ["nowhere.conllu"]})


@pytest.mark.parametrize("name", ["spacy", "stanza"])
def test_a_missing_package_says_how_to_get_it(name: str) -> None:
    if importlib.util.find_spec(name) is not None:
        pytest.skip(f"{name} is installed")
    with pytest.raises(MissingExtraError, match=rf"pip install 'kgreason\[{name}\]'"):
        PARSERS.build({"name": name})


def test_spans_form_a_tree_over_each_sentence() -> None:
    (graph,) = SpansParser(dependency())([example("The old man in a hat said that he had seen two dogs. Yes.")])
    spans = graph.edge_type == EdgeType.SPAN
    contains = graph.edge_relation[spans] == SPAN_RELATIONS.id("contains")
    source, target = graph.edge_index[:, spans]
    texts = {graph.node_text[i] for i in np.flatnonzero(graph.node_type == NodeType.PHRASE)}
    assert {"The old man", "a hat", "that he had seen two dogs", "two dogs"} <= texts
    assert (graph.node_type == NodeType.SENTENCE).sum() == 2
    inside = graph.node_span[target], graph.node_span[source]
    assert (inside[0][:, 1] >= inside[1][:, 1]).all()
    assert (inside[0][:, 2] <= inside[1][:, 2]).all()
    children = target[contains]
    assert len(set(children.tolist())) == len(children), "what is contained is contained once"
    phrase = graph.node_text.index("The old man")
    assert graph.node_lemma[phrase] == "man"
    assert UPOS[int(graph.node_pos[phrase])] == "NOUN"

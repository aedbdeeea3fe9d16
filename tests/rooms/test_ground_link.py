"""Linking: which words name which entities."""

import itertools
import re
from collections.abc import Sequence

import ahocorasick_rs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import DEPENDENCY_RELATIONS, UPOS, EdgeType, KnowledgeGraph, LogicGraph, NodeType
from kgreason.data.knowledge import Labels
from kgreason.data.vocab import Vocab
from kgreason.errors import ConfigError
from kgreason.ground import LinkGrounder, link_spans, perturb_graph
from kgreason.ground.index import LabelIndex, label_index
from kgreason.knowledge import open_graph


def text_graph(
    *texts: str, lemma: Sequence[str] = (), pos: Sequence[str] = (), governor: Sequence[int] = ()
) -> LogicGraph:
    """A graph of words; `governor` holds the governing word of each, or -1."""
    rows = [
        (i, m.start(), m.end(), m.group()) for i, text in enumerate(texts) for m in re.finditer(r"\w+|[^\w\s]", text)
    ]
    size = len(rows)
    edges = [(g, i) for i, g in enumerate(governor) if g >= 0]
    return LogicGraph(
        uid="e",
        node_type=np.full(size, NodeType.WORD, np.int8),
        node_text=tuple(row[3] for row in rows),
        node_lemma=tuple(lemma) or ("",) * size,
        node_pos=np.array([UPOS.id(p) for p in pos] or [-1] * size, np.int8),
        node_span=np.array([row[:3] for row in rows], np.int32).reshape(-1, 3),
        node_entity=np.full(size, -1, np.int32),
        node_score=np.ones(size, np.float32),
        node_polarity=np.zeros(size, np.int8),
        edge_index=np.array(edges, np.int32).reshape(-1, 2).T.copy(),
        edge_type=np.full(len(edges), EdgeType.DEPENDENCY, np.int8),
        edge_relation=np.full(len(edges), DEPENDENCY_RELATIONS.id("dep"), np.int32),
        edge_score=np.ones(len(edges), np.float32),
    )


def graph_of(senses: dict[str, dict[str, float]], pos: dict[str, str] | None = None) -> KnowledgeGraph:
    """A knowledge graph without triples to speak of: label to entity to score, and the part of speech of entities."""
    entities = Vocab(sorted({e for named in senses.values() for e in named}))
    names = sorted(senses)
    labels = Labels(
        names=Vocab(names),
        ptr=np.cumsum([0, *(len(senses[n]) for n in names)]).astype(np.int64),
        entity=np.array([entities.id(e) for n in names for e in senses[n]], np.int32),
        score=np.array([s for n in names for s in senses[n].values()], np.float32),
        preferred=np.full(len(entities), -1, np.int32),
        pos=np.array([UPOS.id((pos or {})[e]) if e in (pos or {}) else -1 for e in entities], np.int8),
    )
    return KnowledgeGraph.from_ids(entities, Vocab(["r"]), np.zeros((1, 3), np.int32), labels)


def named(text: LogicGraph, knowledge: KnowledgeGraph, **options: object) -> dict[str, dict[str, float]]:
    """What `link_spans` finds: the words of each mention to entity to score."""
    found = link_spans([text], knowledge, **options)[0]  # type: ignore[arg-type]
    out = {}
    for m in range(len(found)):
        words = " ".join(text.node_text[found.first[m] : found.last[m] + 1])
        part = slice(found.ptr[m], found.ptr[m + 1])
        out[words] = {
            knowledge.entities[e]: round(s, 3)
            for e, s in zip(found.entity[part].tolist(), found.score[part].tolist(), strict=True)
        }
    return out


FOOD = graph_of({n: {n.replace(" ", "_"): 1.0} for n in ["dog", "hot dog", "ice cream", "hot", "cream", "take off"]})


def test_the_longest_label_counts() -> None:
    assert list(named(text_graph("a hot dog, a dog, ice cream and cream"), FOOD)) == [
        "hot dog",
        "dog",
        "ice cream",
        "cream",
    ]


def test_a_label_begins_and_ends_with_a_word() -> None:
    assert named(text_graph("hotdog dogs scream"), FOOD) == {}


def test_no_label_runs_from_one_text_into_the_next() -> None:
    assert list(named(text_graph("it was hot", "dog days"), FOOD)) == ["hot", "dog"]


def test_no_label_runs_from_one_graph_into_the_next() -> None:
    first, second = link_spans([text_graph("it was hot"), text_graph("dog days")], FOOD)
    assert first.last.tolist() == [2]
    assert second.first.tolist() == [0]


def test_each_word_may_match_by_its_lemma() -> None:
    dogs = text_graph("Hot dogs took off", lemma=["hot", "dog", "take", "off"])
    assert list(named(dogs, FOOD)) == ["Hot dogs", "took off"]
    assert named(text_graph("Hot dogs took off"), FOOD) == {"Hot": {"hot": 1.0}}


def test_senses_of_the_word_and_of_its_lemma_are_joined() -> None:
    graph = graph_of({"glasses": {"spectacles": 1.0}, "glass": {"pane": 0.6, "cup": 0.4}})
    assert named(text_graph("glasses", lemma=["glass"]), graph)["glasses"] == {
        "spectacles": 1.0,
        "pane": 0.6,
        "cup": 0.4,
    }


def test_all_senses_stay_up_to_a_number() -> None:
    graph = graph_of({"bank": {"river": 0.2, "money": 0.5, "row": 0.3}})
    assert list(named(text_graph("bank"), graph)["bank"]) == ["money", "row", "river"]
    assert list(named(text_graph("bank"), graph, max_senses=2)["bank"]) == ["money", "row"]


CASED = graph_of({"Turkey": {"country": 1.0}, "turkey": {"bird": 1.0}, "Paris": {"paris": 1.0}})


def test_case_counts_where_a_label_is_written_so() -> None:
    assert named(text_graph("a turkey"), CASED)["turkey"] == {"bird": 1.0}
    assert named(text_graph("in Turkey"), CASED)["Turkey"] == {"country": 1.0}


def test_case_does_not_count_where_none_is() -> None:
    assert named(text_graph("in paris or PARIS"), CASED) == {"paris": {"paris": 0.5}, "PARIS": {"paris": 0.5}}


def test_the_first_word_of_a_sentence_may_be_either() -> None:
    assert named(text_graph("Turkey it is"), CASED)["Turkey"] == {"country": 1.0, "bird": 1.0}
    assert named(text_graph("No. Turkey"), CASED)["Turkey"] == {"country": 1.0, "bird": 1.0}


WALK = graph_of(
    {"walk": {"walk.n": 0.25, "walk.v": 0.25, "any": 0.0}, "run": {"run.n": 1.0}, "in": {"inch": 1.0}},
    {"walk.n": "NOUN", "walk.v": "VERB", "run.n": "NOUN", "inch": "NOUN"},
)


def test_parts_of_speech_are_respected_and_the_others_take_the_score() -> None:
    assert named(text_graph("walk", pos=["NOUN"]), WALK)["walk"] == {"walk.n": 0.5, "any": 0.0}
    assert named(text_graph("walk", pos=["VERB"]), WALK)["walk"] == {"walk.v": 0.5, "any": 0.0}
    assert named(text_graph("run", pos=["PROPN"]), WALK)["run"] == {"run.n": 1.0}


def test_rules_for_parts_of_speech() -> None:
    run = text_graph("run", pos=["VERB"])
    assert named(run, WALK) == {}
    assert named(run, WALK, pos="prefer") == {"run": {"run.n": 1.0}}
    assert named(text_graph("in", pos=["ADP"]), WALK, pos="prefer") == {}
    assert named(text_graph("in", pos=["ADP"]), WALK, pos="ignore") == {"in": {"inch": 1.0}}


def test_function_words_name_no_noun_even_if_nobody_has_parsed() -> None:
    assert named(text_graph("walk in"), WALK) == {"walk": {"walk.n": 0.25, "walk.v": 0.25, "any": 0.0}}
    assert named(text_graph("a b"), graph_of({"a": {"letter": 1.0}})) == {"a": {"letter": 1.0}}


def test_a_mention_of_several_words_keeps_its_senses_though_its_head_is_of_another_kind() -> None:
    graph = graph_of({"take off": {"leave": 1.0}}, {"leave": "VERB"})
    assert "take off" in named(text_graph("take off", pos=["VERB", "ADP"]), graph)


def test_units_meet_however_they_were_cut() -> None:
    graph = graph_of({"24/7": {"always": 1.0}, "New_York": {"city": 1.0}, "café au lait": {"drink": 1.0}})
    assert list(named(text_graph("24/7 New York cafe\u0301 au lait".replace("e\u0301", "é")), graph)) == [
        "24 / 7",
        "New York",
        "café au lait",
    ]


@pytest.mark.parametrize("name", ["", " ", "_", "\n", "a\nb", "\x00", "\ud800", "\u0301", "狗", "İ", "ß"])
def test_odd_labels_do_no_harm(name: str) -> None:
    graph = graph_of({name: {"odd": 1.0}, "dog": {"dog": 1.0}})
    assert "dog" in named(text_graph("x \x00 dog İ 狗 \ud800"), graph)
    if name.strip() and name.isalnum():
        assert named(text_graph(f"the {name} here"), graph) == {name: {"odd": 1.0}}


def test_a_graph_without_labels() -> None:
    none = Labels(
        Vocab([]), np.zeros(1, np.int64), *(np.zeros(0, t) for t in (np.int32, np.float32, np.int32, np.int8))
    )
    assert len(LabelIndex(none).find(["dog"], [""], np.zeros(1, np.int64))) == 0


words = st.sampled_from(["a", "b", "c", "d"])


@settings(deadline=None)
@given(
    st.lists(st.lists(words, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=12, unique=True),
    st.lists(words, max_size=30),
)
def test_against_ahocorasick(names: list[str], text: list[str]) -> None:
    index = LabelIndex(graph_of({n: {n: 1.0} for n in names}).labels)
    got = index.find(text, [""] * len(text), np.zeros(len(text), np.int64))
    mark = [("", "<{}>".format("><".join(name.split()))) for name in sorted(names)]
    automaton = ahocorasick_rs.AhoCorasick([m for _, m in mark], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)
    line = "".join(f"<{word}>" for word in text)
    want = [(start // 3, end // 3 - 1, label) for label, start, end in automaton.find_matches_as_indexes(line)]
    assert [tuple(row[:3]) for row in got.tolist()] == want


def test_the_index_is_built_once_and_shared_by_spoilt_graphs() -> None:
    assert label_index(FOOD) is label_index(FOOD)
    assert label_index(perturb_graph(FOOD, "tails")) is label_index(FOOD)
    assert label_index(CASED) is not label_index(FOOD)


def test_a_link_starts_at_the_head_word() -> None:
    last = LinkGrounder()([text_graph("a hot dog")], FOOD)[0]
    assert last.edge_index[:, last.edge_type == EdgeType.LINK].tolist() == [[2], [3]]
    first = LinkGrounder()([text_graph("take off now", governor=[-1, 0, 0])], FOOD)[0]
    assert first.edge_index[:, first.edge_type == EdgeType.LINK].tolist() == [[0], [3]]


def test_a_link_starts_at_the_phrase_that_is_the_mention() -> None:
    graph = text_graph("a hot dog")
    phrase = LogicGraph(
        uid="e",
        node_type=np.array([0, 0, 0, NodeType.PHRASE, NodeType.PHRASE], np.int8),
        node_text=(*graph.node_text, "a hot dog", "hot dog"),
        node_lemma=("",) * 5,
        node_pos=np.full(5, -1, np.int8),
        node_span=np.vstack([graph.node_span, [[0, 0, 9], [0, 2, 9]]]).astype(np.int32),
        node_entity=np.full(5, -1, np.int32),
        node_score=np.ones(5, np.float32),
        node_polarity=np.zeros(5, np.int8),
        edge_index=graph.edge_index,
        edge_type=graph.edge_type,
        edge_relation=graph.edge_relation,
        edge_score=graph.edge_score,
    )
    linked = LinkGrounder()([phrase], FOOD)[0]
    assert linked.edge_index.tolist() == [[4], [5]]


def test_one_node_per_entity_one_edge_per_mention() -> None:
    graph = graph_of({"dog": {"dog": 0.75, "cad": 0.25}, "cad": {"cad": 1.0}})
    linked = LinkGrounder()([text_graph("dog cad dog")], graph)[0]
    assert [graph.entities[e] for e in linked.node_entity[3:].tolist()] == ["cad", "dog"]
    assert linked.node_score[3:].tolist() == [1.0, 0.75]
    edges = zip(*linked.edge_index.tolist(), linked.edge_score.tolist(), strict=True)
    assert set(edges) == {(0, 4, 0.75), (0, 3, 0.25), (1, 3, 1.0), (2, 4, 0.75), (2, 3, 0.25)}


def test_linking_again_adds_nothing() -> None:
    once = LinkGrounder()([text_graph("a hot dog")], FOOD)
    again = LinkGrounder()(once, FOOD)
    assert again[0].num_nodes == once[0].num_nodes
    assert again[0].num_edges == once[0].num_edges


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_senses = 0"):
        LinkGrounder(max_senses=0)
    with pytest.raises(ConfigError, match="pos = 'maybe'"):
        LinkGrounder(pos="maybe")


WORDNET_TEXT = text_graph(
    "A man ate two hot dogs in New York",
    lemma=["a", "man", "eat", "two", "hot", "dog", "in", "new", "york"],
    pos=["DET", "NOUN", "VERB", "NUM", "ADJ", "NOUN", "ADP", "PROPN", "PROPN"],
)


def test_wordnet_names_what_the_text_says() -> None:
    found = named(WORDNET_TEXT, open_graph("wordnet"), max_senses=3)
    assert list(found) == ["man", "ate", "two", "hot dogs", "New York"]
    assert next(iter(found["man"])) == "man.n.01"
    assert next(iter(found["ate"])) == "eat.v.01"
    assert set(found["hot dogs"]) == {"frank.n.02", "hotdog.n.01", "hotdog.n.02"}
    assert all(".n." in e for e in found["New York"])


def test_wordnet_labels_are_all_found_in_themselves() -> None:
    graph = open_graph("wordnet")
    names = [
        name for name in itertools.islice(graph.labels.names, 0, None, 97) if len(re.findall(r"\w+|[^\w\s]", name))
    ]
    found = link_spans([text_graph(name) for name in names], graph, max_senses=1000, pos="ignore")
    for name, mentions in zip(names, found, strict=True):
        assert len(mentions) == 1, name
        senses, _ = graph.labels.senses(name)
        assert set(senses.tolist()) <= set(mentions.entity.tolist()), name

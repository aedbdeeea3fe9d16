from dataclasses import replace

import numpy as np
import pytest
import torch

from kgreason.collate import COLLATORS, Collate, assemble
from kgreason.collate.tokens import Layout, Tokeniser, Tokens, keep_lengths, lay_out
from kgreason.data import ALIGN_RELATIONS, EdgeType, EditKind, Edits, Example, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError, DataError
from kgreason.tensors import GraphBatch

LABELS = ("entailment", "neutral", "contradiction")
SAME, ANTONYM = ALIGN_RELATIONS.id("same"), ALIGN_RELATIONS.id("antonym")


def nli(uid: str, premise: str, hypothesis: str, target: str | None = "neutral") -> Example:
    return Example(uid, (premise, hypothesis), ("premise", "hypothesis"), target)


def graph_of(example: Example) -> LogicGraph:
    """A WORD for every word, and nothing else."""
    spans = []
    for i, text in enumerate(example.texts):
        at = 0
        for word in text.split():
            at = text.index(word, at)
            spans.append((i, at, at + len(word)))
            at += len(word)
    n = len(spans)
    return LogicGraph(
        uid=example.uid,
        node_type=np.full(n, NodeType.WORD, np.int8),
        node_text=tuple(example.texts[i][s:e] for i, s, e in spans),
        node_lemma=("",) * n,
        node_pos=np.full(n, -1, np.int8),
        node_span=np.array(spans, np.int32).reshape(-1, 3),
        node_entity=np.full(n, -1, np.int32),
        node_score=np.ones(n, np.float32),
        node_polarity=np.zeros(n, np.int8),
        edge_index=np.zeros((2, 0), np.int32),
        edge_type=np.zeros(0, np.int8),
        edge_relation=np.zeros(0, np.int32),
        edge_score=np.zeros(0, np.float32),
    )


def edges(*ends: tuple[int, int]) -> np.ndarray:
    return np.array(ends, np.int32).reshape(-1, 2).T


@pytest.fixture(scope="module")
def collate() -> Collate:
    return Collate(num_relations={EdgeType.KNOWLEDGE: 5}, labels=LABELS)


@pytest.fixture
def aligned() -> tuple[Example, LogicGraph]:
    example = nli("cats", "an unbelievably hot cat", "a cold cat")
    graph = graph_of(example).with_edges(edges((3, 6), (2, 5)), EdgeType.ALIGN, np.array([SAME, ANTONYM], np.int32))
    return example, graph


def pieces(collate: Collate, batch: GraphBatch, tokens: torch.Tensor) -> str:
    return " ".join(collate.tokenise._tokenizer.id_to_token(i) for i in batch.input_ids.flatten()[tokens].tolist())


def test_a_pair_stands_in_one_sequence_between_special_tokens(
    collate: Collate, aligned: tuple[Example, LogicGraph]
) -> None:
    batch = collate([aligned[0]], [aligned[1]])
    words = pieces(collate, batch, torch.arange(batch.input_ids.shape[1]))
    assert words == "[CLS] an un ##bel ##ie ##va ##bly hot cat [SEP] a cold cat [SEP]"
    assert batch.token_text[0].tolist() == [-1, *[0] * 8, -1, 1, 1, 1, -1]
    assert batch.target is not None
    assert batch.target.tolist() == [[0], [1]]


def test_a_node_is_linked_to_every_piece_of_its_word(collate: Collate, aligned: tuple[Example, LogicGraph]) -> None:
    batch = collate([aligned[0]], [aligned[1]])
    node, token = batch.link_index
    assert pieces(collate, batch, token[node == 1]) == "un ##bel ##ie ##va ##bly"
    assert node.unique().tolist() == list(range(7))


def test_alignments_join_first_pieces_in_both_directions(collate: Collate, aligned: tuple[Example, LogicGraph]) -> None:
    batch = collate([aligned[0]], [aligned[1]])
    found = list(
        zip(*(pieces(collate, batch, end).split() for end in batch.pair_index), batch.pair_type.tolist(), strict=True)
    )
    inverse = len(ALIGN_RELATIONS)
    assert found == [
        ("cat", "cat", SAME),
        ("hot", "cold", ANTONYM),
        ("cat", "cat", SAME + inverse),
        ("cold", "hot", ANTONYM + inverse),
    ]


def test_relations_of_all_edge_types_share_one_vocabulary(collate: Collate) -> None:
    example = nli("e", "a b", "c")
    graph = graph_of(example)
    for kind in EdgeType:
        graph = graph.with_edges(edges((0, 1)), kind, np.zeros(1, np.int32))
    batch = collate([example], [graph])
    assert batch.edge_type.tolist() == collate.first_relation.tolist()
    assert batch.edge_kind.tolist() == list(EdgeType)
    assert batch.edge_type.max() < collate.num_relations


def test_a_batch_is_its_examples_laid_end_to_end(collate: Collate, aligned: tuple[Example, LogicGraph]) -> None:
    short = nli("short", "no", "yes", None)
    batch = collate([short, aligned[0]], [graph_of(short), aligned[1]])
    alone = collate([aligned[0]], [aligned[1]])
    width = alone.input_ids.shape[1]
    assert batch.input_ids.shape == (2, width)
    torch.testing.assert_close(batch.input_ids[1:], alone.input_ids)
    assert batch.token_mask.sum(1).tolist() == [5, width]
    mine = batch.link_index[:, batch.link_index[0] >= 2]
    torch.testing.assert_close(mine - torch.tensor([[2], [width]]), alone.link_index)
    torch.testing.assert_close(batch.pair_index - width, alone.pair_index)
    torch.testing.assert_close(batch.edge_index - 2, alone.edge_index)
    assert batch.node_graph.tolist() == [0, 0, *[1] * 7]
    assert batch.target is not None
    assert batch.target.tolist() == [[1], [1]]  # the short one has none


CHOICE = Example(
    "q", ("a dog barked", "who barked", "the dog", "a cat"), ("context", "question", "choice", "choice"), 0
)


def choice_graph() -> LogicGraph:
    """Entities: 9 on the question, 10 behind 9, 11 on the second choice, 12 on nothing."""
    graph = graph_of(CHOICE).with_entities(np.arange(4, dtype=np.int32), ("d", "e", "f", "g"))
    graph = graph.with_edges(edges((4, 9), (8, 11)), EdgeType.LINK, np.zeros(2, np.int32))
    return graph.with_edges(edges((10, 9), (0, 5)), EdgeType.KNOWLEDGE, np.zeros(2, np.int32))


def test_a_choice_is_a_row_with_its_own_texts_and_the_entities_they_reach(collate: Collate) -> None:
    batch = collate([CHOICE], [choice_graph()])
    assert batch.group.tolist() == [0, 0]
    assert batch.target is not None
    assert batch.target.tolist() == [[0], [0]]
    first, second = (batch.node_entity[batch.node_graph == row] for row in (0, 1))
    assert first.tolist() == [-1] * 7 + [0, 1]
    assert second.tolist() == [-1] * 7 + [0, 1, 2]
    assert batch.node_text[batch.node_graph == 1].tolist() == [0, 0, 0, 1, 1, 2, 2, -1, -1, -1]
    ends = batch.node_graph[batch.edge_index]
    torch.testing.assert_close(ends[0], ends[1])
    assert (batch.edge_kind == EdgeType.LINK).sum() == 3
    words = pieces(collate, batch, torch.arange(batch.input_ids.shape[1], batch.input_ids.numel()))
    assert words == "[CLS] a dog barked [SEP] who barked [SEP] a cat [SEP]"


def test_a_text_that_is_cut_leaves_its_later_nodes_without_tokens() -> None:
    collate = Collate(max_tokens=16, num_relations={}, labels=LABELS)
    example = nli("long", "one two three four five six seven eight nine ten eleven twelve", "a b")
    graph = graph_of(example).with_edges(edges((11, 12), (0, 13)), EdgeType.ALIGN, np.zeros(2, np.int32))
    batch = collate([example], [graph])
    assert batch.input_ids.shape[1] == 16
    linked = batch.link_index[0].unique().tolist()
    assert linked == [*range(11), 12, 13]  # 13 tokens of text: eleven words, and the whole hypothesis
    assert batch.pair_index.shape == (2, 2)  # the alignment of the word that was cut is gone, the other is there twice
    assert batch.edge_index.shape == (2, 2)


def test_entity_answers_are_ids_of_the_graph_none_of_them_or_not_in_it() -> None:
    ids = {"Kismet": [7], "John": [3, 5]}
    collate = Collate(num_relations={}, entity_ids=lambda name: ids.get(name, []))
    targets = [{"John", "Kismet"}, set(), {"Kismet", "Nowhere", "Nobody"}]
    questions = [Example(str(i), ("who",), ("question",), frozenset(t)) for i, t in enumerate(targets)]
    unknown = Example("u", ("who",), ("question",))
    batch = collate([*questions, unknown], [graph_of(q) for q in [*questions, unknown]])
    assert batch.target is not None
    assert batch.target.tolist() == [[0, 0, 0, 1, 2, 2, 2], [3, 5, 7, -1, 7, -2, -2]]
    with pytest.raises(DataError, match="built without a knowledge graph"):
        Collate(num_relations={})([questions[0]], [graph_of(questions[0])])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "\ud800 lone \udc00",
        "word " * 10_000,
        "日本語のテキスト",
        "עברית",
        "🏳️‍🌈 e\u0301",
        "a\u200bb\ufeff",
    ],
    ids=["empty", "blank", "nul", "surrogates", "10,000 words", "Japanese", "Hebrew", "emoji", "invisible"],
)
def test_any_text_will_do(collate: Collate, text: str) -> None:
    example = nli("odd", text, text)
    batch = collate([example], [graph_of(example)])
    assert 3 <= batch.input_ids.shape[1] <= 128
    assert batch.token_text.flatten()[batch.link_index[1]].tolist() == batch.node_text[batch.link_index[0]].tolist()


def test_a_span_is_counted_in_characters_also_beyond_the_basic_plane(collate: Collate) -> None:
    example = nli("e", "\ud800 𝒳𝒴 dog", "x")
    batch = collate([example], [graph_of(example)])
    assert pieces(collate, batch, batch.link_index[1][batch.link_index[0] == 2]) == "dog"


def test_an_unknown_label_names_itself_the_example_and_the_known_ones(collate: Collate) -> None:
    example = nli("pair-7", "a", "b", "entails")
    with pytest.raises(DataError, match=r"'pair-7' has the label 'entails'.*entailment, neutral, contradiction"):
        collate([example], [graph_of(example)])


def test_a_choice_that_is_not_there(collate: Collate) -> None:
    example = Example("q", ("who", "me"), ("question", "choice"), 3)
    with pytest.raises(DataError, match="right choice is 3, but it has 1 choices"):
        collate([example], [graph_of(example)])


def test_a_relation_of_another_graph(collate: Collate) -> None:
    example = nli("e", "a", "b")
    graph = graph_of(example).with_edges(edges((0, 1)), EdgeType.KNOWLEDGE, np.array([5], np.int32))
    with pytest.raises(DataError, match=r"KNOWLEDGE relation 5, but the collator was given 5"):
        collate([example], [graph])


def test_a_graph_of_another_example(collate: Collate) -> None:
    with pytest.raises(DataError, match="stands in text 2, but there are 2 texts"):
        collate([nli("e", "a", "b")], [graph_of(CHOICE)])


def test_as_many_graphs_as_examples(collate: Collate) -> None:
    with pytest.raises(DataError, match="1 examples and 0 graphs"):
        collate([nli("e", "a", "b")], [])
    with pytest.raises(DataError, match="at least one example"):
        collate([], [])


def test_too_short_a_row() -> None:
    with pytest.raises(ConfigError, match="max_tokens = 4 leaves no room"):
        COLLATORS.build({"name": "default", "max_tokens": 4}, num_relations={})


def test_the_longest_text_is_cut_first() -> None:
    assert keep_lengths([100, 10, 30], 60) == [25, 10, 25]
    assert keep_lengths([1, 2], 60) == [1, 2]
    assert sum(keep_lengths([50, 50, 50], 100)) == 100


def test_a_layout_with_two_separators() -> None:
    def text(ids: list[int]) -> Tokens:
        start = np.arange(len(ids), dtype=np.int32)
        return Tokens(np.array(ids, np.int32), start, start + 1)

    row = lay_out([text([7, 8]), text([9]), text([5])], Layout((0,), (2, 2), (2,)), 20)
    assert row.ids.tolist() == [0, 7, 8, 2, 2, 9, 2, 2, 5, 2]
    assert row.text.tolist() == [-1, 0, 0, -1, -1, 1, -1, -1, 2, -1]


def test_the_layout_is_read_off_the_tokenizer() -> None:
    assert Tokeniser("minilm").layout == Layout((101,), (102,), (102,))


def test_prepared_examples_know_their_place_in_the_data_set(collate: Collate) -> None:
    example = nli("e", "a", "b")
    batch = assemble(collate.prepare([example], [graph_of(example)]), [41])
    assert batch.example.tolist() == [41]


def test_a_toy_knowledge_graph_goes_through_the_room(collate: Collate) -> None:
    knowledge = KnowledgeGraph.from_triples([("dog", "is_a", "animal")])
    sizes = {EdgeType.KNOWLEDGE: len(knowledge.relations)}
    assert Collate(num_relations=sizes).num_relations == collate.num_relations - 4


def test_edits_keep_their_nodes_through_rows_and_batches(collate: Collate) -> None:
    example = nli("e", "A dog runs", "An animal moves")
    graph = graph_of(example)
    edits = Edits(
        kind=np.array([EditKind.SUBSTITUTE, EditKind.INSERT], np.int8),
        nodes=np.array([[1, -1], [4, 5]], np.int32),
        relation=np.eye(7, 2, dtype=np.float32),
        polarity=np.array([[0, 1], [2, 3]], np.int8),
        reason=("dog → animal", "moves"),
    )
    plain = nli("f", "Cats", "Dogs sleep")
    batch = collate([plain, example, example], [graph_of(plain), *[replace(graph, edits=edits)] * 2])
    assert batch.edit_graph.tolist() == [1, 1, 2, 2]
    assert batch.edit_nodes.tolist() == [[4, -1, 10, -1], [7, 8, 13, 14]]
    assert batch.edit_relation.tolist() == np.eye(7, 2).T.tolist() * 2
    assert batch.edit_polarity.tolist() == [[0, 1, 0, 1], [2, 3, 2, 3]]

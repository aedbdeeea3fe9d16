"""The biaffine head, the states it reads, and the file it comes from."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kgreason.data import Example, Vocab
from kgreason.errors import ConfigError, StoreError
from kgreason.parse import DependencyParser
from kgreason.parse.biaffine import BiaffineHead, Sizes, spell
from kgreason.parse.conllu import read, write
from kgreason.parse.fit import Plan, Treebank, evaluate, train
from kgreason.parse.lemma import Lemmatiser
from kgreason.parse.neural import save_parser
from kgreason.parse.sentence import Sentence, is_tree
from kgreason.parse.states import MAX_PIECES, WordStates

SMALL = Sizes(layers=2, dim=6, reduced=5, hidden=4, arc=3, label=3, labels=38, upos=17, xpos=3)


@pytest.fixture(scope="module")
def parser() -> DependencyParser:
    return DependencyParser(precision="float32")


def head_and_input(lengths: list[int]) -> tuple[BiaffineHead, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    head = BiaffineHead(SMALL).eval()
    for value in (head.arc, head.label):
        torch.nn.init.normal_(value)
    words = [[f"w{i}" for i in range(n)] for n in lengths]
    size = max(lengths) + 1
    mask = torch.arange(size) < torch.tensor(lengths)[:, None] + 1
    return head, (torch.randn(len(lengths), size, 6) * mask[..., None], spell(words), mask)


def test_the_head_computes_its_equations() -> None:
    head, (states, spelled, mask) = head_and_input([4, 2])
    with torch.no_grad():
        parse = head(states, spelled, mask)
        governor = torch.tensor([[0, 0, 1, 2, 2], [0, 2, 0, 0, 0]])
        relations = head.relations(parse, governor)
        for b, n in ((0, 5), (1, 3)):
            x = torch.cat(
                [head.reduce(states[b, :n]), *(e(spelled[b, :n, i]) for i, e in enumerate(head.spelling))], -1
            )
            for there, back in ((head.lstm[0], head.lstm[1]), (head.lstm[2], head.lstm[3])):
                x = torch.cat([there(x)[0], back(x.flip(0))[0].flip(0)], -1)
            d, g, target, source = (torch.relu(face(x)) for face in head.faces)
            one = torch.ones(n, 1)
            scores = torch.cat([d, one], -1) @ head.arc @ g.T
            torch.testing.assert_close(parse.arc[b, :n, :n], torch.log_softmax(scores, -1))
            for w in range(n):
                left = torch.cat([target[w], torch.ones(1)])
                right = torch.cat([source[governor[b, w]], torch.ones(1)])
                want = torch.stack([left @ table @ right for table in head.label])
                torch.testing.assert_close(relations[b, w], want)


def test_padding_changes_nothing() -> None:
    head, (states, spelled, mask) = head_and_input([6, 3])
    with torch.no_grad():
        both = head(states, spelled, mask)
        alone = head(states[1:, :4], spelled[1:, :4], mask[1:, :4])
    torch.testing.assert_close(both.arc[1, :4, :4], alone.arc[0])
    torch.testing.assert_close(both.upos[1, :4], alone.upos[0])
    assert (both.arc[1, :4, 4:].exp() == 0).all()


def test_a_word_is_the_mean_of_its_pieces(parser: DependencyParser) -> None:
    states = parser.neural.states
    words = ["unbelievably", "so"]
    pieces = states.pieces(words)
    assert len(pieces[0]) > 1
    with torch.no_grad():
        found = states([words, ["a"]])
        ids = torch.tensor([[states._first, *pieces[0], *pieces[1], states._last]])
        layers = states.lm(input_ids=ids, output_hidden_states=True).hidden_states[: states.layers]
        mix = torch.linspace(0, 1, states.layers)
        mixed = states.mixed([words, ["a"]], mix)
    n = len(pieces[0])
    for i, layer in enumerate(layers):
        want = torch.stack([layer[0, 0], layer[0, 1 : n + 1].mean(0), layer[0, n + 1]])
        torch.testing.assert_close(found[0, :, i], want, atol=1e-5, rtol=1e-4)
    assert (found[1, 2] == 0).all()
    torch.testing.assert_close(mixed, torch.einsum("bwld,l->bwd", found, mix), atol=1e-5, rtol=1e-4)


def test_every_sentence_is_one_tree(parser: DependencyParser) -> None:
    text = "Dogs bark. " * 3 + "buffalo " * 50 + "!? the of and. " + "\U0001f600 " * 20
    for sentence in parser.parse_texts([text])[text]:
        assert is_tree(sentence.governors)
        roots = [r for g, r in zip(sentence.governors, sentence.relations, strict=True) if g == 0]
        assert roots == ["root"]
        assert sentence.relations.count("root") == 1
        assert "next" not in sentence.relations


def test_ten_thousand_words_are_parsed_in_pieces(parser: DependencyParser) -> None:
    text = "unquestionably " * 5000 + "word, " * 2500
    sentences = parser.parse_texts([text])[text]
    assert sum(map(len, sentences)) == 10_000
    states = parser.neural.states
    assert all(sum(map(len, states.pieces(s.words))) <= MAX_PIECES for s in sentences)
    assert all(is_tree(s.governors) for s in sentences)


def test_a_simple_sentence(parser: DependencyParser) -> None:
    (s,) = parser.parse_texts(["Two dogs weren't chasing the cat."])["Two dogs weren't chasing the cat."]
    assert s.words == ("Two", "dogs", "were", "n't", "chasing", "the", "cat", ".")
    assert s.lemmas == ("two", "dog", "be", "not", "chase", "the", "cat", ".")
    assert s.governors == (2, 5, 5, 5, 0, 7, 5, 5)
    assert s.relations == ("nummod", "nsubj", "aux", "advmod", "root", "det", "obj", "punct")


def test_a_parse_survives_its_file(parser: DependencyParser, tmp_path: Path) -> None:
    text = 'He said "no" (twice), didn\'t he?  Yes - he\tdid.'
    sentences = parser.parse_texts([text])[text]
    file = tmp_path / "a.conllu"
    with file.open("w", encoding="utf-8") as out:
        write([(text, s) for s in sentences], out)
    for entry, s in zip(read(file), sentences, strict=True):
        back = entry.sentence
        assert (back.words, back.lemmas, back.governors, back.relations) == (
            s.words,
            s.lemmas,
            s.governors,
            s.relations,
        )


def test_parses_are_remembered(parser: DependencyParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path))
    cached = DependencyParser(cache="disk", precision="float32")
    examples = [Example("a", ("Dogs bark. \ud800", ""), ("premise", "hypothesis"))]
    (first,) = cached(examples)

    def forbidden(_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(cached, "_parse", lambda texts: forbidden(texts) if texts else {})
    (second,) = cached(examples)
    (fresh,) = parser(examples)
    for graph in (second, fresh):
        assert graph.node_text == first.node_text
        np.testing.assert_array_equal(graph.node_span, first.node_span)
        np.testing.assert_array_equal(graph.edge_relation, first.edge_relation)
    assert cached.memory is not None
    cached.memory.file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="Delete it"):
        cached(examples)


def test_a_damaged_parser_file_is_refused(tmp_path: Path) -> None:
    head = BiaffineHead(SMALL)
    file = tmp_path / "p.safetensors"
    with pytest.raises(StoreError, match="is missing"):
        DependencyParser(str(file))
    save_parser(file, head, Vocab(["A", "B", "C"]), Lemmatiser({}, {}), {"model": "minilm"})
    with pytest.raises(StoreError, match="states of width 6, but 'minilm' is 384 wide"):
        DependencyParser(str(file))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StoreError, match="cannot be read"):
        DependencyParser(str(file))
    assert [path.name for path in tmp_path.iterdir()] == ["p.safetensors"]


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="device = 'warp'"):
        DependencyParser(device="warp")


def test_training_learns_and_its_seed_decides(tmp_path: Path) -> None:
    """A toy language: every word is governed by the word before it. The states are noise; the order is all."""
    rng = np.random.default_rng(0)
    sentences = []
    for n in rng.integers(2, 7, 24).tolist():
        blank = ("",) * n
        words = tuple(f"w{i}" for i in range(n))
        relations = ("root", *["dep"] * (n - 1))
        sentences.append(
            Sentence(words, np.zeros((n, 2), np.int32), blank, ("NOUN",) * n, ("A",) * n, tuple(range(n)), relations)
        )
    start = np.cumsum([0, *(len(s) + 1 for s in sentences)])
    bank = Treebank(sentences, rng.normal(size=(start[-1], 1, 4)).astype(np.float16), start[:-1].tolist())
    said: list[str] = []
    plan = Plan(epochs=40, rate=2e-2, words_per_batch=60, average=0.8, word_dropout=0.0)
    sizes = Sizes(reduced=8, hidden=24, arc=24, label=12)
    scores = evaluate(train(bank, bank, Vocab(["A"]), plan, said.append, sizes), bank, Vocab(["A"]))
    assert scores["LAS"] > 0.6, said  # 0.24 of it untrained
    assert scores["UPOS"] == 1.0
    heads = [train(bank, bank, Vocab(["A"]), replace(plan, epochs=2), said.append, sizes) for _ in range(2)]
    for a, b in zip(heads[0].parameters(), heads[1].parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_shipped_file_says_what_it_is(parser: DependencyParser) -> None:
    about = parser.neural.about
    assert about["model"] == "minilm"
    assert json.loads(about["sizes"])["dim"] == 384
    assert "Plan(" in about["plan"]


def test_states_of_a_missing_model() -> None:
    with pytest.raises(ConfigError, match="could not be loaded"):
        WordStates("/nowhere/at/all", 3)

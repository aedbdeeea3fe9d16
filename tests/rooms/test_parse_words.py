"""Words, sentences and lemmas."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.parse.dependency import SHIPPED
from kgreason.parse.sentence import Sentence, clean, is_tree
from kgreason.parse.split import LONGEST_SENTENCE, split
from kgreason.parse.tokenise import LONGEST_CHUNK, Tokeniser


def words(text: str) -> list[str]:
    return [text[a:b] for a, b in Tokeniser()(text)]


def sentences(text: str) -> list[str]:
    spans = Tokeniser()(text)
    return [text[spans[a][0] : spans[b - 1][1]] for a, b in split(text, spans)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't think he's in.", "I do n't think he 's in ."),
        ("I DON’T, we’ll see", "I DO N’T , we ’ll see"),
        ("You cannot and I'm gonna", "You can not and I 'm gon na"),
        ("dont wont", "do nt wo nt"),
        ("O'Brien's dogs' bowls", "O'Brien 's dogs ' bowls"),
        ("a well-known e-mail of post-war date", "a well - known e-mail of post-war date"),
        ("$5m, 10% at 10:30pm", "$ 5 m , 10 % at 10:30 pm"),
        ("Mr. Smith of the U.S. paid 1,000.50", "Mr. Smith of the U.S. paid 1,000.50"),
        ("To jane.doe@example.org, www.example.org/a?b=1.", "To jane.doe@example.org , www.example.org/a?b=1 ."),
        ("call 555-123-4567 and/or wait...", "call 555-123-4567 and / or wait ..."),
        ("nice :) really?! -- yes", "nice :) really ?! -- yes"),
        ("the 1980s and the 2nd of 12/21/2000", "the 1980s and the 2nd of 12/21/2000"),
        ("", ""),
        (" \t\n ", ""),
        ("👩‍🚀 नमस्ते दुनिया", "👩‍🚀 नमस्ते दुनिया"),
    ],
)
def test_words(text: str, expected: str) -> None:
    assert words(text) == expected.split()


@given(st.text(max_size=80))
def test_words_cover_all_but_white_space_in_order(text: str) -> None:
    spans = Tokeniser()(text)
    assert all(a < b for a, b in spans)
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(spans))
    assert "".join(text[a:b] for a, b in spans) == "".join(text.split())


def test_a_chunk_without_white_space_is_cut() -> None:
    assert max(map(len, words("a" * 50_000))) <= LONGEST_CHUNK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. We stayed in.", ["It rained.", "We stayed in."]),
        ('He said "Go!" Then he left.', ['He said "Go!"', "Then he left."]),
        ("Mr. Smith came. He left.", ["Mr. Smith came.", "He left."]),
        ("Bring pens, paper, etc. The test is long.", ["Bring pens, paper, etc.", "The test is long."]),
        ("We met at 3.5 miles... and went on", ["We met at 3.5 miles... and went on"]),
        ("A title\n\nand a text", ["A title", "and a text"]),
        ("one line\nand its rest", ["one line\nand its rest"]),
        ("so nice :) Will come again", ["so nice :)", "Will come again"]),
        ("你好。再见。", ["你好。", "再见。"]),
        ("A man is asleep", ["A man is asleep"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    if text.startswith("你"):  # scripts without spaces stay whole between marks
        assert "".join(sentences(text)) == text
    else:
        assert sentences(text) == expected


@given(st.text(alphabet="aA.!?\"') \n1,", max_size=120))
def test_sentences_share_out_the_words(text: str) -> None:
    spans = Tokeniser()(text)
    parts = split(text, spans)
    assert [i for a, b in parts for i in range(a, b)] == list(range(len(spans)))
    assert all(a < b for a, b in parts)


def test_a_sentence_without_end_is_cut_at_a_comma() -> None:
    text = ("word " * 99 + "word, ") * 30
    spans = Tokeniser()(text)
    parts = split(text, spans)
    assert max(b - a for a, b in parts) <= LONGEST_SENTENCE
    assert all(text[slice(*spans[b - 1])] == "," for _, b in parts[:-1])


@pytest.mark.parametrize(
    ("word", "upos", "xpos", "lemma"),
    [
        ("dogs", "NOUN", "NNS", "dog"),
        ("Women", "NOUN", "NNS", "woman"),
        ("children", "NOUN", "NNS", "child"),
        ("boxes", "NOUN", "NNS", "box"),
        ("houses", "NOUN", "NNS", "house"),
        ("ladies", "NOUN", "NNS", "lady"),
        ("glass", "NOUN", "NN", "glass"),
        ("sleeping", "VERB", "VBG", "sleep"),
        ("riding", "VERB", "VBG", "ride"),
        ("running", "VERB", "VBG", "run"),
        ("hopped", "VERB", "VBD", "hop"),
        ("hoped", "VERB", "VBD", "hope"),
        ("was", "AUX", "VBD", "be"),
        ("n't", "PART", "RB", "not"),
        ("ca", "AUX", "MD", "can"),
        ("’ve", "AUX", "VBP", "have"),
        ("me", "PRON", "PRP", "i"),
        ("better", "ADJ", "JJR", "good"),
        ("happiest", "ADJ", "JJS", "happy"),
        ("5,000", "NUM", "CD", "5000"),
        ("blicketing", "VERB", "VBG", "blicket"),
        ("dogs", "NOUN", "", "dog"),
        ("running", "VERB", "", "run"),
        ("bus", "NOUN", "", "bus"),
    ],
)
def test_lemmas(word: str, upos: str, xpos: str, lemma: str) -> None:
    assert shipped_lemmatiser()(word, upos, xpos) == lemma


def test_a_truncated_lemma_table_is_refused() -> None:
    from kgreason.errors import StoreError
    from kgreason.parse.lemma import Lemmatiser, dump, load

    data = dump(Lemmatiser({"VBD\tran": "run"}, {"verb": frozenset({"run"})}))
    assert load(data, "x").exact == {"VBD\tran": "run"}
    with pytest.raises(StoreError, match="is not a lemma table"):
        load(data[:-9], "x")


def shipped_lemmatiser():  # type: ignore[no-untyped-def]
    from safetensors.numpy import load_file

    from kgreason.parse.lemma import load

    return load(load_file(SHIPPED)["lemmas"].tobytes(), "the shipped parser")


@given(st.lists(st.integers(0, 6), min_size=1, max_size=6))
def test_a_tree_is_known_by_walking_up(governors: list[int]) -> None:
    governors = [g % (len(governors) + 1) for g in governors]

    def reaches_root(w: int) -> bool:
        for _ in governors:
            w = governors[w - 1]
            if w == 0:
                return True
        return False

    expected = governors.count(0) == 1 and all(reaches_root(w) for w in range(1, len(governors) + 1))
    assert is_tree(governors) == expected


@given(st.text(st.characters(codec=None), max_size=30))
def test_clean_text_has_the_same_length_and_a_utf8_form(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert "\0" not in cleaned.encode("utf-8").decode()


def test_a_sentence_checks_its_columns() -> None:
    from kgreason.errors import DataError

    with pytest.raises(DataError, match="2 words has 1 lemmas"):
        Sentence(("a", "b"), np.zeros((2, 2), np.int32), ("a",), ("", ""), ("", ""), (0, 1), ("root", "dep"))
    with pytest.raises(DataError, match="governed by word 3"):
        Sentence(("a",), np.zeros((1, 2), np.int32), ("a",), ("",), ("",), (3,), ("dep",))

"""Examples from fields, labels that do not exist, and splits that share nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import Example
from kgreason.errors import ConfigError, DataError
from kgreason.tasks import ChoiceTask, NliTask, Split
from kgreason.tasks.split import hold_out, without_copies
from kgreason.tasks.text import clean, same_words

NLI, CHOICE = NliTask(), ChoiceTask()


def pair(premise: str, hypothesis: str = "h", uid: str = "") -> Example:
    return Example(uid or premise + hypothesis, (premise, hypothesis), ("premise", "hypothesis"), "neutral")


def test_a_pair_becomes_an_example() -> None:
    example = NLI.example("7", {"premise": " A man . ", "hypothesis": "A person.", "label": "entailment"})
    assert example == Example("7", ("A man .", "A person."), ("premise", "hypothesis"), "entailment")
    assert NLI.gold(example) == 0
    assert NLI.example("8", {"premise": "a", "hypothesis": "b"}).target is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"premise": "a"}, "'hypothesis' is missing; got premise"),
        ({"premise": "", "hypothesis": "b"}, "the premise is empty"),
        ({"premise": "  \x00 ", "hypothesis": "b"}, "the premise is empty"),
        ({"premise": 3, "hypothesis": "b"}, "the premise is a int"),
        ({"premise": "a", "hypothesis": "b", "label": "contradicton"}, "Did you mean 'contradiction'"),
        ({"premise": "a", "hypothesis": "b", "label": 1}, "no label '1'"),
        ({"premise": "a", "hypothesis": "b", "label": ["x"]}, "no label"),
    ],
)
def test_a_bad_pair_is_told_apart(fields: Mapping[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        NLI.example("1", fields)


@pytest.mark.parametrize(
    ("choices", "answer", "want"),
    [
        (["bank", "mall"], "B", 1),
        (["bank", "mall"], "mall", 1),
        (["bank", "mall"], 0, 0),
        ([{"label": "X", "text": "bank"}, {"label": "Y", "text": "mall"}], "Y", 1),
        (["bank", "mall"], None, None),
    ],
)
def test_a_question_becomes_an_example(choices: list[Any], answer: Any, want: int | None) -> None:
    example = CHOICE.example("q", {"question": "Where?", "choices": choices, "answer": answer})
    assert example.texts == ("Where?", "bank", "mall")
    assert example.roles == ("question", "choice", "choice")
    assert example.target == want
    assert CHOICE.answers(example) == ("bank", "mall")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"question": "q"}, "'choices' is missing"),
        ({"question": "q", "choices": ["a"]}, "two or more"),
        ({"question": "q", "choices": "ab"}, "two or more"),
        ({"question": "q", "choices": ["a", ""]}, "a choice is empty"),
        ({"question": "q", "choices": ["a", {"txt": "b"}]}, "a choice is a dict"),
        ({"question": "q", "choices": ["a", "b"], "answer": "C"}, "none of the choices"),
        ({"question": "q", "choices": ["a", "b"], "answer": 2}, "none of the choices"),
        ({"question": "q", "choices": ["a", "b"], "answer": True}, "none of the choices"),
    ],
)
def test_a_bad_question_is_told_apart(fields: Mapping[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        CHOICE.example("1", fields)


def test_thirty_choices_have_no_letters_and_still_work() -> None:
    fields = {"question": "q", "choices": [f"c{i}" for i in range(30)], "answer": "c28"}
    assert CHOICE.example("1", fields).target == 28


@given(st.text())
def test_cleaning_keeps_offsets_and_what_comes_out_can_be_written(text: str) -> None:
    dirty = f"a{text}\ud800\x00b"
    safe = clean(dirty, "it")
    assert len(safe) == len(dirty)
    assert "\x00" not in safe
    safe.encode("utf-8")


def test_words_are_the_same_without_case_blanks_and_punctuation() -> None:
    assert same_words("Two women , embracing .") == same_words("two women embracing")
    assert same_words("a b") != same_words("a c")


def test_what_is_held_out_shares_no_premise_and_does_not_depend_on_order_or_company() -> None:
    examples = tuple(pair(f"premise {i // 3}", f"h{i}") for i in range(3000))
    train, held = hold_out(Split("s", examples), 0.1)
    assert len(train) + len(held) == 3000
    assert 200 < len(held) < 400
    assert not {e.texts[0] for e in train.examples} & {e.texts[0] for e in held.examples}
    _, fewer = hold_out(Split("s", examples[::-2]), 0.1)
    assert {e.uid for e in fewer.examples} == {e.uid for e in held.examples} & {e.uid for e in examples[::-2]}


def test_a_sample_is_always_the_same() -> None:
    split = Split("s", tuple(pair(f"p{i}") for i in range(100)))
    drawn = split.sample(10)
    assert len(drawn) == 10
    assert drawn.examples == split.sample(10).examples
    assert split.sample(0) is split
    assert [e.uid for e in split.sample(99).examples] == [
        e.uid for e in split.examples if e.uid in {x.uid for x in split.sample(99).examples}
    ]


def test_copies_are_left_out_whatever_their_dress() -> None:
    split = Split("s", (pair("A man sleeps.", "A man rests ."), pair("A man sleeps.", "He runs.")))
    left = without_copies(split, [pair("a man sleeps", "a man rests!")])
    assert [e.texts[1] for e in left.examples] == ["He runs."]


def test_no_test_pair_is_ever_trained_on(world: Path) -> None:
    (world / "leak.jsonl").write_text((world / "train.jsonl").read_text() + (world / "test.jsonl").read_text())
    splits = NliTask(train=["leak.jsonl"], test={"test": "test.jsonl"}, dev=0.2).splits()
    assert len(splits.train) + len(splits.dev) == 48
    own = NliTask(train=["leak.jsonl"], test={}, dev=["test.jsonl"]).splits()
    assert (len(own.train), len(own.dev)) == (48, 12)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (NliTask(), "train is empty"),
        (NliTask(train=["train.jsonl"], dev=1.5), "dev = 1.5"),
        (NliTask(train=["test.jsonl"], test={"t": "test.jsonl"}), "train holds no examples"),
    ],
)
def test_splits_that_make_no_sense_are_named(world: Path, task: NliTask, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        task.splits()


def test_labels_must_be_two_or_more() -> None:
    with pytest.raises(ConfigError, match="two or more distinct"):
        NliTask(labels=["yes", "yes"])


def test_snli_small_is_what_its_page_says(data: Path) -> None:
    task = NliTask(train=["snli:dev", "cad:train"], test={"snli": "snli:test", "breaking": "breaking_nli:test"})
    splits = task.splits()
    assert len(splits.train) + len(splits.dev) == 9842 + 8330
    assert (len(splits.test["snli"]), len(splits.test["breaking"])) == (9824, 8193)
    premises = {same_words(e.texts[0]) for e in splits.train.examples}
    assert not premises & {same_words(e.texts[0]) for e in splits.dev.examples}
    pairs = {tuple(map(same_words, e.texts)) for e in splits.train.examples}
    for test in splits.test.values():
        assert not pairs & {tuple(map(same_words, e.texts)) for e in test.examples}

"""Controls on the side of the text."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import Example
from kgreason.errors import ConfigError
from kgreason.tasks import Split, Splits, Spoil
from kgreason.tasks.stories import shuffle_names, shuffle_sentences


def question(uid: str, text: str, seed: str, answer: str) -> Example:
    start = text.index(seed)
    return Example(uid, (text,), ("question",), frozenset({answer}), (seed,), ((0, start, start + len(seed)),))


ASKED = (
    question("1", "who wrote Dune ?", "Dune", "Herbert"),
    question("2", "when was Blade Runner released", "Blade Runner", "1982"),
    question("3", "Solaris was written by whom", "Solaris", "Lem"),
)


def spoilt(how: str | dict[str, object], examples: tuple[Example, ...] = ASKED) -> Splits:
    split = Split("own", examples)
    return Spoil.of(how)(Splits(split, split, {"test": split}))


def mention(example: Example) -> str:
    text, start, end = example.mentions[0]
    return example.texts[text][start:end]


def test_a_question_in_the_words_of_another_is_about_its_own_seed() -> None:
    for own, other in zip(ASKED, spoilt("swap_questions").test["test"].examples, strict=True):
        assert mention(other) == mention(own)
        assert (other.target, other.seeds) == (own.target, own.seeds)
        frame = other.texts[0].replace(mention(own), "…")
        assert frame in {e.texts[0].replace(mention(e), "…") for e in ASKED if e is not own}


def test_a_question_about_the_seed_of_another_keeps_its_words_and_its_answer() -> None:
    for own, other in zip(ASKED, spoilt("swap_seeds").train.examples, strict=True):
        assert other.seeds != own.seeds
        assert mention(other) == other.seeds[0]
        assert other.target == own.target
        assert other.texts[0].replace(mention(other), "…") == own.texts[0].replace(mention(own), "…")


def test_without_a_question_only_what_it_is_about_is_left() -> None:
    assert [e.texts[0] for e in spoilt("no_question").dev.examples] == ["Dune .", "Blade Runner .", "Solaris ."]


@given(st.integers(0, 2**31))
def test_shuffled_words_are_the_same_words_and_mentions_stay_whole(seed: int) -> None:
    for own, other in zip(ASKED, spoilt({"how": "shuffle_words", "seed": seed}).test["test"].examples, strict=True):
        assert sorted(other.texts[0].split()) == sorted(own.texts[0].split())
        assert mention(other) == mention(own)


def test_one_text_alone() -> None:
    pair = Example("p", ("a man sleeps", "a man is awake"), ("premise", "hypothesis"), "contradiction")
    assert spoilt("hypothesis_only", (pair,)).test["test"].examples[0].texts == (".", "a man is awake")
    assert spoilt("premise_only", (pair,)).test["test"].examples[0].texts == ("a man sleeps", ".")


def test_labels_are_spoilt_in_train_alone() -> None:
    shuffled = spoilt("shuffle_labels")
    assert shuffled.test["test"].examples == shuffled.dev.examples == ASKED
    assert {e.target for e in shuffled.train.examples} == {e.target for e in ASKED}
    assert all(new.target != old.target for new, old in zip(shuffled.train.examples, ASKED, strict=True))
    fewer = spoilt({"how": "fewer", "share": 0.4})
    assert len(fewer.train.examples) == 1
    assert len(fewer.dev.examples) == 3


def test_what_is_not_known_is_refused() -> None:
    for given_, said in (
        ("upside_down", "choices_only, fewer"),
        ({"share": 0.5}, "says not how"),
        ({"howe": 1}, "has no"),
    ):
        with pytest.raises(ConfigError, match=said):
            spoilt(given_)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="above 0"):
        spoilt({"how": "fewer", "share": 0.0})


STORY = Example(
    "s",
    ("Ann's son is Bo. Bo's aunt is Cy! Then 3 left.", "Who is Cy to Ann?"),
    ("context", "question"),
    "sister",
    ("Ann", "Bo", "Bo", "Cy", "Cy", "Ann"),
    ((0, 0, 3), (0, 13, 15), (0, 17, 19), (0, 30, 32), (1, 7, 9), (1, 13, 16)),
)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("change", [shuffle_sentences, shuffle_names])
def test_people_of_a_story_stand_where_they_are_said_to(change: Callable[..., Example], seed: int) -> None:
    told = change(STORY, np.random.default_rng(seed))
    assert [told.texts[t][a:b] for t, a, b in told.mentions] == list(told.seeds)
    assert sorted(told.seeds) == sorted(STORY.seeds)
    assert told.seeds[-2:] == ("Cy", "Ann")
    assert told.texts[1] == STORY.texts[1]
    if change is shuffle_sentences:
        assert {s for s in ("Ann's son is Bo.", "Bo's aunt is Cy!", "Then 3 left.") if s in told.texts[0]} == {
            "Ann's son is Bo.",
            "Bo's aunt is Cy!",
            "Then 3 left.",
        }

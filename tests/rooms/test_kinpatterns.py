"""Stories from patterns of our own: what they say, and what they state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.ground.kinpatterns import _pattern, _read, _Telling, made_up
from kgreason.ground.kinwords import INVERSE, NAMES, RELATIONS, Kin, kin_of
from kgreason.ground.tales import Right, Tale

ORDER = list(RELATIONS)


def tell(line: str, seed: int) -> tuple[Tale, Right]:
    return _Telling(np.random.default_rng(seed), _pattern(line), _read()[1]).story()


def said(right: Right) -> dict[tuple[int, int], str]:
    return {pair: ORDER[relations[0] - 1] for pair, relations in right.items()}


def test_a_slot_states_what_it_says() -> None:
    for seed in range(40):
        tale, right = tell("[A] hugged {his A} {A:B} [B].", seed)
        kin = kin_of(tale.words, tale.words, "NOUN", 3)
        assert kin is not None
        stated = RELATIONS[said(right)[0, 1]]
        assert kin in (stated, Kin(stated.kind, ""))
        assert said(right)[1, 0] == NAMES[Kin(INVERSE[stated.kind], "f" if tale.female[0] else "m")]
        assert tale.words[2] == ("her" if tale.female[0] else "his")
        assert tale.who == (0, -1, -1, -1, 1, -1)


def test_a_slot_may_name_kinds_and_a_line_may_state_more() -> None:
    kinds = {RELATIONS[said(tell("[A] has a {A:B child|pibling}, [B].", seed)[1])[0, 1]].kind for seed in range(40)}
    assert kinds == {"child", "pibling"}
    tale, right = tell("[A] gave birth to [B] {when}. | A:B child, A=f", 3)
    assert tale.female[0] == 1.0
    assert said(right)[1, 0] == "mother"


def test_two_at_once_are_siblings_and_have_one_word() -> None:
    for seed in range(20):
        tale, right = tell("[A]'s {A:BC child}, [B] and [C], slept.", seed)
        assert said(right)[1, 2] in ("brother", "sister")
        assert {RELATIONS[said(right)[0, z]].kind for z in (1, 2)} == {"child"}
        if tale.female[1] == tale.female[2] == 1.0:
            assert tale.words[2] in ("daughters", "girls", "children", "kids", "babies", "newborns", "toddlers")


def test_a_relation_told_from_both_ends_is_one() -> None:
    for seed in range(20):
        right = said(tell("The {B:A} and {A:B}, [A] and [B], slept.", seed)[1])
        assert RELATIONS[right[1, 0]].kind == INVERSE[RELATIONS[right[0, 1]].kind]


@pytest.mark.parametrize("number", range(len(_read()[0])))
def test_every_pattern_can_be_told(number: int) -> None:
    patterns, lists = _read()
    pattern = patterns[number]
    for seed in range(3):
        tale, right = _Telling(np.random.default_rng(seed), pattern, lists).story()
        assert not {"{", "}", "[", "]", "|", "_"} & set("".join(tale.words))
        assert {w for w in tale.who if w >= 0} == set(range(len(pattern.people)))
        assert all((z, x) in right for x, z in right), "what holds one way holds the other"
        for (x, z), (relation,) in right.items():
            assert (RELATIONS[ORDER[relation - 1]].gender == "f") == bool(tale.female[z])
            assert x != z


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 30))
def test_as_many_are_made_up_as_are_wanted_and_always_the_same(seed: int, many: int) -> None:
    stories = made_up(np.random.default_rng(seed), many)
    assert len(stories) == many
    assert stories == made_up(np.random.default_rng(seed), many)

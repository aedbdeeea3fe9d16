"""The natural-logic decoder: against its equations, and on cases that a linguist knows; and its learned judge."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import (
    COMPOSE,
    CONJOIN,
    DEPENDENCY_RELATIONS,
    JOIN,
    POLARITY,
    SIGNATURES,
    UPOS,
    EdgeType,
    EditKind,
    Entailment,
    Polarity,
    signature,
)
from kgreason.decode import NaturalLogicDecoder, beside, judge
from kgreason.decode import natural_logic as module
from kgreason.errors import ConfigError
from kgreason.tensors import Trace
from tests.edited import SYMBOLS, Edit, edited_states


def prove(*edits: Edit, order: str = "nested") -> Trace:
    return NaturalLogicDecoder(dim=8, order=order)(edited_states([edits]))


def concluded(*edits: Edit, order: str = "nested") -> str:
    """The likeliest relation, and that it is quite sure."""
    proof = prove(*edits, order=order).proof
    assert proof is not None
    state = proof.state[-1, 0]
    assert state.max() > 0.95, state
    return SYMBOLS[int(state.argmax())]


#: What a linguist expects. Each is a sentence pair, its edits, and the relation of the first to the second sentence.
CASES = [
    ("a dog sleeps / an animal sleeps", [Edit("substitute", "⊏")], "⊏"),
    ("no animal sleeps / no dog sleeps", [Edit("substitute", "⊐", "no")], "⊏"),
    (
        "a dog sleeps / no animal sleeps",
        [Edit("substitute", "⊏", "upward", "no"), Edit("operator", "^")],
        "|",
    ),
    (
        "every dog sleeps / some puppy sleeps",
        [Edit("substitute", "⊐", "every, restrictor", "upward"), Edit("operator", "⊏")],
        "⊏",
    ),
    (
        "the same, told with the operator first",
        [Edit("operator", "⊏"), Edit("substitute", "⊐", "every, restrictor", "upward")],
        "⊏",
    ),
    (
        "every animal sleeps / some dog sleeps",
        [Edit("substitute", "⊐", "every, restrictor", "upward"), Edit("operator", "⊏")],
        "⊏",
    ),
    (
        "some puppy sleeps / every dog sleeps",
        [Edit("substitute", "⊏", "upward", "every, restrictor"), Edit("operator", "⊐")],
        "⊐",
    ),
    ("a man plays the piano / a woman plays the guitar", [Edit("substitute", "|"), Edit("substitute", "|")], "|"),
    ("a man plays the piano / a person plays the guitar", [Edit("substitute", "⊏"), Edit("substitute", "|")], "|"),
    ("the other way round", [Edit("substitute", "|"), Edit("substitute", "⊏")], "|"),
    ("a dog runs / an animal that barks moves", [Edit("substitute", "⊏"), Edit("insert", "⊐")], "#"),
    ("a big dog runs / a dog moves", [Edit("delete", "⊏"), Edit("substitute", "⊏")], "⊏"),
    ("a dead man / a living man who sits", [Edit("substitute", "^"), Edit("substitute", "^")], "|"),
    (
        "a man sings / no woman sings",
        [Edit("substitute", "|", "upward", "no"), Edit("operator", "^")],
        "#",
    ),
    (
        "every man sings / some woman sings",
        [Edit("substitute", "|", "every, restrictor", "upward"), Edit("operator", "⊏")],
        "#",
    ),
    ("a man is dead / a man is not alive", [Edit("substitute", "^", "upward", "not"), Edit("operator", "^")], "≡"),
    ("a man is not alive / a man is dead", [Edit("substitute", "^", "not", "upward"), Edit("operator", "^")], "≡"),
    (
        "a man is not moving / a man is not running",
        [Edit("substitute", "⊐", "not")],
        "⊏",
    ),
    ("a man runs / a man does not move", [Edit("substitute", "⊏", "upward", "not"), Edit("operator", "^")], "|"),
    ("a man does not move / a man runs", [Edit("substitute", "⊐", "not", "upward"), Edit("operator", "^")], "|"),
    ("a man sings / a woman does not sing", [Edit("substitute", "|"), Edit("operator", "^")], "|"),
    ("no dog barks / a dog does not bark", [Edit("operator", "^"), Edit("operator", "^", "no", "upward")], "⊏"),
    ("a dog does not bark / no dog barks", [Edit("operator", "^"), Edit("operator", "^", "upward", "no")], "⊐"),
    ("some dogs bark / not all dogs bark", [Edit("operator", "⊐", "upward", "not"), Edit("operator", "^")], "⌣"),
    ("a dog sleeps / the dog does not sleep, existential", [Edit("operator", "^", "some", "upward")], "^"),
    (
        "every man is alive / not every man is dead",
        [Edit("substitute", "^", "every, scope", "not every, scope"), Edit("operator", "^")],
        "⊏",
    ),
    (
        "a man eats potatoes / a man does not eat a raw potato",
        [
            Edit("insert", "⊐", "upward", "not"),
            Edit("operator", "⊏", "upward", "not"),
            Edit("operator", "^"),
        ],
        "#",
    ),
    (
        "two boys eat / the boys do not eat an apple",
        [Edit("insert", "⊐", "upward", "not"), Edit("operator", "⊏"), Edit("operator", "^")],
        "#",
    ),
    ("one sits and one stands / neither does", [Edit("operator", "^"), Edit("operator", "^")], "|"),
    ("nothing changes", [Edit("substitute", "≡"), Edit("reorder", "≡")], "≡"),
]


@pytest.mark.parametrize(("edits", "relation"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_linguist_would_conclude_the_same(edits: list[Edit], relation: str) -> None:
    assert concluded(*edits) == relation


@pytest.mark.parametrize("place", [("upward", "not"), ("every, scope", "no")])
def test_whether_what_excludes_is_thereby_denied_is_left_open(place: tuple[str, str]) -> None:
    """A man plays the piano; a man does not play the guitar. Every man plays the piano; no man plays the guitar."""
    proof = prove(Edit("substitute", "|", *place), Edit("operator", "^")).proof
    assert proof is not None
    state = proof.state[-1, 0]
    assert state[[Entailment.FORWARD, Entailment.INDEPENDENCE]].tolist() == pytest.approx([0.5, 0.5], abs=1e-2)


def test_joined_one_after_the_other_two_exclusions_come_to_nothing() -> None:
    edits = [Edit("substitute", "|"), Edit("substitute", "|")]
    assert concluded(*edits, order="chain") == "#"
    assert concluded(*edits) == "|"


def test_the_chain_takes_the_stronger_of_its_two_orders() -> None:
    for edits in ([Edit("substitute", "|"), Edit("substitute", "⊏")], [Edit("substitute", "⊏"), Edit("delete", "|")]):
        assert concluded(*edits, order="chain") == "|"


def test_where_the_two_sentences_are_read_differently_without_cause_the_state_is_not_sure() -> None:
    proof = prove(Edit("substitute", "⊏", "upward", "no")).proof
    assert proof is not None
    state = proof.state[-1, 0]
    assert state[[Entailment.FORWARD, Entailment.REVERSE]].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_what_is_not_known_is_not_known_in_the_end() -> None:
    proof = prove(Edit("substitute", {"⊏": 0.5, "|": 0.3, "#": 0.2}), Edit("substitute", {"≡": 0.6, "|": 0.4})).proof
    assert proof is not None
    state = proof.state[-1, 0]
    assert float(state[Entailment.FORWARD]) == pytest.approx(0.5 * 0.6, abs=1e-3)
    assert float(state[Entailment.ALTERNATION]) == pytest.approx(0.3 + 0.7 * 0.4, abs=1e-3)


# ---------------------------------------------------------------- the equations, a second time and plainly

relations = st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda x: sum(x) > 0.1)
places = st.integers(0, len(SIGNATURES) - 1)
edit_lists = st.lists(st.tuples(st.integers(0, 4), relations, places, places), max_size=6)


def by_the_book(edits: Sequence[tuple[int, list[float], int, int]]) -> np.ndarray:
    """The final state of `order = "nested"`, straight from the docstring, in loops."""
    made = [i for i, edit in enumerate(edits) if edit[0] == EditKind.OPERATOR]
    turns = [sum(edit[1][3:6]) / sum(edit[1]) for edit in edits]
    root = max(made, key=lambda i: (edits[i][2] == edits[i][3], np.float32(turns[i]), i), default=-1)
    phases: list[list[tuple[int, list[float], int, int]]] = [[], [], [], []]
    for i, edit in enumerate(edits):
        anew = bool(made) and edit[2] != edit[3] and i != root
        inner = anew and i in made and turns[i] >= 0.5
        phases[2 if i == root else 1 if inner else 0 if anew else 3].append(edit)
    ends = [_in_order(phases, bool(made), side) for side in (0, 1)]
    weight = 0.5
    if made:
        decided = [end[[0, 1, 3, 4]].sum() + (end[2] + end[5]) / 2 for end in ends]
        weight = 1 / (1 + np.exp(-20 * (decided[0] - decided[1])))
    found: np.ndarray = weight * ends[0] + (1 - weight) * ends[1]
    return found


def _in_order(phases: list[list[tuple[int, list[float], int, int]]], operators: bool, side: int) -> np.ndarray:
    s = np.eye(7)[0]
    for phase, edits in enumerate(phases):
        for _, relation, *place in edits:
            r = np.array(relation) / sum(relation) * (1 - 7e-4) + 1e-4
            mine, other = place[side], place[1 - side]
            p = np.zeros(7)
            for a, share in enumerate(r):
                for b, part in _projected(a, mine, other, phase < 2 and operators and mine != other).items():
                    p[b] += share * part
            table = (JOIN if side == 0 else JOIN.T) if phase in (1, 2) else CONJOIN
            new = np.zeros(7)
            for a, b in product(range(7), repeat=2):
                new[table[a, b]] += s[a] * p[b]
            s = new
    return s


def _projected(a: int, mine: int, other: int, anew: bool) -> dict[int, float]:
    projected = int(SIGNATURES[mine, a])
    if not anew:
        return {projected: 1.0}
    denied = signature("not")
    if any(COMPOSE[one, denied] == two or COMPOSE[denied, one] == two for one, two in ((mine, other), (other, mine))):
        if a == Entailment.ALTERNATION and projected != Entailment.INDEPENDENCE:
            return {projected: 0.5, int(Entailment.INDEPENDENCE): 0.5}
        return {projected: 1.0}
    return {int(SIGNATURES[signature("some"), projected]) if POLARITY[mine] == Polarity.UPWARD else projected: 1.0}


@given(st.lists(edit_lists, min_size=1, max_size=3))
def test_the_decoder_computes_its_equations(rows: list[list[tuple[int, list[float], int, int]]]) -> None:
    states = edited_states([[] for _ in rows])
    flat = [(i, edit) for i, row in enumerate(rows) for edit in row]
    relation = torch.tensor([edit[1] for _, edit in flat]).reshape(-1, 7)
    batch = replace(
        states.batch,
        edit_graph=torch.tensor([i for i, _ in flat], dtype=torch.long),
        edit_kind=torch.tensor([edit[0] for _, edit in flat], dtype=torch.long),
        edit_nodes=torch.full((2, len(flat)), -1),
        edit_relation=relation / relation.sum(1, keepdim=True),
        edit_polarity=torch.tensor([edit[2:] for _, edit in flat], dtype=torch.long).reshape(-1, 2).T,
    )
    proof = NaturalLogicDecoder(dim=8)(replace(states, batch=batch)).proof
    assert proof is not None
    for i, row in enumerate(rows):
        np.testing.assert_allclose(proof.state[-1, i].numpy(), by_the_book(row), atol=2e-5)


def test_the_numbers_that_cross_from_symbols_to_tensors_agree() -> None:
    assert module._OPERATOR == EditKind.OPERATOR
    assert (len(EditKind), len(UPOS), len(SIGNATURES)) == (judge._KINDS, judge._POS, judge._SIGNATURES)
    assert (len(DEPENDENCY_RELATIONS), EdgeType.DEPENDENCY) == (judge._DEPENDENCIES, judge._DEPENDENCY)
    assert (len(EditKind), Entailment.INDEPENDENCE) == (beside._KINDS, beside._UNKNOWN)
    symbols = [module._EQUIVALENCE, module._NEGATION, module._ALTERNATION, module._COVER, module._INDEPENDENCE]
    assert [Entailment(i).symbol for i in symbols] == ["≡", "^", "|", "⌣", "#"]


# ---------------------------------------------------------------- the trace


def test_every_edit_has_its_cycle_and_is_looked_at() -> None:
    trace = prove(
        Edit("substitute", "|", nodes=(0, 1)), Edit("delete", "⊏", nodes=(2, -1)), Edit("operator", "^", nodes=(-1, 3))
    )
    assert trace.proof is not None
    assert trace.running.sum(0).tolist() == [3]
    assert trace.proof.edit[:4, 0].tolist() == [2, 0, 1, -1]  # the operator, then what is beside it
    assert trace.attention[:3].tolist() == [[0, 0, 0, 1], [0.5, 0.5, 0, 0], [0, 0, 1, 0]]
    assert trace.weight[:, 0].nonzero().tolist() == [[2]]
    assert torch.equal(trace.output[..., :7], trace.proof.state)


def test_a_row_without_edits_is_equivalence_and_not_proved() -> None:
    trace = prove()
    assert trace.proof is not None
    assert trace.running.sum(0).tolist() == [1]
    assert trace.proof.state[-1, 0].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert trace.proof.proved.tolist() == [False]


def test_more_edits_than_cycles_prove_nothing() -> None:
    states = edited_states([[Edit("substitute", "≡")] * 4, [Edit("substitute", "≡")] * 3])
    proof = NaturalLogicDecoder(dim=8, cycles=3)(states).proof
    assert proof is not None
    assert proof.proved.tolist() == [False, True]
    assert [SYMBOLS[int(s.argmax())] for s in proof.state[-1]] == ["#", "≡"]


def test_the_same_edits_give_the_same_bits() -> None:
    first, second = (prove(*CASES[3][1]).proof for _ in range(2))
    assert first is not None
    assert second is not None
    assert torch.equal(first.state, second.state)
    assert not list(NaturalLogicDecoder(dim=8).parameters())


@pytest.mark.parametrize("settings", [{"order": "any"}, {"cycles": 0}, {"judge": {"name": "learned", "hidden": 0}}])
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"\[decode\]"):
        NaturalLogicDecoder(dim=8, **settings)  # type: ignore[arg-type]

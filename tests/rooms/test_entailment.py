"""The seven relations: their joins and projections against the tables of the literature."""

import numpy as np
import pytest

from kgreason.data import COMPOSE, CONJOIN, JOIN, POLARITY, SIGNATURES, EditKind, Edits, Entailment, Polarity, signature
from kgreason.errors import DataError

ORDER = "≡⊏⊐^|⌣#"
# MacCartney (2009), table 5.3; where a union of relations is listed there, the independence it is approximated by
PUBLISHED = ["≡⊏⊐^|⌣#", "⊏⊏#||##", "⊐#⊐⌣#⌣#", "^⌣|≡⊐⊏#", "|#|⊏#⊏#", "⌣⌣#⊐⊐##", "#######"]


def test_join_is_the_published_table() -> None:
    assert ["".join(ORDER[j] for j in row) for row in JOIN] == PUBLISHED


def test_two_changes_beside_each_other_exclude_if_one_does_and_entail_if_all_do() -> None:
    table = ["".join(ORDER[j] for j in row) for row in CONJOIN]
    assert table == ["≡⊏⊐^|⌣#", "⊏⊏#||##", "⊐#⊐||##", "^||||||", "|||||||", "⌣##||##", "###||##"]
    assert (CONJOIN == CONJOIN.T).all()
    three = CONJOIN[CONJOIN], CONJOIN[:, CONJOIN]  # (ab)c and a(bc)
    assert (three[0] == three[1]).all()


def test_symbols_stand_in_the_order_of_the_relations() -> None:
    assert "".join(relation.symbol for relation in Entailment) == ORDER


def test_equivalence_changes_nothing_and_independence_keeps_nothing() -> None:
    everything = np.arange(7)
    assert (JOIN[Entailment.EQUIVALENCE] == everything).all()
    assert (JOIN[:, Entailment.EQUIVALENCE] == everything).all()
    assert (JOIN[Entailment.INDEPENDENCE] == Entailment.INDEPENDENCE).all()


def test_composing_signatures_is_composing_functions() -> None:
    for outer, first in enumerate(SIGNATURES):
        for inner, then in enumerate(SIGNATURES):
            assert (SIGNATURES[COMPOSE[outer, inner]] == first[then]).all()


def test_two_downward_places_make_an_upward_one() -> None:
    assert POLARITY[COMPOSE[signature("not"), signature("no")]] == Polarity.UPWARD
    assert POLARITY[COMPOSE[signature("not"), signature("every, scope")]] == Polarity.DOWNWARD
    assert POLARITY[COMPOSE[signature("not"), signature("none")]] == Polarity.NEITHER
    assert signature("upward") == 0
    with pytest.raises(KeyError):
        signature("sometimes")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": ()}, "0 reasons for 1 edits"),
        ({"relation": np.full((7, 1), 0.5, np.float32)}, "sum to 3.500"),
    ],
)
def test_edits_check_themselves(changes: dict[str, object], told: str) -> None:
    columns: dict[str, object] = {
        "kind": np.array([EditKind.SUBSTITUTE], np.int8),
        "nodes": np.zeros((2, 1), np.int32),
        "relation": np.eye(7, 1, dtype=np.float32),
        "polarity": np.zeros((2, 1), np.int8),
        "reason": ("dog → animal",),
    }
    assert len(Edits(**columns)) == 1  # type: ignore[arg-type]
    with pytest.raises(DataError, match=told):
        Edits(**(columns | changes))  # type: ignore[arg-type]

"""The parts of an audit, each by itself: intervals, copies, verdicts, the card on disk."""

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.audit import card as cards
from kgreason.audit import parts
from kgreason.audit.biases import biases
from kgreason.audit.card import Card, as_json, read_card
from kgreason.audit.intervals import gap, rate
from kgreason.audit.near import near_copies
from kgreason.audit.parts import Contrast, Gap, Score
from kgreason.audit.tables import tables
from kgreason.audit.verdict import Findings, verdict
from kgreason.errors import StoreError
from kgreason.statistics import mcnemar

booleans = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(booleans)
def test_a_difference_is_told_only_where_mcnemar_tells_it(drawn: list[tuple[bool, bool]]) -> None:
    one, other = np.array(drawn, bool).T
    found, back = gap(one, other), gap(other, one)
    assert found.low <= found.value <= found.high
    assert (found.low, found.high) == pytest.approx((-back.high, -back.low))
    if found.is_told:
        assert mcnemar(one, other) < 0.05


def test_the_interval_of_a_difference_covers_it() -> None:
    rng, covered = np.random.default_rng(0), []
    for _ in range(400):
        kind = rng.choice(4, 80, p=[0.4, 0.25, 0.1, 0.25])  # both, one alone, other alone, neither: 0.15 apart
        found = gap(np.isin(kind, (0, 1)), np.isin(kind, (0, 2)))
        covered.append(found.low <= 0.15 <= found.high)
    assert 0.94 <= np.mean(covered) <= 0.995


def test_a_share_of_nothing_is_anything() -> None:
    assert (rate(0, 0).low, rate(0, 0).high, rate(0, 0).value) == (0.0, 1.0, 0.0)


def test_near_copies_are_found_among_many_others() -> None:
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefgh"), 6)) for _ in range(300)]
    known = [" ".join(rng.choice(words, 12)) for _ in range(800)]
    asked = [" ".join(rng.choice(words, 12)) for _ in range(50)]
    asked[7], asked[8] = known[5].upper() + "!", known[6] + " more"
    place, alike = near_copies(asked, known)
    assert place[7] == 5
    assert alike[7] == 1
    assert place[8] == 6
    assert 0.8 <= alike[8] < 1
    assert (place[np.isin(np.arange(50), (7, 8), invert=True)] == -1).all()
    assert len(near_copies([], known)[0]) == 0


def test_near_copies_are_all_found() -> None:
    rng = np.random.default_rng(2)
    texts = ["".join(rng.choice(list("abcdefghijklmnop "), 60)) for _ in range(200)]
    slipped = [text[:30] + "#" + text[31:] for text in texts]  # 5 of 56 shingles differ
    place, _ = near_copies(slipped, texts)
    assert (place == np.arange(200)).mean() > 0.99


def contrast(name: str, value: float, half: float, how: parts.How = "trained") -> Contrast:
    told = Gap(value, value - half, value + half, 500)
    return Contrast(name, "?", how, "t", 0.6, 0.6 - value, told, 60, 40, 240, 160)


def findings(*controls: Contrast) -> Findings:
    return Findings("accuracy", True, (Score("t", "accuracy", 0.6, 0.56, 0.64, 500, 0.34, None, None),), controls)


def test_better_is_said_only_of_a_graph_that_beats_both_controls() -> None:
    good = findings(contrast("no-graph", 0.05, 0.03), contrast("tails-shuffled", 0.04, 0.03))
    assert "better than no-graph by 5.0 [2.0, 8.0] points" in verdict(good)[0]
    assert "comes from what the graph says" in verdict(good)[0]


@pytest.mark.parametrize(
    "controls",
    [
        (),
        (contrast("no-graph", 0.02, 0.03),),
        (contrast("no-graph", 0.0, 0.03), contrast("tails-shuffled", 0.04, 0.03)),
        (contrast("no-graph", 0.05, 0.03), contrast("tails-shuffled", 0.01, 0.03)),
        (contrast("no-graph", 0.05, 0.03), contrast("tails-shuffled", -0.05, 0.03)),
        (contrast("no-graph", -0.05, 0.03), contrast("tails-shuffled", 0.05, 0.03)),
        (contrast("no-graph", 0.05, 0.03, "test-time"), contrast("tails-shuffled", 0.05, 0.03, "test-time")),
    ],
)
def test_better_is_refused_otherwise(controls: tuple[Contrast, ...]) -> None:
    said = " ".join(verdict(findings(*controls)))
    assert "better" not in said
    assert "t: " in said


def test_what_was_trained_comes_before_what_was_only_tested() -> None:
    both = findings(contrast("no-graph", 0.2, 0.03, "test-time"), contrast("no-graph", 0.01, 0.03))
    assert "no difference to no-graph can be told" in verdict(both)[0]


def test_a_score_no_higher_than_one_answer_to_all_is_said_so() -> None:
    low = replace(findings().scores[0], value=0.35, low=0.31, high=0.39)
    assert "not told from one answer to all (34.0 %)" in verdict(replace(findings(), scores=(low,)))[0]


def test_a_favoured_label_is_found() -> None:
    gold = ["yes", "no"] * 50
    rows = [{"gold": label, "answer": "yes" if i % 5 else label} for i, label in enumerate(gold)]
    yes, no = biases("t", rows, ("yes", "no", "never"))
    assert (yes.label, no.label) == ("yes", "no")
    assert yes.gap.low > 0.05
    assert no.gap.high < -0.05
    assert any("answered too often: 'yes' (" in s for s in verdict(replace(findings(), biases=(yes, no))))
    fair, _ = biases("t", [{"gold": label, "answer": label} for label in gold], ("yes", "no"))
    assert not fair.gap.is_told


SCHEMA = {
    "Card": "schema run title task trained seed limit verdict scores controls leaks biases shortcuts probes faith "
    "calibration slices cost skipped",
    "Score": "test metric value low high size majority ceiling coverage",
    "Contrast": "name question how test run control gap only_run only_control both neither",
    "Gap": "value low high size",
    "Rate": "count size low high",
    "Leak": "kind test seen right_seen right_unseen serious meaning examples",
    "Bias": "test label gold given gap",
    "Shortcut": "test part score majority run fitted",
    "Probe": "name test wanted changed before after examples",
    "Faith": "test what removed removed_random kept kept_random drop drop_random size without examples",
    "Bin": "confidence right",
    "Calibration": "test ece brier confidence bins",
    "Slice": "test kind name right stands_out",
    "Skip": "part why",
}


def test_the_schema_of_the_card_is_what_it_was() -> None:
    """Whoever reads `audit.json` relies on these names; change SCHEMA in card.py together with them."""
    kinds = {"Card": Card} | {n: k for n, k in vars(parts).items() if isinstance(k, type) and is_dataclass(k)}
    assert {name: " ".join(f.name for f in fields(kind)) for name, kind in kinds.items()} == SCHEMA
    assert cards.SCHEMA == "kgreason-audit-1"


def a_card() -> Card:
    share = rate(8, 10)
    return Card(
        schema=cards.SCHEMA,
        run="r",
        title="T [x]",
        task="nli",
        trained=True,
        seed=0,
        limit=10,
        verdict=("t: nothing.",),
        scores=findings().scores,
        controls=(contrast("no-graph", 0.02, 0.03),),
        leaks=(parts.Leak("text seen", "t", share, share, rate(0, 0), True, "Bad.", (("a", "b"),)),),
        biases=(parts.Bias("t", "yes", 0.5, 0.6, Gap(0.1, 0.0, 0.2, 10)),),
        shortcuts=(parts.Shortcut("t", "hypothesis", share, 0.5, 0.6, "train"),),
        probes=(parts.Probe("typos", "t", "stay", share, 0.5, 0.4, (("text", "yes", "no"),)),),
        faith=(parts.Faith("t", "proof steps", share, share, share, rate(0, 0), 0.1, 0.0, 1.5, 2, (("f", "a", "b"),)),),
        calibration=(parts.Calibration("t", 0.1, 0.2, 0.8, (parts.Bin(0.85, share),)),),
        slices=tuple(parts.Slice("t", "hops", str(i), share, i == 20) for i in range(30)),
        cost={"seconds": 3.0, "trainable": 10.0},
        skipped=(parts.Skip("ceiling", "no."),),
    )


def test_a_card_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    path = tmp_path / cards.FILE
    path.write_text(json.dumps(as_json(a_card())))
    assert read_card(tmp_path) == a_card()
    path.write_text(json.dumps(as_json(a_card()) | {"schema": "other"}))
    with pytest.raises(StoreError, match="schema = 'other', expected 'kgreason-audit-1'"):
        read_card(tmp_path)
    path.write_text(json.dumps({"schema": cards.SCHEMA}))
    with pytest.raises(StoreError, match="is damaged"):
        read_card(tmp_path)


def test_every_part_of_a_card_is_a_table_with_cells_for_its_columns() -> None:
    made = tables(a_card())
    assert len(made) == 13
    for table in made:
        assert all(len(row) == len(table.columns) for row in table.rows), table.heading
    shown = next(table for table in made if table.heading == "Slices")
    assert len(shown.rows) == 12
    assert any("differs" in row for row in shown.rows), "a slice that differs is shown though others are as weak"
    assert len(next(t for t in tables(a_card(), most=0) if t.heading == "Slices").rows) == 30

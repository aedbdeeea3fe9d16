"""The parts of an audit, each by itself: intervals, copies, swaps, slips, verdicts, the card on disk."""

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
from kgreason.audit.swaps import swaps
from kgreason.audit.tables import tables
from kgreason.audit.typos import typos
from kgreason.audit.verdict import Findings, verdict
from kgreason.audit.walking import only, without
from kgreason.data import Example, KnowledgeGraph
from kgreason.errors import StoreError
from kgreason.statistics import mcnemar

booleans = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def pair(premise: str, hypothesis: str) -> Example:
    return Example("e", (premise, hypothesis), ("premise", "hypothesis"), "neutral")


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


def test_swaps_are_the_same_in_both_texts_and_keep_the_rest() -> None:
    names, genders, nations = swaps(0)
    found = names(pair("Mary met JOHN in May.", "Mary slept."))
    assert found is not None
    first, second = (text.split()[0] for text in found.texts)
    assert first == second != "Mary"
    assert found.texts[0].split()[2].isupper()
    assert "May" in found.texts[0]
    turned = genders(pair("The man saw her dog with him.", "He saw her."))
    assert turned is not None
    assert turned.texts == ("The woman saw his dog with her.", "She saw him.")
    land = nations(pair("A French cook left France.", "A cook is French."))
    assert land is not None
    assert "French" not in " ".join(land.texts)
    assert nations(pair("A cook polishes.", "He will polish it.")) is None, "a small letter is no nation"


def test_no_two_words_of_a_list_become_one() -> None:
    for seed in range(5):
        for swap in swaps(seed):
            if swap.name != "genders":
                words = ["Mary", "Emily", "John", "James", "French", "German", "Kenyan", "Kenya", "France"]
                found = swap(pair(" ".join(words), "Nothing."))
                assert found is not None
                assert len(set(found.texts[0].split())) == len(words)


def test_mentions_stay_and_are_found_again() -> None:
    example = Example(
        "q", ("who is the father of Mary Frank",), ("question",), frozenset({"x"}), ("m",), ((0, 21, 31),)
    )
    for change in (swaps(0)[1], typos(0)):
        found = change(example)
        assert found is not None
        (_, start, end), (text,) = found.mentions[0], found.texts
        assert text[start:end] == "Mary Frank"
        assert text != example.texts[0]
    assert swaps(0)[0](example) is None, "the only names are those of the entity"


def test_a_slip_changes_two_letters_inside_one_word() -> None:
    found = typos(3)(pair("The museum opened yesterday.", "It is."))
    assert found is not None
    assert found.texts[1] == "It is.", "no word is long enough"
    assert sorted(found.texts[0]) == sorted("The museum opened yesterday.")
    assert sum(a != b for a, b in zip(found.texts[0], "The museum opened yesterday.", strict=True)) == 2
    assert typos(3)(pair("The museum opened yesterday.", "It is.")) == found


def test_facts_are_taken_out_of_a_graph_in_both_directions() -> None:
    graph = KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "r", "c"), ("b", "s", "c"), ("c", "s", "a")])
    gone = graph.triples[[1, 2]].astype(np.int64)
    for left, rows in ((without(graph, gone), [0, 3]), (only(graph, gone), [1, 2])):
        assert left.triples.tolist() == graph.triples[rows].tolist()
        again = KnowledgeGraph.from_ids(graph.entities, graph.relations, graph.triples[rows], graph.labels)
        assert left.head.tolist() == again.head.tolist()
        assert left.tail_ptr.tolist() == again.tail_ptr.tolist()


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
    assert any("'yes' is answered too often" in s for s in verdict(replace(findings(), biases=(yes, no))))
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

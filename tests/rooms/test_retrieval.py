"""Metrics of sets against drawing ties at random and against sets written out; the ceiling; the ledger."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kgreason.data import NONE, SHARES, UNKNOWN, Example, KnowledgeGraph, Predictions
from kgreason.errors import DataError
from kgreason.tasks import Split, read_split
from kgreason.tasks.ceiling import ceiling, execute
from kgreason.tasks.kgqa import KgqaTask
from kgreason.tasks.ledger import FAILURES, failures
from kgreason.tasks.retrieval import Outcome, retrieval, retrieval_rows, wilson
from kgreason.train.ranks import best_first, rank

GRAPH = KnowledgeGraph.from_triples([(f"e{i:02}", "r", f"e{(i + 1) % 30:02}") for i in range(30)])
Row = tuple[dict[int, float], list[int]]
"""What one question got: candidate to weight, and the right candidates."""


def made(rows: list[Row], keep: int = 1000, **more: Any) -> tuple[Split, Predictions]:
    candidates = [np.array(list(given), np.int64) for given, _ in rows]
    weights = [np.array(list(given.values())) for given, _ in rows]
    probability = [(w / w.sum()).astype(np.float32) if len(w) else w.astype(np.float32) for w in weights]
    cuts = np.cumsum([0, *map(len, candidates)])
    question = np.repeat(np.arange(len(rows)), [len(right) for _, right in rows])
    right = np.array([c for _, rights in rows for c in rights], np.int64)
    taken = [best_first(p, keep) for p in probability]
    ranks = rank(np.concatenate(candidates), np.concatenate(probability), cuts, question, right)
    found = Predictions(
        example=np.arange(len(rows)),
        candidate=[c[t] for c, t in zip(candidates, taken, strict=True)],
        probability=[p[t] for p, t in zip(probability, taken, strict=True)],
        per_cycle=[p[t][None] for p, t in zip(probability, taken, strict=True)],
        cycles=np.ones(len(rows), np.int64),
        right=[np.array(r, np.int64) for _, r in rows],
        ranks=ranks,
        **more,
    )
    names = [frozenset(f"e{c:02}" if c >= 0 else f"?{i}" for i, c in enumerate(r) if c != NONE) for _, r in rows]
    examples = tuple(Example(f"x{i}", ("who",), ("question",), n, ("e00",)) for i, n in enumerate(names))
    return Split("s", examples), found


def by_drawing(row: Row, at: float) -> dict[str, float]:
    """Write the metrics of one question out: every order of its candidates that its scores allow, sets as sets."""
    given, right = row
    entities = {c: w for c, w in given.items() if c != NONE}
    none = not entities or given.get(NONE, 0) > max(entities.values())
    if right == [NONE]:
        return dict.fromkeys(("hits@1", "hits@3", "mrr", "precision", "recall", "f1", "exact"), float(none))
    orders = []
    for order in itertools.permutations(given):
        # "none of these" comes after entities of the same score
        keys = [(given[c], c != NONE) for c in order]
        if all(
            a >= b if NONE in (x, y) else a[0] >= b[0]
            for (a, x), (b, y) in itertools.pairwise(zip(keys, order, strict=True))
        ):
            orders.append([i for i, c in enumerate(order) if c in right])
    out = {f"hits@{k}": np.mean([any(i < k for i in hits) for hits in orders]) for k in (1, 3)}
    out["mrr"] = np.mean([1 / (1 + hits[0]) if hits else 0 for hits in orders])
    best = max(entities.values(), default=0)
    said = {c for c, w in entities.items() if w / best >= at * (1 - 1e-6)} if not none else set()
    hits = len(said & set(right))
    out |= {"precision": hits / len(said) if said else 0, "recall": hits / len(right)}
    out |= {"f1": 2 * hits / (len(said) + len(right)), "exact": float(said == set(right))}
    return {name: float(value) for name, value in out.items()}


def random_rows(seed: int, many: int = 40) -> list[Row]:
    rng, rows = np.random.default_rng(seed), []
    for _ in range(many):
        chosen = rng.choice(np.arange(NONE, 12), int(rng.integers(0, 7)), replace=False).tolist()
        given = {c: float(rng.choice([0.01, 0.2, 0.5, 1.0])) for c in chosen}
        right = rng.choice(12, int(rng.integers(1, 4)), replace=False).tolist()
        rows.append((given, [NONE] if rng.random() < 0.2 else right + [UNKNOWN] * int(rng.integers(0, 2))))
    return rows


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threshold", [1.0, 0.5, 0.1])
def test_metrics_are_what_drawing_ties_at_random_gives(seed: int, threshold: float) -> None:
    rows = random_rows(seed)
    scores = retrieval(*made(rows), GRAPH, threshold)
    at = float(SHARES[np.abs(np.log(SHARES / threshold)).argmin()])
    plain = [by_drawing(row, at) for row in rows]
    for name in plain[0]:
        assert scores[name] == pytest.approx(np.mean([p[name] for p in plain]), abs=1e-6), name
    assert scores["threshold"] == at
    assert scores["size"] == len(rows)


def test_a_sample_is_not_of_those_whose_ties_fall_well() -> None:
    split, found = made([({1: 1.0, 2: 1.0}, [1])] * 2000)
    right = {row["uid"]: row["right"] for row in retrieval_rows(split, found, GRAPH, 1.0)}
    assert 900 < sum(right.values()) < 1100
    assert 160 < sum(right[example.uid] for example in split.sample(400).examples) < 240


def test_few_are_kept_and_no_metric_changes() -> None:
    rng = np.random.default_rng(0)
    rows: list[Row] = [
        ({c: float(rng.choice([0.1, 0.5, 1])) for c in range(30)}, rng.choice(30, 3, replace=False).tolist())
        for _ in range(50)
    ]
    assert retrieval(*made(rows, keep=2), GRAPH, 0.3) == retrieval(*made(rows), GRAPH, 0.3)


def test_the_rank_of_the_first_of_many_ties_is_its_expectation() -> None:
    rows: list[Row] = [(dict.fromkeys(range(30), 1.0), [3, 4, 5])]
    chances = [Fraction(math.comb(30 - j, 2), math.comb(30, 3)) for j in range(1, 29)]
    scores = retrieval(*made(rows), GRAPH, 1.0)
    assert scores["mrr"] == pytest.approx(float(sum(p / j for j, p in enumerate(chances, start=1))))
    assert scores["hits@10"] == pytest.approx(float(sum(chances[:10])))
    assert scores["hits@1"] == pytest.approx(0.1)


def test_the_threshold_is_calibrated_where_no_one_gives_it() -> None:
    rows: list[Row] = [({1: 1.0, 2: 0.4, 3: 0.1}, [1, 2]), ({4: 1.0, 5: 0.45, 6: 0.2}, [4, 5])] * 5
    split, found = made(rows)
    task = KgqaTask()
    dev = task.score(split, found, GRAPH)
    assert 0.2 < dev["threshold"] <= 0.4
    assert (dev["f1"], dev["exact"]) == (1.0, 1.0)
    other: list[Row] = [({1: 1.0, 2: 0.15}, [1, 2])]
    assert task.score(*made(other), GRAPH, dev)["f1"] == pytest.approx(2 / 3), "the test calibrates nothing"
    assert task.score(*made(other), GRAPH)["f1"] == 1.0
    assert KgqaTask(threshold=1.0).score(split, found, GRAPH)["recall"] == 0.5


def test_scores_stand_for_hops_and_types_and_have_an_interval() -> None:
    split, found = made([({1: 1.0}, [1]), ({1: 1.0}, [2]), ({1: 1.0}, [1])])
    kinds = {"x0": {"hops": "1", "type": "a"}, "x1": {"hops": "2", "type": "a"}, "x2": {"hops": "2", "type": "b"}}
    scores = retrieval(Split("s", split.examples, kinds), found, GRAPH, 1.0)
    assert (scores["hops.1.hits@1"], scores["hops.2.hits@1"], scores["type.a.exact"]) == (1.0, 0.5, 0.5)
    assert (scores["hops.2.hits@1.low"], scores["hops.2.hits@1.high"]) == wilson(0.5, 2)
    assert scores["hits@1.low"] < scores["hits@1"] < scores["hits@1.high"]
    assert scores["type.b.size"] == 1
    dev = retrieval(Split("s", split.examples, kinds), found, GRAPH, 1.0, final=False)
    assert "type.a.hits@1" not in dev
    assert "hops.1.hits@1" in dev


def test_an_unreachable_answer_is_never_dropped() -> None:
    scores = retrieval(*made([({1: 1.0}, [1, UNKNOWN]), ({1: 1.0}, [UNKNOWN]), ({1: 1.0, 2: 0.9}, [1, 7])]), GRAPH, 1.0)
    assert scores["recall"] == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert scores["exact"] == 0
    assert scores["unreached"] == pytest.approx(3 / 5)
    assert scores["hits@1"] == pytest.approx(2 / 3)
    assert scores["candidates"] == pytest.approx(4 / 3)


def test_a_question_without_known_answers_is_named() -> None:
    split, found = made([({1: 1.0}, [1]), ({1: 1.0}, [])])
    with pytest.raises(DataError, match="'x1' has no 'answers'"):
        retrieval(split, found, GRAPH)


LOST: list[tuple[Row, list[int], str]] = [
    (({1: 1.0}, [1]), [0], ""),
    (({NONE: 1.0, 1: 0.5}, [NONE]), [0], ""),
    (({}, [NONE]), [], ""),
    (({1: 1.0}, [2]), [5], "not_linked"),
    (({1: 1.0, 2: 0.5}, [9]), [0], "not_retrieved"),
    (({}, [9]), [0], "not_retrieved"),
    (({1: 1.0}, [1, UNKNOWN]), [0], "not_retrieved"),  # all that the walk touched, and nothing else
    (({1: 1.0, 2: 0.2}, [2]), [0], "not_reasoned"),
    (({NONE: 1.0, 1: 0.3, 2: 0.2}, [2]), [0], "not_reasoned"),
    (({1: 1.0, 2: 0.9}, [1]), [0], "not_decoded"),
    (({1: 1.0, 2: 0.1}, [1, 2]), [0], "not_decoded"),
    (({NONE: 1.0, 1: 0.5}, [1]), [0], "not_decoded"),
    (({1: 1.0}, [NONE]), [0], "not_decoded"),
]


def test_the_ledger_says_where_each_question_was_lost() -> None:
    split, found = made([row for row, _, _ in LOST], seeds=[np.array(seeds, np.int64) for _, seeds, _ in LOST])
    rows = retrieval_rows(split, found, GRAPH, 0.5)
    assert [row["failure"] for row in rows] == [failure for _, _, failure in LOST]
    scores = retrieval(split, found, GRAPH, 0.5)
    for name in FAILURES[1:]:
        assert scores[f"failure.{name}"] == pytest.approx(sum(f == name for _, _, f in LOST) / len(LOST))
    assert scores["exact"] == pytest.approx(1 - sum(scores[f"failure.{name}"] for name in FAILURES[1:]))
    assert scores["linked"] == pytest.approx(11 / 13)


def test_every_question_is_lost_at_one_place_at_most() -> None:
    cases = np.array(list(itertools.product([False, True], repeat=5))).T
    found = failures(*cases)
    assert (found[cases[0]] == 0).all()
    assert (found[~cases[0]] > 0).all()
    assert set(found.tolist()) == set(range(len(FAILURES)))


def test_rows_name_what_was_answered() -> None:
    split, found = made([({1: 0.5, 2: 0.5, 3: 0.1}, [2]), ({NONE: 1.0, 1: 0.1}, [1])] * 20)
    rows, outcome = retrieval_rows(split, found, GRAPH, 0.9), Outcome.of(split, found, GRAPH)
    tied, none = rows[::2], rows[1::2]
    assert {row["answer"] for row in tied} == {"e01", "e02"}, "of equal ones, one is drawn"
    assert all(row["right"] == (row["answer"] == "e02") for row in tied)
    assert [row["right"] for row in rows] == outcome.drawn(split).tolist()
    assert tied[0]["answers"][0][1] == pytest.approx(0.5 / 1.1, abs=1e-6)
    assert (tied[0]["size"], tied[0]["gold"], tied[0]["touched"]) == (2, ["e02"], 3)
    assert [(row["answer"], row["answers"], row["right"], row["size"]) for row in none] == [("", [], False, 0)] * 20


FILMS = KnowledgeGraph.from_triples(
    [
        ("A", "by", "x"),
        ("B", "by", "x"),
        ("C", "by", "y"),
        ("A", "in", "1990"),
        ("B", "in", "1991"),
        ("A", "written", "x"),
        ("B", "written", "z"),
        ("x", "spouse", "y"),
        ("y", "spouse", "x"),
        ("x", "born", "Rome"),
    ]
)


@pytest.mark.parametrize(
    ("seed", "path", "want"),
    [
        ("A", ["by"], ["x"]),
        ("x", ["^by"], ["A", "B"]),
        ("A", ["by", "^by"], ["B"]),  # the other films
        ("x", ["^by", "written"], ["z"]),  # the others who wrote them
        ("A", ["by", "^by", "in"], ["1991"]),
        ("x", ["spouse", "spouse"], ["x"]),  # nothing said that it may not come back
        ("x", ["spouse", "spouse", "born"], ["Rome"]),
        ("C", ["in"], []),
        ("nobody", ["by"], []),
    ],
)
def test_a_path_is_executed(seed: str, path: list[str], want: list[str]) -> None:
    seeds = [np.array([FILMS.entities.id(seed)] if seed in FILMS.entities else [], np.int64)] * 2
    row, entity = execute(FILMS, seeds, tuple(path))
    for i in (0, 1):
        assert [FILMS.entities[e] for e in entity[row == i].tolist()] == want


def test_the_ceiling_is_a_uniform_pick_in_what_the_path_finds() -> None:
    asked = [("x", {"A"}, ("^by",)), ("A", {"B"}, ("by", "^by")), ("C", {"1"}, ("in",)), ("x", set(), ("^by",))]
    examples = tuple(
        Example(str(i), ("q",), ("question",), frozenset(answers), (seed,))
        for i, (seed, answers, _) in enumerate(asked)
    )
    split = Split("s", examples, {"0": {"hops": "1"}}, {}, {str(i): path for i, (_, _, path) in enumerate(asked)})
    found = ceiling(split, FILMS)
    assert found["ceiling.hits@1"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert (found["ceiling.found"], found["ceiling.exact"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (found["ceiling.size"], found["ceiling.hops.1.hits@1"]) == (3, 0.5)
    with pytest.raises(DataError, match=r"relation 'directed'.*It has: born, by"):
        ceiling(Split("s", examples[:1], {}, {}, {"0": ("directed",)}), FILMS)


_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("hops", "pick", "found"),
    [(1, 0.968, 0.997), pytest.param(2, 0.960, 0.9645, marks=_SLOW), pytest.param(3, 0.963, 0.972, marks=_SLOW)],
)
def test_the_ceiling_of_metaqa_is_what_was_measured_before(data: Any, hops: int, pick: float, found: float) -> None:
    from kgreason.knowledge import open_graph

    split = read_split(f"metaqa:{hops}-hop-test", KgqaTask().example).sample(2000)  # a sample: all is 0.968 0.960 0.963
    scores = ceiling(split, open_graph("metaqa"))
    assert scores["ceiling.hits@1"] == pytest.approx(pick, abs=0.012)
    assert scores["ceiling.found"] == pytest.approx(found, abs=0.012)


@pytest.mark.parametrize("hops", [2, 3])
def test_nothing_is_missing_from_the_graphs_of_pathquestion(data: Any, hops: int) -> None:
    from kgreason.knowledge import open_graph

    split = read_split(f"pathquestion:{hops}-hop", KgqaTask().example)
    scores = ceiling(split, open_graph(f"pathquestion-{hops}h"))
    assert (scores["ceiling.hits@1"], scores["ceiling.exact"]) == (1.0, 1.0)

"""Questions that are shown graphs of their own: the facts they need, others, none of them, or changed ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import Example, KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.experiment import record
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.overlay import Overlay
from kgreason.experiment.retest import retest
from kgreason.experiment.run import Run, run_experiment
from kgreason.experiment.shown import Shown
from kgreason.tasks import Split
from kgreason.tasks.evidence import Evidence, reaches

FILMS = [(f"film {i}", "directed_by", f"person {i // 3}") for i in range(12)]
FILMS += [(f"film {i}", "release_year", str(1990 + i % 4)) for i in range(12)]
FILMS += [(f"person {i}", "born_in", f"town {i % 2}") for i in range(4)]
GRAPH = KnowledgeGraph.from_triples(FILMS)


def asked(uid: str, seed: str, answers: set[str]) -> Example:
    return Example(uid, (f"about {seed}",), ("question",), frozenset(answers), (seed,), ((0, 6, 6 + len(seed)),))


def named(facts: np.ndarray) -> set[tuple[str, str, str]]:
    e, r = GRAPH.entities, GRAPH.relations
    return {(e[h], r[k], e[t]) for h, k, t in facts.tolist()}


OTHERS = asked("others", "film 0", {"film 1", "film 2"})
TOWN = asked("town", "film 0", {"town 0"})
SPLIT = Split("toy", (OTHERS, TOWN), path={"others": ("directed_by", "^directed_by")})


def test_the_evidence_is_what_lies_on_the_told_path() -> None:
    first, then = Evidence(GRAPH).steps(SPLIT, OTHERS)
    assert named(first) == {("film 0", "directed_by", "person 0")}
    assert named(then) == {("film 1", "directed_by", "person 0"), ("film 2", "directed_by", "person 0")}


def test_or_on_the_shortest_ways_from_seeds_to_answers() -> None:
    steps = Evidence(GRAPH).steps(SPLIT, TOWN)
    assert [named(step) for step in steps] == [
        {("film 0", "directed_by", "person 0")},
        {("person 0", "born_in", "town 0")},
    ]
    assert Evidence(GRAPH, hops=1).steps(SPLIT, TOWN) == []
    assert Evidence(GRAPH).steps(SPLIT, asked("none", "no such film", {"town 0"})) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_an_answer_is_reached_if_there_is_a_way_to_it(seed: int, hops: int) -> None:
    draw, rows = np.random.default_rng(seed), GRAPH.triples.astype(np.int64)
    graph = Overlay(GRAPH).only(rows[draw.random(len(rows)) < 0.3])
    seeds, answers = (draw.integers(len(GRAPH.entities), size=n) for n in (2, 3))
    there = set(seeds.tolist())
    for _ in range(hops):
        ends = {(h, t) for h, _, t in graph.triples.tolist()}
        near = {t for h, t in ends if h in there} | {h for h, t in ends if t in there}
        if near & set(answers.tolist()):
            assert reaches(graph, seeds, answers, hops)
            return
        there |= near
    assert not reaches(graph, seeds, answers, hops)


@given(st.integers(0, 2**32 - 1))
def test_a_graph_with_facts_removed_and_added_is_the_one_that_is_built_from_them(seed: int) -> None:
    draw, overlay = np.random.default_rng(seed), Overlay(GRAPH)
    rows = GRAPH.triples.astype(np.int64)
    removed = rows[draw.random(len(rows)) < 0.3]
    added = np.stack([draw.integers(len(n), size=9) for n in (GRAPH.entities, GRAPH.relations, GRAPH.entities)], 1)
    added = np.array([row for row in np.unique(added, axis=0).tolist() if tuple(row) not in overlay], np.int64)
    left = [row for row in rows.tolist() if row not in removed.tolist()]
    for got, facts in (
        (overlay.edited(removed, added.reshape(-1, 3)), [*left, *added.tolist()]),
        (overlay.only(removed), removed.tolist()),
    ):
        table = np.array(facts, np.int32).reshape(-1, 3)
        want = KnowledgeGraph.from_ids(GRAPH.entities, GRAPH.relations, table, GRAPH.labels, {}, {})
        for name in ("head_ptr", "relation", "tail", "tail_ptr", "inverse", "head"):
            np.testing.assert_array_equal(getattr(got, name), getattr(want, name), name)


def facts_of(how: str, **more: int) -> set[tuple[str, str, str]]:
    views = Shown(how, **more).views(SPLIT, GRAPH)
    assert views.split.examples[0].uid == "others"
    return named(views.views[0].graph(views.overlay).triples)


def test_each_question_is_shown_what_the_control_says() -> None:
    gold = {(f"film {i}", "directed_by", "person 0") for i in range(3)}
    assert facts_of("oracle") == gold
    assert gold < facts_of("noise", facts=4)
    assert len(facts_of("noise", facts=4)) == 7
    assert len(facts_of("random", facts=2)) == 2
    assert facts_of("gold_removed") == set(FILMS) - gold


def test_a_changed_fact_has_another_answer_and_the_old_one_is_wrong() -> None:
    views = Shown("counterfactual").views(SPLIT, GRAPH)
    assert [e.uid for e in views.split.examples] == ["others"], "the other has no path to follow again"
    target = views.split.examples[0].target
    assert isinstance(target, frozenset)
    assert target
    assert not target & {"film 0", "film 1", "film 2"}
    graph = views.views[0].graph(views.overlay)
    directed = {e for r, e in graph.into("person 0") if r == "directed_by"}
    assert directed == {"film 0"} | target


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match="shown = 'orcale' is not known"):
        Shown("orcale")
    with pytest.raises(ConfigError, match="shown has no 'many'"):
        Shown.of({"how": "noise", "many": 3})
    with pytest.raises(DataError, match="No question of 'toy'"):
        Shown("counterfactual").views(replace(SPLIT, path={}), GRAPH)


@pytest.fixture
def run(world: Path) -> Run:
    """A walk of one hop that has learned who directed a film, and when it came out."""
    (world / "films.tsv").write_text("".join("\t".join(fact) + "\n" for fact in FILMS))
    rows = [
        {"question": f"{asks} [film {i}]", "answers": [t], "path": [r]}
        for i in range(12)
        for asks, r in (("who directed", "directed_by"), ("what year was", "release_year"))
        for h, k, t in FILMS
        if (h, k) == (f"film {i}", r)
    ]
    for name, part in (("train", rows[:14]), ("test", rows[14:])):
        (world / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    changed = {
        "task": {"name": "kgqa", "train": ["train.jsonl"], "dev": 0.2, "test": {"t": "test.jsonl"}},
        "knowledge": {"name": "triples", "path": "films.tsv"},
        "ground": {"name": "seeds"},
        "decode": {"name": "transfer", "cycles": 1},
        "answer": {"name": "entity"},
        "train": {"name": "adamw", "epochs": 20, "batch_size": 8, "lr": {"language": 0.0, "other": 0.05}}
        | {"tensorboard": False},
    }
    return run_experiment(
        ExperimentConfig.from_dict(ExperimentConfig.from_toml(world / "toy.toml").as_tables() | changed)
    )


def test_answers_follow_the_facts_and_the_ceiling_says_what_could_be_known(run: Run) -> None:
    assert run.metrics["test"]["t"]["hits@1"] > 0.9, "it has learned"

    def scores(**shown: object) -> dict[str, float]:
        found: dict[str, float] = retest(run.folder, {"task.shown": shown}).metrics["test"]["t"]
        return found

    oracle, gone, changed = (scores(how=how) for how in ("oracle", "gold_removed", "counterfactual"))
    assert oracle["hits@1"] == oracle["ceiling.path_recall"] == oracle["ceiling.reached"] == 1
    assert oracle["shown.facts"] == 1
    assert gone["hits@1"] == gone["ceiling.path_recall"] == gone["ceiling.reached"] == 0
    assert changed["follow"] > 0.9
    assert changed["hits@1"] > 0.9
    assert changed["stay"] < 0.1
    random = scores(how="random", facts=1)
    assert random["hits@1"] <= random["ceiling.reached"] < 1
    rows = record.read_lines(retest(run.folder, {"task.shown": "oracle"}).folder / record.PREDICTIONS)
    assert all(row["right"] for row in rows)


def test_a_question_is_grounded_in_its_own_graph(run: Run) -> None:
    config = ExperimentConfig.from_toml(run.folder / record.CONFIG)
    near = {"ground": {"name": "neighbours", "pos": "ignore"}, "decode": {"name": "pool"}, "train.epochs": 1}
    found = run_experiment(config.with_overrides(near))
    scores = {how: retest(found.folder, {"task.shown": how}).metrics["test"]["t"] for how in ("oracle", "gold_removed")}
    assert scores["oracle"]["unreached"] == 0
    assert scores["oracle"]["candidates"] == 2, "the film, and who directed it or when it came out"
    assert scores["gold_removed"]["unreached"] == 1


def test_nothing_is_trained_on_graphs_of_their_own(run: Run) -> None:
    config = ExperimentConfig.from_toml(run.folder / record.CONFIG)
    with pytest.raises(ConfigError, match="shown is for tests"):
        run_experiment(config.with_overrides({"task.shown": "oracle"}))

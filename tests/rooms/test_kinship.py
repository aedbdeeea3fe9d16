"""Reading kinship off stories: words for kin, names, pronouns, chains, and a reader that learns."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kgreason
from kgreason.cli.predict import as_json
from kgreason.data import EdgeType, Example, LogicGraph
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.reading import READER
from kgreason.experiment.run import Options, run_experiment
from kgreason.ground import KinshipGrounder
from kgreason.ground.antecedents import antecedents
from kgreason.ground.chain import best_chain
from kgreason.ground.genders import FirstNames, genders
from kgreason.ground.kinwords import MARRIED, Kin, kin_of
from kgreason.ground.people import cast_of
from kgreason.ground.reader import Lessons, Reader, lessons_of
from kgreason.ground.told import Told
from kgreason.knowledge import open_graph
from kgreason.parse import SurfaceParser
from kgreason.tasks import RelationTask
from kgreason.train.reader import teach_reader

TASK = RelationTask(given="story")
PEOPLE = {"m": ["Robert", "Otto", "Paul", "Hugo", "Karl"], "f": ["Anna", "Mary", "Emma", "Clara", "Rosa"]}
KIN = {("sibling", "m"): "brother", ("sibling", "f"): "sister", ("child", "m"): "son", ("child", "f"): "daughter"}


def parsed(story: str, *query: str) -> LogicGraph:
    return SurfaceParser()([TASK.example("x", {"story": story, "query": query})])[0]


def told(story: str, *query: str) -> Told:
    graph = parsed(story, *query)
    return Told.of(graph, cast_of(graph))


def stories(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Two people, one or two words for kin, and sentences that go by order: what a reader can learn in a second."""
    draw, rows = np.random.default_rng(seed), []
    for i in range(count):
        first, second = draw.choice(["m", "f"], 2)
        a = str(draw.choice(PEOPLE["m"][:3] + PEOPLE["f"][:3]))
        b = str(draw.choice([n for n in PEOPLE[first] if n != a]))
        c = str(draw.choice([n for n in PEOPLE[second] if n not in (a, b)]))
        kin, more = KIN["child", first], KIN["sibling", second]
        forms = (f"[{a}] has a {kin} named [{b}].", f"[{b}] is the {kin} of [{a}].")
        story = f"{forms[i % 2]} [{b}] has a {more} named [{c}]."
        facts = [[a, kin, b], [b, more, c]]
        rows.append({"story": story, "query": [a, c], "facts": facts, "relation": KIN["child", second], "id": str(i)})
    return rows


def learned(count: int = 120) -> KinshipGrounder:
    grounder = KinshipGrounder(epochs=8, rate=0.01)
    examples = [TASK.example(str(i), row) for i, row in enumerate(stories(count))]
    grounder.learn(SurfaceParser()(examples), [e.stated for e in examples], teach_reader)
    return grounder


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        ("her sister left", 1, Kin("sibling", "f")),
        ("her sisters left", 1, Kin("sibling", "f")),
        ("his grand daughter", 2, Kin("grandchild", "f")),
        ("his grandaughter", 1, Kin("grandchild", "f")),
        ("their Duaghter", 1, Kin("child", "f")),
        ("my Mom", 1, Kin("parent", "f")),
        ("her child", 1, Kin("child", "")),
        ("a married couple", 1, MARRIED),
        ("the weather", 1, None),
        ("another one", 0, None),
        ("rather", 0, None),
    ],
)
def test_words_for_kin(words: str, at: int, expected: Kin | None) -> None:
    split = tuple(words.split())
    assert kin_of(split, tuple(w.lower() for w in split), "NOUN", at) == expected


def test_names_tell_gender_and_unknown_ones_by_their_endings() -> None:
    names = FirstNames({"Anna": "f", "Hanna": "f", "Otto": "m", "Benno": "m"})
    assert names.female("ANNA") > 0.9 > 0.1 > names.female("Otto")
    assert names.female("Johanna") > 0.7
    assert names.female("Arno") < 0.4
    assert names.female("Xyz") == pytest.approx(0.5)
    assert 0.5 < names.female("Anna", hidden=True) < names.female("Anna")


def test_what_someone_is_called_counts_as_much_as_the_name() -> None:
    found = genders(told("[Xyz] met his sister [Xyq].", "Xyz", "Xyq"))
    assert found["Xyq"] > 0.8
    assert found["Xyz"] == pytest.approx(0.5)


def test_a_pronoun_may_mean_who_agrees_with_it() -> None:
    story = told("[Anna] and [Otto] met. His son slept.", "Anna", "Otto")
    signs = antecedents(story, {"Anna": 0.95, "Otto": 0.05})
    [at] = signs
    assert story.words[at] == "His"
    assert signs[at]["Otto"] >= {"recent", "only", "first"}
    assert "Anna" not in signs[at]


def test_people_that_nobody_marked_are_found_where_the_parser_calls_them_names() -> None:
    graph = parsed("Anna met Bo Lee and Cid.", "Anna", "Cid")
    assert told("Anna met Bo Lee and Cid.", "Anna", "Cid").names == ("Anna", "Cid")
    from kgreason.ground.people import find_people

    found = find_people(graph, cast_of(graph))
    assert set(found.names) >= {"Anna", "Cid"}
    assert [graph.node_text[0], *found.names][0] == "Anna"


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.data())
def test_the_best_chain_is_the_best_of_all_paths(many: int, data: st.DataObject) -> None:
    numbers = st.floats(-3, 3).map(lambda x: round(x, 2))
    cells = data.draw(st.lists(st.one_of(st.just(-math.inf), numbers), min_size=many**2, max_size=many**2))
    weight = np.array(cells).reshape(many, many)
    start, end = 0, many - 1
    best = -math.inf
    for size in range(many - 1):
        for middle in itertools.permutations(range(1, many - 1), size):
            way = (start, *middle, end)
            best = max(best, sum(weight[a, b] for a, b in itertools.pairwise(way)))
    way = best_chain(weight, start, end)
    reached = sum(weight[a, b] for a, b in itertools.pairwise(way)) if way else -math.inf
    assert reached == pytest.approx(best)
    assert len(set(way)) == len(way)


def test_a_chain_among_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 14"):
        best_chain(np.zeros((15, 15)), 0, 1)


def test_a_reader_scores_by_its_equations(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    tables = {"embed": draw.normal(size=(4, 3)), "bias": draw.normal(size=3), "hidden": draw.normal(size=(2, 3))}
    tables |= {"hidden_bias": draw.normal(size=2), "out": draw.normal(size=2), "linear": draw.normal(size=4)}
    tables |= {"nobody": draw.normal(size=1)}
    reader = Reader(("", "a", "b", "c"), **{name: value.astype(np.float32) for name, value in tables.items()})
    lessons = lessons_of([["a", "b"], ["unknown"], ["c"]], [0, 0, 1], reader.known)
    score = []
    for signs in ([1, 2], [], [3]):
        inner = np.maximum(sum((tables["embed"][s] for s in signs), np.zeros(3)) + tables["bias"], 0)
        inner = np.maximum(tables["hidden"] @ inner + tables["hidden_bias"], 0)
        score.append(inner @ tables["out"] + sum(tables["linear"][s] for s in signs))
    e, none = np.exp(score), math.exp(float(tables["nobody"][0]))
    want = [e[0] / (e[0] + e[1] + none), e[1] / (e[0] + e[1] + none), e[2] / (e[2] + none)]
    np.testing.assert_allclose(reader.probability(lessons), want, rtol=1e-5)
    assert not len(reader.probability(lessons_of([], [], {})))
    reader.save(tmp_path / "reader.npz")
    again = Reader.load(tmp_path / "reader.npz")
    np.testing.assert_array_equal(again.probability(lessons), reader.probability(lessons))
    (tmp_path / "reader.npz").write_bytes(b"PK")
    with pytest.raises(StoreError, match="is no learned reader"):
        Reader.load(tmp_path / "reader.npz")


def test_it_learns_which_statements_stories_make() -> None:
    grounder = learned()
    row = stories(1, seed=7)[0]
    said = grounder.read(SurfaceParser()([TASK.example("x", row)])[0])
    sure = {(head, kin.kind, kin.gender, tail) for (head, kin, tail), p in said.items() if p > 0.5}
    for head, relation, tail in row["facts"]:
        kind, gender = next(key for key, name in KIN.items() if name == relation)
        assert (head, kind, gender, tail) in sure


def test_what_is_said_becomes_edges_both_ways_along_the_chain() -> None:
    grounder, kinship = learned(), open_graph("kinship")
    story = "[Anna] has a son named [Otto]. [Otto] has a sister named [Emma]."
    graph = parsed(story, "Anna", "Emma")
    grown = grounder([graph], kinship)[0]
    stated = np.flatnonzero(grown.edge_type == EdgeType.KNOWLEDGE)
    facts = {
        (
            *(grown.node_text[int(i)] for i in grown.edge_index[:, e]),
            kinship.relations[int(grown.edge_relation[e])],
        ): float(grown.edge_score[e])
        for e in stated
    }
    assert facts["Anna", "Otto", "son"] > 0.5
    assert facts["Otto", "Emma", "sister"] > 0.5
    assert all((head, tail) in {("Anna", "Otto"), ("Otto", "Emma")} for head, tail, _ in facts), "the chain alone"
    every = KinshipGrounder(chain=0.0)
    every.reader = grounder.reader
    more = every([graph], kinship)[0]
    assert (more.edge_type == EdgeType.KNOWLEDGE).sum() > len(stated), "without a chain also back"


def test_one_that_has_not_learned_says_how_to_teach_it() -> None:
    with pytest.raises(ConfigError, match="has not learned to read"):
        KinshipGrounder()([parsed("[Anna] has a son named [Otto].", "Anna", "Otto")], open_graph("kinship"))
    with pytest.raises(ConfigError, match="chain = 2"):
        KinshipGrounder(chain=2.0)
    graph = SurfaceParser()([Example("x", ("Nobody is named.",), ("context",))])[0]
    assert KinshipGrounder()([graph], open_graph("kinship"))[0] is graph
    with pytest.raises(DataError, match="no story says anything"):
        KinshipGrounder().learn([graph], [()], teach_reader)


def test_teaching_gives_the_same_reader_for_the_same_seed() -> None:
    sign, start = np.array([1, 2, 1, 3], np.int32), np.array([0, 2, 3, 4], np.int64)
    lessons = Lessons(sign, start, np.array([0, 0, 1], np.int64), np.array([1, 0, 0], np.int32))
    first, again, other = (teach_reader(lessons, 4, epochs=2, seed=s) for s in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


@pytest.mark.slow
def test_a_run_learns_to_read_and_a_restored_one_still_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    for name, rows in (("train", stories(150)), ("test", stories(30, seed=1))):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = Path(__file__).parents[2] / "experiments" / "clutrr" / "k23-text.toml"
    config = ExperimentConfig.from_toml(base).with_overrides(
        {
            "task.train": [str(tmp_path / "train.jsonl")],
            "task.test": {"own": str(tmp_path / "test.jsonl")},
            "parse": {"name": "surface"},
            "ground": {"name": "kinship", "epochs": 8, "rate": 0.01},
            "train.epochs": 6,
            "train.batch_size": 16,
        }
    )
    run = run_experiment(config, Options(out=tmp_path / "runs"))
    assert (run.folder / READER).is_file()
    assert run.metrics["test"]["own"]["accuracy"] >= 0.9
    row = stories(1, seed=5)[0]
    pipeline = kgreason.load(run.folder)
    found = pipeline.predict([{"story": row["story"], "query": row["query"]}])[0]
    assert found.answer == row["relation"]
    assert {(h, t) for h, _, t in found.path} == {(h, t) for h, _, t in row["facts"]}
    told = as_json(pipeline, found, trace=True)
    assert told.get("label", told.get("answer")) == row["relation"]
    assert any("∘" in cycle["evidence"] for cycle in told["trace"]), "the rule of a cycle is named"

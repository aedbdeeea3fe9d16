"""The questions over the world: made again byte for byte, split so that test asks something new."""

import json
import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from kgreason.cli import data as commands
from kgreason.data import KnowledgeGraph, entities_of
from kgreason.errors import DataError
from kgreason.knowledge import open_graph
from kgreason.tasks import read_split
from kgreason.tasks.ceiling import ceiling
from kgreason.tasks.kgqa import KgqaTask
from kgreason.tasks.manifest import open_manifest
from kgreason.tasks.world_questions import MOST_ANSWERS, NONE, SIZES, build_world_qa
from kgreason.tasks.world_wording import Frames, read_frames

FOLDER = Path(__file__).parents[2] / "datasets" / "world-qa"
RELATION = "urn:kgreason:world/relation/"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def sets() -> dict[str, Rows]:
    return {
        split: [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_text("utf-8").splitlines()]
        for split in SIZES
    }


@pytest.fixture(scope="module")
def world() -> KnowledgeGraph:
    return open_graph("world", cache=False)


@pytest.fixture(scope="module")
def frames() -> Frames:
    return read_frames(FOLDER / "frames.toml")


def paths_of(rows: Rows) -> set[tuple[str, ...]]:
    return {tuple(row["path"]) for row in rows if "path" in row}


def test_the_command_makes_the_files_that_ship(tmp_path: Path) -> None:
    commands.build_dataset("world-qa", tmp_path, 0, quiet=True)
    for split in SIZES:
        text = (tmp_path / f"{split}.jsonl").read_text("utf-8")
        assert text == (FOLDER / f"{split}.jsonl").read_text("utf-8"), f"{split}: kgreason data build world-qa"


def test_the_manifest_knows_the_files() -> None:
    manifest = open_manifest("world-qa")
    assert set(manifest.splits) == set(SIZES)
    for file in manifest.files:
        assert manifest.checksum(file.path) == file.sha256, file.path


def test_another_seed_makes_other_questions(tmp_path: Path, sets: dict[str, Rows]) -> None:
    assert build_world_qa(tmp_path, 1) == SIZES
    other = {json.loads(line)["question"] for line in (tmp_path / "test.jsonl").read_text("utf-8").splitlines()}
    assert len(other & {row["question"] for row in sets["test"]}) < len(other) * 0.7


def test_sizes_and_shares(sets: dict[str, Rows]) -> None:
    assert {split: len(rows) for split, rows in sets.items()} == SIZES
    for split, rows in sets.items():
        found = Counter(row["type"] for row in rows if not row["answers"])
        assert found == {f"none/{kind}": round(share * len(rows)) for kind, share in NONE.items()}, split
        assert {row["hops"] for row in rows if row["answers"]} == {1, 2, 3}, split
        assert all(len(row.get("path", ())) in (row["hops"], 0) for row in rows)


def test_no_path_of_dev_or_test_is_asked_in_train(sets: dict[str, Rows]) -> None:
    train = paths_of(sets["train"])
    assert not paths_of(sets["test"]) & train
    assert paths_of(sets["test_wording"]) <= train
    assert len(paths_of(sets["dev"]) - train) >= 15
    assert not paths_of(sets["dev"]) & paths_of(sets["test"])
    assert len(train | paths_of(sets["dev"]) | paths_of(sets["test"])) >= 60


def test_every_step_of_dev_and_test_is_a_step_of_train(sets: dict[str, Rows]) -> None:
    train = {step for path in paths_of(sets["train"]) for step in path}
    for split in ("dev", "test"):
        assert {step for path in paths_of(sets[split]) for step in path} <= train, split


def test_no_wording_stands_in_two_splits(sets: dict[str, Rows]) -> None:
    used = {split: {row["frame"] for row in rows} for split, rows in sets.items()}
    assert not used["train"] & (used["test"] | used["test_wording"])
    assert not used["dev"] & (used["train"] | used["test"] | used["test_wording"])


def test_not_even_a_phrase_stands_in_two_splits(frames: Frames) -> None:
    phrases: dict[str, set[str]] = defaultdict(set)
    for step in frames.steps.values():
        for split in ("train", "dev", "test"):
            phrases[split] |= {*step.ask[split], *step.that[split]}
    assert not phrases["train"] & phrases["test"]
    assert not phrases["dev"] & (phrases["train"] | phrases["test"])
    told = tomllib.loads((FOLDER / "paths.toml").read_text("utf-8"))["unanswerable"]["relation"]
    absent = {split: {text.split(" | ")[0] for text in texts} for split, texts in told.items()}
    assert not absent["train"] & absent["test"]
    assert not absent["dev"] & (absent["train"] | absent["test"])


def test_a_path_of_train_is_worded_in_twelve_ways_or_more(sets: dict[str, Rows]) -> None:
    """Those of train are; those of test alone have twelve ways where they have enough seeds, those of dev fewer."""
    opened: dict[str, set[str]] = defaultdict(set)
    for rows in sets.values():
        for row in rows:
            if row["answers"]:
                opened[row["type"]].add(re.sub(r"\[.*\]", "", row["question"]))
    few = {path: len(opened[path]) for path in opened if len(opened[path]) < 12}
    train, dev = ({row["type"] for row in sets[split]} for split in ("train", "dev"))
    assert not set(few) & train
    assert min(len(words) for path, words in opened.items() if path not in dev - train) >= 6
    assert len(opened) - len(few) >= 100


def test_questions_are_asked_once(sets: dict[str, Rows]) -> None:
    asked = Counter(row["question"] for rows in sets.values() for row in rows)
    assert max(asked.values()) == 1


def test_every_question_has_one_seed_that_the_graph_knows_by_one_meaning(
    sets: dict[str, Rows], world: KnowledgeGraph
) -> None:
    for rows in sets.values():
        for row in rows:
            (seed,) = re.findall(r"\[([^\[\]]+)\]", row["question"])
            assert len(entities_of(world, seed)) == 1, row
            assert "{" not in row["question"]
            assert row["question"][-1] in "?."


def test_answers_are_entities_that_the_question_does_not_name(sets: dict[str, Rows], world: KnowledgeGraph) -> None:
    for rows in sets.values():
        for row in rows:
            assert len(row["answers"]) <= MOST_ANSWERS
            for answer in row["answers"]:
                assert [world.label(i) for i in entities_of(world, answer).tolist()] == [answer]
                assert not re.search(rf"(?<!\w){re.escape(answer.casefold())}(?!\w)", row["question"].casefold()), row


@pytest.mark.parametrize("split", list(SIZES))
def test_the_task_reads_them_and_the_gold_path_gives_exactly_the_answers(split: str, world: KnowledgeGraph) -> None:
    read = read_split(f"world-qa:{split}", KgqaTask().example)
    assert all(len(example.seeds) == len(example.mentions) == 1 for example in read.examples)
    told = ceiling(read, world)
    assert (told["ceiling.exact"], told["ceiling.hits@1"]) == (1.0, 1.0)


def test_a_walk_by_hand_finds_the_same_answers(sets: dict[str, Rows], world: KnowledgeGraph) -> None:
    """The same paths, walked in plain Python over facts by name; a walk does not turn back where it came from."""
    forward: dict[tuple[str, str], set[str]] = defaultdict(set)
    for h, r, t in world.triples.tolist():
        head, name, tail = world.entities[h], world.relations[r], world.entities[t]
        forward[head, name].add(tail)
        forward[tail, f"^{name}"].add(head)
    for row in sets["test"] + sets["test_wording"]:
        if not row["answers"]:
            continue
        seed = re.findall(r"\[(.+)\]", row["question"])[0]
        walks = [("", world.entities[int(entities_of(world, seed)[0])])]
        for i, step in enumerate(row["path"]):
            back = i > 0 and {step, row["path"][i - 1]} == {step.strip("^"), f"^{step.strip('^')}"}
            walks = [(b, c) for a, b in walks for c in forward[b, step] if not (back and c == a)]
        reached = {world.label(world.entities.id(entity)) for _, entity in walks}
        assert reached == set(row["answers"]), row


def test_questions_without_an_answer_have_none(sets: dict[str, Rows], world: KnowledgeGraph) -> None:
    """No word of them is asked of a thing that has such a fact; landlocked countries and islands are what they seem."""
    lonely = [row for rows in sets.values() for row in rows if row["type"] == "none/nothing" and row["hops"] == 1]
    assert len(lonely) > 20
    for row in lonely:
        seed = world.entities[int(entities_of(world, re.findall(r"\[(.+)\]", row["question"])[0])[0])]
        relations = {name for name, _ in world.out(seed)}
        assert f"{RELATION}borders" not in relations or f"{RELATION}coast_on" not in relations, row


def test_english(frames: Frames) -> None:
    assert frames.mark("Netherlands", always=False) == "the [Netherlands]"
    assert frames.mark("Great Britain", always=False) == "[Great Britain]"
    assert frames.mark("Tajikistan", always=False) == "[Tajikistan]"
    assert frames.mark("Volga", always=True) == "the [Volga]"
    assert frames.say("what sand blows over {x}?", "[Chad]", "Tell me: {q}") == "Tell me: what sand blows over [Chad]?"
    assert frames.say("{x}: what is its capital?", "the [Gambia]", "{Q}") == "The [Gambia]: what is its capital?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["capital"]\nask = ["where is {x}?"]', "expected 12 'ask'"),
        ('["capital"]\nask = [' + '"where?", ' * 12 + "]", "exactly once"),
    ],
)
def test_a_broken_frame_is_named(tmp_path: Path, text: str, message: str) -> None:
    head = '[opening]\ntrain = ["{Q}"]\n[the]\nnames = []\nnot_names = "x"\nheads_of = []\ntails_of = []\n'
    (tmp_path / "frames.toml").write_text(head + text)
    with pytest.raises(DataError, match=message):
        read_frames(tmp_path / "frames.toml")

"""Pairs that a prover makes for itself to train on."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kgreason.errors import ConfigError, DataError
from kgreason.experiment.build import Front, build_front
from kgreason.experiment.config import ExperimentConfig
from kgreason.experiment.english import lexicon
from kgreason.experiment.prove import UNTRAINED
from kgreason.tasks.edited import Editing
from kgreason.tasks.substitutes import Substitutes

SENTENCES = (
    "A man is eating a red apple .",
    "Two dogs are running in the park .",
    "A woman plays the piano in a big room .",
    "No child is sleeping on the bed .",
    "The old woman drinks hot tea .",
    "A boy rides a black horse .",
    "Three girls are wearing blue dresses and hats .",
    "A tall man in a white shirt cooks fish in the kitchen .",
    "Some people are walking on a wet street .",
    "The little cat is chasing a mouse .",
    "A young lady sings a sad song on the stage .",
    "Four children throw stones into the river .",
)


def _config(tmp_path: Path, **task: object) -> ExperimentConfig:
    rows = [f"{text}\tSomething happens .\tneutral" for text in SENTENCES]
    (tmp_path / "own.tsv").write_text("\n".join(["premise\thypothesis\tlabel", *rows]) + "\n", "utf-8")
    return ExperimentConfig.from_dict(
        UNTRAINED
        | {
            "title": "edited",
            "knowledge": {"name": "wordnet"},
            "task": {"name": "nli", "train": [str(tmp_path / "own.tsv")], "dev": 0.5} | task,
        }
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _made(front: Front) -> list[tuple[str, str, str]]:
    train = front.splits().train.examples
    return [(*e.texts, str(e.target)) for e in train if e.uid.startswith("edited-")]


def test_labels_are_balanced_and_come_from_the_proof(tmp_path: Path, cache: Path) -> None:
    made = _made(build_front(_config(tmp_path, edited={"pairs": 3, "sure": 0.6})))
    assert Counter(label for _, _, label in made) == {"entailment": 1, "neutral": 1, "contradiction": 1}
    for premise, hypothesis, _ in made:
        assert premise in SENTENCES
        assert premise != hypothesis
    assert len(list((cache / "edited").glob("*.jsonl"))) == 1


def test_what_was_made_before_is_read_again(tmp_path: Path, cache: Path) -> None:
    first = _made(build_front(_config(tmp_path, edited={"pairs": 3, "sure": 0.6})))
    assert _made(build_front(_config(tmp_path, edited={"pairs": 3, "sure": 0.6}))) == first
    assert _made(build_front(_config(tmp_path, edited={"pairs": 3, "sure": 0.6, "seed": 1}))) != first
    assert len(list((cache / "edited").glob("*.jsonl"))) == 2


def test_a_graph_without_facts_makes_other_pairs(tmp_path: Path, cache: Path) -> None:
    many = {"pairs": 6, "sure": 0.7}
    whole = _made(build_front(_config(tmp_path, edited=many)))
    config = _config(tmp_path, edited=many)
    config.ground.update({"name": "perturb", "around": {"name": "edits"}, "mode": "drop", "share": 1.0})
    assert _made(build_front(config)) != whole


def test_too_many_pairs_are_refused(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(DataError, match=r"too few sentences for 9000 edited pairs.* are missing"):
        build_front(_config(tmp_path, edited=9000)).splits()


@pytest.mark.parametrize(
    ("value", "said"),
    [(-1, "edited.pairs = -1"), ({"seed": 1}, "without 'pairs'"), ({"pairs": 1, "sur": 1}, "no 'sur'"),
     ({"pairs": 1, "sure": 1.5}, "edited.sure = 1.5")],
)  # fmt: skip
def test_wrong_settings_are_named(value: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Editing.of(value)


def test_another_grounder_cannot_prove(tmp_path: Path, cache: Path) -> None:
    config = _config(tmp_path, edited=3)
    config.ground["name"] = "align"
    with pytest.raises(ConfigError, match=r"\[ground\] name = 'edits'; here they are 'semantic' and 'align'"):
        build_front(config).splits()


def test_a_substitute_takes_the_form_of_the_word_it_replaces() -> None:
    words = Substitutes(lexicon("minilm"), lambda text, lemma, pos: ("trout",) if lemma == "dog" else ())
    rng = random.Random(0)
    drawn = {words.draw("Dogs", "dog", "NOUN", rng) for _ in range(60)}
    assert "Trout" in drawn
    assert all(word[0].isupper() and (word.endswith("s") or word == "Trout") for word in drawn)
    assert all(word.endswith("ing") for word in (words.draw("running", "run", "VERB", rng) for _ in range(20)) if word)
    assert words.draw("7", "7", "NUM", rng).isdigit()
    assert words.draw("Three", "three", "NUM", rng) in {
        "Two",
        *map(str.title, ["four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty"]),
    }
    assert words.draw("xyzzy", "xyzzy", "NOUN", rng) == ""


def test_a_graph_that_is_far_away_cannot_prove_what_it_is_asked_for(tmp_path: Path, cache: Path) -> None:
    config = _config(tmp_path, edited=6)
    remote = replace(config, knowledge={"name": "sparql", "endpoint": "http://127.0.0.1:9/none"})
    with pytest.raises(ConfigError, match=r"\[task\] edited needs the whole graph.*kgreason graph build ENDPOINT"):
        build_front(remote)

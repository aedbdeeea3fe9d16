"""The data sets that ship with kgreason: what their descriptions promise is counted and computed again here.

The labels of lexical-nli are recomputed by other means than the generator's: every sentence is read back into its
frame, and the tables of natural logic, typed in by hand, say what follows.
"""

import json
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from kgreason.tasks.frames import read_frames
from kgreason.tasks.frames_pairs import Frame, Reading
from kgreason.tasks.manifest import open_manifest, sha256

FOLDER = Path(__file__).parents[2] / "datasets"
SPLITS = {"train": 6000, "dev": 810, "test": 1620}
LABELS = {"entailment", "neutral", "contradiction"}
Row = dict[str, str]


@cache
def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def lexical(split: str) -> list[Row]:
    return rows(f"lexical-nli/{split}.jsonl")


@cache
def frames() -> dict[str, Frame]:
    return {frame.name: frame for frame in read_frames(FOLDER / "lexical-nli")}


@cache
def readings(name: str) -> dict[str, Reading]:
    frame = frames()[name]
    return {frame.say(reading): reading for reading in frame.readings()}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


# ---------------------------------------------------------------- what the description promises


@pytest.mark.parametrize(("split", "count"), SPLITS.items())
def test_counts_and_balance(split: str, count: int) -> None:
    assert len(lexical(split)) == count
    assert set(Counter(row["label"] for row in lexical(split)).values()) == {count // 3}


def test_every_hypothesis_has_all_labels_so_that_it_says_nothing_alone() -> None:
    for split in SPLITS:
        labels: dict[str, list[str]] = defaultdict(list)
        for row in lexical(split):
            labels[row["hypothesis"]].append(row["label"])
        assert all(sorted(found) == sorted(LABELS) for found in labels.values())


def test_a_negation_alone_says_little() -> None:
    """Whether exactly one sentence is negated must not tell entailment from contradiction."""
    for split in SPLITS:
        sided = Counter(row["label"] for row in lexical(split) if ("0" in row["negated"]) and row["negated"] != "0-0")
        assert max(sided.values()) / sum(sided.values()) < 0.45


def test_nothing_stands_twice() -> None:
    every = [row for split in SPLITS for row in lexical(split)]
    assert len({(row["premise"], row["hypothesis"]) for row in every}) == len(every)
    assert len({row["uid"] for row in every}) == len(every)
    assert not any(row["premise"] == row["hypothesis"] for row in every)


def test_there_are_enough_frames_with_and_without_negation() -> None:
    used = {row["frame"] for split in SPLITS for row in lexical(split)}
    assert used == set(frames())
    assert len(used) >= 150
    assert len({words(frame.text)[0] + frame.text for frame in frames().values()}) == len(used)
    assert sum(bool(frame.negation) for frame in frames().values()) >= 0.9 * len(used)
    assert len({frame.phenomenon for frame in frames().values()}) >= 20


# ---------------------------------------------------------------- test holds nothing of train


def stems(word: str) -> set[str]:
    """Return all that a word may be a form of, by cutting endings; too many rather than too few."""
    endings = [("ies", "y"), ("es", ""), ("s", ""), ("ied", "y"), ("ed", ""), ("ed", "e"), ("d", ""), ("ing", "")]
    found = {word}
    for ending, instead in [*endings, ("ing", "e"), ("est", "")]:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            found.add(word.removesuffix(ending) + instead)
    return found | {stem[:-1] for stem in found if len(stem) > 3 and stem[-1] == stem[-2]}


#: Forms that cutting an ending does not undo.
IRREGULAR = """
    men:man women:woman children:child leaves:leaf lost:lose left:leave found:find fell:fall fed:feed grew:grow
    grown:grow broken:break bought:buy brought:bring came:come ran:run swam:swim swum:swim spoke:speak spoken:speak
    wore:wear worn:wear stolen:steal struck:strike sold:sell made:make kept:keep got:get hidden:hide forgot:forget
    caught:catch sank:sink fled:flee chose:choose geese:goose shown:show lying:lie
"""


def vocabulary(split: str) -> dict[str, str]:
    tables = tomllib.loads((FOLDER / "lexical-nli" / "frames.toml").read_text("utf-8"))
    function_words = set(tables["function_words"].split())
    assert len(function_words) < 200
    used = {w for row in lexical(split) for text in ("premise", "hypothesis") for w in words(row[text])}
    written = {
        w
        for frame in frames().values()
        if frame.split == split
        for slot in frame.slots
        for word in slot.words
        for w in words(word)
    }
    content = (used | written) - function_words
    irregular = dict(pair.split(":") for pair in IRREGULAR.split())
    return {stem: word for word in content for stem in stems(irregular.get(word, word)) | stems(word)}


@pytest.mark.parametrize(("one", "other"), [("train", "test"), ("train", "dev"), ("dev", "test")])
def test_no_content_word_is_shared(one: str, other: str) -> None:
    first, second = vocabulary(one), vocabulary(other)
    shared = {(first[stem], second[stem]) for stem in first.keys() & second.keys()}
    assert not shared, f"words in {one} and in {other}: {sorted(shared)}"


@pytest.mark.parametrize(("one", "other"), [("train", "test"), ("train", "dev"), ("dev", "test")])
def test_no_frame_is_shared(one: str, other: str) -> None:
    first, second = ({frame.text for frame in frames().values() if frame.split == split} for split in (one, other))
    assert not first & second
    assert not {row["frame"] for row in lexical(one)} & {row["frame"] for row in lexical(other)}


# ---------------------------------------------------------------- the labels, computed again

#: MacCartney and Manning (2009): = equivalence, < forward, > reverse, ^ negation, | alternation, v cover, # none.
JOIN = {
    "=": dict(zip("=<>^|v#", "=<>^|v#", strict=True)),
    "<": dict(zip("=<>^|v#", "<<#||##", strict=True)),
    ">": dict(zip("=<>^|v#", ">#>v#v#", strict=True)),
    "^": dict(zip("=<>^|v#", "^v|=><#", strict=True)),
    "|": dict(zip("=<>^|v#", "|#|<#<#", strict=True)),
    "v": dict(zip("=<>^|v#", "vv#>>##", strict=True)),
    "#": dict.fromkeys("=<>^|v#", "#"),
}
NOT_PREMISE = dict(zip("=<>^|v#", "^v|=><#", strict=True))
NOT_HYPOTHESIS = dict(zip("=<>^|v#", "^|v=<>#", strict=True))
LABEL = {"=": "entailment", "<": "entailment", "^": "contradiction", "|": "contradiction"}
WORD = {"synonym": "=", "hypernym": "<", "hyponym": ">", "co_hyponym": "|", "antonym": "|", "complement": "^"}


def projected(sign: str, frame: Frame) -> str:
    if sign in "|^":
        return sign if frame.exclusive in ("strict", "event") and frame.polarity == "up" else "#"
    if frame.polarity == "down":
        return {"<": ">", ">": "<"}.get(sign, sign)
    return "#" if frame.polarity == "none" and sign != "=" else sign


def signs(frame: Frame, premise: Reading, hypothesis: Reading) -> list[str]:
    found = []
    for slot, a, b in zip(frame.slots, premise.fillers, hypothesis.fillers, strict=True):
        if a != b:
            sign = WORD.get(slot.relation(a, b) or "", "#")
            loose = sign == "^" and (premise.modified or hypothesis.modified)
            found.append(projected("|" if loose else sign, frame))
    if premise.modified != hypothesis.modified:
        up = "<" if premise.modified else ">"
        down = {"<": ">", ">": "<"}[up]
        found.append({"up": up, "down": down, "none": "#"}[frame.modifier])
    return found


def joined(found: Iterable[str]) -> str:
    """Join in every order and keep the most telling result."""
    results = set()
    for order in permutations(found):
        sign = "="
        for other in order:
            sign = JOIN[sign][other]
        results.add(sign)
    results -= {"#"} if len(results) > 1 else set()
    assert len(results) == 1, results
    return results.pop()


@pytest.mark.parametrize("split", SPLITS)
def test_labels_follow_from_the_tables_of_natural_logic(split: str) -> None:
    wrong = []
    for row in lexical(split):
        frame, read = frames()[row["frame"]], readings(row["frame"])
        premise, hypothesis = read[row["premise"]], read[row["hypothesis"]]
        sign = joined(signs(frame, premise, hypothesis))
        for negated in (premise.negated, premise.denied):
            sign = NOT_PREMISE[sign] if negated else sign
        for negated in (hypothesis.negated, hypothesis.denied):
            sign = NOT_HYPOTHESIS[sign] if negated else sign
        if LABEL.get(sign, "neutral") != row["label"]:
            wrong.append((sign, row))
    assert not wrong, f"{len(wrong)} labels do not follow, such as {wrong[0]}"


# ---------------------------------------------------------------- the English


def test_the_surface_is_english() -> None:
    odd = re.compile(
        r"[{}\[\]_]|  | [.,]|\b(?:a [aeio]\w|an [^aeiouh\W])|\b(?:a|an) (?:a|an)\b|[^.]$|^[^A-Z]|sss|\bnot not\b"
    )
    fine = re.compile(r"\ba one-|\ba (?:European|uni)")
    for split in SPLITS:
        for row in lexical(split):
            for text in (row["premise"], row["hypothesis"]):
                assert not odd.search(fine.sub("", text)), text


# ---------------------------------------------------------------- challenge-nli


def test_challenge_is_balanced_and_named() -> None:
    pairs = rows("challenge-nli.jsonl")
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for row in pairs:
        assert set(row) == {"uid", "premise", "hypothesis", "label", "phenomenon"}
        labels[row["phenomenon"]][row["label"]] += 1
    assert len(pairs) >= 240
    assert len(labels) >= 25
    assert len({(row["premise"], row["hypothesis"]) for row in pairs}) == len(pairs)
    assert len({row["uid"] for row in pairs}) == len(pairs)
    assert {row["label"] for row in pairs} == LABELS
    assert all(len(found) >= 2 and sum(found.values()) >= 4 for found in labels.values()), labels
    assert min(sum(found[label] for found in labels.values()) for label in LABELS) >= 0.28 * len(pairs)
    for row in pairs:
        for text in (row["premise"], row["hypothesis"]):
            assert re.fullmatch(r"[A-Z][^|]*[.]", text), text


@pytest.mark.parametrize("name", ["lexical-nli", "challenge-nli"])
def test_manifests_describe_the_files(name: str) -> None:
    manifest = open_manifest(name)
    assert manifest.licence.startswith("CC0-1.0")
    listed: dict[str, Any] = {file.path: file.sha256 for file in manifest.files}
    for path, checksum in listed.items():
        assert sha256(FOLDER / path) == checksum, f"{path} was made again: write its new sha256 into {name}.toml"
    assert {split["file"] for split in manifest.splits.values()} == set(listed)

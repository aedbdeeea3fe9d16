"""Statements proved with no training: as a program, on the command line, one and many, and whatever is thrown at it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kgreason as kr
from kgreason.cli.app import app
from kgreason.data import Step
from kgreason.errors import ConfigError, DataError
from kgreason.experiment.prove import FOREIGN, QUESTION, Prover
from kgreason.experiment.sentences import attempts, sentences
from kgreason.explain.proofs import ENDLESS, NOTHING


@pytest.fixture(scope="module")
def prover() -> Prover:
    return kr.prover()


def run(*words: str, text: str = "") -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["prove", *words], input=text)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


PAIRS = [
    ("A dog sleeps.", "An animal sleeps.", "entailment"),
    ("A man plays the piano.", "A man plays the guitar.", "contradiction"),
    ("A dog sleeps.", "No animal sleeps.", "contradiction"),
    ("All the doors are open.", "A door is closed.", "contradiction"),
    ("Every dog sleeps.", "Some puppy sleeps.", "entailment"),
    ("No animal sleeps.", "No dog sleeps.", "entailment"),
    ("No dog sleeps.", "No animal sleeps.", "neutral"),
    ("A woman is reading.", "A tall woman is reading.", "neutral"),
]


@pytest.mark.parametrize(("premise", "hypothesis", "label"), PAIRS, ids=[" / ".join(pair[:2]) for pair in PAIRS])
def test_statements_are_proved_and_refuted(prover: Prover, premise: str, hypothesis: str, label: str) -> None:
    found = prover(premise, hypothesis)
    assert found.answer == label
    assert found.probability > 0.6
    assert found.proof
    assert len(found.trace) == len(found.proof)
    assert not found.notes


def test_the_proof_names_edit_relation_place_and_state(prover: Prover) -> None:
    noun, operator = prover("A dog sleeps.", "No animal sleeps.").proof
    assert (noun.kind, noun.premise, noun.hypothesis, noun.relation) == ("substitute", "dog", "animal", "⊏")
    assert noun.polarity == ("↑", "↓")
    assert (operator.kind, operator.relation) == ("operator", "^")
    assert max(operator.state, key=operator.state.__getitem__) == "|"
    assert sum(operator.state.values()) == pytest.approx(1)
    assert noun.reason


def test_a_notebook_draws_the_proof(prover: Prover) -> None:
    drawn = prover("A dog sleeps.", "No animal sleeps.")._repr_html_()
    assert "kgr-proof" in drawn
    assert "⊏" in drawn


def test_in_the_existential_reading_others_may_do_other_things(prover: Prover) -> None:
    pair = ("A man plays the piano.", "A man plays the guitar.")
    assert prover(*pair).answer == "contradiction"
    assert kr.prove(*pair, reading="existential").answer == "neutral"


def test_predictions_come_in_order_and_do_not_depend_on_the_batch(prover: Prover) -> None:
    asked = [{"uid": f"u{i}", "premise": p, "hypothesis": h} for i, (p, h, _) in enumerate(PAIRS)]
    together = prover.predict(asked)
    assert [found.uid for found in together] == [row["uid"] for row in asked]
    assert [found.answer for found in together] == [label for *_, label in PAIRS]
    alone = [prover(p, h).probability for p, h, _ in PAIRS]
    assert [found.probability for found in together] == pytest.approx(alone, abs=1e-3)


# ---------------------------------------------------------------- texts of several sentences

STORY = "A boy is sitting on a bench. A dog runs around. The sun shines."


def test_one_sentence_of_a_story_is_enough(prover: Prover) -> None:
    found = prover(STORY, "A dog is running.")
    assert found.answer == "entailment"
    assert found.texts == (STORY, "A dog is running.")
    looked = {
        STORY[s:e] for cycle in found.trace for look in cycle.looks if look.span for t, s, e in [look.span] if not t
    }
    assert looked <= {"A", "dog", "runs", "around", "."}


def test_what_is_said_of_all_things_speaks_of_each(prover: Prover) -> None:
    assert prover("No reptiles have fur. A snake is a reptile.", "A snake has fur.").answer == "contradiction"
    assert prover("Every bird has wings. A sparrow is a bird.", "A sparrow has wings.").answer == "entailment"
    assert prover("A cat sleeps. A snake is a reptile.", "A snake has fur.").answer == "neutral"


def test_a_hypothesis_of_several_sentences_needs_all_of_them(prover: Prover) -> None:
    assert prover(STORY, "A dog runs. A boy is sitting.").answer == "entailment"
    assert prover(STORY, "A dog runs. No boy is sitting.").answer == "contradiction"
    assert prover(STORY, "A dog runs. A tall boy is sitting.").answer == "neutral"


def test_a_long_premise_is_tried_sentence_by_sentence(prover: Prover) -> None:
    filler = " ".join(f"The clerk filed form number {i} in the second drawer." for i in range(400))
    found = prover(f"{filler} A fox crosses the road. {filler}", "An animal crosses the road.")
    assert found.answer == "entailment"
    assert all(len(tried) <= 24 for tried in attempts(filler, "An animal crosses the road."))


def test_sentences_know_where_they_begin() -> None:
    assert [(s.text, STORY[s.start :].startswith(s.text)) for s in sentences(STORY)] == [
        ("A boy is sitting on a bench.", True),
        ("A dog runs around.", True),
        ("The sun shines.", True),
    ]


# ---------------------------------------------------------------- the command


def test_the_command_tells_the_proof_and_draws_a_page(tmp_path: Path) -> None:
    page = tmp_path / "proof.html"
    code, out, _ = run("Every dog sleeps.", "Some puppy sleeps.", "--html", str(page))
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("entailment")
    assert any("every dog → some puppy" in line for line in lines)
    assert "Some puppy sleeps." in page.read_text(encoding="utf-8")


def test_the_command_tells_json() -> None:
    code, out, _ = run("A dog sleeps.", "No animal sleeps.", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["label"] == "contradiction"
    assert told["probability"] > 0.6
    steps = told["proof"]
    assert set(steps[0]) == set(Step.__slots__)  # type: ignore[attr-defined]
    assert steps[0]["polarity"] == ["↑", "↓"]


def test_a_bad_line_harms_no_other() -> None:
    lines = [
        {"uid": "a", "premise": "A dog sleeps.", "hypothesis": "An animal sleeps."},
        {"uid": "b", "premise": "", "hypothesis": "An animal sleeps."},
        {"uid": 3, "premise": "A dog sleeps."},
        {"uid": "d", "premise": "A dog sleeps.", "hypothesis": "One. " * 40},
        {"uid": "e", "premise": 5, "hypothesis": "An animal sleeps."},
        {"uid": "f", "premise": "A dog sleeps.", "hypothesis": "A cat sleeps."},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\nno json\n[1]\n"
    code, out, _ = run("--input", "-", text=text)
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [line.get("uid") for line in told] == ["a", "b", 3, "d", "e", "f", None, None]
    assert [line.get("label") for line in told] == ["entailment", *[None] * 4, "contradiction", None, None]
    assert all(("error" in line) != ("label" in line) for line in told)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give either two texts"),
        (["A dog sleeps."], "the hypothesis is empty"),
        (["A dog sleeps.", "   "], "the hypothesis is empty"),
        (["A dog sleeps.", "x", "--input", "-"], "Give either two texts"),
        (["A dog sleeps.", "x", "--reading", "free"], "specific or existential"),
        (["A dog sleeps.", "x", "--graph", "nosuchgraph"], "nosuchgraph"),
        (["--input", "nosuchfile.jsonl"], "there is no such file"),
        (["A dog sleeps.", "It is so. " * 40], "at most"),
    ],
)
def test_what_cannot_be_proved_is_refused_clearly(words: list[str], message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        run(*words)


# ---------------------------------------------------------------- whatever is thrown at it

WEIRD = {
    "the same": ("A dog sleeps.", "A dog sleeps."),
    "emoji": ("😀😀 🐶", "😂"),
    "another script": ("Собака спит на диване.", "Кошка бежит."),
    "no letters": ("1234 !!!", "5678 ???"),
    "a question": ("A dog sleeps.", "Is an animal sleeping?"),
    "two questions": ("Who is it?", "Who is it?"),
    "NUL": ("A dog\x00 sleeps.\x00", "An animal sleeps\x00."),
    "surrogates": ("A dog \ud800 sleeps.", "An animal \udfff sleeps."),
    "one letter": ("a", "b"),
    "punctuation": ("...", "?!"),
    "one word without end": ("a" * 5000, "b" * 5000),
    "markup": ("<b>A dog</b> & <script>alert(1)</script>", "An animal"),
    "right to left": ("كلب ينام", "قطة تركض"),
    "a fragment": ("in the garden", "outside"),
    "a list": ("eggs, milk, bread", "milk, eggs"),
    "a quote": ('"I am tired," she said.', "She is tired."),
    "lines": ("A dog\n\n\nsleeps\t.", "An\u2028animal sleeps"),
}
#: Here nothing, or next to nothing, can be known.
UNSURE = (
    "the same",
    "emoji",
    "another script",
    "no letters",
    "a question",
    "two questions",
    "punctuation",
    "right to left",
)


@pytest.mark.parametrize("name", WEIRD)
def test_whatever_comes_is_answered_and_never_surely_without_a_proof(prover: Prover, name: str) -> None:
    found = prover(*WEIRD[name])
    assert sum(p for _, p in found.ranking) == pytest.approx(1, abs=1e-5)
    assert found.answer == found.ranking[0][0]
    if not found.proof or name in UNSURE:
        assert found.probability <= 0.5 + 1e-6, found
        assert found.notes, "it is said why"
    assert "<script>" not in found._repr_html_()


@pytest.mark.slow
def test_ten_thousand_words_are_answered_or_refused(prover: Prover) -> None:
    words = "the quick brown fox jumps over a lazy dog and then it sleeps in the green garden".split()  # noqa: SIM905
    endless = " ".join(words * 590)
    assert len(endless.split()) > 10_000
    assert prover(endless, "A fox jumps.").answer in ("entailment", "neutral", "contradiction")
    with pytest.raises(DataError, match="The hypothesis has"):
        prover("A fox jumps.", endless)


def test_it_is_said_why_an_answer_is_not_sure(prover: Prover) -> None:
    assert prover(*WEIRD["the same"]).notes == (NOTHING,)
    assert any(QUESTION in note for note in prover(*WEIRD["a question"]).notes)
    assert any(FOREIGN in note for note in prover(*WEIRD["another script"]).notes)
    first = ", ".join(f"{colour} {thing}" for colour in ("red", "green", "blue", "old") for thing in THINGS)
    second = ", ".join(f"{colour} {thing}s" for colour in ("small", "big", "new", "long") for thing in reversed(THINGS))
    found = prover(f"There are {first}.", f"There were {second}.")
    assert ENDLESS in found.notes
    assert found.probability <= 0.5


THINGS = "cup dish knife fork spoon plate bowl glass lamp chair table clock vase brush comb shelf".split()  # noqa: SIM905


def test_a_prover_can_be_asked_for_a_graph_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "toys.tsv").write_text("blicket\thypernym\ttoma\n", encoding="utf-8")
    found = kr.prover(tmp_path / "toys.tsv")("A blicket sleeps.", "A toma sleeps.")
    assert sum(p for _, p in found.ranking) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ConfigError, match="nosuchgraph"):
        kr.prover("nosuchgraph")


@pytest.mark.slow
def test_the_real_command_survives_all_of_it(tmp_path: Path) -> None:
    rows = [{"uid": name, "premise": p, "hypothesis": h} for name, (p, h) in WEIRD.items()]
    rows += [{"uid": f"{name}, turned", "premise": h, "hypothesis": p} for name, (p, h) in WEIRD.items()]
    lines = [json.dumps(row).encode() for row in rows] + [b"\xff\xfe\x00", b"{", b"[]", b'{"premise": null}', b"\x00"]
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    command = [sys.executable, "-c", "from kgreason.cli import main; main()", "prove", "--input", str(file), "-q"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(lines)
    assert [line.get("uid") for line in told[: len(rows)]] == [row["uid"] for row in rows]
    for line in told:
        assert ("error" in line) != ("label" in line)
        assert "error" in line or line["proof"] or line["probability"] <= 0.5 + 1e-6

"""Questions over a graph: brackets, seeds, mentions, answers, the forms they are written in, and fair cuts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.data import NONE, Example, KnowledgeGraph
from kgreason.errors import ConfigError, DataError
from kgreason.tasks import KgqaTask, Split, read_split
from kgreason.tasks.cut import Cut, grouped
from kgreason.tasks.questions import read_question

TASK = KgqaTask()


def test_brackets_become_seeds_and_mentions() -> None:
    example = TASK.example("1", {"question": " who links [Tom Hanks] and [ Kismet ]? ", "answers": ["a", "b", "a"]})
    assert example.texts == ("who links Tom Hanks and Kismet?",)
    assert example.seeds == ("Tom Hanks", "Kismet")
    assert [example.texts[t][a:b] for t, a, b in example.mentions] == ["Tom Hanks", "Kismet"]
    assert example.target == frozenset({"a", "b"})
    assert example.roles == ("question",)


@pytest.mark.parametrize(
    ("fields", "want"),
    [
        ({}, None),
        ({"answers": None}, None),
        ({"answers": []}, frozenset()),
        ({"answers": ""}, frozenset()),
        ({"answers": "a | b"}, frozenset({"a", "b"})),
    ],
)
def test_no_answer_is_not_the_same_as_an_unknown_one(fields: dict[str, Any], want: frozenset[str] | None) -> None:
    example = TASK.example("1", {"question": "who?"} | fields)
    assert example.target == want
    assert (example.seeds, example.mentions) == ((), ())


@pytest.mark.parametrize(
    ("text", "seeds", "want"),
    [
        ("films of [[REC] 2]?", None, [("[REC] 2", "[REC] 2")]),
        ("films of tom_hanks 's wife", ["tom_hanks"], [("tom_hanks", "tom_hanks")]),
        ("films of tom hanks", ["tom_hanks"], [("tom_hanks", "tom hanks")]),
        ("films of [Tom] and [her]", ["Q1", "Q2"], [("Q1", "Tom"), ("Q2", "her")]),
        ("films of [REC]", ["[REC]"], [("[REC]", "[REC]")]),
        ("Al is in Alabama", ["Al"], [("Al", "Al")]),
    ],
)
def test_where_seeds_stand(text: str, seeds: list[str] | None, want: list[tuple[str, str]]) -> None:
    found = read_question(text, seeds)
    assert list(found.seeds) == [seed for seed, _ in want]
    assert [found.text[a:b] for _, a, b in found.mentions] == [mention for _, mention in want]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("Al or Al?", ["Al"]), ("who?", ["Al"]), ("in Alabama?", ["Al"]), ("New York?", ["New York", "York"])],
)
def test_a_seed_that_is_not_named_exactly_once_has_no_mention(text: str, seeds: list[str]) -> None:
    found = read_question(text, seeds)
    assert (found.text, found.seeds, found.mentions) == (text, tuple(seeds), ())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "'question' is missing; got nothing"),
        ({"question": " "}, "the question is empty"),
        ({"question": "who [is"}, r"'\[' without a '\]'.*Brackets mark a seed"),
        ({"question": "who] is"}, r"'\]' without a '\['"),
        ({"question": "who [] is"}, "empty brackets at character 4"),
        ({"question": "[a] and [b]", "seeds": ["a"]}, r"2 part\(s\) in \[brackets\] but 1 seeds"),
        ({"question": "who", "answers": [1]}, "'answers' is .*expected a list of names"),
        ({"question": "who", "answers": {"a": 1}}, "expected a list of names"),
        ({"question": "who", "seeds": [""]}, "'seeds' is"),
    ],
)
def test_a_bad_question_is_told_apart(fields: Mapping[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        TASK.example("1", fields)


@given(st.lists(st.text("ab [", min_size=1).filter(str.strip), min_size=1), st.booleans())
def test_mentions_are_where_their_seeds_are(parts: list[str], first: bool) -> None:
    names = [part.replace("[", "x").strip() for part in parts]
    text = "".join(f"[{name}]" if (i % 2 == 0) == first else f" {name} " for i, name in enumerate(names))
    found = read_question(text)
    assert found.text == text.replace("[", "").replace("]", "")
    assert [found.text[a:b] for _, a, b in found.mentions] == list(found.seeds)


def test_entities_are_called_by_their_labels() -> None:
    graph = KnowledgeGraph.from_triples([("q1", "r", "q2")], {"q1": ["Kismet"]})
    assert TASK.name(TASK.example("1", {"question": "?!x"}), 0, graph) == "Kismet"
    assert TASK.name(TASK.example("1", {"question": "?!x"}), NONE, graph) == "none of these"


def test_the_forms_of_both_data_sets(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("who acted in [A [b] c]\tTom|Dick and Harry\nwhen was [X]\t\n")
    (tmp_path / "t.txt").write_text("film_to_actor\nfilm_to_year\n")
    (tmp_path / "m.toml").write_text(
        'form = "metaqa"\n[splits]\nall = { file = "q.txt", type = "t.txt", hops = 1 }\n'
        '[paths]\nfilm_to_actor = ["^acts_in"]\n'
    )
    split = read_split(f"{tmp_path}/m.toml:all", TASK.example)
    assert [e.seeds for e in split.examples] == [("A [b] c",), ("X",)]
    assert [e.target for e in split.examples] == [frozenset({"Tom", "Dick and Harry"}), frozenset()]
    assert list(split.category.values()) == [
        {"hops": "1", "type": "film_to_actor"},
        {"hops": "1", "type": "film_to_year"},
    ]
    assert list(split.path.values()) == [("^acts_in",)]
    (tmp_path / "p.txt").write_text(
        "the son of x_y 's wife ?\tb(a/b_(c)/b/)\tx_y#wife#z#son#b#<end>#b\nwho is q_r\tz(z/)\tx_y#wife#z\n"
    )
    (tmp_path / "p.toml").write_text('form = "pathquestion"\n[splits]\nall = { file = "p.txt" }\n')
    split = read_split(f"{tmp_path}/p.toml:all", TASK.example)
    first, second = split.examples
    assert (first.texts, first.seeds, first.mentions) == (("the son of x y 's wife ?",), ("x_y",), ((0, 11, 14),))
    assert first.target == frozenset({"a", "b_(c)", "b"})
    assert (second.texts, second.mentions) == (("who is q_r",), ())
    assert list(split.path.values()) == [("wife", "son"), ("wife",)]
    assert [kinds["hops"] for kinds in split.category.values()] == ["2", "1"]


@pytest.mark.parametrize(
    ("form", "line", "message"),
    [
        ("metaqa", "who acted in [A]", "q.txt, line 2 has no tab"),
        ("pathquestion", "who\ta(a/)\tx#r", "q.txt, line 2: expected a question"),
        ("pathquestion", "who\ta(a/)", "q.txt, line 2: expected a question"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, form: str, line: str, message: str) -> None:
    good = {"metaqa": "who is [A]\tb\n", "pathquestion": "who is A\tb(b/)\tA#r#b\n"}[form]
    (tmp_path / "q.txt").write_text(good + line + "\n")
    (tmp_path / "q.toml").write_text(f'form = "{form}"\n[splits]\nall = {{ file = "q.txt" }}\n')
    with pytest.raises(DataError, match=message):
        read_split(f"{tmp_path}/q.toml", TASK.example)


def test_anyones_own_questions_need_no_code(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(
        '{"question": "capital of [Peru]", "answers": ["Lima"], "hops": 1}\n'
        '{"question": "what now", "seeds": ["Peru"], "answers": [], "path": ["a", "^b"]}\n{"question": "who"}\n'
    )
    (tmp_path / "own.tsv").write_text("question\tseeds\tanswers\ncapital of Peru\tPeru\tLima|Cusco\n")
    split = read_split(f"{tmp_path}/own.jsonl", TASK.example)
    assert [e.target for e in split.examples] == [frozenset({"Lima"}), frozenset(), None]
    assert list(split.path.values()) == [("a", "^b")]
    (row,) = read_split(f"{tmp_path}/own.tsv", TASK.example).examples
    assert (row.seeds, row.mentions, row.target) == (("Peru",), ((0, 11, 15),), frozenset({"Lima", "Cusco"}))


def many(n: int = 600) -> Split:
    """Questions in three wordings each, of 200 subjects and 25 paths."""
    examples = tuple(Example(str(i), (f"q{i}",), ("question",), frozenset({"a"}), (f"s{i // 3}",)) for i in range(n))
    return Split(
        "s",
        examples,
        {str(i): {"type": str(i % 2)} for i in range(n)},
        {},
        {str(i): (f"r{i // 3 % 25}", "x") for i in range(n)},
    )


@pytest.mark.parametrize(("by", "key"), [("random", 0), ("subject_path", 1), ("path", 2)])
def test_a_cut_keeps_groups_together_and_shares_in_proportion(by: Any, key: int) -> None:
    split = many()
    parts = grouped(split, Cut(by=by))
    keys = [{(e.uid, (e.seeds, split.path[e.uid]), split.path[e.uid])[key] for e in p.examples} for p in parts]
    assert len(set.union(*keys)) == sum(map(len, keys))
    assert sum(map(len, parts)) == 600
    assert [abs(len(p) - n) <= 24 for p, n in zip(parts, (480, 60, 60), strict=True)] == [True] * 3
    uids = [[e.uid for e in p.examples] for p in parts]
    assert [[e.uid for e in p.examples] for p in grouped(split, Cut(by=by))] == uids
    assert [[e.uid for e in p.examples] for p in grouped(split, Cut(by=by, seed=1))] != uids
    turned = grouped(Split("s", split.examples[::-1], split.category, {}, split.path), Cut(by=by))
    assert [sorted(e.uid for e in p.examples) for p in turned] == [sorted(u) for u in uids]


def test_a_cut_by_what_rows_do_not_have_is_refused() -> None:
    bare = Split("s", many().examples)
    with pytest.raises(DataError, match="'0' has no 'path'"):
        grouped(bare, Cut(by="path"))
    with pytest.raises(DataError, match="'0' has no 'type'"):
        grouped(bare, Cut(by="type"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"by": "paths"}, "split.by = 'paths'"),
        ({"bye": "path"}, "Did you mean 'by'"),
        ({"shares": [0.5, 0.5]}, "give three numbers"),
        ({"shares": [0.8, 0.3, 0.1]}, "sum to 1"),
        ({"shares": "all"}, "give three numbers"),
        ({"seed": 0.5}, "no whole number"),
    ],
)
def test_a_wrong_cut_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("no whole", "not a whole")):
        KgqaTask(train=["x"], split=table)


def test_settings_that_make_no_sense_are_named() -> None:
    with pytest.raises(ConfigError, match="threshold = 2"):
        KgqaTask(threshold=2.0)
    with pytest.raises(ConfigError, match="give one of them"):
        KgqaTask(train=["x"], test={"t": "y"}, split={"by": "path"})
    with pytest.raises(ConfigError, match="train is empty"):
        KgqaTask(split={"by": "path"}).splits()


@pytest.mark.parametrize(
    ("hops", "dev", "test", "types"), [(1, 9992, 9947, 13), (2, 14872, 14872, 21), (3, 14274, 14274, 15)]
)
def test_metaqa_has_the_counts_its_owners_say(data: Path, hops: int, dev: int, test: int, types: int) -> None:
    splits = [read_split(f"metaqa:{hops}-hop-{part}", TASK.example) for part in ("dev", "test")]
    assert [len(split) for split in splits] == [dev, test]
    for split in splits:
        assert len(split.path) == len(split), "every type has a path"
        assert {len(path) for path in split.path.values()} == {hops}
        assert all(len(e.seeds) == len(e.mentions) == 1 and e.target for e in split.examples)
    assert len({kinds["type"] for split in splits for kinds in split.category.values()}) == types


@pytest.mark.parametrize(("hops", "size", "pairs", "paths"), [(2, 1908, 611, 39), (3, 5198, 2312, 115)])
def test_pathquestion_is_cut_fairly(data: Path, hops: int, size: int, pairs: int, paths: int) -> None:
    split = read_split(f"pathquestion:{hops}-hop", TASK.example)
    assert len(split) == size
    assert len({(e.seeds, split.path[e.uid]) for e in split.examples}) == pairs
    assert len(set(split.path.values())) == paths
    assert all(len(e.mentions) == 1 for e in split.examples)
    for by in ("random", "subject_path", "path"):
        task = KgqaTask(train=[f"pathquestion:{hops}-hop"], split={"by": by, "seed": 1, "shares": [0.8, 0.1, 0.1]})
        drawn = task.splits()
        parts = [drawn.train, drawn.dev, drawn.test["test"]]
        assert size - 2 <= sum(map(len, parts)) <= size  # one question stands there twice, with two answers
        assert [round(len(part) / size, 1) for part in parts] == [0.8, 0.1, 0.1]
        used = [{split.path[e.uid] for e in part.examples} for part in parts]
        assert bool(used[0] & used[2]) == (by != "path")

"""Stories and facts as examples; CLUTRR's files; what follows from facts by a table of compositions."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgreason.data import EdgeType, NodeType
from kgreason.errors import ConfigError, DataError
from kgreason.ground import StatedGrounder
from kgreason.knowledge import open_graph
from kgreason.parse import SurfaceParser
from kgreason.tasks import RelationTask, open_manifest, read_split
from kgreason.tasks.clutrr import read_clutrr
from kgreason.tasks.compositions import Compositions, read_compositions

FACTS = [["Donald", "father", "Michael"], ["Michael", "sister", "Dorothy"]]
STORY = "[Dorothy]'s brother [Michael] went out. [Michael] is the father of [Donald]."
HEADER = "id,story,query,target,f_comb,task_name,story_edges,edge_types,genders"
ROW = (
    'x1,"[Al] and his son [Bo].","(\'Al\', \'Cy\')",grandson,son-son,task_1.2,"[(0, 1), (1, 2)]",'
    "\"['son', 'son']\",\"Al:male,Bo:male,Cy:male\""
)


def example(given: str = "facts", **fields: Any) -> Any:
    return RelationTask(given=given).example("x", {"query": ["Donald", "Dorothy"], "facts": FACTS} | fields)


def test_facts_are_written_out_with_everyone_where_they_stand() -> None:
    found = example(relation="aunt")
    assert found.texts == ("Donald's father is Michael. Michael's sister is Dorothy.", "Who is Dorothy to Donald?")
    assert found.target == "aunt"
    said = [found.texts[text][a:b] for text, a, b in found.mentions]
    assert said == list(found.seeds) == ["Donald", "Michael", "Michael", "Dorothy", "Dorothy", "Donald"]


def test_a_story_has_its_people_in_brackets_or_those_of_the_query() -> None:
    found = example("story", story=STORY)
    assert "[" not in found.texts[0]
    assert found.seeds == ("Dorothy", "Michael", "Michael", "Donald", "Dorothy", "Donald")
    plain = example("story", story=STORY.replace("[", "").replace("]", ""))
    assert plain.texts == found.texts
    assert plain.seeds == ("Dorothy", "Donald", "Dorothy", "Donald")


def test_a_path_is_the_names_of_the_relations_alone() -> None:
    assert example("path").texts[0] == "father sister"
    assert example("path").seeds == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"query": ["Donald"]}, "expected two names"),
        ({"query": "Donald and Dorothy"}, "expected two names"),
        ({"query": ["Donald", "Donald"]}, "names 'Donald' twice"),
        ({"query": ["Donald", "Dorthy"]}, "Did you mean 'Dorothy'"),
        ({"facts": []}, "one or more"),
        ({"facts": "father"}, "expected a list"),
        ({"facts": [["Donald", "Michael"]]}, "is no \\(head, relation, tail\\)"),
        ({"facts": [["Donald", 3, "Michael"]]}, "the relation of a fact is a int"),
        ({"facts": [["", "father", "Michael"]]}, "the head of a fact is empty"),
        ({"relation": "ant"}, "Did you mean 'aunt'"),
        ({"relation": 7}, "there is no relation '7'"),
    ],
)
def test_bad_fields_are_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        example(**fields)


@pytest.mark.parametrize("story", ["[Donald is here.", "Donald] is here", "[] is here", "", None, "\x00"])
def test_bad_stories_are_refused(story: object) -> None:
    with pytest.raises(DataError, match="story"):
        example("story", story=story)


def test_missing_fields_and_settings_without_sense_are_refused() -> None:
    with pytest.raises(DataError, match="'query' is missing"):
        RelationTask().example("x", {"facts": FACTS})
    with pytest.raises(DataError, match="'story' is missing"):
        RelationTask(given="story").example("x", {"query": ["a", "b"], "facts": FACTS})
    with pytest.raises(ConfigError, match="given = 'text'"):
        RelationTask(given="text")
    with pytest.raises(ConfigError, match="distinct labels"):
        RelationTask(labels=["aunt"])


def test_written_facts_are_read_back_as_edges_between_people() -> None:
    names = [["Donald", "mother-in-law", "Ann Lee"], ["Ann Lee", "sister", "James"], ["James", "son", "O'Neil's boy"]]
    task = RelationTask()
    asked = task.example("x", {"query": ["Donald", "O'Neil's boy"], "facts": names})
    kinship = open_graph("kinship")
    graph = StatedGrounder()(SurfaceParser()([asked]), kinship)[0]
    stated = np.flatnonzero(graph.edge_type == EdgeType.KNOWLEDGE)
    read = [
        [
            graph.node_text[graph.edge_index[0, e]],
            kinship.relations[int(graph.edge_relation[e])],
            graph.node_text[graph.edge_index[1, e]],
        ]
        for e in stated
    ]
    assert read == names
    assert [graph.node_text[i] for i in np.flatnonzero(graph.node_type == NodeType.PHRASE)] == [
        "Donald",
        "Ann Lee",
        "James",
        "O'Neil's boy",
    ]
    asks = np.flatnonzero(graph.edge_type == EdgeType.SEMANTIC)
    assert [graph.node_text[graph.edge_index[1, e]] for e in asks] == ["Donald", "O'Neil's boy"]


def test_a_relation_that_the_graph_does_not_have_is_named() -> None:
    asked = RelationTask().example("x", {"query": ["A", "B"], "facts": [["A", "sistr", "B"]]})
    with pytest.raises(DataError, match=r"no relation .sistr.\. Did you mean .sister."):
        StatedGrounder()(SurfaceParser()([asked]), open_graph("kinship"))


def archive(folder: Path, row: str = ROW, header: str = HEADER) -> Path:
    path = folder / "data.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("1.2_train.csv", f"{HEADER}\n{ROW}\n")
        file.writestr("1.2_test.csv", f"{header}\n{row}\n")
    return path


def test_a_file_in_the_archive_is_read(tmp_path: Path) -> None:
    [(line, fields)] = read_clutrr(archive(tmp_path) / "1.2_test.csv")
    assert line == 2
    assert fields == {
        "uid": "x1",
        "story": "[Al] and his son [Bo].",
        "facts": [("Al", "son", "Bo"), ("Bo", "son", "Cy")],
        "query": ["Al", "Cy"],
        "relation": "grandson",
        "hops": 2,
        "type": "settled",
    }


@pytest.mark.parametrize(
    ("row", "header", "message"),
    [
        (ROW.replace("[(0, 1), (1, 2)]", "[(0, 1), (1, 7)]"), HEADER, "do not make facts"),
        (ROW.replace("[(0, 1), (1, 2)]", "[(0, 1)"), HEADER, "the cell 'story_edges'"),
        (ROW, HEADER.replace("target", "goal"), "no column 'target'"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_clutrr(archive(tmp_path, row, header) / "1.2_test.csv"))


def test_a_missing_file_or_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1\.3_test\.csv"):
        list(read_clutrr(archive(tmp_path) / "1.3_test.csv"))
    with pytest.raises(DataError, match="nowhere"):
        list(read_clutrr(tmp_path / "nowhere.csv"))


def test_the_two_sets_have_the_sizes_that_their_authors_gave(data: Path) -> None:
    sizes = {}
    for name in ("k23", "k234"):
        splits = [split for split in open_manifest("clutrr").splits if split.startswith(f"{name}-")]
        sizes[name] = {split: len(read_split(f"clutrr:{split}", RelationTask().example)) for split in splits}
        assert set(sizes[name]) == {f"{name}-train", *(f"{name}-test-{k}" for k in range(2, 11))}
    assert (sizes["k23"].pop("k23-train"), sum(sizes["k23"].values())) == (10094, 1146)
    assert (sizes["k234"].pop("k234-train"), sum(sizes["k234"].values())) == (15083, 1048)


def test_jsonl_rows_are_a_split(tmp_path: Path) -> None:
    rows = [
        {"facts": FACTS, "query": ["Donald", "Dorothy"], "relation": "aunt", "hops": 2, "uid": f"r{i}"}
        for i in range(3)
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    split = read_split(str(tmp_path / "mine.jsonl"), RelationTask().example)
    assert [e.target for e in split.examples] == ["aunt"] * 3
    assert {kinds["hops"] for kinds in split.category.values()} == {"2"}


def test_our_table_holds_in_our_family() -> None:
    """Of every two facts in a row about made-up people, one of the results is a fact too, or they have none."""
    kinship, table = open_graph("kinship"), read_compositions("kinship")
    names = list(kinship.relations)
    facts = [(int(h), names[r], int(t)) for h, r, t in kinship.triples.tolist()]
    between: dict[tuple[int, int], set[str]] = {}
    for h, r, t in facts:
        between.setdefault((h, t), set()).add(r)
    seen = set()
    for h, p, m in facts:
        for m2, q, t in facts:
            if m == m2 and h != t and between.get((h, t)):
                assert between[h, t] & set(table.results.get((p, q), ())), (p, q, between[h, t])
                seen.add((p, q))
    assert len(seen) > 100
    assert {name for pair, results in table.results.items() for name in (*pair, *results)} == set(names)


def test_the_family_is_closed_under_the_definitions() -> None:
    kinship = open_graph("kinship")
    names = list(kinship.relations)
    facts = {(int(h), names[r], int(t)) for h, r, t in kinship.triples.tolist()}
    by = {kin: {(h, t) for h, r, t in facts if r == kin} for kin in names}
    parent, child = by["father"] | by["mother"], by["son"] | by["daughter"]
    assert child == {(t, h) for h, t in parent}
    siblings = {(a, b) for a, p in parent for q, b in {(t, h) for h, t in parent} if p == q and a != b}
    assert by["brother"] | by["sister"] == siblings
    steps = [
        ("grandfather", "grandmother", parent, parent),
        ("uncle", "aunt", parent, siblings),
        ("nephew", "niece", siblings, child),
        ("father-in-law", "mother-in-law", by["husband"] | by["wife"], parent),
        ("son-in-law", "daughter-in-law", child, by["husband"] | by["wife"]),
    ]
    for male, female, first, second in steps:
        made = {(a, c) for a, b in first for b2, c in second if b == b2 and a != c}
        assert by[male] | by[female] == made, male


def test_orders_that_disagree_leave_several_readings() -> None:
    table = Compositions(
        {
            ("wife", "mother"): ("mother-in-law",),
            ("wife", "son"): ("son",),
            ("son", "grandmother"): ("mother", "mother-in-law"),
        }
    )
    facts = [("I", "wife", "W"), ("W", "son", "S"), ("S", "grandmother", "G"), ("G", "wife", "I")]
    assert table.readings(facts, ("I", "G")) == {"mother", "mother-in-law"}
    assert table.readings(facts[:2], ("I", "S")) == {"son"}
    assert table.readings(facts[:2], ("I", "G")) == set()
    assert table.allows("son", "grandmother", "mother-in-law")


@pytest.mark.parametrize(
    ("text", "message"),
    [("first\tsecond\nson\tson\n", "lacks one of"), ("first\tsecond\tresult\nson\tson\tx\nson\tson\ty\n", "twice")],
)
def test_a_broken_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "table.tsv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_compositions(str(tmp_path / "table.tsv"))

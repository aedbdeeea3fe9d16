"""WordNet as it ships: known facts, counts, and that compiling it again gives the same file."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import UPOS, KnowledgeGraph
from kgreason.errors import DataError
from kgreason.knowledge import WordNetSource, graph_notice, open_graph, ship_wordnet
from kgreason.knowledge.wndb import read_exceptions, read_synsets
from kgreason.knowledge.wordnet import RELATIONS
from kgreason.places import shipped

DICT = Path("/usr/share/wordnet")  # where Debian puts it


@pytest.fixture(scope="module")
def wordnet() -> KnowledgeGraph:
    return open_graph("wordnet", cache=False)


@pytest.fixture
def folder() -> Path:
    if not (DICT / "data.noun").is_file():
        pytest.skip("needs WordNet's database files: apt-get install wordnet-base")
    return DICT


def test_counts_are_those_of_wordnet_3(wordnet: KnowledgeGraph) -> None:
    assert len(wordnet.entities) == 117_659
    parts = np.bincount(wordnet.labels.pos, minlength=len(UPOS))
    assert {name: int(parts[UPOS.id(name)]) for name in ("NOUN", "VERB", "ADJ", "ADV")} == {
        "NOUN": 82_115,
        "VERB": 13_767,
        "ADJ": 18_156,
        "ADV": 3_621,
    }
    counts = np.bincount(wordnet.relation, minlength=len(wordnet.relations))
    found = dict(zip(wordnet.relations, counts.tolist(), strict=True))
    assert found["hypernym"] == 89_089
    assert found["instance_hypernym"] == 8_577
    assert found["part_holonym"] == 9_097
    assert found["entailment"] == 408
    assert found["cause"] == 220
    assert sorted(found) == sorted(RELATIONS.values())
    assert min(found.values()) > 0


@pytest.mark.parametrize(
    ("head", "relation", "tail"),
    [
        ("dog.n.01", "hypernym", "canine.n.02"),
        ("dog.n.01", "member_holonym", "canis.n.01"),
        ("hot.a.01", "antonym", "cold.a.01"),
        ("cold.a.01", "antonym", "hot.a.01"),
        ("paris.n.01", "instance_hypernym", "national_capital.n.01"),
        ("snore.v.01", "entailment", "sleep.v.01"),
        ("kill.v.01", "cause", "die.v.01"),
        ("fiery.s.02", "similar", "hot.a.01"),
        ("temperature.n.01", "attribute", "hot.a.01"),
        ("quickly.r.01", "pertainym", "quick.s.01"),
        ("car_door.n.01", "part_holonym", "car.n.01"),
        ("man.n.01", "antonym", "woman.n.01"),
    ],
)
def test_known_facts(wordnet: KnowledgeGraph, head: str, relation: str, tail: str) -> None:
    assert (relation, tail) in wordnet.out(head)
    assert (relation, head) in wordnet.into(tail)


def test_scores_prefer_what_was_seen_in_texts(wordnet: KnowledgeGraph) -> None:
    entity, score = wordnet.labels.senses("dog")
    assert wordnet.entities[int(entity[0])] == "dog.n.01"
    assert score[0] > 0.8
    assert {wordnet.entities[int(e)] for e in entity} >= {"chase.v.01", "cad.n.01", "frank.n.02"}
    sums = np.add.reduceat(wordnet.labels.score.astype(np.float64), wordnet.labels.ptr[:-1])
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_labels_have_spaces_and_keep_their_case(wordnet: KnowledgeGraph) -> None:
    assert wordnet.label(wordnet.entities.id("einstein.n.01")) == "Einstein"
    assert len(wordnet.labels.senses("Albert Einstein")[0]) == 1
    assert not any("_" in name for name in wordnet.labels.names)
    assert not any(name.endswith(("(a)", "(p)", "(ip)")) for name in wordnet.labels.names)


def test_no_gloss_is_shipped(wordnet: KnowledgeGraph) -> None:
    assert max(map(len, wordnet.labels.names)) < 80
    assert all("domesticated by man since prehistoric" not in name for name in wordnet.labels.names)


def test_the_notice_says_what_the_file_holds(wordnet: KnowledgeGraph) -> None:
    notice = graph_notice("wordnet")
    file = shipped("graphs") / notice["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == notice["sha256"]
    assert notice["entities"] == len(wordnet.entities)
    assert notice["triples"] == wordnet.num_triples
    assert notice["labels"] == len(wordnet.labels.names)
    assert notice["senses"] == len(wordnet.labels.entity)
    assert file.stat().st_size < 2_500_000
    assert "provided that you agree" in (shipped("graphs") / "WORDNET-LICENSE").read_text()
    assert wordnet.about["version"] == "3.0"


def test_irregular_forms_stand_in_a_plain_file() -> None:
    lines = (shipped("graphs") / "wordnet-exceptions.tsv").read_text("utf-8").splitlines()
    rows = [tuple(line.split("\t")) for line in lines]
    assert rows == sorted(set(rows))
    assert {
        ("NOUN", "geese", "goose"),
        ("VERB", "went", "go"),
        ("ADJ", "best", "good"),
        ("ADV", "best", "well"),
    } <= set(rows)
    assert all(len(row) == 3 and row[0] in UPOS for row in rows)


@pytest.mark.slow
def test_compiling_again_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    packed, exceptions, licence, _ = ship_wordnet(folder, tmp_path)
    for path in (exceptions, licence):
        assert path.read_bytes() == (shipped("graphs") / path.name).read_bytes(), path.name
    with np.load(packed) as made, np.load(shipped("graphs") / packed.name) as ships:  # any liblzma will do
        assert made.files == ships.files
        for name in made.files:
            np.testing.assert_array_equal(made[name], ships[name])
            assert made[name].dtype == ships[name].dtype


def test_every_pointer_left_out_has_its_inverse(folder: Path) -> None:
    inverses = {"~": "@", "~i": "@i", "%m": "#m", "%s": "#s", "%p": "#p", "-c": ";c", "-r": ";r", "-u": ";u"}
    edges: dict[str, set[tuple[str, str]]] = {}
    for synset in read_synsets(folder):
        for symbol, target in zip(synset.symbols, synset.targets, strict=True):
            edges.setdefault(symbol, set()).add((synset.key, target))
    for left_out, kept in inverses.items():
        assert {(b, a) for a, b in edges[left_out]} == edges[kept]
    assert set(edges) == set(RELATIONS) | set(inverses)


def wndb(folder: Path, **lines: list[str]) -> Path:
    for part in ("noun", "verb", "adj", "adv"):
        for kind in ("data", "index"):
            given = lines.get(f"{kind}_{part}", [])
            (folder / f"{kind}.{part}").write_text("".join(line + "\n" for line in ["  1 A notice.", *given]))
    return folder


ONE = "00000100 03 n 01 thing 0 000 | a gloss with | bars"
INDEX = "thing n 1 0 1 0 00000100"


@pytest.mark.parametrize(
    ("data", "index", "said"),
    [
        (["broken"], [INDEX], r"data\.noun, line 2 is not a synset line"),
        ([ONE, "00000200 03 n 09 a 0 000 | x"], [INDEX], r"data\.noun, line 3 is not a synset line"),
        ([ONE.replace("000 |", "002 @ |")], [INDEX], r"data\.noun, line 2"),
        ([ONE], ["thing n x"], r"index\.noun, line 2 is not an index line"),
        ([ONE], ["other n 1 0 1 0 00000100"], "install WordNet again"),
        ([ONE.replace("000 |", "001 @ 00000999 n 0000 |")], [INDEX], "n00000999"),
        ([ONE.replace("000 |", "001 ? 00000100 n 0000 |")], [INDEX], r"'\?'"),
    ],
)
def test_a_broken_database_is_refused_with_its_line(
    tmp_path: Path, data: list[str], index: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        WordNetSource(wndb(tmp_path, data_noun=data, index_noun=index))()


def test_what_may_be_missing_and_what_may_not(tmp_path: Path) -> None:
    other = "00000200 03 n 01 part 0 001 #p 00000100 n 0000 | a gloss"
    folder = wndb(tmp_path, data_noun=[ONE, other], index_noun=[INDEX, "part n 1 1 #p 1 0 00000200"])
    graph = WordNetSource(folder)()  # no cntlist.rev, no *.exc
    assert graph.out("part.n.01") == [("part_holonym", "thing.n.01")]
    assert read_exceptions(folder) == []
    (folder / "index.verb").unlink()
    with pytest.raises(DataError, match=r"index\.verb is missing"):
        WordNetSource(folder)()

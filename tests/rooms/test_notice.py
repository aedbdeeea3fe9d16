"""The manifest of a graph: every key is heeded, and what is wrong is said."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from kgreason import DataError, Example, KnowledgeGraph, StoreError
from kgreason.data import Entailment
from kgreason.data.rules import LEXICAL
from kgreason.errors import ConfigError
from kgreason.ground import GROUNDERS
from kgreason.ground.lexical import lexical_relations
from kgreason.ground.natural import NaturalRelations, Term
from kgreason.knowledge import known_graphs, open_built, open_graph, save_store
from kgreason.knowledge.notice import read_notice
from kgreason.parse import PARSERS
from kgreason.places import shipped

TSV = """\
wug\tkind\tcritter
dax\tkind\tcritter
critter\tcomprises\tblick
wug\tfoe\tdax
wug\tnear_to\thub
dax\tnear_to\thub
wug\tsee\tcritter
""" + "".join(f"thing {i}\tnear_to\thub\n" for i in range(8))
TTL = """\
@prefix u: <http://u/> .
u:a u:r u:b ; u:title "Alpha"@en, "Alfa"@de ; u:nick "Al"@en .
u:b u:r u:c .
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "words.tsv").write_text(TSV)
    (tmp_path / "words.ttl").write_text(TTL)
    return tmp_path


def manifest(folder: Path, text: str) -> str:
    (folder / "my.toml").write_text(text)
    return str(folder / "my.toml")


def relations_walked(graph: KnowledgeGraph, text: str) -> set[str]:
    """The relations of the facts that grounding brings in."""
    parse, ground = PARSERS.build({"name": "surface"}), GROUNDERS.build({"name": "neighbours", "hops": 2})
    [logic] = ground(parse([Example("1", (text,), ("context",))]), graph)
    return {graph.relations[r] for r in logic.edge_relation[logic.edge_type == 4].tolist()}


def says(graph: KnowledgeGraph, first: str, second: str) -> Entailment:
    told, _ = NaturalRelations(graph, facts="none").between([(Term(first, first), Term(second, second))])
    return Entailment(int(told[:, 0].argmax()))


def test_prose_goes_into_about(folder: Path) -> None:
    said = 'title = "T"\nversion = "2"\norigin = "O"\nlicence = "CC0"\nurl = "u"\nnote = "n"\nchanges = "c"\n'
    about = open_graph(manifest(folder, said + 'file = "words.tsv"\nentities = 13\n')).about
    wanted = {"title": "T", "version": "2", "origin": "O", "licence": "CC0", "url": "u", "note": "n", "changes": "c"}
    assert wanted.items() <= about.items()
    assert about["name"] == "my"
    assert about["entities"] == "13"


def test_the_checksum_is_compared_every_time(folder: Path) -> None:
    right = hashlib.sha256((folder / "words.tsv").read_bytes()).hexdigest()
    path = manifest(folder, f'file = "words.tsv"\nsha256 = "{right}"\n')
    assert open_graph(path).num_triples == 15
    (folder / "words.tsv").write_text(TSV + "a\tb\tc\n")
    with pytest.raises(StoreError, match=r"my\.toml says .* Say so in the manifest"):
        open_graph(path)


def test_a_file_that_changes_is_read_again(folder: Path) -> None:
    path = manifest(folder, 'file = "words.tsv"\n')
    assert open_graph(path).num_triples == 15
    (folder / "words.tsv").write_text(TSV + "a\tb\tc\n")
    assert open_graph(path).num_triples == 16


def test_form_and_arguments_of_the_reader(folder: Path) -> None:
    (folder / "rows.txt").write_text("to,what,from\ncritter,kind,wug\n")
    read = '[read]\nhead = "from"\nrelation = "what"\ntail = "to"\n'
    graph = open_graph(manifest(folder, 'file = "rows.txt"\nform = "csv"\n' + read))
    assert graph.out("wug") == [("kind", "critter")]
    with pytest.raises(ConfigError, match="does not take 'heads'"):
        open_graph(manifest(folder, 'file = "rows.txt"\nform = "csv"\n[read]\nheads = 1\n'))


def test_relations_that_name_things_in_rdf(folder: Path) -> None:
    names = '[names]\nrelations = ["http://u/title", "http://u/nick"]\n'
    graph = open_graph(manifest(folder, 'file = "words.ttl"\n' + names))
    a = graph.entities.id("http://u/a")
    assert graph.label(a) == "Alpha"
    assert graph.labels.senses("Al")[0].tolist() == [a]
    german = open_graph(manifest(folder, 'file = "words.ttl"\n' + names + 'language = "de"\n'))
    assert german.label(german.entities.id("http://u/a")) == "Alfa"
    assert open_graph(manifest(folder, 'file = "words.ttl"\n')).label(a) == "a"


def test_relations_that_name_things_in_a_table(folder: Path) -> None:
    (folder / "q.tsv").write_text("Q1\tlabel\tVienna\nQ1\talias\tWien\nQ1\tin\tQ2\nQ2\tlabel\tAustria\nQ3\tlabel\tQ2\n")
    graph = open_graph(manifest(folder, 'file = "q.tsv"\n[names]\nrelations = ["label", "alias"]\n'))
    assert list(graph.entities) == ["Q1", "Q2", "Q3"]
    assert [graph.label(i) for i in range(3)] == ["Vienna", "Austria", "Q2"]
    assert graph.labels.senses("Wien")[0].tolist() == [0]
    assert graph.labels.senses("Q1")[0].tolist() == [0]
    assert graph.num_triples == 1
    with pytest.raises(ConfigError, match="no fact is left"):
        open_graph(manifest(folder, 'file = "q.tsv"\n[names]\nrelations = ["label", "alias", "in"]\n'))


@pytest.mark.parametrize(
    ("walk", "wanted"),
    [
        ("", {"kind", "comprises", "foe", "near_to", "see"}),
        ('only = ["kind", "see"]', {"kind", "see"}),
        ('stop = ["foe", "near to"]', {"kind", "comprises", "see"}),
    ],
)
def test_grounding_walks_what_may_be_walked(folder: Path, walk: str, wanted: set[str]) -> None:
    graph = open_graph(manifest(folder, f'file = "words.tsv"\n[walk]\n{walk}\n'))
    assert relations_walked(graph, "The wug is here.") == wanted


def test_a_hub_ends_a_walk(folder: Path) -> None:
    graph = open_graph(manifest(folder, 'file = "words.tsv"\n[walk]\nhub_limit = 5\n'))
    parse, ground = PARSERS.build({"name": "surface"}), GROUNDERS.build({"name": "neighbours", "hops": 2})
    [logic] = ground(parse([Example("1", ("The wug is here.",), ("context",))]), graph)
    reached = {graph.entities[e] for e in logic.node_entity.tolist() if e >= 0}
    assert "hub" in reached
    assert not {f"thing {i}" for i in range(8)} & reached


def test_what_relations_say_of_words(folder: Path) -> None:
    plain = open_graph(manifest(folder, 'file = "words.tsv"\n'))
    assert says(plain, "wug", "critter") == Entailment.INDEPENDENCE
    told = '[lexical]\nkind = "forward"\ncomprises = "reverse"\nfoe = "negation"\n'
    graph = open_graph(manifest(folder, 'file = "words.tsv"\n' + told))
    assert says(graph, "wug", "critter") == Entailment.FORWARD
    assert says(graph, "critter", "wug") == Entailment.REVERSE
    assert says(graph, "blick", "critter") == Entailment.FORWARD
    assert says(graph, "wug", "dax") in (Entailment.NEGATION, Entailment.ALTERNATION)


def test_alignment_goes_by_the_same_words(folder: Path) -> None:
    told = '[lexical]\nkind = "forward"\ncomprises = "reverse"\nsee = "equivalence"\n'
    graph = open_graph(manifest(folder, 'file = "words.tsv"\n' + told))
    ids = [graph.entities.id(name) for name in ("blick", "wug", "critter")]
    low, high = (np.array([i], np.int32) for i in (ids[0], ids[2]))
    assert lexical_relations(graph).reaches(low, high)
    assert not lexical_relations(graph).reaches(high, low)


@pytest.mark.slow
def test_questions_keep_to_what_may_be_walked(folder: Path) -> None:
    import kgreason as kr

    (folder / "films.tsv").write_text("Alien\tdirected_by\tRidley Scott\nAliens\tdirected_by\tJames Cameron\n")
    question = "Who directed Alien?"
    assert kr.over(manifest(folder, 'file = "films.tsv"\n')).ask(question).answer == "Ridley Scott"
    found = kr.over(manifest(folder, 'file = "films.tsv"\n[walk]\nstop = ["directed_by"]\n')).ask(question)
    assert found.answer == "none of these"
    assert found.notes[-1].startswith("No fact of the knowledge graph leads on")


def test_a_store_may_be_described(folder: Path) -> None:
    save_store(KnowledgeGraph.from_triples([("a", "r", "b"), ("a", "s", "b")]), folder / "store")
    path = manifest(folder, 'file = "store"\n[walk]\nstop = ["s"]\n')
    graph = open_built({"name": "manifest", "path": path})
    assert graph.rules.stop == ("s",)
    assert graph.num_triples == 2


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("=", "cannot be read"),
        ("title = 'x'", "either 'file' or 'endpoint'"),
        ('file = "a"\nendpoint = "http://x/"', "either 'file' or 'endpoint'"),
        ('file = "words.tsv"\nhops = 2', "'hops' is for an endpoint"),
        ('file = "words.tsv"\n[limits]\nfacts = 2', "'limits' is for an endpoint"),
        ('endpoint = "http://x/"\nsha256 = "0"', "'sha256' is for a file"),
        ('file = "words.tsv"\nlicense = "CC0"', "Did you mean 'licence'"),
        ('file = "words.tsv"\n[labels]\nrelations = []', "Did you mean 'names'"),
        ('file = "words.tsv"\n[walk]\nstops = ["see"]', r"\[walk\] has no 'stops'. Did you mean 'stop'"),
        ('file = "words.tsv"\n[walk]\nstop = "see"', "expected a list of names"),
        ('file = "words.tsv"\n[walk]\nhub_limit = "5"', "expected a whole number"),
        ('file = "words.tsv"\n[walk]\nhub_limit = -5', "expected a number of facts"),
        ('file = "words.tsv"\n[walk]\nstop = ["kinds"]', r"which the graph does not have. Did you mean 'kind'"),
        ('file = "words.tsv"\n[lexical]\nkind = "hypernym"', "is none of: equivalence"),
        ('file = "words.tsv"\n[lexical]\nkindly = "forward"', r"\[lexical\] names the relation 'kindly'"),
        ("file = 3", "file = 3 is no str"),
        ('file = "words.tsv"\nwalk = 3', "walk = 3 is no dict"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        open_graph(manifest(folder, text))


def test_a_file_that_is_not_there(folder: Path) -> None:
    with pytest.raises(DataError, match=r"describes the file .*gone\.tsv, which is not there"):
        open_graph(manifest(folder, 'file = "gone.tsv"\n'))


def test_a_relation_may_be_called_as_people_call_it(folder: Path) -> None:
    (folder / "x.nt").write_text("<u:a> <http://x.org/v#hasPart> <u:b> .\n<u:a> <http://y.org/hasPart> <u:c> .\n")
    with pytest.raises(
        ConfigError, match=r"'has part' is what http://x.org/v#hasPart and http://y.org/hasPart are call"
    ):
        open_graph(manifest(folder, 'file = "x.nt"\n[walk]\nstop = ["has part"]\n'))
    graph = open_graph(manifest(folder, 'file = "x.nt"\n[walk]\nstop = ["http://y.org/hasPart"]\n'))
    assert graph.rules.stop == ("http://y.org/hasPart",)


@pytest.mark.parametrize("name", known_graphs())
def test_every_manifest_that_ships_is_one(name: str) -> None:
    notice = read_notice(shipped("graphs") / f"{name}.toml")
    assert notice.about["title"]
    assert notice.about["licence"]


def test_the_meanings_are_those_that_words_are_compared_by() -> None:
    from kgreason.ground.sense_graph import MAPPING

    assert set(LEXICAL) == set(MAPPING)

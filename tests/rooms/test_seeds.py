"""Seed entities, given and linked."""

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError, DataError, StoreError
from kgreason.ground import SeedsGrounder, check_seeds
from kgreason.ground.grams import GramIndex, fold
from kgreason.ground.names import resolve
from kgreason.ground.recall import link_recall
from kgreason.knowledge.triples import TriplesSource
from kgreason.parse import SpansParser, SurfaceParser

FILMS = KnowledgeGraph.from_triples(
    [
        ("m1", "directed_by", "p1"),
        ("m2", "directed_by", "p2"),
        ("m3", "directed_by", "p2"),
        ("Her", "directed_by", "p3"),
    ],
    names={
        "m1": ["Kismet"],
        "m2": ["Kismet", "Kismet (1955)"],
        "m3": ["Some Mother's Son"],
        "p1": ["William Dieterle"],
        "p2": ["Terry George", "Jorge"],
        "p3": ["Spike Jonze"],
    },
)


def parsed(text: str, seeds: tuple[str, ...] = (), mentions: tuple[tuple[int, int, int], ...] = ()) -> LogicGraph:
    (graph,) = SurfaceParser()([Example("q", (text,), ("question",), None, seeds, mentions)])
    return graph


def entities(graph: LogicGraph) -> dict[str, float]:
    """Name to score of the ENTITY nodes."""
    at = np.flatnonzero(graph.node_type == NodeType.ENTITY)
    return {FILMS.entities[int(graph.node_entity[i])]: round(float(graph.node_score[i]), 3) for i in at}


def links(graph: LogicGraph) -> set[tuple[str, str]]:
    source, target = graph.edge_index[:, graph.edge_type == EdgeType.LINK].tolist()
    return {
        (graph.node_text[a], FILMS.entities[int(graph.node_entity[b])]) for a, b in zip(source, target, strict=True)
    }


def test_parsers_hand_on_what_is_known_of_seeds() -> None:
    given = Example("q", ("who directed Kismet",), ("question",), None, ("Kismet",), ((0, 13, 19),))
    for parser in (SurfaceParser(), SpansParser(SurfaceParser())):
        (graph,) = parser([given])
        assert (graph.seeds, graph.mentions) == (given.seeds, given.mentions)


def test_the_name_of_an_entity_means_it_alone() -> None:
    (graph,) = SeedsGrounder()([parsed("who made m1", ("m1",))], FILMS)
    assert entities(graph) == {"m1": 1.0}
    assert links(graph) == {("m1", "m1")}, "a seed whose mention nobody gave is looked for"


def test_a_seed_that_stands_nowhere_has_no_link() -> None:
    (graph,) = SeedsGrounder()([parsed("who directed that one", ("Kismet",))], FILMS)
    assert entities(graph) == {"m1": 0.5, "m2": 0.5}
    assert not links(graph)


def test_a_label_of_several_entities_gives_them_all() -> None:
    (graph,) = SeedsGrounder()([parsed("who directed Kismet", ("Kismet",), ((0, 13, 19),))], FILMS)
    assert entities(graph) == {"m1": 0.5, "m2": 0.5}
    assert links(graph) == {("Kismet", "m1"), ("Kismet", "m2")}
    assert graph.num_nodes == 3 + 2, "the word that is the mention stands for it"


def test_no_more_senses_than_asked_for() -> None:
    (graph,) = SeedsGrounder(max_senses=1)([parsed("who directed Kismet", ("Kismet",))], FILMS)
    assert entities(graph) == {"m1": 1.0}


def test_a_mention_of_several_words_gets_a_phrase_that_covers_it() -> None:
    text = "who directed Some Mother's Son ?"
    (graph,) = SeedsGrounder()([parsed(text, ("Some Mother's Son",), ((0, 13, 30),))], FILMS)
    assert links(graph) == {("Some Mother's Son", "m3")}
    (phrase,) = np.flatnonzero(graph.node_type == NodeType.PHRASE)
    assert graph.node_span[phrase].tolist() == [0, 13, 30]


def test_a_mention_may_end_inside_a_word() -> None:
    (graph,) = SeedsGrounder()([parsed("films like Kismets", ("Kismet",), ((0, 11, 17),))], FILMS)
    assert links(graph) == {("Kismet", "m1"), ("Kismet", "m2")}


def test_a_name_is_found_in_another_case_or_punctuation() -> None:
    assert resolve(["some mothers son"], FILMS, 8) == {}
    found = resolve(["SOME MOTHER ' S SON"], FILMS, 8)
    assert [FILMS.entities[e] for meaning in found.values() for e in meaning.entity.tolist()] == ["m3"]


def test_a_seed_that_is_given_twice_counts_once() -> None:
    (graph,) = SeedsGrounder()([parsed("Her or Her", ("Her", "Her"), ((0, 0, 3), (0, 0, 3)))], FILMS)
    assert entities(graph) == {"Her": 1.0}
    assert (graph.edge_type == EdgeType.LINK).sum() == 1


def test_unknown_seeds_are_counted_when_grounding(caplog: pytest.LogCaptureFixture) -> None:
    graphs = [parsed("who is Nobody", ("Nobody",)), parsed("who is Jorge", ("Jorge",))]
    with caplog.at_level(logging.WARNING, "kgreason.ground"):
        first, second = SeedsGrounder()(graphs, FILMS)
    assert entities(first) == {}
    assert entities(second) == {"p2": 1.0}
    assert "1 of 2 given seeds" in caplog.text
    assert "'Nobody' of example 'q'" in caplog.text


def test_unknown_seeds_are_refused_with_what_is_near() -> None:
    check_seeds([parsed("who is Jorge", ("Jorge",))], FILMS)
    with pytest.raises(DataError, match=r"the seed 'Spike Jonse' is no entity .* Did you mean 'Spike Jonze'\?"):
        check_seeds([parsed("who is Spike Jonse", ("Spike Jonse",))], FILMS)


def test_mentions_must_go_with_seeds() -> None:
    graph = parsed("who is Jorge", ("Jorge",))
    with pytest.raises(DataError, match="give one mention per seed"):
        LogicGraph(**{name: getattr(graph, name) for name in graph.__slots__} | {"mentions": ((0, 0, 1), (0, 1, 2))})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"link": "magic"}, "link = 'magic'"), ({"max_seeds": 0}, "max_seeds = 0"), ({"given": "no"}, "given = 'no'")],
)
def test_wrong_settings_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SeedsGrounder(**arguments)  # type: ignore[arg-type]


LINKED = KnowledgeGraph.from_triples(
    [
        ("Tom Hanks", "starred_in", "The Terminal"),
        ("Tom Hanks", "starred_in", "Kids"),
        ("Tom", "starred_in", "Her"),
        ("film", "tag_of", "Her"),
        ("actors", "tag_of", "Kids"),
        ("kids", "tag_of", "The Terminal"),
        ("Don't Look Now", "directed_by", "Nicolas Roeg"),
        ("Amélie", "directed_by", "Jean-Pierre Jeunet"),
        ("The Director", "directed_by", "Nicolas Roeg"),
        ("hot dog", "served_in", "The Terminal"),
        ("Spider-Man", "directed_by", "Sam Raimi"),
        ("Up", "directed_by", "Pete Docter"),
        ("Heart disease", "tag_of", "Up"),
    ]
)


def linked(text: str, link: str = "exact", **arguments: object) -> list[str]:
    """Names of the seeds, the surest first."""
    (graph,) = SeedsGrounder(link, **arguments)([parsed(text)], LINKED)  # type: ignore[arg-type]
    at = np.flatnonzero(graph.node_type == NodeType.ENTITY)
    order = at[np.argsort(-graph.node_score[at], kind="stable")]
    return [LINKED.entities[int(graph.node_entity[i])] for i in order]


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("what films did Tom Hanks act in", "Tom Hanks"),  # the longest span, not Tom
        ("who are the actors in the film Kids", "Kids"),  # what is written as names are
        ("what films can be described by kids", "kids"),  # the case of the label
        ("who is the director of the film Her", "Her"),  # a function word, but a name here
        ("who made Up ?", "Up"),
        ("Don't Look Now, when was it released", "Don't Look Now"),  # a parser cuts "Do", "n't"
        ("which people did TOM HANKS meet", "Tom Hanks"),
        ("what did tom hanks act in", "Tom Hanks"),
        ("who directed The Director", "The Director"),
        ("films about actors", "actors"),  # common, but the best there is
    ],
)
def test_the_mention_that_is_meant_is_linked(text: str, seed: str) -> None:
    assert linked(text)[:1] == [seed]


@pytest.mark.parametrize("text", ["", "what is it about her", "who was up in it"])
def test_where_nothing_is_named_nothing_is_linked(text: str) -> None:
    assert linked(text) == []


def test_several_seeds_of_one_text() -> None:
    assert set(linked("did Tom Hanks meet Sam Raimi")) == {"Tom Hanks", "Sam Raimi"}
    assert len(linked("did Tom Hanks meet Sam Raimi", max_seeds=1)) == 1


def test_a_surest_linked_seed_weighs_as_much_as_a_given_one() -> None:
    (graph,) = SeedsGrounder("exact")([parsed("what films did Tom Hanks act in")], LINKED)
    assert graph.node_score[graph.node_type == NodeType.ENTITY].tolist() == [1.0]
    assert 0.5 < graph.edge_score[graph.edge_type == EdgeType.LINK].item() < 1.0


def test_in_lower_case_the_meanings_in_any_case_stay() -> None:
    assert set(linked("films about kids")) == {"kids", "Kids"}


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("what films did Tom Hank act in", "Tom Hanks"),
        ("what films did Tmo Hanks act in", "Tom Hanks"),
        ("who directed Amelie", "Amélie"),
        ("who directed amelie", "Amélie"),
        ("who directed Spiderman", "Spider-Man"),
        ("who directed spider man", "Spider-Man"),
        ("who directed Dont Look Now", "Don't Look Now"),
        ("films of Jean Pierre Jeunet", "Jean-Pierre Jeunet"),
        ("films of TomHanks", "Tom Hanks"),
    ],
)
@pytest.mark.parametrize("link", ["fuzzy", "auto"])
def test_misspelt_names_are_linked(link: str, text: str, seed: str) -> None:
    assert linked(text, link)[:1] == [seed]


def test_what_is_spelt_right_is_not_taken_for_another() -> None:
    assert linked("what are the films of Tom", "fuzzy") == ["Tom"]


def test_lemmas_count_where_they_are_asked_for() -> None:
    graph = parsed("where are hot dogs served")
    lemmas = tuple("dog" if word == "dogs" else word for word in graph.node_text)
    told = replace(graph, node_lemma=lemmas)
    assert SeedsGrounder("exact")([told], LINKED)[0] is told
    (found,) = SeedsGrounder("lemma")([told], LINKED)
    assert found.node_text[-1] == "hot dog"


def test_given_seeds_go_first_unless_they_are_to_be_ignored() -> None:
    graph = parsed("what films did Tom Hanks act in", ("Sam Raimi",))
    assert [g.node_text[-1] for g in SeedsGrounder("exact")([graph], LINKED)] == ["Sam Raimi"]
    assert [g.node_text[-1] for g in SeedsGrounder("exact", given="ignore")([graph], LINKED)] == ["Tom Hanks"]


def test_dense_linking_finds_what_is_said_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path))
    assert linked("who suffers from cardiac illness", "fuzzy") == []
    assert linked("who suffers from cardiac illness", "dense")[:1] == ["Heart disease"]
    (kept,) = (tmp_path / "labels").iterdir()
    assert linked("who suffers from cardiac illness", "auto")[:1] == ["Heart disease"]
    assert np.load(kept).shape == (len(LINKED.labels.names), 384)
    kept.write_bytes(b"broken")
    with pytest.raises(StoreError, match="delete the file"):
        linked("who suffers from cardiac illness", "dense")


def test_linking_loads_no_torch() -> None:
    code = (
        "import sys, kgreason.ground as g, kgreason.parse as p, kgreason.data as d\n"
        "k = d.KnowledgeGraph.from_triples([('Tom Hanks', 'in', 'Kids')])\n"
        "e = d.Example('q', ('films of Tom Hank',), ('question',))\n"
        "(found,) = g.SeedsGrounder('fuzzy')(p.SurfaceParser()([e]), k)\n"
        "assert found.node_text[-1] == 'Tom Hanks', found.node_text\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_recall_by_hand() -> None:
    graphs = [
        parsed("films of Tom Hanks", ("Tom Hanks",)),
        parsed("films of Tom", ("Sam Raimi",)),
        parsed("films of nobody", ("Nobody",)),
        parsed("no gold seed"),
    ]
    r = link_recall(SeedsGrounder("exact", given="ignore")(graphs, LINKED), LINKED)
    assert (r.questions, r.known, r.first, r.found) == (3, 2 / 3, 1 / 3, 1 / 3)
    assert (r.precision, r.nothing) == (0.5, 1 / 3)


def test_folding() -> None:
    assert fold("Łódź — Æther's Ĳ\n2Fast") == "lodz aether s ij\n2fast"


def test_an_index_of_trigrams_finds_what_a_look_at_every_label_finds() -> None:
    names = [f"{a} {b}" for a in ("blue", "green", "amber", "river") for b in ("mountain", "valley", "forest")]
    index = GramIndex(names)
    text = fold("Where is the gren valey of the amber fores?")
    near = {names[i] for i in index.near(text, 100).tolist()}
    assert {"green valley", "amber forest"} <= near
    assert "blue mountain" not in near
    assert index.near(text, 100).tolist() == index.near(text, 100).tolist(), "the counts are left as they were"


@pytest.mark.slow
def test_metaqa_seeds_are_found_without_their_brackets(data: Path) -> None:
    knowledge = TriplesSource(str(data / "metaqa" / "graph.tsv"))()
    asked = []
    for i, line in enumerate((data / "metaqa" / "2-hop_dev.txt").read_text(encoding="utf-8").splitlines()[:3000]):
        before, _, rest = line.split("\t")[0].partition("[")
        seed, _, after = rest.rpartition("]")
        asked.append(Example(str(i), (before + seed + after,), ("question",), None, (seed,)))
    graphs = SeedsGrounder("exact", given="ignore")(SurfaceParser()(asked), knowledge)
    r = link_recall(graphs, knowledge)
    assert r.first > 0.99 * r.known
    assert r.precision > 0.97

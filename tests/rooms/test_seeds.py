"""Seed entities, given and linked."""

import logging

import numpy as np
import pytest

from kgreason.data import EdgeType, Example, KnowledgeGraph, LogicGraph, NodeType
from kgreason.errors import ConfigError, DataError
from kgreason.ground import SeedsGrounder, check_seeds
from kgreason.ground.names import resolve
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
    ("arguments", "message"), [({"link": "magic"}, "link = 'magic'"), ({"max_seeds": 0}, "max_seeds = 0")]
)
def test_wrong_settings_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SeedsGrounder(**arguments)  # type: ignore[arg-type]

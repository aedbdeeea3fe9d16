"""The graph of the world: what ships is what the Turtle says, and the Turtle does not contradict itself."""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from kgreason.cli import graph as commands
from kgreason.cli import graph_look as looking
from kgreason.data import KnowledgeGraph, entities_of
from kgreason.knowledge import open_graph, ship_world

ROOT = Path(__file__).parents[2]
RELATION = "urn:kgreason:world/relation/"
#: Pairs of continents that one can walk between, as two countries do here.
JOINED = [{"Europe", "Asia"}, {"Africa", "Asia"}, {"North America", "South America"}, {"Asia", "Oceania"}]
#: Spain has two cities on the African coast.
CEUTA = {"Spain", "Morocco"}
Facts = dict[str, set[str]]


@pytest.fixture(scope="module")
def world() -> KnowledgeGraph:
    return open_graph("world", cache=False)


@pytest.fixture(scope="module")
def facts(world: KnowledgeGraph) -> dict[str, Facts]:
    """Relation to head to tails, by what they are called."""
    found: dict[str, Facts] = defaultdict(lambda: defaultdict(set))
    for h, r, t in world.triples.tolist():
        found[world.relations[r].removeprefix(RELATION)][world.label(h)].add(world.label(t))
    return found


def turned(relation: Facts) -> Facts:
    found: Facts = defaultdict(set)
    for head, tails in relation.items():
        for tail in tails:
            found[tail].add(head)
    return found


def test_what_ships_is_packed_from_the_turtle(tmp_path: Path) -> None:
    for path in ship_world(ROOT / "graphs" / "world.ttl", tmp_path):
        shipped = (ROOT / "graphs" / path.name).read_bytes()
        assert path.read_bytes() == shipped, f"{path.name} is stale; run: kgreason graph world"


def test_opening_it_needs_neither_rdflib_nor_much_time() -> None:
    code = (
        "import sys; from kgreason.knowledge import open_graph; open_graph('world'); sys.exit('rdflib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_commands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    looking.info("world")
    assert "borders, neighbour" in capsys.readouterr().out
    commands.world(ROOT / "graphs" / "world.ttl", tmp_path)
    assert "world.npz" in capsys.readouterr().out


def test_every_country_has_what_countries_have(facts: dict[str, Facts]) -> None:
    countries = set(facts["capital"])
    assert len(countries) >= 190
    for relation in ("continent", "currency", "drives_on"):
        missing = countries - set(facts[relation])
        assert not missing, f"no {relation}: {sorted(missing)}"
    assert countries - set(facts["internet_domain"]) == {"Kosovo"}
    assert set(facts["continent"]) == countries
    assert all(len(domains) == 1 for domains in facts["internet_domain"].values())
    assert all(len(sides) == 1 for sides in facts["drives_on"].values())
    assert all(len(names) == 1 for names in turned(facts["internet_domain"]).values())


#: How many members each has, of those that are countries here (Montserrat is the fifteenth of CARICOM).
MEMBERS = {
    "European Union": 27,
    "NATO": 32,
    "ASEAN": 11,
    "African Union": 54,
    "OPEC": 12,
    "G7": 7,
    "G20": 19,
    "Arab League": 22,
    "Gulf Cooperation Council": 6,
    "Commonwealth of Nations": 56,
    "OECD": 38,
    "CARICOM": 14,
    "ECOWAS": 12,
    "SAARC": 8,
    "Nordic Council": 5,
    "Benelux": 3,
    "Shanghai Cooperation Organisation": 10,
    "East African Community": 8,
    "Southern African Development Community": 16,
    "Andean Community": 4,
    "Schengen Area": 29,
    "BRICS": 10,
    "Mercosur": 5,
    "Pacific Islands Forum": 14,
    "United Nations": 193,
}


def test_organisations_have_all_their_members(facts: dict[str, Facts]) -> None:
    found = {name: len(members) for name, members in turned(facts["member_of"]).items()}
    assert found == MEMBERS
    africa = {country for country, continents in facts["continent"].items() if "Africa" in continents}
    assert turned(facts["member_of"])["African Union"] == africa
    euro = turned(facts["currency"])["euro"] & turned(facts["member_of"])["European Union"]
    assert len(euro) == 21  # Bulgaria is the last that came


def test_a_capital_lies_in_its_country_and_serves_no_other(facts: dict[str, Facts]) -> None:
    for country, capitals in facts["capital"].items():
        assert all(facts["city_in"].get(city, {country}) == {country} for city in capitals), country
    assert all(len(countries) == 1 for countries in turned(facts["capital"]).values())


def test_a_city_is_in_one_country_and_the_largest_one_is_at_home(facts: dict[str, Facts]) -> None:
    assert all(len(countries) == 1 for countries in facts["city_in"].values())
    for country, (city,) in facts["largest_city"].items():
        assert facts["city_in"][city] == {country}
    others = set(facts["city_in"]) - set(turned(facts["capital"]))
    assert len(others) >= 150
    named = set(turned(facts["landmark_in"])) | set(turned(facts["held_in"])) | set(turned(facts["headquarters"]))
    assert {city for city in named if city not in facts["city_in"]} <= {"Singapore", "Vatican City"}


def test_borders_are_stated_both_ways_and_cross_no_ocean(facts: dict[str, Facts]) -> None:
    for country, neighbours in facts["borders"].items():
        assert country not in neighbours
        for other in neighbours:
            assert country in facts["borders"][other], f"{other} does not border {country}"
            here, there = facts["continent"][country], facts["continent"][other]
            near = here & there or any({a, b} in JOINED for a in here for b in there)
            assert near or {country, other} == CEUTA, (country, other)
    assert len(facts["borders"]["China"]) == 14
    assert len(facts["borders"]["Brazil"]) == 9  # without France, whose overseas parts are left out


def test_a_highest_mountain_stands_in_its_country(facts: dict[str, Facts]) -> None:
    for country, (mountain,) in facts["highest_mountain"].items():
        assert country in facts["mountain_in"][mountain], (country, mountain)


def test_a_river_rises_where_it_flows_and_ends_in_one_water(facts: dict[str, Facts]) -> None:
    for river, countries in facts["rises_in"].items():
        assert countries <= facts["flows_through"][river], river
    assert all(len(waters) == 1 for waters in facts["flows_into"].values())
    waters = set(turned(facts["coast_on"])) | set(facts["flows_through"]) | set(facts["lake_in"])
    assert set(turned(facts["flows_into"])) <= waters


def test_the_cities_on_a_river_are_where_it_flows(facts: dict[str, Facts]) -> None:
    for city, rivers in facts["stands_on_river"].items():
        for river in rivers:
            assert facts["city_in"][city] & facts["flows_through"][river], (city, river)


def test_a_river_ends_at_a_coast_of_a_country_that_it_flows_through(facts: dict[str, Facts]) -> None:
    seas = turned(facts["coast_on"])
    for river, (water,) in facts["flows_into"].items():
        if water in seas:
            assert seas[water] & facts["flows_through"][river], (river, water)


def test_a_tributary_shares_a_country_with_its_river(facts: dict[str, Facts]) -> None:
    for river, (water,) in facts["flows_into"].items():
        if water in facts["flows_through"]:
            assert facts["flows_through"][river] & facts["flows_through"][water], (river, water)


def test_seas_do_not_lie_in_each_other_in_a_circle(facts: dict[str, Facts]) -> None:
    for sea, above in facts["part_of_sea"].items():
        seen = {sea}
        while above:
            (water,) = above
            assert water not in seen
            seen.add(water)
            above = facts["part_of_sea"].get(water, set())


def test_the_domains_of_relations_do_not_mix(facts: dict[str, Facts]) -> None:
    kinds = ["flows_through", "lake_in", "mountain_in", "desert_in", "island_of", "landmark_in", "held_in"]
    for i, one in enumerate(kinds):
        for other in kinds[i + 1 :]:
            assert not set(facts[one]) & set(facts[other]), (one, other)
        assert not set(facts[one]) & set(facts["capital"]), one


def test_every_name_that_is_shown_means_one_thing(world: KnowledgeGraph) -> None:
    shown = [world.label(i) for i in range(len(world.entities))]
    assert len(set(shown)) == len(shown)
    for i, name in enumerate(shown):
        assert entities_of(world, name).tolist() == [i], name


@pytest.mark.parametrize(
    ("name", "entity"),
    [("USA", "United States"), ("Holland", "Netherlands"), ("Burma", "Myanmar"), ("the Danube", "Danube")],
)
def test_other_names_lead_to_the_same_thing(world: KnowledgeGraph, name: str, entity: str) -> None:
    assert [world.label(i) for i in entities_of(world, name).tolist()] == [entity]


def test_an_ambiguous_name_has_all_its_meanings(world: KnowledgeGraph) -> None:
    assert len(entities_of(world, "Congo")) == 2


def test_every_relation_says_what_it_is_called(world: KnowledgeGraph) -> None:
    assert set(world.relation_labels) == set(world.relations)
    assert all(len(texts) >= 2 for texts in world.relation_labels.values())
    assert world.relation_labels[f"{RELATION}capital"] == ("capital", "capital city")
    assert not any(name.startswith(RELATION) for name in world.entities)

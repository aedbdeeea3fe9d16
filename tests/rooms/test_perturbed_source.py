"""A graph that is spoilt where it comes from, so that whatever reads it sees the same wrong facts."""

from pathlib import Path

import numpy as np
import pytest

from kgreason.data.perturbed import perturb_graph
from kgreason.errors import ConfigError
from kgreason.experiment.build import build_knowledge
from kgreason.frontier import Facts


@pytest.fixture
def table(tmp_path: Path) -> dict[str, object]:
    path = tmp_path / "graph.tsv"
    rows = [f"e{i % 40}\tr{i % 3}\te{(7 * i + i // 40) % 60}\n" for i in range(200)]
    path.write_text("".join(rows))
    return {"name": "triples", "path": str(path)}


@pytest.mark.parametrize("mode", ["tails", "relations", "rewire", "drop"])
def test_the_graph_is_the_one_that_the_mode_makes(table: dict[str, object], mode: str) -> None:
    real = build_knowledge(table)
    spoilt = build_knowledge({"name": "perturb", "around": table, "mode": mode, "share": 0.25, "seed": 3})
    np.testing.assert_array_equal(spoilt.triples, perturb_graph(real, mode, 0.25, 3).triples)
    assert not np.array_equal(spoilt.triples, real.triples)
    assert list(spoilt.entities) == list(real.entities)
    assert mode in spoilt.about["perturbed"]


def test_the_facts_that_a_walk_follows_are_spoilt_too(table: dict[str, object]) -> None:
    real, spoilt = (Facts.of(build_knowledge(t)) for t in (table, {"name": "perturb", "around": table}))
    assert not np.array_equal(spoilt.tail, real.tail)
    np.testing.assert_array_equal(spoilt.head_ptr, real.head_ptr)
    pairs = set(zip(spoilt.tail.tolist(), spoilt.relation.tolist(), strict=True))
    ends = np.repeat(np.arange(spoilt.num_entities), np.diff(spoilt.tail_ptr))
    assert pairs == set(zip(ends.tolist(), spoilt.inverse.tolist(), strict=True)), "both directions, the same facts"


def test_a_graph_that_ships_is_named(table: dict[str, object]) -> None:
    spoilt = build_knowledge({"name": "perturb", "around": "world", "mode": "drop", "share": 0.5})
    real = build_knowledge({"name": "world"})
    assert spoilt.num_triples == real.num_triples - round(0.5 * real.num_triples)
    assert spoilt.label(3) == real.label(3)


def test_one_may_stand_around_another(table: dict[str, object]) -> None:
    half = {"name": "perturb", "around": table, "mode": "drop", "share": 0.5}
    whole = build_knowledge(table).num_triples
    assert build_knowledge({"name": "perturb", "around": half, "mode": "drop", "share": 0.5}).num_triples == whole // 4


def test_wrong_tables_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="mode = 'heads' is not known"):
        build_knowledge({"name": "perturb", "around": table, "mode": "heads"})
    with pytest.raises(ConfigError, match="needs a value for: around"):
        build_knowledge({"name": "perturb"})
    with pytest.raises(ConfigError, match="does not take 'around'"):
        build_knowledge(table | {"around": table})
    with pytest.raises(ConfigError, match="'nowhere'"):
        build_knowledge({"name": "perturb", "around": "nowhere"})

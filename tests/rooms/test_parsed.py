"""Parses on disk are the parses themselves."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from kgreason.data import Example, LogicGraph
from kgreason.experiment.parsed import parse_once
from kgreason.parse import PARSERS

EXAMPLES = [
    Example("a", ("Not every old cat sleeps .", "An animal rests"), ("premise", "hypothesis"), seeds=("cat",)),
    Example("b", ("x\x00y \ud800 “ü”", "."), ("premise", "hypothesis")),
]
TABLE = {"name": "semantic", "around": {"name": "dependency"}}


def same(one: LogicGraph, other: LogicGraph) -> bool:
    for f in fields(LogicGraph):
        a, b = getattr(one, f.name), getattr(other, f.name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not np.array_equal(a, b):
                return False
        elif f.name != "edits" and a != b:
            return False
    return True


def test_what_comes_back_is_what_was_parsed_and_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGREASON_CACHE", str(tmp_path))
    parser, calls = PARSERS.get("semantic")(PARSERS.get("dependency")()), []

    def counted(examples: Sequence[Example]) -> list[LogicGraph]:
        calls.append(len(examples))
        return list(parser(examples))

    first = parse_once(counted, TABLE, EXAMPLES)
    again = parse_once(counted, TABLE, EXAMPLES)
    assert calls == [2]
    assert all(map(same, first, again))
    assert [p.suffix for p in (tmp_path / "parses").iterdir()] == [".npz"]
    parse_once(counted, TABLE, EXAMPLES[:1])
    parse_once(counted, TABLE | {"polarity": "none"}, EXAMPLES)
    parse_once(counted, {"name": "mine:Parser"}, EXAMPLES)
    assert calls == [2, 1, 2, 2]
    for path in (tmp_path / "parses").iterdir():
        path.write_bytes(path.read_bytes()[:99])
    assert all(map(same, first, parse_once(counted, TABLE, EXAMPLES)))
    assert len(calls) == 5

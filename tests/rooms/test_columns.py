"""Prepared examples laid end to end: what is cut out again is what went in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgreason.collate import Prepared
from kgreason.data import Example
from kgreason.errors import StoreError
from kgreason.experiment.columns import COLUMNS, Columns
from kgreason.experiment.prepare import load, save

_AHEAD = {"edge_index": 2, "link_index": 2, "pair_index": 2, "edit_nodes": 2, "edit_relation": 7, "edit_polarity": 2}
_FLOATS, _BYTES = (
    ("node_score", "edge_score", "edit_relation"),
    ("_kind", "_text", "node_type", "node_pos", "pair_type"),
)


def example(uid: str, sizes: list[int], rng: np.random.Generator) -> Prepared:
    """An example of any sizes; what is counted alike has the same size."""
    along = dict(zip(("row", "tok", "nod", "edg", "lin", "pai", "tar", "edi"), sizes, strict=True))
    columns = {}
    for name in COLUMNS:
        small = name.endswith(_BYTES) or name.startswith(_BYTES) or name == "edit_polarity"
        kind = np.float32 if name in _FLOATS else np.int8 if small else np.int32
        size = along["tok" if name == "input_ids" else name[:3]]
        shape = (_AHEAD[name], size) if name in _AHEAD else (size,)
        columns[name] = rng.integers(-5, 100, shape).astype(kind)
    return Prepared(uid=uid, **columns)


def made(sizes: list[list[int]]) -> list[Prepared]:
    rng = np.random.default_rng(0)
    return [example(f"u{i}", of, rng) for i, of in enumerate(sizes)]


def same(one: Prepared, other: Prepared) -> bool:
    return one.uid == other.uid and all(
        getattr(one, n).dtype == getattr(other, n).dtype and np.array_equal(getattr(one, n), getattr(other, n))
        for n in COLUMNS
    )


SIZES = st.lists(st.lists(st.integers(0, 4), min_size=8, max_size=8), min_size=1, max_size=6)


@given(SIZES, st.data())
def test_what_is_cut_out_is_what_went_in(sizes: list[list[int]], data: st.DataObject) -> None:
    examples = made(sizes)
    at = data.draw(st.integers(0, len(examples)))
    parts = [part for part in (examples[:at], examples[at:]) if part]
    for columns in (Columns.of(examples), Columns.joined([Columns.of(part) for part in parts])):
        assert len(columns) == len(examples)
        assert all(same(a, b) for a, b in zip(columns, examples, strict=True))
        assert all(same(a, b) for a, b in zip(columns[::-1], examples[::-1], strict=True))
        assert same(columns[-1], examples[-1])
        with pytest.raises(IndexError):
            columns[len(examples)]


def test_a_file_holds_them_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    examples, path = made([[1, 3, 2, 2, 3, 0, 1, 1], [2, 5, 4, 0, 1, 1, 0, 0]]), tmp_path / "x.npz"
    of = [Example(uid=p.uid, texts=("a",), roles=("question",)) for p in examples]
    save(path, Columns.of(examples))
    assert all(same(a, b) for a, b in zip(load(path, of), examples, strict=True))
    with pytest.raises(StoreError, match="other examples"):
        load(path, of[::-1])
    arrays = Columns.of(examples).arrays()
    for wrong in (
        {k: v for k, v in arrays.items() if k != "edge_type"},
        arrays | {"edge_type": arrays["edge_type"][:-1]},
        arrays | {"node_pos.count": arrays["node_pos.count"][:-1]},
    ):
        np.savez(path, **wrong)  # type: ignore[arg-type]
        with pytest.raises(StoreError, match="cannot be read"):
            load(path, of)

"""The two binary searches against the double loop they stand for."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.collate.align import cover, links
from kgreason.collate.tokens import Row


@st.composite
def rows(draw: st.DrawFn) -> tuple[Row, np.ndarray]:
    """A row of one to three texts and nodes anywhere, some of them empty, without text, or beyond the cut."""
    columns: list[tuple[int, int, int]] = []
    for text in range(draw(st.integers(1, 3))):
        columns.append((-1, 0, 0))
        at = 0
        for gap, length in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6)):
            columns.append((text, at + gap, at + gap + length))
            at += gap + length
    columns.append((-1, 0, 0))
    table = np.array(columns, np.int64)
    row = Row(np.zeros(len(table), np.int32), table[:, 0].astype(np.int32), table[:, 1], table[:, 2])
    spans = draw(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 20), st.integers(0, 5)), max_size=6))
    return row, np.array([(t, s, s + n) for t, s, n in spans], np.int32).reshape(-1, 3)


@settings(deadline=None)  # a busy machine is no failure
@given(rows())
def test_a_node_covers_the_tokens_that_overlap_its_characters(case: tuple[Row, np.ndarray]) -> None:
    row, spans = case
    first, count = cover(row, spans)
    want = [
        (n, k)
        for n, (text, start, end) in enumerate(spans.tolist())
        for k, (of, s, e) in enumerate(zip(row.text.tolist(), row.start.tolist(), row.end.tolist(), strict=True))
        if of == text and of >= 0 and start < end and s < end and start < e
    ]
    assert [tuple(pair) for pair in links(first, count).T.tolist()] == want

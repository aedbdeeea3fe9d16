"""Laws of building, for all inputs: a plain Python reference beside it, any cut into blocks, any memory."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyoxigraph as ox
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.data import KnowledgeGraph
from kgreason.errors import DataError
from kgreason.knowledge import RdfSource, build_graph
from kgreason.knowledge.blocks import Block, Naming, Own, block_of
from kgreason.knowledge.feeds import Place, Reading
from kgreason.knowledge.interning import Interner
from kgreason.knowledge.limits import BadLines, Limits
from kgreason.knowledge.ordering import order_of, places_of, taken
from kgreason.knowledge.rowsort import RowSorter
from kgreason.knowledge.tables import Table, merged

#: Few, so that they meet again in other blocks; with spaces to be, parts of paths, other scripts, and a NUL.
names = st.sampled_from(["a", "b", "a_b", "a b", "é", "x/a", "x/a_b/", "a\0", "\0", "_:a", "ab", "r", "s"])
triples = st.lists(st.tuples(names, names, names), min_size=1, max_size=15)
labels = st.lists(st.tuples(names, st.integers(0, 3), names), max_size=10)
strings = st.lists(
    st.binary(max_size=20) | st.binary(max_size=3).map(lambda end: b"http://example.org/" + end), max_size=30
)


@dataclass
class Listed:
    """A stream of lists, cut into blocks of a size."""

    triples: list[tuple[str, str, str]]
    named: list[tuple[str, int, str]]
    naming: Naming
    size: int
    limits: Limits = field(default_factory=Limits)
    bad_lines: BadLines = "refuse"
    counted: tuple[str, ...] = ()

    def files(self) -> tuple[Path, ...]:
        return ()

    def blocks(self, reading: Reading) -> Iterator[Block]:
        for at in range(0, max(len(self.triples), len(self.named)), self.size):
            part = slice(at, at + self.size)
            yield block_of(self.triples[part], self.named[part], Place(offset=at))


def by_the_book(stream: Listed) -> tuple[set[tuple[str, str, str]], dict[str, dict[str, int]], dict[str, list[str]]]:
    """Triples; what each entity is called, with the rank; what the relations are called."""
    naming, rows = stream.naming, set(stream.triples)
    ends, relations = {name for h, _, t in rows for name in (h, t)}, {r for _, r, _ in rows}
    kept = ends | ({name for name, _, _ in stream.named} - relations if naming.lonely else set())
    called: dict[str, dict[str, int]] = {name: {} for name in kept}
    of_relation: dict[str, list[tuple[int, str]]] = {}
    for name, rank, label in stream.named:
        if name in kept:
            called[name][label] = min(rank, called[name].get(label, rank))
        if name in relations and rank < naming.shown:
            of_relation.setdefault(name, []).append((rank, " ".join(label.split())))
    for name, texts in called.items():
        if naming.every or not texts:
            own = name.replace("_", " ")
            if naming.own == "last part" and name.startswith("_:"):
                own = ""  # nobody calls a blank node by its name
            elif naming.own == "last part":
                own = " ".join(name.rstrip("/#").replace("#", "/").rpartition("/")[2].replace("_", " ").split())
            if own.strip():
                texts.setdefault(own, 99)
    return rows, called, {name: list(dict.fromkeys(t for _, t in sorted(texts))) for name, texts in of_relation.items()}


@settings(max_examples=80)
@given(
    triples,
    labels,
    st.sampled_from(["spaced", "last part"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 20),
    st.sampled_from([1, 200, 2**20]),
)
def test_a_build_is_what_the_book_says(
    rows: list[tuple[str, str, str]],
    named: list[tuple[str, int, str]],
    own: Own,
    every: bool,
    lonely: bool,
    size: int,
    memory: int,
) -> None:
    stream = Listed(rows, named, Naming(own, every, lonely, shown=3), size)
    graph = build_graph(stream, memory)
    facts, called, of_relation = by_the_book(stream)
    assert {(h, r, t) for h in graph.entities for r, t in graph.out(h)} == facts
    assert list(graph.entities) == sorted(called, key=str.encode)
    assert dict(graph.relation_labels) == {name: tuple(texts) for name, texts in sorted(of_relation.items())}
    found: dict[str, set[str]] = {name: set() for name in called}
    for label in graph.labels.names:
        entity, score = graph.labels.senses(label)
        assert entity.tolist() == sorted(entity.tolist())
        np.testing.assert_allclose(score, 1 / len(entity))
        for i in entity.tolist():
            found[graph.entities[i]].add(label)
    assert found == {name: set(texts) for name, texts in called.items()}
    for i, name in enumerate(graph.entities):
        best = min(called[name].items(), key=lambda item: (item[1], item[0].encode()), default=(name, 0))[0]
        assert graph.label(i) == best
    _same_from_ids(graph)


def _same_from_ids(graph: KnowledgeGraph) -> None:
    """The columns are those that sorting all rows in memory gives, with the same types."""
    other = KnowledgeGraph.from_ids(graph.entities, graph.relations, graph.triples[::-1], graph.labels)
    for column in ("head_ptr", "relation", "tail", "tail_ptr", "inverse", "head"):
        one, two = getattr(graph, column), getattr(other, column)
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype


@given(strings)
def test_numbering_and_ordering_strings(given: list[bytes]) -> None:
    text = np.frombuffer(bytearray(b"".join(given) + b"\0"), np.uint8)
    ends = np.cumsum([len(each) for each in given], dtype=np.int64)
    starts = np.concatenate([[0], ends]).astype(np.int64)
    order = order_of(text, starts)
    assert [given[i] for i in order] == sorted(given)
    place, first = places_of(text, starts, order)
    distinct = sorted(set(given))
    assert [distinct[i] for i in place] == given
    blob, at = taken(text, starts, order[first])
    assert [blob[at[i] : at[i + 1]].tobytes() for i in range(len(distinct))] == distinct
    interner, seen = Interner(), dict[bytes, int]()
    numbers = interner.add(text, starts[:-1].astype(np.int32), starts[1:].astype(np.int32))
    assert numbers.tolist() == [seen.setdefault(each, len(seen)) for each in given]
    table = Table.of(interner)
    assert [table.window(i, 0)[0].tobytes() for i in range(len(table))] == distinct


@given(st.lists(strings, min_size=1, max_size=4), st.sampled_from([1, 64, 2**20]))
def test_many_tables_become_one(given: list[list[bytes]], window: int) -> None:
    from kgreason.knowledge import tables

    made, before = [], tables._WINDOW
    for each in given:
        interner = Interner()
        text = np.frombuffer(bytearray(b"".join(each) + b"\0"), np.uint8)
        ends = np.cumsum([len(name) for name in each], dtype=np.int64).astype(np.int32)
        interner.add(text, ends - np.array([len(name) for name in each], np.int32), ends)
        made.append(Table.of(interner))
    tables._WINDOW = window
    try:
        found, maps = list[bytes](), [np.full(len(table), -1) for table in made]
        for part in merged(made):
            for k, (begin, end, place) in enumerate(part.parts):
                maps[k][begin:end] = place + len(found)
            found += [part.at(i) for i in range(len(part))]
            assert all(part.below(part.at(i)) == i for i in range(len(part)))
    finally:
        tables._WINDOW = before
    assert found == sorted({name for each in given for name in each})
    for table, numbers, each in zip(made, maps, given, strict=True):
        distinct = list(dict.fromkeys(each))
        assert [found[numbers[table.place[i]]] for i in range(len(distinct))] == distinct


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=40),
    st.sampled_from([3, 2**20, 2**31 - 1]),
    st.integers(1, 50),
)
def test_rows_are_sorted_in_any_memory(rows: list[tuple[int, int, int]], size: int, memory: int) -> None:
    given = np.array(rows, np.int32).reshape(-1, 3) * (size // 3)
    with tempfile.TemporaryDirectory() as folder:
        sorter = RowSorter((size, size, size), memory, Path(folder))
        for at in range(0, len(given), 7):
            sorter.add(given[at : at + 7])
        found = [row for block in sorter.blocks() for row in block.tolist()]
        assert found == np.unique(given, axis=0).tolist()
        assert list(Path(folder).iterdir()) == []


#: Parts of lines that look like N-Triples: plain ones, strange ones and broken ones.
IRIS = [
    *("<u:a>", "<http://e.org/x?y#z>", "<http://e:80/>", "<a>", "<u:a b>", "<u:é>", "<u:%41>", "<u:%4>", "<u:#a#b>"),
    *("<u:\\u0041>", "<u:[>", "<file:///x>", "<u:\ue000>", "<://>", "<u:", "<1:a>", "<u:a//b>", "<http://[::1]/>"),
    *(
        "<u:^>",
        '<u:">',
        "<u:\x80>",
        "<u:\u2028>",
        "<u+v-w.x:y>",
        "<u:a\\>",
        "<http://é/>",
        "<http://a@b/>",
        "<u:>",
        "<>",
    ),
]
NODES = ["_:a", "_:a.b", "_:", "_:1", "_:a-", "_:é", "_:a:b", "_:.a", "_:_"]
LITERALS = [
    *('"x"', '"é"', '"\\n"', '"\\u0041"', '"\\ud800"', '"\\x"', '"', '"a"b"', '"\t"', '"\0"', '"\\\\"', '"\\"', "'x'"),
    *('"x"@en', '"x"@en-GB', '"x"@e', '"x"@en-12', '"x"@abcdefghij', '"x"@en-Latn-GB', '"x"@', '"x"@en-', '"x"@EN'),
    *(
        '"x"^^<u:t>',
        '"x"^^<t>',
        '"x"^^',
        '"x"^<u:t>',
        '"x" ^^<u:t>',
        "<< <u:a> <u:b> <u:c> >>",
        "<<( <u:a> <u:b> <u:c> )>>",
    ),
]
ENDS = [".", ".", ".", ". # c", "", ". .", "<u:g> .", "_:g .", '"g" .', ".x", "<u:g> <u:g> ."]
plain = st.sampled_from(["<u:a>", "<u:b>"])
statements = st.tuples(
    plain | st.sampled_from(IRIS + NODES),
    plain | st.sampled_from(IRIS),
    plain | st.sampled_from(IRIS + NODES + LITERALS),
    st.sampled_from(ENDS),
)
strange = st.lists(st.sampled_from(IRIS + NODES + LITERALS + ENDS + ["#", "# c", "x"]), max_size=5).map(tuple)
lines = st.lists(statements | strange, min_size=1, max_size=6)


@settings(max_examples=150)
@given(lines, st.sampled_from([" ", " ", " ", "  ", "\t", ""]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_lines_that_need_no_parser_are_those_that_a_parser_reads_the_same(
    given: list[tuple[str, ...]], space: str, newline: str
) -> None:
    text = newline.join(space.join(line) for line in given) + newline
    for name, form in (("g.nt", ox.RdfFormat.N_TRIPLES), ("g.nq", ox.RdfFormat.N_QUADS)):
        expected, wrong = list[ox.Quad](), 0
        for line in text.encode("utf-8", "surrogatepass").splitlines():
            try:
                expected += list(ox.parse(line, form))
            except SyntaxError:
                wrong += 1
        _compare(name, text, expected, wrong)


def _compare(name: str, text: str, expected: list[ox.Quad], wrong: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            graph = RdfSource(path, bad_lines="skip", labels=())()
        except DataError:  # there is no triple
            facts = set()
        else:
            facts = {(h, r, t) for h in graph.entities for r, t in graph.out(h)}
            assert int(graph.about.get("lines_skipped", 0)) == wrong
    assert facts == {
        (_name(q.subject), q.predicate.value, _name(q.object))
        for q in expected
        if isinstance(q.object, (ox.NamedNode, ox.BlankNode))
    }


def _name(term: object) -> str:
    return str(term) if isinstance(term, ox.BlankNode) else str(getattr(term, "value"))  # noqa: B009

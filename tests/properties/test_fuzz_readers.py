"""Every reader, fed with what no one would write: it reads a graph, or says what is wrong. Nothing else, ever.

The corpus stands in `tests/corpus/readers`: files of our own, whole ones and some that once did harm. For longer:

    python tests/properties/test_fuzz_readers.py --minutes 10 [--reader nt] [--keep]
"""
# ruff: noqa: T201

import argparse
import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgreason.errors import KgreasonError
from kgreason.knowledge import (
    ConceptNetSource,
    GraphmlSource,
    NetworkFile,
    OboSource,
    ParquetSource,
    RdfSource,
    TriplesSource,
    WikidataSource,
    build_graph,
)
from kgreason.knowledge import lines as lines_module
from kgreason.knowledge import statements as statements_module
from kgreason.knowledge import stretches as stretches_module
from kgreason.knowledge.guess import form_of_content

CORPUS = Path(__file__).parents[1] / "corpus" / "readers"
SOURCES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("tsv", "csv", "jsonl"), TriplesSource),
    **dict.fromkeys(("nt", "nq", "ttl", "trig", "rdf", "jsonld", "trix", "hext", "n3"), RdfSource),
    "obo": OboSource,
    "graphml": GraphmlSource,
    "gexf": NetworkFile,
    "parquet": ParquetSource,
    "cn": ConceptNetSource,
    "wd": WikidataSource,
}
#: Forms of which every line can be read alone: cutting them elsewhere changes nothing.
LINED = ("tsv", "csv", "jsonl", "nt", "nq", "obo", "cn", "wd")
TOKENS = [
    *(b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b"\r\n", b'"', b'""', b"'"),
    *(b"\\", b"\\u00e9", b"\\ud800", b"\\U0010FFFF", b"<", b">", b"<u:x>", b"_:x", b"_:", b".", b" .", b"@en"),
    *(b"@en-GB", b"^^", b"<<(", b")>>", b"[", b"]", b"{", b"}", b"(", b")", b"&", b"&amp;", b"&x;", b"<!--", b"-->"),
    *(b"<![CDATA[", b"]]>", b"<!DOCTYPE r [", b"<?", b"?>", b"/>", b"</", b"http://", b"#", b"%", b"%4", b":", b","),
    *(b";", b"!", b"a" * 300, b"\xc3\xa9", b"\xe6\x9d\xb1", b"\xe2\x80\xa8", b"\xc2\xa0", b"\x1f", b"\x85"),
    *(b"[Term]\n", b"id: ", b"-1", b"1e999"),
]


def seeds(reader: str) -> list[bytes]:
    """The corpus of a reader."""
    return [path.read_bytes() for path in sorted(CORPUS.glob(f"*.{reader}"))]


def mutated(reader: str, seed: int, corpus: list[bytes]) -> bytes:
    """Return what comes of some files of the corpus after some harm."""
    chance = random.Random(seed)
    content = bytearray(chance.choice(corpus))
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        at = chance.randrange(len(content) + 1)
        to = min(len(content), at + chance.choice([1, 1, 2, 5, 20]))
        match chance.randrange(6):
            case 0:
                content[at:to] = b""
            case 1:
                content[at:at] = chance.choice(TOKENS)
            case 2:
                content[at:to] = chance.choice(TOKENS)
            case 3:
                content[at:at] = content[at:to] * chance.choice([1, 2, 50])
            case 4:
                other = chance.choice(corpus)
                begin = chance.randrange(len(other) + 1)
                content[at:] = other[begin:]
            case _:
                if at < len(content):
                    content[at] ^= 1 << chance.randrange(8)
    return bytes(content)


def outcome(reader: str, path: Path, bad_lines: str, memory: int) -> object:
    """Return the triples and labels of a file, or what was said of it."""
    given = {} if reader == "gexf" else {"bad_lines": bad_lines}
    try:
        source = SOURCES[reader](path, **given)
        graph = source() if reader == "gexf" else build_graph(source, memory)
    except KgreasonError as error:
        return "refused" if str(error).strip() else "refused without a word"
    return [(h, r, t) for h in graph.entities for r, t in graph.out(h)], list(graph.labels.names), dict(graph.about)


@contextlib.contextmanager
def small_pieces() -> Iterator[None]:
    """Read in stretches of some bytes."""
    before = stretches_module._PIECE, lines_module._ROWS, statements_module._AT_ONCE
    stretches_module._PIECE, lines_module._ROWS, statements_module._AT_ONCE = 7, 2, 2
    try:
        yield
    finally:
        stretches_module._PIECE, lines_module._ROWS, statements_module._AT_ONCE = before


def examine(reader: str, content: bytes) -> None:
    """See that a reader keeps its promise, in one piece and in many."""
    ending = {"cn": "csv", "wd": "nt"}.get(reader, reader)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"graph.{ending}"
        path.write_bytes(content)
        for bad_lines in ("refuse", "skip"):
            whole = outcome(reader, path, bad_lines, 2**20)
            assert whole != "refused without a word"
            if reader not in ("trix", "hext", "n3", "gexf"):
                with small_pieces():
                    pieces = outcome(reader, path, bad_lines, 2**11)  # a run every ten lines or so
                if reader in LINED or bad_lines == "refuse":
                    assert pieces == whole, (reader, bad_lines)
    form_of_content(content)


def test_there_is_a_corpus_for_every_reader() -> None:
    assert {path.suffix[1:] for path in CORPUS.iterdir()} == set(SOURCES)


@pytest.mark.parametrize("reader", SOURCES)
def test_the_corpus(reader: str) -> None:
    for content in seeds(reader):
        examine(reader, content)


@pytest.mark.parametrize("reader", SOURCES)
@settings(max_examples=8)
@given(st.integers(0, 2**32))
def test_what_no_one_would_write(reader: str, seed: int) -> None:
    examine(reader, mutated(reader, seed, seeds(reader)))


def _spent() -> float:
    """Return the seconds of the processor that this process and its children have used."""
    return sum(os.times()[:4])


def main() -> None:
    """Fuzz for some minutes of the processor; keep what breaks a promise."""
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--reader", choices=list(SOURCES), action="append")
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--keep", action="store_true", help="write what breaks a promise into the corpus")
    given = options.parse_args()
    readers = given.reader or list(SOURCES)
    corpora = {reader: seeds(reader) for reader in readers}
    runs, broken, slowest, begin = 0, 0, (0.0, ""), _spent()
    while _spent() - begin < 60 * given.minutes:
        reader, seed = readers[runs % len(readers)], given.seed + runs
        content, start = mutated(reader, seed, corpora[reader]), _spent()
        try:
            examine(reader, content)
        except BaseException as error:  # a panic of a library is no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            broken += 1
            print(f"{reader} seed {seed}: {type(error).__name__}: {str(error)[:300]}\n  {content[:300]!r}")
            if given.keep:
                (CORPUS / f"found-{seed}.{reader}").write_bytes(content)
        slowest = max(slowest, (_spent() - start, f"{reader} seed {seed}"))
        runs += 1
    print(f"{runs} files in {given.minutes} minutes, {broken} broken promises, slowest {slowest}")


if __name__ == "__main__":
    main()

"""RDF in all its written forms, as canonical N-Quads: through pyoxigraph in streams, through rdflib what it lacks."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, cast, final
from urllib.parse import quote

import numpy as np

from kgreason.errors import ConfigError, DataError
from kgreason.knowledge.canonical import hard_lines
from kgreason.knowledge.feeds import Feed, Place, Reading
from kgreason.knowledge.files import Bytes, ending_of
from kgreason.knowledge.stretches import Stretches
from kgreason.knowledge.xmlguard import GuardedXml

if TYPE_CHECKING:
    import pyoxigraph as ox

SYNTAX = {
    ".ttl": "turtle",
    ".n3": "n3",
    ".nt": "nt",
    ".nq": "nquads",
    ".trig": "trig",
    ".rdf": "xml",
    ".owl": "xml",
    ".xml": "xml",
    ".jsonld": "json-ld",
    ".trix": "trix",
    ".hext": "hext",
}
#: Every syntax by rdflib's name for it.
SYNTAXES = tuple(dict.fromkeys(SYNTAX.values()))
#: One statement a line: each line can be read alone.
LINED = ("nt", "nquads")
_DOCUMENTS = {"turtle": "TURTLE", "trig": "TRIG", "xml": "RDF_XML", "json-ld": "JSON_LD"}
_AT_ONCE = 20_000
_SAID = re.compile(r"^Parser error at .*?: (.*?)(?: \(line \d+\))?$", re.DOTALL)


def syntax_of(feed: Feed, syntax: str) -> str:
    """Return the syntax of a file, by rdflib's name for it.

    Raises:
        ConfigError: If its ending says none.
    """
    found = SYNTAX.get(feed.ending, "") if syntax == "ending" else syntax
    if not found:
        raise ConfigError(
            f"{feed.name}: the ending '{ending_of(feed.name)}' names no RDF syntax. Say which it is with 'syntax'."
        )
    return found


def read_statements(
    feed: Feed, syntax: str, reading: Reading, start: Place, base: str = ""
) -> Iterator[tuple[bytes, Place]]:
    """Yield the statements behind `start` as canonical N-Quads, and how far that is.

    An IRI that is relative to the file is one relative to `base`, or to `file:///NAME`. A context of JSON-LD that lies
    on the web is refused:
    nothing is ever fetched.

    Raises:
        DataError: If the file is broken, or holds what no honest file does.
    """
    if syntax in LINED:
        yield from _lines(feed, syntax, reading, start)
    else:
        base = base or f"file:///{quote(PurePath(feed.name).name)}"
        yield from _document(feed, syntax, reading, start, base)


def _lines(feed: Feed, syntax: str, reading: Reading, start: Place) -> Iterator[tuple[bytes, Place]]:
    import pyoxigraph as ox

    form = ox.RdfFormat.N_TRIPLES if syntax == "nt" else ox.RdfFormat.N_QUADS
    lines = Stretches(feed, reading, start)
    whole = lines.whole()
    while True:
        whole = whole if whole.endswith(b"\n") or not whole else whole + b"\n"
        hard, count = hard_lines(np.frombuffer(whole, np.uint8), whole.isascii(), syntax == "nquads")
        content = _parsed(whole, hard.tolist(), form, lines) if len(hard) else whole
        lines.step(len(whole), count)
        yield content, lines.place
        if lines.over:
            return
        whole = lines.more()


def _parsed(whole: bytes, hard: list[list[int]], form: "ox.RdfFormat", lines: Stretches) -> bytes:
    """Return the lines that are canonical, and what a parser makes of the others."""
    import pyoxigraph as ox

    parts, done = [], 0
    for begin, end, before in hard:
        part = whole[begin:end]
        try:
            found = ox.serialize(ox.parse(part, form), format=ox.RdfFormat.N_QUADS)
        except (SyntaxError, MemoryError):
            found = ox.serialize(_one_by_one(part, form, lines, before), format=ox.RdfFormat.N_QUADS)
        parts += [whole[done:begin], found or b""]
        done = end
    return b"".join([*parts, whole[done:]])


def _document(feed: Feed, syntax: str, reading: Reading, start: Place, base: str) -> Iterator[tuple[bytes, Place]]:
    import pyoxigraph as ox

    read = _Counted(GuardedXml(feed, reading.limits) if syntax in ("xml", "trix") else feed)
    if syntax in _DOCUMENTS:
        quads: Iterable[ox.Quad] = ox.parse(
            cast("IO[bytes]", read), getattr(ox.RdfFormat, _DOCUMENTS[syntax]), base_iri=base
        )
    else:
        from kgreason.knowledge.references import reference_quads

        quads = reference_quads(read, syntax, feed.name, base)
    sound = _skipping(iter(quads), read, feed.name, syntax, reading)
    here = Place(start.path, start.member, sure=False)
    while found := ox.serialize(islice(sound, _AT_ONCE), format=ox.RdfFormat.N_QUADS):
        yield found, here
    yield b"", Place(start.path, start.member + 1)


@final
class _Counted:
    """Bytes on their way to a parser that asks for few at a time; counts their lines."""

    def __init__(self, file: Bytes) -> None:
        self._file, self._ready, self._at, self.lines, self.first = file, b"", 0, 0, True

    def read(self, size: int = -1, /) -> bytes:
        if self._at == len(self._ready):
            self._ready, self._at = self._file.read(2**20), 0
            self.lines += self._ready.count(b"\n")
            if self.first:  # the mark of UTF-8 is not part of any syntax
                self._ready, self.first = self._ready.removeprefix(b"\xef\xbb\xbf"), False
        end = len(self._ready) if size < 0 else self._at + size
        data = self._ready[self._at : end]
        self._at += len(data)
        return data


def _one_by_one(part: bytes, form: "ox.RdfFormat", lines: Stretches, before: int) -> "Iterator[ox.Quad]":
    """Yield the statements of lines some of which are broken."""
    import pyoxigraph as ox

    name = "nt" if form == ox.RdfFormat.N_TRIPLES else "nquads"
    for number, raw in enumerate(part.splitlines(), start=lines.place.line + before + 1):
        try:
            yield from list(ox.parse(raw, form))  # of a broken line nothing is kept
        except (SyntaxError, MemoryError) as error:
            problem = _problem(lines.feed.name, name, error, number)
            lines.reading.faults.met(lines.feed.name, number, problem, raw)


def _skipping(
    quads: "Iterator[ox.Quad]", read: _Counted, name: str, syntax: str, reading: Reading
) -> "Iterator[ox.Quad]":
    """Yield the statements of a document that are sound; the others are faults."""
    last = (0, 0)
    while True:
        try:
            yield from quads
        except SyntaxError as error:
            problem, at = _problem(name, syntax, error, error.lineno or 0), (error.lineno or 0, error.offset or 0)
            if syntax not in ("turtle", "trig") or at <= last:
                raise problem from None  # what comes behind a fault in a tree cannot be made sense of
            last = at
            reading.faults.met(name, at[0], problem)
        except MemoryError as error:
            raise _problem(name, syntax, error, read.lines) from None
        else:
            return


def _problem(name: str, syntax: str, error: SyntaxError | MemoryError, line: int) -> DataError:
    if isinstance(error, MemoryError):
        return DataError(f"{name}, line {line} or before: a statement has more than 16 MiB, more than any name needs.")
    found = _SAID.match(str(error.msg))
    said = " ".join((found[1] if found else str(error.msg)).split())[:300]
    where = f"line {line}, column {error.offset or 0}: " if line else ""
    return DataError(f"{name} is not {syntax}: {where}{said}. If it is another syntax, say which with 'syntax'.")

"""Looks at XML before a parser does: entities that grow or lead outside, endless nesting, texts without end."""

import re
from typing import final, no_type_check
from xml.parsers import expat

import numpy as np
from numba import njit

from kgreason.errors import DataError
from kgreason.knowledge.feeds import Feed
from kgreason.knowledge.limits import Limits

_REFERENCE = re.compile(r"&([^#;&][^;&]*);")
#: What the scanner is reading.
_TEXT, _OPEN, _TAG, _CLOSING, _COMMENT, _SECTION, _INSTRUCTION, _BANG = range(8)


@final
class GuardedXml:
    """Hands XML on to a parser, having looked at it.

    Args:
        feed: The file.
        limits: How deep elements may be nested, how long a text and how large an entity may be.
    """

    def __init__(self, feed: Feed, limits: Limits) -> None:
        self._feed, self._limits = feed, limits
        self._state = np.zeros(7, np.int64)
        self._state[5] = 1
        self._begun = False

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes.

        Raises:
            DataError: If they are not what an honest file holds.
        """
        data, begin = self._feed.read(size), 0
        if not self._begun and data:
            data, begin = self._prolog(data)
            self._state[5] += data.count(b"\n", 0, begin)
            self._begun = True
        if not data and (self._state[4] or self._state[0] != _TEXT):
            open_now = int(self._state[4]) or 1  # not every parser asks for the end of what has begun
            raise DataError(f"{self._feed.name} is not xml: it ends in the middle, {open_now} elements are not closed.")
        rest = np.frombuffer(data, np.uint8)[begin:]
        what = look_through(rest, self._state, self._limits.depth, self._limits.field)
        if what:
            reasons = (
                f"elements are nested more than {self._limits.depth:,} deep (the limit 'depth')",
                f"a text or a tag has more than {self._limits.field:,} bytes (the limit 'field')",
                "a document type is declared inside of the document",
            )
            raise DataError(f"{self._feed.name}, line {self._state[5]}: {reasons[what - 1]}.")
        return data

    def _prolog(self, data: bytes) -> tuple[bytes, int]:
        """Read on until the first element begins, check what stands before it, and return where it begins."""
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
            raise DataError(f"{self._feed.name} is XML in UTF-16 or UTF-32. Convert it to UTF-8.")
        while True:
            piece = self._feed.read(2**16)
            data += piece
            begin = _first_element(data, self._feed.name, self._limits, final=not piece)
            if begin >= 0:
                return data, begin
            if len(data) > self._limits.line:
                raise DataError(f"{self._feed.name}: no element in the first {len(data):,} bytes. Is it XML?")


def _first_element(data: bytes, name: str, limits: Limits, final: bool) -> int:
    """Read the document type; return where the first element begins, or -1 if it is not met yet.

    Raises:
        DataError: If an entity is external, or stands for too much, or this is no XML.
    """
    parser, sizes, met = expat.ParserCreate(), dict[str, int](), list[int]()

    def declared(entity: str, parameter: int, value: str | None, *_: object) -> None:
        where = f"{name}, line {parser.CurrentLineNumber}: the entity '{entity}'"
        if value is None or parameter:
            raise DataError(f"{where} lies outside of the file or is a parameter entity, which is refused.")
        size = len(value) + sum(sizes.get(inner, 0) for inner in _REFERENCE.findall(value))
        sizes[entity] = max(size, sizes.get(entity, 0))
        if size > limits.entity:
            raise DataError(
                f"{where} stands for {size:,} characters, more than {limits.entity} (the limit 'entity'), as in an "
                "XML bomb."
            )

    parser.EntityDeclHandler = declared
    parser.StartElementHandler = lambda *_: met.append(parser.CurrentByteIndex)
    try:
        parser.Parse(data, final)
    except expat.ExpatError as error:
        if not met:
            raise DataError(f"{name} is not xml: {error}.") from None
    except (LookupError, ValueError) as error:  # what it says of its encoding
        raise DataError(f"{name} is XML in an encoding that cannot be read: {error}. Convert it to UTF-8.") from None
    return met[0] if met else -1


@no_type_check
@njit(cache=True)
def look_through(data, state, depth, longest):
    """Follow the tags of a stretch of XML.

    Args:
        data: The bytes.
        state: What is read, its length so far, the last byte, the one before, the depth, the line, the quote.
        depth: The largest depth allowed.
        longest: The longest text or tag allowed.

    Returns:
        0 if all is well; 1 for too deep, 2 for too long, 3 for a document type in the wrong place.
    """
    what, size, last, before = state[0], state[1], state[2], state[3]
    for i in range(len(data)):
        b = data[i]
        state[5] += b == 10
        size += 1
        if size > longest:
            return 2
        if what == _TEXT:
            if b == 60:
                what, size = _OPEN, 0
        elif what == _OPEN:
            what = _CLOSING if b == 47 else _BANG if b == 33 else _INSTRUCTION if b == 63 else _TAG
        elif what == _BANG:
            what = _COMMENT if b == 45 else _SECTION if b == 91 else _BANG
            if what == _BANG:
                return 3
            size = 0
        else:
            what, size = _inside(what, size, (b, last, before), state)
            if state[4] > depth:
                return 1
        before, last = last, b
    state[0], state[1], state[2], state[3] = what, size, last, before
    return 0


@no_type_check
@njit(cache=True)
def _inside(what, size, met, state):
    """Go on inside of a tag, comment, section or instruction; return what is read then, and its length."""
    b, last, before = met
    if what in (_TAG, _CLOSING):
        if state[6] != 0:
            state[6] = 0 if b == state[6] else state[6]
            return what, size
        if b == 34 or b == 39:
            state[6] = b
    if b != 62:
        return what, size
    if what == _COMMENT:
        over = last == 45 and before == 45 and size > 2
    elif what == _SECTION:
        over = last == 93 and before == 93
    elif what == _INSTRUCTION:
        over = last == 63
    else:
        over = True
        state[4] += -1 if what == _CLOSING else 0 if last == 47 else 1
    return (_TEXT, 0) if over else (what, size)

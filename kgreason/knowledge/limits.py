"""How much of anything an untrusted file may hold, and what becomes of its broken lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal, TypeAlias, final

from kgreason.errors import ConfigError, DataError

#: `refuse`: the first broken line is an error. `skip`: broken lines are counted and written aside.
BadLines: TypeAlias = Literal["refuse", "skip"]
_SHOWN = 1000  # characters of a broken line that are written aside


@final
@dataclass(frozen=True, slots=True)
class Limits:
    """What an untrusted file may ask for at most. A build needs a bounded amount of memory within them.

    Args:
        field: Bytes of one name, IRI or label.
        line: Bytes of one line.
        ratio: How many bytes may come out of one byte of a packed file, once more than `free` bytes came out.
        free: Bytes that may come out of a packed file whatever its size.
        members: Files in an archive.
        depth: How deep the elements of an XML file may be nested.
        entity: Characters that an XML entity may stand for.
    """

    field: int = 2**20
    line: int = 2**24
    ratio: int = 200
    free: int = 2**28
    members: int = 100_000
    depth: int = 1000
    entity: int = 512

    @classmethod
    def of(cls, given: Mapping[str, int]) -> "Limits":
        """Return the limits with some changed.

        Raises:
            ConfigError: If there is no such limit, or one is not above 0.
        """
        known = [f.name for f in fields(cls)]
        for name, value in given.items():
            if name not in known or value <= 0:
                raise ConfigError(f"The limit {name} = {value} is not known or not above 0. Known: {', '.join(known)}.")
        return replace(cls(), **given)


@final
@dataclass(slots=True)
class Faults:
    """Takes note of broken lines: the first is an error, or all are counted and kept to be written aside.

    Args:
        bad_lines: Which of the two.
        count: How many were met.
        lines: One JSON object for each, since the last `taken`.
    """

    bad_lines: BadLines = "refuse"
    count: int = 0
    lines: list[str] = field(default_factory=list)

    def met(self, file: str, line: int, error: DataError, raw: bytes = b"") -> None:
        """Note a broken line.

        Raises:
            DataError: `error`, if broken lines are refused.
        """
        if self.bad_lines == "refuse":
            raise error
        self.count += 1
        text = raw[:_SHOWN].decode("utf-8", "backslashreplace")
        self.lines.append(
            json.dumps({"file": file, "line": line, "why": str(error), "raw": text}, ensure_ascii=False) + "\n"
        )

    def taken(self) -> str:
        """Return the lines to be written aside since the last time."""
        text, self.lines = "".join(self.lines), []
        return text


def checked_bad_lines(bad_lines: str) -> BadLines:
    """Return the choice.

    Raises:
        ConfigError: If it is none.
    """
    if bad_lines not in ("refuse", "skip"):
        raise ConfigError(f"[knowledge] bad_lines = '{bad_lines}' is not known. Known: refuse, skip.")
    return bad_lines  # type: ignore[return-value]

"""Reads the files of a WordNet database folder (WNDB: `data.*`, `index.*`, `cntlist.rev`, `*.exc`).

Reference:
    The formats are those of the manual pages wndb(5WN), senseidx(5WN) and morphy(7WN) of WordNet 3.0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from kgreason.errors import DataError

#: The files of each part of speech, and its name in Universal Dependencies.
PARTS = {"noun": "NOUN", "verb": "VERB", "adj": "ADJ", "adv": "ADV"}
#: Part of speech in a pointer or index line; a satellite adjective is an adjective that is not the head of its cluster.
_PART_OF = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}
#: The first digit of a sense key.
_PART_OF_KEY = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
#: Syntactic marker of an adjective, as in "galore(ip)": not part of the word.
_MARKER = re.compile(r"\((?:a|p|ip)\)$")


@final
@dataclass(frozen=True, slots=True)
class Synset:
    """One line of a data file.

    Args:
        part: `noun`, `verb`, `adj` or `adv`.
        offset: Its byte offset, which is what pointers name.
        kind: `n v a s r`; `s` is a satellite adjective.
        lemmas: Its words with underscores, case kept, the first one names it.
        pointers: `(symbol, part, offset)` of every pointer, in order. Of a lexical pointer (from word to word) the
            words are left out.
    """

    part: str
    offset: int
    kind: str
    lemmas: tuple[str, ...]
    pointers: tuple[tuple[str, str, int], ...]


def is_wndb(folder: Path) -> bool:
    """Say whether a folder looks like a WordNet database."""
    return (folder / "data.noun").is_file() and (folder / "index.noun").is_file()


def read_synsets(folder: Path) -> list[Synset]:
    """Read all four data files, in the order of `PARTS` and of their offsets.

    Raises:
        DataError: If a file is missing or a line is broken; the message has its number.
    """
    return [_synset(line, part, where) for part in PARTS for where, line in _lines(folder / f"data.{part}")]


def _synset(line: str, part: str, where: str) -> Synset:
    fields = line.split(" | ", 1)[0].split()
    try:
        words = int(fields[3], 16)
        at = 4 + 2 * words
        pointers = int(fields[at])
        rest = fields[at + 1 : at + 1 + 4 * pointers]
        if not words or len(rest) != 4 * pointers:
            raise ValueError(f"{words} words and {pointers} pointers announced")
        return Synset(
            part=part,
            offset=int(fields[0]),
            kind=fields[2],
            lemmas=tuple(dict.fromkeys(_MARKER.sub("", word) for word in fields[4:at:2])),
            pointers=tuple(
                (symbol, _PART_OF[pos], int(offset))
                for symbol, offset, pos in zip(rest[::4], rest[1::4], rest[2::4], strict=True)
            ),
        )
    except (IndexError, ValueError, KeyError) as error:
        raise DataError(f"{where} is not a synset line of WNDB ({error}): {line[:60]!r}") from None


def read_ranks(folder: Path) -> dict[tuple[str, str, int], int]:
    """Return the rank (1 is the most frequent) of each sense: `(part, lower-case lemma, offset)` to its number.

    Raises:
        DataError: If an index file is missing or a line is broken.
    """
    ranks = {}
    for part in PARTS:
        for where, line in _lines(folder / f"index.{part}"):
            fields = line.split()
            try:
                senses = int(fields[2])
                offsets = [int(field) for field in fields[len(fields) - senses :]]
                if len(fields) != 6 + int(fields[3]) + senses:
                    raise ValueError(f"{senses} senses announced")
            except (IndexError, ValueError) as error:
                raise DataError(f"{where} is not an index line of WNDB ({error}): {line[:60]!r}") from None
            ranks.update({(part, fields[0], offset): rank for rank, offset in enumerate(offsets, start=1)})
    return ranks


def read_counts(folder: Path) -> dict[tuple[str, str, int], int]:
    """Return how often each sense was seen in the tagged texts: `(part, lower-case lemma, rank)` to its count.

    `cntlist.rev` may be missing: then nothing was counted, and only the ranks speak.

    Raises:
        DataError: If a line is broken.
    """
    counts = {}
    if not (folder / "cntlist.rev").is_file():
        return {}
    for where, line in _lines(folder / "cntlist.rev"):
        try:
            key, rank, count = line.split()
            lemma, _, rest = key.rpartition("%")
            counts[_PART_OF_KEY[rest[0]], lemma, int(rank)] = int(count)
        except (IndexError, ValueError, KeyError) as error:
            raise DataError(f"{where} is not a line of cntlist.rev ({error}): {line[:60]!r}") from None
    return counts


def read_exceptions(folder: Path) -> list[tuple[str, str, str]]:
    """Return `(UPOS, form, lemma)` of every irregular form, sorted, with spaces for underscores.

    Raises:
        DataError: If a line is broken. A missing file means that there are none.
    """
    rows = set()
    for part, upos in PARTS.items():
        if (folder / f"{part}.exc").is_file():
            for where, line in _lines(folder / f"{part}.exc"):
                form, *lemmas = (word.replace("_", " ") for word in line.split())
                if not lemmas:
                    raise DataError(f"{where} has a form without a lemma: {line[:60]!r}")
                rows |= {(upos, form, lemma) for lemma in lemmas if lemma}
    return sorted(rows)


def read_version(folder: Path) -> str:
    """Return the version that the notice at the head of `data.noun` names, or an empty string."""
    with (folder / "data.noun").open("rb") as file:
        found = re.search(rb"WordNet (\d+(?:\.\d+)*)", file.read(4096))
    return found.group(1).decode() if found else ""


def read_notice(folder: Path) -> str:
    """Return the licence notice at the head of `data.noun`, without its line numbers.

    Raises:
        DataError: If the file is missing.
    """
    notice = []
    try:
        with (folder / "data.noun").open(encoding="utf-8") as file:
            for line in file:
                if not line.startswith("  "):
                    break
                notice.append(re.sub(r"^ +\d+ ?", "", line.rstrip()) + "\n")
    except FileNotFoundError:
        raise DataError(f"{folder / 'data.noun'} is missing, and with it the licence of WordNet.") from None
    return "".join(notice)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield where each line stands and the line, without the licence notice (lines that begin with two spaces)."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.startswith("  ") and line.strip():
                    yield f"{path}, line {number}", line.rstrip()
    except FileNotFoundError:
        raise DataError(f"{path} is missing. Give a folder that holds WordNet's data.* and index.* files.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error}") from None

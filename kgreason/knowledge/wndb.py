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
#: What a pointer calls a part of speech; a satellite (`s`) is an adjective that is not the head of its cluster.
_LETTERS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_LETTER = {letter: letter for letter in "nvar"} | {"s": "a"}
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
        kind: `n v a s r`; `s` is a satellite adjective.
        key: The letter of its part of speech and its byte offset, which is what pointers name.
        lemmas: Its words with underscores, case kept, the first one names it.
        symbols: The symbol of each pointer, in order.
        targets: The key of the synset each pointer leads to. Of a pointer from word to word, the words are left out.
    """

    part: str
    kind: str
    key: str
    lemmas: tuple[str, ...]
    symbols: tuple[str, ...]
    targets: tuple[str, ...]


def is_wndb(folder: Path) -> bool:
    """Say whether a folder looks like a WordNet database."""
    return (folder / "data.noun").is_file() and (folder / "index.noun").is_file()


def read_synsets(folder: Path) -> list[Synset]:
    """Read all four data files, in the order of `PARTS` and of their offsets.

    Raises:
        DataError: If a file is missing or a line is broken; the message has its number.
    """
    found = []
    for part in PARTS:
        path = folder / f"data.{part}"
        for number, line in _lines(path):
            try:
                found.append(_synset(line, part))
            except (IndexError, ValueError, KeyError) as error:
                raise _broken(path, number, line, "a synset line of WNDB", error) from None
    return found


def _synset(line: str, part: str) -> Synset:
    fields = line.split(" | ", 1)[0].split()
    at = 4 + 2 * int(fields[3], 16)
    last = at + 1 + 4 * int(fields[at])
    if at == 4 or last > len(fields) or len(fields[0]) != 8:
        raise ValueError(f"{fields[3]} words and {fields[at]} pointers announced")
    return Synset(
        part=part,
        kind=fields[2],
        key=_LETTERS[part] + fields[0],
        lemmas=tuple(dict.fromkeys(_MARKER.sub("", word) for word in fields[4:at:2])),
        symbols=tuple(fields[at + 1 : last : 4]),
        targets=tuple(
            [_LETTER[p] + o for o, p in zip(fields[at + 2 : last : 4], fields[at + 3 : last : 4], strict=True)]
        ),
    )


def read_senses(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return the senses of each word, by part of speech and lower-case lemma: keys of synsets, the most frequent first.

    Raises:
        DataError: If an index file is missing or a line is broken.
    """
    senses: dict[str, dict[str, list[str]]] = {}
    for part, letter in _LETTERS.items():
        senses[part] = {}
        for number, line in _lines(folder / f"index.{part}"):
            fields = line.split()
            try:
                count = int(fields[2])
                if len(fields) != 6 + int(fields[3]) + count:
                    raise ValueError(f"{count} senses announced")
            except (IndexError, ValueError) as error:
                raise _broken(folder / f"index.{part}", number, line, "an index line of WNDB", error) from None
            senses[part][fields[0]] = [letter + offset for offset in fields[-count:]]
    return senses


def read_counts(folder: Path) -> dict[tuple[str, str, int], int]:
    """Return how often each sense was seen in the tagged texts: `(part, lower-case lemma, rank from 1)` to its count.

    `cntlist.rev` may be missing: then nothing was counted, and only the ranks speak.

    Raises:
        DataError: If a line is broken.
    """
    counts = {}
    path = folder / "cntlist.rev"
    for number, line in _lines(path) if path.is_file() else ():
        try:
            key, rank, count = line.split()
            lemma, _, rest = key.rpartition("%")
            counts[_PART_OF_KEY[rest[0]], lemma, int(rank)] = int(count)
        except (IndexError, ValueError, KeyError) as error:
            raise _broken(path, number, line, "a line of cntlist.rev", error) from None
    return counts


def read_exceptions(folder: Path) -> list[tuple[str, str, str]]:
    """Return `(UPOS, form, lemma)` of every irregular form, sorted, with spaces for underscores.

    Raises:
        DataError: If a line is broken. A missing file means that there are none.
    """
    rows = set()
    for part, upos in PARTS.items():
        path = folder / f"{part}.exc"
        for number, line in _lines(path) if path.is_file() else ():
            form, *lemmas = (word.replace("_", " ") for word in line.split())
            if not lemmas:
                raise _broken(path, number, line, "a form and its lemmas", ValueError("no lemma"))
            rows |= {(upos, form, lemma) for lemma in lemmas}
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


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of each line and the line, without the licence notice (lines that begin with two spaces)."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if not line.startswith("  ") and line.strip():
                    yield number, line.rstrip()
    except FileNotFoundError:
        raise DataError(f"{path} is missing. Give a folder that holds WordNet's data.* and index.* files.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error}. Get the file again.") from None


def _broken(path: Path, number: int, line: str, expected: str, error: Exception) -> DataError:
    return DataError(f"{path}, line {number} is not {expected} ({error}): {line[:60]!r}")

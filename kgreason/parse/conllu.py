"""CoNLL-U files: read, write, and match them to examples."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from kgreason.errors import DataError
from kgreason.parse.sentence import Sentence, is_tree


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One sentence of a CoNLL-U file.

    Args:
        text: The sentence as it stands in the running text; the spans of `sentence` count in it.
        sentence: Its words.
        tokens: The spans of the written tokens: a contraction is one token and several words.
        opens: `document` or `paragraph` if this sentence begins one, else `""`.
        space_after: Whether white space follows the sentence.
        comments: The comment lines, without `#`: `sent_id = 7` is `{"sent_id": "7"}`.
    """

    text: str
    sentence: Sentence
    tokens: tuple[tuple[int, int], ...]
    opens: str = ""
    space_after: bool = True
    comments: dict[str, str] = field(default_factory=dict)


def read(path: str | Path) -> Iterator[Entry]:
    """Yield the sentences of a CoNLL-U file, in order. Empty nodes (`8.1`) are left out.

    Raises:
        DataError: If the file is missing, or a line is not CoNLL-U; the message says which.
    """
    if not Path(path).is_file():
        raise DataError(f"{path}: there is no such file. Give a file in CoNLL-U format.")
    with Path(path).open(encoding="utf-8", errors="strict") as file:
        try:
            yield from _entries(file, str(path))
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text: {error}") from error


def _entries(lines: Iterable[str], name: str) -> Iterator[Entry]:
    comments: dict[str, str] = {}
    rows: list[list[str]] = []
    first = 1
    for number, raw in enumerate([*lines, "\n"], start=1):
        line = raw.rstrip("\n\r")
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            comments[key.strip()] = value.strip()
        elif line.strip():
            rows.append(line.split("\t"))
            if len(rows[-1]) != 10:
                raise DataError(
                    f"{name}, line {number} has {len(rows[-1])} columns, expected 10 separated by tabs: {line[:60]}"
                )
        else:
            if rows:
                yield _entry(comments, rows, f"{name}, sentence from line {first}")
            comments, rows, first = {}, [], number + 1


def _entry(comments: dict[str, str], rows: list[list[str]], where: str) -> Entry:
    words = [row for row in rows if row[0].isdigit()]
    if [row[0] for row in words] != [str(i + 1) for i in range(len(words))] or not words:
        raise DataError(f"{where}: the words are not numbered 1, 2, 3 …")
    try:
        governors = tuple(0 if row[6] == "_" else int(row[6]) for row in words)
    except ValueError as error:
        raise DataError(f"{where}: column 7 must be the number of the governor: {error}") from error
    if not is_tree(governors):
        raise DataError(f"{where}: the governors (column 7) do not form one tree with one root.")
    text, tokens, spans = _place(rows, comments.get("text"))
    sentence = Sentence(
        words=tuple(row[1] for row in words),
        spans=np.array(spans, np.int32).reshape(-1, 2),
        lemmas=tuple("" if row[2] == "_" and row[1] != "_" else row[2].lower() for row in words),
        upos=tuple(_known(row[3]) for row in words),
        xpos=tuple(_known(row[4]) for row in words),
        governors=governors,
        relations=tuple(_known(row[7]) or "dep" for row in words),
    )
    opens = "document" if "newdoc id" in comments or "newdoc" in comments else ""
    if not opens and ("newpar id" in comments or "newpar" in comments):
        opens = "paragraph"
    return Entry(text, sentence, tuple(tokens), opens, _spaced(_written(rows)[-1]), comments)


def _known(value: str) -> str:
    return "" if value == "_" else value


def _written(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows of the tokens as they were written: a range `3-4` stands for its words."""
    written, covered = [], 0
    for row in rows:
        if "-" in row[0]:
            covered = int(row[0].partition("-")[2])
            written.append(row)
        elif row[0].isdigit() and int(row[0]) > covered:
            written.append(row)
    return written


def _spaced(row: list[str]) -> bool:
    return "SpaceAfter=No" not in row[9].split("|")


def _place(rows: list[list[str]], text: str | None) -> tuple[str, list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the text, the span of every token, and the span of every word."""
    written = _written(rows)
    joined = "".join(row[1] + (" " if _spaced(row) else "") for row in written).rstrip(" ")
    text = joined if text is None else text
    tokens: list[tuple[int, int]] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for row in written:
        found = text.find(row[1], at)
        # A comment `text` that does not hold the tokens is not worth refusing the file: the tokens are the data.
        if found < 0 or text[at:found].strip():
            return _place(rows, None) if text != joined else (joined, tokens, spans)
        at = found + len(row[1])
        tokens.append((found, at))
        parts = _parts(rows, row)
        spans.extend(_split(parts, found, at) if "".join(parts) == row[1] else [(found, at)] * len(parts))
    return text, tokens, spans


def _parts(rows: list[list[str]], written: list[str]) -> list[str]:
    first, _, last = written[0].partition("-")
    if not last:
        return [written[1]]
    wanted = range(int(first), int(last) + 1)
    return [row[1] for row in rows if row[0].isdigit() and int(row[0]) in wanted]


def _split(parts: list[str], start: int, end: int) -> list[tuple[int, int]]:
    cuts = np.cumsum([start, *map(len, parts)]).tolist()
    return list(zip(cuts[:-1], [*cuts[1:-1], end], strict=True))


def raw_documents(entries: Iterable[Entry]) -> Iterator[tuple[str, list[Entry], list[int]]]:
    """Join sentences back into running text, document by document.

    Sentences stand one space apart (none where the file says so), paragraphs an empty line.

    Yields:
        The text, its entries, and the character at which each begins.
    """
    text, members, starts, gap = "", list[Entry](), list[int](), ""
    for entry in entries:
        if entry.opens == "document" and members:
            yield text, members, starts
            text, members, starts, gap = "", [], [], ""
        if entry.opens and members:
            gap = "\n\n"
        text += gap
        starts.append(len(text))
        members.append(entry)
        text += entry.text
        gap = " " if entry.space_after else ""
    if members:
        yield text, members, starts


def write(sentences: Sequence[tuple[str, Sentence]], file: TextIO) -> None:
    """Write sentences as CoNLL-U.

    Args:
        sentences: The text each sentence stands in, and the sentence.
        file: Open for writing text.
    """
    for i, (text, sentence) in enumerate(sentences, start=1):
        start, end = (int(sentence.spans[0, 0]), int(sentence.spans[-1, 1])) if len(sentence) else (0, 0)
        line = re.sub(r"\s", " ", text[start:end])
        file.write(f"# sent_id = {i}\n# text = {line}\n")
        for w in range(len(sentence)):
            file.write("\t".join(_columns(text, sentence, w)) + "\n")
        file.write("\n")


def _columns(text: str, sentence: Sentence, w: int) -> list[str]:
    end = int(sentence.spans[w, 1])
    touches = w + 1 < len(sentence) and int(sentence.spans[w + 1, 0]) <= end
    touches = touches or (w + 1 == len(sentence) and end < len(text) and not text[end].isspace())
    word = re.sub(r"\s", " ", sentence.words[w])
    return [
        str(w + 1),
        word,
        sentence.lemmas[w] or "_",
        sentence.upos[w] or "_",
        sentence.xpos[w] or "_",
        "_",
        str(sentence.governors[w]),
        sentence.relations[w] or "dep",
        "_",
        "SpaceAfter=No" if touches else "_",
    ]

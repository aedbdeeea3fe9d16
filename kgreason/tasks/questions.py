"""From a question as people write it to its text, its seed entities, and where they stand in it."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from kgreason.errors import DataError

Mention = tuple[int, int, int]


class Question(NamedTuple):
    """A question without brackets.

    Args:
        text: What is asked.
        seeds: The names of its seed entities.
        mentions: Where each stands, as `(0, start, end)` in characters; empty if that is not known of all.
    """

    text: str
    seeds: tuple[str, ...]
    mentions: tuple[Mention, ...]


def read_question(text: str, seeds: Sequence[str] | None = None) -> Question:
    """Take the [brackets] around seed entities out of a question.

    Only the outermost brackets count: `[[REC]]` is the entity `[REC]`. With `seeds`, brackets say where these stand,
    in their order; without brackets, a seed that the text names exactly once, as it is or with blanks for underscores,
    stands there.

    Args:
        text: The question.
        seeds: The names of the seed entities, where they are given apart.

    Raises:
        DataError: If brackets are not balanced, hold nothing, or are another number than there are seeds.

    >>> read_question("which films did [Tom Hanks] star in")
    Question(text='which films did Tom Hanks star in', seeds=('Tom Hanks',), mentions=((0, 16, 25),))
    """
    if seeds and any(mark in seed for seed in seeds for mark in "[]"):
        return Question(text, tuple(seeds), _find(text, seeds))  # brackets belong to the names
    spans = _brackets(text)
    plain, mentions, end = "", [], 0
    for start, stop in spans:
        name = text[start + 1 : stop - 1].strip()
        plain += text[end:start]
        mentions.append((0, len(plain), len(plain) + len(name)))
        plain, end = plain + name, stop
    plain += text[end:]
    if not seeds:
        return Question(plain, tuple(plain[a:b] for _, a, b in mentions), tuple(mentions))
    if not mentions:
        return Question(text, tuple(seeds), _find(text, seeds))
    if len(mentions) != len(seeds):
        raise DataError(
            f"the question has {len(mentions)} part(s) in [brackets] but {len(seeds)} seeds. Put each seed in "
            "brackets, in the order of 'seeds', or leave out the brackets."
        )
    return Question(plain, tuple(seeds), tuple(mentions))


def _brackets(text: str) -> list[tuple[int, int]]:
    """Return where the outermost brackets begin and end."""
    spans, depth, start = [], 0, 0
    for match in re.finditer(r"[\[\]]", text):
        opens = match[0] == "["
        if opens and not depth:
            start = match.start()
        depth += 1 if opens else -1
        if depth < 0:
            break
        if not depth:
            if not text[start + 1 : match.start()].strip():
                raise DataError(f"the question has empty brackets at character {start}. {_ADVICE}")
            spans.append((start, match.end()))
    if depth:
        what = "'[' without a ']'" if depth > 0 else "']' without a '['"
        raise DataError(f"the question has a {what}: {text!r}. {_ADVICE}")
    return spans


_ADVICE = "Brackets mark a seed entity, as in: who directed [Kismet]. Write no others, or give the entities as 'seeds'."


def _find(text: str, seeds: Sequence[str]) -> tuple[Mention, ...]:
    """Return where the seeds stand if the text names each of them exactly once, and none inside another."""
    found: list[Mention] = []
    for seed in seeds:
        spans = [m.span() for name in dict.fromkeys((seed, seed.replace("_", " "))) for m in _named(name, text)]
        if len(spans) != 1:
            return ()
        found.append((0, *spans[0]))
    ordered = sorted(found)
    if any(a[2] > b[1] for a, b in pairwise(ordered)):
        return ()
    return tuple(found)


def _named(name: str, text: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text))

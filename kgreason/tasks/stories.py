"""What can be done to a story so that it says the same in another order, or something else in the same words."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgreason.data import Example

#: What ends a sentence, with what closes behind it; the next one starts with something that is no small letter.
_END = re.compile(r"[.!?][\"')\]]*\s+(?=[^a-z])")
_Mention = tuple[int, int, int]


def shuffle_sentences(example: Example, draw: np.random.Generator) -> Example:
    """Put the sentences of the first text in another order; its mentions, and so its seeds, follow.

    >>> places = ((0, 0, 3), (0, 10, 13))
    >>> told = Example("x", ("Ann left. Bob slept.",), ("context",), seeds=("Ann", "Bob"), mentions=places)
    >>> moved = shuffle_sentences(told, np.random.default_rng(3))
    >>> moved.texts, moved.seeds
    (('Bob slept. Ann left.',), ('Bob', 'Ann'))
    """
    text = example.texts[0]
    inside = [(start, end) for number, start, end in example.mentions if number == 0]
    cuts = [m.end() for m in _END.finditer(text) if not any(a < m.end() < b for a, b in inside)]
    pieces = list(zip([0, *cuts], [*cuts, len(text)], strict=True))
    told, start_of, parts = 0, {}, []
    for at in draw.permutation(len(pieces)).tolist():
        start, end = pieces[at]
        words = text[start:end].rstrip()
        start_of[at] = told
        parts.append(words)
        told += len(words) + 1
    places: list[_Mention] = []
    for number, start, end in example.mentions:
        at = next((i for i, (a, b) in enumerate(pieces) if a <= start < b), 0)
        move = start_of[at] - pieces[at][0] if number == 0 else 0
        places.append((number, start + move, end + move))
    order = sorted(range(len(places)), key=lambda i: (places[i][0] != 0, places[i][1] if places[i][0] == 0 else i))
    seeds, places = _taken(example.seeds, order), [places[i] for i in order]
    return replace(example, texts=(" ".join(parts), *example.texts[1:]), seeds=seeds, mentions=tuple(places))


def shuffle_names(example: Example, draw: np.random.Generator) -> Example:
    """Let the names in the first text change places: the same people and relations, joined at random.

    >>> told = Example("x", ("Ann met Bo.",), ("context",), seeds=("Ann", "Bo"), mentions=((0, 0, 3), (0, 8, 10)))
    >>> shuffle_names(told, np.random.default_rng(3)).texts
    ('Bo met Ann.',)
    """
    here = [i for i, (number, _, _) in enumerate(example.mentions) if number == 0]
    given = draw.permutation(len(here)).tolist()
    text, seeds, places = example.texts[0], list(example.seeds), list(example.mentions)
    told, at, more = "", 0, 0
    for i, j in zip(here, given, strict=True):
        _, start, end = example.mentions[i]
        _, a, b = example.mentions[here[j]]
        told += text[at:start] + text[a:b]
        places[i] = (0, start + more, start + more + b - a)
        seeds[i], at, more = example.seeds[here[j]], end, more + (b - a) - (end - start)
    return replace(example, texts=(told + text[at:], *example.texts[1:]), seeds=tuple(seeds), mentions=tuple(places))


def _taken(seeds: Sequence[str], order: Sequence[int]) -> tuple[str, ...]:
    return tuple(seeds[i] for i in order) if len(seeds) == len(order) else tuple(seeds)

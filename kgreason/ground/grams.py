"""Labels by the trigrams of their letters: which labels may a text hold with a few letters wrong?"""

import re
import unicodedata
from collections.abc import Iterable
from typing import final, no_type_check

import numpy as np
from jaxtyping import Int32, Int64
from numba import njit
from numpy import ndarray

_NOT_A_WORD = re.compile(r"[^\w\n]+|_+")
_MARKS = re.compile("[\u0300-\u036f]+")
#: Letters that no decomposition takes apart.
_FOLDED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_LINE = ord("\n")


def fold(text: str) -> str:
    """Return a text in lower case, without accents, with one space for whatever stands between words; lines stay.

    >>> fold("Amélie—Spider-Man: 2 ")
    'amelie spider man 2 '
    """
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()).translate(_FOLDED))
    return _NOT_A_WORD.sub(" ", text.lower())


def edits_allowed(length: int) -> int:
    """Return how many letters may be wrong in a label of so many: none up to 3, one up to 7, two up to 15, three above.

    >>> [edits_allowed(n) for n in (3, 4, 8, 16)]
    [0, 1, 2, 3]
    """
    return int(length > 3) + int(length > 7) + int(length > 15)


@final
class GramIndex:
    """Finds labels nearly all of whose trigrams stand in a text, without a look at the others.

    Labels are folded (`fold`), with a space on either side; a trigram is three of their bytes. A posting list leads
    from a trigram to its labels. One wrong letter spoils at most three trigrams, and two that change places four, so
    that a label with `e` such edits misses at most `4 e` of them: counting the postings of a text's trigrams finds each
    such label that still shares a third. Trigrams in more than a twentieth of a large graph's labels say little and are
    left out on both sides.

    Args:
        names: The labels.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.folded = [
            " ".join(line.split()) for line in fold("\n".join(n.replace("\n", " ") for n in names)).split("\n")
        ]
        data = "\n".join(f" {name} " for name in self.folded).encode()
        codes, label = _grams(np.frombuffer(data, np.uint8))
        keys = codes << 32 | label
        keys.sort()  # np.unique hashes, which takes ten times as long for so many
        keys = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
        codes, posting = keys >> 32, (keys & 0xFFFFFFFF).astype(np.int32)
        self._codes, first, counts = np.unique(codes, return_index=True, return_counts=True)
        often = counts > max(5000, len(self.folded) // 20)
        self._ptr = np.append(first, len(codes)).astype(np.int64)
        self._posting = posting
        self._often = often
        spared = np.repeat(often, counts)
        self._size = np.bincount(posting[~spared], minlength=len(self.folded)).astype(np.int16)
        #: Of each label: how many letters it has, and how many of them may be wrong (`edits_allowed`).
        self.length = np.fromiter(map(len, self.folded), np.int32, len(self.folded))
        self.edits = (self.length > 3).astype(np.int16) + (self.length > 7) + (self.length > 15)
        self._needed = np.maximum(self._size - 4 * self.edits, -(-self._size // 3)).astype(np.int16)
        self._count = np.zeros(len(self.folded), np.int16)

    def near(self, text: str, most: int) -> Int32[ndarray, " labels"]:
        """Return up to `most` labels that the folded text may hold; many trigrams and few missing ones stand first."""
        codes, _ = _grams(np.frombuffer(f" {text} ".encode(), np.uint8))
        codes.sort()
        tables = (self._codes, self._ptr, self._often, self._posting)
        found, value = _count(codes, tables, (self._size, self._needed), self._count)
        if len(found) > most:
            best = np.argpartition(-value, most)[:most]
            found, value = found[best], value[best]
        return np.asarray(found[np.lexsort((found, -value))])


def _grams(data: ndarray) -> tuple[Int64[ndarray, " grams"], Int64[ndarray, " grams"]]:
    """Return the trigrams of lines of bytes, and the line of each."""
    wide = data.astype(np.int64)
    codes = wide[:-2] << 16 | wide[1:-1] << 8 | wide[2:]
    ends = data == _LINE
    line = np.cumsum(ends)[:-2]
    inside = ~(ends[:-2] | ends[1:-1] | ends[2:])
    return codes[inside], line[inside]


@njit(cache=True)
@no_type_check
def _count(codes, tables, sizes, count):
    """Count the labels in the posting lists of trigrams, in order and perhaps repeated.

    Returns those labels that have as many as they need, and their worth. `count` is scratch space of zeros, one for
    each label, and is left so. A label's place in the list is by when it is met first.
    """
    known, ptr, often, posting = tables
    size, needed = sizes
    place, lists, total = np.empty(len(codes), np.int64), 0, 0
    for k in range(len(codes)):
        if k and codes[k] == codes[k - 1]:
            continue
        at = np.searchsorted(known, codes[k])
        if at < len(known) and known[at] == codes[k] and not often[at]:
            place[lists] = at
            lists += 1
            total += ptr[at + 1] - ptr[at]
    touched = np.empty(min(total, len(count)), np.int32)
    n = 0
    for k in range(lists):
        for i in range(ptr[place[k]], ptr[place[k] + 1]):
            label = posting[i]
            if count[label] == 0:
                touched[n] = label
                n += 1
            count[label] += 1
    kept = 0
    worth = np.empty(n, np.int32)
    for i in range(n):
        label = touched[i]
        if count[label] >= needed[label]:
            touched[kept], worth[kept] = label, 3 * count[label] - 2 * size[label]
            kept += 1
        count[label] = 0
    return touched[:kept], worth[:kept]

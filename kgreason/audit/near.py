"""Texts that are nearly the same, found among many without comparing all with all."""

import zlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64, UInt64
from numpy import ndarray

#: Characters of a shingle; hash functions; rows of a band. Of two texts with similarity 0.8, 1 − (1 − 0.8⁴)¹⁶ = 99.98 %
#: share a band, and of two with 0.5 two thirds: candidates, which are then compared exactly.
_LENGTH, _HASHES, _ROWS = 5, 64, 4
_PRIME = np.uint64((1 << 31) - 1)
#: A band that so many texts share is looked up with only the first of them.
_CROWD = 50
_CHUNK = 4096


def near_copies(
    asked: Sequence[str], known: Sequence[str], least: float = 0.8
) -> tuple[Int64[ndarray, " asked"], Float[ndarray, " asked"]]:
    r"""Return, for each text of one list, the text of the other that is most like it, if one is like it enough.

    The similarity of two texts is Jaccard's of their sets of five characters in a row, $|A \cap B| / |A \cup B|$, in
    lower case with blanks and punctuation as one blank. Candidates come from MinHash in bands (64 hashes, 16 bands of
    4), which finds 99.98 % of the pairs at 0.8; each is then compared exactly, so none is found wrongly.

    Args:
        asked: The texts that are looked for.
        known: The texts among which.
        least: The least similarity.

    Returns:
        The place in `known`, or -1; and the similarity, 0 where there is none.

    Reference:
        Broder (1997), Compression and Complexity of Sequences; Leskovec, Rajaraman and Ullman, Mining of Massive
        Datasets, section 3.4.
    """
    place, best = np.full(len(asked), -1), np.zeros(len(asked))
    if not asked or not known:
        return place, best
    grams = [_shingles(text) for text in asked], [_shingles(text) for text in known]
    for row, column in _candidates(*map(_signatures, grams)):
        for i, j in zip(row.tolist(), column.tolist(), strict=True):
            alike = _jaccard(grams[0][i], grams[1][j])
            if alike >= least and (alike > best[i] or (alike == best[i] and j < place[i])):
                place[i], best[i] = j, alike
    return place, best


def _shingles(text: str) -> UInt64[ndarray, " shingles"]:
    """Return the distinct shingles of a text as numbers, ascending."""
    plain = " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split()).encode("utf-8", "replace")
    if len(plain) <= _LENGTH:
        return np.array([zlib.crc32(plain)], np.uint64)
    letters = np.frombuffer(plain, np.uint8).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(letters, _LENGTH)
    return np.unique(windows @ (np.uint64(257) ** np.arange(_LENGTH, dtype=np.uint64)))


def _signatures(grams: Sequence[UInt64[ndarray, " _"]]) -> UInt64[ndarray, "texts hashes"]:
    """Return the least value of each hash function over the shingles of each text; `(a x + b) mod p`, seeded."""
    draw = np.random.default_rng(0)
    a = draw.integers(1, int(_PRIME), _HASHES, dtype=np.uint64)
    b = draw.integers(0, int(_PRIME), _HASHES, dtype=np.uint64)
    parts = []
    for start in range(0, len(grams), _CHUNK):
        part = grams[start : start + _CHUNK]
        flat = np.concatenate(part) % _PRIME
        at = np.cumsum([0, *(len(g) for g in part[:-1])])
        columns = [np.minimum.reduceat((flat * x + y) % _PRIME, at) for x, y in zip(a, b, strict=True)]
        parts.append(np.stack(columns, axis=1))
    return np.concatenate(parts)


def _candidates(
    asked: UInt64[ndarray, "asked hashes"], known: UInt64[ndarray, "known hashes"]
) -> list[tuple[Int64[ndarray, " pairs"], Int64[ndarray, " pairs"]]]:
    """Return, band by band, the pairs that share it; no pair twice within one."""
    pairs = []
    for start in range(0, _HASHES, _ROWS):
        one, other = (_band(signature[:, start : start + _ROWS]) for signature in (asked, known))
        order = np.argsort(other, kind="stable")
        first, last = (np.searchsorted(other[order], one, side) for side in ("left", "right"))
        many = np.minimum(last - first, _CROWD)
        row = np.repeat(np.arange(len(one)), many)
        within = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
        pairs.append((row, order[np.repeat(first, many) + within]))
    row, column = (np.concatenate(c) for c in zip(*pairs, strict=True))
    both = np.unique(row * len(known) + column)
    return [(both // len(known), both % len(known))]


def _band(columns: UInt64[ndarray, "texts rows"]) -> UInt64[ndarray, " texts"]:
    mixed = np.zeros(len(columns), np.uint64)
    for column in columns.T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)  # wraps round on purpose
    return mixed


def _jaccard(one: UInt64[ndarray, " _"], other: UInt64[ndarray, " _"]) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)

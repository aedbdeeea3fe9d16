"""Which labels of a knowledge graph stand in a text, word by word."""

import re
import unicodedata
import weakref
from collections.abc import Iterable, Sequence
from typing import final

import numpy as np
from jaxtyping import Int32, Int64
from numpy import ndarray

from kgreason.data import KnowledgeGraph
from kgreason.data.knowledge import Labels
from kgreason.ground import trie

_UNIT = r"[^\W_]+|[^\w\s]"
_UNITS = re.compile(_UNIT)
_UNITS_AND_ENDS = re.compile(_UNIT + r"|\n")
_UNKNOWN, _NOTHING, _FIRST_COMPOUND = -1, -2, -3  # besides the ids of units
_MEMO_SIZE = 1_000_000


@final
class LabelIndex:
    """Finds the labels of a graph in running text: leftmost, longest, between word boundaries.

    Labels and words are cut alike, into runs of letters and digits and single other characters, so that "ice cream",
    "ice_cream" and a text in which a parser has cut "24/7" in three all meet. Case is folded here and compared
    afterwards: every match says whether the label is written just so.

    A trie over words and not, as usual, an Aho-Corasick automaton over characters: the matches are the same
    (`tests/rooms/test_ground_link.py` compares them), but each word may be read in two forms at once (as written and by
    its lemma: "hot dogs", "took off"). It is as fast with many labels, and its tables take a tenth of the memory
    (`tests/bench/bench_ground.py`).

    Args:
        labels: The labels of the graph.
    """

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self._ids: dict[str, int] = {}
        self._compounds: list[list[str]] = []
        written, ends = _cut(labels.names)
        unit, self._own = self._enter(written)
        self._seen = _Seen(*self._own)
        ends_at = np.flatnonzero(ends)
        keep = ~ends
        self._count = np.bincount(unit[keep], minlength=len(self._ids))
        stops = np.append(np.cumsum(keep)[ends_at], keep.sum())[: len(labels.names)]
        ptr = np.concatenate([[0], stops]).astype(np.int64)
        hashed = np.fromiter(map(hash, written), np.int64, len(written))[keep]
        size = 1 << max(4, int(len(hashed) * 1.5).bit_length())
        keys, child = np.full(size, -1, np.int64), np.empty(size, np.int32)
        first = np.full(len(hashed) + 1, -1, np.int32)
        chain, exact = np.full(len(ptr) - 1, -1, np.int32), np.zeros(len(ptr) - 1, np.int64)
        nodes = trie.build(unit[keep], hashed, ptr, keys, child, first, chain, exact)
        self._table = (keys, child)
        self._leaves = (first[:nodes].copy(), chain, exact)

    def find(
        self, words: Sequence[str], other: Sequence[str], segment: Int64[ndarray, " words"]
    ) -> Int32[ndarray, "rows 4"]:
        """Return rows `(first word, last word, label, whether it is written so)`, in reading order.

        Args:
            words: The words as written.
            other: Another form of each that may match in its place (its lemma), or `""`.
            segment: A number per word; no match runs over a change of it.
        """
        return np.asarray(trie.match(self._table, self._leaves, self._units(words, other), segment))

    def find_every(
        self, words: Sequence[str], other: Sequence[str], segment: Int64[ndarray, " words"]
    ) -> Int32[ndarray, "rows 4"]:
        """Return the rows of all matches, also of those that overlap; otherwise as `find`."""
        return np.asarray(trie.match_every(self._table, self._leaves, self._units(words, other), segment))

    def frequency(self, units: Sequence[str]) -> Int64[ndarray, " units"]:
        """Return how often each unit stands in the labels, whatever its case."""
        ids = np.fromiter((self._ids.get(unit.lower(), -1) for unit in units), np.int64, len(units))
        return np.where(ids >= 0, self._count[ids], 0)

    def _units(
        self, words: Sequence[str], other: Sequence[str]
    ) -> tuple[Int32[ndarray, " units"], Int64[ndarray, " units"], Int64[ndarray, " offsets"]]:
        """Return the units of all words, each as written and then in its other form."""
        second = [i for i, form in enumerate(other) if form]
        given = self._look_up([*words, *(other[i] for i in second)])
        ids, hashes = np.full(2 * len(words), _NOTHING), np.zeros(2 * len(words), np.int64)
        for column, values in zip((ids, hashes), given, strict=True):
            column[::2] = values[: len(words)]
            column[2 * np.array(second, np.int64) + 1] = values[len(words) :]
        return self._spread(ids, hashes)

    def _enter(
        self, written: list[str]
    ) -> tuple[Int32[ndarray, " units"], tuple[Int64[ndarray, " forms"], Int64[ndarray, " forms"]]]:
        """Number the units, upper and lower case alike; return them, and what `_Seen` shall know at first."""
        number = {u: self._ids.setdefault(u.lower(), len(self._ids)) for u in dict.fromkeys(written)}
        unit = np.fromiter(map(number.__getitem__, written), np.int32, len(written))
        hashed = np.fromiter(map(hash, number), np.int64, len(number))
        return unit, (hashed, np.fromiter(number.values(), np.int64, len(number)))

    def _look_up(self, forms: list[str]) -> tuple[Int64[ndarray, " forms"], Int64[ndarray, " forms"]]:
        """Return the unit of each word, or what it is instead, and its hash as written."""
        hashed = np.fromiter(map(hash, forms), np.int64, len(forms))
        ids = self._seen.recall(hashed)
        if (missing := np.flatnonzero(ids == trie.MISSING)).size:
            if self._seen.learnt > _MEMO_SIZE:
                self._seen = _Seen(*self._own)
                self._compounds.clear()
                return self._look_up(forms)
            new = list({forms[i] for i in missing.tolist()})
            values = np.fromiter(map(self._read, new), np.int64, len(new))
            self._seen.add(np.fromiter(map(hash, new), np.int64, len(new)), values)
            ids[missing] = self._seen.recall(hashed[missing])
        return ids, hashed

    def _spread(
        self, ids: Int64[ndarray, " forms"], hashes: Int64[ndarray, " forms"]
    ) -> tuple[Int32[ndarray, " units"], Int64[ndarray, " units"], Int64[ndarray, " offsets"]]:
        """Lay the units of all words end to end: their ids, their hashes as written, and where each word begins."""
        special = np.flatnonzero(ids <= _FIRST_COMPOUND)
        cut = [self._compounds[_FIRST_COMPOUND - i] for i in ids[special].tolist()]
        sizes = (ids != _NOTHING).astype(np.int64)
        sizes[special] = [len(units) for units in cut]
        ptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        unit, hashed = np.repeat(ids, sizes).astype(np.int32), np.repeat(hashes, sizes)
        for start, units in zip(ptr[special].tolist(), cut, strict=True):
            for k, u in enumerate(units, start):
                unit[k], hashed[k] = self._ids.get(u.lower(), _UNKNOWN), hash(u)
        return unit, hashed, ptr

    def _read(self, word: str) -> int:
        """Return the unit of a word; words of several units go to `_compounds`, as -3, -4 and so on."""
        if word.isascii() and word.isalnum():  # nearly all words
            return self._ids.get(word.lower(), _UNKNOWN)
        units = _UNITS.findall(unicodedata.normalize("NFC", word))
        if units == [word]:
            return self._ids.get(word.lower(), _UNKNOWN)
        if units:
            self._compounds.append(units)
            return _FIRST_COMPOUND - len(self._compounds) + 1
        return _UNKNOWN if word else _NOTHING  # an underscore or a space stands between words, not in a name


@final
class _Seen:
    """What was found out about words, by the hash that Python keeps in each.

    Two words of one hash would be taken for one: among ten million words, in one of 400,000 runs.

    Args:
        hashed: The hashes of the words that are known at first.
        values: What is known of them.
    """

    def __init__(self, hashed: Int64[ndarray, " words"], values: Int64[ndarray, " words"]) -> None:
        self._keys, self._values, self._count, self._first = np.full(16, -1, np.int64), np.empty(16, np.int32), 0, 0
        self.add(hashed, values)
        self._first = self._count

    @property
    def learnt(self) -> int:
        """How many words were added since."""
        return self._count - self._first

    def recall(self, hashed: Int64[ndarray, " words"]) -> Int64[ndarray, " words"]:
        """Return what is known of each word, or `trie.MISSING`."""
        return np.asarray(trie.recall(self._keys, self._values, hashed))

    def add(self, hashed: Int64[ndarray, " words"], values: Int64[ndarray, " words"]) -> None:
        """Note what is known of some words."""
        if 2 * (self._count + len(hashed)) > len(self._keys):
            size = 1 << int(3 * (self._count + len(hashed))).bit_length()
            old = self._keys != -1
            keys, known = self._keys[old], self._values[old]
            self._keys, self._values = np.full(size, -1, np.int64), np.empty(size, np.int32)
            trie.note(self._keys, self._values, keys, known.astype(np.int64))
        self._count += int(trie.note(self._keys, self._values, hashed, values))


def _cut(names: Iterable[str]) -> tuple[list[str], ndarray]:
    """Cut all labels at once, with a line end between two of them; the mask says where those are."""
    listed = list(names)
    text = "\n".join(listed)
    if text.count("\n") != len(listed) - 1:
        text = "\n".join(name.replace("\n", " ") for name in listed)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    written = _UNITS_AND_ENDS.findall(text)
    return written, np.fromiter((unit == "\n" for unit in written), np.bool_, len(written))


_BY_GRAPH: "weakref.WeakKeyDictionary[KnowledgeGraph, LabelIndex]" = weakref.WeakKeyDictionary()
_BY_LABELS: "weakref.WeakValueDictionary[int, LabelIndex]" = weakref.WeakValueDictionary()


def label_index(knowledge: KnowledgeGraph) -> LabelIndex:
    """Return the index of a graph's labels, built once and kept as long as the graph.

    Graphs that share their labels (a graph and its perturbations) share the index.
    """
    if knowledge not in _BY_GRAPH:
        key = id(knowledge.labels)  # not reused while the index, which holds the labels, is alive
        index = _BY_LABELS.get(key)
        if index is None:
            index = LabelIndex(knowledge.labels)
            _BY_LABELS[key] = index
        _BY_GRAPH[knowledge] = index
    return _BY_GRAPH[knowledge]

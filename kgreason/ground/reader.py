"""What a reader of kinship has learned: how much each sign counts, and what that comes to for a statement."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float32, Int32, Int64
from numpy import ndarray

from kgreason.errors import StoreError
from kgreason.whole import new_file

_ARRAYS = ("embed", "bias", "hidden", "hidden_bias", "out", "linear", "nobody")
#: Signs seen in fewer statements than this are not learned.
_RARE = 4


@final
@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Statements that could be meant, as numbers; those of one word and one tail compete, and with nobody.

    Args:
        sign: The signs of all statements, one after the other.
        start: Where those of each begin, and the end.
        group: Which of them compete; ascending by story.
        right: Whether it is what the story says; empty where that is not known.
    """

    sign: Int32[ndarray, " signs"]
    start: Int64[ndarray, " bounds"]
    group: Int64[ndarray, " statements"]
    right: Int32[ndarray, " known"]


@final
@dataclass(frozen=True, eq=False)
class Reader:
    r"""Scores statements by their signs; the likeliest head of a word and a tail wins, or nobody.

    $$s = w^\top \mathrm{relu}\big(W\, \mathrm{relu}(\textstyle\sum_f e_f + b) + c\big) + \sum_f l_f, \qquad
      p(h) = \frac{\exp s_h}{\exp s_\varnothing + \sum_{h'} \exp s_{h'}}$$

    Args:
        signs: What each row of the tables stands for.
        embed, bias, hidden, hidden_bias, out, linear, nobody: $e, b, W, c, w, l, s_\varnothing$.
    """

    signs: tuple[str, ...]
    embed: Float32[ndarray, "signs dim"]
    bias: Float32[ndarray, " dim"]
    hidden: Float32[ndarray, "inner dim"]
    hidden_bias: Float32[ndarray, " inner"]
    out: Float32[ndarray, " inner"]
    linear: Float32[ndarray, " signs"]
    nobody: Float32[ndarray, " one"]

    @cached_property
    def known(self) -> dict[str, int]:
        """The number of each sign."""
        return {sign: i for i, sign in enumerate(self.signs)}

    def probability(self, lessons: Lessons) -> Float32[ndarray, " statements"]:
        """Return how sure each statement is to be meant."""
        if not len(lessons.group):
            return np.zeros(0, np.float32)
        summed = _sums(self.embed[lessons.sign], lessons.start)
        direct = _sums(self.linear[lessons.sign], lessons.start)
        inner = np.maximum(np.maximum(summed + self.bias, 0) @ self.hidden.T + self.hidden_bias, 0)
        score = inner @ self.out + direct
        groups = int(lessons.group.max()) + 1
        top = np.full(groups, float(self.nobody[0]))
        np.maximum.at(top, lessons.group, score)
        each = np.exp(score - top[lessons.group])
        whole = np.bincount(lessons.group, each, groups) + np.exp(float(self.nobody[0]) - top)
        sure: ndarray = (each / whole[lessons.group]).astype(np.float32)
        return sure

    def save(self, path: Path) -> None:
        """Write it to a file, whole or not at all.

        Raises:
            StoreError: If it cannot be written.
        """
        try:
            with new_file(path) as file:
                np.savez(file, signs=np.array(self.signs), **{name: getattr(self, name) for name in _ARRAYS})
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error

    @classmethod
    def load(cls, path: Path) -> "Reader":
        """Read what `save` wrote.

        Raises:
            StoreError: If the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(tuple(file["signs"].tolist()), **{name: file[name] for name in _ARRAYS})
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise StoreError(
                f"{path} is no learned reader, or is damaged: {error}. Run the experiment again."
            ) from error


def _sums(rows: ndarray, start: ndarray) -> ndarray:
    """Return the sum of each stretch of rows; 0 for an empty one."""
    padded = np.concatenate([rows, np.zeros_like(rows[:1], shape=(1, *rows.shape[1:]))])
    found = np.add.reduceat(padded, start[:-1], axis=0)
    found[np.diff(start) == 0] = 0
    return found


def vocabulary(statements: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return the signs that stand in several statements, numbered; 0 is left for none."""
    count = Counter(sign for signs in statements for sign in set(signs))
    return {"": 0} | {sign: i for i, sign in enumerate((s for s, many in count.items() if many >= _RARE), 1)}


def lessons_of(
    statements: Sequence[Sequence[str]],
    groups: Sequence[int],
    known: Mapping[str, int],
    right: Sequence[bool] = (),
) -> Lessons:
    """Return statements as numbers; signs that are not known are left out.

    Args:
        statements: The signs of each.
        groups: Which of them compete.
        known: The number of each sign.
        right: Whether each is what the story says.
    """
    ids = [[known[sign] for sign in signs if sign in known] for signs in statements]
    return Lessons(
        sign=np.array([i for signs in ids for i in signs], np.int32),
        start=np.cumsum([0, *map(len, ids)], dtype=np.int64),
        group=np.array(groups, np.int64),
        right=np.array(right, np.int32),
    )

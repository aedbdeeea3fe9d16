"""Controls on the side of the text: the same task with something taken away or put in the wrong place."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from jaxtyping import Int64
from numpy import ndarray

from kgreason.data import Example
from kgreason.errors import ConfigError
from kgreason.tasks.keys import table_of_how
from kgreason.tasks.split import Split
from kgreason.tasks.stories import shuffle_names, shuffle_sentences
from kgreason.tasks.task import Splits

_Change = Callable[["Spoil", tuple[Example, ...]], tuple[Example, ...]]
#: What stands where nothing is said; a text must not be empty.
_NOTHING = "."


@final
@dataclass(frozen=True, slots=True)
class Spoil:
    """What is spoilt, and how: the key `spoil` of the section `[task]`, whatever the task.

    Args:
        how: `no_question`: of a question only what it is about is left; `swap_questions`: it is put in the words of
            another question of its split, about its own seed; `swap_seeds`: in its own words, about the seed of
            another; `premise_only`, `hypothesis_only`, `question_only`, `choices_only`: the other texts say nothing;
            `shuffle_words`: the words of each text in another order; `shuffle_sentences`, `shuffle_names`: of the first
            text, a story, the sentences stand in another order, or the names of its people have changed places. In
            train alone: `shuffle_labels`: each example has the target of another; `fewer`: only a share of the
            examples.
        share: Of the examples, for `fewer`.
        seed: Another seed, another draw.

    Raises:
        ConfigError: If there is no such control or the share makes no sense.
    """

    how: str
    share: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.how not in _CHANGES:
            raise ConfigError(f"[task] spoil = '{self.how}' is not known. Known: {', '.join(sorted(_CHANGES))}.")
        if not 0 < self.share <= 1:
            raise ConfigError(f"[task] spoil.share = {self.share}; give a share above 0 and at most 1.")

    @classmethod
    def of(cls, given: str | Mapping[str, Any]) -> "Spoil":
        """Read what a file says: the name of a control, or a table of it and its arguments.

        Raises:
            ConfigError: If a key does not exist.
        """
        return cls(**table_of_how("[task] spoil", given, cls.__dataclass_fields__, sorted(_CHANGES)))

    def __call__(self, splits: Splits) -> Splits:
        """Spoil what a run draws from."""
        change = _CHANGES[self.how]
        train = self._split(splits.train, change)
        if self.how in _TRAIN_ONLY:
            return replace(splits, train=train)
        tests = {name: self._split(split, change) for name, split in splits.test.items()}
        return Splits(train, self._split(splits.dev, change), tests)

    def _split(self, split: Split, change: _Change) -> Split:
        return replace(split, examples=change(self, split.examples)) if split.examples else split

    def order(self, size: int) -> Int64[ndarray, " examples"]:
        """Return a permutation in which no example keeps its place (of two or more)."""
        order = np.random.default_rng(self.seed).permutation(size)
        partner = np.empty(size, np.int64)
        partner[order] = np.roll(order, 1)
        return partner


def _no_question(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
    return tuple(_reworded(e, _NOTHING, None) for e in examples)


def _swap_questions(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
    partner = spoil.order(len(examples))
    return tuple(_reworded(e, *_frame(examples[p])) for e, p in zip(examples, partner, strict=True))


def _swap_seeds(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
    partner = spoil.order(len(examples))
    changed = []
    for own, p in zip(examples, partner, strict=True):
        moved = replace(own, seeds=examples[p].seeds[:1], mentions=examples[p].mentions[:1], texts=examples[p].texts)
        changed.append(_reworded(moved, *_frame(own)))
    return tuple(changed)


def _frame(example: Example) -> tuple[str, tuple[int, int] | None]:
    """Return the question, and the characters of its first mention."""
    return example.texts[0], example.mentions[0][1:] if example.mentions else None


def _reworded(example: Example, text: str, gap: tuple[int, int] | None) -> Example:
    """Return a question in other words: `text` with its own mention in the gap, or before it."""
    if not example.mentions:
        return replace(example, texts=(text,), mentions=())
    first, start, end = example.mentions[0]
    name = example.texts[first][start:end]
    before, after = (text[: gap[0]], text[gap[1] :]) if gap else ("", f" {text}")
    mention = (0, len(before), len(before) + len(name))
    return replace(example, texts=(before + name + after,), seeds=example.seeds[:1], mentions=(mention,))


def _only(role: str) -> _Change:
    def change(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
        return tuple(replace(e, texts=_said(e, role), seeds=(), mentions=()) for e in examples)

    return change


def _said(example: Example, role: str) -> tuple[str, ...]:
    return tuple(t if r == role else _NOTHING for t, r in zip(example.texts, example.roles, strict=True))


def _shuffle_words(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
    draw = np.random.default_rng(spoil.seed)
    return tuple(_shuffled(e, draw) for e in examples)


def _shuffled(example: Example, draw: np.random.Generator) -> Example:
    """Shuffle the words of each text; a mention of an entity stays one word and is found again."""
    texts, mentions = [], []
    for i, text in enumerate(example.texts):
        spans = sorted(((s, e, k) for k, (t, s, e) in enumerate(example.mentions) if t == i), reverse=True)
        words: list[tuple[str, int]] = []
        end = len(text)
        for start, stop, k in spans:
            words += [(word, -1) for word in re.findall(r"\S+", text[stop:end])] + [(text[start:stop], k)]
            end = start
        words += [(word, -1) for word in re.findall(r"\S+", text[:end])]
        at, said = 0, [words[int(j)] for j in draw.permutation(len(words))]
        for word, k in said:
            if k >= 0:
                mentions.append((k, (i, at, at + len(word))))
            at += len(word) + 1
        texts.append(" ".join(word for word, _ in said))
    return replace(example, texts=tuple(texts), mentions=tuple(span for _, span in sorted(mentions)))


def _retold(change: Callable[[Example, np.random.Generator], Example]) -> _Change:
    def changed(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
        draw = np.random.default_rng(spoil.seed)
        return tuple(change(e, draw) for e in examples)

    return changed


def _shuffle_labels(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
    partner = spoil.order(len(examples))
    return tuple(replace(e, target=examples[p].target) for e, p in zip(examples, partner, strict=True))


def _fewer(spoil: Spoil, examples: tuple[Example, ...]) -> tuple[Example, ...]:
    order: Sequence[int] = np.random.default_rng(spoil.seed).permutation(len(examples)).tolist()
    return tuple(examples[i] for i in sorted(order[: max(1, round(spoil.share * len(examples)))]))


_TRAIN_ONLY = frozenset({"shuffle_labels", "fewer"})
_CHANGES: dict[str, _Change] = {
    "no_question": _no_question,
    "swap_questions": _swap_questions,
    "swap_seeds": _swap_seeds,
    "premise_only": _only("premise"),
    "hypothesis_only": _only("hypothesis"),
    "question_only": _only("question"),
    "choices_only": _only("choice"),
    "shuffle_words": _shuffle_words,
    "shuffle_sentences": _retold(shuffle_sentences),
    "shuffle_names": _retold(shuffle_names),
    "shuffle_labels": _shuffle_labels,
    "fewer": _fewer,
}

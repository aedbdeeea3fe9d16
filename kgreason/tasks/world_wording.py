"""How a path of relations becomes an English question: the frames of `datasets/world-qa`, filled and smoothed."""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, final

from kgreason.errors import DataError

#: Which of the wordings of a step belong to which split.
_ASK = {"train": slice(0, 6), "dev": slice(6, 8), "test": slice(8, 12)}
_THAT = {"train": slice(0, 3), "dev": slice(3, 4), "test": slice(4, 6)}
#: What names the kind of a thing once more is left out before a name that says it itself, and before a phrase.
_NOUN = "lake|mountain|peak|summit|island|desert|range|language|domain|city of|state of|family of|group of"
_BEFORE_PHRASE = re.compile(rf"\bthe (?:{_NOUN}) (?=(?:the|each|any|every|all|what) )")
_BEFORE_NAME = re.compile(
    r"\bthe (?:lake|mountain|peak|summit|island|desert|range) "
    r"(?=(?:the )?\[(?:(?:Lake|Lough|Loch|Mount|Mont|Monte|Isle|Cerro|Pico|Jabal|Jebel) |[^\]]* "
    r"(?:Lake|Peak|Peaks|Mountain|Mountains|Island|Islands|Desert|Sea|Hill|Range)\]))"
)


@dataclass(frozen=True, slots=True)
class Wording:
    """The wordings of one step of a path, by split.

    Args:
        ask: Questions about where the step leads, with `{x}` for where it starts.
        that: Noun phrases for where it leads.
    """

    ask: Mapping[str, tuple[str, ...]]
    that: Mapping[str, tuple[str, ...]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """What `frames.toml` says.

    Args:
        steps: Relation (`^` from tail to head) to its wordings.
        opening: Split to what a question may begin with.
        article: What names with "the" look like.
        bare: What they do not look like.
        heads_of: Relations whose heads stand with "the".
        tails_of: Relations whose tails do.
    """

    steps: Mapping[str, Wording]
    opening: Mapping[str, tuple[str, ...]]
    article: re.Pattern[str]
    bare: re.Pattern[str]
    heads_of: tuple[str, ...]
    tails_of: tuple[str, ...]

    def mark(self, name: str, always: bool) -> str:
        """Return a name in brackets, with "the" before it where English wants it.

        Args:
            name: What the seed is called.
            always: Whether it is of a kind that always stands with "the".
        """
        the = not self.bare.search(name) and (always or self.article.search(name))
        return f"the [{name}]" if the else f"[{name}]"

    def frame(self, path: Sequence[str], split: str, rng: random.Random) -> str:
        """Draw a question about where `path` leads, with `{x}` for the seed.

        Raises:
            DataError: If a step has no wording.
        """
        text = "{x}"
        for step in path[:-1]:
            text = rng.choice(self._of(step).that[split] or self._missing(step)).replace("{x}", text)
        return rng.choice(self._of(path[-1]).ask[split]).replace("{x}", text)

    def _of(self, step: str) -> Wording:
        return self.steps[step] if step in self.steps else self._missing(step)

    def _missing(self, step: str) -> NoReturn:
        raise DataError(f"frames.toml: the relation '{step}' has no wording for its place in a path. Write one.")

    def say(self, frame: str, seed: str, opening: str) -> str:
        """Put the seed into a frame, and the opening before it.

        Args:
            frame: As `frame` returns it.
            seed: As `mark` returns it.
            opening: With `{Q}` for a question that begins a sentence, `{q}` for one that does not.
        """
        text = smooth(frame, seed)
        return opening.replace("{q}", text).replace("{Q}", text[0].upper() + text[1:])


def smooth(frame: str, seed: str) -> str:
    """Return the frame with its seed, without nouns that would say a kind twice.

    >>> smooth("which countries lie at the lake {x}?", "[Lake Chad]")
    'which countries lie at [Lake Chad]?'
    >>> smooth("what country does the mountain the highest peak of {x} belong to?", "[Chad]")
    'what country does the highest peak of [Chad] belong to?'
    """
    return _BEFORE_PHRASE.sub("", _BEFORE_NAME.sub("", frame.replace("{x}", seed)))


def read_frames(path: Path) -> Frames:
    """Read `frames.toml`.

    Raises:
        DataError: If a relation has not 12 `ask` and 6 `that` (or none), or one does not hold `{x}` once.
    """
    table = tomllib.loads(path.read_text("utf-8"))
    opening, the = table.pop("opening"), table.pop("the")
    return Frames(
        steps={name: _wording(name, step) for name, step in table.items()},
        opening={split: tuple(given) for split, given in opening.items()},
        article=re.compile("|".join(f"(?:{pattern})" for pattern in the["names"])),
        bare=re.compile(the["not_names"]),
        heads_of=tuple(the["heads_of"]),
        tails_of=tuple(the["tails_of"]),
    )


def _wording(name: str, table: Mapping[str, Any]) -> Wording:
    ask, that = table["ask"], table.get("that", [])
    if len(ask) != _ASK["test"].stop or len(that) not in (0, _THAT["test"].stop):
        raise DataError(f"frames.toml, {name}: expected 12 'ask' and 6 'that', found {len(ask)} and {len(that)}.")
    for text in (*ask, *that):
        if text.count("{x}") != 1:
            raise DataError(f"frames.toml, {name}: '{text}' does not hold {{x}} exactly once.")
    return Wording(
        {split: tuple(ask[part]) for split, part in _ASK.items()},
        {split: tuple(that[part]) for split, part in _THAT.items()},
    )

"""Names, genders and nationalities exchanged, the same in all texts of an example: no label may change."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias, final

import numpy as np

from kgreason.audit.rewording import reworded
from kgreason.data import Example

#: From a word, as it stands in lower case, and the text after it, to what stands there instead; None to leave it.
Exchange: TypeAlias = Callable[[str, str], str | None]
_WORD = re.compile(r"[A-Za-z]+")


@final
@dataclass(frozen=True, slots=True)
class Swap:
    """A way to exchange words that no answer may depend on.

    Args:
        name: `names`, `genders`, `nationalities`.
        cased: Whether a word counts only if it begins with a capital.
        tasks: Where no answer depends on it: who is asked for may be a mother or a father, and a fact about one country
            is none about another.
        exchange: What stands in the place of a word.
    """

    name: str
    cased: bool
    tasks: tuple[str, ...]
    exchange: Exchange

    def __call__(self, example: Example) -> Example | None:
        """Return the example with words exchanged, or None if it has none that can be."""
        return reworded(example, self._words)

    def _words(self, text: str) -> str:
        return _WORD.sub(lambda match: self._one(match, text), text)

    def _one(self, match: re.Match[str], text: str) -> str:
        word = match[0]
        if self.cased and not word[0].isupper():
            return word
        new = self.exchange(word.lower(), text[match.end() :])
        if new is None:
            return word
        if word.isupper() and len(word) > 1:
            return new.upper()
        return new[0].upper() + new[1:] if word[0].isupper() else new


def swaps(seed: int = 0) -> tuple[Swap, ...]:
    """Return all swaps. Equal seeds give equal ones.

    Names change places with names of the same gender, nations with nations (the adjective and the country at once, so
    that what one text calls French and the other from France stays of one country); each list is turned by a random
    number of places, so that no two words of it become one.

    Args:
        seed: Another seed, another turn.
    """
    told, draw = _tables(), np.random.default_rng(seed)
    names = {a.lower(): b for of in told["names"].values() for a, b in zip(of, _turned(of, draw), strict=True)}
    rows = told["nations"]["rows"]
    nations = {
        a.lower(): b for old, new in zip(rows, _turned(rows, draw), strict=True) for a, b in zip(old, new, strict=True)
    }
    return (
        Swap("names", True, ("nli", "choice", "kgqa", "relation"), lambda word, rest: names.get(word)),
        Swap("genders", False, ("nli", "choice"), _gender(told["gender"])),
        Swap("nationalities", True, ("nli",), lambda word, rest: nations.get(word)),
    )


def _gender(told: Mapping[str, Any]) -> Exchange:
    other = {a: b for one, two in told["pairs"] for a, b in ((one, two), (two, one))}
    other |= {"his": "her", "him": "her", "hers": "his"}
    before = frozenset(told["before_him"])

    def exchange(word: str, rest: str) -> str | None:
        if word == "her":
            after = re.match(r"\s*(\w+|\W|)", rest)
            return "him" if after is None or after[1].lower() in before else "his"
        return other.get(word)

    return exchange


def _turned(rows: list[Any], draw: np.random.Generator) -> list[Any]:
    turn = int(draw.integers(1, len(rows)))
    return rows[turn:] + rows[:turn]


@lru_cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("kgreason.audit").joinpath("swaps.toml").read_text("utf-8"))

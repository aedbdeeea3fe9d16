"""Slips of the fingers: one per text."""

import hashlib
import re
from collections.abc import Callable

import numpy as np

from kgreason.audit.rewording import reworded
from kgreason.data import Example

#: Words that are long enough to be read in spite of a slip.
_LONG = re.compile(r"[A-Za-z]{4,}")


def typos(seed: int = 0) -> Callable[[Example], Example | None]:
    """Return what makes one slip in each stretch of text between mentions: two neighbouring letters inside a word.

    The first letter of the word stays, and a slip that changes nothing (two equal letters) is not made. Where, depends
    on the text and the seed alone, so that what premise and hypothesis share gets slips of its own in each.
    """

    def slip(text: str) -> str:
        words = [m for m in _LONG.finditer(text) if _places(m[0])]
        if not words:
            return text
        draw = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{seed} {text}".encode()).digest()[:8], "big"))
        word = words[int(draw.integers(len(words)))]
        at = word.start() + int(draw.choice(_places(word[0])))
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]

    return lambda example: reworded(example, slip)


def _places(word: str) -> list[int]:
    return [i for i in range(1, len(word) - 1) if word[i] != word[i + 1]]

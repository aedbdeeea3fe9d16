"""What a text may hold before it meets a parser or a tokenizer."""

import re

from kgreason.errors import DataError

#: NUL ends a string in C code below us; a lone surrogate cannot be written as UTF-8. Each becomes one character, so
#: that character offsets stay what the user sees.
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_WORD = re.compile(r"\w+")


def clean(text: object, what: str) -> str:
    """Return a text that every room can read: no NUL, no lone surrogates, no blanks at the ends.

    Args:
        text: What the user gave.
        what: What to call it in an error, such as "the premise".

    Raises:
        DataError: If it is no text, or holds no character that can be read.
    """
    if not isinstance(text, str):
        raise DataError(f"{what} is a {type(text).__name__}, expected a text.")
    safe = _UNSAFE.sub("\ufffd", text).strip()
    if not safe.strip("\ufffd"):
        raise DataError(f"{what} is empty. Give at least one word.")
    return safe


def same_words(text: str) -> str:
    """Return what two texts share if they differ in case, blanks and punctuation alone.

    >>> same_words("A man's asleep.") == same_words("a man 's asleep . ")
    True
    """
    return "".join(_WORD.findall(text.casefold())).replace("_", "")

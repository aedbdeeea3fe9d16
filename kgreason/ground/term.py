"""What is compared: a word or a phrase of a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase of a sentence.

    Args:
        text: As written: "ice cream", "at least two", "guitars".
        lemma: Its dictionary form, lower case.
        pos: The position in `UPOS` of its head, -1 if unknown.
    """

    text: str
    lemma: str
    pos: int = -1

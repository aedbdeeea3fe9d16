"""Examples in other words, with what is known of their texts kept right."""

from collections.abc import Callable
from dataclasses import replace

from kgreason.data import Example


def reworded(example: Example, change: Callable[[str], str]) -> Example | None:
    """Return an example with each stretch of text between mentions changed; None if that changes nothing.

    Mentions of entities stay as they are, and are found again where they have moved to: another name would be another
    question.

    Args:
        example: It is not changed itself.
        change: From a stretch of text to another.
    """
    if example.seeds and not example.mentions:
        return None  # where the entities stand is not known, and they must stay
    texts, mentions = [], list(example.mentions)
    for i, text in enumerate(example.texts):
        new, end = "", 0
        for start, stop, k in sorted((s, e, k) for k, (t, s, e) in enumerate(example.mentions) if t == i):
            new += change(text[end:start])
            mentions[k] = (i, len(new), len(new) + stop - start)
            new, end = new + text[start:stop], stop
        texts.append(new + change(text[end:]))
    if tuple(texts) == example.texts:
        return None
    return replace(example, texts=tuple(texts), mentions=tuple(mentions))

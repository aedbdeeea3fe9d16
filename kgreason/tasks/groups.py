"""Which examples belong together: those that share their first text are no independent draws."""

import hashlib
from collections.abc import Sequence
from typing import Any

from kgreason.data import Example
from kgreason.tasks.text import same_words


def groups_of(examples: Sequence[Example]) -> list[str]:
    """Return the name of each example's group: a hash of its first text (premise, question, story), case aside."""
    return [hashlib.sha256(same_words(example.texts[0]).encode()).hexdigest()[:12] for example in examples]


def group_fields(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Return what is written down of each example's group: `group`, or nothing at all where each is on its own."""
    names = groups_of(examples)
    return [{"group": name} for name in names] if len(set(names)) < len(names) else [{} for _ in names]

"""What becomes of the answers when words are exchanged that should not matter, mistyped, or put in another order."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from kgreason.audit.intervals import rate_of
from kgreason.audit.parts import Probe, Skip
from kgreason.audit.subject import Answers, Row, Subject
from kgreason.audit.swaps import swaps
from kgreason.audit.typos import typos
from kgreason.data import Example
from kgreason.errors import DataError
from kgreason.tasks import Split, Splits, Spoil

Wanted: TypeAlias = Literal["stay", "fall", "either"]
Rewrite: TypeAlias = Callable[[Example], Example | None]
#: Fewer examples than this tell nothing.
_LEAST, _EXAMPLES = 5, 3


def rewrites(seed: int, task: str) -> tuple[tuple[str, Wanted, Rewrite], ...]:
    """Return each probe of the text: its name, what is wanted of the answers, and what it makes of an example."""
    swapped: list[tuple[str, Wanted, Rewrite]] = [
        (f"{swap.name} swapped", "stay", swap) for swap in swaps(seed) if task in swap.tasks
    ]
    return (*swapped, ("typos", "stay", typos(seed)), ("words in another order", "either", _shuffled(seed)))


def needless(task: str) -> list[Skip]:
    """Return the swaps on which answers of a task may well depend."""
    why = "what is asked for, or the right answer, may depend on it in this task."
    return [Skip(f"{swap.name} swapped", why) for swap in swaps() if task not in swap.tasks]


def probe(
    subject: Subject, test: str, sample: tuple[Split, Sequence[Row]], rewrite: tuple[str, Wanted, Rewrite]
) -> Probe | Skip:
    """Change the texts of some examples, and ask again.

    Args:
        subject: The run.
        test: What the test is called.
        sample: Its examples and the run's rows of them.
        rewrite: One of `rewrites`.
    """
    name, wanted, change = rewrite
    split, rows = sample
    pairs = [(new, row) for e, row in zip(split.examples, rows, strict=True) if (new := change(e)) is not None]
    if len(pairs) < _LEAST:
        many = f"{len(pairs)} of {len(rows)} examples have" if pairs else f"none of {len(rows)} examples has"
        return Skip(f"{name}: {test}", f"{many} a word that it could change.")
    before = Answers.of([row for _, row in pairs])
    try:
        after = Answers.of(subject.answer([new for new, _ in pairs]))
    except DataError as error:
        return Skip(f"{name}: {test}", f"the changed texts cannot be read: {error}")
    changed = before.changed(after)
    shown = tuple(
        (" / ".join(pairs[i][0].texts), before.text[i], after.text[i])
        for i in changed.nonzero()[0][:_EXAMPLES].tolist()
    )
    return Probe(name, test, wanted, rate_of(changed), float(before.right.mean()), float(after.right.mean()), shown)


def _shuffled(seed: int) -> Rewrite:
    """Return what puts the words of each text in another order."""
    spoil = Spoil("shuffle_words", seed=seed)

    def shuffle(example: Example) -> Example | None:
        none = Split("", ())
        (moved,) = spoil(Splits(none, none, {"": Split("", (example,))})).test[""].examples
        return None if moved.texts == example.texts else moved

    return shuffle

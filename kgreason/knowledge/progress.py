"""How far a build is, and how long it will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

from kgreason.knowledge.feeds import Reading

_EVERY = 0.2  # seconds between two reports


@final
@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is.

    Args:
        stage: What is being done: `reading`, `joining entities`, `sorting triples`, `joining labels`, `writing`.
        done: Bytes that are read, or thousandths of a later stage.
        whole: How many there are; 0 if nobody knows.
        triples: How many triples and names were read so far.
        seconds: Since the stage began.
    """

    stage: str
    done: int
    whole: int
    triples: int
    seconds: float

    @property
    def rate(self) -> float:
        """Triples a second, while reading."""
        return self.triples / max(self.seconds, 1e-9) if self.stage == "reading" else 0.0

    @property
    def left(self) -> float:
        """How many seconds the stage will still take; -1 if nobody knows."""
        return self.seconds * (self.whole - self.done) / self.done if self.done and self.whole else -1.0


Tell: TypeAlias = Callable[[Progress], None]


@final
class Stopwatch:
    """Tells how far a build is, not more often than anyone can read."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell, self._stage, self._began, self._said = tell, "", 0.0, 0.0
        self._before = 0

    def reading(self, reading: Reading, triples: int) -> None:
        """Tell how much is read."""
        if self._stage != "reading":  # what an earlier build has read was not read now
            self._before = triples
        self._report("reading", reading.done, reading.size, triples)

    def step(self, stage: str, part: float) -> None:
        """Tell how much of a stage is done, from 0 to 1."""
        self._report(stage, round(1000 * part), 1000, 0)

    def _report(self, stage: str, done: int, whole: int, triples: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._said = stage, now, 0.0
        if self._tell is not None and (now - self._said > _EVERY or done == whole):
            self._said = now
            self._tell(Progress(stage, done, whole, triples - self._before if triples else 0, now - self._began))

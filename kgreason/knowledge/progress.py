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
        triples: How many triples and names this build has read.
        seconds: Since the stage began.
        before: How much of it an earlier build had done.
    """

    stage: str
    done: int
    whole: int
    triples: int
    seconds: float
    before: int = 0

    @property
    def rate(self) -> float:
        """Triples a second, while reading."""
        return self.triples / max(self.seconds, 1e-9) if self.stage == "reading" else 0.0

    @property
    def left(self) -> float:
        """How many seconds the stage will still take; -1 if nobody knows."""
        done = self.done - self.before
        return self.seconds * (self.whole - self.done) / done if done > 0 and self.whole else -1.0


Tell: TypeAlias = Callable[[Progress], None]


@final
class Stopwatch:
    """Tells how far a build is, not more often than anyone can read."""

    def __init__(self, tell: Tell | None) -> None:
        self._tell, self._stage, self._began, self._said = tell, "", 0.0, 0.0
        self._triples = self._before = 0

    def begin(self, reading: Reading, triples: int) -> None:
        """Say where reading begins, and how many triples an earlier build has read."""
        self._enter("reading")
        self._triples, self._before = triples, reading.done

    def reading(self, reading: Reading, triples: int) -> None:
        """Tell how much is read."""
        self._report("reading", (reading.done, reading.size), triples - self._triples)

    def step(self, stage: str, part: float) -> None:
        """Tell how much of a stage is done, from 0 to 1."""
        self._report(stage, (round(1000 * part), 1000), 0)

    def _enter(self, stage: str) -> None:
        if stage != self._stage:
            self._stage, self._began, self._said, self._before = stage, time.monotonic(), 0.0, 0

    def _report(self, stage: str, part: tuple[int, int], triples: int) -> None:
        self._enter(stage)
        now = time.monotonic()
        if self._tell is not None and (now - self._said > _EVERY or part[0] == part[1]):
            self._said = now
            self._tell(Progress(stage, *part, triples, now - self._began, self._before))

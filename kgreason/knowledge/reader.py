"""Reads a source into runs: all of it, or the portion that is one worker's."""

from typing import final

from kgreason.knowledge.blocks import Stream
from kgreason.knowledge.feeds import Reading
from kgreason.knowledge.files import STDIN
from kgreason.knowledge.limits import Faults
from kgreason.knowledge.portions import Portion
from kgreason.knowledge.progress import Stopwatch
from kgreason.knowledge.runs import Collector, Journal, Run


@final
class Reader:
    """Reads a stream into runs; one that fits in memory stays there.

    Args:
        stream: The source.
        journal: Where runs are kept.
        memory: Bytes that a run may take.
        watch: Is told how far reading is.
        portion: What to read of the source; None for all of it. Of a portion, every run is kept in the journal.
    """

    def __init__(
        self, stream: Stream, journal: Journal, memory: int, watch: Stopwatch, portion: Portion | None = None
    ) -> None:
        self.stream, self.journal, self.memory, self.watch, self.portion = stream, journal, memory, watch, portion
        self.runs: list[Run] = []
        self.faults = Faults(stream.bad_lines)
        self.reading = Reading(stream.limits, self.faults)
        if portion is not None:
            self.reading = Reading(stream.limits, self.faults, portion.start, (), portion.until)

    def resume(self) -> None:
        """Take over the runs of a build that was stopped."""
        paths = self.stream.files()
        if STDIN not in map(str, paths):
            self.runs = self.journal.resumed(paths)
        if self.runs:
            start, seen = self.runs[-1].place, self.journal.seen
            self.reading = Reading(self.stream.limits, self.faults, start, seen)

    def read(self) -> None:
        """Read what is left to read."""
        collector, before = Collector(self.memory, self.portion.number << 40 if self.portion else 0), 0
        rows = sum(len(run.triples) // 3 for run in self.runs)
        self.watch.begin(self.reading, rows)
        for block in self.stream.blocks(self.reading):
            collector.add(block)
            before = self._count_skipped(collector, before)
            if collector.full:
                rows += collector.rows
                self._keep(collector.run())
            self.watch.reading(self.reading, rows + collector.rows)
        self._count_skipped(collector, before)  # behind the last block
        run = collector.run()
        if not self.runs and self.portion is None:
            self.runs.append(run)
        elif len(run.entities) or run.counts:
            self._keep(run)

    def _count_skipped(self, collector: Collector, before: int) -> int:
        if self.faults.count > before:
            collector.count({"lines_skipped": self.faults.count - before})
        return self.faults.count

    def _keep(self, run: Run) -> None:
        self.runs.append(self.journal.add(run, self.faults.taken(), self.reading.seen))

    def skipped(self) -> str:
        """Return the broken lines, one JSON object each."""
        return self.journal.skipped() + self.faults.taken()

    def about(self) -> dict[str, str]:
        """Tell what was read, and what was left out of it."""
        counts = dict.fromkeys(self.stream.counted, 0)
        for run in self.runs:
            for what, number in run.counts.items():
                counts[what] = counts.get(what, 0) + number
        said = {what: str(number) for what, number in counts.items()}
        return {"source": " ".join(self.reading.names), **said}

    def sources(self) -> dict[str, str]:
        """Return the checksum of each file that was read."""
        sums = [digest for digest, _ in self.reading.seen]
        return dict(zip(self.reading.names, sums, strict=True))
